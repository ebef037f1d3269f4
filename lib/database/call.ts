import { DestroyedError, InvalidArgumentError } from '../errors.js';
import type { Deadline } from './deadline.js';
import { kindOf } from './kinds.js';
import type { Loan } from './loans.js';
import type { RetryBudget } from './retry.js';

/** Attempts after the first, where the call does not say. */
const RETRIES = 3;

/** One call of `query` or `run`, through all of its attempts. */
export class Call {
  /** Of the connection used last; empty if there was none. */
  connectionId = '';
  /** Whether the latest attempt certainly did nothing, so that another one is safe. */
  #harmless = false;

  constructor(
    readonly deadline: Deadline,
    readonly retries: number | undefined,
  ) {}

  /** An attempt has its connection. */
  begin(loan: Loan): void {
    this.connectionId = loan.id;
    this.#harmless = false;
  }

  /** The attempt's statement failed. */
  failed(error: unknown, { connection }: Loan): void {
    this.#harmless = kindOf(error) === 'serialization' || connection.isUnsent?.(error) === true;
  }

  /** Whether to try again after `error`, for the `retry`-th time. */
  mayRetry(error: unknown, retry: number, budget: RetryBudget): boolean {
    const { deadline, retries } = this;
    if (retry > (retries ?? RETRIES) || deadline.signal?.aborted) return false;
    // These are the same whenever it is tried.
    if (error instanceof DestroyedError || error instanceof InvalidArgumentError) return false;
    // The caller vouches for the statement by asking for retries.
    return retries !== undefined || (this.#harmless && budget.withdraw());
  }
}
