import { checkDump } from './cache/dump.js';
import { BY_INSERTION, BY_RECENCY } from './cache/native.js';
import { type BoundedLRUCacheOptions, lifetime, settings } from './cache/options.js';
import { type Loader, type LoadOptions, loadOptions, SingleFlight } from './cache/singleFlight.js';
import {
  ABSENT,
  BY_PRESSURE,
  BY_SIZE,
  BY_WEIGHT,
  DEAD,
  DELETED,
  EXPIRED,
  HITS,
  INSERTIONS,
  MISSES,
  REJECTIONS,
  REPLACEMENTS,
  STALE_HITS,
  Store,
} from './cache/store.js';
import type { CacheMetrics, CacheStats, DumpedEntry } from './cache/types.js';
import { dispose } from './dispose.js';
import { observe } from './metrics/member.js';
import { readCache } from './metrics/readers/caches.js';
import { callable } from './validate.js';

/**
 * A cache bounded by entries, by weight and by time.
 *
 * Keys are compared as a Map compares them, except that plain objects and arrays are compared by their JSON.
 * Values are kept as they are: `get()` returns the very object that `set()` was given. Everything is
 * synchronous; nothing runs in the background and nothing keeps the process alive. An entry is live up to and
 * including the millisecond in which its time ends; an expired one is never returned, and goes before any live one.
 *
 * In a dense burst of synchronous calls the clock is not read for an entry with more than a minute to live. So if
 * the thread itself stands still for more than a minute in the middle of such a burst, the next calls, at most
 * 1,023 and none after the running macrotask, may still take the time for what it was: they may return an entry
 * that expired meanwhile, or shorten one that they set by the length of the stop. A `clock` of your own is read
 * at every call.
 *
 * @typeParam K keys
 * @typeParam V values
 */
export class BoundedLRUCache<K = any, V = any> {
  readonly #store: Store<K, V>;
  #loads: SingleFlight<K, V> | undefined;

  /**
   * @param maxSize the most entries, from 1 to 2^53 - 1
   * @param defaultTtl milliseconds an entry lives unless `set()` says otherwise, above 0. @default 300000
   * @throws InvalidArgumentError for anything out of range, and for an option of unknown name
   */
  constructor(maxSize: number, defaultTtl?: number);
  constructor(options: BoundedLRUCacheOptions<K, V>);
  constructor(first: number | BoundedLRUCacheOptions<K, V>, defaultTtl?: number) {
    this.#store = new Store(settings<K, V>(first, defaultTtl));
    observe(this, readCache);
  }

  /** The entries that are live now. */
  get size(): number {
    return this.#store.live;
  }

