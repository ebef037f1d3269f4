import type { CacheStats } from '../cache/types.js';
import type { RedisFailure } from '../errors.js';
import type { RedisLinkCounts } from '../redis/link.js';

/** What {@link DistributedRateLimiter.getStats} tells. */
export interface RateLimiterStats {
  /** Of the keys that are known here; with Redis, of those of the limits that stand in for it. */
  cacheStats: CacheStats;
  /** Keys that are known here to be denied or blocked. */
  blockedCount: number;
}

/** What a limiter counts. */
export interface RateLimitCounts {
  /** Checks that passed. */
  allowed: number;
  /** Checks that did not, or would not have under `shadow`. */
  denied: number;
  /** Of these, how many were denied here since Redis had denied the same before. */
  deniedFromCache: number;
  /** Checks that passed by a permit of a block that is held here. */
  fromBlocks: number;
  /** Requests that `skip` let through. */
  skipped: number;
  /** Requests that passed since nobody could tell whom they are counted for. */
  unidentified: number;
  /** Requests whose units were given back. */
  refunded: number;
  /** Operations that Redis did not decide, by who did. */
  fallbacks: { local: number; open: number; closed: number };
  /** Why it did not. */
  errors: Record<RedisFailure, number>;
}

/** How the store is. */
export interface RateLimitStoreMetrics {
  kind: 'memory' | 'redis' | 'client';
  /** `down`: it failed too often in a row, and is only tried now and then. */
  state: 'up' | 'down';
  /** How often it went down. */
  outages: number;
  /** Of the connection, which limiters of the same Redis share. */
  link?: RedisLinkCounts;
}

/** What {@link DistributedRateLimiter.metrics} tells. */
export interface RateLimiterMetrics extends RateLimitCounts {
  /** Calls of `waitFor` and `acquire` that wait. */
  waiting: number;
  /** Permits that are held by leases which are renewed here. */
  renewedLeases: number;
  store: RateLimitStoreMetrics;
  keys: CacheStats;
  blockedCount: number;
}

export function newCounts(): RateLimitCounts {
  return {
    ...{ allowed: 0, denied: 0, deniedFromCache: 0, fromBlocks: 0, skipped: 0, unidentified: 0, refunded: 0 },
    fallbacks: { local: 0, open: 0, closed: 0 },
    errors: { timeout: 0, connection: 0, permission: 0, server: 0, overloaded: 0, closed: 0 },
  };
}
