import { TransactionEndedError } from '../errors.js';
import type { Attributes } from '../openTelemetry/api.js';
import { spans } from '../openTelemetry/spans.js';
import { Deadline } from './deadline.js';
import type { DriverConnection } from './driver.js';
import { kindOf } from './kinds.js';
import { interrupt, type Loan, started } from './loans.js';

/** Statements on one connection, one after the other, each with a timeout. */
export class Session {
  /** Settles, never with an error, once all that was asked for has ended. */
  #tail: Promise<unknown> = Promise.resolve();
  /** Resolves once what ran too long is stopped; rejects if it cannot be. */
  #stopping: Promise<void> | undefined;
  readonly #end = new AbortController();
  #savepoints = 0;
  /** The first statement that failed. */
  failure: { error: unknown } | undefined;

  /**
   * @param timeout milliseconds for each statement
   * @param target what spans say of the database
   */
  constructor(
    readonly loan: Loan,
    readonly timeout: number,
    readonly target: Attributes,
  ) {}

  get connection(): DriverConnection {
    return this.loan.connection;
  }

  /** Runs a statement once all before it have ended. */
  run(sql: string, params?: readonly unknown[]): Promise<unknown> {
    return this.do((connection) => this.#query(connection, sql, params));
  }

  #query(connection: DriverConnection, sql: string, params?: readonly unknown[]): unknown {
    if (spans === undefined) return connection.query(sql, params);
    return spans.statement(this.target, connection, sql, params);
  }

  /** Does anything with the connection once all that came before has ended. */
  do<T>(work: (connection: DriverConnection) => T | PromiseLike<T>): Promise<T> {
    const answer = this.#tail.then(() => this.#begin(work));
    this.#tail = answer.catch(() => {});
    return answer;
  }

  async #begin<T>(work: (connection: DriverConnection) => T | PromiseLike<T>): Promise<T> {
    if (this.#end.signal.aborted) throw new TransactionEndedError({ cause: this.#end.signal.reason });
    if (this.#stopping !== undefined) await this.#stopping;
    try {
      return await this.#guarded(work, this.#end.signal);
    } catch (error) {
      this.failure ??= { error };
      // The database has ended the whole transaction, and would run what comes next outside of any. MySQL does after
      // a deadlock, and says nothing of it.
      const state = this.connection.transactionState?.();
      const isOver = state === undefined ? kindOf(error) === 'serialization' : state === 'none';
      if (isOver) this.abort(error);
      throw error;
    }
  }

  #guarded<T>(
    work: (connection: DriverConnection) => T | PromiseLike<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const running = started(() => work(this.connection));
    return new Deadline('The statement', this.timeout, signal).guard(running, {
      gaveUp: () => {
        this.#stopping = interrupt(this.connection, running);
        this.#stopping.catch(() => {});
      },
    });
  }

  /** Ends the session: what runs is stopped, and what waits is refused. */
  abort(reason: unknown): void {
    this.#end.abort(reason);
  }

  /** Settles as `work` does, unless the session is aborted before. */
  during<T>(work: PromiseLike<T>): Promise<T> {
    return new Deadline('The session', Number.POSITIVE_INFINITY, this.#end.signal).guard(work);
  }

  /** A name for a savepoint that the session has not had. */
  savepoint(): string {
    return `keelson_${++this.#savepoints}`;
  }

  /** Runs a last statement after all others, even after `abort`. Rejects where the connection is of no more use. */
  async last(sql: string): Promise<unknown> {
    await this.quiet();
    return this.#guarded((connection) => this.#query(connection, sql), undefined);
  }

  /** Waits for all that was asked for. */
  async idle(): Promise<void> {
    await this.#tail;
  }

  /** Likewise, and for what is being stopped. Rejects where it cannot be. */
  async quiet(): Promise<void> {
    await this.#tail;
    await this.#stopping;
  }
}
