import { asyncDispose } from '../dispose.js';
import { Construction } from './construction.js';
import { StreamInput } from './input.js';
import type { Jobs, Limits, Mode } from './jobs.js';
import { FLAG, GOAL } from './native.js';
import type { NDJSONOptions } from './options.js';
import { streamFlags } from './parse.js';
import { feed } from './streams.js';
import type { Task } from './tasks.js';

/** Batches that may wait to be asked for. */
const BATCHES_AHEAD = 4;

/** An iteration that can be left at any time: before it began, too, and while it waits. */
export class Iteration<T> implements AsyncGenerator<T, void, undefined> {
  readonly #steps: AsyncGenerator<T, void, undefined>;
  readonly #left: (begun: boolean) => void;
  #begun = false;

  /** @param left called when someone leaves it, perhaps more than once */
  constructor(steps: AsyncGenerator<T, void, undefined>, left: (begun: boolean) => void) {
    this.#steps = steps;
    this.#left = left;
  }

  next(): Promise<IteratorResult<T, void>> {
    this.#begun = true;
    return this.#steps.next();
  }

  return(): Promise<IteratorResult<T, void>> {
    this.#leave();
    return this.#steps.return();
  }

  throw(error: unknown): Promise<IteratorResult<T, void>> {
    this.#leave();
    return this.#steps.throw(error);
  }

  #leave(): void {
    this.#left(this.#begun);
    this.#begun = true;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [asyncDispose](): Promise<void> {
    await this.return();
  }
}

/** Where batches wait between the job that makes them and the iterator that gives them out. */
export class Batches {
  readonly #ready: unknown[][] = [];
  #resume: (() => void) | undefined;
  #leave: (() => void) | undefined;
  #asked: (() => void) | undefined;
  #settled = false;

  /** Adds a batch. @returns whether there is room for another */
  add(values: unknown[]): boolean {
    this.#ready.push(values);
    this.#answer();
    return this.#ready.length < BATCHES_AHEAD;
  }

  /** The task settled. */
  end(): void {
    this.#settled = true;
    this.#answer();
  }

  #answer(): void {
    this.#asked?.();
    this.#asked = undefined;
  }

  /** The next batch; undefined once the job has settled and all are taken. */
  async next(): Promise<unknown[] | undefined> {
    while (this.#ready.length === 0 && !this.#settled) {
      await new Promise<void>((resolve) => {
        this.#asked = resolve;
      });
    }
    const batch = this.#ready.shift();
    if (this.#ready.length < BATCHES_AHEAD) this.#resume?.();
    return batch;
  }

  /** Drops what is ready: it was asked to stop. */
  clear(): void {
    this.#ready.length = 0;
  }

  /** Nobody asks any more. */
  leave(): void {
    this.#leave?.();
  }

  /**
   * @param resume lets the job go on after `add` returned false
   * @param leave ends the task
   */
  attach(resume: () => void, leave: () => void): void {
    this.#resume = resume;
    this.#leave = leave;
  }
}

/** Reads the lines of a stream into `batches`. */
export function startLines(
  task: Task,
  jobs: Jobs,
  source: AsyncIterable<unknown>,
  batches: Batches,
  limits: Limits,
  mode: Mode,
  onBadLine: NDJSONOptions['onBadLine'],
): void {
  const input = new StreamInput();
  const flags = streamFlags(mode) | (onBadLine === undefined ? 0 : FLAG.skipBadLines);
  const job = jobs.open(GOAL.lines, task.priority, flags, limits);
  const construction = new Construction(jobs, job, task.priority, input, limits, {
    succeed: () => task.succeed(undefined),
    fail: (error) => task.fail(error),
    values: (values) => batches.add(values),
    badLine: (error) => onBadLine!(error),
  });
  task.paced = true;
  task.stop = () => {
    construction.stop();
    batches.clear();
  };
  batches.attach(
    () => construction.resume(),
    () => task.leave(),
  );
  feed(task, input, construction, source);
}
