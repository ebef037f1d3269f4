import { InvalidArgumentError, LogError } from '../errors.js';
import type { LatencySummary } from '../histogram.js';
import { binding } from '../native.js';
import type { DestinationSettings } from './destinationOptions.js';
import {
  COUNT,
  HAS_METADATA,
  HAS_MORE,
  type NativeLog,
  type NativeLogNumbers,
  ROOM,
  TOLD,
} from './native.js';
import { pretty } from './pretty.js';

/** Counters of a destination, of all loggers of the process that write to it, from the beginning on. */
export interface LogDestinationMetrics {
  /** The file, or the name of the stream. */
  destination: string;
  /** Lines that were taken in, and that are written. */
  accepted: number;
  written: number;
  bytes: number;
  /** Lines that a process which was killed had left, and that are written now. */
  recovered: number;
  /** Lines by why they were dropped: no room, longer than all room, after the end, given up at the end. */
  dropped: { full: number; oversized: number; closed: number; lost: number };
  waiting: { lines: number; bytes: number };
  /** Appends, those that failed, and the time that they took in milliseconds. */
  writes: number;
  failures: number;
  writeTime: number;
  rotations: number;
  /** From the call until the line was written, in milliseconds. */
  latency: LatencySummary;
}

/** What a destination tells. */
export interface DestinationListener {
  failed(error: LogError): void;
  recovered(downMs: number): void;
  rotated(file: string): void;
}

interface Waiter {
  resolve(): void;
  reject(error: LogError): void;
}

/** Of native numbers, in their order. */
const ORDER: readonly (keyof NativeLogNumbers)[] = [
  ...([
    'target',
    'maxBytes',
    'maxLines',
    'onFull',
    'wait',
    'flushInterval',
    'flushBytes',
    'timeout',
  ] as const),
  ...(['journal', 'numbered', 'maxSize', 'timezone', 'keepCount', 'keepAge', 'keepBytes'] as const),
  ...(['compression', 'mode'] as const),
];

/** Room of a line beside its metadata and message. */
const FRAME = 1024;

/** A file or a stream that lines go to. */
export class Destination {
  readonly name: string;
  /** Of the least line that comes here. */
  readonly severity: number;
  /** Whether lines come whole, to be made readable. */
  readonly isPretty: boolean;
  readonly #native: NativeLog;
  readonly #numbers = new Float64Array(ROOM);
  readonly #waiters = new Map<number, Waiter>();
  readonly #listener: DestinationListener;
  readonly #timeout: number;
  readonly #room: number;
  readonly #hasColors: boolean;
  readonly #hasJournal: boolean;

  /** @throws InvalidArgumentError, LogError where a journal cannot be made */
  constructor(settings: DestinationSettings, listener: DestinationListener) {
    const { name, severity, rotation, symlink, numbers, timeout } = settings;
    [this.name, this.severity, this.#timeout, this.#listener] = [name, severity, timeout, listener];
    this.#hasJournal = numbers.journal === 1;
    this.#room = Math.max(0, numbers.maxBytes - FRAME);
    [this.isPretty, this.#hasColors] =
      settings.pretty === false ? [false, false] : look(name, settings.pretty);
    // What is for readers has no numbers.
    const own = this.isPretty ? { ...numbers, numbered: 0 } : numbers;
    this.#native = typed(() =>
      binding.createLog(
        name,
        rotation,
        symlink,
        Float64Array.from(ORDER, (place) => own[place]),
        this.#numbers,
        () => this.#take(),
      ),
    );
  }

  /** The JSON of metadata, or what stands in its place where a line with it would be longer than all that may wait. */
  fitting(message: string, json: string | undefined): string | undefined {
    return json === undefined || this.#fits(message, json) ? json : JSON.stringify(tooLarge(json));
  }

  /** Takes in what native code makes a line of: see {@link NativeLog.entry}. */
  entry(kind: number, time: number, message: string, metadata: string | undefined, more: string): void {
    const flags = (metadata === undefined ? 0 : HAS_METADATA) | (more === '' ? 0 : HAS_MORE);
    this.#native.entry(kind | flags, time, message, metadata, more);
  }

  /** Takes a whole line in. */
  line(urgency: number, line: string): void {
    this.#native.line(urgency, this.isPretty ? pretty(line, this.#hasColors) : line);
  }

  /** Whether a line with these is no longer than what may wait, whatever its encoding. */
  #fits(message: string, json: string): boolean {
    return (
      3 * (message.length + json.length) <= this.#room ||
      Buffer.byteLength(message) + Buffer.byteLength(json) <= this.#room
    );
  }

