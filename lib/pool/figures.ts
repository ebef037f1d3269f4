import { Histogram, type LatencySummary } from '../histogram.js';
import { CLOSE_REASONS, type CloseReason } from './events.js';

/** Why acquires got no connection, counted. */
export interface AcquireErrors {
  /** Given up at the deadline. */
  timeout: number;
  /** Refused, since `maxQueue` were waiting. */
  full: number;
  /** No connection could be opened. */
  unavailable: number;
  /** The pool was closed. */
  closed: number;
  /** The pool was draining. */
  draining: number;
  /** Given up by its signal. */
  aborted: number;
}

/** What a pool tells of itself, by the names and units of OpenTelemetry's conventions where those have one. */
export interface ConnectionPoolMetrics {
  'db.client.connection.pool.name': string;
  /** Open connections; those that are validated are idle. */
  'db.client.connection.count': { idle: number; used: number };
  'db.client.connection.idle.min': number;
  'db.client.connection.limit': number;
  /** Acquires that wait. */
  'db.client.connection.pending_requests': number;
  /** Acquires that were given up at their deadline. */
  'db.client.connection.timeouts': number;
  /** Seconds that opening a connection took. */
  'db.client.connection.create_time': LatencySummary;
  /** Seconds from an acquire to its connection. */
  'db.client.connection.wait_time': LatencySummary;
  /** Seconds that connections were lent. */
  'db.client.connection.use_time': LatencySummary;
  /** Acquires that got a connection. */
  acquired: number;
  /** Those that did not, by cause. */
  errors: AcquireErrors;
  /** Connections that were opened. */
  opened: number;
  /** Attempts to open one that failed. */
  openErrors: number;
  /** Connections that were closed, by reason. */
  closed: Record<CloseReason, number>;
  /** Connections that came after their `createTimeout`, or after `close()` was over, and were destroyed. */
  late: number;
  /** Loans that took longer than `leakAfter`. */
  leaks: number;
}

/** What a pool counts; times are in milliseconds. */
export class Figures {
  /** Acquires that got a connection at once; they are not in `waits`. */
  immediate = 0;
  opened = 0;
  openErrors = 0;
  late = 0;
  leaks = 0;
  readonly errors: AcquireErrors = {
    timeout: 0,
    full: 0,
    unavailable: 0,
    closed: 0,
    draining: 0,
    aborted: 0,
  };
  readonly closed = Object.fromEntries(CLOSE_REASONS.map((reason) => [reason, 0])) as Record<
    CloseReason,
    number
  >;
  readonly creates = new Histogram();
  readonly waits = new Histogram();
  readonly uses = new Histogram();
}
