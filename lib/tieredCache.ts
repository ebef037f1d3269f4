import { asyncDispose } from './dispose.js';
import { DestroyedError, InvalidArgumentError, type RedisError } from './errors.js';
import { ObservableEmitter } from './events.js';
import { observe } from './metrics/member.js';
import { readTieredCache } from './metrics/readers/caches.js';
import { setOptionsOf } from './sharedCache/options.js';
import { abortable } from './signals.js';
import { ABSENT } from './tieredCache/envelope.js';
import { Find } from './tieredCache/find.js';
import { Flight } from './tieredCache/flight.js';
import { given } from './tieredCache/near.js';
import {
  getOptionsOf,
  loadOptionsOf,
  settingsOf,
  type TieredCacheGetOptions,
  type TieredCacheLoader,
  type TieredCacheLoadOptions,
  type TieredCacheOptions,
  type TieredCacheSetOptions,
} from './tieredCache/options.js';
import { Tiers } from './tieredCache/tiers.js';
import { Writes } from './tieredCache/writes.js';
import { callable, integer, string } from './validate.js';

/** Milliseconds that `close` waits for writes by default. */
const CLOSE_TIMEOUT = 10_000;
const NOTHING: TieredCacheLoadOptions = {};

/** Events of a tiered cache; each is also published as `keelson:tiered-cache:<event>` on `node:diagnostics_channel`. */
export interface TieredCacheEvents extends Record<string, unknown> {
  /** Redis gives no answer: L1 and L2 go on alone. Told once, until it has recovered. */
  'redis-error': RedisError;
  /** Redis answers again; what was changed meanwhile has been invalidated there. */
  recovered: { downMs: number };
  /** A load failed that nobody was told of, as something stale was given instead. */
  'load-error': { key: string; error: unknown };
  /** The source did not take writes, which will be tried again. */
  'store-error': { writes: number; error: unknown };
}

/** Counters of a tiered cache in this thread, since it was made, and how it stands. */
export interface TieredCacheMetrics {
  l1Hits: number;
  l2Hits: number;
  l3Hits: number;
  /** Lookups that found nothing, neither there nor by a loader. */
  misses: number;
  /** Loads for which callers got something stale instead of waiting, or because they failed. */
  staleHits: number;
  graceHits: number;
  /** Calls of loaders. */
  loads: number;
  /** Loads that failed, also in other processes that this one waited for. */
  loadErrors: number;
  sets: number;
  deletes: number;
  /** Changes by others that were heard of. */
  invalidations: number;
  /** Batches that the source did not take. */
  storeErrors: number;
  /** Writes that wait for the source. */
  pendingWrites: number;
  /** L3; undefined where there is none. */
  redis:
    | {
        connected: boolean;
        /** Calls that were not answered. */
        errors: number;
        /** Keys and tags that are to be invalidated once it answers. */
        owed: number;
        /** Milliseconds since everything was known that others had changed; Infinity before the first time. */
        staleness: number;
      }
    | undefined;
}

/** Options of {@link TieredCache.close}. */
export interface TieredCacheCloseOptions {
  /** Milliseconds that writes have to end, 0 to 600,000. @default 10,000 */
  timeout?: number | undefined;
}

/**
 * A cache in tiers: a `BoundedLRUCache` of this thread, a `SharedCache` of the process, and a Redis of the fleet.
 *
 * Of all who miss a key, in whatever thread and process, one loads it. Changes are heard of in all tiers of all processes, most
 * of them at once and none later than `l3.staleness`, while Redis answers. While it does not, L1 and L2 go on, loads are
 * single for each process, and what is changed is invalidated in Redis afterwards.
 *
 * Values are what a `SharedCache` takes; from L1 they come by reference, else as copies. `undefined` is no value.
 */
export class TieredCache<V = unknown> extends ObservableEmitter<TieredCacheEvents> {
  readonly #tiers: Tiers;
  readonly #writes: Writes;
  readonly #l1: TieredCacheOptions<V>['l1'];
  readonly #loader: TieredCacheLoader<V> | undefined;
  #l1Hits = 0;
  #isClosed = false;

