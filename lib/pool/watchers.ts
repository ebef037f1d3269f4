import { TimeoutError } from '../errors.js';
import { type Abortable, unwatch, watch } from '../signals.js';
import type { Engine, Watcher } from './engine.js';
import { STATE } from './native.js';
import { closedError } from './refusals.js';
import { delayOf } from './settle.js';

/** Resolves once nothing is lent and nobody waits. */
export function drained(engine: Engine<any>): Promise<void> {
  return new Promise((resolve) => {
    const notice = (): boolean => {
      const busy = engine.state[STATE.lent]! + engine.state[STATE.waiting]! > 0;
      if (!busy) resolve();
      return !busy;
    };
    engine.watch({ notice });
  });
}

/** The end of a pool. */
export class Ending {
  readonly promise: Promise<void>;
  private readonly engine: Engine<any>;
  private readonly timers = new Set<NodeJS.Timeout>();
  private over = false;

  constructor(engine: Engine<any>) {
    this.engine = engine;
    this.promise = new Promise((resolve) => {
      engine.shut();
      engine.watch({ notice: () => this.notice(resolve) });
    });
  }

  /** Waits no longer than this for what is lent. */
  within(timeout: number): void {
    if (this.over || timeout === Number.POSITIVE_INFINITY) return;
    if (timeout === 0) {
      this.engine.force();
      return;
    }
    const timer = setTimeout(() => this.engine.force(), delayOf(timeout));
    this.timers.add(timer);
  }

  private notice(resolve: () => void): boolean {
    if (this.engine.total > 0) return false;
    this.over = true;
    this.engine.time.disarm();
    for (const timer of this.timers) clearTimeout(timer);
    resolve();
    return true;
  }
}

/** Waits until a pool has its `min` connections. */
export class Readiness implements Watcher, Abortable {
  readonly promise: Promise<void>;
  private readonly engine: Engine<any>;
  private readonly signal: AbortSignal | undefined;
  private resolve!: () => void;
  private reject!: (error: unknown) => void;
  private timer: NodeJS.Timeout | undefined;

  constructor(engine: Engine<any>, timeout: number, signal: AbortSignal | undefined) {
    this.engine = engine;
    this.signal = signal;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    if (signal !== undefined) watch(signal, this);
    if (timeout !== Number.POSITIVE_INFINITY) {
      this.timer = setTimeout(() => this.cancel(this.late(timeout)), delayOf(timeout));
    }
    engine.watch(this);
  }

  notice(): boolean {
    const { engine } = this;
    if (engine.closed) this.reject(closedError(engine.name));
    else if (engine.live >= engine.settings.min) this.resolve();
    else return false;
    this.end();
    return true;
  }

  cancel(reason: unknown): void {
    this.engine.unwatch(this);
    this.reject(reason);
    this.end();
  }

  private late(timeout: number): Error {
    const { failure } = this.engine.openings;
    return failure ?? new TimeoutError(`Opening the connections of pool '${this.engine.name}'`, timeout);
  }

  private end(): void {
    clearTimeout(this.timer);
    if (this.signal !== undefined) unwatch(this.signal, this);
  }
}
