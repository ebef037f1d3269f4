import type { ConcurrencyLease } from './lease.js';
import type { LimitSettings } from './limits.js';
import { ROW } from './native.js';

/**
 * Who decided: the limits in memory; Redis; while Redis gave no answer, by `onStoreError`, the limits in memory that
 * stand in for it, or nobody.
 */
export type RateLimitSource = 'memory' | 'redis' | 'local' | 'open' | 'closed';

/** What came of a check. If a key has several limits, the numbers are of that which restricts most. */
export interface RateLimitResult {
  allowed: boolean;
  /** Units that may be in use at once: `maxRequests`, or `burst`. */
  limit: number;
  /** Units left. */
  remaining: number;
  /** When nothing counts any more if nobody asks, in milliseconds since 1970; of a window, its end. */
  resetTime: number;
  /** Whole seconds, 1 or more, until the same may pass. Of a denial only. */
  retryAfter?: number;
  /** Milliseconds until the same may pass; 0 if it did. */
  retryAfterMs: number;
  /** Units that were asked for. */
  cost: number;
  /** The name of the limit that the numbers are of. */
  policy: string;
  source: RateLimitSource;
  /** The permit, where a limit is of `concurrency`: to be released. */
  lease?: ConcurrencyLease;
}

/** A result, and what it takes to undo it. */
export interface Answer {
  readonly result: RateLimitResult;
  /** The store's time, in microseconds; 0 where it is not known. */
  readonly at: number;
  /** Units counted. */
  readonly used: number;
}

/** The answer of a check whose admission cannot be told from others. */
export const plainAnswer = (result: RateLimitResult): Answer => ({
  result,
  at: 0,
  used: result.limit - result.remaining,
});

/** Turns the numbers of stores into results. */
export class Results {
  private readonly names: readonly string[];
  private readonly capacities: readonly number[];

  constructor(limits: readonly LimitSettings[]) {
    this.names = limits.map(({ name }) => name);
    this.capacities = limits.map(({ capacity }) => capacity);
  }

  /** The result whose numbers begin at `place`. */
  of(numbers: Float64Array, place: number, cost: number, source: RateLimitSource): RateLimitResult {
    return numbers[place] === 1
      ? this.admission(numbers, place, cost, source)
      : this.denial(numbers, place, cost, source);
  }

  admission(numbers: Float64Array, place: number, cost: number, source: RateLimitSource): RateLimitResult {
    const limit = numbers[place + ROW.limit]!;
    return {
      allowed: true,
      limit: this.capacities[limit]!,
      remaining: numbers[place + ROW.remaining]!,
      resetTime: Math.ceil(numbers[place + ROW.reset]! / 1000),
      retryAfterMs: 0,
      cost,
      policy: this.names[limit]!,
      source,
    };
  }

  denial(numbers: Float64Array, place: number, cost: number, source: RateLimitSource): RateLimitResult {
    const limit = numbers[place + ROW.limit]!;
    const retryAfterMs = Math.max(1, Math.ceil(numbers[place + ROW.retry]! / 1000));
    return {
      allowed: false,
      limit: this.capacities[limit]!,
      remaining: numbers[place + ROW.remaining]!,
      resetTime: Math.ceil(numbers[place + ROW.reset]! / 1000),
      retryAfter: Math.ceil(retryAfterMs / 1000),
      retryAfterMs,
      cost,
      policy: this.names[limit]!,
      source,
    };
  }

  answer(numbers: Float64Array, place: number, cost: number, source: RateLimitSource): Answer {
    return {
      result: this.of(numbers, place, cost, source),
      at: numbers[place + ROW.at]!,
      used: numbers[place + ROW.used]!,
    };
  }
}
