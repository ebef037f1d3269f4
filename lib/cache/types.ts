import type { LoadCounters } from './singleFlight.js';

/** How the original described an entry. Kept for its users' types. */
export interface CacheItem<V> {
  value: V;
  timestamp: number;
  ttl: number;
  accessCount: number;
  lastAccessed: number;
}

/** What `getStats()` returns. */
export interface CacheStats {
  hits: number;
  misses: number;
  /** Entries that went because the cache was full, too heavy or asked to shrink. */
  evictions: number;
  expirations: number;
  /** Hits in all lookups, 0 to 1; 0 before the first. */
  hitRate: number;
  currentSize: number;
  maxSize: number;
}

/** What `metrics()` returns: counters by cause, since the cache was made or its stats were reset. */
export interface CacheMetrics extends CacheStats, LoadCounters {
  evictionsBySize: number;
  evictionsByWeight: number;
  evictionsByPressure: number;
  /** Entries that `delete()` removed. */
  deletions: number;
  /** Calls of `set()` that made an entry. */
  insertions: number;
  /** Calls of `set()` that gave a live entry another value. */
  replacements: number;
  /** Entries that were heavier than the whole cache may be. */
  rejections: number;
  /** Expired values that `get()` returned under `allowStale`. */
  staleHits: number;
  /** The weight of what is stored; 0 where `maxWeight` is not set. */
  weight: number;
  maxWeight: number;
}

/** One entry of a `dump()`. */
export interface DumpedEntry<V> {
  value: V;
  /** When it expires, in milliseconds of the cache's clock; absent when it never does. */
  expires?: number;
  /** Milliseconds that a hit gives it anew, under `updateAgeOnGet`; absent for what it has left. */
  ttl?: number;
}
