import { spans } from '../openTelemetry/spans.js';
import { abortSignal, number, options } from '../validate.js';
import { comparableAny } from './keys.js';
import { lifetime } from './options.js';

/** What a loader gets besides its key. */
export interface LoadContext<V> {
  /** Aborts when every caller that waited has given up. */
  readonly signal: AbortSignal;
  /** The expired value that this load replaces, where there is one. */
  readonly stale: V | undefined;
}

/** Makes the value of a key. What it throws or rejects with reaches every caller that waits. */
export type Loader<K, V> = (key: K, context: LoadContext<V>) => V | PromiseLike<V>;

/** Options of `getOrLoad()`. */
export interface LoadOptions {
  /** Gives up waiting: this call rejects with `signal.reason`, the load goes on while others wait for it. */
  signal?: AbortSignal;
  /** Milliseconds the loaded value lives; 0 or absent for the cache's default. */
  ttl?: number;
  /**
   * Milliseconds beyond its expiry for which a loaded value is kept: in that time `getOrLoad()`, given the option
   * again, returns it at once and loads anew behind the caller's back, for as long as both the stored time and that
   * of the call allow. Everything else sees it as expired, and it goes before any live entry when room is needed.
   * @default 0
   */
  staleWhileRevalidate?: number;
  /**
   * Milliseconds for which a failure (a rejection, or `undefined` as the value) is remembered and repeated
   * without calling the loader. Once that is over it is let go of by the next load, `set()`, `delete()` or
   * `prune()`. @default 0
   */
  negativeTtl?: number;
}

const NAMES = ['signal', 'ttl', 'staleWhileRevalidate', 'negativeTtl'] as const;
const NONE: LoadOptions = {};
/** Remembered failures; the oldest goes first. */
const NEGATIVE_CAPACITY = 1000;

/** Checks a call's options. */
export function loadOptions(given: LoadOptions | undefined): LoadOptions {
  if (given === undefined) return NONE;
  // Read once, and defaults by destructuring: null is not absent, and is refused like any other wrong value.
  const chosen = options<LoadOptions>('options', given, NAMES);
  const { signal, ttl, staleWhileRevalidate = 0, negativeTtl = 0 } = chosen;
  if (signal !== undefined) abortSignal('options.signal', signal);
  lifetime(ttl, 0);
  number('options.staleWhileRevalidate', staleWhileRevalidate, 0, Number.POSITIVE_INFINITY);
  number('options.negativeTtl', negativeTtl, 0, Number.POSITIVE_INFINITY);
  const checked: LoadOptions = { staleWhileRevalidate, negativeTtl };
  if (signal !== undefined) checked.signal = signal;
  if (ttl !== undefined) checked.ttl = ttl;
  return checked;
}

interface Failure {
  readonly until: number;
  readonly outcome: Promise<any>;
}

interface Flight<V> {
  readonly promise: Promise<V>;
  readonly controller: AbortController;
  /** Callers that wait; those without a signal never stop. */
  waiting: number;
}

/** What the loads need from their cache. */
export interface LoadHost<K, V> {
  now(): number;
  store(key: K, value: V, options: LoadOptions): void;
}

/** Counters of the loads. */
export interface LoadCounters {
  /** Calls of a loader. */
  loads: number;
  /** Loads that threw or rejected, and those whose value could not be stored. */
  loadFailures: number;
  /** Calls that joined a load under way. */
  coalescedLoads: number;
  /** Calls that were answered from a remembered failure. */
  negativeHits: number;
  /** Calls that got an expired value while it was loaded anew. */
  staleServed: number;
}

function zero(): LoadCounters {
  return { loads: 0, loadFailures: 0, coalescedLoads: 0, negativeHits: 0, staleServed: 0 };
}

/** The loads of one cache: one a key at a time, however many callers want it. */
export class SingleFlight<K, V> {
  readonly #host: LoadHost<K, V>;
  readonly #flights = new Map<unknown, Flight<V>>();
  readonly #failures = new Map<unknown, Failure>();
  /** When the first of the failures is over. */
  #soonest = Number.POSITIVE_INFINITY;
  counters = zero();

  constructor(host: LoadHost<K, V>) {
    this.#host = host;
  }

  resetCounters(): void {
    this.counters = zero();
  }

  /** Whether there is anything to forget. */
  get active(): boolean {
    return this.#flights.size > 0 || this.#failures.size > 0;
  }

  /** The value of a key that is not cached. */
  load(key: K, loader: Loader<K, V>, chosen: LoadOptions): Promise<V> {
    const id = comparableAny(key);
    const failure = this.#failure(id);
    if (failure !== undefined) return failure;
    const running = this.#flights.get(id);
    if (running !== undefined) this.counters.coalescedLoads++;
    return this.#wait(id, running ?? this.#begin(id, key, loader, chosen, undefined), chosen.signal);
  }

