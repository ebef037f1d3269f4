import type { ErrorKind } from './kinds.js';

/** How many calls may be tried again by default, beyond what the calls themselves ask for. */
export interface RetryBudgetOptions {
  /** Retries for each call, 0 to 1: at 0.2, one for five calls. @default 0.2 */
  ratio?: number | undefined;
  /** Retries a second that are always allowed. @default 10 */
  minPerSecond?: number | undefined;
}

/** Seconds for which what is always allowed can be saved up. */
const WINDOW = 10;
/** Retries that calls can save up. */
const SAVED = 100;

/** Attempts after the first, where the call does not say: for most errors, and for a lock that SQLite does not wait for. */
const RETRIES = 3;
const BUSY_RETRIES = 50;

/** How often to try again by default after an error of this kind. */
const retriesFor = (kind: ErrorKind): number => (kind === 'busy' ? BUSY_RETRIES : RETRIES);

/**
 * A bucket of retries that calls fill and retries empty, as Finagle's RetryBudget: when everything fails, retries add
 * a share to the load and not a multiple of it.
 */
export class RetryBudget {
  #tokens: number;
  #filled = performance.now();
  readonly #capacity: number;

  constructor(
    readonly ratio: number,
    readonly minPerSecond: number,
  ) {
    this.#tokens = WINDOW * minPerSecond;
    this.#capacity = this.#tokens + SAVED;
  }

  /** A call begins. */
  deposit(): void {
    if (this.#tokens < this.#capacity) this.#tokens += this.ratio;
  }

  /** Takes a retry, if there is one. */
  #withdraw(): boolean {
    const now = performance.now();
    const earned = ((now - this.#filled) / 1_000) * this.minPerSecond;
    this.#filled = now;
    this.#tokens = Math.min(this.#capacity, this.#tokens + earned);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Whether the `retry`-th retry after an error may be made: as many as a call asks for, else as the bucket has it. */
  grants(retry: number, kind: ErrorKind, asked: number | undefined): boolean {
    if (retry > (asked ?? retriesFor(kind))) return false;
    // No server is burdened by waiting for a file.
    return asked !== undefined || kind === 'busy' || this.#withdraw();
  }
}

const SHORTEST = 10;
const LONGEST = 1_000;
/** A lock is held for a moment, and nobody is spared by waiting longer for it. */
const LONGEST_BUSY = 100;

/** Milliseconds to wait before retry `retry` (from 1): "full jitter", random below a bound that doubles. */
export function backoff(retry: number, kind: ErrorKind): number {
  const longest = kind === 'busy' ? LONGEST_BUSY : LONGEST;
  return Math.random() * Math.min(longest, SHORTEST * 2 ** retry);
}
