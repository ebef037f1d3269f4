import { setting } from '../config/current.js';
import { boolean, integer, number, oneOf, options } from '../validate.js';
import type { Overrun } from './task.js';

/** Options of {@link TimerManager}. */
export interface TimerManagerOptions {
  /** Pending timers above which `onLimit` applies: a whole number from 1, or Infinity. @default 1000 */
  maxTimers?: number;
  /**
   * What a timer above the limit causes. `'warn'`: it is made. `'throw'`: it is not made, and the call throws
   * `ERR_KEELSON_TIMER_LIMIT`. `'evict-oldest'`: it is made, and the oldest is cleared. Each time the limit is
   * crossed there is one `limit` event, and with `'warn'` one process warning, the next of which waits until
   * the timers have fallen below 80 % of the limit. @default 'warn'
   */
  onLimit?: 'warn' | 'throw' | 'evict-oldest';
  /**
   * Milliseconds, more than 0, after which a timer is stale: an interval this long after it was made or
   * refreshed, a timeout this long past its due time. @default 86400000 (24 hours)
   */
  maxLifetime?: number;
  /** Whether a stale interval only causes a `stale` event, or is cleared as well. @default 'report' */
  onStale?: 'report' | 'clear';
  /** Whether `list()` tells where each timer was made. Costs microseconds a timer. @default false, in the profile 'development' true */
  captureStacks?: boolean;
}

/** Options of {@link TimerManager.schedule}. */
export interface ScheduleOptions {
  /** Name under which `clearGroup` ends it together with others. */
  group?: string;
  /** Name that `list()` and events show. */
  label?: string;
  /** Ends the timer when it aborts; with an aborted one the timer never starts. */
  signal?: AbortSignal;
  /** Share of the delay, from 0 to 1, that chance adds to it: spreads work, never makes it early. @default 0 */
  jitter?: number;
  /** Overrides the manager's `maxLifetime` for this timer. */
  maxLifetime?: number;
  /** Lets the process exit although this timer is pending. @default false */
  unref?: boolean;
}

/** Options of {@link TimerManager.every}. */
export interface EveryOptions extends ScheduleOptions {
  /**
   * What happens to ticks that passed while the event loop was busy: `'skip'` leaves them out and stays on the
   * grid, `'queue'` makes up for each. @default 'skip'
   */
  overrun?: Overrun;
}

/** Options of {@link TimerManager.delay}. */
export interface DelayOptions {
  /** Rejects the promise with `signal.reason` when it aborts. */
  signal?: AbortSignal;
  /** Lets the process exit although this delay is pending. @default false */
  unref?: boolean;
}

/** A pending timer, as {@link TimerManager.list} shows it. Times are in milliseconds. */
export interface TimerInfo {
  kind: 'timeout' | 'interval';
  label: string | undefined;
  group: string | undefined;
  /** Since it was made or refreshed; of an interval, not since its latest tick. */
  age: number;
  /** Until it is due; negative when it is overdue. */
  remaining: number;
  /** Its delay or period. */
  delay: number;
  /** Whether it keeps the process alive. */
  ref: boolean;
  /** Whether it has outlived its `maxLifetime`. */
  stale: boolean;
  /** Where it was made, with `captureStacks`. */
  stack: string | undefined;
}

/** Counters since the manager was made, and what is pending now. */
export interface TimerMetrics {
  timeouts: number;
  intervals: number;
  /** Timers made. */
  scheduled: number;
  /** Callbacks called, and those of them that threw. */
  fired: number;
  failed: number;
  /** Timeouts that have run. With the five causes below and what is pending, these add up to `scheduled`. */
  completed: number;
  /** Timers ended before their time, by cause. */
  cleared: number;
  aborted: number;
  evicted: number;
  staleCleared: number;
  destroyed: number;
  /** Timers found stale: intervals at their ticks, and all kinds by `list()`. */
  stale: number;
  /** Ticks of intervals left out because the event loop was busy. */
  skipped: number;
  /** How often the limit, and 80 % of it, was crossed. */
  limitCrossed: number;
  pressureCrossed: number;
}

/** Events of {@link TimerManager}, also on `node:diagnostics_channel` as `keelson:timer:<event>`. */
export interface TimerEvents extends Record<string, unknown> {
  /** Pending timers went above `max`. */
  limit: { timers: number; max: number };
  /** Pending timers reached 80 % of `max`. */
  pressure: { timers: number; max: number };
  /** An interval, or an overdue timeout, has outlived its `maxLifetime`. */
  stale: Pick<TimerInfo, 'kind' | 'label' | 'group' | 'age' | 'stack'> & { cleared: boolean };
}

/** A manager's options with their defaults. */
export interface ManagerSettings extends Required<TimerManagerOptions> {}

const DAY = 86_400_000;
const MANAGER_OPTIONS = ['maxTimers', 'onLimit', 'maxLifetime', 'onStale', 'captureStacks'] as const;
export const SCHEDULE_OPTIONS = ['group', 'label', 'signal', 'jitter', 'maxLifetime', 'unref'] as const;
export const EVERY_OPTIONS = [...SCHEDULE_OPTIONS, 'overrun'] as const;
export const DELAY_OPTIONS = ['signal', 'unref'] as const;

/** @throws InvalidArgumentError */
export function managerSettings(given: TimerManagerOptions): ManagerSettings {
  const chosen = options<TimerManagerOptions>('options', given, MANAGER_OPTIONS);
  const { maxTimers = setting('timer.maxTimers'), onLimit = setting('timer.onLimit') } = chosen;
  const { maxLifetime = DAY, onStale = 'report', captureStacks = setting('timer.captureStacks') } = chosen;
  return {
    maxTimers: maxTimers === Number.POSITIVE_INFINITY ? maxTimers : integer('maxTimers', maxTimers, 1),
    onLimit: oneOf('onLimit', onLimit, ['warn', 'throw', 'evict-oldest']),
    maxLifetime: number('maxLifetime', maxLifetime, Number.MIN_VALUE, Number.POSITIVE_INFINITY),
    onStale: oneOf('onStale', onStale, ['report', 'clear']),
    captureStacks: boolean('captureStacks', captureStacks),
  };
}
