import { zipf } from '../harness/zipf.mjs';
import { caches } from '../peers/caches.mjs';

const ENTRIES = 1000;
const KEYS = 1_000_000;
const REQUESTS = 1_000_000;
/** The first requests only fill the cache. */
const COUNTED_FROM = 100_000;
const SCAN_EVERY = 10_000;
const SCAN_LENGTH = 2000;

function zipfOnly(round) {
  return zipf(KEYS, 0.99, round);
}

/** Zipf requests, and every 10,000 of them a report or a crawler reads 2,000 things that nobody asks for again. */
function zipfWithScans(round) {
  const popular = zipf(KEYS, 0.99, round);
  let unseen = KEYS;
  let request = 0;
  return () => (request++ % SCAN_EVERY < SCAN_LENGTH ? unseen++ : popular());
}

const hitRatio = (traceOf) => (cache) => ({
  sample(round) {
    const next = traceOf(round);
    let hits = 0;
    for (let request = 0; request < REQUESTS; request++) {
      const key = `product:${next()}`;
      if (cache.get(key) === undefined) {
        cache.set(key, request);
      } else if (request >= COUNTED_FROM) {
        hits++;
      }
    }
    return { values: { hits: (100 * hits) / (REQUESTS - COUNTED_FROM) }, check: hits };
  },
});

async function s3fifo() {
  const { BoundedLRUCache } = await import('keelson');
  return new BoundedLRUCache({ maxSize: ENTRIES, policy: 's3-fifo' });
}

const benchmarkOf = (name, question, traceOf, asked) => {
  const measure = hitRatio(traceOf);
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
