import { REQUESTS } from '../data/cacheTraces.mjs';

/** The first requests only fill the cache. */
const COUNTED_FROM = 100_000;

/** How many requests of a trace a cache answers, and what share of them in percent; what it does not have is set. */
export function hitRatio(cache, next) {
  let hits = 0;
  for (let request = 0; request < REQUESTS; request++) {
    const key = `product:${next()}`;
    if (cache.get(key) === undefined) {
      cache.set(key, request);
    } else if (request >= COUNTED_FROM) {
      hits++;
    }
  }
  return { hits, share: (100 * hits) / (REQUESTS - COUNTED_FROM) };
}
