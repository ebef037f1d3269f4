import { STATES } from '../../breaker/stats.js';
import type { CircuitBreaker } from '../../circuitBreaker.js';
import { counter, gauge } from '../family.js';
import type { Tell } from '../told.js';

const BREAKER = 'keelson.breaker';
const NAME = { labels: ['name'] };
const CALLS = counter(`${BREAKER}.calls`, '{call}', 'Calls, by what came of them.', {
  labels: ['name', 'result'],
});
const STATE = gauge(`${BREAKER}.state`, '{breaker}', 'Breakers by how they stand.', {
  labels: ['name', 'state'],
});
const FALLBACKS = counter(`${BREAKER}.fallbacks`, '{call}', 'Calls that a fallback answered.', NAME);
const RETRIES = counter(`${BREAKER}.retries`, '{attempt}', 'Attempts after the first.', NAME);
const OPENED = counter(`${BREAKER}.opened`, '{opening}', 'How often breakers opened.', NAME);
const RUNNING = gauge(`${BREAKER}.calls.active`, '{call}', 'Calls that run.', NAME);
const WAITING = gauge(`${BREAKER}.calls.waiting`, '{call}', 'Calls that wait for room.', NAME);

export function readBreaker(breaker: CircuitBreaker<any, any>, tell: Tell): void {
  const metrics = breaker.metrics();
  const { name } = metrics;
  tell(CALLS, metrics.successes, { name, result: 'success' });
  // Of failures, timeouts are a part.
  tell(CALLS, metrics.failures - metrics.timeouts, { name, result: 'failure' });
  tell(CALLS, metrics.timeouts, { name, result: 'timeout' });
  tell(CALLS, metrics.ignored, { name, result: 'ignored' });
  tell(CALLS, metrics.rejects, { name, result: 'rejected' });
  tell(CALLS, metrics.semaphoreRejections, { name, result: 'full' });
  for (const state of STATES) tell(STATE, Number(metrics.state === state), { name, state });
  tell(FALLBACKS, metrics.fallbacks, { name });
  tell(RETRIES, metrics.retries, { name });
  tell(OPENED, metrics.opened, { name });
  tell(RUNNING, metrics.running, { name });
  tell(WAITING, metrics.waiting, { name });
}
