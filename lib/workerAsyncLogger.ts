import { asyncDispose } from './dispose.js';
import { LogError } from './errors.js';
import { ObservableEmitter } from './events.js';
import { ChildLogger } from './log/child.js';
import { Destination, type LogDestinationMetrics } from './log/destination.js';
import { jsonOf, liftsOf, lineOf, plainOf } from './log/encode.js';
import { LEVELS, type LogLevel, SEVERITY } from './log/levels.js';
import { ISO, LEVEL_SHIFT, LIFTS_SHIFT } from './log/native.js';
import { type LogSettings, logSettings, type WorkerAsyncLoggerOptions } from './log/options.js';
import { atExit, atHangup } from './log/processEvents.js';
import { textOf, thrown } from './log/text.js';
import { traceMembers } from './log/trace.js';
import { observe } from './metrics/member.js';
import { readLogger } from './metrics/readers/logger.js';
import { boolean, oneOf, options as optionsOf } from './validate.js';

/** What a logger tells of itself. Times are in milliseconds. */
export interface WorkerAsyncLoggerStats {
  /** Lines that are written, of all loggers of the process that write there. */
  totalLogs: number;
  /** Lines of this logger with that level. */
  errorCount: number;
  warnCount: number;
  /** What an append took, for each of its lines. */
  avgProcessingTime: number;
  /** Lines that wait. */
  bufferSize: number;
  workerUptime: number;
  /** Lines that were taken in. */
  sentLogs: number;
  /** Lines that were dropped, for whatever reason. */
  droppedLogs: number;
  /** From the call until the line was written. */
  avgLatency: number;
}

/** Counters of a logger. */
export interface WorkerAsyncLoggerMetrics extends Omit<LogDestinationMetrics, 'destination' | 'latency'> {
  /** Lines of this logger by level. */
  levels: Record<LogLevel, number>;
  /**
   * Each by itself; the counters beside it are their sums. `dropped.closed` and `dropped.lost` also have what reached none: lines
   * after the end of this logger, and such as could not be made.
   */
  destinations: LogDestinationMetrics[];
}

/** Events of a logger, and what their listeners get. */
export interface WorkerAsyncLoggerEvents extends Record<string, unknown> {
  /**
   * A destination cannot be written, and lines wait: told once until it can. Or a rotated file could not be compressed or removed,
   * or the journal of a process that was killed cannot be read.
   */
  error: LogError;
  /** It could be written again. */
  recovered: { destination: string; downMs: number };
  /** The file has another name now. */
  rotated: { destination: string; file: string };
}

/**
 * Writes lines of JSON to files and streams, without waiting for them: native threads do. A line that was taken in is in native
 * memory at once, and gets there though the event loop is blocked, the worker thread is terminated, or the process exits, by an
 * uncaught exception too; only a process that is killed loses what was not written yet, up to `flushInterval` of it, and not even
 * that with `mode: 'mmap'` or by `durability`.
 *
 * Loggers of one file share its queue and thread in all threads of a process; several processes can share a file. Logging
 * never throws. Nothing of a logger keeps the process alive but a flush under way.
 *
 * Events: see {@link WorkerAsyncLoggerEvents}.
 */
export class WorkerAsyncLogger extends ObservableEmitter<WorkerAsyncLoggerEvents> {
  readonly #settings: LogSettings;
  readonly #destinations: readonly Destination[];
  /** Of the least line that any destination takes. */
  readonly #least: number;
  /** Whether lines are made here as a whole: native code has no such timestamp. */
  readonly #isWhole: boolean;
  readonly #levels = new Float64Array(LEVELS.length);
  readonly #started = performance.now();
  #level: number;
  /** Lines after the end. */
  #late = 0;
  /** Lines that could not be made. */
  #unmade = 0;
  #end: Promise<void> | undefined;
  /** What was not written at the end. */
  #loss: LogError | undefined;

