import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** More than any benchmark stores: what bounds the caches is the number of entries, which all of them have. */
const MOST_BYTES = 8 * 2 ** 30;

/**
 * Caches of strings, each for so many entries, all threads of a process being on the same one where the cache can do that.
 * `settled` is there where a value that was set is seen only later. `load` is what getOrLoad is called with.
 */
export const sharedCaches = {
  async keelson(maxEntries) {
    const { SharedCache } = await import('keelson');
    return new SharedCache({ name: `of ${maxEntries}`, maxEntries, maxBytes: MOST_BYTES });
  },
  async lmdb(maxEntries) {
    const { open } = await import('lmdb');
    const database = open({
      path: join(tmpdir(), `of-${maxEntries}`),
      encoding: 'string',
      noSync: true,
      useWritemap: true,
      noMemInit: true,
      mapSize: MOST_BYTES,
    });
    return {
      get: (key) => database.get(key),
      has: (key) => database.doesExist(key),
      set: (key, value) => database.put(key, value),
      getMany: (keys) => keys.map((key) => database.get(key)),
      setMany: (pairs) => pairs.forEach(([key, value]) => void database.put(key, value)),
      incr: (key) =>
        database.transaction(() => database.put(key, String(Number(database.get(key) ?? 0) + 1))),
      remove: (key) => database.remove(key),
      settled: () => database.committed,
    };
  },
  async 'lru-cache'(max, load) {
    const { LRUCache } = await import('lru-cache');
    const cache = new LRUCache({ max, fetchMethod: load });
    return {
      get: (key) => cache.get(key),
      has: (key) => cache.has(key),
      set: (key, value) => cache.set(key, value),
      getMany: (keys) => keys.map((key) => cache.get(key)),
      setMany: (pairs) => pairs.forEach(([key, value]) => void cache.set(key, value)),
      incr: (key) => cache.set(key, (cache.get(key) ?? 0) + 1),
      getOrLoad: (key) => cache.fetch(key),
    };
  },
  async 'node-cache'() {
    const { default: NodeCache } = await import('node-cache');
    const cache = new NodeCache({ useClones: false, checkperiod: 0 });
    return {
      get: (key) => cache.get(key),
      has: (key) => cache.has(key),
      set: (key, value) => cache.set(key, value),
      getMany: (keys) => keys.map((key) => cache.get(key)),
      setMany: (pairs) => cache.mset(pairs.map(([key, val]) => ({ key, val }))),
      incr: (key) => cache.set(key, (cache.get(key) ?? 0) + 1),
    };
  },
};

/** Nothing but the strings: what everybody takes at least. */
export const noCache = () => ({ get: () => '', has: () => false, set() {} });

/** A little more than the entries: each of the parts of a shared cache has its share of it. */
export const roomFor = (entries) => Math.ceil(entries * 1.06);

/** Stores the first so many values. */
export async function fill(cache, entries, { key, value }) {
  for (let number = 0; number < entries; number++) {
    cache.set(key(number), value(number));
    // Who writes later is not made to keep all that is to be written.
    if (number % 10_000 === 0) await cache.settled?.();
  }
  await cache.settled?.();
}

export const sharedCacheNotes = [
  'lmdb lies in a folder for temporary files, is never synced (`noSync`), writes into its map (`useWritemap`, `noMemInit`) and takes strings as they are (`encoding`). It puts what is written into its map from another thread, later, and bounds nothing.',
  'node-cache does not clone (`useClones: false`), and bounds nothing; it and lru-cache are of one thread.',
];
