import { dispose } from './dispose.js';
import { DestroyedError, KeelsonError } from './errors.js';
import { ObservableEmitter } from './events.js';
import { capture } from './timer/context.js';
import { TimerHandle } from './timer/handle.js';
import {
  DELAY_OPTIONS,
  type DelayOptions,
  EVERY_OPTIONS,
  type EveryOptions,
  MANAGER_OPTIONS,
  SCHEDULE_OPTIONS,
  type ScheduleOptions,
  type TimerEvents,
  type TimerInfo,
  type TimerManagerOptions,
  type TimerMetrics,
} from './timer/options.js';
import { TimerQueue } from './timer/queue.js';
import { type Callback, type Details, type DropCause, Task } from './timer/task.js';
import {
  abortSignal,
  boolean,
  callable,
  integer,
  invalid,
  options as named,
  number,
  oneOf,
  string,
} from './validate.js';

const DAY = 86_400_000;
/** The longest delay, about 280 years; Infinity is taken as this. */
const MAX_DELAY = 2 ** 43;
/** Share of `maxTimers` at which `pressure` is emitted. */
const PRESSURE = 0.8;

/** Node's rule: what is not a number from 1 up is 1. Beyond Node's, any longer delay works, Infinity too. */
function toDelay(ms: unknown): number {
  const delay = Number(ms);
  if (!(delay >= 1)) return 1;
  return Math.min(delay, MAX_DELAY);
}

/** A wait with what chance adds to it. */
function withJitter(wait: number, { jitter, period }: Details): number {
  if (jitter === 0) return wait;
  return wait + Math.random() * jitter * (period > 0 ? period : wait);
}

/**
 * Timers that can be counted, listed, grouped, paused and destroyed together, on a timing wheel in Rust.
 *
 * Differences to Node's timers are all additions: delays beyond 2^31 - 1 ms work, intervals do not drift, no
 * timer fires early, and a throwing callback loses nothing.
 */
export class TimerManager extends ObservableEmitter<TimerEvents> {
  private readonly queue: TimerQueue;
  readonly #maxTimers: number;
  readonly #onLimit: 'warn' | 'throw' | 'evict-oldest';
  readonly #maxLifetime: number;
  readonly #onStale: 'report' | 'clear';
  private readonly captureStacks: boolean;
  /** Pending timers from which on adding one takes a closer look. */
  private watch: number;
  readonly #pressureAt: number;
  #warned = false;
  #destroyed = false;
  #intervals = 0;
  readonly #ended: Record<DropCause, number> = { cleared: 0, aborted: 0, evicted: 0, stale: 0, destroyed: 0 };
  #stale = 0;
  #skipped = 0;
  #limitCrossed = 0;
  #pressureCrossed = 0;
  readonly #groups = new Map<string, Set<Task>>();
  /** With 'evict-oldest', the pending timers from the oldest on. */
  private readonly ages: Set<Task> | undefined;
  readonly #signalHandlers = new Map<NodeJS.Signals, () => void>();

  /** @throws InvalidArgumentError for an option that is unknown, of the wrong type or out of range. */
  constructor(options: TimerManagerOptions = {}) {
    super('timer');
    named<TimerManagerOptions>('options', options, MANAGER_OPTIONS);
    const { maxTimers = 1_000, onLimit = 'warn', maxLifetime = DAY } = options;
    const { onStale = 'report', captureStacks = false } = options;
    this.#maxTimers = maxTimers === Number.POSITIVE_INFINITY ? maxTimers : integer('maxTimers', maxTimers, 1);
    this.#onLimit = oneOf('onLimit', onLimit, ['warn', 'throw', 'evict-oldest']);
    this.#maxLifetime = number('maxLifetime', maxLifetime, Number.MIN_VALUE, Number.POSITIVE_INFINITY);
    this.#onStale = oneOf('onStale', onStale, ['report', 'clear']);
    this.captureStacks = boolean('captureStacks', captureStacks);
    this.#pressureAt = Math.ceil(this.#maxTimers * PRESSURE);
    this.watch = this.#pressureAt - 1;
    this.ages = this.#onLimit === 'evict-oldest' ? new Set() : undefined;
    this.queue = new TimerQueue({
      begun: (task, handle) => this.#begun(task, handle),
      ended: (task, cause) => this.#over(task, cause),
      repeat: (task) => this.#repeat(task),
      restart: (task, delay) => this.#restart(task, delay),
    });
  }

