import type { RedisFailure } from '../errors.js';
import type { Engine } from './engine.js';
import { FIGURE, SHARES } from './native.js';

/** What happened within the span of the window's `ms`, or of 10 s for a window of calls. Names are opossum's. */
export interface CircuitBreakerStats {
  /** Calls that are in flight, and those that ended. */
  fires: number;
  successes: number;
  /** Timeouts included. */
  failures: number;
  timeouts: number;
  /** Calls that were not let through. */
  rejects: number;
  /** Calls that found no room. */
  semaphoreRejections: number;
  fallbacks: number;
  /** Calls that took `slowCallDuration` or longer. */
  slow: number;
  /** Milliseconds that calls took. */
  latencyMean: number;
  /** Milliseconds by share, from 0 to 1; off by 1/32 at most, the shortest and the longest exact. */
  percentiles: Record<string, number>;
}

/** By what a breaker judges: the calls of its window, or the probes that have ended while it is half-open. */
export interface CircuitBreakerWindowStats {
  calls: number;
  failures: number;
  slow: number;
  /** Percent; 0 where there are no calls. */
  failureRate: number;
  slowCallRate: number;
}

/** How a breaker stands. */
export type CircuitBreakerState = 'closed' | 'open' | 'halfOpen' | 'forcedOpen';

/** By the core's number. */
export const STATES: readonly CircuitBreakerState[] = ['closed', 'open', 'halfOpen', 'forcedOpen'];

/** How a breaker stands that shares its state through Redis, and its fleet as of the latest sync. */
export interface CircuitBreakerFleet {
  /** false: Redis gives no answer, and the breaker goes by itself. */
  connected: boolean;
  /** Of all; half-open while a member has the lease of the probes. 'unknown' unless connected, and then the rest is 0. */
  state: 'closed' | 'open' | 'halfOpen' | 'unknown';
  /** Members that are alive, this one included. */
  members: number;
  /** Members that have opened by their own calls, while the fleet is closed. */
  votes: number;
  /** Whether the lease of the probes is this member's. */
  probing: boolean;
  /** Why syncs had no answer, from the beginning on. */
  errors: Record<RedisFailure, number>;
}

/** What a breaker has counted from its beginning on. */
export interface CircuitBreakerMetrics {
  name: string;
  state: CircuitBreakerState;
  enabled: boolean;
  /** Calls that run, and calls that wait for room. */
  running: number;
  waiting: number;
  fires: number;
  successes: number;
  failures: number;
  timeouts: number;
  /** Calls whose errors `errorFilter` had ignored. */
  ignored: number;
  rejects: number;
  semaphoreRejections: number;
  fallbacks: number;
  retries: number;
  /** How often it opened. */
  opened: number;
  /** Only with the option `shared`. */
  fleet?: CircuitBreakerFleet;
}

export function statsOf(engine: Engine): CircuitBreakerStats {
  const { figures } = engine;
  engine.native.figures(engine.time.now());
  const count = (place: number): number => figures[place]!;
  const ended = count(FIGURE.successes) + count(FIGURE.failures) + count(FIGURE.ignored);
  return {
    fires: engine.flight.count + ended + count(FIGURE.rejects) + count(FIGURE.full),
    successes: count(FIGURE.successes),
    failures: count(FIGURE.failures),
    timeouts: count(FIGURE.timeouts),
    rejects: count(FIGURE.rejects),
    semaphoreRejections: count(FIGURE.full),
    fallbacks: count(FIGURE.fallbacks),
    slow: count(FIGURE.slow),
    latencyMean: count(FIGURE.mean),
    percentiles: Object.fromEntries(SHARES.map((share, index) => [share, count(FIGURE.percentiles + index)])),
  };
}

export function windowStatsOf(engine: Engine): CircuitBreakerWindowStats {
  const { figures } = engine;
  engine.native.figures(engine.time.now());
  const calls = figures[FIGURE.judged]!;
  const failures = figures[FIGURE.judgedFailures]!;
  const slow = figures[FIGURE.judgedSlow]!;
  const percent = (part: number): number => (calls === 0 ? 0 : (part / calls) * 100);
  return { calls, failures, slow, failureRate: percent(failures), slowCallRate: percent(slow) };
}