  /**
   * Stores `value`. A live key keeps its place among `keys()`, and its entry counts as just used.
   *
   * @param ttl milliseconds it lives; 0 or absent for the default, `Infinity` for ever
   * @throws InvalidArgumentError for any other ttl, and for a key that JSON.stringify cannot write
   */
  set(key: K, value: V, ttl?: number): void {
    const lives = ttl === undefined ? this.#store.settings.ttl : lifetime(ttl, this.#store.settings.ttl);
    if (this.#loads?.active) this.#loads.forget(key);
    this.#store.store(key, value, lives, 0);
  }

  /** The value of a live key, or undefined. Counts a hit or a miss, and makes the entry the most recent one. */
  get(key: K): V | undefined {
    return this.#store.get(key);
  }

  /** Whether `key` has a live entry. Counts nothing but an expiration, and is no use of the entry. */
  has(key: K): boolean {
    const slot = this.#store.locate(key);
    if (slot < 0) return false;
    if (this.#store.isLive(this.#store.expires)) return true;
    this.#store.expire(slot);
    return false;
  }

  /** The value of a live key, or undefined. Counts nothing and changes nothing. */
  peek(key: K): V | undefined {
    const slot = this.#store.locate(key);
    return slot >= 0 && this.#store.isLive(this.#store.expires) ? this.#store.valueAt(slot) : undefined;
  }

  /** Milliseconds until `key` expires: 0 for one that is not there, Infinity for one that stays for ever. */
  getRemainingTTL(key: K): number {
    const slot = this.#store.locate(key);
    if (slot < 0) return 0;
    const expires = this.#store.expires;
    return expires === Number.POSITIVE_INFINITY ? expires : Math.max(0, expires - this.#store.now());
  }

  /** Removes `key`; true when it had a live entry. */
  delete(key: K): boolean {
    if (this.#loads?.active) this.#loads.forget(key);
    const slot = this.#store.locate(key);
    if (slot < 0) return false;
    const live = this.#store.isLive(this.#store.expires);
    this.#store.remove(slot);
    return live;
  }

  /** Removes everything, and resets the stats as {@link resetStats} does. Loads under way are not stored. */
  clear(): void {
    this.#store.clear();
    this.#loads?.forgetAll();
    this.resetStats();
    this.#store.announce();
  }

  /**
   * Empties the cache, and frees its native memory at once. It may be called again, and an emptied cache may be used
   * again. A cache that is dropped without it keeps that memory, some 100 bytes an entry and the text of longer
   * keys, until the garbage collector has found it and the event loop has had a turn: whoever makes and drops large
   * caches in a synchronous loop has to destroy them.
   */
  destroy(): void {
    this.clear();
  }

  [dispose](): void {
    this.destroy();
  }

  /** The live keys as they were given, oldest entry first. */
  keys(): K[] {
    return Array.from(this.#store.slots(BY_INSERTION), (slot) => this.#store.keyAt(slot));
  }

  /** The live values, oldest entry first. */
  values(): V[] {
    return Array.from(this.#store.slots(BY_INSERTION), (slot) => this.#store.valueAt(slot));
  }

  /** The live keys and values, oldest entry first. */
  entries(): [K, V][] {
    return Array.from(this.#store.slots(BY_INSERTION), (slot) => this.#store.pair(slot));
  }

  /** The live keys and values, the most recently used first (under S3-FIFO, those past probation first). */
  entriesByRecency(): [K, V][] {
    return Array.from(this.#store.slots(BY_RECENCY), (slot) => this.#store.pair(slot));
  }

  /** As `entries()` at the time of the call. */
  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()[Symbol.iterator]();
  }

  /** The counters since the cache was made, cleared or reset. */
  getStats(): CacheStats {
    const currentSize = this.size;
    const counters = this.#store.counters;
    const [hits, misses] = [counters[HITS]!, counters[MISSES]!];
    const lookups = hits + misses;
    return {
      hits,
      misses,
      evictions: counters[BY_SIZE]! + counters[BY_WEIGHT]! + counters[BY_PRESSURE]!,
      expirations: counters[EXPIRED]!,
      hitRate: lookups === 0 ? 0 : hits / lookups,
      currentSize,
      maxSize: this.#store.settings.maxSize,
    };
  }

  /** The counters by cause. */
  metrics(): CacheMetrics {
    const counters = this.#store.counters;
    return {
      ...this.getStats(),
      evictionsBySize: counters[BY_SIZE]!,
      evictionsByWeight: counters[BY_WEIGHT]!,
      evictionsByPressure: counters[BY_PRESSURE]!,
      deletions: counters[DELETED]!,
      insertions: counters[INSERTIONS]!,
      replacements: counters[REPLACEMENTS]!,
      rejections: counters[REJECTIONS]!,
      staleHits: counters[STALE_HITS]!,
      weight: this.#store.weight,
      maxWeight: this.#store.settings.maxWeight,
      ...this.#flights().counters,
    };
  }

  /** Sets every counter to 0. */
  resetStats(): void {
    this.#store.counters.fill(0);
    this.#loads?.resetCounters();
  }

  /**
   * The value of a live key, or what `loader` makes of it, which is then stored. However many callers ask for
   * a key at once, its loader runs once. A loaded `undefined` is not stored.
   */
  getOrLoad(key: K, loader: Loader<K, V>, options?: LoadOptions): Promise<V> {
    // Not an async function: a hit costs one promise, and a bad argument throws where it was passed.
    const chosen = loadOptions(options);
    callable('loader', loader);
    if (chosen.signal?.aborted) return Promise.reject(chosen.signal.reason);
    const slot = this.#store.use(key);
    if (slot >= 0) return Promise.resolve(this.#store.valueAt(slot));
    const { staleWhileRevalidate: grace = 0 } = chosen;
    const dead = DEAD - slot;
    if (
      slot !== ABSENT &&
      this.#store.now() <= Math.min(this.#store.expires + grace, this.#store.staleUntil(dead))
    ) {
      const stale = this.#store.valueAt(dead);
      this.#flights().refresh(key, loader, chosen, stale);
      return Promise.resolve(stale);
    }
    if (slot !== ABSENT) this.#store.apart(() => this.#store.expire(dead));
    return this.#flights().load(key, loader, chosen);
  }

  /** `get()` for each key, in order. */
  getMany(keys: Iterable<K>): (V | undefined)[] {
    return this.#store.batch(() => Array.from(keys, (key) => this.get(key)));
  }

  /** `set()` for each entry, in order. */
  setMany(entries: Iterable<readonly [K, V]>, ttl?: number): void {
    this.#store.batch(() => {
      for (const [key, value] of entries) this.set(key, value, ttl);
    });
  }

  /**
   * Removes every expired entry now, and says how many. Otherwise they go as the cache is used. Those within their
   * `staleWhileRevalidate` stay, until that is over or room is needed.
   */
  prune(): number {
    this.#loads?.expire();
    return this.#store.sweep();
  }

  /** The live entries for `load()`, the least recently used first. Values are not copied. */
  dump(): [K, DumpedEntry<V>][] {
    return Array.from(this.#store.slots(BY_RECENCY), (slot): [K, DumpedEntry<V>] => {
      const [key, value] = this.#store.pair(slot);
      const expires = this.#store.expiresAt(slot);
      if (expires === Number.POSITIVE_INFINITY) return [key, { value }];
      const ttl = this.#store.lifetimeAt(slot);
      return [key, ttl === undefined ? { value, expires } : { value, expires, ttl }];
    }).reverse();
  }

  /**
   * Stores what another cache dumped, with the time that each entry has left; what expired is left out. Like
   * `set()` it goes before a load under way.
   *
   * @throws InvalidArgumentError for anything that `dump()` cannot have made; nothing is changed then
   */
  load(dumped: Iterable<readonly [K, DumpedEntry<V>]>): void {
    const store = this.#store;
    const now = store.now();
    const entries = checkDump<K, V>(dumped, now, (key, value) => store.weigh(key, value));
    store.batch(() => {
      for (const { key, value, expires, ttl, weight } of entries) {
        if (this.#loads?.active) this.#loads.forget(key);
        store.put(key, value, now, expires, 0, weight, ttl);
      }
    });
  }

  #flights(): SingleFlight<K, V> {
    this.#loads ??= new SingleFlight<K, V>({
      now: () => this.#store.now(),
      store: (key, value, { ttl, staleWhileRevalidate = 0 }) => {
        const lives = lifetime(ttl, this.#store.settings.ttl);
        this.#store.apart(() => this.#store.store(key, value, lives, staleWhileRevalidate));
      },
    });
    return this.#loads;
  }
}
