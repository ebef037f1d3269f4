import { BatchError } from '../errors.js';
import { invalid } from '../validate.js';
import type { Deadline } from './deadline.js';
import { sequence } from './driver.js';
import type { QueryManyOptions, QueryResult } from './options.js';
import { type Transaction, type TransactionContext, transact } from './transaction.js';

/** The parameters of each row of `queryMany`. */
export type Rows = Iterable<readonly unknown[]> | AsyncIterable<readonly unknown[]>;

const BATCH = 100;

/** An error may end the transaction, and what came next would be outside of it. */
const always = () => true;

/** Rows in arrays of at most `size`; no row is asked for before the array that it belongs to is. */
async function* batches(rows: Rows, size: number): AsyncGenerator<(readonly unknown[])[]> {
  let batch: (readonly unknown[])[] = [];
  for await (const row of rows) {
    if (!Array.isArray(row)) invalid('rows', 'an iterable of arrays', row);
    batch.push(row);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Whether something can be iterated, with or without waiting. */
export function checkRows(rows: unknown): void {
  const iterable = rows as Partial<Iterable<unknown> & AsyncIterable<unknown>> | null | undefined;
  if (typeof rows === 'object' && (iterable?.[Symbol.iterator] ?? iterable?.[Symbol.asyncIterator])) return;
  invalid('rows', 'an iterable or async iterable of arrays', rows);
}

/** Sends one batch, and gives its results. */
async function send<T>(
  tx: Transaction,
  sql: string,
  batch: readonly (readonly unknown[])[],
  first: number,
): Promise<QueryResult<T>[]> {
  const started = performance.now();
  const answers = await tx.do((connection) => {
    if (connection.many !== undefined) return connection.many(sql, batch);
    const statements = batch.map((params) => ({ sql, params }));
    return connection.pipeline?.(statements) ?? sequence(connection, statements, always);
  });
  const executionTime = performance.now() - started;
  return answers.map((answer, index) => {
    if (answer.status === 'rejected') throw new BatchError(first + index, { cause: answer.reason });
    return { success: true, data: answer.value as T, executionTime, connectionId: tx.connectionId };
  });
}

/** Runs one statement with each of many rows of parameters, in one transaction. */
export function queryMany<T>(
  context: TransactionContext,
  sql: string,
  rows: Rows,
  options: QueryManyOptions,
  deadline: Deadline,
): Promise<QueryResult<T>[]> {
  const body = async (tx: Transaction): Promise<QueryResult<T>[]> => {
    const results: QueryResult<T>[] = [];
    for await (const batch of batches(rows, options.batchSize ?? BATCH)) {
      for (const result of await send<T>(tx, sql, batch, results.length)) results.push(result);
    }
    return results;
  };
  // The rows may not come a second time.
  return transact(context, body, { ...options, retries: 0 }, deadline);
}
