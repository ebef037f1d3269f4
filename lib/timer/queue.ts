import type { AsyncResource } from 'node:async_hooks';
import timers from 'node:timers';
import { binding, type TimerWheel } from '../native.js';
import { BurstClock } from './clock.js';
import { capture, framed, holdsStore, noContext, snapshot, storesInUse } from './context.js';
import { ForeignTimer } from './foreign.js';
import { decode, foldGeneration, TimerHandle } from './handle.js';
import { Operations } from './operations.js';
import { Slots } from './slots.js';
import { type Callback, type Details, type DropCause, type Entry, Task } from './task.js';

/** Node's own functions: the driver stays on real time when a test replaces the global ones. */
const { setTimeout: nodeSetTimeout, clearTimeout: nodeClearTimeout } = timers;
const { setImmediate: nodeSetImmediate, clearImmediate: nodeClearImmediate } = timers;
/** The longest delay that Node's timers take. */
const MAX_NODE_DELAY = 2 ** 31 - 1;
/** Slots that the wheel hands out at a time. */
const BATCH = 1_024;

/** Places of slots: in the list of operations from 0 on, in the wheel at -1; both as in src/timer.rs. */
const EXPIRED = -2;
/** On a clock that stands in for Node's. */
const FOREIGN = -3;

/** Runs what process.nextTick and promises have queued, as Node does between two timers. */
const runNextTicks: () => void = (process as { _tickCallback?: () => void })._tickCallback ?? (() => {});

/** A bare callback that has a context after all. */
const withContext = (callback: Callback, context: AsyncResource | undefined): Task =>
  new Task(callback, [], context, undefined);

/** Queues with pending timers: a manager that its user has let go of lives until they are over, and no longer. */
const busyQueues = new Set<TimerQueue>();

/** What the driver calls: an armed driver keeps no queue alive that has nothing left to run. */
function waker(queue: TimerQueue): () => void {
  const reference = new WeakRef(queue);
  return () => reference.deref()?.wake();
}

/** What a handle keeps of a callback that will not run again. */
const nothing = (): void => {};

/** What the queue asks of its manager; but for `admit`, only of tasks with details. */
export interface QueueHooks {
  /** Adds a timer under the manager's limit. */
  admit(add: () => void): void;
  begun(task: Task, handle: TimerHandle): void;
  /** A timer is over; `cause` if its callback did not run. */
  ended(task: Task, cause: DropCause | undefined): void;
  /** An interval's callback has run: the delay to its next run, or undefined to end it. */
  repeat(task: Task): number | undefined;
  /** A timer starts its delay, or starts it again: how long it is to wait. */
  restart(task: Task, delay: number): number;
}

/**
 * The pending timers of one manager.
 *
 * A new timer takes a slot and an operation in a list. The native wheel hears of the list when it is full, or
 * when the driver, one Node timer armed for the earliest deadline, fires: most timers are cancelled before that
 * and never cross. Where the global setTimeout is not Node's, each timer is handed to that clock instead.
 *
 * Here and in the classes it uses, members are private to TypeScript only: a `#name` takes twice the bytecode,
 * of which V8 inlines no more than 920 bytes into one function, and setTimeout is to be one function.
 */
export class TimerQueue {
  readonly slots = new Slots();
  readonly clock: BurstClock;
  /** Timers ever added. */
  added = 0;
  /** Callbacks run, those of them that ended a timeout, and those that threw. */
  fired = 0;
  completed = 0;
  failed = 0;

  private readonly hooks: QueueHooks;
  private readonly waker = waker(this);
  private readonly ops = new Operations();
  private readonly wheel: TimerWheel;
  private readonly expired = new Int32Array(BATCH);
  /** How many of `expired` are filled, and how many of those are dealt with. */
  private batch = 0;
  private next = 0;
  /** Whether a callback has run since the driver fired. */
  private ran = false;

  private driver: NodeJS.Timeout | undefined;
  /** Goes on with a batch that an error has interrupted. */
  private rest: NodeJS.Immediate | undefined;
  /** The deadline that the driver is armed for, or while callbacks run the earliest one seen. */
  private armed = Number.POSITIVE_INFINITY;
  private firing = false;
  private paused = false;
  private closed = false;
  /** Timers that keep the process alive. */
  private refCount = 0;

  constructor(hooks: QueueHooks) {
    this.hooks = hooks;
    this.clock = new BurstClock(this.ops);
    const { slots, deadlines } = this.ops;
    this.wheel = binding.createTimerWheel(this.slots.place, slots, deadlines, this.expired);
  }

