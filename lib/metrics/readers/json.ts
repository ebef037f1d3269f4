import type { JSONWorkerPool } from '../../jsonWorkerPool.js';
import { counter, durations, gauge } from '../family.js';
import type { Tell } from '../told.js';

const JSON_POOL = 'keelson.json';
const NAME = { labels: ['name'] };
const CALLS = counter(`${JSON_POOL}.calls`, '{call}', 'Calls that have settled, by way.', {
  labels: ['name', 'way'],
});
const ERRORS = counter(`${JSON_POOL}.errors`, '{call}', 'Calls that failed, by cause.', {
  labels: ['name', 'cause'],
});
const READ = counter(`${JSON_POOL}.read`, 'By', 'Text that was read; of strings their UTF-16 units.', NAME);
const WRITTEN = counter(`${JSON_POOL}.written`, 'By', 'Text that was written, likewise.', NAME);
const QUEUED = gauge(`${JSON_POOL}.tasks.queued`, '{task}', 'Tasks that wait for their turn.', NAME);
const ACTIVE = gauge(`${JSON_POOL}.tasks.active`, '{task}', 'Tasks that are worked on.', NAME);
const THREADS = gauge(`${JSON_POOL}.threads`, '{thread}', 'Native threads that are alive.', NAME);
const WAITS = durations(`${JSON_POOL}.queue.duration`, 'How long tasks waited for their turn.', NAME);
const MAIN = durations(`${JSON_POOL}.main.duration`, 'Time of the main thread that tasks took.', NAME);
const NATIVE = durations(`${JSON_POOL}.native.duration`, 'Time of native threads that tasks took.', NAME);
const TASKS = durations(`${JSON_POOL}.task.duration`, 'From the turn of a task to its result.', NAME);

export function readJson(pool: JSONWorkerPool, tell: Tell): void {
  const { processed, direct, errors, bytes, ...metrics } = pool.metrics();
  tell(CALLS, direct, { way: 'direct' });
  tell(CALLS, processed - direct, { way: 'task' });
  for (const [cause, count] of Object.entries(errors))
    tell(ERRORS, count, { cause: cause === 'queueFull' ? 'queue_full' : cause });
  tell(READ, bytes.parsed);
  tell(WRITTEN, bytes.written);
  tell(QUEUED, metrics.queued);
  tell(ACTIVE, metrics.active);
  tell(THREADS, metrics.threads);
  tell(WAITS, metrics.queueTime);
  tell(MAIN, metrics.mainTime);
  tell(NATIVE, metrics.nativeTime);
  tell(TASKS, metrics.duration);
}