  /** Node's setTimeout. @throws DestroyedError after `destroy()`. */
  setTimeout<Args extends any[]>(
    callback: (...args: Args) => void,
    ms?: number,
    ...args: Args
  ): NodeJS.Timeout {
    if (typeof callback !== 'function') invalid('callback', 'a function', callback);
    if (this.queue.slots.live >= this.watch) this.#beforeAdd();
    const delay = toDelay(ms);
    if (this.captureStacks || this.ages !== undefined) {
      return this.#add(
        callback,
        args,
        delay,
        0,
        {},
        { stack: this.#site(this.setTimeout), onEnd: undefined },
      );
    }
    if (args.length === 0) return this.queue.addBare(callback as Callback, delay);
    return this.queue.addTask(new Task(callback, args, capture(), undefined), delay, true);
  }

  /** Node's setInterval, on a grid: it does not drift. @throws DestroyedError after `destroy()`. */
  setInterval<Args extends any[]>(
    callback: (...args: Args) => void,
    ms?: number,
    ...args: Args
  ): NodeJS.Timeout {
    if (typeof callback !== 'function') invalid('callback', 'a function', callback);
    if (this.queue.slots.live >= this.watch) this.#beforeAdd();
    const period = toDelay(ms);
    return this.#add(
      callback,
      args,
      period,
      period,
      {},
      { stack: this.#site(this.setInterval), onEnd: undefined },
    );
  }

