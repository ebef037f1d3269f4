import { DestroyedError, InvalidArgumentError } from '../errors.js';
import type { Deadline, Endings } from './deadline.js';
import type { DriverConnection } from './driver.js';
import { type ErrorKind, kindOf } from './kinds.js';
import { type Loan, type Loans, started } from './loans.js';
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

  /** What its result says of it. */
  told(): { executionTime: number; connectionId: string } {
    return { executionTime: this.deadline.elapsed, connectionId: this.connectionId };
  }

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

/** One try of a call, on one connection. */
export class QueryAttempt implements Endings {
  #running!: Promise<unknown>;
  #sql!: string;

  constructor(
    readonly loans: Loans,
    readonly call: Call,
    readonly loan: Loan,
  ) {}

  /** Sends the statement, unless its caller has given up by now, and sees to the connection afterwards. */
  send(sql: string, params: readonly unknown[] | undefined): Promise<unknown> {
    const { loans, call, loan } = this;
    const left = call.deadline.remaining();
    if (left === 0) {
      loans.giveBack(loan);
      call.deadline.check();
    }
    call.begin(loan);
    this.#sql = sql;
    this.#running = started(() => loan.connection.query(sql, params));
    return call.deadline.guard(this.#running, this, left);
  }

  settled(error: unknown): void {
    if (error !== undefined) this.call.failed(error, this.loan, this.#sql);
    this.loans.giveBack(this.loan, error);
  }

  gaveUp(reason: unknown): void {
    void this.loans.stop(this.loan, this.#running, reason);
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
