import { asyncDispose } from './dispose.js';
import { ObservableEmitter } from './events.js';
import { observe } from './metrics/member.js';
import { readPool } from './metrics/readers/pools.js';
import { Engine } from './pool/engine.js';
import type { ConnectionPoolEvents } from './pool/events.js';
import type { ConnectionPoolMetrics } from './pool/figures.js';
import type { Lease } from './pool/lease.js';
import { PRIORITY, STATE } from './pool/native.js';
import {
  type AcquireOptions,
  acquireOptions,
  type CloseOptions,
  type ConnectionFactory,
  type ConnectionPoolOptions,
  checkFactory,
  closeTimeoutOf,
  poolSettings,
  type ReadyOptions,
  readyOptions,
} from './pool/options.js';
import type { Wish } from './pool/waiter.js';
import { drained, Ending, Readiness } from './pool/watchers.js';

/** What {@link ConnectionPool.getStats} tells: numbers of connections, and of acquires. */
export interface ConnectionPoolStats {
  /** Connections, those that open or close included; never more than `max`. */
  total: number;
  /** Open and not lent; those that are validated too. */
  idle: number;
  /** Lent. */
  active: number;
  /** Acquires that wait. */
  waiting: number;
  /** Connections that are being opened. */
  opening: number;
}

/**
 * A pool of connections, or of anything that takes time to make and cannot be shared.
 *
 * Who waits is served by priority and then in order: what comes back, or is opened, goes to the first at once. Broken
 * connections are replaced. After a failed `create` the next attempt waits, longer each time and at random, and one
 * attempt is made at a time until one succeeds. An idle pool keeps no process alive, as far as the factory's `unref`
 * goes; an acquire that waits does.
 *
 * Events: see {@link ConnectionPoolEvents}. Listeners and the factory's functions may call the pool.
 */
export class ConnectionPool<T> extends ObservableEmitter<ConnectionPoolEvents> {
  readonly #engine: Engine<T>;
  readonly #traces: boolean;
  #ending: Ending | undefined;

  /**
   * @param factory opens, closes and looks after the connections
   * @throws InvalidArgumentError for an option that is unknown, of the wrong type or out of range
   */
  constructor(factory: ConnectionFactory<T>, options: ConnectionPoolOptions = {}) {
    super('pool');
    const checked = checkFactory<T>(factory);
    const settings = poolSettings(options, checked);
    this.#traces = settings.leakAfter !== Number.POSITIVE_INFINITY;
    this.#engine = new Engine<T>(checked, settings, (name, payload) => this.announce(name, payload));
    observe(this, readPool);
  }

  /** Its name in errors, events and metrics. */
  get name(): string {
    return this.#engine.name;
  }

  /** Whether `close()` was called. */
  get destroyed(): boolean {
    return this.#engine.closed;
  }