  /** Makes a timeout of a bare callback: the path that most timers take. */
  addBare(callback: Callback, delay: number): TimerHandle {
    if (setTimeout !== nodeSetTimeout) return this.addTask(withContext(callback, capture()), delay, true);
    const { slots, ops } = this;
    if (slots.isFull || ops.isFull) this.makeRoom();
    const context = snapshot();
    const entry = framed && holdsStore(context) ? withContext(callback, context) : callback;
    const deadline = this.clock.now() + delay;
    const slot = slots.allocate(entry, delay, 1);
    this.added++;
    if (this.refCount++ === 0) this.begin();
    const index = this.schedule(slot, deadline);
    if (!this.clock.shared) ops.settle();
    if (!framed) ops.contexts[index] = context;
    return new TimerHandle(this, slot, slots.generations[slot]!, entry, delay);
  }

  /** Makes a timer of `delay` ms, or starts that of a handle again. */
  addTask(task: Task, delay: number, ref: boolean, again?: TimerHandle): TimerHandle {
    if (this.slots.isFull) this.makeRoom();
    const slot = this.slots.allocate(task, delay, ref ? 1 : 0);
    this.added++;
    if (ref) this.countRef(1);
    else this.begin();
    task.foreign = setTimeout === nodeSetTimeout ? undefined : new ForeignTimer(() => this.fire(slot));
    this.start(slot, task.details === undefined ? delay : this.hooks.restart(task, delay));
    const generation = this.slots.generations[slot]!;
    const handle = again ?? new TimerHandle(this, slot, generation, task, ref ? delay : -delay);
    handle._slot = slot;
    handle._generation = generation;
    if (task.details !== undefined) this.hooks.begun(task, handle);
    return handle;
  }

  isLive(handle: TimerHandle): boolean {
    return handle._slot >= 0 && this.slots.generations[handle._slot] === handle._generation;
  }

  /** Ends a timer before its time; returns whether it was pending. */
  cancel(handle: TimerHandle, cause: DropCause): boolean {
    const slot = handle._slot;
    const pending = this.isLive(handle);
    // refresh() starts a timer again that has fired, but not one that was cleared.
    handle._slot = -1;
    if (typeof handle._entry === 'function') handle._entry = nothing;
    if (pending) this.cancelSlot(slot, cause);
    return pending;
  }

  /** Ends the pending timer of a slot. */
  cancelSlot(slot: number, cause: DropCause): void {
    const entry = this.slots.entries[slot]!;
    this.unplace(slot, entry);
    this.release(slot);
    if (typeof entry === 'function') return;
    entry.dropped = true;
    if (entry.details !== undefined) this.hooks.ended(entry, cause);
  }

  /** The slot that a handle's number stands for, while its timer is pending. */
  slotOf(number: number): number | undefined {
    const parts = decode(number);
    if (parts === undefined || this.slots.entries[parts.slot] === undefined) return undefined;
    return foldGeneration(this.slots.generations[parts.slot]!) === parts.generation ? parts.slot : undefined;
  }

  /** Starts a timer's delay again; a timeout that has fired becomes pending again. */
  refresh(handle: TimerHandle): void {
    if (!this.isLive(handle)) {
      this.revive(handle);
      return;
    }
    const slot = handle._slot;
    const entry = this.slots.entries[slot]!;
    const { contexts } = this.ops;
    const context = contexts[this.slots.place[slot]!];
    this.unplace(slot, entry);
    const delay = this.slots.delays[slot]!;
    const hasDetails = typeof entry === 'object' && entry.details !== undefined;
    this.start(slot, hasDetails ? this.hooks.restart(entry, delay) : delay);
    if (context !== undefined) contexts[this.slots.place[slot]!] = context;
  }

  setRef(handle: TimerHandle, ref: boolean): void {
    handle._delay = ref ? Math.abs(handle._delay) : -Math.abs(handle._delay);
    if (!this.isLive(handle) || this.hasRef(handle) === ref) return;
    this.slots.refs[handle._slot] = ref ? 1 : 0;
    this.countRef(ref ? 1 : -1);
    this.foreignOf(handle)?.setRef(ref);
  }

  hasRef(handle: TimerHandle): boolean {
    return this.isLive(handle) && this.slots.refs[handle._slot] === 1;
  }

  foreignOf(handle: TimerHandle): ForeignTimer | undefined {
    const entry = this.isLive(handle) ? this.slots.entries[handle._slot] : undefined;
    return typeof entry === 'object' ? entry.foreign : undefined;
  }

  /** The exact time on the clock that a task is on. */
  timeOf(task: Task): number {
    return task.foreign === undefined ? this.clock.read() : task.foreign.now;
  }

