import type { AcquireOptions, AcquirePriority } from '../pool/options.js';
import { duration, PRIORITIES } from '../pool/options.js';
import { abortSignal, boolean, integer, invalid, oneOf, options, string } from '../validate.js';
import { warnOfUnknown } from './config.js';
import type { TransactionMode } from './driver.js';

/** Options of `query` and `run`. Names that are unknown are ignored, with a warning. */
export interface QueryOptions {
  /** Milliseconds for the whole call: waiting, attempts and all. @default `queryTimeout` */
  timeout?: number | undefined;
  /**
   * How often to try again after any error, whatever the statement may have done by then.
   * @default 3, but only where the server certainly did nothing: it was not reached, or says so
   */
  retries?: number | undefined;
  /** Sends the calls of one turn of the event loop that have this in one pipeline on one connection. @default false */
  batch?: boolean | undefined;
  /** Gives up, and stops the statement at the server. */
  signal?: AbortSignal | undefined;
  /** The connection that this key had last is preferred, if it is idle. */
  affinity?: string | undefined;
  /** What goes first among calls that wait for a connection. @default 'normal' */
  priority?: AcquirePriority | undefined;
}

/** What `query` resolves to. */
export interface QueryResult<T = any> {
  success: boolean;
  /** The driver's whole result, if it was a success. */
  data?: T;
  /** Why it was not. */
  error?: Error;
  /** Milliseconds that the call took. */
  executionTime: number;
  /** Of the connection used last; empty if there was none. */
  connectionId: string;
}

/** A statement of a transaction. */
export interface TransactionQuery {
  sql: string;
  params?: readonly unknown[] | undefined;
}

/** Options of `transaction`. */
export interface TransactionOptions extends TransactionMode {
  /** How often the whole is tried again after a serialization failure or a deadlock. @default 3, within the budget */
  retries?: number | undefined;
  /** Milliseconds for the whole, its attempts included. @default Infinity; each statement has `queryTimeout` */
  timeout?: number | undefined;
  signal?: AbortSignal | undefined;
  affinity?: string | undefined;
  priority?: AcquirePriority | undefined;
}

/** Options of `queryMany`. */
export interface QueryManyOptions {
  /** Rows that are sent before an answer is waited for, 1 to 10,000. @default 100 */
  batchSize?: number | undefined;
  /** Milliseconds for the whole. @default Infinity; each batch has `queryTimeout` */
  timeout?: number | undefined;
  signal?: AbortSignal | undefined;
  affinity?: string | undefined;
  priority?: AcquirePriority | undefined;
}

/** Options of `stream`. */
export interface StreamOptions {
  /** Rows that are fetched at once, 1 to 100,000. @default 100 */
  batchSize?: number | undefined;
  /** Milliseconds for each fetch. @default `queryTimeout` */
  timeout?: number | undefined;
  signal?: AbortSignal | undefined;
  affinity?: string | undefined;
  priority?: AcquirePriority | undefined;
}

const QUERY_NAMES = new Set(['timeout', 'retries', 'batch', 'signal', 'affinity', 'priority']);
const ACQUIRE = ['timeout', 'signal', 'affinity', 'priority'] as const;
const LEVELS = ['read uncommitted', 'read committed', 'repeatable read', 'serializable'] as const;

function checkAcquire({ timeout, signal, affinity, priority }: AcquireOptions): void {
  if (timeout !== undefined) duration('timeout', timeout, 1);
  if (signal !== undefined) abortSignal('signal', signal);
  if (affinity !== undefined) string('affinity', affinity);
  if (priority !== undefined) oneOf('priority', priority, PRIORITIES);
}

/** Checks a statement: drivers take other things than strings and arrays, and mean other things by them. */
export function checkStatement(sql: unknown, params: unknown): void {
  if (typeof sql !== 'string') invalid('sql', 'a string', sql);
  if (params !== undefined && !Array.isArray(params)) invalid('params', 'an array', params);
}

export function checkQuery(given: QueryOptions): void {
  if (typeof given !== 'object' || given === null) invalid('options', 'an object', given);
  warnOfUnknown('options', given, QUERY_NAMES);
  checkAcquire(given);
  if (given.retries !== undefined) integer('retries', given.retries, 0);
  if (given.batch !== undefined) boolean('batch', given.batch);
}

export function checkTransaction(given: TransactionOptions): void {
  options<TransactionOptions>('options', given, [...ACQUIRE, 'isolation', 'readOnly', 'retries']);
  checkAcquire(given);
  if (given.isolation !== undefined) oneOf('isolation', given.isolation, LEVELS);
  if (given.readOnly !== undefined) boolean('readOnly', given.readOnly);
  if (given.retries !== undefined) integer('retries', given.retries, 0);
}

export function checkMany(given: QueryManyOptions): void {
  options<QueryManyOptions>('options', given, [...ACQUIRE, 'batchSize']);
  checkAcquire(given);
  if (given.batchSize !== undefined) integer('batchSize', given.batchSize, 1, 10_000);
}

export function checkStream(given: StreamOptions): void {
  options<StreamOptions>('options', given, [...ACQUIRE, 'batchSize']);
  checkAcquire(given);
  if (given.batchSize !== undefined) integer('batchSize', given.batchSize, 1, 100_000);
}
