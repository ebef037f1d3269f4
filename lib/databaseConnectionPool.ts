import { ConnectionPool } from './connectionPool.js';
import { Batcher } from './database/batcher.js';
import { Call, QueryAttempt } from './database/call.js';
import { type DatabaseConfig, databaseSettings, type Settings } from './database/config.js';
import { Deadline } from './database/deadline.js';
import type { Driver, DriverConnection } from './database/driver.js';
import { connectionFactory } from './database/factory.js';
import { kindOf } from './database/kinds.js';
import { type Loan, Loans } from './database/loans.js';
import { checkRows, queryMany, type Rows } from './database/many.js';
import {
  checkMany,
  checkQuery,
  checkStatement,
  checkStream,
  checkTransaction,
  type QueryManyOptions,
  type QueryOptions,
  type QueryResult,
  type StreamOptions,
  type TransactionOptions,
  type TransactionQuery,
} from './database/options.js';
import { backoff, RetryBudget } from './database/retry.js';
import { RowStream } from './database/stream.js';
import { type Transaction, type TransactionContext, transact } from './database/transaction.js';
import { databaseTarget } from './openTelemetry/database.js';
import { type Spans, spans } from './openTelemetry/spans.js';
import type { Lease } from './pool/lease.js';
import type { AcquireOptions, ReadyOptions } from './pool/options.js';
import { invalid } from './validate.js';

const FOREVER = Number.POSITIVE_INFINITY;
/** What a call without options has. */
const NONE: QueryOptions = Object.freeze({});
/** What is told of a call that was refused for its arguments. */
const NOT_CALLED = { executionTime: 0, connectionId: '' };

/**
 * A pool of connections to a database, over a client that the service installs: pg (the default), mysql2, or SQLite,
 * which is Node's own or better-sqlite3.
 *
 * It survives its database: see {@link ConnectionPool}, whose members it has. Statements that take too long, or are
 * aborted, are stopped at the server before their connection is lent again. A statement is tried again only where the
 * server certainly did nothing of it, unless its call asks for more.
 */
export class DatabaseConnectionPool extends ConnectionPool<DriverConnection> {
  readonly #settings: Settings;
  readonly #loans: Loans;
  readonly #batcher: Batcher;
  readonly #budget: RetryBudget;
  readonly #context: TransactionContext;
  readonly #driver: Driver;
  #isLoaded = false;

  /** @throws InvalidArgumentError for a setting of the wrong type or out of range */
  constructor(config: DatabaseConfig) {
    const settings = databaseSettings(config);
    const { factory, driver } = connectionFactory(settings);
    super(factory, settings.pool);
    this.#settings = settings;
    const { ratio, minPerSecond } = settings.retryBudget;
    this.#budget = new RetryBudget(ratio, minPerSecond);
    this.#loans = new Loans(this, settings.pool.acquireTimeout!, databaseTarget(settings));
    this.#batcher = new Batcher(this.#loans);
    this.#driver = driver;
    const { queryTimeout } = settings;
    this.#context = { loans: this.#loans, driver, budget: this.#budget, queryTimeout };
  }

  /** As `ConnectionPool` does; rejects with DriverMissingError where the driver's client is not installed. */
  override acquire(options?: AcquireOptions): Promise<Lease<DriverConnection>> {
    try {
      this.#load();
    } catch (error) {
      return Promise.reject(error);
    }
    return super.acquire(options);
  }

  /** Likewise. */
  override async ready(options?: ReadyOptions): Promise<void> {
    this.#load();
    return super.ready(options);
  }

  #load(): void {
    if (this.#isLoaded) return;
    this.#driver.load?.();
    this.#isLoaded = true;
  }

  /** Runs a statement. Never rejects: an error is in the result, that the pool is closed included. */
  query<T = any>(
    sql: string,
    params?: readonly unknown[],
    options: QueryOptions = NONE,
  ): Promise<QueryResult<T>> {
    if (spans === undefined) return this.#perform(sql, params, options, true);
    return this.#performIn(spans, sql, params, options, true);
  }

  /** Runs a statement and gives the driver's whole result. Rejects with the driver's error, or as `acquire` does. */
  run<T = any>(sql: string, params?: readonly unknown[], options: QueryOptions = NONE): Promise<T> {
    if (spans === undefined) return this.#perform(sql, params, options, false);
    return this.#performIn(spans, sql, params, options, false);
  }