  /** Milliseconds until the pending timer of a slot is due. */
  remaining(slot: number): number {
    const entry = this.slots.entries[slot];
    if (typeof entry === 'object' && entry.foreign !== undefined) return entry.foreign.remaining;
    const now = this.clock.read();
    const place = this.slots.place[slot]!;
    if (place === EXPIRED) return 0;
    return (place >= 0 ? this.ops.deadlines[place]! : this.wheel.deadline(slot)) - now;
  }

  /** Stops time for all timers; what remains of their delays is kept. */
  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.clock.pause();
    this.disarm();
    this.eachForeign((foreign) => foreign.stop());
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.clock.resume();
    this.clock.read();
    this.apply();
    if (!this.firing) this.rearm();
    this.eachForeign((foreign, slot, details) => {
      const stopped = foreign.resume(this.slots.refs[slot] === 1);
      if (details === undefined) return;
      details.born += stopped;
      details.nominal += stopped;
      details.due += stopped;
    });
  }

  /** Ends every timer. The queue takes no more. */
  close(): void {
    this.closed = true;
    this.slots.entries.forEach((entry, slot) => {
      if (entry !== undefined) this.cancelSlot(slot, 'destroyed');
    });
    this.disarm();
    this.batch = 0;
    this.next = 0;
    this.ops.reset();
    this.wheel.clear();
  }

  /** There is a timer where there may have been none. */
  private begin(): void {
    busyQueues.add(this);
    if (this.refCount > 0) this.driver?.ref();
  }

  private countRef(by: 1 | -1): void {
    this.refCount += by;
    if (this.refCount === 0) this.driver?.unref();
    else if (by === 1 && this.refCount === 1) this.begin();
  }

  private release(slot: number): void {
    if (this.slots.refs[slot] === 1) this.countRef(-1);
    this.slots.release(slot);
    if (this.slots.live === 0) busyQueues.delete(this);
  }

  /** Empties the list, and doubles the table if that is full. */
  private makeRoom(): void {
    // Native code writes to the table that it holds, so the list goes there first.
    this.apply();
    if (!this.slots.isFull) return;
    this.slots.grow();
    this.wheel.resize(this.slots.place, this.ops.slots, this.ops.deadlines);
  }

  /** Starts or restarts a timer on the clock that it is on. */
  private start(slot: number, delay: number): void {
    const entry = this.slots.entries[slot]!;
    if (typeof entry === 'object' && entry.foreign !== undefined) {
      this.slots.place[slot] = FOREIGN;
      if (this.paused) entry.foreign.hold(delay);
      else entry.foreign.start(delay, this.slots.refs[slot] === 1);
      return;
    }
    if (this.ops.isFull) this.apply();
    this.schedule(slot, this.clock.exact() + delay);
    this.ops.settle();
  }

  private schedule(slot: number, deadline: number): number {
    const index = this.ops.schedule(slot, deadline);
    this.slots.place[slot] = index;
    if (deadline < this.armed) this.arm(deadline);
    return index;
  }

  /** Takes a pending timer off its clock. */
  private unplace(slot: number, entry: Entry): void {
    const place = this.slots.place[slot]!;
    if (place >= 0) {
      this.ops.withdraw(place);
    } else if (place === FOREIGN) {
      (entry as Task).foreign!.stop();
    } else if (place !== EXPIRED) {
      if (this.ops.isFull) this.apply();
      this.ops.cancel(slot);
    }
  }

  private revive(handle: TimerHandle): void {
    const entry = handle._entry;
    if (this.closed || handle._slot < 0) return;
    const delay = Math.abs(handle._delay);
    const ref = handle._delay > 0;
    if (typeof entry === 'function') {
      this.hooks.admit(() => {
        const { _slot, _generation } = this.addBare(entry, delay);
        handle._slot = _slot;
        handle._generation = _generation;
        this.setRef(handle, ref);
      });
    } else if (!entry.dropped && !entry.details?.period && !entry.details?.signal?.aborted) {
      this.hooks.admit(() => this.addTask(entry, delay, ref, handle));
    }
  }

  /** Tells the wheel what is in the list. */
  private apply(): void {
    const ops = this.ops;
    if (ops.count === 0) return;
    this.clock.read();
    if (!framed) this.keepContexts();
    this.wheel.apply(ops.count);
    if (ops.reset()) this.wheel.resize(this.slots.place, ops.slots, ops.deadlines);
  }

  /** Without frames: looks which of the list's contexts hold a store, and lets the others go. */
  private keepContexts(): void {
    const { contexts, count } = this.ops;
    const inUse = storesInUse();
    for (let index = 0; index < count; index++) {
      const context = contexts[index];
      if (context === undefined) continue;
      contexts[index] = undefined;
      if (!inUse || !holdsStore(context)) continue;
      const slot = this.ops.slots[index]!;
      const entry = this.slots.entries[slot];
      if (typeof entry === 'function') this.slots.entries[slot] = withContext(entry, context);
    }
  }

  private arm(deadline: number): void {
    this.armed = deadline;
    // The driver is armed for this when the callbacks have run, or time goes on.
    if (this.firing || this.paused) return;
    if (this.driver !== undefined) nodeClearTimeout(this.driver);
    // Node's timers wake a little after their time, which covers the fraction. Should one not, the next tick does.
    const wait = Math.min(Math.max(Math.floor(deadline - this.clock.last), 1), MAX_NODE_DELAY);
    this.driver = noContext.runInAsyncScope(nodeSetTimeout, undefined, this.waker, wait) as NodeJS.Timeout;
    if (this.refCount === 0) this.driver.unref();
  }

  private disarm(): void {
    if (this.driver !== undefined) nodeClearTimeout(this.driver);
    if (this.rest !== undefined) nodeClearImmediate(this.rest);
    this.driver = undefined;
    this.rest = undefined;
    this.armed = Number.POSITIVE_INFINITY;
  }

  /** Arms the driver for the earliest deadline of wheel and list, or goes on with a batch at once. */
  private rearm(): void {
    if (this.next < this.batch) {
      this.armed = Number.NEGATIVE_INFINITY;
      this.rest = noContext.runInAsyncScope(nodeSetImmediate, undefined, this.waker) as NodeJS.Immediate;
      return;
    }
    const deadline = Math.min(this.wheel.nextDeadline(), this.armed);
    if (deadline !== Number.POSITIVE_INFINITY) this.arm(deadline);
  }

  /** Runs what is due; called by the driver only. */
  wake(): void {
    this.driver = undefined;
    this.rest = undefined;
    this.armed = Number.POSITIVE_INFINITY;
    this.firing = true;
    this.ran = false;
    const now = this.clock.read();
    this.apply();
    try {
      do {
        this.fireBatch();
        if (this.paused || this.closed) return;
        this.next = 0;
        // The wheel must have heard of those that callbacks have ended, or it hands out slots that are free or another's.
        this.apply();
        this.batch = this.wheel.advance(now);
      } while (this.batch > 0);
    } finally {
      // Also when a callback threw: the error goes to `uncaughtException`, the rest of the batch comes next.
      this.firing = false;
      // The callbacks took their time, which the next wait must not count again.
      this.clock.read();
      if (!this.paused && !this.closed) this.rearm();
    }
  }

  private fireBatch(): void {
    while (this.next < this.batch && !this.paused) {
      if (this.ran) runNextTicks();
      const slot = this.expired[this.next++]!;
      // An earlier callback may have ended it, started it again, or given its slot away.
      if (this.slots.place[slot] !== EXPIRED) continue;
      this.ran = true;
      this.fire(slot);
    }
  }

  private fire(slot: number): void {
    const { entries, generations, delays, refs, place } = this.slots;
    const entry = entries[slot]!;
    const details = typeof entry === 'object' ? entry.details : undefined;
    const delay = refs[slot] === 1 ? delays[slot]! : -delays[slot]!;
    const handle = details?.handle ?? new TimerHandle(this, slot, generations[slot]!, entry, delay);
    const repeats = details !== undefined && details.period > 0;
    place[slot] = EXPIRED;
    if (!repeats) this.complete(slot, entry);
    this.fired++;
    let failed = true;
    try {
      if (typeof entry === 'object') entry.run(handle);
      else entry.call(handle);
      failed = false;
    } finally {
      if (failed) this.failed++;
      if (repeats && this.isLive(handle) && this.slots.place[slot] === EXPIRED)
        this.repeat(slot, entry as Task);
    }
  }

  private complete(slot: number, entry: Entry): void {
    this.completed++;
    this.release(slot);
    if (typeof entry === 'object' && entry.details !== undefined) this.hooks.ended(entry, undefined);
  }

  private repeat(slot: number, task: Task): void {
    const delay = this.hooks.repeat(task);
    if (delay === undefined) this.cancelSlot(slot, 'stale');
    else this.start(slot, delay);
  }

  private eachForeign(visit: (foreign: ForeignTimer, slot: number, details?: Details) => void): void {
    this.slots.entries.forEach((entry, slot) => {
      if (typeof entry === 'object' && entry.foreign !== undefined) visit(entry.foreign, slot, entry.details);
    });
  }
}
