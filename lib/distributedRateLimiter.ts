import { observe } from './metrics/member.js';
import { readLimiter } from './metrics/readers/limiter.js';
import type { RateLimitDecision } from './rateLimiter/httpOptions.js';
import { RateLimiter } from './rateLimiter/limiter.js';
import type { OlderRateLimiterConfig, RateLimiterConfig } from './rateLimiter/options.js';
import type { OlderRateLimitDecision } from './rateLimiter/visits.js';

/**
 * Limits how much each key may do: in memory, or over all processes of a service in Redis.
 *
 * Redis decides by its own clock, in scripts that no other client can come between; a check waits for it no longer than
 * `storeTimeout`, and never fails because of it: while it does not answer, `onStoreError` decides, and it is tried again
 * until it does. Nothing of a limiter keeps the process alive but calls that wait.
 *
 * Events: see `RateLimiterEvents`.
 */
export type DistributedRateLimiter<Decision = RateLimitDecision> = RateLimiter<Decision>;

/** The two forms of the constructor. */
export interface DistributedRateLimiterConstructor {
  readonly prototype: DistributedRateLimiter;
  /**
   * The older form: `checkLimit` resolves to `totalHits`, `remainingHits` and a `resetTime` that is a Date.
   *
   * @param redisClient as the option of this name; undefined or null for counts in memory
   * @throws InvalidArgumentError for a value of the wrong type or out of range
   */
  new <Client>(
    redisClient: Client,
    config: OlderRateLimiterConfig,
  ): DistributedRateLimiter<OlderRateLimitDecision>;
  /** @throws InvalidArgumentError for a value of the wrong type or out of range */
  new (config: RateLimiterConfig): DistributedRateLimiter;
}

export const DistributedRateLimiter: DistributedRateLimiterConstructor = class DistributedRateLimiter extends RateLimiter<any> {
  constructor(...args: [config: RateLimiterConfig] | [redisClient: unknown, config: OlderRateLimiterConfig]) {
    const [first, config] = args;
    if (config === undefined) super(first as RateLimiterConfig, false);
    else super({ ...config, redisClient: first }, true);
    observe(this, readLimiter);
  }
};
