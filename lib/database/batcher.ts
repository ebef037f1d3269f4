import type { Call } from './call.js';
import { Deadline } from './deadline.js';
import { type Statement, sequence } from './driver.js';
import { type Loan, type Loans, started } from './loans.js';
import type { QueryOptions } from './options.js';

/** Statements of one pipeline. */
const LARGEST = 100;

/** One call that waits for its pipeline. */
interface Entry {
  readonly statement: Statement;
  readonly call: Call;
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** Whether its caller has given up. */
  gone: boolean;
}

/** Calls that go into one pipeline. */
class Pipeline {
  readonly entries: Entry[] = [];
  #loan: Loan | undefined;
  #running: Promise<unknown> | undefined;
  /** Whether all have given up, and what runs is being stopped. */
  #stopped = false;

  constructor(
    readonly loans: Loans,
    readonly options: QueryOptions,
  ) {}

  /** Adds a call, which settles on its own: a failure, or a deadline, is that of its statement alone. */
  add(statement: Statement, call: Call): Promise<unknown> {
    let entry!: Entry;
    const answer = new Promise<unknown>((resolve, reject) => {
      entry = { statement, call, resolve, reject, gone: false };
    });
    this.entries.push(entry);
    return call.deadline.guard(answer, { gaveUp: (reason) => this.#leave(entry, reason) });
  }

  /** Once nobody waits for it any more, what runs is stopped. */
  #leave(entry: Entry, reason: unknown): void {
    entry.gone = true;
    if (this.#running === undefined || !this.entries.every(({ gone }) => gone)) return;
    this.#stopped = true;
    void this.loans.stop(this.#loan!, this.#running, reason);
  }

  /** Gets a connection, and sends the calls that still wait by then. */
  async run(): Promise<void> {
    const left = Math.max(...this.entries.map(({ call }) => call.deadline.left));
    const { affinity, priority } = this.options;
    try {
      const loan = await this.loans.acquire(
        { affinity, priority },
        new Deadline('The batch', left, undefined),
      );
      const entries = this.entries.filter(({ gone }) => !gone);
      if (entries.length === 0) this.loans.giveBack(loan);
      else await this.#send(loan, entries);
    } catch (error) {
      for (const { reject } of this.entries) reject(error);
    }
  }

  async #send(loan: Loan, entries: Entry[]): Promise<void> {
    const { connection } = loan;
    const statements = entries.map(({ statement }) => statement);
    for (const { call } of entries) call.begin(loan);
    this.#loan = loan;
    const running = started(() => connection.pipeline?.(statements) ?? sequence(connection, statements));
    this.#running = running;
    try {
      const answers = await running;
      if (this.#stopped) return;
      // Who gives up from now on has nothing to stop: the connection goes to someone else.
      this.#running = undefined;
      this.loans.giveBack(loan, this.#tell(entries, answers, loan));
    } catch (error) {
      if (!this.#stopped) loan.discard(error);
      throw error;
    }
  }

  /** Gives each call its answer, and returns why the first of them failed, if one did. */
  #tell(entries: Entry[], answers: PromiseSettledResult<unknown>[], loan: Loan): unknown {
    entries.forEach(({ statement, call, resolve, reject }, index) => {
      const answer = answers[index]!;
      if (answer.status === 'fulfilled') {
        resolve(answer.value);
      } else {
        call.failed(answer.reason, loan, statement.sql);
        reject(answer.reason);
      }
    });
    return answers.find((answer) => answer.status === 'rejected')?.reason;
  }
}

/** Joins the calls of one turn of the event loop. */
export class Batcher {
  /** By what their connection has to be like. */
  readonly #open = new Map<string, Pipeline>();

  constructor(readonly loans: Loans) {}

  /** Adds a call to the pipeline that leaves at the end of this turn, or when it is full. */
  add(statement: Statement, options: QueryOptions, call: Call): Promise<unknown> {
    const key = `${options.priority ?? 'normal'} ${options.affinity ?? ''}`;
    const pipeline = this.#open.get(key) ?? this.#begin(key, options);
    const answer = pipeline.add(statement, call);
    if (pipeline.entries.length === LARGEST) this.#leave(key, pipeline);
    return answer;
  }

  #begin(key: string, options: QueryOptions): Pipeline {
    const pipeline = new Pipeline(this.loans, options);
    this.#open.set(key, pipeline);
    setImmediate(() => {
      if (this.#open.get(key) === pipeline) this.#leave(key, pipeline);
    });
    return pipeline;
  }

  #leave(key: string, pipeline: Pipeline): void {
    this.#open.delete(key);
    void pipeline.run();
  }
}
