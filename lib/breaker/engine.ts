import diagnosticsChannel from 'node:diagnostics_channel';
import { BreakerOpenError, DestroyedError, QueueFullError, TimeoutError } from '../errors.js';
import { binding } from '../native.js';
import { PoolTime } from '../pool/time.js';
import { capture, noContext } from '../timer/context.js';
import { type Call, CallContext, type CallEnds, type Recovery, STAGE } from './call.js';
import { Counts } from './counts.js';
import type { CircuitBreakerEvent, CircuitBreakerEvents } from './events.js';
import { Flight } from './flight.js';
import {
  EVENT,
  FIGURE_COUNT,
  GATE,
  type NativeBreaker,
  OUTCOME,
  STATE,
  STATE_COUNT,
  SUCCESS_ROOM,
  SUCCESS_WIDTH,
} from './native.js';
import type { Settings } from './options.js';
import { Waiting } from './waiting.js';

/** Tells of an event; `args` are what listeners get. */
export type Say = <Name extends CircuitBreakerEvent>(
  event: Name,
  payload: CircuitBreakerEvents[Name],
  ...args: unknown[]
) => void;

/** Who decides together with other breakers whether calls are let through. */
export interface Governor {
  /** The gate is another now; nobody else has been told yet. */
  moved(gate: number): void;
  /** Whether the others let this breaker have probes. */
  admits(now: number): boolean;
  /** Milliseconds until there are probes; undefined: that is this breaker's own affair. */
  retryAfter(now: number): number | undefined;
}

/** Of the events that every call has, which are made only if somebody listens. */
const fireChannel = diagnosticsChannel.channel('keelson:breaker:fire');
const successChannel = diagnosticsChannel.channel('keelson:breaker:success');

/** Exactly once, whatever the action's promise has for a `then` of its own. */
const { then } = Promise.prototype;
const NEVER = Number.POSITIVE_INFINITY;
/** How old the clock's reading of a call may be before its deadline is put right, in milliseconds. */
const ALLOWANCE = 1;

/**
 * The calls of one breaker.
 *
 * A call that is let through while the breaker is closed and succeeds never crosses into the native core by itself: that it
 * did is noted in a shared array, which the core looks through before anything else that it is told. Members are private
 * to TypeScript only, and what is rare is a function of its own, so that V8 makes one of what is not.
 */
export class Engine implements CallEnds {
  readonly settings: Settings;
  readonly counts = new Counts();
  readonly state = new Int32Array(STATE_COUNT);
  /** When the native core is to be woken. */
  readonly due = new Float64Array(1);
  readonly figures = new Float64Array(FIGURE_COUNT);
  readonly native: NativeBreaker;
  readonly time: PoolTime;
  readonly flight = new Flight(this);
  readonly waiting = new Waiting();
  enabled: boolean;
  shut = false;
  readonly say: Say;
  /** Whether anybody listens to what every call brings about. */
  heardFire = false;
  heardSuccess = false;
  governor: Governor | undefined;
  private readonly action: (...args: any[]) => unknown;
  private readonly successes = new Float64Array(SUCCESS_ROOM * SUCCESS_WIDTH);
  /** The state that was announced last. */
  private gate: number = GATE.closed;
  /** Whether a call that finds room runs, and nothing else is to be asked. */
  private direct: boolean;
  private readonly exactTimes: boolean;
  private readonly capacity: number;

  constructor(action: (...args: any[]) => unknown, settings: Settings, say: Say) {
    this.settings = settings;
    this.say = say;
    this.action = action;
    this.enabled = settings.enabled;
    this.direct = settings.enabled;
    this.capacity = settings.capacity;
    this.exactTimes = settings.slowCallDuration !== NEVER;
    this.native = binding.createCircuitBreaker(
      settings.native,
      this.state,
      this.due,
      this.successes,
      this.figures,
    );
    this.time = new PoolTime((now) => this.wake(now));
    this.time.turned = (began) => this.turned(began);
  }

  /** Calls the action, if it may be called. `recovery` makes something of a failure. */
  start(thisArg: unknown, args: readonly unknown[], recovery: Recovery | undefined): Promise<any> {
    this.counts.fires++;
    if (this.heardFire || fireChannel.hasSubscribers) this.sayFire(args);
    if (!this.direct || this.flight.running >= this.capacity) return this.detour(thisArg, args, recovery);
    return this.enter(thisArg, args, recovery);
  }