  /** Calls `callback` once, `ms` (0 to Infinity) from now, with options. */
  schedule(callback: () => void, ms: number, options: ScheduleOptions = {}): NodeJS.Timeout {
    named<ScheduleOptions>('options', options, SCHEDULE_OPTIONS);
    return this.#addChecked(callback, ms, false, options, {
      stack: this.#site(this.schedule),
      onEnd: undefined,
    });
  }

  /** Calls `callback` every `ms` (0 to Infinity, at least 1 is taken), with options. */
  every(callback: () => void, ms: number, options: EveryOptions = {}): NodeJS.Timeout {
    named<EveryOptions>('options', options, EVERY_OPTIONS);
    return this.#addChecked(callback, ms, true, options, { stack: this.#site(this.every), onEnd: undefined });
  }

  /**
   * A promise that resolves `ms` (0 to Infinity) from now. It rejects with `signal.reason` when aborted and
   * with `ERR_KEELSON_DESTROYED` when the manager is destroyed.
   */
  async delay(ms: number, options: DelayOptions = {}): Promise<void> {
    named<DelayOptions>('options', options, DELAY_OPTIONS);
    const signal = options.signal === undefined ? undefined : abortSignal('signal', options.signal);
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const onEnd = (cause: DropCause | undefined): void => {
        if (cause === 'aborted') reject(signal!.reason);
        else if (cause !== undefined) reject(new DestroyedError(`The delay was ${cause} before its time`));
      };
      this.#addChecked(resolve, ms, false, options, { stack: this.#site(this.delay), onEnd });
    });
  }

  /** Ends a timer, given as handle or number; anything else is left alone, as Node does. */
  clearTimeout(timer?: NodeJS.Timeout | string | number | null): void {
    if (timer instanceof TimerHandle) timer.close();
    else if (timer !== undefined && timer !== null) this.#clearOther(timer);
  }

  /** The same as {@link clearTimeout}. */
  clearInterval(timer?: NodeJS.Timeout | string | number | null): void {
    this.clearTimeout(timer);
  }

  /** Ends all timers of a group, and returns how many there were. */
  clearGroup(group: string): number {
    const tasks = [...(this.#groups.get(string('group', group)) ?? [])];
    for (const task of tasks) task.details!.handle!.close();
    return tasks.length;
  }

  /** Stops time for all timers of this manager. Timers made meanwhile wait too. A paused timer keeps no process alive. */
  pause(): void {
    this.queue.pause();
  }

  /** Lets time go on: each timer waits for what remained of its delay. */
  resume(): void {
    this.queue.resume();
  }

  /** Pending timers, for leak hunting: takes time for each. */
  list(): TimerInfo[] {
    const infos: TimerInfo[] = [];
    this.queue.slots.entries.forEach((entry, slot) => {
      if (entry === undefined) return;
      const details = entry instanceof Task ? entry.details : undefined;
      const delay = this.queue.slots.delays[slot]!;
      const remaining = this.queue.remaining(slot);
      const age = details === undefined ? delay - remaining : this.queue.timeOf(entry as Task) - details.born;
      const isInterval = details !== undefined && details.period > 0;
      const lifetime = details?.maxLifetime ?? this.#maxLifetime;
      infos.push({
        kind: isInterval ? 'interval' : 'timeout',
        label: details?.label,
        group: details?.group,
        age: Math.max(0, age),
        remaining,
        delay,
        ref: this.queue.slots.refs[slot] === 1,
        stale: isInterval ? age > lifetime : -remaining > lifetime,
        stack: details?.stack,
      });
    });
    return infos;
  }

  /** Pending timers. */
  getStats(): { timeouts: number; intervals: number; total: number } {
    const total = this.queue.slots.live;
    return { timeouts: total - this.#intervals, intervals: this.#intervals, total };
  }

  /** Pending timers and counters by cause. */
  metrics(): TimerMetrics {
    const { added, fired, failed, completed, slots } = this.queue;
    const { aborted, evicted, stale, destroyed } = this.#ended;
    return {
      timeouts: slots.live - this.#intervals,
      intervals: this.#intervals,
      scheduled: added,
      fired,
      failed,
      // Bare timeouts, which tell nobody of their end, are what the others leave.
      cleared: added - slots.live - completed - aborted - evicted - stale - destroyed,
      aborted,
      evicted,
      stale: this.#stale,
      skipped: this.#skipped,
      limitCrossed: this.#limitCrossed,
      pressureCrossed: this.#pressureCrossed,
    };
  }

  /**
   * Destroys this manager when the process gets one of these signals. The service's own handlers run as well;
   * where there are none, the signal then does what it does by default.
   *
   * @returns a function that takes the handlers off again, as `destroy()` does.
   */
  shutdownOn(signals: readonly NodeJS.Signals[]): () => void {
    if (!Array.isArray(signals)) invalid('signals', 'an array of signal names', signals);
    if (this.#destroyed) throw this.#destroyedError();
    for (const signal of signals) {
      if (this.#signalHandlers.has(string('signals', signal) as NodeJS.Signals)) continue;
      const handler = (): void => {
        this.destroy();
        if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
      };
      // Before the service's handlers, of which those for one signal only would be gone when ours counted them.
      process.prependListener(signal, handler);
      this.#signalHandlers.set(signal, handler);
    }
    return () => this.#offSignals();
  }

  /** Ends all timers; new ones are refused. Calling it again does nothing. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.watch = Number.NEGATIVE_INFINITY;
    this.#offSignals();
    const pending = this.queue.slots.live;
    this.queue.close();
    this.#ended.destroyed = pending;
  }

  /** `destroy()` at the end of a `using` block. */
  [dispose](): void {
    this.destroy();
  }

  #destroyedError(): DestroyedError {
    return new DestroyedError('TimerManager has been destroyed');
  }

  #clearOther(timer: NodeJS.Timeout | string | number): void {
    const number = typeof timer === 'object' ? Number.NaN : Number(timer);
    const slot = this.queue.slotOf(number);
    if (slot !== undefined) this.queue.cancelSlot(slot, 'cleared');
    // Node's own timers, and those of another copy of this module, whose handles the global function clears.
    else clearTimeout(timer);
  }

  /** What a timer that brings the manager near its limit has to pass. */
  #beforeAdd(): void {
    if (this.#destroyed) throw this.#destroyedError();
    const timers = this.queue.slots.live + 1;
    const max = this.#maxTimers;
    if (timers === this.#pressureAt) {
      this.#warned = false;
      this.#pressureCrossed++;
      this.announce('pressure', { timers, max });
    }
    if (timers === max + 1) this.#crossLimit(timers);
    if (timers <= max) return;
    if (this.#onLimit === 'throw') {
      throw new KeelsonError(
        'ERR_KEELSON_TIMER_LIMIT',
        `TimerManager holds ${max} timers, as many as "maxTimers" allows. Clear some (list() shows them), or raise it`,
      );
    }
    if (this.ages !== undefined) this.#evictOldest(this.ages);
  }

  #crossLimit(timers: number): void {
    const max = this.#maxTimers;
    this.#limitCrossed++;
    if (this.#onLimit === 'warn' && !this.#warned) {
      this.#warned = true;
      process.emitWarning(
        `TimerManager: ${timers} timers are pending, more than "maxTimers" (${max}). list() shows where they come from`,
        { type: 'KeelsonWarning', code: 'KEELSON_TIMER_LIMIT' },
      );
    }
    this.announce('limit', { timers, max });
  }

  #evictOldest(ages: Set<Task>): void {
    const [oldest] = ages;
    const handle = oldest?.details?.handle;
    if (handle instanceof TimerHandle) this.queue.cancel(handle, 'evicted');
  }

  #addChecked(
    callback: () => void,
    ms: number,
    repeats: boolean,
    options: EveryOptions,
    extras: Pick<Details, 'stack' | 'onEnd'>,
  ): NodeJS.Timeout {
    callable('callback', callback);
    const { group, label, signal, jitter = 0, maxLifetime, overrun = 'skip', unref = false } = options;
    const delay = toDelay(number('ms', ms, 0, Number.POSITIVE_INFINITY));
    if (group !== undefined) string('group', group);
    if (label !== undefined) string('label', label);
    number('jitter', jitter, 0, 1);
    if (maxLifetime !== undefined)
      number('maxLifetime', maxLifetime, Number.MIN_VALUE, Number.POSITIVE_INFINITY);
    oneOf('overrun', overrun, ['skip', 'queue']);
    boolean('unref', unref);
    if (signal !== undefined) abortSignal('signal', signal);
    if (this.queue.slots.live >= this.watch) this.#beforeAdd();
    return this.#add(callback, [], delay, repeats ? delay : 0, options, extras);
  }

  #add(
    callback: Callback,
    args: readonly unknown[],
    delay: number,
    period: number,
    options: EveryOptions,
    extras: Pick<Details, 'stack' | 'onEnd'>,
  ): TimerHandle {
    const { label, group, signal, jitter = 0, overrun = 'skip', maxLifetime = this.#maxLifetime } = options;
    const details: Details = {
      ...{ label, group, signal, jitter, overrun, maxLifetime, period, ...extras },
      ...{ abort: undefined, handle: undefined, born: 0, nominal: 0, announced: false },
    };
    const task = new Task(callback, args, capture(), details);
    const handle = this.queue.addTask(task, delay, options.unref !== true, withJitter(delay, details));
    if (signal?.aborted) this.queue.cancel(handle, 'aborted');
    return handle;
  }

  #begun(task: Task, handle: TimerHandle): void {
    const details = task.details!;
    details.handle = handle;
    this.#restart(task, handle._delay);
    if (details.period > 0) this.#intervals++;
    this.ages?.add(task);
    if (details.group !== undefined) {
      const members = this.#groups.get(details.group);
      if (members === undefined) this.#groups.set(details.group, new Set([task]));
      else members.add(task);
    }
    if (details.signal !== undefined) {
      details.abort = () => this.queue.cancel(handle, 'aborted');
      details.signal.addEventListener('abort', details.abort, { once: true });
    }
  }

  #over(task: Task, cause: DropCause | undefined): void {
    const details = task.details!;
    details.handle = undefined;
    if (cause !== undefined) this.#ended[cause]++;
    if (details.period > 0) this.#intervals--;
    this.ages?.delete(task);
    if (details.group !== undefined) {
      const members = this.#groups.get(details.group);
      members?.delete(task);
      if (members?.size === 0) this.#groups.delete(details.group);
    }
    if (details.abort !== undefined) details.signal?.removeEventListener('abort', details.abort);
    details.onEnd?.(cause);
  }

  /** Begins a timer's life again, and returns its first wait. */
  #restart(task: Task, delay: number): number {
    const details = task.details!;
    details.born = this.queue.timeOf(task);
    details.nominal = details.born + delay;
    details.announced = false;
    return withJitter(delay, details);
  }

  /** The wait for an interval's next tick; undefined ends it. */
  #repeat(task: Task): number | undefined {
    const details = task.details!;
    const now = this.queue.timeOf(task);
    if (this.#isStale(details, now)) return undefined;
    details.nominal += details.period;
    if (details.overrun === 'skip' && details.nominal <= now) {
      const missed = Math.floor((now - details.nominal) / details.period) + 1;
      details.nominal += missed * details.period;
      this.#skipped += missed;
    }
    return withJitter(details.nominal - now, details);
  }

  /** Announces an interval that has outlived its time, once; returns whether it is to end. */
  #isStale(details: Details, now: number): boolean {
    const age = now - details.born;
    if (age <= details.maxLifetime) return false;
    const cleared = this.#onStale === 'clear';
    if (!details.announced) {
      details.announced = true;
      this.#stale++;
      const { label, group, stack } = details;
      this.announce('stale', { kind: 'interval', label, group, age, stack, cleared });
    }
    return cleared;
  }

  /** Where the caller of a method of this class stands. */
  #site(method: (...args: any[]) => unknown): string | undefined {
    if (!this.captureStacks) return undefined;
    const holder: { stack?: string } = {};
    Error.captureStackTrace(holder, method);
    return holder.stack?.replace(/^.*\n/, '');
  }

  #offSignals(): void {
    for (const [signal, handler] of this.#signalHandlers) process.off(signal, handler);
    this.#signalHandlers.clear();
  }
}

/** The manager that a service shares. */
export const timerManager: TimerManager = new TimerManager();