  /** @throws InvalidArgumentError */
  constructor(options: TieredCacheOptions<V>) {
    super('tiered-cache');
    const settings = settingsOf(options);
    this.#l1 = settings.l1;
    this.#loader = settings.load;
    this.#tiers = new Tiers(settings, {
      loadFailed: (key, error) => this.announce('load-error', { key, error }),
      redisFailed: (error) => this.announce('redis-error', error),
      recovered: (downMs) => this.announce('recovered', { downMs }),
    });
    this.#writes = new Writes(this.#tiers, (error, writes) => {
      this.#tiers.counts.storeErrors++;
      this.announce('store-error', { writes, error });
    });
    observe(this, readTieredCache);
  }

  /** A fresh value of L1 or L2, at once; undefined where there is none. */
  getSync(key: string): V | undefined {
    // The whole way of a hit, which is to cost little more than that in L1.
    if (!this.#isClosed) {
      const value = this.#l1.get(key);
      if (value !== undefined) {
        this.#l1Hits++;
        return value === ABSENT ? undefined : value;
      }
    }
    this.#open();
    string('key', key);
    const { near, counts, isBlind } = this.#tiers;
    const known = this.#writes.find(key) === undefined && !isBlind ? near.look(key) : undefined;
    if (known === undefined || known.envelope.freshUntil <= Date.now()) return undefined;
    counts.l2Hits++;
    near.keep(key, known, true);
    return given(known.value) as V | undefined;
  }

  /**
   * The fresh value of a key, from the nearest tier that has it. Where there is none it is loaded by the option `load`, as
   * {@link getOrLoad} does; without that option it is undefined.
   *
   * @throws what the loader throws; LoadError where that was elsewhere
   */
  get(key: string, options?: TieredCacheGetOptions): Promise<V | undefined> {
    try {
      const how = options === undefined ? NOTHING : getOptionsOf(options);
      const value = this.#fromL1(key, how.signal);
      return value === undefined ? this.#get(key, how) : Promise.resolve(given(value) as V | undefined);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The value of a key, or what `loader` makes of it, which is then stored in all tiers. Of all who want it at once one loads
   * it. A key that is changed meanwhile keeps that. A loaded `undefined` is stored only where there is a `negativeTtl`.
   *
   * @throws what the loader throws; LoadError where that was in another thread or process; TimeoutError after `loadTimeout`
   */
  getOrLoad(
    key: string,
    loader: TieredCacheLoader<V>,
    options?: TieredCacheLoadOptions,
  ): Promise<V | undefined> {
    try {
      const how = options === undefined ? NOTHING : loadOptionsOf(options);
      callable('loader', loader);
      const value = this.#fromL1(key, how.signal);
      if (value === undefined) return this.#load(key, loader, how);
      return Promise.resolve(given(value) as V | undefined);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #fromL1(key: string, signal?: AbortSignal): unknown {
    this.#open();
    if (signal?.aborted) throw signal.reason;
    const value = this.#l1.get(string('key', key));
    if (value !== undefined) this.#l1Hits++;
    return value;
  }

  #get(key: string, how: TieredCacheGetOptions): Promise<V | undefined> {
    if (this.#loader !== undefined) return this.#load(key, this.#loader, how);
    const { finds } = this.#tiers;
    return this.#awaited(this.#written(key) ?? (finds.get(key) ?? this.#find(key)).value, how.signal);
  }

  #find(key: string): Find {
    const { finds } = this.#tiers;
    const find = new Find(this.#tiers, key);
    finds.set(key, find);
    const end = (): void => {
      if (finds.get(key) === find) finds.delete(key);
    };
    find.value.then(end, end);
    return find;
  }

  #load(
    key: string,
    loader: TieredCacheLoader<V>,
    { ttl, tags = [], signal }: TieredCacheLoadOptions,
  ): Promise<V | undefined> {
    const { flights, settings } = this.#tiers;
    const written = this.#written(key);
    if (written !== undefined) return this.#awaited(written, signal);
    const flight = flights.get(key) ?? new Flight(this.#tiers, key, loader, ttl ?? settings.ttl, tags);
    if (flights.get(key) === undefined) {
      flights.set(key, flight);
      void flight.run().then(() => {
        if (flights.get(key) === flight) flights.delete(key);
      });
    }
    return this.#awaited(flight.answer.promise, signal);
  }

  /** What is about to be written to the source under a key, which does not have it yet. */
  #written(key: string): Promise<unknown> | undefined {
    const written = this.#writes.find(key);
    return written === undefined ? undefined : Promise.resolve(written.value);
  }

  async #awaited(promise: Promise<unknown>, signal: AbortSignal | undefined): Promise<V | undefined> {
    const value = given(await (signal === undefined ? promise : abortable(promise, signal)));
    if (value === undefined) this.#tiers.counts.misses++;
    return value as V | undefined;
  }

  /**
   * Stores a value in all tiers, and in the source where there is a `store`. Under `write: 'behind'` it resolves as soon as it is
   * in L1 and L2 and there is room for the rest.
   *
   * @throws what `store` throws: nothing is cached under the key then
   * @throws InvalidArgumentError for what cannot be cloned
   */
  async set(key: string, value: V, options: TieredCacheSetOptions = {}): Promise<void> {
    this.#open();
    string('key', key);
    const checked = setOptionsOf(options);
    if (value === undefined) throw new InvalidArgumentError('"value" must be something, but it is undefined');
    await this.#writes.write(key, value, checked);
  }

  /** Deletes a key in all tiers, and in the source where there is a `store`; otherwise as {@link set}. */
  async delete(key: string): Promise<void> {
    this.#open();
    await this.#writes.write(string('key', key), undefined, {});
  }

  /** Lets go of what was stored with a tag, in all tiers of all processes. */
  async invalidateTag(tag: string): Promise<void> {
    this.#open();
    await this.#writes.invalidateTag(string('tag', tag));
  }

  /** Lets go of all that was stored, in all tiers of all processes. */
  async clear(): Promise<void> {
    this.#open();
    await this.#writes.clear();
  }

  /** Resolves when what was changed so far is in L3 and the source, if they take it. */
  flush(): Promise<void> {
    return this.#writes.flushed();
  }

  metrics(): TieredCacheMetrics {
    const { counts, fleet, owed } = this.#tiers;
    const heardAt = fleet?.follower.heardAt;
    return {
      l1Hits: this.#l1Hits,
      ...counts,
      pendingWrites: this.#writes.pending,
      redis: fleet && {
        connected: fleet.follower.isUp,
        errors: fleet.errors,
        owed: owed.size,
        staleness: heardAt === undefined ? Number.POSITIVE_INFINITY : performance.now() - heardAt,
      },
    };
  }

  /**
   * Takes nothing any more, waits for writes, and lets go of Redis; L1 and L2 are their owner's to close.
   *
   * @throws TimeoutError if writes are left by then, which are lost
   */
  async close({ timeout = CLOSE_TIMEOUT }: TieredCacheCloseOptions = {}): Promise<void> {
    integer('timeout', timeout, 0, 600_000);
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await this.#writes.endedWithin(timeout);
    } finally {
      this.#tiers.close();
    }
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(): void {
    if (this.#isClosed) throw new DestroyedError('The tiered cache is closed');
  }
}
