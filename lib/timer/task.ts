import type { AsyncResource } from 'node:async_hooks';
import type { ForeignTimer } from './foreign.js';
import type { TimerHandle } from './handle.js';

/** What a timer calls. */
export type Callback = (...args: any[]) => unknown;

/** What to do with ticks of an interval that passed while the event loop was busy. */
export type Overrun = 'skip' | 'queue';

/** Why a timer ended without its callback having run. */
export type DropCause = 'cleared' | 'aborted' | 'evicted' | 'stale' | 'destroyed';

/** What only intervals and timers with options carry. */
export interface Details {
  readonly label: string | undefined;
  readonly group: string | undefined;
  readonly overrun: Overrun;
  /** Share of the delay that chance may add to it. */
  readonly jitter: number;
  /** Milliseconds after which the timer is stale. */
  readonly maxLifetime: number;
  /** Where it was made, when stacks are captured. */
  readonly stack: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Listens to `signal` while the timer is pending. */
  abort: (() => void) | undefined;
  /** Called once when the timer is over, with the cause if its callback did not run. */
  readonly onEnd: ((cause: DropCause | undefined) => void) | undefined;
  /** Length of an interval in milliseconds, 0 for a timeout. */
  readonly period: number;
  /** When it was made or refreshed. */
  born: number;
  /** The due time on an interval's grid, and with what chance added to it. */
  nominal: number;
  due: number;
  /** Whether it has been announced as stale. */
  announced: boolean;
  /** The user's handle. */
  handle: TimerHandle | undefined;
}

/** A timer that is more than a bare callback. */
export class Task {
  readonly callback: Callback;
  readonly args: readonly unknown[];
  context: AsyncResource | undefined;
  readonly details: Details | undefined;
  /** Set while the timer lives on another clock than Node's. */
  foreign: ForeignTimer | undefined;
  /** Whether it was ended before its time, after which refresh() leaves it ended. */
  dropped: boolean;

  constructor(
    callback: Callback,
    args: readonly unknown[],
    context: AsyncResource | undefined,
    details: Details | undefined,
  ) {
    this.callback = callback;
    this.args = args;
    this.context = context;
    this.details = details;
    this.foreign = undefined;
    this.dropped = false;
  }

  run(handle: NodeJS.Timeout): void {
    if (this.context === undefined) {
      this.callback.apply(handle, this.args as unknown[]);
    } else {
      this.context.runInAsyncScope(this.callback, handle, ...this.args);
    }
  }
}

/** A bare callback is its own entry: most timers are, and it costs no object. */
export type Entry = Callback | Task;
