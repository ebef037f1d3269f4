import { asyncDispose } from './dispose.js';
import { DestroyedError } from './errors.js';
import type { LatencySummary } from './histogram.js';
import { type DocumentBuilder, JSONDocument, type NativeDocument } from './json/document.js';
import { causeOf, Figures, type TaskErrors } from './json/figures.js';
import { fileChunks, pathOf } from './json/files.js';
import { WholeInput } from './json/input.js';
import { Jobs, NO_LIMITS } from './json/jobs.js';
import { Batches, Iteration, startLines } from './json/lines.js';
import { GOAL } from './json/native.js';
import type {
  JSONParseOptions,
  JSONStreamOptions,
  JSONWorkerPoolOptions,
  NDJSONOptions,
  OpenDocumentOptions,
  Reviver,
} from './json/options.js';
import { checkCall, limitsOf, NAMES, poolOptions } from './json/options.js';
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
import { abandon, asyncIterable, startStream } from './json/streams.js';
import { Chunks } from './json/stringify/chunks.js';
import { bufferOf, startCollecting } from './json/stringify/collect.js';
import { writeFile } from './json/stringify/file.js';
import { readFormat } from './json/stringify/format.js';
import type { StringifyOptions, WriteOptions } from './json/stringify/options.js';
import { shortText } from './json/stringify/short.js';
import { open, type Source, Whole } from './json/stringify/source.js';
import { subjectOf, textsOf } from './json/stringify/texts.js';
import { type Operation, type Task, type TaskOptions, Tasks } from './json/tasks.js';
import { observe } from './metrics/member.js';
import { readJson } from './metrics/readers/json.js';
import { oneOf, string } from './validate.js';

/** What `getStats()` tells. */
export interface JSONWorkerPoolStats {
  /** Calls that have settled, failures too. */
  totalProcessed: number;
  /** Those that failed. */
  errorCount: number;
  /** Milliseconds from a call's turn to its result, on average; of small calls one in 61 is timed. */
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
  bytes: {
    /** Of text that was read: bytes of buffers, files and streams, as they came; UTF-16 units of strings. */
    parsed: number;
    /** Of text that was written: bytes of buffers, chunks and files; UTF-16 units of strings. */
    written: number;
  };
  /** Milliseconds that tasks waited for their turn. */
  queueTime: LatencySummary;
  /** Milliseconds that native threads worked on a task. */
  nativeTime: LatencySummary;
  /** Milliseconds of the main thread that a task took. */
  mainTime: LatencySummary;
  /** Milliseconds from a task's turn to its result. */
  duration: LatencySummary;
}

/**
 * One in so many direct calls is timed: to read the clock twice costs what a short text does. A prime, so that it
 * meets all kinds of calls that take turns.
 */
const TIMED = 61;

/**
 * Parses and writes JSON of any size without holding up the event loop.
 *
 * Native threads scan the text and prepare it; this thread builds the values, all pools together for about 2 ms of
 * each turn of the event loop. Results are exactly those of JSON.parse and JSON.stringify.
 */
