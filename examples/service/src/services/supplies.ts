import type { Product } from '../data/products';
import type { Catalogue } from './catalogue';
import { slices } from './slices';

/** What a supplier sends: an id, and whatever else there is to say, which is kept as it came. */
export interface Item {
  id: string | number;
  [member: string]: unknown;
}

/** The form of documents that are imported and exported. */
export interface SupplyDocument {
  version: typeof SUPPLY_VERSION;
  items: Item[];
  /** Comes last, and so tells that nothing was cut off where the document was made. */
  complete: true;
}

export const SUPPLY_VERSION = 3;

/** What an import did. */
export interface SupplyCounts {
  items: number;
  created: number;
  updated: number;
  /** Those of the items that went into the catalogue. */
  products: number;
}

/** All that suppliers have sent, by id, in the order in which ids were first seen. */
export class Supplies {
  readonly #items = new Map<string | number, Item>();

  constructor(private readonly catalogue: Catalogue) {}

  /** Adds items, or replaces those with the same id; `products` are those of them that the catalogue sells. */
  async take(items: readonly Item[], products: readonly Product[]): Promise<SupplyCounts> {
    let created = 0;
    for await (const slice of slices(items)) {
      const before = this.#items.size;
      for (const item of slice) this.#items.set(item.id, item);
      created += this.#items.size - before;
    }
    for await (const slice of slices(products)) this.catalogue.upsert(slice);
    return { items: items.length, created, updated: items.length - created, products: products.length };
  }

  /** Everything as it is now: an import that comes later changes nothing in it. */
  document(): SupplyDocument {
    return { version: SUPPLY_VERSION, items: [...this.#items.values()], complete: true };
  }
}