  /**
   * Lends a connection, which is to be given back by its lease.
   *
   * Rejects with TimeoutError, whose `cause` is why connections cannot be opened where that is so; with the signal's
   * reason; with QueueFullError; with PoolUnavailableError where `onOutage` is 'fail', or the pool is draining; with
   * InvalidArgumentError; and with DestroyedError once the pool is closed.
   */
  acquire(options?: AcquireOptions): Promise<Lease<T>> {
    if (options === undefined && !this.#traces) return this.#engine.acquire();
    try {
      return this.#engine.acquireWith(this.#wish(acquireOptions(options ?? {})));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #wish({ timeout, priority = 'normal', affinity, signal }: AcquireOptions): Wish {
    const trace = this.#traces ? {} : undefined;
    if (trace !== undefined) Error.captureStackTrace(trace, this.acquire);
    return {
      timeout: timeout ?? this.#engine.settings.acquireTimeout,
      priority: PRIORITY[priority],
      ...{ affinity, signal, trace },
    };
  }

  /**
   * Calls a function with a connection, and gives that back whatever comes of it. A connection that the function found
   * broken is to be discarded by its lease.
   *
   * Rejects as `acquire` does, and with what the function throws.
   */
  async use<R>(
    work: (connection: T, lease: Lease<T>) => R | PromiseLike<R>,
    options?: AcquireOptions,
  ): Promise<R> {
    const lease = await this.acquire(options);
    try {
      return await work(lease.connection, lease);
    } finally {
      const returned = lease.release();
      if (returned !== undefined) await returned;
    }
  }

  /**
   * Opens connections up to `min`, and resolves once they are open.
   *
   * Rejects after `timeout`, by default `acquireTimeout`, with why the latest attempt to open one failed; with the
   * signal's reason; and with DestroyedError.
   */
  async ready(options: ReadyOptions = {}): Promise<void> {
    const engine = this.#engine;
    const { timeout = engine.settings.acquireTimeout, signal } = readyOptions(options);
    signal?.throwIfAborted();
    engine.native.start(engine.time.now());
    engine.after();
    return new Readiness(engine, timeout, signal).promise;
  }

  /** Lends nothing from now on; acquires wait. */
  pause(): void {
    const engine = this.#engine;
    engine.native.pause(engine.time.now());
    engine.after();
  }

  /** Ends a `pause()`, and a `drain()`. */
  resume(): void {
    const engine = this.#engine;
    if (engine.closed) return;
    engine.native.refuse(engine.time.now(), 0);
    engine.native.resume(engine.time.now());
    engine.after();
  }

  /**
   * Refuses acquires from now on with PoolUnavailableError, serves who waits, and resolves once all connections are
   * back. They stay open; `resume()` lends again.
   */
  drain(): Promise<void> {
    const engine = this.#engine;
    engine.native.refuse(engine.time.now(), 1);
    engine.after();
    return drained(engine);
  }

  /** Replaces all connections of now: idle ones are closed, lent ones when they come back. */
  evict(): void {
    this.#engine.evict();
  }

  /**
   * Closes the pool: rejects who waits with DestroyedError, aborts what is opening, and resolves once all connections
   * are closed. Lent ones are closed when they come back, or after `timeout` milliseconds, 0 or more, by force; without
   * it that may take as long as their users like, and awaited inside of `use()` it would never end.
   *
   * May be called again, with another timeout: the shortest counts.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const timeout = closeTimeoutOf(options);
    this.#ending ??= new Ending(this.#engine);
    this.#ending.within(timeout);
    return this.#ending.promise;
  }

  async [asyncDispose](): Promise<void> {
    await this.close();
  }

  getStats(): ConnectionPoolStats {
    const { state, total } = this.#engine;
    return {
      total,
      idle: state[STATE.idle]! + state[STATE.validating]!,
      active: state[STATE.lent]!,
      waiting: state[STATE.waiting]!,
      opening: state[STATE.opening]!,
    };
  }

  /** Counters and times, by OpenTelemetry's names. */
  metrics(): ConnectionPoolMetrics {
    const { figures, settings } = this.#engine;
    const { idle, active, waiting } = this.getStats();
    const { opened, openErrors, late, leaks } = figures;
    return {
      'db.client.connection.pool.name': settings.name,
      'db.client.connection.count': { idle, used: active },
      'db.client.connection.idle.min': settings.min,
      'db.client.connection.limit': settings.max,
      'db.client.connection.pending_requests': waiting,
      'db.client.connection.timeouts': figures.errors.timeout,
      'db.client.connection.create_time': figures.creates.summaryInSeconds(),
      'db.client.connection.wait_time': figures.waits.summaryInSeconds(),
      'db.client.connection.use_time': figures.uses.summaryInSeconds(),
      acquired: figures.immediate + figures.waits.count,
      errors: { ...figures.errors },
      ...{ opened, openErrors, closed: { ...figures.closed }, late, leaks },
    };
  }
}
