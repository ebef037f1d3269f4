import { DestroyedError, InvalidArgumentError } from '../errors.js';
import type { Deadline } from './deadline.js';
import { type ErrorKind, kindOf } from './kinds.js';
import type { Loan } from './loans.js';
import { type RetryBudget, retriesFor } from './retry.js';

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
    const kind = kindOf(error);
    this.#harmless = kind === 'serialization' || kind === 'busy' || connection.isUnsent?.(error) === true;
  }

  /** Whether to try again after an error, for the `retry`-th time. */
  mayRetry(error: unknown, kind: ErrorKind, retry: number, budget: RetryBudget): boolean {
    const { deadline, retries } = this;
    if (retry > (retries ?? retriesFor(kind)) || deadline.signal?.aborted) return false;
    // These are the same whenever it is tried.
    if (error instanceof DestroyedError || error instanceof InvalidArgumentError) return false;
    // The caller vouches for the statement by asking for retries; and no server is burdened by waiting for a file.
    return retries !== undefined || (this.#harmless && (kind === 'busy' || budget.withdraw()));
  }
}
