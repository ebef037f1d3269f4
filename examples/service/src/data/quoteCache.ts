import { BoundedLRUCache } from '../lib/utilities/performance/boundedCache';
import type { SharedCache } from '../lib/utilities/performance/sharedCache';
import { TieredCache } from '../lib/utilities/performance/tieredCache';
import type { Quote } from '../services/delivery';

/** Countries, and milliseconds for which a quote of theirs is good for an estimate. */
export const QUOTES = { maxEntries: 300, ttl: 24 * 60 * 60_000 };

/** How long a carrier's client waits for Redis at most, in milliseconds, when a quote of another instance is looked for. */
const REDIS_TIMEOUT = 100;

/** The last quote for each country, whichever thread got it, and whichever instance where there is a Redis. */
export function quoteCache(shared: SharedCache, redis: string | undefined): TieredCache<Quote> {
  return new TieredCache<Quote>({
    l1: new BoundedLRUCache(QUOTES.maxEntries, QUOTES.ttl),
    l2: shared,
    l3: redis === undefined ? undefined : { redis, prefix: 'catalogue:quotes:', timeout: REDIS_TIMEOUT },
    ttl: QUOTES.ttl,
    // No answer to a client waits for it.
    write: 'behind',
  });
}
