import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { invalid } from '../validate.js';
import { Construction } from './construction.js';
import { StreamInput } from './input.js';
import type { Jobs, Limits, Mode } from './jobs.js';
import { FLAG, GOAL } from './native.js';
import { startConstruction, streamFlags } from './parse.js';
import type { Task } from './tasks.js';

/** Batches that may wait to be asked for. */
const BATCHES_AHEAD = 4;

/** Reads `source` for a task, which fails if it does and closes it when it settles. */
function feed(
  task: Task,
  input: StreamInput,
  construction: Construction,
  source: AsyncIterable<unknown>,
): void {
  const chunks = source[Symbol.asyncIterator]();
  const end = (): void => {
    input.stop();
    // The iterator of a stream does not hear of `return` while it waits for a chunk that may never come.
    if (source instanceof Readable) source.destroy();
    close(chunks);
  };
  input
    .read(
      chunks,
      () => construction.wake(),
      () => task.settled,
    )
    .catch((error) => {
      construction.stop();
      task.fail(error);
    });
  task.promise.then(end, end);
}

/** Closes what is not read to its end; how that goes makes no difference any more. */
async function close(chunks: AsyncIterator<unknown>): Promise<void> {
  try {
    await chunks.return?.();
  } catch {}
}

/** Builds, or keeps, the one document of a stream. */
export function startStream(
  task: Task,
  jobs: Jobs,
  source: AsyncIterable<unknown>,
  goal: number,
  limits: Limits,
  mode: Mode,
): void {
  const input = new StreamInput();
  feed(task, input, startConstruction(task, jobs, goal, streamFlags(mode), limits, input), source);
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
  onBadLine: ((error: SyntaxError) => void) | undefined,
): void {
  const input = new StreamInput();
  const flags = streamFlags(mode) | (onBadLine === undefined ? 0 : FLAG.skipBadLines);
  const job = jobs.open(GOAL.lines, task.priority, flags, limits);
  const construction = new Construction(jobs, job, task.priority, input, limits, {
    done: () => task.succeed(undefined),
    failed: (error) => task.fail(error),
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

function isWebStream(source: unknown): source is ReadableStream {
  // Node loads the class when it is asked for.
  return (
    typeof source === 'object' &&
    source !== null &&
    'getReader' in source &&
    source instanceof globalThis.ReadableStream
  );
}

/** An iterable of chunks as an asynchronous one. */
export function asyncIterable(source: Iterable<unknown> | AsyncIterable<unknown>): AsyncIterable<unknown> {
  const candidate = source as Partial<Iterable<unknown> & AsyncIterable<unknown>> | null | undefined;
  // A web stream's own iterator cannot be closed while it waits for a chunk.
  if (isWebStream(source)) return Readable.fromWeb(source);
  if (typeof candidate?.[Symbol.asyncIterator] === 'function') return source as AsyncIterable<unknown>;
  if (typeof source !== 'string' && typeof candidate?.[Symbol.iterator] === 'function') {
    return Readable.from(source as Iterable<unknown>);
  }
  return invalid('stream', 'a Readable or an iterable of strings or Uint8Arrays', source);
}
