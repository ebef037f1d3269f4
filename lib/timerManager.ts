import { dispose } from './dispose.js';
import { DestroyedError } from './errors.js';
import { ObservableEmitter } from './events.js';
import { atImport, isAtImport, observe } from './metrics/member.js';
import { readTimers } from './metrics/readers/timers.js';
import { capture } from './timer/context.js';
import { toDelay, withJitter } from './timer/delays.js';
import { TimerHandle } from './timer/handle.js';
import { TimerLimit } from './timer/limit.js';
import {
  DELAY_OPTIONS,
  type DelayOptions,
  EVERY_OPTIONS,
  type EveryOptions,
  type ManagerSettings,
  managerSettings,
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
  invalid,
  options as named,
  number,
  oneOf,
  string,
} from './validate.js';

/** What a manager goes by. */
interface Rules extends Pick<ManagerSettings, 'maxLifetime' | 'onStale' | 'captureStacks'> {
  readonly limit: TimerLimit;
  /** With 'evict-oldest', the pending timers from the oldest on. */
  readonly ages: Set<Task> | undefined;
}

/**
 * Timers that can be counted, listed, grouped, paused and destroyed together, on a timing wheel in Rust.
 *
 * What differs from Node's timers: delays beyond 2^31 - 1 ms work, intervals keep to their grid, no timer fires
 * early (Node's may, by up to 1 ms, and are 1 ms less late for it), and a throwing callback loses nothing.
 */
export class TimerManager extends ObservableEmitter<TimerEvents> {
  private readonly queue: TimerQueue;
  #made: Rules | undefined;
  /** Pending timers from which on one more has to be admitted. */
  private watch = 0;
  #destroyed = false;
  #intervals = 0;
  readonly #ended: Record<DropCause, number> = { cleared: 0, aborted: 0, evicted: 0, stale: 0, destroyed: 0 };
  #stale = 0;
  /** Timeouts that the latest `list()` found stale, by slot and generation. */
  #overdue = new Set<string>();
  #skipped = 0;
  readonly #groups = new Map<string, Set<Task>>();
  /** Whether each timer needs details. */
  private isWatched = false;
  /** Take our signal handlers off. */
  readonly #signalHandlers = new Set<() => void>();

  /** @throws InvalidArgumentError for an option that is unknown, of the wrong type or out of range. */
  constructor(options: TimerManagerOptions = {}) {
    super('timer');
    if (!isAtImport()) this.#made = this.#make(options);
    this.queue = new TimerQueue({
      admit: (add) => this.#admit(add),
      begun: (task, handle) => this.#begun(task, handle),
      ended: (task, cause) => this.#over(task, cause),
      repeat: (task) => this.#repeat(task),
      restart: (task, delay) => this.#restart(task, delay),
    });
    observe(this, readTimers);
  }

