import { binding } from '../native.js';
import { unwatch, watch } from '../signals.js';
import { noContext } from '../timer/context.js';
import { Checks } from './checks.js';
import { Closings } from './closings.js';
import type { Core } from './core.js';
import { Figures } from './figures.js';
import { Lease } from './lease.js';
import { Line, reporting } from './line.js';
import {
  ACTION,
  ACTION_WIDTH,
  CAUSE,
  GATE,
  type NativeConnectionPool,
  PRIORITY,
  REFUSAL,
  REFUSED,
  STATE,
  STATE_COUNT,
} from './native.js';
import { Openings } from './openings.js';
import type { ConnectionFactory, Settings } from './options.js';
import type { Pooled } from './pooled.js';
import { closedError, refusal } from './refusals.js';
import { Returns } from './returns.js';
import { PoolTime } from './time.js';
import { Waiter, type Wish } from './waiter.js';

/** Actions that the native core hands out at a time. */
const BATCH = 64;

type Emit = Core<never>['emit'];

/** What waits for the pool to come to a state. */
export interface Watcher {
  /** Called whenever something has changed; returns whether its wait is over. */
  notice(): boolean;
}

/**
 * Carries out what the native core decides: lends connections, and opens, validates and closes them by the factory.
 *
 * A waiting acquire has a ticket in the core and a {@link Waiter} here; a connection has a slot and a {@link Pooled}.
 * Everything is in order before a function of the user's is called, which may call the pool again. Members are private
 * to TypeScript only: a `#name` takes twice the bytecode, which keeps V8 from inlining.
 */
export class Engine<T> implements Core<T> {
  readonly settings: Settings;
  readonly factory: ConnectionFactory<T>;
  readonly emit: Emit;
  readonly native: NativeConnectionPool;
  readonly name: string;
  readonly state = new Float64Array(STATE_COUNT);
  readonly figures = new Figures();
  readonly time: PoolTime;
  readonly places: (Pooled<T> | undefined)[] = [];
  readonly known = new Set<T>();
  readonly openings: Openings<T>;
  closed = false;
  forced = false;
  private readonly actions = new Int32Array(BATCH * ACTION_WIDTH);
  /** By ticket: who waits, and since when. */
  private readonly waiters: (Waiter<T> | undefined)[] = [];
  private readonly sinces: number[] = [];
  /** What an acquire without options asks for. */
  private readonly plain: Wish;
  private readonly watchers = new Set<Watcher>();
  private readonly returns: Returns;
  private readonly line: Line<T>;
  /** The native core, to which nobody in line is reported. */
  private readonly raw: NativeConnectionPool;
  private readonly closings: Closings<T>;
  private readonly checks: Checks<T>;
  private readonly work = (): void => this.carryOutAll();
  /** What the factory offers, looked at once. */
  private readonly hasAlive: boolean;
  private readonly hasRef: boolean;
  private readonly hasReset: boolean;
  private readonly traces: boolean;
  private working = false;
  private watched = false;
  private gate: number = GATE.closed;
  private outageBegan = 0;

  constructor(factory: ConnectionFactory<T>, settings: Settings, emit: Emit) {
    this.factory = factory;
    this.settings = settings;
    this.emit = (name, payload) => noContext.runInAsyncScope(emit, undefined, name, payload);
    this.name = settings.name;
    this.plain = {
      timeout: settings.acquireTimeout,
      priority: PRIORITY.normal,
      ...{ affinity: undefined, signal: undefined, trace: undefined },
    };
    this.hasAlive = factory.alive !== undefined;
    this.hasRef = factory.ref !== undefined;
    this.traces = settings.leakAfter !== Number.POSITIVE_INFINITY;
    this.hasReset = factory.reset !== undefined;
    this.time = new PoolTime((now) => this.wake(now));
    this.returns = new Returns(settings, this.state);
    this.line = new Line(settings, this.state);
    this.raw = binding.createConnectionPool(settings.native, this.state, this.actions, this.returns.pairs);
    this.native = reporting(this.raw, () => {
      if (this.line.count > 0) this.reportLine();
    });
    this.openings = new Openings(this);
    this.closings = new Closings(this);
    this.checks = new Checks(this);
  }

  get failures(): number {
    return this.state[STATE.failures]!;
  }

