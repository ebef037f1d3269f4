import { setTimeout as pause } from 'node:timers/promises';
import { median } from '../harness/stats.mjs';
import { cacheContestants, cacheNotes } from '../peers/caches.mjs';

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

const millionObjects = (cache) => ({
  async sample() {
    let values = Array.from({ length: MILLION }, (_, id) => ({ id, price: id % 1000, stock: 1 }));
    const before = await settle();
    for (let i = 0; i < MILLION; i++) {
      cache.set(`product:${10_000_000 + i}`, values[i]);
    }
    const after = await settle();
    // From here on the cache alone keeps the values, and the collector reaches them through it.
    values = undefined;
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
const floor = () => {
  const kept = [];
  return {
    set: (_key, value) => kept.push(value),
    get: (key) => kept[Number(key.slice('product:'.length)) - 10_000_000],
  };
};

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
      ...cacheContestants(MILLION, millionObjects),
      'plain array, no keys': () => millionObjects(floor()),
    },
    notes: [
      `\`full GC\` is the median of ${PAUSES} gc() calls after the first three; marking the values is part of it for everyone.`,
      ...cacheNotes,
    ],
  },
];
