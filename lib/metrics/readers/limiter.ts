import type { DistributedRateLimiter } from '../../distributedRateLimiter.js';
import { allWell, counter, gauge } from '../family.js';
import type { Tell } from '../told.js';

const LIMITER = 'keelson.rate_limiter';
const NAME = { labels: ['name'] };
const CHECKS = counter(`${LIMITER}.checks`, '{check}', 'Checks, by what came of them.', {
  labels: ['name', 'result'],
});
const SHORTCUTS = counter(`${LIMITER}.shortcuts`, '{check}', 'Checks that needed no Redis, by why.', {
  labels: ['name', 'reason'],
});
const PASSED = counter(`${LIMITER}.unchecked`, '{request}', 'Requests that were not counted, by why.', {
  labels: ['name', 'reason'],
});
const FALLBACKS = counter(`${LIMITER}.fallbacks`, '{check}', 'Checks Redis did not decide, by who did.', {
  labels: ['name', 'decision'],
});
const ERRORS = counter(`${LIMITER}.errors`, '{check}', 'Calls of Redis that failed, by cause.', {
  labels: ['name', 'cause'],
});
const REFUNDED = counter(`${LIMITER}.refunds`, '{request}', 'Requests that were given back.', NAME);
const WAITING = gauge(`${LIMITER}.waiting`, '{call}', 'Calls that wait for their permit.', NAME);
const KEYS = gauge(`${LIMITER}.keys`, '{key}', 'Keys that are known in memory.', NAME);
const BLOCKED = gauge(`${LIMITER}.keys.blocked`, '{key}', 'Keys that are known to be denied.', NAME);
const UP = allWell(`${LIMITER}.store.up`, 'Whether the store answers.', NAME);
const OUTAGES = counter(`${LIMITER}.store.outages`, '{outage}', 'How often the store went down.', NAME);

export function readLimiter(limiter: DistributedRateLimiter, tell: Tell): void {
  const metrics = limiter.metrics();
  tell(CHECKS, metrics.allowed, { result: 'allowed' });
  tell(CHECKS, metrics.denied, { result: 'denied' });
  tell(SHORTCUTS, metrics.deniedFromCache, { reason: 'denied' });
  tell(SHORTCUTS, metrics.fromBlocks, { reason: 'block' });
  tell(PASSED, metrics.skipped, { reason: 'skipped' });
  tell(PASSED, metrics.unidentified, { reason: 'unidentified' });
  for (const [decision, count] of Object.entries(metrics.fallbacks)) tell(FALLBACKS, count, { decision });
  for (const [cause, count] of Object.entries(metrics.errors)) tell(ERRORS, count, { cause });
  tell(REFUNDED, metrics.refunded);
  tell(WAITING, metrics.waiting);
  tell(KEYS, metrics.keys.currentSize);
  tell(BLOCKED, metrics.blockedCount);
  tell(UP, Number(metrics.store.state === 'up'));
  tell(OUTAGES, metrics.store.outages);
}