  flush(durable: boolean): Promise<void> {
    return this.#wait(this.#native.flush(durable ? 1 : 0, this.#timeout));
  }

  rotate(): Promise<void> {
    return this.#wait(this.#native.rotate(this.#timeout));
  }

  reopen(): void {
    this.#native.reopen();
  }

  /** What becomes of lines that were not written when it is closed. */
  fate(): string {
    const { lines } = this.metrics().waiting;
    return `${lines} lines ${this.#hasJournal ? 'are left to the next logger of the file' : 'were lost'}`;
  }

  /** Has what was logged written at once, which nobody waits for. */
  push(): void {
    this.#native.flush(0, this.#timeout);
  }

  /** Blocks until all is written, as long as that may take, of which so many ms have passed. */
  drain(passed: number): void {
    this.#native.drain(Math.max(0, this.#timeout - passed));
  }

  /** Ends it; with the last handle what is left is given up unless it is written within so many ms. */
  async close(patience: number = this.#timeout): Promise<void> {
    await this.#wait(this.#native.close(patience));
    this.#native.release();
  }

  metrics(): LogDestinationMetrics {
    this.#native.counts();
    const at = (place: keyof typeof COUNT): number => this.#numbers[COUNT[place]]!;
    return {
      destination: this.name,
      accepted: at('accepted'),
      written: at('written'),
      bytes: at('bytes'),
      recovered: at('recovered'),
      dropped: {
        full: at('droppedFull'),
        oversized: at('droppedOversized'),
        closed: at('droppedClosed'),
        lost: at('droppedLost'),
      },
      waiting: { lines: at('waitingLines'), bytes: at('waitingBytes') },
      writes: at('writes'),
      failures: at('failures'),
      writeTime: at('writeTime') / 1000,
      rotations: at('rotations'),
      latency: {
        count: at('written'),
        ...{
          p50: at('p50'),
          p90: at('p90'),
          p99: at('p99'),
          p999: at('p999'),
          max: at('max'),
          mean: at('mean'),
        },
      },
    };
  }

  #wait(ticket: number): Promise<void> {
    if (this.#waiters.size === 0) this.#native.hold(1);
    return new Promise((resolve, reject) => this.#waiters.set(ticket, { resolve, reject }));
  }

  #take(): void {
    for (let kind = this.#native.take(); kind !== TOLD.nothing; kind = this.#native.take()) {
      const [number = 0] = this.#numbers;
      this.#tell(kind, number, this.#native.text());
    }
  }

  #tell(kind: number, number: number, text: string): void {
    if (kind === TOLD.done) this.#waiter(number)?.resolve();
    else if (kind === TOLD.notDone) this.#waiter(number)?.reject(new LogError(`Not flushed: ${text}`));
    else if (kind === TOLD.recovered) this.#listener.recovered(number);
    else if (kind === TOLD.rotated) this.#listener.rotated(text);
    else this.#listener.failed(new LogError(text, number || undefined));
  }

  #waiter(ticket: number): Waiter | undefined {
    const waiter = this.#waiters.get(ticket);
    this.#waiters.delete(ticket);
    if (this.#waiters.size === 0) this.#native.hold(0);
    return waiter;
  }
}

/** Whether lines are made readable, and coloured. The streams of Node are not even made where nobody wants that. */
function look(name: string, wanted: true | 'auto'): [isPretty: boolean, hasColors: boolean] {
  const stream = name === 'stderr' ? process.stderr : process.stdout;
  const isTerminal = Boolean(stream.isTTY);
  return [wanted === true || isTerminal, isTerminal && stream.hasColors()];
}

function tooLarge(json: string): string {
  return `[Too large: ${json.length} units of JSON]`;
}

/** Native errors have their code at the head of their message. */
function typed(open: () => NativeLog): NativeLog {
  try {
    return open();
  } catch (error) {
    const [, code, text] = /^(ERR_KEELSON_\w+): (.*)$/s.exec((error as Error).message) ?? [];
    if (code === 'ERR_KEELSON_INVALID_ARGUMENT') throw new InvalidArgumentError(text!);
    if (code === 'ERR_KEELSON_LOG') throw new LogError(text!);
    throw error;
  }
}
