// JSON documents of any size, the same ones each time: `jsonText('records', 10 * MB)`.
import { random } from '../harness/zipf.mjs';

export const KB = 1024;
export const MB = 1024 * KB;

const NAMES = ['Ada', 'Grace', 'Alan', 'Edsger', 'Barbara', 'Donald', 'Frances', 'Ken', 'Margaret', 'Dennis'];
const SURNAMES = ['Lovelace', 'Hopper', 'Turing', 'Dijkstra', 'Liskov', 'Knuth', 'Allen', 'Thompson'];
const CITIES = ['Hamburg', 'Lisbon', 'Osaka', 'Nairobi', 'Boston', 'Porto Alegre', 'Utrecht', 'Sydney'];
const TAGS = ['new', 'sale', 'gift', 'return', 'priority', 'wholesale', 'trial', 'partner', 'archived'];
const WORDS =
  'the of and to in is that it was for on are as with they at be this from have or by one had not but what all'.split(
    ' ',
  );
/** Beyond Latin-1, so that such a text has two bytes a character in JavaScript; one name has a surrogate pair. */
const FOREIGN_NAMES = ['李小龍', 'Łukasz', 'Ольга', 'Αθηνά', 'محمد', 'さくら', 'Nguyễn', 'Zoë 🚀'];
const FOREIGN_CITIES = ['東京', 'Москва', 'Αθήνα', 'القاهرة', 'Kraków', 'Hà Nội', 'İstanbul', '서울'];

const below = (uniform, limit) => Math.floor(uniform() * limit);
const oneOf = (uniform, list) => list[below(uniform, list.length)];
const hex = (uniform, digits) =>
  below(uniform, 16 ** digits)
    .toString(16)
    .padStart(digits, '0');
const rounded = (value, decimals) => Number(value.toFixed(decimals));
const listOf = (length, make) => Array.from({ length }, make);
const sentence = (uniform, words) => listOf(words, () => oneOf(uniform, WORDS)).join(' ');

const uuid = (uniform) =>
  `${hex(uniform, 8)}-${hex(uniform, 4)}-4${hex(uniform, 3)}-a${hex(uniform, 3)}-${hex(uniform, 12)}`;

/** About 300 bytes. */
function record(uniform, index, names = NAMES, cities = CITIES) {
  const name = `${oneOf(uniform, names)} ${oneOf(uniform, SURNAMES)}`;
  return {
    id: index,
    uuid: uuid(uniform),
    name,
    email: `${oneOf(uniform, SURNAMES).toLowerCase()}${below(uniform, 10_000)}@example.com`,
    active: uniform() < 0.7,
    score: rounded(uniform() * 100, 2),
    tags: listOf(below(uniform, 4), () => oneOf(uniform, TAGS)),
    address: {
      city: oneOf(uniform, cities),
      zip: String(10_000 + below(uniform, 90_000)),
      lat: rounded(uniform() * 180 - 90, 6),
      lng: rounded(uniform() * 360 - 180, 6),
    },
  };
}

/** Eight members that may each be left out: up to 256 different shapes. */
function recordWithOptionalMembers(uniform, index) {
  const optional = {
    title: oneOf(uniform, TAGS),
    phone: `+49 40 ${below(uniform, 1e7)}`,
    company: oneOf(uniform, SURNAMES),
    notes: sentence(uniform, 6),
    discount: rounded(uniform(), 2),
    orders: below(uniform, 500),
    newsletter: uniform() < 0.5,
    referrer: null,
  };
  const present = Object.entries(optional).filter(() => uniform() < 0.5);
  return {
    id: index,
    name: oneOf(uniform, NAMES),
    ...Object.fromEntries(present),
    city: oneOf(uniform, CITIES),
  };
}

/** A folder of folders and files, of about `bytes` bytes as JSON. */
function folder(uniform, bytes) {
  const children = [];
  for (let left = bytes - 100; left > 0; ) {
    const share = left > 2000 && uniform() < 0.4 ? Math.ceil(left * uniform()) : 110;
    children.push(share > 400 ? folder(uniform, share) : file(uniform));
    left -= share;
  }
  return { type: 'folder', name: oneOf(uniform, WORDS), mode: 493, children };
}

const file = (uniform) => ({
  type: 'file',
  name: `${oneOf(uniform, WORDS)}-${hex(uniform, 6)}.txt`,
  mode: 420,
  size: below(uniform, 1e6),
  modified: 1_700_000_000 + below(uniform, 1e8),
});

/** A polygon of GeoJSON, its points as near to each other and with as many decimals as those of a map. */
function polygon(uniform, index) {
  const [lng, lat] = [uniform() * 360 - 180, uniform() * 160 - 80];
  const point = () => [rounded(lng + uniform() / 10, 6), rounded(lat + uniform() / 10, 6)];
  const ring = listOf(10 + below(uniform, 90), point);
  return {
    type: 'Feature',
    id: index,
    properties: { name: `parcel ${index}` },
    geometry: { type: 'Polygon', coordinates: [[...ring, ring[0]]] },
  };
}

/** With quotes and line breaks, which have to be escaped. */
const paragraph = (uniform) => listOf(1 + below(uniform, 20), () => `"${sentence(uniform, 12)}",`).join('\n');

const stringified = (make) => (uniform, index, bytes) => JSON.stringify(make(uniform, index, bytes));

/** What is between the brackets of each kind: `item` makes the JSON of the next part. */
const KINDS = {
  records: { open: '{"version":3,"items":[', item: stringified(record), close: '],"complete":true}' },
  'records, not ASCII': {
    open: '{"version":3,"items":[',
    item: stringified((uniform, index) => record(uniform, index, FOREIGN_NAMES, FOREIGN_CITIES)),
    close: '],"complete":true}',
  },
  'records, optional members': {
    open: '{"version":3,"items":[',
    item: stringified(recordWithOptionalMembers),
    close: '],"complete":true}',
  },
  tree: {
    open: '{"type":"folder","name":"/","mode":493,"children":[',
    item: stringified((uniform, _index, bytes) => folder(uniform, Math.min(40 * KB, bytes / 4))),
    close: ']}',
  },
  geo: { open: '{"type":"FeatureCollection","features":[', item: stringified(polygon), close: ']}' },
  matrix: { open: '[', item: stringified((uniform) => listOf(100, uniform)), close: ']' },
  integers: { open: '[', item: (uniform) => String(below(uniform, 1e6)), close: ']' },
  strings: { open: '[', item: stringified(paragraph), close: ']' },
  'one string': { open: '"', item: (uniform) => sentence(uniform, 50), separator: ' ', close: '"' },
  /** A document a line. */
  lines: { open: '', item: stringified(record), separator: '\n', close: '\n' },
};

/** A document of `kind`, by one part longer than `bytes` at most, as a service has it from a socket. */
export function jsonText(kind, bytes, seed = 42) {
  const { open, item, separator = ',', close } = KINDS[kind];
  const uniform = random(seed);
  const parts = [];
  for (let size = open.length + close.length; size < bytes; ) {
    const part = item(uniform, parts.length, bytes);
    parts.push(part);
    size += Buffer.byteLength(part) + separator.length;
  }
  return Buffer.from(open + parts.join(separator) + close);
}

/** The value of such a document. */
export const jsonValue = (kind, bytes, seed) => JSON.parse(jsonText(kind, bytes, seed).toString());
