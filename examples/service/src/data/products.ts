/** A product as the catalogue's source delivers it. */
export interface Product {
  id: string;
  name: string;
  category: string;
  /** In euro cents. */
  price: number;
  stock: number;
  description: string;
}

type Row = [id: string, name: string, price: number, stock: number, description: string];

const BY_CATEGORY: Record<string, Row[]> = {
  Kitchen: [
    ['moka-pot', 'Moka pot, 6 cups', 3490, 41, 'Cast aluminium, for every hob but induction.'],
    ['creme-brulee', 'Crème brûlée dishes', 2250, 18, 'Four ramekins of stoneware, glazed by hand.'],
    ['chef-knife', 'Chef’s knife, 20 cm', 8900, 12, 'Forged in Solingen, 56 HRC.'],
    ['matcha-set', '抹茶 matcha set', 4800, 9, 'Bowl, bamboo whisk and scoop.'],
    ['jam-jars', 'Jam jars “Omas Küche”', 1290, 120, 'Twelve glasses of 220 ml with lids.'],
    ['scale', 'Kitchen scale <0.1 g', 2790, 33, 'Weighs flour & saffron alike.'],
  ],
  Books: [
    ['sicp', 'Structure and Interpretation', 6400, 7, 'Second edition, hardcover.'],
    ['tale-genji', '源氏物語 The Tale of Genji', 3900, 14, 'Unabridged, in two volumes.'],
    ['cien-anos', 'Cien años de soledad', 1890, 25, 'Pocket edition in Spanish.'],
    ['little-prince', 'Le Petit Prince', 990, 64, 'With the watercolours of the first edition.'],
    ['atlas', 'Atlas of remote islands', 3200, 11, 'Fifty islands and why nobody goes there.'],
  ],
  Outdoor: [
    ['tent-2p', 'Tent for two', 21900, 6, '1.9 kg, stands without pegs.'],
    ['head-torch', 'Head torch, 400 lm', 3990, 52, 'Red light for reading, USB-C.'],
    ['flask', 'Flask “Fjällräven” 1 l', 2990, 38, 'Keeps tea hot for a day.'],
    ['compass', 'Compass with mirror', 4550, 21, 'Declination set with a key.'],
    ['rope-60', 'Climbing rope, 60 m', 15900, 8, '9.5 mm, dry-treated.'],
  ],
  Desk: [
    ['fountain-pen', 'Fountain pen, M nib', 5900, 27, 'Piston filler, needs no cartridges.'],
    ['notebook', 'Notebook, dotted', 1450, 200, '120 g paper that ink does not bleed through.'],
    ['lamp', 'Desk lamp', 7900, 15, 'CRI 97, dims without flicker.'],
    ['keyboard', 'Keyboard ⌨ tenkeyless', 11900, 19, 'Tactile switches, ISO layout.'],
    ['stapler', 'Stapler that lasts', 2490, 44, 'Steel, forty sheets.'],
  ],
  Music: [
    ['ukulele', 'ʻUkulele, concert', 9900, 10, 'Mahogany, with a gig bag.'],
    ['metronome', 'Metronome', 4200, 16, 'Wind-up; no battery, no app.'],
    ['harmonica', 'Blues harp in C', 3650, 30, 'Ten holes, pear-wood comb.'],
    ['tuning-fork', 'Tuning fork A440', 890, 75, 'Stays in tune when nothing else does.'],
  ],
};

/** The embedded data set. */
export const PRODUCTS: readonly Product[] = Object.entries(BY_CATEGORY).flatMap(([category, rows]) =>
  rows.map(([id, name, price, stock, description]) => ({ id, name, category, price, stock, description })),
);
