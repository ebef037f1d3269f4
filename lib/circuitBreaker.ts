import type { CallContext, Recovery } from './breaker/call.js';
import { Engine } from './breaker/engine.js';
import type { CircuitBreakerEvents } from './breaker/events.js';
import { Fleet } from './breaker/fleet.js';
import { AttentiveEmitter } from './breaker/listeners.js';
import { EVENT, GATE, STATE } from './breaker/native.js';
import { breakerSettings, type CircuitBreakerOptions, type RetryPolicy } from './breaker/options.js';
import { Retrying } from './breaker/retry.js';
import { type CircuitBreakerSnapshot, restore, snapshotOf } from './breaker/snapshot.js';
import {
  type CircuitBreakerFleet,
  type CircuitBreakerMetrics,
  type CircuitBreakerState,
  type CircuitBreakerStats,
  type CircuitBreakerWindowStats,
  STATES,
  statsOf,
  windowStatsOf,
} from './breaker/stats.js';
import { dispose } from './dispose.js';
import { observe } from './metrics/member.js';
import { readBreaker } from './metrics/readers/breaker.js';
import { type Spans, spans } from './openTelemetry/spans.js';
import { callable } from './validate.js';

/** What answers in place of a call that failed or was not made: it gets the call's arguments, and the error. */
export type CircuitBreakerFallback<Args extends unknown[], R> = (
  ...args: [...Args, error: any]
) => R | PromiseLike<R>;

/** What a breaker tells of its calls, as of when it is asked. */
export interface CircuitBreakerStatus {
  readonly stats: CircuitBreakerStats;
  /** By what it judges. */
  readonly window: CircuitBreakerWindowStats;
}

/**
 * Calls something that may fail, and stops calling it for a while when it fails too often or is too slow.
 *
 * Names of methods, states and events are opossum's. A call that is in flight keeps the process alive until it is
 * answered, `timeout` at the latest; nothing else does. Listeners, the fallback and the action may call the breaker.
 *
 * Events: see {@link CircuitBreakerEvents}.
 */
export class CircuitBreaker<
  Args extends unknown[] = any[],
  R = any,