  /** Calls the action. */
  private enter(thisArg: unknown, args: readonly unknown[], recovery: Recovery | undefined): Promise<any> {
    const call = this.flight.take();
    const promise = call.begin(thisArg, args, recovery);
    const now = this.exactTimes ? this.time.now() : this.time.recent();
    this.flight.add(call, now, STAGE.running);
    if (this.flight.count === 1) this.departed(now);
    if (recovery !== undefined) call.scope = capture();
    this.run(call);
    return promise;
  }

  private run(call: Call): void {
    call.epoch = this.state[STATE.epoch]!;
    let result: unknown;
    try {
      if (this.settings.signal) result = this.callWithSignal(call);
      else result = this.action.apply(call.thisArg, call.args as unknown[]);
    } catch (error) {
      this.failed(call, error);
      return;
    }
    then.call(Promise.resolve(result), call.succeeded, call.failed);
  }

  private callWithSignal(call: Call): unknown {
    const context = new CallContext();
    call.context = context;
    return this.action.call(call.thisArg, ...call.args, context);
  }

  /** The first call is in flight: from now on the timer keeps the process, and fires before any is late. */
  private departed(now: number): void {
    this.time.hold(true);
    this.arm(now + this.settings.timeout, now);
  }

  private arm(due: number, now: number): void {
    if (due < this.time.armed) this.time.arm(due, now);
  }

  /** A call that may not run at once, or not without being asked about. */
  private detour(thisArg: unknown, args: readonly unknown[], recovery: Recovery | undefined): Promise<any> {
    if (this.shut) return Promise.reject(this.destroyedError());
    if (!this.enabled) return this.unprotected(thisArg, args);
    const now = this.time.now();
    if (this.isOpen(now)) return this.answer(this.rejected(now), recovery);
    if (this.flight.running >= this.capacity) return this.wait(now, thisArg, args, recovery);
    const permitted = this.permit(now);
    this.after(now);
    return permitted ? this.enter(thisArg, args, recovery) : this.answer(this.rejected(now), recovery);
  }

  private permit(now: number): boolean {
    return (this.governor === undefined || this.governor.admits(now)) && this.native.permit(now);
  }

  private isOpen(now: number): boolean {
    const gate = this.state[STATE.gate]!;
    return gate === GATE.forcedOpen || (gate === GATE.open && now < this.due[0]!);
  }

  /** Nothing counts, nothing is late. */
  private unprotected(thisArg: unknown, args: readonly unknown[]): Promise<any> {
    return new Promise((resolve) => {
      const more = this.settings.signal ? [new CallContext()] : [];
      resolve(this.action.call(thisArg, ...args, ...more));
    });
  }

  /** What a call comes to that was not made. */
  private answer(error: Error, recovery: Recovery | undefined): Promise<any> {
    if (recovery === undefined) return Promise.reject(error);
    return new Promise((resolve) => resolve(recovery(error)));
  }

  private rejected(now: number): Error {
    const { name } = this.settings;
    const error = new BreakerOpenError(name, this.retryAfter(now));
    this.counts.rejects++;
    this.native.count(now, EVENT.reject);
    this.say('reject', { breaker: name, error }, error);
    return error;
  }

  private retryAfter(now: number): number {
    if (this.gate === GATE.halfOpen) return 0;
    const told = this.gate === GATE.open ? this.governor?.retryAfter(now) : undefined;
    return told ?? Math.max(0, this.due[0]! - now);
  }

  /** Waits for room, if it may. */
  private wait(
    now: number,
    thisArg: unknown,
    args: readonly unknown[],
    recovery: Recovery | undefined,
  ): Promise<any> {
    if (this.waiting.count >= this.settings.queue) return this.answer(this.full(now), recovery);
    const call = this.flight.take();
    const promise = call.begin(thisArg, args, recovery);
    this.flight.add(call, now, STAGE.waiting);
    // Another call's end lets it run.
    call.scope = capture() ?? noContext;
    this.waiting.join(call);
    return promise;
  }

  private full(now: number): Error {
    const { name, capacity, queue } = this.settings;
    const error = new QueueFullError(
      queue,
      `Breaker '${name}' has its ${capacity} running and ${queue} waiting calls: raise "capacity" or "queue", or make fewer at once`,
    );
    this.counts.semaphoreRejections++;
    this.native.count(now, EVENT.full);
    this.say('semaphoreLocked', { breaker: name, error }, error, 0);
    return error;
  }

