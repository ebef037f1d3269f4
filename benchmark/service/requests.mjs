import { jsonText, KB } from '../data/json.mjs';
import { random } from '../harness/zipf.mjs';

/** How many clients come again and again, and how many of them ask for too much. */
const CLIENTS = 10_000;
const GREEDY = 5;
/** What a client may do in a minute; only those few do more. */
export const REQUEST_LIMIT = 200;

/** Of all requests. What is left are cached answers. */
const SHARES = { greedy: 0.1, churn: 0.2, delivery: 0.07, page: 0.05, body: 0.01 };
/** Of the clients of all but the greedy, those that were never seen before. */
const NEWCOMERS = 0.15;

const BODY_SIZES = [100 * KB, 250 * KB, 500 * KB, 1000 * KB];
/** Of those 300 bytes each, in an article. */
const RECORDS = 16;

const PRODUCTS = [
  'lamp',
  'scale',
  'sicp',
  'atlas',
  'flask',
  'compass',
  'notebook',
  'ukulele',
  'tent-2p',
  'stapler',
];
const COUNTRIES = ['AT', 'CH', 'DE', 'FR', 'JP'];

/** What many clients ask for, and the caches have. */
export const CACHED_PATHS = [
  ...PRODUCTS.flatMap((id) => [`/api/products/${id}`, `/api/products/${id}`]),
  ...[1, 2, 3].flatMap((page) =>
    ['name', 'price', '-price'].map((sort) => `/api/products?page=${page}&sort=${sort}`),
  ),
  ...['Books', 'Desk', 'Music'].map((category) => `/api/products?category=${category}`),
  ...['lamp', 'pen', 'desk', 'set', 'harp'].map((word) => `/api/search?q=${word}`),
  ...Array.from({ length: 4 }, () => '/api/categories'),
];

/** The service asks a carrier each time, which takes 5 ms to answer. */
export const DELIVERY_PATHS = COUNTRIES.map((country) => `/api/products/lamp/delivery?country=${country}`);

const SEARCH = 'Tactile switches, ISO layout';

/** A search that finds something, as nobody has written it before: the bits of the number say which letters are large. */
function search(number) {
  const letters = [...SEARCH].map((letter, bit) =>
    (number >> bit) & 1 ? letter.toUpperCase() : letter.toLowerCase(),
  );
  return encodeURIComponent(letters.join(''));
}

/** A document of a supplier of about so many bytes; the articles of one size are the same ones each time. */
function supplyDocument(bytes) {
  const records = JSON.parse(jsonText('records', bytes)).items;
  const items = [];
  for (let start = 0; start < records.length; start += RECORDS) {
    items.push({ id: `${bytes} ${items.length}`, records: records.slice(start, start + RECORDS) });
  }
  return Buffer.from(JSON.stringify({ version: 3, items, complete: true }));
}

export const bodies = () => BODY_SIZES.map(supplyDocument);

const address = (net, number) => `${net}.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
const get = (path, from) => ({ method: 'GET', path, headers: { 'x-forwarded-for': from } });

/** Cached answers only, to clients that come again and again. */
function cachedRequests(uniform) {
  let count = 0;
  return () => get(CACHED_PATHS[Math.floor(uniform() * CACHED_PATHS.length)], address(10, count++ % CLIENTS));
}

/** Everything at once. */
function mixedRequests(uniform, cookie, seed) {
  const documents = bodies();
  const cached = cachedRequests(uniform);
  let [newcomers, searches] = [seed << 20, seed << 20];
  return () => {
    let kind = uniform();
    if (kind < SHARES.greedy) return get('/api/products/lamp', address(12, Math.floor(uniform() * GREEDY)));
    const request = cached();
    if (uniform() < NEWCOMERS) request.headers = { 'x-forwarded-for': address(11, newcomers++) };
    kind -= SHARES.greedy;
    if (kind < SHARES.churn) return { ...request, path: `/api/search?q=${search(searches++)}` };
    kind -= SHARES.churn;
    if (kind < SHARES.delivery)
      return { ...request, path: DELIVERY_PATHS[Math.floor(uniform() * DELIVERY_PATHS.length)] };
    kind -= SHARES.delivery;
    // It is made anew each time, of what is cached and of numbers.
    if (kind < SHARES.page) return { ...request, path: '/' };
    kind -= SHARES.page;
    if (kind >= SHARES.body) return request;
    const body = documents[Math.floor(uniform() * documents.length)];
    const headers = { ...request.headers, cookie, 'content-type': 'application/json' };
    return { method: 'POST', path: '/api/import', headers, body };
  };
}

/** A function that gives one request after the other, the same ones each time for a seed. */
export function requestsOf(load, { seed, cookie }) {
  const uniform = random(seed + 1);
  return load === 'cached' ? cachedRequests(uniform) : mixedRequests(uniform, cookie, seed);
}
