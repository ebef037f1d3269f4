import { asyncDispose } from './dispose.js';
import { LogError } from './errors.js';
import { ObservableEmitter } from './events.js';
import { textOf } from './log/careful.js';
import { ChildLogger } from './log/child.js';
import { encode } from './log/encode.js';
import { atExit, notAtExit } from './log/exit.js';
import { LEVELS, type LogLevel, SEVERITY } from './log/levels.js';
import { COUNT, type NativeLog, ROOM, TOLD } from './log/native.js';
import { type LogSettings, logSettings, type WorkerAsyncLoggerOptions } from './log/options.js';
import { binding } from './native.js';
import { invalid, oneOf } from './validate.js';

/** What a logger tells of itself. Times are in milliseconds. */
export interface WorkerAsyncLoggerStats {
  /** Lines in the file, of all loggers of the process that write to it. */
  totalLogs: number;
  /** Lines of this logger with that level. */
  errorCount: number;
  warnCount: number;
  /** What an append took, for each of its lines. */
  avgProcessingTime: number;
  /** Lines that wait. */
  bufferSize: number;
  workerUptime: number;
  /** Lines that this logger has handed over. */
  sentLogs: number;
  /** Lines that were dropped, for whatever reason. */
  droppedLogs: number;
  /** From the call until the line was in the file. */
  avgLatency: number;
}

/** Counters of a logger. */
export interface WorkerAsyncLoggerMetrics {
  /** Lines of this logger by level. */
  levels: Record<LogLevel, number>;
  /** The following are of all loggers of the process that write to the file. Lines that were taken in, and that are in it. */
  accepted: number;
  written: number;
  bytes: number;
  /** Lines by why they were dropped: no room, longer than all room, after the end, given up at the end. */
  dropped: { full: number; oversized: number; closed: number; lost: number };
  waiting: { lines: number; bytes: number };
  /** Appends, and those that failed. */
  writes: number;
  failures: number;
  rotations: number;
}

/** Events of a logger, and what their listeners get. */
export interface WorkerAsyncLoggerEvents extends Record<string, unknown> {
  /** The file cannot be written; lines wait. Told once until it can. */
  error: LogError;
  /** It could be written again. */
  recovered: { downMs: number };
  /** The file has another name now. */
  rotated: { file: string };
}

interface Waiter {
  resolve(): void;
  reject(error: LogError): void;
}

/**
 * Writes lines of JSON to a file, without waiting for it: a native thread does. A line that was taken in is in native memory
 * at once, and gets to the file though the event loop is blocked, the worker thread is terminated, or the process exits, by an
 * uncaught exception too; only a process that is killed loses what was not written yet, up to `flushInterval` of it.
 *
 * Loggers of one file share its queue and thread in all threads of a process; several processes can share a file. Logging
 * never throws. Nothing of a logger keeps the process alive but a flush under way.
 *
 * Events: see {@link WorkerAsyncLoggerEvents}.
 */
export class WorkerAsyncLogger extends ObservableEmitter<WorkerAsyncLoggerEvents> {
  readonly #settings: LogSettings;
  readonly #native: NativeLog;
  readonly #numbers = new Float64Array(ROOM);
  readonly #waiters = new Map<number, Waiter>();
  readonly #levels = new Float64Array(LEVELS.length);
  readonly #started = performance.now();
  #level: number;
  /** Lines after the end. */
  #late = 0;
  #end: Promise<void> | undefined;