  /** A function of its own, since one with a closure costs each of its calls an object. */
  #performIn(
    made: Spans,
    sql: string,
    params: readonly unknown[] | undefined,
    options: QueryOptions,
    tells: boolean,
  ): Promise<any> {
    return made.call(this.#loans.target, sql, tells, () => this.#perform(sql, params, options, tells));
  }

  /**
   * What both do, in one function, as thousands of these wait at once: what each keeps until it has its connection is
   * what a busy pool has its garbage collector copy.
   *
   * @param tells whether to resolve to a result, errors too
   */
  async #perform(
    sql: string,
    params: readonly unknown[] | undefined,
    options: QueryOptions,
    tells: boolean,
  ): Promise<any> {
    let call: Call | undefined;
    try {
      call = this.#call(sql, params, options);
      for (let tries = 0; ; ) {
        try {
          const batched = options.batch && tries === 0;
          const data = batched
            ? await this.#batcher.add({ sql, params }, options, call)
            : await this.#send(sql, params, call, await this.#loans.acquire(options, call.deadline));
          if (!tells) return data;
          const { executionTime, connectionId } = call.told();
          return { success: true, data, executionTime, connectionId };
        } catch (error) {
          await this.#beforeRetry(++tries, error, call);
        }
      }
    } catch (thrown) {
      if (!tells) throw thrown;
      return { success: false, error: asError(thrown), ...(call?.told() ?? NOT_CALLED) };
    }
  }

  #send(sql: string, params: readonly unknown[] | undefined, call: Call, loan: Loan): Promise<unknown> {
    return new QueryAttempt(this.#loans, call, loan).send(sql, params);
  }

  /** Waits until it is time to try again; throws the error where that is not to be. */
  async #beforeRetry(retry: number, error: unknown, call: Call): Promise<void> {
    const kind = kindOf(error);
    if (!call.mayRetry(error, kind, retry, this.#budget)) throw error;
    const pause = backoff(retry, kind);
    if (pause >= call.deadline.left) throw error;
    await call.deadline.sleep(pause);
  }

  #call(sql: string, params: readonly unknown[] | undefined, options: QueryOptions): Call {
    checkStatement(sql, params);
    if (options !== NONE) checkQuery(options);
    const { timeout = this.#settings.queryTimeout, retries, signal } = options;
    signal?.throwIfAborted();
    this.#budget.deposit();
    return new Call(new Deadline('The query', timeout, signal), retries);
  }

  /**
   * Runs statements in one transaction, one after the other. Resolves to their results; rejects with the first error,
   * after the rollback.
   */
  transaction<T = any>(
    queries: readonly TransactionQuery[],
    options?: TransactionOptions,
  ): Promise<QueryResult<T>[]>;
  /**
   * Calls a function with a transaction, commits, and resolves to what the function gave; rejects with what it threw,
   * after the rollback. The function is called again after a serialization failure or a deadlock.
   */
  transaction<R>(work: (tx: Transaction) => R | PromiseLike<R>, options?: TransactionOptions): Promise<R>;
  async transaction(
    work: readonly TransactionQuery[] | ((tx: Transaction) => unknown),
    options: TransactionOptions = {},
  ): Promise<unknown> {
    checkTransaction(options);
    const body = typeof work === 'function' ? work : listed(work);
    const run = () => transact(this.#context, body, options, this.#deadline('The transaction', options));
    return spans === undefined ? run() : spans.transaction(this.#loans.target, run);
  }

  /**
   * Runs one statement with each of many rows of parameters, in one transaction, sending `batchSize` of them before it
   * waits for an answer, and asking for no more of them than it sends. Resolves to the results in the rows' order;
   * rejects with BatchError, which has the index of the row that failed.
   */
  async queryMany<T = any>(
    sql: string,
    rows: Rows,
    options: QueryManyOptions = {},
  ): Promise<QueryResult<T>[]> {
    checkStatement(sql, undefined);
    checkRows(rows);
    checkMany(options);
    const run = () => queryMany<T>(this.#context, sql, rows, options, this.#deadline('queryMany', options));
    return spans === undefined ? run() : spans.batch(this.#loans.target, sql, run);
  }

  /** The rows of a statement, fetched as they are read. */
  stream<T = any>(sql: string, params?: readonly unknown[], options: StreamOptions = {}): RowStream<T> {
    checkStatement(sql, params);
    checkStream(options);
    const timeout = options.timeout ?? this.#settings.queryTimeout;
    return new RowStream<T>(this.#loans, sql, params, { ...options, timeout });
  }

  #deadline(what: string, { timeout = FOREVER, signal }: TransactionOptions): Deadline {
    return new Deadline(what, timeout, signal);
  }
}

/** Drivers and signals may throw anything; a result has an Error. */
function asError(error: unknown): Error {
  try {
    if (error instanceof Error || Object.prototype.toString.call(error) === '[object Error]')
      return error as Error;
    const { message, name, code } = Object(error) as Partial<Error & { code: unknown }>;
    if (typeof message !== 'string') return new Error(String(error), { cause: error });
    // One that no Error of this realm has made, as better-sqlite3's in the second spec of a jest.
    const same = new Error(message, { cause: error });
    return Object.assign(same, name !== undefined && { name }, code !== undefined && { code });
  } catch {
    return new Error('Something was thrown that has no text', { cause: error });
  }
}

/** A transaction's function that runs a list of statements. */
function listed(queries: readonly TransactionQuery[]): (tx: Transaction) => Promise<QueryResult[]> {
  if (!Array.isArray(queries)) invalid('queries', 'an array of statements, or a function', queries);
  for (const query of queries) {
    if (typeof query !== 'object' || query === null) invalid('queries', 'an array of { sql, params }', query);
    checkStatement(query.sql, query.params);
  }
  const statements = queries.map(({ sql, params }) => ({ sql, params }));
  return async (tx) => {
    const results: QueryResult[] = [];
    for (const { sql, params } of statements) {
      const started = performance.now();
      const data = await tx.run(sql, params);
      const executionTime = performance.now() - started;
      results.push({ success: true, data, executionTime, connectionId: tx.connectionId });
    }
    return results;
  };
}
