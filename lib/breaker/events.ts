import type { RedisError } from '../errors.js';

/**
 * Events of `CircuitBreaker`, with what `node:diagnostics_channel` carries as `keelson:breaker:<event>`; `breaker` is the
 * breaker's name. Listeners get the rest as arguments in this order, as opossum's do.
 */
export interface CircuitBreakerEvents extends Record<string, unknown> {
  /** A call is asked for; each attempt of a retried one is. */
  fire: { breaker: string; args: readonly unknown[] };
  /** The action resolved, or failed with an error that `errorFilter` lets pass, after so many milliseconds. */
  success: { breaker: string; result: unknown; ms: number };
  /** The action failed, or was late. */
  failure: { breaker: string; error: unknown; ms: number; args: readonly unknown[] };
  /** A call was given up after its `timeout`. A `failure` follows, unless it still waited for room. */
  timeout: { breaker: string; error: Error; ms: number; args: readonly unknown[] };
  /** A call was not let through. */
  reject: { breaker: string; error: Error };
  /** A call found no room, neither to run nor to wait. */
  semaphoreLocked: { breaker: string; error: Error };
  /** A fallback answers; `result` is what it returned, which may be a promise, and `error` what it stands in for. */
  fallback: { breaker: string; result: unknown; error: unknown };
  /** A call is repeated in `delay` milliseconds, as attempt number `attempt`. */
  retry: { breaker: string; error: unknown; attempt: number; delay: number };
  /** It opened. */
  open: { breaker: string };
  /** It closed. */
  close: { breaker: string };
  /** It lets probes through, `resetTimeout` after it opened. */
  halfOpen: { breaker: string; resetTimeout: number };
  /** A shared breaker goes by itself, since Redis gave no answer for three intervals. Told once, until it has recovered. */
  'redis-error': { breaker: string; error: RedisError };
  /** Redis answers again, after so many milliseconds. */
  recovered: { breaker: string; downMs: number };
  /** It was shut down. */
  shutdown: { breaker: string };
  /** An error that nobody else is told of: what `errorFilter` or `retryIf` threw. Without a listener one process warning. */
  error: unknown;
}

export type CircuitBreakerEvent = keyof CircuitBreakerEvents & string;
