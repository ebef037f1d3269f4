import { SHIFT_EVERY, zipfOnly, zipfThatShifts, zipfWithScans } from '../data/cacheTraces.mjs';
import { hitRatio } from '../harness/hitRatio.mjs';

const ENTRIES = 1000;
const TRACES = { zipf: zipfOnly, scan: zipfWithScans, shift: zipfThatShifts };

const keelson = (policy) => async (name) => {
  const { SharedCache } = await import('keelson');
  return new SharedCache({ name, policy, maxEntries: ENTRIES });
};

async function lruCache() {
  const { LRUCache } = await import('lru-cache');
  return new LRUCache({ max: ENTRIES });
}

/** A cache of its own for each trace. */
const answering = (create) => () => ({
  async sample(round) {
    const values = {};
    for (const [name, traceOf] of Object.entries(TRACES)) {
      values[name] = hitRatio(await create(name), traceOf(round)).share;
    }
    return { values };
  },
});

const metric = { unit: '%', better: 'higher', compare: 'difference', differenceUnit: 'points' };

export const benchmarks = [
  {
    name: 'shared-cache/hit-ratio',
    question: `How many of a million Zipf(0.99) requests over a million keys does a cache of ${ENTRIES.toLocaleString('en-US')} entries answer, alone, with scans between them as above, and where every ${SHIFT_EVERY.toLocaleString('en-US')} requests other keys become popular?`,
    rounds: 3,
    fresh: true,
    metrics: Object.fromEntries(Object.keys(TRACES).map((name) => [name, metric])),
    contestants: {
      'keelson s3-fifo': answering(keelson('s3-fifo')),
      'keelson lru': answering(keelson('lru')),
      'lru-cache': answering(lruCache),
    },
    notes: [
      'A shared cache divides its entries among its shards, here 8, each of which evicts what is its own.',
    ],
  },
];
