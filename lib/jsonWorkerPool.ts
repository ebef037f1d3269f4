import { asyncDispose } from './dispose.js';
import { DestroyedError } from './errors.js';
import type { LatencySummary } from './histogram.js';
import { type DocumentBuilder, JSONDocument, type NativeDocument } from './json/document.js';
import { fileChunks } from './json/files.js';
import { WholeInput } from './json/input.js';
import { Jobs, type Limits, NO_LIMITS } from './json/jobs.js';
import { GOAL } from './json/native.js';
import type {
  JSONParseOptions,
  JSONStreamOptions,
  JSONWorkerPoolOptions,
  NDJSONOptions,
  OpenDocumentOptions,
  Reviver,
} from './json/options.js';
import { checkDocument, checkLines, checkParse, checkStream, limitsOf, poolOptions } from './json/options.js';
import {
  type Construct,
  DIRECT,
  parseNow,
  startConstruction,
  startJob,
  startParse,
  textOrBytes,
} from './json/parse.js';
import { now, PRIORITIES, type Priority } from './json/scheduler.js';
import { asyncIterable, Batches, startLines, startStream } from './json/streams.js';
import { stringifyToFile } from './json/stringify/file.js';
import type { StringifyOptions, WriteOptions } from './json/stringify/options.js';
import { shortText } from './json/stringify/short.js';
import { stringify } from './json/stringify/stringify.js';
import { causeOf, type Task, type TaskErrors, type TaskOptions, Tasks } from './json/tasks.js';
import { Now, run, Turn } from './json/turn.js';
import { oneOf } from './validate.js';

/** What `getStats()` tells. */
export interface JSONWorkerPoolStats {
  /** Calls that have settled, failures too. */
  totalProcessed: number;
  /** Those that failed. */
  errorCount: number;
  /** Milliseconds from a call's turn to its result, on average. */
  avgProcessingTime: number;
  /** Native threads that are alive. */
  activeWorkers: number;
  /** Tasks that wait for their turn. */
  queueSize: number;
  memoryUsage: NodeJS.MemoryUsage;
}

/** What `metrics()` tells. */
export interface JSONWorkerPoolMetrics {
  /** Native threads that are alive. */
  threads: number;
  /** Tasks that wait for their turn. */
  queued: number;
  /** Tasks that are worked on. */
  active: number;
  /** Calls that have settled, failures too. */
  processed: number;
  /** Those of them that were so small that this thread parsed them at once. */
  direct: number;
  errors: TaskErrors;
  /** Milliseconds that tasks waited for their turn. */
  queueTime: LatencySummary;
  /** Milliseconds that native threads worked on a task. */
  nativeTime: LatencySummary;
  /** Milliseconds of the main thread that a task took. */
  mainTime: LatencySummary;
  /** Milliseconds from a task's turn to its result. */
  duration: LatencySummary;
}

/** How many direct calls go by between two that are timed: reading the clock twice costs what a short text does. */
const TIMED = 64;

/**
 * Parses and writes JSON of any size without holding up the event loop.
 *
 * Native threads scan the text and prepare it; this thread builds the values, all pools together for about 2 ms of
 * each turn of the event loop. Results are exactly those of JSON.parse and JSON.stringify.
 */