  /** Acquires with no options: the path that most acquires take. */
  acquire(): Promise<Lease<T>> {
    if (this.state[STATE.returns]! > 0) {
      const recent = this.time.recent();
      const kept = this.returns.lend(recent);
      const lease = kept < 0 ? undefined : this.lend(this.places[kept]!, recent);
      if (lease !== undefined) {
        this.figures.immediate++;
        return Promise.resolve(lease);
      }
    }
    // From here on it may have to wait, and its deadline counts from now exactly.
    const now = this.time.now();
    if (this.line.open) {
      const waiter = new Waiter<T>(this.plain);
      this.line.join(waiter, now);
      this.after();
      return waiter.answer(this.settings.name);
    }
    const found = this.native.acquire(now, now + this.plain.timeout, PRIORITY.normal);
    return this.answer(this.plain, found, now);
  }

  /** Has the native core know who is in line. */
  private reportLine(): void {
    const { line, raw } = this;
    while (line.count > 0) {
      const { since } = line;
      const waiter = line.next();
      this.seek(raw, waiter, since, since, PRIORITY.normal);
    }
  }

  /** Does what is due. */
  private wake(now: number): void {
    const late = this.line.late(now);
    // While anybody is in line there is nothing to tick for but what is due next.
    this.raw.tick(now);
    this.line.tell();
    for (const { waiter, since } of late) waiter.reject(this.refusal(CAUSE.timeout, waiter.wish, since));
    this.after();
  }

  /** Acquires as wished. */
  acquireWith(wish: Wish): Promise<Lease<T>> {
    const { signal } = wish;
    if (signal?.aborted) {
      this.figures.errors.aborted++;
      return Promise.reject(signal.reason);
    }
    const now = this.time.now();
    return this.answer(wish, this.ask(wish, now, now), now);
  }

  private ask({ timeout, priority, affinity }: Wish, since: number, now: number): number {
    if (affinity === undefined) {
      const kept = this.returns.lend(now);
      return kept >= 0 ? kept : this.native.acquire(now, since + timeout, priority);
    }
    return this.native.acquireFor(now, since + timeout, priority, affinity);
  }

  /** Turns what the native core answered into what the caller gets. */
  private answer(wish: Wish, answered: number, since: number): Promise<Lease<T>> {
    let found = answered;
    while (found >= 0) {
      const lease = this.lend(this.places[found]!, since, wish.trace);
      if (lease !== undefined) {
        this.figures.immediate++;
        this.after();
        return Promise.resolve(lease);
      }
      found = this.ask(wish, since, since);
    }
    if (found < REFUSED) {
      this.after();
      return Promise.reject(this.refusal(found - REFUSAL, wish, since));
    }
    const waiter = new Waiter<T>(wish);
    this.wait(waiter, -1 - found, since);
    this.after();
    return waiter.answer(this.settings.name);
  }

  private wait(waiter: Waiter<T>, ticket: number, since: number): void {
    this.waiters[ticket] = waiter;
    this.sinces[ticket] = since;
    const { signal } = waiter.wish;
    if (signal === undefined) return;
    waiter.abortable = { cancel: (reason) => this.cancel(waiter, ticket, reason) };
    watch(signal, waiter.abortable);
    // A function of the factory may have aborted it on the way here.
    if (signal.aborted) this.cancel(waiter, ticket, signal.reason);
  }

  /** Takes a waiter off, who gets its answer now. */
  private settled(ticket: number): Waiter<T> {
    const waiter = this.waiters[ticket]!;
    this.waiters[ticket] = undefined;
    if (waiter.abortable !== undefined) unwatch(waiter.wish.signal!, waiter.abortable);
    return waiter;
  }

  /** Lends an idle connection, unless the factory says that it is broken. */
  private lend(pooled: Pooled<T>, now: number, trace?: Wish['trace']): Lease<T> | undefined {
    // Made first, so that it ends if the factory's functions have the pool closed by force.
    const lease = new Lease(pooled);
    if (this.hasAlive && !this.alive(pooled)) {
      this.broken(pooled);
      return undefined;
    }
    pooled.lentAt = now;
    if (this.traces) pooled.trace = trace;
    if (this.hasRef) this.ref(pooled);
    return lease;
  }

  /** Gives a lent connection to who waits for it; before any function of the user's, as the ticket is free again. */
  private handOver(pooled: Pooled<T>, ticket: number, now: number): void {
    this.serve(this.settled(ticket), pooled, this.sinces[ticket]!, now);
  }

