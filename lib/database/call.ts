import { DestroyedError, InvalidArgumentError } from '../errors.js';
import type { Deadline } from './deadline.js';
import type { DriverConnection } from './driver.js';
import { type ErrorKind, kindOf } from './kinds.js';
import type { Loan } from './loans.js';
import type { RetryBudget } from './retry.js';

/** Statements that may have committed a part of what they do by the time they fail: procedures, and several in one. */
const IN_PARTS = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*(?:call|do)\b|;\s*\S/i;

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
  failed(error: unknown, { connection }: Loan, sql: string): void {
    const kind = kindOf(error);
    const isUndone = (kind === 'serialization' || kind === 'busy') && !IN_PARTS.test(sql);
    this.#harmless = isUndone || isUnsent(connection, error);
  }

  /** Whether to try again after an error, for the `retry`-th time. */
  mayRetry(error: unknown, kind: ErrorKind, retry: number, budget: RetryBudget): boolean {
    const { deadline, retries } = this;
    if (deadline.signal?.aborted) return false;
    // These are the same whenever it is tried.
    if (error instanceof DestroyedError || error instanceof InvalidArgumentError) return false;
    // The caller vouches for the statement by asking for retries.
    return (this.#harmless || retries !== undefined) && budget.grants(retry, kind, retries);
  }
}

/** A driver's word on it; one that throws has said nothing, and its connection is to go back all the same. */
function isUnsent(connection: DriverConnection, error: unknown): boolean {
  try {
    return connection.isUnsent?.(error) === true;
  } catch {
    return false;
  }
}
