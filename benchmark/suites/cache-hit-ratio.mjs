import { SCAN_EVERY, SCAN_LENGTH, zipfOnly, zipfWithScans } from '../data/cacheTraces.mjs';
import { hitRatio } from '../harness/hitRatio.mjs';
import { caches } from '../peers/caches.mjs';

const ENTRIES = 1000;

const answering = (traceOf) => (cache) => ({
  sample(round) {
    const { hits, share } = hitRatio(cache, traceOf(round));
    return { values: { hits: share }, check: hits };
  },
});

async function s3fifo() {
  const { BoundedLRUCache } = await import('keelson');
  return new BoundedLRUCache({ maxSize: ENTRIES, policy: 's3-fifo' });
}

const benchmarkOf = (name, question, traceOf, asked) => {
  const measure = answering(traceOf);
  return {
    name,
    question,
    rounds: 3,
    fresh: true,
    metrics: {
      hits: { unit: '%', better: 'higher', compare: 'difference', differenceUnit: 'points', asked },
    },
    contestants: {
      'keelson s3-fifo': async () => measure(await s3fifo()),
      'keelson lru': async () => measure(await caches.keelson(ENTRIES)),
      'lru-cache': async () => measure(await caches['lru-cache'](ENTRIES)),
    },
    unlike: { 'keelson s3-fifo': 'is another policy; the two LRU caches must find exactly the same' },
  };
};

export const benchmarks = [
  benchmarkOf(
    'cache/hit-ratio-zipf',
    'How many of a million Zipf(0.99) requests over a million keys does a cache of 1,000 entries answer?',
    zipfOnly,
    [{ peer: 'keelson lru', atLeast: 8 }],
  ),
  benchmarkOf(
    'cache/hit-ratio-scan',
    `And with ${SCAN_LENGTH} requests for keys never seen again among every ${SCAN_EVERY}?`,
    zipfWithScans,
    [],
  ),
];
