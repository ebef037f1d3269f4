import type { DatabaseSettings } from './config.js';
import { kindOf } from './kinds.js';

type Awaitable<T> = T | PromiseLike<T>;

/** A statement with its parameters. */
export interface Statement {
  sql: string;
  params?: readonly unknown[] | undefined;
}

/** Isolation levels of SQL. A database may give more than was asked for. */
export type IsolationLevel = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable';

/** How a transaction begins. */
export interface TransactionMode {
  isolation?: IsolationLevel | undefined;
  readOnly?: boolean | undefined;
}

/** Rows that are read as they are asked for. */
export interface RowReader {
  /** The next rows, about `count`; none at the end. */
  read(count: number): Promise<readonly unknown[]>;
  /** Frees the connection for the next statement, whether or not all was read. */
  close(): Promise<void>;
}

/**
 * A connection, as the pool needs it. `query` and `close` are enough; each of the others lets the pool do one more
 * thing, or do it better.
 */
export interface DriverConnection {
  /** Runs a statement. What it resolves to is the `data` of a result. */
  query(sql: string, params?: readonly unknown[]): Awaitable<unknown>;
  /** Closes the connection, at once if a statement runs. */
  close(): Awaitable<unknown>;
  /** The client below, for what the pool does not offer, such as LISTEN or COPY. */
  readonly native?: unknown;
  /** Sends all statements before it waits for the first answer. Answers come in their order; it never rejects. */
  pipeline?(statements: readonly Statement[]): Promise<PromiseSettledResult<unknown>[]>;
  /**
   * Runs a statement with each of many rows of parameters inside of a transaction, by a faster way than a pipeline.
   * Answers as `pipeline` does; rows that the server took at once may have one answer.
   */
  many?(sql: string, rows: readonly (readonly unknown[])[]): Promise<PromiseSettledResult<unknown>[]>;
  /** Begins to read the rows of a statement. */
  read?(sql: string, params: readonly unknown[] | undefined): RowReader;
  /**
   * Stops `running` at the server, and resolves once the connection is fit for another statement: no late request
   * to cancel may hit that one. Without it, a statement that takes too long costs its connection. When the signal
   * aborts, the connection is closed instead.
   */
  cancel?(running: PromiseLike<unknown>, context: { signal: AbortSignal }): Promise<void>;
  /** Whether the connection is usable, as far as can be told at no cost. */
  alive?(): boolean;
  /** Asks the server for an answer; throws if none comes. */
  ping?(): Awaitable<unknown>;
  /** Whether the server takes no writes, as a replica does. */
  isReadOnly?(): Awaitable<boolean>;
  /** Undoes what a user may have left behind, above all a transaction that is open. */
  reset?(): Awaitable<void>;
  /** Whether the server certainly did nothing of the statement that failed with `error`. */
  isUnsent?(error: unknown): boolean;
  /** What the server said last about a transaction. */
  transactionState?(): 'none' | 'open' | 'failed' | undefined;
  /** Lets the connection keep the process alive, or not. */
  ref?(): void;
  unref?(): void;
}

/** Opens connections to one kind of database. */
export interface Driver {
  /** For messages. */
  readonly name: string;
  /** Loads what the driver needs, before anything else is asked of it; throws if that is missing. */
  load?(): void;
  /** Opens a connection. When the signal aborts, nobody waits for it any more. */
  connect(settings: DatabaseSettings, context: { signal: AbortSignal }): Awaitable<DriverConnection>;
  /** The statements that begin a transaction. @default standard SQL's */
  begin?(mode: TransactionMode): readonly string[];
}

/** As standard SQL has it, which PostgreSQL takes as it is. */
export function standardBegin({ isolation, readOnly }: TransactionMode): readonly string[] {
  const level = isolation === undefined ? '' : ` ISOLATION LEVEL ${isolation.toUpperCase()}`;
  return [`BEGIN${level}${readOnly ? ' READ ONLY' : ''}`];
}

/**
 * A pipeline for connections that have none: one statement after the other, until one fails for good; those after it
 * share its error and are not sent. That is, unless told otherwise, when it has cost the connection.
 */
export async function sequence(
  connection: DriverConnection,
  statements: readonly Statement[],
  isEnd = (reason: unknown) => kindOf(reason) === 'connection' || connection.alive?.() === false,
): Promise<PromiseSettledResult<unknown>[]> {
  const answers: PromiseSettledResult<unknown>[] = [];
  for (const { sql, params } of statements) {
    try {
      answers.push({ status: 'fulfilled', value: await connection.query(sql, params) });
    } catch (reason) {
      const answer = { status: 'rejected', reason } as const;
      answers.push(answer);
      if (isEnd(reason)) return statements.map((_, index) => answers[index] ?? answer);
    }
  }
  return answers;
}