  succeeded(call: Call, value: unknown): void {
    if (call.stage !== STAGE.running) return;
    const now = this.exactTimes ? this.time.now() : this.time.recent();
    const ms = now - call.since - call.waited;
    this.land(call);
    this.counts.successes++;
    if (this.direct && call.epoch === this.state[STATE.epoch] && ms < this.settings.slowCallDuration) {
      this.note(now, ms);
    } else {
      this.record(now, call.epoch, OUTCOME.success, ms);
    }
    const resolve = call.resolve!;
    this.flight.reuse(call);
    if (this.hearsSuccess()) this.saySuccess(value, ms);
    resolve(value);
    if (this.waiting.count > 0) this.serve();
  }

  private note(now: number, ms: number): void {
    const { state, successes } = this;
    const count = state[STATE.successes]!;
    const at = count * SUCCESS_WIDTH;
    successes[at] = now;
    successes[at + 1] = ms;
    state[STATE.successes] = count + 1;
    if (count + 1 === SUCCESS_ROOM) this.native.report();
  }

  private sayFire(args: readonly unknown[]): void {
    this.say('fire', { breaker: this.settings.name, args }, args);
  }

  private hearsSuccess(): boolean {
    return this.heardSuccess || successChannel.hasSubscribers;
  }

  private saySuccess(result: unknown, ms: number): void {
    this.say('success', { breaker: this.settings.name, result, ms }, result, ms);
  }

  failed(call: Call, error: unknown): void {
    if (call.stage !== STAGE.running) return;
    const now = this.time.now();
    this.land(call);
    const { args, recovery, reject, resolve } = call;
    const ms = now - call.since - call.waited;
    const verdict = this.verdict(error, args);
    const { epoch } = call;
    this.flight.reuse(call);
    if (verdict === false) {
      this.fail(now, ms, epoch, OUTCOME.failure, error, args);
      this.recover(error, recovery, resolve!, reject!);
    } else {
      this.pass(now, ms, epoch, verdict, error);
      reject!(error);
    }
    this.serve();
  }

  /** What the filter makes of an error: none where it throws. */
  private verdict(error: unknown, args: readonly unknown[]): boolean | 'ignore' {
    const { errorFilter } = this.settings;
    if (errorFilter === undefined) return false;
    try {
      const verdict = errorFilter(error, ...args);
      return verdict === 'ignore' ? verdict : Boolean(verdict);
    } catch (mistake) {
      this.say('error', mistake);
      return false;
    }
  }

  private pass(now: number, ms: number, epoch: number, verdict: true | 'ignore', error: unknown): void {
    if (verdict === 'ignore') {
      this.counts.ignored++;
      this.record(now, epoch, OUTCOME.ignored, ms);
      return;
    }
    this.counts.successes++;
    this.record(now, epoch, OUTCOME.success, ms);
    if (this.hearsSuccess()) this.saySuccess(error, ms);
  }

  private fail(
    now: number,
    ms: number,
    epoch: number,
    outcome: number,
    error: unknown,
    args: readonly unknown[],
  ): void {
    this.counts.failures++;
    if (this.enabled) this.native.record(now, epoch, outcome, ms);
    this.say('failure', { breaker: this.settings.name, error, ms, args }, error, ms, args);
    this.after(now);
  }

  private record(now: number, epoch: number, outcome: number, ms: number): void {
    if (this.enabled) this.native.record(now, epoch, outcome, ms);
    this.after(now);
  }

  private recover(
    error: unknown,
    recovery: Recovery | undefined,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ): void {
    if (recovery === undefined) {
      reject(error);
      return;
    }
    try {
      resolve(recovery(error));
    } catch (mistake) {
      reject(mistake);
    }
  }

  /** A call is over, as far as its caller is concerned. */
  private land(call: Call): void {
    this.flight.remove(call);
    if (this.flight.count === 0) this.time.hold(false);
  }

  /** Lets waiting calls run while there is room; those that may not run any more are answered. */
  private serve(): void {
    while (this.waiting.count > 0 && this.flight.running < this.capacity) {
      const call = this.waiting.next();
      if (call === undefined) return;
      const now = this.time.now();
      const permitted = this.direct || !this.enabled || this.permit(now);
      this.after(now);
      if (permitted) {
        this.flight.run(call);
        call.waited = now - call.since;
        call.scope!.runInAsyncScope(this.run, this, call);
      } else {
        this.refuse(call, this.rejected(now));
      }
    }
  }

