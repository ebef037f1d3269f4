import type { RedisError } from '../errors.js';
import type { RateLimitResult } from './result.js';

/** Events of a rate limiter; each is also published as `keelson:rate-limiter:<event>` on `node:diagnostics_channel`. */
export interface RateLimiterEvents extends Record<string, unknown> {
  /** A check was denied, or would have been under `shadow`. */
  'rate-limit': { key: string; result: RateLimitResult };
  /** Redis gave no answer. Told of the first error, and then once a second or a try. */
  'redis-error': RedisError;
  /** Redis answers again. */
  recovered: { downMs: number };
  /** A function of the user's threw. */
  error: unknown;
}
