/** Places of the options; src/breaker.rs has the same. Milliseconds, counts and percent; Infinity is off. */
export const OPTION = {
  /** The latest so many calls are the window; 0: those of a time. */
  calls: 0,
  ms: 1,
  slices: 2,
  failureRate: 3,
  slowAfter: 4,
  slowRate: 5,
  minCalls: 6,
  resetTimeout: 7,
  probes: 8,
  figuresMs: 9,
  figuresSlices: 10,
} as const;

/** Places of the state, which is current after every call, as is the time at which `tick` is due; Infinity: never. */
export const STATE = {
  /** One of {@link GATE}. */
  gate: 0,
  /** What a call that is let through now is to be recorded with. */
  epoch: 1,
  /**
   * Successes that the facade has not reported: calls that began and ended in the closed state of now and were not slow,
   * which can open nothing. Every function first takes note of them, and sets 0.
   */
  successes: 2,
} as const;

/** How many integers the state has. */
export const STATE_COUNT = 3;

/** Numbers of a success that is not reported: the time, and the latency. */
export const SUCCESS_WIDTH = 2;
/** How many may be kept back. */
export const SUCCESS_ROOM = 64;

/** Whether calls are let through: all, none for a while, some probes, none until further notice. */
export const GATE = { closed: 0, open: 1, halfOpen: 2, forcedOpen: 3 } as const;

/** How a call ended. What is ignored tells nothing of the other side; a probe's place is free again. */
export const OUTCOME = { success: 0, failure: 1, timeout: 2, ignored: 3 } as const;

/** What is counted beside calls. */
export const EVENT = { reject: 0, fallback: 1, full: 2 } as const;

/** Places of the figures: counts of the latest while, and what the breaker judges by. */
export const FIGURE = {
  successes: 0,
  /** Timeouts included. */
  failures: 1,
  timeouts: 2,
  ignored: 3,
  rejects: 4,
  fallbacks: 5,
  full: 6,
  slow: 7,
  /** Calls of the window, or probes that have ended; those that failed; those that were slow. */
  judged: 8,
  judgedFailures: 9,
  judgedSlow: 10,
  /** Milliseconds. */
  mean: 11,
  /** The first of {@link SHARES}. */
  percentiles: 12,
} as const;

/** Whose percentiles there are, from 0 to 1. */
export const SHARES = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 1] as const;

/** How many figures there are. */
export const FIGURE_COUNT = 21;

/**
 * The state machine of a circuit breaker: see src/breaker.rs and crates/core/src/breaker. It decides, the facade calls.
 * Times are milliseconds of one clock that does not go back.
 */
export interface NativeBreaker {
  /** Whether a call may begin; it is to be recorded with the epoch of now. An open breaker becomes half-open in time. */
  permit(now: number): boolean;
  /** Takes note of the successes that were kept back. */
  report(): void;
  /** A call ended as one of {@link OUTCOME}. */
  record(now: number, epoch: number, outcome: number, latency: number): void;
  /** Counts one of {@link EVENT}. */
  count(now: number, event: number): void;
  /** Becomes half-open if it is time. */
  tick(now: number): void;
  /** Opens until a time; of an open breaker only that changes. */
  open(now: number, retry: number): void;
  /** Goes into one of {@link GATE}, unless it is in it. */
  go(now: number, gate: number): void;
  /** Fills the array of figures. */
  figures(now: number): void;
  /** Returns how many numbers describe the calls of the window; `take` copies them. */
  dump(now: number): number;
  take(out: Float64Array): void;
  /** Takes in the numbers that `dump` gave `elapsed` milliseconds ago, if it is closed. */
  load(now: number, elapsed: number, numbers: Float64Array): void;
}