  private serve(waiter: Waiter<T>, pooled: Pooled<T>, since: number, now: number): void {
    pooled.lentAt = now;
    if (this.traces) pooled.trace = waiter.wish.trace;
    this.figures.waits.record(now - since);
    waiter.resolve(new Lease(pooled));
  }

  rest(pooled: Pooled<T>, ticket: number, now: number): void {
    if (ticket >= 0) {
      this.handOver(pooled, ticket, now);
      this.ref(pooled);
    } else this.unref(pooled);
  }

  giveBack(pooled: Pooled<T>): void | Promise<void> {
    pooled.endLoan();
    if (this.hasReset) return this.checks.reset(pooled);
    this.takeBack(pooled);
  }

  takeBack(pooled: Pooled<T>): void {
    const now = this.time.recent();
    this.figures.uses.record(now - pooled.lentAt);
    if (this.hasAlive && !this.alive(pooled)) {
      this.broken(pooled);
    } else if (this.line.count > 0 && now < pooled.expires) {
      const { since } = this.line;
      this.serve(this.line.next(), pooled, since, now);
    } else if (!this.watched && this.returns.keep(pooled, now)) {
      if (this.hasRef) this.unref(pooled);
      return;
    } else {
      const ticket = this.native.release(now, pooled.slot);
      if (ticket >= 0) this.handOver(pooled, ticket, now);
      else if (this.hasRef) this.unref(pooled);
    }
    this.after();
  }

  /** To be replaced. A method of its own, as V8 inlines its callers only while they are short. */
  private broken(pooled: Pooled<T>): void {
    this.native.discard(this.time.now(), pooled.slot);
  }

  discard(pooled: Pooled<T>, error: unknown): void {
    const now = this.time.now();
    pooled.endLoan();
    pooled.error = error;
    this.figures.uses.record(now - pooled.lentAt);
    this.native.discard(now, pooled.slot);
    this.after();
  }

  alive(pooled: Pooled<T>): boolean {
    if (!this.hasAlive) return true;
    try {
      return Boolean(this.factory.alive!(pooled.connection));
    } catch (error) {
      pooled.error = error;
      return false;
    }
  }

  ref(pooled: Pooled<T>): void {
    try {
      this.factory.ref?.(pooled.connection);
    } catch (error) {
      this.emit('error', error);
    }
  }

  private unref(pooled: Pooled<T>): void {
    try {
      this.factory.unref?.(pooled.connection);
    } catch (error) {
      this.emit('error', error);
    }
  }

  /** Its signal ended a waiter's wait. */
  private cancel(waiter: Waiter<T>, ticket: number, reason: unknown): void {
    // What the core has settled already is on its way to the caller, who gets that.
    if (this.waiters[ticket] !== waiter || this.native.cancel(this.time.now(), ticket) === 0) return;
    this.settled(ticket);
    this.figures.errors.aborted++;
    waiter.reject(reason);
    this.after();
  }

  after(): void {
    const { state, time } = this;
    if (state[STATE.pending]! > 0 && !this.working) noContext.runInAsyncScope(this.work);
    const busy = state[STATE.opening]! + state[STATE.waiting]! > 0;
    if (state[STATE.due]! < time.armed || (busy && !time.holding)) this.keepTime(busy);
    else if (!busy && time.holding) time.hold(false);
    if (this.working) return;
    if (state[STATE.gate] !== this.gate) this.gateMoved();
    if (this.watched) this.notice();
  }

  private keepTime(busy: boolean): void {
    const { state, time } = this;
    const due = state[STATE.due]!;
    time.hold(busy);
    // With nothing due there is still to be something that keeps the process alive.
    if (due < time.armed || time.armed === Number.POSITIVE_INFINITY) time.arm(due, time.now());
  }

  private carryOutAll(): void {
    const { state, actions, native } = this;
    this.working = true;
    try {
      do {
        const end = native.take() * ACTION_WIDTH;
        for (let at = 0; at < end; at += ACTION_WIDTH) {
          this.carryOut(actions[at]!, actions[at + 1]!, actions[at + 2]!);
        }
      } while (state[STATE.pending]! > 0);
    } finally {
      this.working = false;
    }
  }

