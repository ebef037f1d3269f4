import { QueueFullError, TimeoutError } from '../errors.js';
import { type Abortable, unwatch, watch } from '../signals.js';
import { destroyed } from './memory.js';
import type { Answer } from './result.js';

/** The longest delay of a timer, in milliseconds. */
const LONGEST = 2 ** 31 - 1;

/** What a call that waits asks for. */
export interface Wait {
  readonly key: string;
  readonly cost: number;
  readonly signal: AbortSignal | undefined;
  /** Milliseconds, Infinity allowed. */
  readonly timeout: number;
  /** Calls that may wait for the key before it. */
  readonly maxWaiting: number;
}

/** How the first in line tries. */
export interface Attempts<T extends Answer> {
  /** Takes the units, or tells how long to wait. */
  attempt(key: string, cost: number): Promise<T>;
  /** Gives back what came too late. */
  undo(key: string, answer: T): void;
}

/** A call that waits. */
class Waiter<T> implements Abortable {
  timer: NodeJS.Timeout | undefined;
  isOver = false;

  constructor(
    readonly wait: Wait,
    readonly resolve: (answer: T) => void,
    readonly reject: (error: unknown) => void,
    private readonly leave: (waiter: Waiter<T>) => void,
  ) {}

  /** Begins to watch the time and the signal. */
  start(): void {
    const { signal, timeout } = this.wait;
    if (signal !== undefined) watch(signal, this);
    if (timeout <= LONGEST) {
      const late = (): void =>
        this.cancel(new TimeoutError(`Waiting for '${shown(this.wait.key)}'`, timeout));
      this.timer = setTimeout(late, Math.ceil(timeout));
    }
  }

  cancel(reason: unknown): void {
    if (this.isOver) return;
    this.end();
    this.leave(this);
    this.reject(reason);
  }

  end(): void {
    this.isOver = true;
    if (this.timer !== undefined) clearTimeout(this.timer);
    if (this.wait.signal !== undefined) unwatch(this.wait.signal, this);
  }
}

const shown = (key: string): string => (key.length > 40 ? `${key.slice(0, 40)}…` : key);

/** Those who wait for a key. Only the first one tries, and the next after it. */
interface Line<T> {
  readonly waiters: Waiter<T>[];
  timer: NodeJS.Timeout | undefined;
  isTrying: boolean;
}

/** Calls that wait until their key has room, each key's in the order in which they came. */
export class WaitingLines<T extends Answer> {
  private readonly lines = new Map<string, Line<T>>();
  private count = 0;

  constructor(private readonly attempts: Attempts<T>) {}

  /** How many wait. */
  get size(): number {
    return this.count;
  }

  /** Resolves when the units are taken. */
  join(wait: Wait): Promise<T> {
    const { key, signal, maxWaiting } = wait;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const line = this.lines.get(key) ?? this.open(key);
    if (line.waiters.length > maxWaiting) return Promise.reject(full(maxWaiting));
    return new Promise((resolve, reject) => {
      const waiter = new Waiter<T>(wait, resolve, reject, () => this.left(key, line, waiter));
      line.waiters.push(waiter);
      this.count++;
      waiter.start();
      if (line.waiters.length === 1) this.serve(key, line);
    });
  }

  /** Something of a key was given back: its first may try at once. */
  hurry(key: string): void {
    const line = this.lines.get(key);
    if (line?.timer !== undefined) this.serve(key, line);
  }

  close(): void {
    for (const line of this.lines.values()) {
      clearTimeout(line.timer);
      for (const waiter of line.waiters.splice(0)) {
        waiter.end();
        waiter.reject(destroyed());
      }
    }
    this.lines.clear();
    this.count = 0;
  }

  private open(key: string): Line<T> {
    const line: Line<T> = { waiters: [], timer: undefined, isTrying: false };
    this.lines.set(key, line);
    return line;
  }

  private left(key: string, line: Line<T>, waiter: Waiter<T>): void {
    const place = line.waiters.indexOf(waiter);
    if (place < 0) return;
    line.waiters.splice(place, 1);
    this.count--;
    if (place === 0) this.serve(key, line);
  }

  /** Lets the first in line try. */
  private serve(key: string, line: Line<T>): void {
    clearTimeout(line.timer);
    line.timer = undefined;
    if (line.isTrying) return;
    const [first] = line.waiters;
    if (first === undefined) {
      this.lines.delete(key);
      return;
    }
    line.isTrying = true;
    this.attempts.attempt(key, first.wait.cost).then(
      (answer) => this.tried(key, line, first, answer),
      (error) => {
        line.isTrying = false;
        if (first.isOver) this.serve(key, line);
        else first.cancel(error);
      },
    );
  }

  private tried(key: string, line: Line<T>, first: Waiter<T>, answer: T): void {
    line.isTrying = false;
    if (first.isOver) {
      if (answer.result.allowed) this.attempts.undo(key, answer);
      this.serve(key, line);
    } else if (answer.result.allowed) {
      first.end();
      this.left(key, line, first);
      first.resolve(answer);
    } else {
      line.timer = setTimeout(() => this.serve(key, line), Math.min(answer.result.retryAfterMs, LONGEST));
    }
  }
}

function full(limit: number): QueueFullError {
  return new QueueFullError(
    limit,
    `${limit} calls wait for that key already: make fewer at once, or raise "maxWaiting"`,
  );
}
