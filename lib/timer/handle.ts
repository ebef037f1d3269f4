import { inspect } from 'node:util';
import { dispose } from '../dispose.js';
import type { TimerQueue } from './queue.js';
import type { Callback, Entry } from './task.js';

/** Handles' numbers begin here, beyond any id that Node's own counter reaches. */
const FIRST_NUMBER = 2 ** 52;
const GENERATIONS = 2 ** 20;
const SLOTS = 2 ** 32;

/** The slot and the generation, modulo 2^20, that a handle's number stands for. */
export function decode(number: number): { slot: number; generation: number } | undefined {
  if (!(number >= FIRST_NUMBER)) return undefined;
  const rest = number - FIRST_NUMBER;
  return { slot: rest % SLOTS, generation: Math.floor(rest / SLOTS) };
}

/** What of a generation a handle's number keeps. */
export function foldGeneration(generation: number): number {
  return generation & (GENERATIONS - 1);
}

/**
 * What setTimeout and setInterval return: usable wherever a `NodeJS.Timeout` is.
 *
 * It only names a slot of the queue; a handle that nobody keeps is collected at once, and one that is kept too
 * long names a later generation's slot and does nothing.
 */
export class TimerHandle implements NodeJS.Timeout {
  /** @internal */
  readonly _queue: TimerQueue;
  /** @internal */
  _slot: number;
  /** @internal */
  _generation: number;
  /** @internal What refresh() starts again after the timer has fired. */
  _entry: Entry;
  /** @internal The delay; negative where the timer is not to keep the process alive, for refresh() too. */
  _delay: number;

  constructor(queue: TimerQueue, slot: number, generation: number, entry: Entry, delay: number) {
    this._queue = queue;
    this._slot = slot;
    this._generation = generation;
    this._entry = entry;
    this._delay = delay;
  }

  /** Lets this timer keep the process alive, which is the default. */
  ref(): this {
    this._queue.setRef(this, true);
    return this;
  }

  /** Lets the process exit although this timer is pending. */
  unref(): this {
    this._queue.setRef(this, false);
    return this;
  }

  /** Whether this timer is pending and keeps the process alive. */
  hasRef(): boolean {
    return this._queue.hasRef(this);
  }

  /** Starts the delay again from now; a timeout that has fired becomes pending again. */
  refresh(): this {
    this._queue.refresh(this);
    return this;
  }

  /** Cancels the timer; harmless when it is over. */
  close(): this {
    this._queue.cancel(this, 'cleared');
    return this;
  }

  /** A number that the manager's clearTimeout and clearInterval take in place of the handle. */
  [Symbol.toPrimitive](): number {
    const foreign = this._queue.foreignOf(this);
    if (foreign !== undefined) return foreign.number;
    return FIRST_NUMBER + foldGeneration(this._generation) * SLOTS + this._slot;
  }

  /** Cancels the timer at the end of a `using` block. */
  [dispose](): void {
    this.close();
  }

  // Node's global clearTimeout looks at `_onTimeout`, sets it to null, and leaves alone what is `_destroyed`.
  get _onTimeout(): Callback {
    if (this._destroyed) return null as unknown as Callback;
    return typeof this._entry === 'function' ? this._entry : this._entry.callback;
  }
  set _onTimeout(callback: Callback | null) {
    if (callback === null) this.close();
  }
  /** @internal */
  get _destroyed(): boolean {
    return !this._queue.isLive(this);
  }

  [inspect.custom](): string {
    const state = this._destroyed ? 'over' : this.hasRef() ? 'pending' : 'pending, unref';
    return `KeelsonTimer { delay: ${Math.abs(this._delay)}, ${state} }`;
  }
}
