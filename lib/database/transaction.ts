import { TransactionEndedError } from '../errors.js';
import type { Deadline } from './deadline.js';
import type { Driver, DriverConnection, TransactionMode } from './driver.js';
import { standardBegin } from './driver.js';
import { type ErrorKind, kindOf } from './kinds.js';
import type { Loan, Loans } from './loans.js';
import { checkStatement, type TransactionOptions } from './options.js';
import { backoff, type RetryBudget } from './retry.js';
import { Session } from './session.js';

/** A transaction that is open. Its statements run one after the other, in the order of the calls. */
export class Transaction {
  readonly #session: Session;
  #end: { cause?: unknown } | undefined;
  /** The savepoint before the next one: two that are open at once can only be nested. */
  #sibling: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(session: Session) {
    this.#session = session;
  }

  /** The connection's name. */
  get connectionId(): string {
    return this.#session.loan.id;
  }

  /** Runs a statement and gives the driver's whole result; rejects with the driver's error. */
  async run<T = any>(sql: string, params?: readonly unknown[]): Promise<T> {
    checkStatement(sql, params);
    this.#check();
    return this.#session.run(sql, params) as Promise<T>;
  }

  /**
   * Calls a function with a transaction inside of this one: if it throws, what it did is undone, and nothing else. A
   * second savepoint waits for the end of the first; one that is inside of it comes from the first's own transaction.
   */
  async savepoint<R>(work: (tx: Transaction) => R | PromiseLike<R>): Promise<R> {
    this.#check();
    const turn = this.#sibling.then(() => this.#savepoint(work));
    this.#sibling = turn.catch(() => {});
    return turn;
  }

  async #savepoint<R>(work: (tx: Transaction) => R | PromiseLike<R>): Promise<R> {
    this.#check();
    const session = this.#session;
    const name = session.savepoint();
    const inner = new Transaction(session);
    await session.run(`SAVEPOINT ${name}`);
    try {
      const value = await work(inner);
      await inner.finish();
      await session.run(`RELEASE SAVEPOINT ${name}`);
      return value;
    } catch (error) {
      inner.end(error);
      await this.#rollBackTo(name, error);
      throw error;
    }
  }

  /** Where it cannot be undone alone, all of it has to be. */
  async #rollBackTo(name: string, error: unknown): Promise<void> {
    const session = this.#session;
    try {
      await session.run(`ROLLBACK TO SAVEPOINT ${name}`);
      await session.run(`RELEASE SAVEPOINT ${name}`);
    } catch {
      session.abort(error);
    }
  }

  /** @internal Does anything with the connection, in its turn. */
  async do<T>(work: (connection: DriverConnection) => T | PromiseLike<T>): Promise<T> {
    this.#check();
    return this.#session.do(work);
  }

  /** @internal Takes no statement any more. */
  end(cause?: unknown): void {
    this.#end ??= cause === undefined ? {} : { cause };
  }

  /** @internal Likewise, and waits for those that it took, and for savepoints that nobody awaits. */
  async finish(): Promise<void> {
    await this.#sibling;
    this.end();
    await this.#session.idle();
  }

  #check(): void {
    if (this.#end !== undefined) throw new TransactionEndedError(this.#end);
  }
}

/** What a transaction is run with. */
export interface TransactionContext {
  readonly loans: Loans;
  readonly driver: Pick<Driver, 'begin'>;
  readonly budget: RetryBudget;
  /** Milliseconds for each statement. */
  readonly queryTimeout: number;
}

/** One attempt to run a transaction. */
class Attempt<R> {
  readonly #session: Session;
  readonly #tx: Transaction;
  #stage: 'begin' | 'body' | 'commit' = 'begin';

  constructor(
    readonly context: TransactionContext,
    readonly loan: Loan,
    readonly body: (tx: Transaction) => R | PromiseLike<R>,
    readonly mode: TransactionMode,
  ) {
    this.#session = new Session(loan, context.queryTimeout, context.loans.target);
    this.#tx = new Transaction(this.#session);
  }

  /** What kind of error it ended with, if the same again may succeed and nothing has remained of this attempt. */
  passing(error: unknown): ErrorKind | undefined {
    const { failure } = this.#session;
    // A function may wrap what it got.
    const kinds = [
      kindOf(error),
      this.#stage === 'body' && failure !== undefined ? kindOf(failure.error) : 'other',
    ];
    const conflict = kinds.find((kind) => kind === 'serialization' || kind === 'busy');
    if (conflict !== undefined) return conflict;
    return this.#stage === 'begin' && kinds[0] === 'connection' ? 'connection' : undefined;
  }

  /** Runs it to its end, until the deadline. */
  run(deadline: Deadline): Promise<R> {
    return deadline.guard(this.#run(), {
      gaveUp: (reason) => {
        this.#tx.end(reason);
        this.#session.abort(reason);
      },
    });
  }

  async #run(): Promise<R> {
    const session = this.#session;
    const { loans, driver } = this.context;
    try {
      for (const sql of (driver.begin ?? standardBegin)(this.mode)) await session.run(sql);
      this.#stage = 'body';
      const value = await session.during(Promise.resolve(this.#tx).then(this.body));
      await session.during(this.#tx.finish());
      await this.#commit();
      loans.giveBack(this.loan);
      return value;
    } catch (error) {
      this.#tx.end(error);
      await this.#undo(error);
      throw error;
    }
  }

  async #commit(): Promise<void> {
    const session = this.#session;
    // The function has caught the error, but PostgreSQL would roll back and call that a success.
    if (session.connection.transactionState?.() === 'failed') throw session.failure?.error;
    this.#stage = 'commit';
    const answer = (await session.during(session.last('COMMIT'))) as { command?: unknown } | undefined;
    if (answer?.command === 'ROLLBACK') throw session.failure?.error ?? new Error('The database rolled back');
  }

  /** Rolls back, and gives the connection back if that went well; what a failed COMMIT left may be unknown. */
  async #undo(error: unknown): Promise<void> {
    const { loan } = this;
    const { connection } = loan;
    if (this.#stage === 'commit' && connection.transactionState === undefined) return loan.discard(error);
    try {
      await this.#session.quiet();
      if (connection.transactionState?.() !== 'none') await this.#session.last('ROLLBACK');
    } catch {
      return loan.discard(error);
    }
    const failure = this.#session.failure?.error;
    const expected = this.mode.readOnly && kindOf(failure) === 'readOnly';
    this.context.loans.giveBack(loan, expected ? undefined : failure);
  }
}

/**
 * Runs a transaction, anew where it got in the way of another one. Rejects with what the function threw, after the
 * rollback; at the deadline at once, with the rollback to follow before anyone else gets the connection.
 */
export async function transact<R>(
  context: TransactionContext,
  body: (tx: Transaction) => R | PromiseLike<R>,
  options: TransactionOptions,
  deadline: Deadline,
): Promise<R> {
  const { loans, budget } = context;
  budget.deposit();
  for (let retry = 1; ; retry++) {
    deadline.check();
    const attempt = new Attempt(context, await loans.acquire(options, deadline), body, options);
    try {
      return await attempt.run(deadline);
    } catch (error) {
      const kind = attempt.passing(error);
      if (kind === undefined || !budget.grants(retry, kind, options.retries)) throw error;
      const pause = backoff(retry, kind);
      if (pause >= deadline.left) throw error;
      await deadline.sleep(pause);
    }
  }
}