export class JSONWorkerPool {
  readonly #figures = new Figures();
  readonly #jobs: Jobs;
  readonly #tasks: Tasks;
  readonly #builder: DocumentBuilder = {
    build: (document, start, end, options) =>
      this.#build(options, () => this.#jobs.openPart(document, start, end, options.priority)),
    column: (document, pattern, options) =>
      this.#build(options, () => this.#jobs.openColumn(document, pattern, options.priority)),
  };
  #destroyed: Promise<void> | undefined;

  /**
   * @param maxWorkers native threads, and tasks that are worked on at once, or options
   * @throws InvalidArgumentError for what is out of range or unknown
   * @throws KeelsonError `ERR_KEELSON_NO_THREADS` if the system gives no more threads
   */
  constructor(maxWorkers?: number | JSONWorkerPoolOptions) {
    const chosen = poolOptions(maxWorkers);
    this.#tasks = new Tasks(this.#figures, chosen.maxWorkers, chosen.maxQueue, chosen.onFull);
    this.#jobs = new Jobs(chosen.maxWorkers, this.#figures);
    observe(this, readJson);
  }

  /**
   * Parses or writes JSON as a task of the pool, which waits for its turn whatever its size.
   *
   * Rejects as {@link parse} and {@link stringify} do, and with QueueFullError.
   */
  async enqueueTask<T = any>(
    type: 'parse' | 'stringify',
    data: any,
    options?: {
      reviver?: Reviver | null | undefined;
      replacer?: WriteOptions['replacer'];
      space?: WriteOptions['space'];
    } | null,
    priority: Priority = 'normal',
  ): Promise<T> {
    oneOf('type', type, ['parse', 'stringify']);
    oneOf('priority', priority, PRIORITIES);
    const { reviver, replacer, space } = options ?? {};
    if (type === 'stringify') {
      const source = () => open(data, readFormat(replacer, space));
      return this.#tasks.submit<T>('stringify', { priority }, (task) =>
        startCollecting(task, source, 'string'),
      );
    }
    const chosen = typeof reviver === 'function' ? reviver : undefined;
    return this.#enqueue<T>(
      textOrBytes(data),
      { priority },
      { limits: NO_LIMITS, mode: 'auto', reviver: chosen },
    );
  }

  /**
   * What JSON.parse gives for a text, or for the bytes of one, which must not change meanwhile.
   *
   * Up to 64 KiB it is parsed at once; beyond, natively checked and then built a little at a time.
   *
   * Rejects with JSONSyntaxError for text that is not JSON, JSONLimitError beyond a limit, TimeoutError, the
   * signal's reason, QueueFullError, what the reviver throws, and DestroyedError once the pool is destroyed.
   */
  parse<T = any>(text: string | Uint8Array, options?: JSONParseOptions | null): Promise<T> {
    const usual = typeof text === 'string' || text instanceof Uint8Array;
    if (options === undefined && usual && text.length <= DIRECT) return this.#parseDirect<T>(text);
    return this.#parseWith<T>(text, options);
  }

  async #parseWith<T>(text: string | Uint8Array, given: JSONParseOptions | null | undefined): Promise<T> {
    const options = checkCall<JSONParseOptions>(given, NAMES.parse);
    this.#tasks.admit(options);
    const { mode = 'auto' } = options;
    const reviver = options.reviver ?? undefined;
    const data = textOrBytes(text);
    const limits = limitsOf(options);
    if (data.length > DIRECT) return this.#enqueue<T>(data, options, { limits, mode, reviver });
    return this.#parseDirect<T>(data, limits, reviver);
  }

  #enqueue<T>(data: string | Uint8Array, options: TaskOptions, how: Construct): Promise<T> {
    const input = new WholeInput(data);
    return this.#tasks.submit<T>('parse', options, (task) => startParse(task, this.#jobs, input, how));
  }

  #parseDirect<T>(data: string | Uint8Array, limits = NO_LIMITS, reviver?: Reviver): Promise<T> {
    const { closed } = this.#tasks;
    if (closed !== undefined) return Promise.reject(closed);
    const figures = this.#figures;
    const started = figures.direct++ % TIMED === 0 ? now() : undefined;
    figures.parsed += data.length;
    try {
      return Promise.resolve(parseNow(this.#jobs, data, limits, reviver) as T);
    } catch (error) {
      figures.errors[causeOf(error)]++;
      return Promise.reject(error);
    } finally {
      if (started !== undefined) figures.directDurations.record(now() - started);
    }
  }

  /**
   * What JSON.stringify gives, written a little at a time, while the value may change: it is no snapshot, unless
   * `snapshot` asks for one. A short value is written at once. `as: 'chunks'` begins with the first chunk that is asked
   * for, works only as far ahead as it is read, and ends with an early `return`.
   *
   * Some things block all the same: a replacer function, the names of an object with very many members (about 0.3 s a
   * million), and a toJSON inside a short value that makes a long one.
   *
   * Rejects with CircularReferenceError, with what JSON.stringify, a replacer or a toJSON throws, and as `parse` does.
   */
  stringify(
    value: unknown,
    options?: (StringifyOptions & { as?: 'string' | undefined }) | null,
  ): Promise<string>;
  stringify(value: unknown, options: StringifyOptions & { as: 'buffer' }): Promise<Buffer>;
  stringify(value: unknown, options: StringifyOptions & { as: 'chunks' }): AsyncIterableIterator<Buffer>;
  stringify(
    value: unknown,
    options: StringifyOptions & { as?: 'string' | 'buffer' | undefined },
  ): Promise<string | Buffer>;
  stringify(
    value: unknown,
    options?: StringifyOptions | null,
  ): Promise<string | Buffer> | AsyncIterableIterator<Buffer>;
  stringify(value: unknown, options?: StringifyOptions | null): unknown {
    if (options === undefined && this.#tasks.closed === undefined) {
      const figures = this.#figures;
      const started = figures.direct % TIMED === 0 ? now() : undefined;
      try {
        const text = shortText(value);
        if (text !== undefined) {
          figures.direct++;
          figures.written += text.length;
          if (started !== undefined) figures.directDurations.record(now() - started);
          return Promise.resolve(text);
        }
      } catch (error) {
        return Promise.reject(this.#directFailure(error));
      }
    }
    return options?.as === 'chunks' ? this.#chunks(value, options) : this.#write(value, options);
  }

  /** Counts it. */
  #directFailure(error: unknown): unknown {
    this.#figures.direct++;
    this.#figures.errors[causeOf(error)]++;
    return error;
  }

  async #write(value: unknown, given: StringifyOptions | null | undefined): Promise<unknown> {
    const options = checkCall<StringifyOptions>(given, NAMES.stringify);
    this.#tasks.admit(options);
    const form = options.as === 'buffer' ? 'buffer' : 'string';
    let source: Source;
    try {
      source = open(subjectOf(value, options), readFormat(options.replacer, options.space));
      if (source instanceof Whole) {
        const result = form === 'buffer' ? bufferOf(source.text) : source.text;
        this.#figures.direct++;
        this.#figures.written += result?.length ?? 0;
        return result;
      }
    } catch (error) {
      throw this.#directFailure(error);
    }
    return this.#tasks.submit<unknown>('stringify', options, (task) =>
      startCollecting(task, () => source, form),
    );
  }

  #chunks(value: unknown, given: StringifyOptions): Chunks {
    const options = checkCall<StringifyOptions>(given, NAMES.stringify);
    return new Chunks(textsOf(value, options), (start) =>
      this.#tasks.submit('stringify', options, start, false),
    );
  }

  /**
   * {@link stringify} to a file, which has its old content or all of the new one, whatever happens. It takes no
   * turn among the tasks, since it waits for the disk most of the time.
   *
   * Rejects as `stringify` does, with InvalidArgumentError for a value without JSON, and with Node's error where the
   * file cannot be written; what was written by then is gone.
   */
  async stringifyToFile(value: unknown, path: string, given?: WriteOptions | null): Promise<void> {
    const options = checkCall<WriteOptions>(given, NAMES.write);
    string('path', path);
    let written: Promise<void> | undefined;
    const start = (task: Task): void => {
      // Now, and not after the first wait: a snapshot is of the call.
      const texts = textsOf(value, options);
      task.stop = () => texts.end();
      written = writeFile(task, texts, path);
    };
    try {
      await this.#tasks.submit<void>('stringify', options, start, false);
    } finally {
      await written;
    }
  }

  /**
   * Parses a file, gzip and Zstandard by their first bytes, without its text ever on JavaScript's heap.
   *
   * Rejects as `parse` does, with Node's error where the file cannot be read, and with
   * `ERR_KEELSON_JSON_COMPRESSION` where what is compressed is damaged.
   */
  async parseFile<T = any>(path: string | URL, options?: JSONStreamOptions | null): Promise<T> {
    const checked = checkCall<JSONStreamOptions>(options, NAMES.stream);
    return this.#parseSource<T>(fileChunks(path), checked);
  }

  /**
   * Parses what a stream of strings or bytes gives, like `parseFile`. On failure the stream is destroyed, cancelled,
   * or has its iterator's `return` called.
   */
  async parseStream<T = any>(
    stream: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
    options?: JSONStreamOptions | null,
  ): Promise<T> {
    const checked = checkCall<JSONStreamOptions>(options, NAMES.stream);
    return this.#parseSource<T>(asyncIterable(stream), checked);
  }

  #parseSource<T>(source: AsyncIterable<unknown>, options: JSONStreamOptions): Promise<T> {
    const limits = limitsOf(options);
    const { mode = 'auto' } = options;
    return this.#read<T>('parse', source, options, (task) =>
      startStream(task, this.#jobs, source, GOAL.build, limits, mode),
    );
  }

  /** Submits what reads `source`, which is closed if that never starts. */
  async #read<T>(
    operation: Operation,
    source: AsyncIterable<unknown>,
    options: TaskOptions,
    start: (task: Task) => void,
  ): Promise<T> {
    try {
      this.#tasks.admit(options);
    } catch (error) {
      abandon(source);
      throw error;
    }
    return this.#tasks.submit<T>(operation, options, start, false);
  }

  /**
   * Reads newline-delimited JSON from a file, by its path or URL, or from a stream: batches of its values, of some
   * 64 KiB of text each, read no faster than they are asked for. A string is a path, unlike that of `openDocument`.
   *
   * Blank lines are left out. The iteration ends with JSONSyntaxError at the first line that is not JSON, or with
   * JSONLimitError at one beyond `maxLineBytes`, unless `onBadLine` is given; else it fails as `parseFile` does. To
   * leave it early closes the file or stream. Its task and `timeout` begin with the first batch that is asked for.
   */
  ndjson<T = any>(
    source:
      | string
      | URL
      | { path: string | URL }
      | Iterable<string | Uint8Array>
      | AsyncIterable<string | Uint8Array>,
    options?: NDJSONOptions | null,
  ): AsyncGenerator<T[], void, undefined> {
    const checked = checkCall<NDJSONOptions>(options, NAMES.lines);
    const path = typeof source === 'string' ? source : pathOf(source);
    const chunks = path === undefined ? asyncIterable(source as Iterable<unknown>) : fileChunks(path);
    const batches = new Batches();
    return new Iteration(this.#lines<T>(chunks, batches, checked), (begun) => {
      if (begun) batches.leave();
      else abandon(chunks);
    });
  }

  async *#lines<T>(
    source: AsyncIterable<unknown>,
    batches: Batches,
    options: NDJSONOptions,
  ): AsyncGenerator<T[], void, undefined> {
    const { mode = 'auto', onBadLine } = options;
    const limits = limitsOf(options);
    const result = this.#read<void>('ndjson', source, options, (task) =>
      startLines(task, this.#jobs, source, batches, limits, mode, onBadLine),
    );
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
   * Keeps a document as text outside of JavaScript's heap, and answers JSON pointers from it: the text itself, as a
   * string, unlike that of `ndjson`, or bytes; or the text of a file, by its URL or `{ path }`, which may be
   * compressed.
   *
   * Rejects as `parse` and `parseFile` do.
   */
  async openDocument(
    source: string | Uint8Array | URL | { path: string | URL },
    options?: OpenDocumentOptions | null,
  ): Promise<JSONDocument> {
    const checked = checkCall<OpenDocumentOptions>(options, NAMES.document);
    const limits = limitsOf(checked);
    const path = pathOf(source);
    const input = path === undefined ? new WholeInput(textOrBytes(source)) : undefined;
    const start = (task: Task): void => {
      if (path !== undefined) startStream(task, this.#jobs, fileChunks(path), GOAL.keep, limits, 'auto');
      else startConstruction(task, this.#jobs, GOAL.keep, 0, limits, input!);
    };
    const native = await this.#tasks.submit<NativeDocument>('document', checked, start, path === undefined);
    return new JSONDocument(native, this.#builder);
  }

  /** Builds what a job of an open document tells; the job keeps the text, even if it has to wait for its turn. */
  async #build<T>(options: TaskOptions, openJob: () => number): Promise<T> {
    this.#tasks.admit(options);
    const job = openJob();
    let started = false;
    try {
      return await this.#tasks.submit<T>('document', options, (task) => {
        started = true;
        startJob(task, this.#jobs, job);
      });
    } finally {
      if (!started) this.#jobs.native.drop(job);
    }
  }

  /** Live figures; the keys are those of the original. */
  getStats(): JSONWorkerPoolStats {
    const figures = this.#figures;
    return {
      totalProcessed: figures.processed,
      errorCount: figures.failed,
      avgProcessingTime: figures.meanDuration,
      activeWorkers: this.#jobs.native.threads(),
      queueSize: this.#tasks.queued,
      memoryUsage: process.memoryUsage(),
    };
  }

  /** Live figures, by cause and as percentiles. */
  metrics(): JSONWorkerPoolMetrics {
    const figures = this.#figures;
    return {
      threads: this.#jobs.native.threads(),
      queued: this.#tasks.queued,
      active: this.#tasks.active,
      processed: figures.processed,
      direct: figures.direct,
      errors: { ...figures.errors },
      bytes: { parsed: figures.parsed, written: figures.written },
      queueTime: figures.waits.summary(),
      nativeTime: figures.nativeTime.summary(),
      mainTime: figures.mainTime.summary(),
      duration: figures.durations.summary(),
    };
  }

  /**
   * Resolves once all calls made before have settled, well or not. Iterations, of `ndjson` and of `as: 'chunks'`, are
   * not waited for: they go on as fast as their caller asks them to.
   */
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
