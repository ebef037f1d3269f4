/** Algorithms of a limit; crates/core/src/rate_limit/limit.rs has the same. */
export const ALGORITHM = {
  slidingWindow: 0,
  slidingWindowCounter: 1,
  fixedWindow: 2,
  tokenBucket: 3,
  gcra: 4,
  concurrency: 5,
} as const;

/** The longest window in microseconds, a little more than 407 days; the shortest is 1,000. */
export const MAX_WINDOW: number = 2 ** 45;
/** The largest quota and burst. */
export const MAX_UNITS = 1e12;
/** A bucket's burst flows in within so many microseconds, 35 years: `burst * window / quota`. */
export const MAX_FILL: number = 2 ** 50;
/** Limits that a key can have at once. */
export const MAX_LIMITS = 16;

/** Numbers of a limit: one of {@link ALGORITHM}, its window in microseconds, quota and burst. */
export const LIMIT = 4;

/** Operations; crates/core/src/rate_limit/operation.rs has the same. */
export const OP = {
  /** Takes `amount` units; `extra` is the id of the lease, below 2^53, where a limit has leases. */
  check: 0,
  /** What a check of `amount` units, from 0, would come to. */
  peek: 1,
  /**
   * Counts `amount` units more, up to twice the capacity; below 0 gives them back: those counted last if `extra` is
   * 0, else those of the admission whose {@link ROW.at} it is, as far as they still count. Leases are left alone.
   */
  adjust: 2,
  /** Forgets the key, its blocks and leases. */
  reset: 3,
  /** Blocks the key for `amount` microseconds from now on, instead of any block before; 0 ends it. */
  block: 4,
  /** Ends the lease of `amount` units with the id `extra`; `allowed` tells whether there was one. */
  release: 5,
  /** Lets the lease of `amount` units with the id `extra` last for a window from now on; `allowed` as of a release. */
  renew: 6,
} as const;

/** Places of an answer. Times are microseconds. */
export const ROW = {
  /** 1 or 0. Of adjust, reset and block: whether a check of one unit would pass now. */
  allowed: 0,
  /** Units left of the limit that restricts most. */
  remaining: 1,
  /** When nothing counts any more; absolute. */
  reset: 2,
  /** How long until the same would pass if nobody else asked. */
  retry: 3,
  used: 4,
  /** Which limit it is. */
  limit: 5,
  /** The store's time of the decision. */
  at: 6,
} as const;

/** Places of a question, in the same array. `now` is in microseconds. */
export const ASK = { op: 7, amount: 8, extra: 9, now: 10 } as const;

/** Numbers of an answer and a question. */
export const ROOM = 11;

/** Places of what `stats` writes. */
export const STATS = { size: 0, blocked: 1, hits: 2, misses: 3, evictions: 4, expirations: 5 } as const;

/** Limits in memory over one array of {@link ROOM} numbers: see src/rate_limit.rs and crates/core/src/rate_limit. */
export interface NativeRateLimiter {
  /** Answers at the places of {@link ROW} what those of {@link ASK} ask about `key`. */
  apply(key: string): void;
  /** Writes the counts of {@link STATS}. */
  stats(): void;
  /** A time before which `sweep` has nothing to do; Infinity where no key is known. */
  due(): number;
  /** Looks at up to `limit` keys that may be over, and returns how many of them are gone. Calls do so, too. */
  sweep(now: number, limit: number): number;
  /** Forgets all keys. */
  clear(): void;
}