> extends AttentiveEmitter<CircuitBreakerEvents> {
  private readonly engine: Engine;
  private readonly retry: RetryPolicy | undefined;
  private readonly member: Fleet | undefined;
  private answer: ((...args: any[]) => unknown) | undefined;

  /**
   * @param action what is called
   * @throws InvalidArgumentError for an option that is unknown, of the wrong type or out of range
   */
  constructor(
    action: (...args: [...Args, context: CallContext]) => R | PromiseLike<R>,
    options: CircuitBreakerOptions<Args> & { signal: true },
  );
  constructor(
    action: (...args: Args) => R | PromiseLike<R>,
    options?: CircuitBreakerOptions<Args> & { signal?: false | undefined },
  );
  constructor(action: (...args: any[]) => R | PromiseLike<R>, options: CircuitBreakerOptions<Args> = {}) {
    super('breaker');
    const settings = breakerSettings(options, callable('action', action));
    this.engine = new Engine(action, settings, (event, payload, ...args) =>
      this.announce(event, payload, event === 'error' ? undefined : args),
    );
    this.retry = settings.retry;
    if (settings.shared !== undefined) {
      this.member = new Fleet(this.engine, settings.shared);
      this.engine.governor = this.member;
    }
    observe(this, readBreaker);
  }

  protected override listenersChanged(): void {
    this.engine.heardFire = this.listenerCount('fire') > 0;
    this.engine.heardSuccess = this.listenerCount('success') > 0;
  }

  /** Its name in errors, events and metrics. */
  get name(): string {
    return this.engine.settings.name;
  }

  /**
   * Calls the action, and resolves or rejects as it does.
   *
   * Rejects with TimeoutError; with BreakerOpenError while calls are not let through; with QueueFullError where there is
   * no room; and with DestroyedError after `shutdown()`: unless there is a fallback, and but for the last.
   */
  fire(...args: Args): Promise<R> {
    return this.begin(undefined, args);
  }

  /** Likewise, with a `this` for the action. */
  call(thisArg: unknown, ...args: Args): Promise<R> {
    return this.begin(thisArg, args);
  }

  /** A function that calls the action by way of this breaker; its `this` is the action's. */
  wrap(): (...args: Args) => Promise<R> {
    const breaker = this;
    return function (this: unknown, ...args: Args): Promise<R> {
      return breaker.call(this, ...args);
    };
  }

  private begin(thisArg: unknown, args: Args): Promise<R> {
    return spans === undefined ? this.start(thisArg, args) : this.startIn(spans, thisArg, args);
  }

  /** A function of its own, since one with a closure costs each of its calls an object. */
  private startIn(made: Spans, thisArg: unknown, args: Args): Promise<R> {
    return made.breaker(this.name, () => this.start(thisArg, args));
  }

  private start(thisArg: unknown, args: Args): Promise<R> {
    if (this.retry === undefined && this.answer === undefined)
      return this.engine.start(thisArg, args, undefined);
    return this.withRecovery(thisArg, args);
  }

  private withRecovery(thisArg: unknown, args: Args): Promise<R> {
    const fallback = this.answer === undefined ? undefined : this.recovery(this.answer, args);
    if (this.retry === undefined) return this.engine.start(thisArg, args, fallback);
    return new Retrying(this.engine, this.retry, thisArg, args, fallback).run();
  }

  private recovery(answer: (...args: any[]) => unknown, args: Args): Recovery {
    const { engine, name } = this;
    return (error) => {
      const result = answer(...args, error);
      engine.counts.fallbacks++;
      engine.native.count(engine.time.now(), EVENT.fallback);
      engine.say('fallback', { breaker: name, result, error }, result, error);
      return result;
    };
  }

  /**
   * Sets what answers in place of calls that fail, are late or are not made: a function, or another breaker, which is
   * fired. Errors that `errorFilter` lets pass are answers, and reject.
   */
  fallback(answer: CircuitBreakerFallback<Args, R> | CircuitBreaker<any[], R>): this {
    this.answer =
      answer instanceof CircuitBreaker
        ? (...args) => answer.fire(...args)
        : callable<(...args: any[]) => unknown>('fallback', answer);
    return this;
  }

  private order(act: () => void): void {
    if (this.member === undefined) act();
    else this.member.order(act);
  }

  /** Opens for `resetTimeout`, whatever the calls say. */
  open(): void {
    this.order(() => this.engine.go(GATE.open));
  }

  /** Opens until `close()`, `open()` or `probe()` is called: until then no probe is let through either. */
  forceOpen(): void {
    this.order(() => this.engine.go(GATE.forcedOpen));
  }

  /** Closes, and forgets the calls so far. */
  close(): void {
    this.order(() => this.engine.go(GATE.closed));
  }

  /** Lets probes through, at once. */
  probe(): void {
    this.order(() => this.engine.go(GATE.halfOpen));
  }

  /** Ends a `disable()`. */
  enable(): void {
    this.engine.enable(true);
  }

  /** Lets all calls through from now on, without timeout, capacity or fallback, and counts none. */
  disable(): void {
    this.engine.enable(false);
  }

  get enabled(): boolean {
    return this.engine.enabled;
  }

  get state(): CircuitBreakerState {
    return STATES[this.engine.state[STATE.gate]!]!;
  }

  get closed(): boolean {
    return this.state === 'closed';
  }

  /** Whether it is open, by force or not. */
  get opened(): boolean {
    return this.state === 'open' || this.state === 'forcedOpen';
  }

  get halfOpen(): boolean {
    return this.state === 'halfOpen';
  }

  get isShutdown(): boolean {
    return this.engine.shut;
  }

  /** What happened lately. */
  get stats(): CircuitBreakerStats {
    return statsOf(this.engine);
  }

  get status(): CircuitBreakerStatus {
    const { engine } = this;
    return {
      get stats() {
        return statsOf(engine);
      },
      get window() {
        return windowStatsOf(engine);
      },
    };
  }

  /** How its fleet stands, with the option `shared`. */
  get fleet(): CircuitBreakerFleet | undefined {
    return this.member?.status;
  }

  /** Counters from the beginning on. */
  metrics(): CircuitBreakerMetrics {
    const { counts, flight, waiting } = this.engine;
    const { fleet } = this;
    return {
      name: this.name,
      state: this.state,
      enabled: this.enabled,
      running: flight.running,
      waiting: waiting.count,
      ...counts,
      ...(fleet !== undefined && { fleet }),
    };
  }

  /** Its state and the calls that it judges by, for `restore()` in another process. */
  toJSON(): CircuitBreakerSnapshot {
    return snapshotOf(this.engine);
  }

  /**
   * Takes over what another breaker's `toJSON()` told, be it of an earlier process. The time that has gone since counts.
   *
   * @throws InvalidArgumentError if it is not such a thing
   */
  restore(snapshot: CircuitBreakerSnapshot): this {
    this.order(() => restore(this.engine, snapshot));
    return this;
  }

  /**
   * Refuses calls from now on with DestroyedError, also those that wait for room; those that run are answered. A shared
   * breaker leaves its fleet; until it is shut down it is a member. Calling it again does nothing.
   */
  shutdown(): void {
    if (this.engine.shut) return;
    this.engine.shutdown();
    void this.member?.leave();
    this.engine.say('shutdown', { breaker: this.name });
  }

  /** `shutdown()` at the end of a `using` block. */
  [dispose](): void {
    this.shutdown();
  }
}
