import type { BoundedLRUCache } from '../../boundedLRUCache.js';
import type { SharedCache } from '../../sharedCache.js';
import type { TieredCache } from '../../tieredCache.js';
import { allWell, counter, gauge, peak, processCounter } from '../family.js';
import type { Tell } from '../told.js';

const NAME = { labels: ['name'] };
const RESULT = { labels: ['name', 'result'] };
const REASON = { labels: ['name', 'reason'] };

const LOOKUPS = counter('keelson.cache.lookups', '{lookup}', 'Lookups in caches, by result.', RESULT);
const ENTRIES = gauge('keelson.cache.entries', '{entry}', 'Entries of caches.', NAME);
const ROOM = gauge('keelson.cache.entries.limit', '{entry}', 'Entries that caches may have.', NAME);
const INSERTIONS = counter('keelson.cache.insertions', '{entry}', 'Entries that were made.', NAME);
const REMOVALS = counter('keelson.cache.removals', '{entry}', 'Entries that went, by reason.', REASON);
const REJECTIONS = counter('keelson.cache.rejections', '{entry}', 'Values too heavy for their cache.', NAME);
const LOADS = counter('keelson.cache.loads', '{load}', 'Calls of loaders.', NAME);
const LOAD_FAILURES = counter('keelson.cache.load.failures', '{load}', 'Loads that failed.', NAME);
const COALESCED = counter('keelson.cache.loads.coalesced', '{call}', 'Calls that joined a load.', NAME);

export function readCache(cache: BoundedLRUCache<any, any>, tell: Tell): void {
  const metrics = cache.metrics();
  tell(LOOKUPS, metrics.hits, { result: 'hit' });
  tell(LOOKUPS, metrics.misses, { result: 'miss' });
  tell(LOOKUPS, metrics.staleServed + metrics.staleHits, { result: 'stale' });
  tell(ENTRIES, metrics.currentSize);
  tell(ROOM, metrics.maxSize);
  tell(INSERTIONS, metrics.insertions);
  tell(REMOVALS, metrics.evictionsBySize, { reason: 'size' });
  tell(REMOVALS, metrics.evictionsByWeight, { reason: 'weight' });
  tell(REMOVALS, metrics.evictionsByPressure, { reason: 'pressure' });
  tell(REMOVALS, metrics.expirations, { reason: 'expired' });
  tell(REMOVALS, metrics.deletions, { reason: 'deleted' });
  tell(REJECTIONS, metrics.rejections);
  tell(LOADS, metrics.loads);
  tell(LOAD_FAILURES, metrics.loadFailures);
  tell(COALESCED, metrics.coalescedLoads);
}

// A shared cache is the process's: whichever thread has a handle tells the same of it.
const SHARED = 'keelson.shared_cache';
const SHARED_LOOKUPS = processCounter(`${SHARED}.lookups`, '{lookup}', 'Lookups, by result.', RESULT);
const SHARED_ENTRIES = peak(`${SHARED}.entries`, '{entry}', 'Entries of a shared cache.', NAME);
const SHARED_BYTES = peak(`${SHARED}.size`, 'By', 'Memory that its entries take.', NAME);
const SHARED_WRITES = processCounter(`${SHARED}.sets`, '{entry}', 'Values that were stored.', NAME);
const SHARED_REMOVALS = processCounter(`${SHARED}.removals`, '{entry}', 'Entries that went.', REASON);
const SHARED_REJECTIONS = processCounter(
  `${SHARED}.rejections`,
  '{entry}',
  'Values beyond the budget.',
  NAME,
);

export function readSharedCache(cache: SharedCache<any>, tell: Tell): void {
  const { name } = cache;
  const metrics = cache.metrics();
  tell(SHARED_LOOKUPS, metrics.hits, { name, result: 'hit' });
  tell(SHARED_LOOKUPS, metrics.misses, { name, result: 'miss' });
  tell(SHARED_ENTRIES, metrics.entries, { name });
  tell(SHARED_BYTES, metrics.bytes, { name });
  tell(SHARED_WRITES, metrics.sets, { name });
  tell(SHARED_REMOVALS, metrics.evictedBySize, { name, reason: 'size' });
  tell(SHARED_REMOVALS, metrics.evictedByBytes, { name, reason: 'weight' });
  tell(SHARED_REMOVALS, metrics.expired, { name, reason: 'expired' });
  tell(SHARED_REMOVALS, metrics.deletes, { name, reason: 'deleted' });
  tell(SHARED_REJECTIONS, metrics.rejected, { name });
}

const TIERED = 'keelson.tiered_cache';
const TIERED_LOOKUPS = counter(`${TIERED}.lookups`, '{lookup}', 'Lookups, by the tier that had it.', RESULT);
const OLD = counter(`${TIERED}.stale`, '{answer}', 'Answers with something stale, by why.', REASON);
const TIERED_LOADS = counter(`${TIERED}.loads`, '{load}', 'Calls of loaders.', NAME);
const TIERED_FAILURES = counter(`${TIERED}.load.failures`, '{load}', 'Loads that failed.', NAME);
const HEARD = counter(`${TIERED}.invalidations`, '{change}', 'Changes by others that were heard of.', NAME);
const STORE_ERRORS = counter(`${TIERED}.store.failures`, '{batch}', 'Batches the source did not take.', NAME);
const PENDING = gauge(`${TIERED}.writes.pending`, '{write}', 'Writes that wait for the source.', NAME);
const TIERED_UP = allWell(`${TIERED}.redis.up`, 'Whether Redis answers.', NAME);
const TIERED_ERRORS = counter(`${TIERED}.redis.errors`, '{call}', 'Calls that Redis did not answer.', NAME);
const OWED = gauge(`${TIERED}.redis.owed`, '{change}', 'Changes to be told of once Redis answers.', NAME);
const STALENESS = peak(`${TIERED}.staleness`, 's', 'Since all changes by others were known.', NAME);

export function readTieredCache(cache: TieredCache<any>, tell: Tell): void {
  const metrics = cache.metrics();
  tell(TIERED_LOOKUPS, metrics.l1Hits, { result: 'l1' });
  tell(TIERED_LOOKUPS, metrics.l2Hits, { result: 'l2' });
  tell(TIERED_LOOKUPS, metrics.l3Hits, { result: 'l3' });
  tell(TIERED_LOOKUPS, metrics.misses, { result: 'miss' });
  tell(OLD, metrics.staleHits, { reason: 'slow' });
  tell(OLD, metrics.graceHits, { reason: 'failed' });
  tell(TIERED_LOADS, metrics.loads);
  tell(TIERED_FAILURES, metrics.loadErrors);
  tell(HEARD, metrics.invalidations);
  tell(STORE_ERRORS, metrics.storeErrors);
  tell(PENDING, metrics.pendingWrites);
  const { redis } = metrics;
  if (redis === undefined) return;
  tell(TIERED_UP, Number(redis.connected));
  tell(TIERED_ERRORS, redis.errors);
  tell(OWED, redis.owed);
  tell(STALENESS, redis.staleness / 1000);
}