  /**
   * @param logFile the file; its folder is made
   * @param maxFileSize bytes from which on it is rotated
   * @param maxBuffer lines that may wait
   * @throws InvalidArgumentError for a value of the wrong type or out of range, and where the file is open in this process with
   *   other options; LogError where the file of `mode: 'mmap'` cannot be made
   */
  constructor(logFile?: string, maxFileSize?: number, maxBuffer?: number);
  constructor(options: WorkerAsyncLoggerOptions);
  constructor(first?: string | WorkerAsyncLoggerOptions, maxFileSize?: number, maxBuffer?: number) {
    super('logger');
    const isObject = typeof first === 'object' && first !== null;
    this.#settings = logSettings(isObject ? first : { logFile: first, maxFileSize, maxBuffer });
    this.#level = this.#settings.severity;
    this.#isWhole = typeof this.#settings.timestamp === 'function';
    this.#destinations = this.#open();
    this.#least = Math.min(...this.#destinations.map(({ severity }) => severity));
    for (const destination of this.#destinations) atExit.add(destination);
    if (this.#settings.onSighup) atHangup.add(this.#hangUp);
    observe(this, readLogger);
  }

  /** Opens all destinations, or none. */
  #open(): Destination[] {
    const opened: Destination[] = [];
    try {
      for (const settings of this.#settings.destinations) {
        const { name: destination } = settings;
        opened.push(
          new Destination(settings, {
            failed: (error) => this.announce('error', error),
            recovered: (downMs) => this.announce('recovered', { destination, downMs }),
            rotated: (file) => this.announce('rotated', { destination, file }),
          }),
        );
      }
    } catch (error) {
      for (const destination of opened) void destination.close();
      throw error;
    }
    return opened;
  }

  /** Writes a line: its time, level, message and metadata, of which requestId, userId and service are told beside it too. */
  log(level: LogLevel, message: string, metadata?: any): void {
    const known: number | undefined = typeof level === 'string' ? SEVERITY[level] : undefined;
    const severity = known ?? SEVERITY.info;
    if (severity < this.#level || severity < this.#least) return;
    if (this.#end !== undefined) {
      this.#late++;
      return;
    }
    this.#levels[severity]!++;
    try {
      this.#write(level, severity, known === undefined, message, metadata);
    } catch (error) {
      this.#writeFailure(level, severity, error);
    }
  }

  #write(level: LogLevel, severity: number, isOther: boolean, message: string, metadata: unknown): void {
    const { prepare, urgencies, traceContext, timestamp } = this.#settings;
    const text = textOf(message);
    const plain = plainOf(prepare === undefined ? metadata : prepare(level, metadata));
    const json = jsonOf(plain);
    const lifts = liftsOf(plain);
    const more = traceContext ? traceMembers() : '';
    const urgency = urgencies[severity]!;
    // Native code knows neither other levels nor half a pair of surrogates.
    const isWhole = this.#isWhole || isOther || !text.isWellFormed();
    const time = Date.now();
    const kind =
      urgency | (severity << LEVEL_SHIFT) | (timestamp === 'iso' ? ISO : 0) | (lifts << LIFTS_SHIFT);
    let stamp: number | string | undefined;
    for (const destination of this.#destinations) {
      if (severity < destination.severity) continue;
      const fitting = destination.fitting(text, json);
      if (isWhole || destination.isPretty) {
        stamp ??= this.#timestamp(time);
        destination.line(urgency, lineOf(stamp, textOf(level), text, fitting, lifts, more));
      } else {
        destination.entry(kind, time, text, fitting, more);
      }
    }
  }

  /** Where no line could be made: there is no stack left, or somebody changed what it is made with. */
  #writeFailure(level: LogLevel, severity: number, error: unknown): void {
    try {
      const message = `[Not logged: ${thrown(error)}]`;
      const line = lineOf(Date.now(), textOf(level), message, undefined, 0, '');
      for (const destination of this.#destinations) {
        if (severity >= destination.severity) destination.line(this.#settings.urgencies[severity]!, line);
      }
    } catch {
      this.#unmade++;
    }
  }

  #timestamp(time: number): number | string {
    const { timestamp } = this.#settings;
    if (timestamp === 'epoch') return time;
    if (timestamp === 'iso') return new Date(time).toISOString();
    try {
      const given = timestamp();
      if (typeof given !== 'number') return textOf(given);
      return Number.isFinite(given) ? given : time;
    } catch {
      return time;
    }
  }

  trace(message: string, metadata?: any): void {
    this.log('trace', message, metadata);
  }

  debug(message: string, metadata?: any): void {
    this.log('debug', message, metadata);
  }

  info(message: string, metadata?: any): void {
    this.log('info', message, metadata);
  }

  warn(message: string, metadata?: any): void {
    this.log('warn', message, metadata);
  }

  error(message: string, metadata?: any): void {
    this.log('error', message, metadata);
  }

  fatal(message: string, metadata?: any): void {
    this.log('fatal', message, metadata);
  }

  /**
   * A logger to the same destinations whose lines have these members in their metadata.
   *
   * @throws InvalidArgumentError if they are no object
   */
  child(bindings: object): ChildLogger {
    return new ChildLogger(this, bindings);
  }