  /** The shared manager's, which is there before anybody can configure it, are made at its first use. */
  get #rules(): Rules {
    this.#made ??= this.#make({});
    return this.#made;
  }

  #make(options: TimerManagerOptions): Rules {
    const { maxTimers, onLimit, maxLifetime, onStale, captureStacks } = managerSettings(options);
    const limit = new TimerLimit(maxTimers, onLimit, {
      count: () => this.queue.slots.live,
      evictOldest: () => this.#evictOldest(),
      announce: (event, payload) => this.announce(event, payload),
    });
    const ages = onLimit === 'evict-oldest' ? new Set<Task>() : undefined;
    if (!this.#destroyed) this.watch = limit.watch;
    this.isWatched = captureStacks || ages !== undefined;
    return { limit, maxLifetime, onStale, captureStacks, ages };
  }

  /**
   * Node's setTimeout. In the callback `this` is a handle of the timer, which does what the returned one does, but
   * only with options is it the same object.
   *
   * @throws DestroyedError after `destroy()`
   */
  setTimeout<Args extends any[]>(
    callback: (...args: Args) => void,
    ms?: number,
    ...args: Args
  ): NodeJS.Timeout;
  // For `new Promise((resolve) => timers.setTimeout(resolve, 5))`, as @types/node has it.
  // biome-ignore lint/suspicious/noConfusingVoidType: a parameter of type void may be left out
  setTimeout(callback: (_: void) => void, ms?: number): NodeJS.Timeout;
  setTimeout<Args extends any[]>(
    callback: (...args: Args) => void,
    ms?: number,
    ...args: Args
  ): NodeJS.Timeout {
    if (typeof callback !== 'function') invalid('callback', 'a function', callback);
    const delay = toDelay(ms);
    if (this.isWatched || this.queue.slots.live >= this.watch) {
      return this.#admit(() => this.#timeout(callback, args, delay));
    }
    if (args.length === 0) return this.queue.addBare(callback as Callback, delay);
    return this.queue.addTask(new Task(callback, args, capture(), undefined), delay, true);
  }

  /** Node's setInterval, on a grid: it does not drift. @throws DestroyedError after `destroy()`. */
  setInterval<Args extends any[]>(
    callback: (...args: Args) => void,
    ms?: number,
    ...args: Args
  ): NodeJS.Timeout;
  // biome-ignore lint/suspicious/noConfusingVoidType: as for setTimeout
  setInterval(callback: (_: void) => void, ms?: number): NodeJS.Timeout;
  setInterval<Args extends any[]>(
    callback: (...args: Args) => void,
    ms?: number,
    ...args: Args
  ): NodeJS.Timeout {
    if (typeof callback !== 'function') invalid('callback', 'a function', callback);
    const period = toDelay(ms);
    const extras = this.#extras(this.setInterval);
    return this.#admit(() => this.#add(callback, args, period, period, {}, extras));
  }

  /** Calls `callback` once, `ms` (0 to Infinity) from now, with options. */
  schedule(callback: () => void, ms: number, options: ScheduleOptions = {}): NodeJS.Timeout {
    named<ScheduleOptions>('options', options, SCHEDULE_OPTIONS);
    return this.#addChecked(callback, ms, false, options, this.#extras(this.schedule));
  }

  /** Calls `callback` every `ms` (0 to Infinity, at least 1 is taken), with options. */
  every(callback: () => void, ms: number, options: EveryOptions = {}): NodeJS.Timeout {
    named<EveryOptions>('options', options, EVERY_OPTIONS);
    return this.#addChecked(callback, ms, true, options, this.#extras(this.every));
  }

  /**
   * A promise that resolves `ms` (0 to Infinity) from now. It rejects with `signal.reason` when aborted and
   * with `ERR_KEELSON_DESTROYED` when the manager is destroyed.
   */
  async delay(ms: number, options: DelayOptions = {}): Promise<void> {
    named<DelayOptions>('options', options, DELAY_OPTIONS);
    const signal = options.signal === undefined ? undefined : abortSignal('signal', options.signal);
    if (signal?.aborted) throw signal.reason;
    await new Promise<void>((resolve, reject) => {
      const onEnd = (cause: DropCause | undefined): void => {
        if (cause === 'aborted') reject(signal!.reason);
        else if (cause !== undefined) reject(new DestroyedError(`The delay was ${cause} before its time`));
      };
      this.#addChecked(resolve, ms, false, options, this.#extras(this.delay, onEnd));
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

  /** Pending timers, for leak hunting: takes time for each. Announces those it finds stale. */
  list(): TimerInfo[] {
    const infos: TimerInfo[] = [];
    const found: (() => void)[] = [];
    const overdue = new Set<string>();
    this.queue.slots.entries.forEach((entry, slot) => {
      if (entry === undefined) return;
      const details = typeof entry === 'object' ? entry.details : undefined;
      const info = this.#inform(slot, details, details && this.queue.timeOf(entry as Task) - details.born);
      infos.push(info);
      if (!info.stale) return;
      if (details !== undefined && info.kind === 'interval') {
        found.push(() => this.#announceStale(details, info));
        return;
      }
      const name = `${slot}:${this.queue.slots.generations[slot]}`;
      overdue.add(name);
      if (!this.#overdue.has(name)) found.push(() => this.#announceStale(undefined, info));
    });
    this.#overdue = overdue;
    // Only now: a listener may clear timers.
    for (const announce of found) announce();
    return infos;
  }

  #inform(slot: number, details: Details | undefined, lived: number | undefined): TimerInfo {
    const delay = this.queue.slots.delays[slot]!;
    const remaining = this.queue.remaining(slot);
    const age = Math.max(0, lived ?? delay - remaining);
    const isInterval = details !== undefined && details.period > 0;
    const lifetime = details?.maxLifetime ?? this.#rules.maxLifetime;
    return {
      kind: isInterval ? 'interval' : 'timeout',
      label: details?.label,
      group: details?.group,
      age,
      remaining,
      delay,
      ref: this.queue.slots.refs[slot] === 1,
      stale: isInterval ? age > lifetime : -remaining > lifetime,
      stack: details?.stack,
    };
  }

  /** How many pending timers each group has. */
  groups(): Map<string, number> {
    return new Map([...this.#groups].map(([group, tasks]) => [group, tasks.size]));
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
      completed,
      aborted,
      evicted,
      staleCleared: stale,
      destroyed,
      stale: this.#stale,
      skipped: this.#skipped,
      limitCrossed: this.#made?.limit.crossed ?? 0,
      pressureCrossed: this.#made?.limit.pressureCrossed ?? 0,
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
    for (const signal of signals) string('signals', signal);
    if (this.#destroyed) throw this.#destroyedError();
    const added = new Set<() => void>();
    for (const signal of signals) {
      const handler = (): void => {
        this.destroy();
        if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
      };
      // Before the service's handlers, of which those for one signal only would be gone when ours counted them.
      process.prependListener(signal, handler);
      const off = (): void => void process.off(signal, handler);
      this.#signalHandlers.add(off);
      added.add(off);
    }
    return () => this.#offSignals(added);
  }

  /** Ends all timers; new ones are refused. Calling it again does nothing. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.watch = Number.NEGATIVE_INFINITY;
    this.#offSignals(this.#signalHandlers);
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
    const isNumber = typeof timer === 'number' || typeof timer === 'string';
    const slot = isNumber ? this.queue.slotOf(Number(timer)) : undefined;
    if (slot !== undefined) this.queue.cancelSlot(slot, 'cleared');
    // Node's own timers, and those of another copy of this module, whose handles the global function clears.
    else clearTimeout(timer);
  }

  #admit<T>(add: () => T): T {
    if (this.#destroyed) throw this.#destroyedError();
    return this.#rules.limit.admit(add);
  }

  #evictOldest(): void {
    const [oldest] = this.#rules.ages ?? [];
    const handle = oldest?.details?.handle;
    if (handle !== undefined) this.queue.cancel(handle, 'evicted');
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
    // It never starts, so it takes nobody's place either.
    if (signal?.aborted) return new TimerHandle(this.queue, -1, 0, callback, delay);
    return this.#admit(() => this.#add(callback, [], delay, repeats ? delay : 0, options, extras));
  }

  #add(
    callback: Callback,
    args: readonly unknown[],
    delay: number,
    period: number,
    options: EveryOptions,
    extras: Pick<Details, 'stack' | 'onEnd'>,
  ): TimerHandle {
    const {
      label,
      group,
      signal,
      jitter = 0,
      overrun = 'skip',
      maxLifetime = this.#rules.maxLifetime,
    } = options;
    const details: Details = {
      ...{ label, group, signal, jitter, overrun, maxLifetime, period, ...extras },
      ...{ abort: undefined, handle: undefined, born: 0, nominal: 0, due: 0, announced: false },
    };
    const task = new Task(callback, args, capture(), details);
    return this.queue.addTask(task, delay, options.unref !== true);
  }

  /** A timeout of a manager that needs to know more of each, or is near its limit. */
  #timeout(callback: Callback, args: readonly unknown[], delay: number): TimerHandle {
    if (this.isWatched) {
      return this.#add(callback, args, delay, 0, {}, this.#extras(this.setTimeout));
    }
    if (args.length === 0) return this.queue.addBare(callback, delay);
    return this.queue.addTask(new Task(callback, args, capture(), undefined), delay, true);
  }

  #begun(task: Task, handle: TimerHandle): void {
    const details = task.details!;
    details.handle = handle;
    if (details.period > 0) this.#intervals++;
    this.#rules.ages?.add(task);
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
    this.#rules.ages?.delete(task);
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
    const wait = withJitter(delay, details);
    details.due = details.born + wait;
    return wait;
  }

  /** The wait for an interval's next tick; undefined ends it. */
  #repeat(task: Task): number | undefined {
    const details = task.details!;
    const now = this.queue.timeOf(task);
    if (this.#isStale(details, now)) return undefined;
    // What chance added to this tick is not the event loop's doing.
    const missed =
      details.overrun === 'skip' ? Math.max(0, Math.floor((now - details.due) / details.period)) : 0;
    this.#skipped += missed;
    details.nominal += (missed + 1) * details.period;
    const wait = withJitter(details.nominal - now, details);
    details.due = now + Math.max(wait, 0);
    return wait;
  }

  /** Announces an interval that has outlived its time, once; returns whether it is to end. */
  #isStale(details: Details, now: number): boolean {
    const age = now - details.born;
    if (age <= details.maxLifetime) return false;
    const { label, group, stack } = details;
    const cleared = this.#rules.onStale === 'clear';
    this.#announceStale(details, { kind: 'interval', label, group, age, stack }, cleared);
    return cleared;
  }

  #announceStale(
    details: Details | undefined,
    info: Omit<TimerEvents['stale'], 'cleared'>,
    cleared = false,
  ): void {
    if (details?.announced) return;
    if (details !== undefined) details.announced = true;
    this.#stale++;
    const { kind, label, group, age, stack } = info;
    this.announce('stale', { kind, label, group, age, stack, cleared });
  }

  /** What a timer of a method of this class carries: where its caller stands, and who hears of its end. */
  #extras(method: (...args: any[]) => unknown, onEnd?: Details['onEnd']): Pick<Details, 'stack' | 'onEnd'> {
    if (!this.#rules.captureStacks) return { stack: undefined, onEnd };
    const holder: { stack?: string } = {};
    Error.captureStackTrace(holder, method);
    return { stack: holder.stack?.replace(/^.*\n/, ''), onEnd };
  }

  #offSignals(handlers: Set<() => void>): void {
    for (const off of [...handlers]) {
      off();
      this.#signalHandlers.delete(off);
    }
  }
}

/** The manager that a service shares. */
export const timerManager: TimerManager = atImport(() => new TimerManager());