export class JSONWorkerPool {
  readonly #jobs: Jobs;
  readonly #tasks: Tasks;
  readonly #builder: DocumentBuilder = {
    build: (document, start, end) =>
      this.#tasks.submit({}, (task) => startJob(task, this.#jobs, this.#jobs.openPart(document, start, end))),
    column: (document, pattern) =>
      this.#tasks.submit({}, (task) => startJob(task, this.#jobs, this.#jobs.openColumn(document, pattern))),
  };
  #direct = 0;
  #destroyed: Promise<void> | undefined;

  /**
   * @param maxWorkers native threads, and tasks that are worked on at once, or options
   * @throws InvalidArgumentError for what is out of range or unknown
   */
  constructor(maxWorkers?: number | JSONWorkerPoolOptions) {
    const chosen = poolOptions(maxWorkers);
    this.#tasks = new Tasks(chosen.maxWorkers, chosen.maxQueue, chosen.onFull);
    this.#jobs = new Jobs(chosen.maxWorkers);
  }

  /**
   * Parses or writes JSON as a task of the pool, which waits for its turn whatever its size.
   *
   * Rejects as {@link parse} and {@link stringify} do, and with QueueFullError.
   */
  async enqueueTask<T = any>(
    type: 'parse' | 'stringify',
    data: any,
    options: {
      reviver?: Reviver | null;
      replacer?: WriteOptions['replacer'];
      space?: WriteOptions['space'];
    } = {},
    priority: Priority = 'normal',
  ): Promise<T> {
    oneOf('type', type, ['parse', 'stringify']);
    oneOf('priority', priority, PRIORITIES);
    if (type === 'stringify') {
      const { replacer = null, space = null } = options;
      const begin = () => stringify(data, { replacer, space, priority }, new Now(this.#tasks));
      return this.#tasks.submit<T>({ priority }, (task) => run(task, begin));
    }
    const reviver = typeof options.reviver === 'function' ? options.reviver : undefined;
    return this.#enqueue<T>(textOrBytes(data), { priority }, { limits: NO_LIMITS, mode: 'auto', reviver });
  }

  /**
   * What JSON.parse gives for a text, or for the bytes of one, which must not change meanwhile.
   *
   * Up to 64 KiB it is parsed at once; beyond, natively checked and then built a little at a time.
   *
   * Rejects with JSONSyntaxError for text that is not JSON, JSONLimitError beyond a limit, TimeoutError, the
   * signal's reason, QueueFullError, what the reviver throws, and DestroyedError once the pool is destroyed.
   */
  parse<T = any>(text: string | Uint8Array, options?: JSONParseOptions): Promise<T> {
    // What is null has no length, and is text for JSON.parse.
    if (options === undefined && (text ?? '').length <= DIRECT) return this.#parseDirect<T>(text);
    return this.#parseWith<T>(text, options ?? {});
  }

  async #parseWith<T>(text: string | Uint8Array, options: JSONParseOptions): Promise<T> {
    checkParse(options);
    const { reviver, mode = 'auto' } = options;
    const data = textOrBytes(text);
    const limits = limitsOf(options);
    if (data.length > DIRECT) return this.#enqueue<T>(data, options, { limits, mode, reviver });
    options.signal?.throwIfAborted();
    return this.#parseDirect<T>(data, limits, reviver);
  }

  #enqueue<T>(data: string | Uint8Array, options: TaskOptions, how: Construct): Promise<T> {
    const input = new WholeInput(data);
    return this.#tasks.submit<T>(options, (task) => startParse(task, this.#jobs, input, how));
  }

  #parseDirect<T>(data: unknown, limits = NO_LIMITS, reviver?: Reviver): Promise<T> {
    const { closed } = this.#tasks;
    if (closed !== undefined) return Promise.reject(closed);
    const started = this.#direct++ % TIMED === 0 ? now() : undefined;
    try {
      const text = typeof data === 'string' ? data : textOrBytes(data);
      return Promise.resolve(parseNow(this.#jobs, text, limits, reviver) as T);
    } catch (error) {
      this.#tasks.errors[causeOf(error)]++;
      return Promise.reject(error);
    } finally {
      if (started !== undefined) this.#tasks.durations.record(now() - started);
    }
  }

  /**
   * What JSON.stringify gives, written a little at a time, while the value may change: it is no snapshot, unless
   * `snapshot` asks for one.
   *
   * Rejects with CircularReferenceError, with what JSON.stringify, a replacer or a toJSON throws, and as `parse` does.
   */
  stringify(value: unknown, options?: StringifyOptions & { as?: 'string' }): Promise<string>;
  stringify(value: unknown, options: StringifyOptions & { as: 'buffer' }): Promise<Buffer>;
  stringify(value: unknown, options: StringifyOptions & { as: 'chunks' }): AsyncIterable<Buffer>;
  stringify(value: unknown, options?: StringifyOptions): unknown {
    if (options === undefined && this.#tasks.closed === undefined) {
      try {
        const text = shortText(value);
        if (text !== undefined) {
          this.#direct++;
          return Promise.resolve(text);
        }
      } catch (error) {
        return this.#directFailure(error);
      }
    }
    const turn = new Turn(this.#tasks);
    if (options?.as === 'chunks') return stringify(value, options, turn);
    return this.#stringify(value, options, turn);
  }

  #directFailure(error: unknown): Promise<never> {
    this.#direct++;
    this.#tasks.errors[causeOf(error)]++;
    return Promise.reject(error);
  }

  async #stringify(value: unknown, options: StringifyOptions | undefined, turn: Turn): Promise<unknown> {
    try {
      return await stringify(value, options, turn);
    } catch (error) {
      if (turn.direct) this.#tasks.errors[causeOf(error)]++;
      throw error;
    } finally {
      if (turn.direct) this.#direct++;
    }
  }

  /** {@link stringify} to a file, which has its old content or all of the new one, whatever happens. */
  stringifyToFile(value: unknown, path: string, options?: WriteOptions): Promise<void> {
    return stringifyToFile(value, path, options, new Now(this.#tasks));
  }

  /**
   * Parses a file, gzip and Zstandard by their first bytes, without its text ever on JavaScript's heap.
   *
   * Rejects as `parse` does, with Node's error where the file cannot be read, and with
   * `ERR_KEELSON_JSON_COMPRESSION` where what is compressed is damaged.
   */
  async parseFile<T = any>(path: string | URL, options: JSONStreamOptions = {}): Promise<T> {
    return this.#parseSource<T>(() => fileChunks(path), options);
  }

  /** Parses what a stream of strings or bytes gives, like `parseFile`. The stream is destroyed on failure. */
  async parseStream<T = any>(
    stream: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
    options: JSONStreamOptions = {},
  ): Promise<T> {
    return this.#parseSource<T>(() => asyncIterable(stream), options);
  }

  async #parseSource<T>(source: () => AsyncIterable<unknown>, options: JSONStreamOptions): Promise<T> {
    checkStream(options);
    const limits = limitsOf(options);
    const { mode = 'auto' } = options;
    const start = (task: Task) => startStream(task, this.#jobs, source(), GOAL.build, limits, mode);
    return this.#tasks.submit<T>(options, start, false);
  }

  /**
   * Reads newline-delimited JSON from a file or a stream: batches of its values, of some 64 KiB of text each, read
   * no faster than they are asked for. Blank lines are left out.
   *
   * The iteration ends with JSONSyntaxError at the first line that is not JSON, unless `onBadLine` is given; else it
   * fails as `parseFile` does. To leave it early closes the file or stream.
   */
  ndjson<T = any>(
    source: string | URL | Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
    options: NDJSONOptions = {},
  ): AsyncGenerator<T[], void, undefined> {
    checkLines(options);
    const limits = limitsOf(options);
    const chunks = typeof source === 'string' || source instanceof URL ? undefined : asyncIterable(source);
    return this.#lines<T>(chunks ?? fileChunks(source as string | URL), limits, options);
  }

  async *#lines<T>(
    source: AsyncIterable<unknown>,
    limits: Limits,
    options: NDJSONOptions,
  ): AsyncGenerator<T[], void, undefined> {
    const { mode = 'auto', onBadLine } = options;
    const batches = new Batches();
    const start = (task: Task) => startLines(task, this.#jobs, source, batches, limits, mode, onBadLine);
    const result = this.#tasks.submit<void>(options, start, false);
    result.then(
      () => batches.end(),
      () => batches.end(),
    );
    try {
      for (;;) {
        const batch = await batches.next();
        if (batch === undefined) break;
        yield batch as T[];
      }
      await result;
    } finally {
      batches.leave();
    }
  }

  /**
   * Keeps a document as text outside of JavaScript's heap, and answers JSON pointers from it.
   *
   * @param source text, bytes, `{ path }` of a file or a file URL; files may be compressed
   */
  async openDocument(
    source: string | Uint8Array | URL | { path: string | URL },
    options: OpenDocumentOptions = {},
  ): Promise<JSONDocument> {
    checkDocument(options);
    const limits = limitsOf(options);
    const path = source instanceof URL ? source : isPath(source) ? source.path : undefined;
    const input = path === undefined ? new WholeInput(textOrBytes(source)) : undefined;
    const start = (task: Task): void => {
      if (path !== undefined) startStream(task, this.#jobs, fileChunks(path), GOAL.keep, limits, 'auto');
      else startConstruction(task, this.#jobs, GOAL.keep, 0, limits, input!);
    };
    const native = await this.#tasks.submit<NativeDocument>(options, start, path === undefined);
    return new JSONDocument(native, this.#builder);
  }

  /** Live figures; the keys are those of the original. */
  getStats(): JSONWorkerPoolStats {
    const tasks = this.#tasks;
    const { aborted, destroyed, limit, other, syntax, timeout } = tasks.errors;
    return {
      totalProcessed: tasks.processed + this.#direct,
      errorCount: aborted + destroyed + limit + other + syntax + timeout,
      avgProcessingTime: tasks.durations.mean,
      activeWorkers: this.#jobs.native.threads(),
      queueSize: tasks.queued,
      memoryUsage: process.memoryUsage(),
    };
  }

  /** Live figures, by cause and as percentiles. */
  metrics(): JSONWorkerPoolMetrics {
    const tasks = this.#tasks;
    return {
      threads: this.#jobs.native.threads(),
      queued: tasks.queued,
      active: tasks.active,
      processed: tasks.processed + this.#direct,
      direct: this.#direct,
      errors: { ...tasks.errors },
      queueTime: tasks.waits.summary(),
      nativeTime: this.#jobs.nativeTime.summary(),
      mainTime: this.#jobs.mainTime.summary(),
      duration: tasks.durations.summary(),
    };
  }

  /** Resolves once all calls made before have settled, well or not; iterations of `ndjson` are not waited for. */
  flush(): Promise<void> {
    return this.#tasks.flush();
  }

  /**
   * Rejects what is pending, and all later calls, with DestroyedError; resolves once the threads have ended.
   * Idempotent.
   */
  destroy(): Promise<void> {
    if (this.#destroyed === undefined) {
      this.#tasks.close(new DestroyedError('JSON Worker Pool destroyed'));
      this.#destroyed = this.#jobs.close();
    }
    return this.#destroyed;
  }

  [asyncDispose](): Promise<void> {
    return this.destroy();
  }
}

function isPath(source: unknown): source is { path: string | URL } {
  return typeof source === 'object' && source !== null && !ArrayBuffer.isView(source) && 'path' in source;
}