  /** Lines below it are not made. */
  get level(): LogLevel {
    return LEVELS[this.#level]!;
  }

  /** @throws InvalidArgumentError */
  set level(level: LogLevel) {
    this.#level = SEVERITY[oneOf('level', level, LEVELS)];
  }

  /**
   * Resolves when all that was logged before is written, and if `durable` on the disk. Rejects with LogError where that is not
   * possible within `timeout`; the lines are kept, unless that was the end of the logger.
   */
  async flush(options: { durable?: boolean | undefined } = {}): Promise<void> {
    const { durable = false } = optionsOf<{ durable?: boolean | undefined }>('options', options, ['durable']);
    boolean('durable', durable);
    return this.#ask((destination) => destination.flush(durable));
  }

  /** Gives files the name `NAME-<stamp>.EXT` behind all that was logged before, and begins new ones. Rejects as `flush`. */
  async rotate(): Promise<void> {
    return this.#ask((destination) => destination.rotate());
  }

  /** Opens files anew, for who has given them another name, as logrotate does. */
  reopen(): void {
    if (this.#end !== undefined) return;
    for (const destination of this.#destinations) destination.reopen();
  }

  /** Waits for all, though one fails; after the end, for that. */
  async #ask(ask: (destination: Destination) => Promise<void>): Promise<void> {
    if (this.#end !== undefined) {
      await this.#end;
      if (this.#loss !== undefined) throw this.#loss;
      return;
    }
    const outcomes = await Promise.allSettled(this.#destinations.map(ask));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /**
   * Writes what was logged, and ends the logger; logging does nothing from now on but to be counted. Where a destination cannot be
   * written within `timeout`, an `error` event says how many lines are lost. Calling it again gives the same promise.
   */
  destroy(): Promise<void> {
    this.#end ??= this.#finish();
    return this.#end;
  }

  async #finish(): Promise<void> {
    atHangup.delete(this.#hangUp);
    await Promise.all(this.#destinations.map((destination) => this.#close(destination)));
  }

  async #close(destination: Destination): Promise<void> {
    let patience: number | undefined;
    try {
      await destination.flush(false);
    } catch (error) {
      const loss = new LogError(`${destination.fate()}: ${(error as LogError).message}`);
      this.#loss ??= loss;
      this.announce('error', loss);
      patience = 0;
    }
    await destination.close(patience);
    atExit.delete(destination);
  }

  async [asyncDispose](): Promise<void> {
    await this.destroy();
  }

  async getStats(): Promise<WorkerAsyncLoggerStats> {
    const { accepted, written, dropped, waiting, writeTime, destinations } = this.metrics();
    const latency = destinations.reduce((sum, one) => sum + one.latency.mean * one.written, 0);
    const each = (time: number): number => (written === 0 ? 0 : time / written);
    return {
      totalLogs: written,
      errorCount: this.#levels[SEVERITY.error]!,
      warnCount: this.#levels[SEVERITY.warn]!,
      avgProcessingTime: each(writeTime),
      bufferSize: waiting.lines,
      workerUptime: performance.now() - this.#started,
      sentLogs: accepted,
      droppedLogs: dropped.full + dropped.oversized + dropped.closed + dropped.lost,
      avgLatency: each(latency),
    };
  }

  /** Counters from the beginning on, at this moment. */
  metrics(): WorkerAsyncLoggerMetrics {
    const destinations = this.#destinations.map((destination) => destination.metrics());
    const sum = (read: (metrics: LogDestinationMetrics) => number): number =>
      destinations.reduce((total, metrics) => total + read(metrics), 0);
    const levels = Object.fromEntries(LEVELS.map((level, place) => [level, this.#levels[place]!]));
    return {
      levels: levels as Record<LogLevel, number>,
      accepted: sum(({ accepted }) => accepted),
      written: sum(({ written }) => written),
      bytes: sum(({ bytes }) => bytes),
      recovered: sum(({ recovered }) => recovered),
      dropped: {
        full: sum(({ dropped }) => dropped.full),
        oversized: sum(({ dropped }) => dropped.oversized),
        closed: sum(({ dropped }) => dropped.closed) + this.#late,
        lost: sum(({ dropped }) => dropped.lost) + this.#unmade,
      },
      waiting: {
        lines: sum(({ waiting }) => waiting.lines),
        bytes: sum(({ waiting }) => waiting.bytes),
      },
      writes: sum(({ writes }) => writes),
      failures: sum(({ failures }) => failures),
      writeTime: sum(({ writeTime }) => writeTime),
      rotations: sum(({ rotations }) => rotations),
      destinations,
    };
  }

  readonly #hangUp = (): void => {
    if (this.#settings.onSighup === 'reopen') this.reopen();
    else this.rotate().catch((error: LogError) => this.announce('error', error));
  };
}
