import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { invalid } from '../validate.js';
import type { Construction } from './construction.js';
import { StreamInput } from './input.js';
import type { Jobs, Limits, Mode } from './jobs.js';
import { startConstruction, streamFlags } from './parse.js';
import type { Task } from './tasks.js';

/** Closes a source that nobody will read; how that goes makes no difference any more. */
export function abandon(source: AsyncIterable<unknown>): void {
  if (!destroy(source)) close(source[Symbol.asyncIterator]());
}

/** Destroys a Node stream, of whichever class and realm. @returns whether it is one */
function destroy(source: object): boolean {
  const { destroy, pipe } = source as Partial<Readable>;
  if (typeof destroy !== 'function' || typeof pipe !== 'function') return false;
  Reflect.apply(destroy, source, []);
  return true;
}

/** Reads `source` for a task, which fails if it does and closes it when it settles. */
export function feed(
  task: Task,
  input: StreamInput,
  construction: Construction,
  source: AsyncIterable<unknown>,
): void {
  const chunks = source[Symbol.asyncIterator]();
  const end = (): void => {
    input.stop();
    // The iterator of a stream does not hear of `return` while it waits for a chunk that may never come.
    destroy(source);
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