  private carryOut(action: number, first: number, second: number): void {
    switch (action) {
      case ACTION.create:
        this.openings.begin(first);
        break;
      case ACTION.validate:
        this.checks.validate(first);
        break;
      case ACTION.close:
        this.closings.begin(first, second);
        break;
      case ACTION.lend:
        this.lendTo(first, this.places[second]!);
        break;
      case ACTION.reject:
        this.rejectTicket(first, second);
        break;
      case ACTION.leak:
        this.leaked(this.places[first]!);
        break;
      case ACTION.abandon:
        this.openings.abandon(first);
    }
  }

  /** Lends a connection that has idled to a waiter, who goes first for another one should it be broken. */
  private lendTo(ticket: number, pooled: Pooled<T>): void {
    const now = this.time.now();
    if (!this.hasAlive || this.alive(pooled)) {
      this.handOver(pooled, ticket, now);
      this.ref(pooled);
      return;
    }
    this.native.discard(now, pooled.slot);
    this.seek(this.native, this.settled(ticket), this.sinces[ticket]!, now, PRIORITY.high);
  }

  /** Asks for a waiter as for one who comes at `now`. */
  private seek(
    native: NativeConnectionPool,
    waiter: Waiter<T>,
    since: number,
    now: number,
    priority: number,
  ): void {
    const { wish } = waiter;
    let lease: Lease<T> | undefined;
    while (lease === undefined) {
      const found = native.acquire(now, since + wish.timeout, priority);
      if (found < 0) {
        if (found < REFUSED) waiter.reject(this.refusal(found - REFUSAL, wish, since));
        else this.wait(waiter, -1 - found, since);
        return;
      }
      lease = this.lend(this.places[found]!, now, wish.trace);
    }
    this.figures.waits.record(now - since);
    waiter.resolve(lease);
  }

  private rejectTicket(ticket: number, cause: number): void {
    const waiter = this.settled(ticket);
    waiter.reject(this.refusal(cause, waiter.wish, this.sinces[ticket]!));
  }

  private refusal(cause: number, { timeout }: Wish, since: number): Error {
    return refusal(this, cause, timeout, since, this.openings.failure);
  }

  private leaked(pooled: Pooled<T>): void {
    this.figures.leaks++;
    const stack = pooled.trace?.stack?.replace(/^.*\n/, '') ?? '';
    const ms = this.time.now() - pooled.lentAt;
    this.emit('leak', { pool: this.name, id: pooled.id, ms, stack });
  }

  private gateMoved(): void {
    const was = this.gate;
    this.gate = this.state[STATE.gate]!;
    const now = this.time.now();
    if (was === GATE.closed) {
      this.outageBegan = now;
      this.emit('outage', { pool: this.name, error: this.openings.failure!, failures: this.failures });
    } else if (this.gate === GATE.closed) {
      this.emit('recovered', { pool: this.name, ms: now - this.outageBegan });
    }
  }

  /** Has a watcher told of changes until its wait is over, which may be now. */
  watch(watcher: Watcher): void {
    this.watchers.add(watcher);
    this.notice();
  }

  unwatch(watcher: Watcher): void {
    this.watchers.delete(watcher);
    this.watched = this.watchers.size > 0;
  }

  private notice(): void {
    for (const watcher of [...this.watchers]) if (watcher.notice()) this.watchers.delete(watcher);
    this.watched = this.watchers.size > 0;
  }

  /** Connections in the pool, those that open or close included. */
  get total(): number {
    return this.live + this.state[STATE.opening]! + this.state[STATE.closing]!;
  }

  /** Connections that are open. */
  get live(): number {
    const { state } = this;
    return state[STATE.idle]! + state[STATE.lent]! + state[STATE.validating]!;
  }

  /** Replaces all connections: what is idle at once, the rest as it comes back. */
  evict(): void {
    for (const pooled of this.places) if (pooled !== undefined) pooled.expires = Number.NEGATIVE_INFINITY;
    this.native.evict(this.time.now());
    this.after();
  }

  /** Closes: what is idle at once, the rest as it comes back. */
  shut(): void {
    this.closed = true;
    this.closings.hold();
    this.native.close(this.time.now());
    this.after();
    this.openings.abort(closedError(this.name));
  }

  /** Takes back by force what a pool that closes still waits for. */
  force(): void {
    this.forced = true;
    this.openings.drop();
    for (const pooled of [...this.places]) if (pooled !== undefined) this.broken(pooled);
    this.after();
  }
}
