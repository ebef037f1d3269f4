import { asyncDispose } from '../dispose.js';
import { InvalidArgumentError } from '../errors.js';
import { type OpenSpan, spans } from '../openTelemetry/spans.js';
import { unwatch, watch } from '../signals.js';
import { Deadline } from './deadline.js';
import type { RowReader } from './driver.js';
import type { Loan, Loans } from './loans.js';
import type { StreamOptions } from './options.js';

const BATCH = 100;

/**
 * Rows of a statement, fetched as they are read. It has its connection from the first `next()` on, until it is read to
 * the end, is returned from (as `break` does), fails, or is aborted.
 */
export class RowStream<T> implements AsyncIterableIterator<T> {
  #batch: readonly T[] = [];
  #at = 0;
  #loan: Loan | undefined;
  #reader: RowReader | undefined;
  #span: OpenSpan | undefined;
  /** What the server is asked for. */
  #fetching: Promise<unknown> | undefined;
  #failure: { error: unknown } | undefined;
  #over = false;
  /** Calls of `next` in their order. */
  #tail: Promise<unknown> | undefined;
  /** Resolves once the connection is given back. */
  #freed: Promise<void> | undefined;
  /** Ends what is waited for. */
  readonly #ending = new AbortController();

  /** @internal */
  constructor(
    private readonly loans: Loans,
    private readonly sql: string,
    private readonly params: readonly unknown[] | undefined,
    private readonly options: StreamOptions & { timeout: number },
  ) {}

  /** @internal Its signal has aborted. */
  cancel(reason: unknown): void {
    this.#fail(reason);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    // What is there already costs no more than the promise.
    if (this.#tail === undefined && this.#at < this.#batch.length) {
      return Promise.resolve({ done: false, value: this.#batch[this.#at++]! });
    }
    const turn = (this.#tail ?? Promise.resolve()).then(() => this.#next());
    const tail = turn
      .catch(() => {})
      .then(() => {
        if (this.#tail === tail) this.#tail = undefined;
      });
    this.#tail = tail;
    return turn;
  }

  async #next(): Promise<IteratorResult<T, undefined>> {
    if (this.options.signal?.aborted) this.#fail(this.options.signal.reason);
    if (this.#at === this.#batch.length && !this.#over) await this.#fetch();
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
    if (this.#at < this.#batch.length) return { done: false, value: this.#batch[this.#at++]! };
    await this.#freed;
    return { done: true, value: undefined };
  }

  /** Fetches the next rows; at the end, or on an error, the connection goes back. */
  async #fetch(): Promise<void> {
    try {
      if (this.#reader === undefined) this.#span = spans?.stream(this.loans.target, this.sql);
      const reader = this.#reader ?? (await this.#within(() => this.#open()));
      // It may have been ended while it waited for its connection.
      if (reader === undefined) return;
      const { batchSize = BATCH, timeout } = this.options;
      const fetching = this.#within(() => reader.read(batchSize));
      this.#fetching = fetching;
      const rows = await new Deadline('Fetching rows', timeout, this.#ending.signal).guard(fetching, {
        settled: () => {
          this.#fetching = undefined;
        },
      });
      if (this.#over) return;
      this.#batch = rows as readonly T[];
      this.#at = 0;
      if (rows.length === 0) this.#end();
    } catch (error) {
      this.#fail(error);
    }
  }

  #within<R>(work: () => R): R {
    return this.#span === undefined ? work() : this.#span.within(work);
  }

  async #open(): Promise<RowReader | undefined> {
    const { timeout, signal } = this.options;
    if (signal !== undefined) watch(signal, this);
    const deadline = new Deadline('The stream', timeout, this.#ending.signal);
    const loan = await this.loans.acquire(this.options, deadline);
    if (this.#over) {
      this.loans.giveBack(loan);
      return undefined;
    }
    this.#loan = loan;
    const { connection } = loan;
    if (connection.read === undefined) {
      throw new InvalidArgumentError(
        'The connections of this driver have no "read", so that they cannot stream',
      );
    }
    this.#reader = connection.read(this.sql, this.params);
    return this.#reader;
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#failure = { error };
    this.#end(error);
  }

  /** Gives the connection back, once it is fit for the next statement. */
  #end(error?: unknown): void {
    this.#over = true;
    this.#batch = [];
    this.#at = 0;
    const { signal } = this.options;
    if (signal !== undefined) unwatch(signal, this);
    const loan = this.#loan;
    if (loan !== undefined) this.#freed = this.#free(loan, error);
    this.#ending.abort(error);
    this.#span?.end(error);
  }

  async #free(loan: Loan, error: unknown): Promise<void> {
    const close = (): Promise<void> => this.#reader?.close() ?? Promise.resolve();
    const fetching = this.#fetching;
    // What runs is stopped; closing what does not run takes no stopping.
    if (fetching !== undefined) return this.loans.stop(loan, fetching.then(close, close), error);
    try {
      await new Deadline('Closing a stream', this.options.timeout, undefined).guard(close());
      this.loans.giveBack(loan, error);
    } catch (cause) {
      loan.discard(cause);
    }
  }

  /** Ends the stream early. Resolves once its connection is given back. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    if (!this.#over) this.#end();
    this.#failure = undefined;
    await this.#freed;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [asyncDispose](): Promise<void> {
    await this.return();
  }
}