  /** Loads a key anew while its caller goes on with the old value. */
  refresh(key: K, loader: Loader<K, V>, chosen: LoadOptions, stale: V): void {
    const id = comparableAny(key);
    this.counters.staleServed++;
    if (this.#flights.has(id) || this.#failure(id) !== undefined) return;
    const flight = this.#begin(id, key, loader, chosen, stale);
    flight.waiting++;
    // Nobody waits, so a failure shows in the counters alone; the value stays until its grace is over.
    flight.promise.catch(() => {});
  }

  /** Lets go of a key's load and failure: the key was set or deleted since. */
  forget(key: K): void {
    this.expire();
    const id = comparableAny(key);
    this.#flights.delete(id);
    this.#failures.delete(id);
  }

  /** Lets go of all of them; loads under way are still delivered to their callers, and not stored. */
  forgetAll(): void {
    this.#flights.clear();
    this.#failures.clear();
  }

  /** Lets go of the failures that are over. */
  expire(): void {
    if (this.#soonest === Number.POSITIVE_INFINITY) return;
    const now = this.#host.now();
    if (now <= this.#soonest) return;
    this.#soonest = Number.POSITIVE_INFINITY;
    for (const [id, { until }] of this.#failures) {
      if (now > until) this.#failures.delete(id);
      else this.#soonest = Math.min(this.#soonest, until);
    }
  }

  #failure(id: unknown): Promise<V> | undefined {
    this.expire();
    const failure = this.#failures.get(id);
    if (failure === undefined) return undefined;
    this.counters.negativeHits++;
    return failure.outcome;
  }

  #begin(id: unknown, key: K, loader: Loader<K, V>, chosen: LoadOptions, stale: V | undefined): Flight<V> {
    const controller = new AbortController();
    let settle!: (outcome: V | PromiseLike<V>) => void;
    let fail!: (reason: unknown) => void;
    const loaded = new Promise<V>((resolve, reject) => {
      settle = resolve;
      fail = reject;
    });
    const promise: Promise<V> = loaded.then(
      (value) => this.#land(id, key, value, chosen, flight),
      (reason: unknown) => this.#crash(id, reason, chosen, flight),
    );
    const flight: Flight<V> = { promise, controller, waiting: 0 };
    // Known before the loader runs, which may ask for its own key.
    this.#flights.set(id, flight);
    this.counters.loads++;
    try {
      settle((spans?.loader('lru', loader) ?? loader)(key, { signal: controller.signal, stale }));
    } catch (error) {
      fail(error);
    }
    return flight;
  }

  #land(id: unknown, key: K, value: V, chosen: LoadOptions, flight: Flight<V>): V {
    // Another flight or none: the key was set, deleted or given up meanwhile, and this value may be old.
    if (this.#flights.get(id) !== flight) return value;
    this.#flights.delete(id);
    if (value === undefined) this.#remember(id, flight, chosen);
    else this.#store(key, value, chosen);
    return value;
  }

  #store(key: K, value: V, chosen: LoadOptions): void {
    try {
      this.#host.store(key, value, chosen);
    } catch (error) {
      this.counters.loadFailures++;
      throw error;
    }
  }

  #crash(id: unknown, reason: unknown, chosen: LoadOptions, flight: Flight<V>): never {
    this.counters.loadFailures++;
    if (this.#flights.get(id) === flight) {
      this.#flights.delete(id);
      this.#remember(id, flight, chosen);
    }
    throw reason;
  }

  #remember(id: unknown, { promise }: Flight<V>, { negativeTtl = 0 }: LoadOptions): void {
    if (negativeTtl === 0) return;
    this.expire();
    if (this.#failures.size >= NEGATIVE_CAPACITY) this.#failures.delete(this.#failures.keys().next().value);
    const until = this.#host.now() + negativeTtl;
    this.#failures.set(id, { until, outcome: promise });
    this.#soonest = Math.min(this.#soonest, until);
  }

  #wait(id: unknown, flight: Flight<V>, signal: AbortSignal | undefined): Promise<V> {
    flight.waiting++;
    if (signal === undefined) return flight.promise;
    return new Promise<V>((resolve, reject) => {
      const abort = () => {
        reject(signal.reason);
        if (--flight.waiting > 0) return;
        if (this.#flights.get(id) === flight) this.#flights.delete(id);
        flight.controller.abort(signal.reason);
      };
      signal.addEventListener('abort', abort, { once: true });
      const done = () => signal.removeEventListener('abort', abort);
      flight.promise.then(
        (value) => {
          done();
          resolve(value);
        },
        (reason: unknown) => {
          done();
          reject(reason);
        },
      );
    });
  }
}