  /**
   * @param logFile the file; its folder is made
   * @param maxFileSize bytes from which on it is rotated
   * @param maxBuffer lines that may wait
   * @throws InvalidArgumentError for a value of the wrong type or out of range, and where the file is open in this process with
   *   other options
   */
  constructor(logFile?: string, maxFileSize?: number, maxBuffer?: number);
  constructor(options: WorkerAsyncLoggerOptions);
  constructor(first?: string | WorkerAsyncLoggerOptions, maxFileSize?: number, maxBuffer?: number) {
    super('logger');
    const isObject = typeof first === 'object' && first !== null;
    this.#settings = logSettings(isObject ? first : { logFile: first, maxFileSize, maxBuffer });
    this.#level = this.#settings.level;
    const { logFile, numbers } = this.#settings;
    this.#native = binding.createLog(logFile, numbers, this.#numbers, () => this.#take());
    atExit(this.#leave);
  }

  /** Writes a line: its time, level, message and metadata, of which requestId, userId and service are told beside it too. */
  log(level: LogLevel, message: string, metadata?: any): void {
    const severity = SEVERITY[level] ?? SEVERITY.info;
    if (severity < this.#level) return;
    if (this.#end !== undefined) {
      this.#late++;
      return;
    }
    const text = typeof message === 'string' ? message : textOf(message);
    // From warnings on a line is written at once: what comes next may be the end.
    const isUrgent = severity >= SEVERITY.warn ? 1 : 0;
    this.#levels[severity]!++;
    this.#native.push(isUrgent, encode(Date.now(), level, text, metadata));
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
   * A logger to the same file whose lines have these members in their metadata.
   *
   * @throws InvalidArgumentError if they are no object
   */
  child(bindings: object): ChildLogger {
    if (typeof bindings !== 'object' || bindings === null) invalid('bindings', 'an object', bindings);
    return new ChildLogger(this, { ...bindings });
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
   * Resolves when all that was logged before is in the file, and if `durable` on the disk. Rejects with LogError where that is
   * not possible within `timeout`; the lines are kept.
   */
  async flush({ durable = false }: { durable?: boolean | undefined } = {}): Promise<void> {
    if (this.#end !== undefined) return this.#end;
    return this.#wait(this.#native.flush(durable ? 1 : 0, this.#settings.timeout));
  }

  /** Gives the file the name `NAME-<stamp>.EXT` behind all that was logged before, and begins a new one. Rejects as `flush`. */
  async rotate(): Promise<void> {
    if (this.#end !== undefined) return this.#end;
    return this.#wait(this.#native.rotate(this.#settings.timeout));
  }

  /** Opens the file anew, for who has given it another name, as logrotate does. */
  reopen(): void {
    if (this.#end === undefined) this.#native.reopen();
  }

  /**
   * Writes what was logged, and ends the logger; logging does nothing from now on but to be counted. Where the file cannot be
   * written within `timeout`, an `error` event says how many lines are lost. Calling it again gives the same promise.
   */
  destroy(): Promise<void> {
    this.#end ??= this.#finish();
    return this.#end;
  }

  async #finish(): Promise<void> {
    try {
      await this.#wait(this.#native.flush(0, this.#settings.timeout));
    } catch (error) {
      const left = this.#count(COUNT.waitingLines);
      this.announce('error', new LogError(`${left} lines were lost: ${(error as LogError).message}`));
    } finally {
      notAtExit(this.#leave);
      this.#native.close();
    }
  }

  async [asyncDispose](): Promise<void> {
    await this.destroy();
  }

  async getStats(): Promise<WorkerAsyncLoggerStats> {
    const { accepted, written, dropped, waiting } = this.metrics();
    const [writeTime, latency] = [this.#count(COUNT.writeTime), this.#count(COUNT.latency)];
    const each = (microseconds: number): number => (written === 0 ? 0 : microseconds / 1000 / written);
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

  /** Counters from the beginning on. */
  metrics(): WorkerAsyncLoggerMetrics {
    this.#native.counts();
    const at = (place: number): number => this.#numbers[place]!;
    const levels = Object.fromEntries(LEVELS.map((level, place) => [level, this.#levels[place]!]));
    return {
      levels: levels as Record<LogLevel, number>,
      accepted: at(COUNT.accepted),
      written: at(COUNT.written),
      bytes: at(COUNT.bytes),
      dropped: {
        full: at(COUNT.droppedFull),
        oversized: at(COUNT.droppedOversized),
        closed: at(COUNT.droppedClosed) + this.#late,
        lost: at(COUNT.droppedLost),
      },
      waiting: { lines: at(COUNT.waitingLines), bytes: at(COUNT.waitingBytes) },
      writes: at(COUNT.writes),
      failures: at(COUNT.failures),
      rotations: at(COUNT.rotations),
    };
  }

  /** The process ends. */
  readonly #leave = (): void => {
    this.#native.drain(this.#settings.timeout);
  };

  #count(place: number): number {
    this.#native.counts();
    return this.#numbers[place]!;
  }

  #wait(ticket: number): Promise<void> {
    if (this.#waiters.size === 0) this.#native.hold(1);
    return new Promise((resolve, reject) => this.#waiters.set(ticket, { resolve, reject }));
  }

  #take(): void {
    for (let kind = this.#native.take(); kind !== TOLD.nothing; kind = this.#native.take()) {
      const [number = 0] = this.#numbers;
      const text = this.#native.text();
      if (kind === TOLD.done) this.#waiter(number)?.resolve();
      else if (kind === TOLD.notDone) this.#waiter(number)?.reject(new LogError(`Not flushed: ${text}`));
      else if (kind === TOLD.failed) this.announce('error', new LogError(text, number || undefined));
      else if (kind === TOLD.recovered) this.announce('recovered', { downMs: number });
      else this.announce('rotated', { file: text });
    }
  }

  #waiter(ticket: number): Waiter | undefined {
    const waiter = this.#waiters.get(ticket);
    this.#waiters.delete(ticket);
    if (this.#waiters.size === 0) this.#native.hold(0);
    return waiter;
  }
}