  /** Ends a call that waits. */
  private refuse(call: Call, error: Error): void {
    this.land(call);
    const { scope, recovery, resolve, reject } = call;
    call.clear();
    scope!.runInAsyncScope(this.recover, this, error, recovery, resolve!, reject!);
  }

  /** To be called after each call of the native core: announces what has become of the state. */
  after(now: number): void {
    const gate = this.state[STATE.gate]!;
    if (gate === this.gate) return;
    this.gate = gate;
    this.direct = gate === GATE.closed && this.enabled && !this.shut;
    this.governor?.moved(gate);
    this.arm(this.due[0]!, now);
    this.tell(gate);
    if (gate === GATE.open || gate === GATE.forcedOpen) this.refuseAll(now);
  }

  private tell(gate: number): void {
    const { name, resetTimeout } = this.settings;
    if (gate === GATE.closed) this.say('close', { breaker: name });
    else if (gate === GATE.halfOpen) this.say('halfOpen', { breaker: name, resetTimeout }, resetTimeout);
    else {
      this.counts.opened++;
      this.say('open', { breaker: name });
    }
  }

  /** Nobody waits for what is not going to happen. */
  private refuseAll(now: number): void {
    for (let call = this.waiting.next(); call !== undefined; call = this.waiting.next()) {
      this.refuse(call, this.rejected(now));
    }
  }

  /** The timer has fired. */
  private wake(now: number): void {
    this.expire(now);
    this.native.tick(now);
    this.after(now);
    const { first } = this.flight;
    if (first !== undefined) this.arm(first.since + this.settings.timeout, now);
    this.arm(this.due[0]!, now);
  }

  /** Gives up what is late. */
  private expire(now: number): void {
    const { timeout } = this.settings;
    for (let call = this.flight.first; call !== undefined; call = this.flight.first) {
      if (call.since + timeout > now) return;
      const error = new TimeoutError(`A call of '${this.settings.name}'`, timeout);
      if (call.stage === STAGE.waiting) this.expireWaiting(call, now, error);
      else this.expireRunning(call, now, error);
    }
  }

  private expireWaiting(call: Call, now: number, error: Error): void {
    this.waiting.leave();
    this.counts.timeouts++;
    this.sayTimeout(error, now - call.since, call.args);
    this.refuse(call, error);
  }

  private expireRunning(call: Call, now: number, error: Error): void {
    this.land(call);
    const { args, epoch, context, scope, recovery, resolve, reject } = call;
    const ms = now - call.since - call.waited;
    // Its action may settle yet, so it is not used again.
    call.clear();
    this.counts.timeouts++;
    this.sayTimeout(error, ms, args);
    this.fail(now, ms, epoch, OUTCOME.timeout, error, args);
    (scope ?? noContext).runInAsyncScope(this.recover, this, error, recovery, resolve!, reject!);
    if (context !== undefined) CallContext.abort(context, error);
    this.serve();
  }

  private sayTimeout(error: Error, ms: number, args: readonly unknown[]): void {
    this.say('timeout', { breaker: this.settings.name, error, ms, args }, error, ms, args);
  }

  /** Calls of a turn that shared a reading of the clock: if it was a long one they began later than it says. */
  private turned(began: number): void {
    const now = this.time.now();
    if (now - began > ALLOWANCE) this.flight.postpone(began, now);
  }

  /** Goes into a state because somebody says so. */
  go(gate: number): void {
    const now = this.time.now();
    this.native.go(now, gate);
    this.after(now);
  }

  /** Opens until a time, or until then if it is open. */
  openUntil(time: number): void {
    const now = this.time.now();
    this.native.open(now, time);
    this.after(now);
    this.arm(time, now);
  }

  enable(enabled: boolean): void {
    this.enabled = enabled;
    this.direct = this.gate === GATE.closed && enabled && !this.shut;
  }

  /** Refuses calls from now on, and ends those that wait. Those that run go on. */
  shutdown(): void {
    this.shut = true;
    this.direct = false;
    const error = this.destroyedError();
    for (let call = this.waiting.next(); call !== undefined; call = this.waiting.next()) {
      call.recovery = undefined;
      this.refuse(call, error);
    }
    if (this.flight.count === 0) this.time.disarm();
  }

  private destroyedError(): DestroyedError {
    return new DestroyedError(`Breaker '${this.settings.name}' has been shut down`);
  }
}
