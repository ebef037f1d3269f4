import type { ConnectionPool } from '../../connectionPool.js';
import { counter, durations, gauge } from '../family.js';
import type { Tell } from '../told.js';

// Names, units and labels of OpenTelemetry's conventions for clients of databases, where those have one.
const DB = 'db.client.connection';
const POOL = `${DB}.pool.name`;
const BY_POOL = { labels: [POOL] };
const COUNT = gauge(`${DB}.count`, '{connection}', 'Open connections.', { labels: [POOL, `${DB}.state`] });
const IDLE = gauge(`${DB}.idle.min`, '{connection}', 'Connections that a pool keeps open.', BY_POOL);
const MAX = gauge(`${DB}.max`, '{connection}', 'Connections that a pool may have.', BY_POOL);
const PENDING = gauge(`${DB}.pending_requests`, '{request}', 'Acquires that wait.', BY_POOL);
const TIMEOUTS = counter(`${DB}.timeouts`, '{timeout}', 'Acquires given up at their deadline.', BY_POOL);
const CREATE = durations(`${DB}.create_time`, 'How long opening a connection took.', BY_POOL);
const WAIT = durations(`${DB}.wait_time`, 'How long acquires waited, of those that had to.', BY_POOL);
const USE = durations(`${DB}.use_time`, 'How long connections were lent.', BY_POOL);

const OURS = 'keelson.pool';
const ACQUIRED = counter(`${OURS}.acquired`, '{acquire}', 'Acquires that got a connection.', BY_POOL);
const ERRORS = counter(`${OURS}.errors`, '{acquire}', 'Acquires that got none, by cause.', {
  labels: [POOL, 'cause'],
});
const OPENED = counter(`${OURS}.opened`, '{connection}', 'Connections that were opened.', BY_POOL);
const OPEN_ERRORS = counter(
  `${OURS}.open.failures`,
  '{connection}',
  'Attempts to open one that failed.',
  BY_POOL,
);
const CLOSED = counter(`${OURS}.closed`, '{connection}', 'Connections that were closed, by reason.', {
  labels: [POOL, 'reason'],
});
const LEAKS = counter(`${OURS}.leaks`, '{loan}', 'Loans that took longer than leakAfter.', BY_POOL);

export function readPool(pool: ConnectionPool<any>, tell: Tell): void {
  const metrics = pool.metrics();
  const at = { [POOL]: metrics[POOL] };
  for (const [state, count] of Object.entries(metrics[`${DB}.count`]))
    tell(COUNT, count, { ...at, [`${DB}.state`]: state });
  tell(IDLE, metrics[`${DB}.idle.min`], at);
  tell(MAX, metrics[`${DB}.limit`], at);
  tell(PENDING, metrics[`${DB}.pending_requests`], at);
  tell(TIMEOUTS, metrics[`${DB}.timeouts`], at);
  tell(CREATE, metrics[`${DB}.create_time`], at);
  tell(WAIT, metrics[`${DB}.wait_time`], at);
  tell(USE, metrics[`${DB}.use_time`], at);
  tell(ACQUIRED, metrics.acquired, at);
  for (const [cause, count] of Object.entries(metrics.errors)) tell(ERRORS, count, { ...at, cause });
  tell(OPENED, metrics.opened, at);
  tell(OPEN_ERRORS, metrics.openErrors, at);
  for (const [reason, count] of Object.entries(metrics.closed)) tell(CLOSED, count, { ...at, reason });
  tell(LEAKS, metrics.leaks, at);
}
