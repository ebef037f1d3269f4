import { setTimeout as pause } from 'node:timers/promises';
import { median } from '../harness/stats.mjs';
import { cacheNotes, caches } from '../peers/caches.mjs';

const MILLION = 1_000_000;
const PAUSES = 5;

async function settle() {
  gc();
  await pause(20);
  gc();
  return process.memoryUsage();
}

function collect() {
  const start = performance.now();
  gc();
  return performance.now() - start;
}

function warmUp(cache) {
  for (let i = 0; i < 20_000; i++) {
    cache.set(`product:${i}`, i);
  }
}

function makeValues() {
  const values = new Array(MILLION);
  for (let id = 0; id < MILLION; id++) {
    values[id] = { id, price: id % 1000, stock: 1 };
  }
  return values;
}

/** `create` is called twice, first for a small cache: its code is loaded and known before the first reading. */
const millionObjects = (create) => ({
  async sample() {
    warmUp(await create(1000));
    // In an object: V8 lets a variable go after its last use, before the second reading.
    const held = { values: makeValues() };
    const before = await settle();
    // After the reading: some caches take the space of all their entries at once.
    const cache = await create(MILLION);
    for (let i = 0; i < MILLION; i++) {
      cache.set(`product:${10_000_000 + i}`, held.values[i]);
    }
    const after = await settle();
    // From here on the cache alone keeps the values, and the collector reaches them through it.
    held.values = undefined;
    await settle();
    const fullCollection = median(Array.from({ length: PAUSES }, collect));
    const perEntry = (field) => (after[field] - before[field]) / MILLION;
    return {
      values: {
        heap: perEntry('heapUsed'),
        external: perEntry('external'),
        resident: perEntry('rss'),
        'full GC': fullCollection,
      },
      check: cache.get(`product:${10_000_000 + 123_456}`).id,
    };
  },
});

/** What the million values cost by themselves: no cache can have less. */
function plainArray(max) {
  const kept = new Array(max);
  let length = 0;
  return {
    set(_key, value) {
      kept[length++ % max] = value;
    },
    get: (key) => kept[Number(key.slice('product:'.length)) - 10_000_000],
  };
}

const asked = [{ peer: 'lru-cache', atLeast: 2 }];

export const benchmarks = [
  {
    name: 'cache/million-objects',
    question:
      'What does a cache of a million objects add for each entry (its key and its bookkeeping, not the value), and how long does a full collection stop the process then?',
    rounds: 3,
    fresh: true,
    metrics: {
      heap: { unit: 'bytes', better: 'lower', asked },
      external: { unit: 'bytes', better: 'lower', compare: 'none' },
      resident: { unit: 'bytes', better: 'lower' },
      'full GC': { unit: 'ms', better: 'lower', asked },
    },
    contestants: {
      ...Object.fromEntries(
        Object.entries(caches).map(([name, create]) => [name, () => millionObjects(create)]),
      ),
      'plain array, no keys': () => millionObjects(plainArray),
    },
    notes: [
      `\`full GC\` is the median of ${PAUSES} gc() calls after the first three; marking the values is part of it for everyone.`,
      ...cacheNotes,
    ],
  },
];
