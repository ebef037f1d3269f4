import type { TimerManager } from '../../timerManager.js';
import { counter, gauge } from '../family.js';
import type { Tell } from '../told.js';

const NAME = { labels: ['name'] };
const TIMERS = 'keelson.timers';
const PENDING = gauge(`${TIMERS}.pending`, '{timer}', 'Timers that wait, by kind.', {
  labels: ['name', 'kind'],
});
const GROUPS = gauge(`${TIMERS}.group.pending`, '{timer}', 'Timers that wait, of those in a group.', {
  labels: ['name', 'group'],
});
const SCHEDULED = counter(`${TIMERS}.scheduled`, '{timer}', 'Timers that were made.', NAME);
const FIRED = counter(`${TIMERS}.fired`, '{call}', 'Callbacks that were called.', NAME);
const FAILED = counter(`${TIMERS}.failures`, '{call}', 'Callbacks that threw.', NAME);
const ENDED = counter(`${TIMERS}.ended`, '{timer}', 'Timers that ended, by cause.', {
  labels: ['name', 'cause'],
});
const STALE = counter(`${TIMERS}.stale`, '{timer}', 'Timers that outlived their maxLifetime.', NAME);
const SKIPPED = counter(`${TIMERS}.skipped`, '{tick}', 'Ticks that a busy event loop left out.', NAME);
const LIMITS = counter(`${TIMERS}.limit.crossings`, '{crossing}', 'How often the limit was crossed.', NAME);

export function readTimers(timers: TimerManager, tell: Tell): void {
  const metrics = timers.metrics();
  tell(PENDING, metrics.timeouts, { kind: 'timeout' });
  tell(PENDING, metrics.intervals, { kind: 'interval' });
  for (const [group, count] of timers.groups()) tell(GROUPS, count, { group });
  tell(SCHEDULED, metrics.scheduled);
  tell(FIRED, metrics.fired);
  tell(FAILED, metrics.failed);
  for (const cause of ['completed', 'cleared', 'aborted', 'evicted', 'staleCleared', 'destroyed'] as const)
    tell(ENDED, metrics[cause], { cause: cause === 'staleCleared' ? 'stale' : cause });
  tell(STALE, metrics.stale);
  tell(SKIPPED, metrics.skipped);
  tell(LIMITS, metrics.limitCrossed);
}
