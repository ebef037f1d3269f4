import type { SharedCache } from '../lib/utilities/performance/sharedCache';

/** The numbers of a cache of all threads, by the names that the other caches have for them. */
export function cacheStats(cache: SharedCache, maxSize: number) {
  const { hits, misses, sets, evictedBySize, evictedByBytes, expired, entries, bytes } = cache.metrics();
  return {
    ...{ hits, misses, sets, evictions: evictedBySize + evictedByBytes, expirations: expired },
    ...{ hitRate: hits / (hits + misses || 1), currentSize: entries, maxSize, bytes },
  };
}
