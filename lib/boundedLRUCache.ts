import { FAR_MS, isFarAway, roughNow, systemNow } from './cache/clock.js';
import { Front } from './cache/front.js';
import { ForeignKeys } from './cache/keys.js';
import {
  BY_INSERTION,
  BY_RECENCY,
  createIndex,
  EXPIRES,
  FREED,
  FREED_CAPACITY,
  GRACE,
  LENGTH,
  NEXT_EXPIRY,
  NOTE_CAPACITY,
  NOTES,
  NOW,
  REPLACED,
  type SharedIndex,
  TOTAL_WEIGHT,
  WEIGHT,
} from './cache/native.js';
import {
  type BoundedLRUCacheOptions,
  type EvictionReason,
  lifetime,
  type Settings,
  settings,
} from './cache/options.js';
import { type Loader, type LoadOptions, loadOptions, SingleFlight } from './cache/singleFlight.js';
import type { CacheMetrics, CacheStats, DumpedEntry } from './cache/types.js';
import { callable, invalid } from './validate.js';

// Places of the counters. The first five are the native reasons, by number.
const EXPIRED = 2;
const REASONS: readonly EvictionReason[] = ['size', 'weight', 'expired', 'deleted', 'pressure'];
const HITS = 5;
const MISSES = 6;
const INSERTIONS = 7;
const REPLACEMENTS = 8;
const REJECTIONS = 9;
const STALE_HITS = 10;
const COUNTERS = 11;

/** What `#use` returns for a key that is not there; one that expired is DEAD less its slot. */
const ABSENT = -1;
const DEAD = -2;

const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('nodejs.dispose');

/**
 * A cache bounded by entries, by weight and by time.
 *
 * Keys are compared as a Map compares them, except that plain objects and arrays are compared by their JSON.
 * Values are kept as they are: `get()` returns the very object that `set()` was given. Everything is
 * synchronous; nothing runs in the background and nothing keeps the process alive. An entry is live up to and
 * including the millisecond in which its time ends; an expired one is never returned, and goes before any live one.
 *
 * @typeParam K keys
 * @typeParam V values
 */
export class BoundedLRUCache<K = any, V = any> {
  readonly #settings: Settings<K, V>;
  readonly #shared: SharedIndex;
  readonly #find: (key: string) => number;
  readonly #insert: (key: string) => number;
  readonly #doubles: Float64Array;
  readonly #integers: Int32Array;
  readonly #notes: Int32Array;
  readonly #front: Front;
  readonly #foreign = new ForeignKeys();
  readonly #counters = new Float64Array(COUNTERS);
  /** Whether the shared clock may stand in for a reading: not with a clock of the user's own. */
  readonly #ownClock: boolean;
  #values: (V | undefined)[] = [];
  /** Milliseconds each entry was given, by slot; kept only where a hit renews them. */
  #lifetimes: number[] = [];
  #gone: [K, V, EvictionReason][] = [];
  #loads: SingleFlight<K, V> | undefined;
  /** The text that `find` missed last, which the index remembers too. */
  #missed: string | undefined;

  /**
   * @param maxSize the most entries, from 1 to 2^53 - 1
   * @param defaultTtl milliseconds an entry lives unless `set()` says otherwise, above 0. @default 300000
   * @throws InvalidArgumentError for anything out of range, and for an option of unknown name
   */
  constructor(maxSize: number, defaultTtl?: number);
  constructor(options: BoundedLRUCacheOptions<K, V>);
  constructor(first: number | BoundedLRUCacheOptions<K, V>, defaultTtl?: number) {
    const chosen = settings<K, V>(first, defaultTtl);
    this.#settings = chosen;
    const { maxSize, maxWeight, policy, onEvict, clock, updateAgeOnGet } = chosen;
    this.#shared = createIndex(maxSize, maxWeight, policy === 's3-fifo', onEvict !== undefined);
    this.#find = this.#shared.index.find;
    this.#insert = this.#shared.index.insert;
    this.#doubles = this.#shared.doubles;
    this.#integers = this.#shared.integers;
    this.#notes = this.#shared.notes;
    this.#front = new Front(this.#shared);
    this.#ownClock = clock !== undefined;
    // A hit that renews its entry has to reach the index.
    if (updateAgeOnGet) this.#front.countdown = Number.POSITIVE_INFINITY;
  }

  /** The entries that are live now. */
  get size(): number {
    if (this.#doubles[NEXT_EXPIRY]! < Number.POSITIVE_INFINITY) this.#sweep();
    return this.#integers[LENGTH]!;
  }

  /**
   * Stores `value`. A live key keeps its place among `keys()`, and its entry counts as just used.
   *
   * @param ttl milliseconds it lives; 0 or absent for the default, `Infinity` for ever
   * @throws InvalidArgumentError for any other ttl, and for a key that JSON.stringify cannot write
   */
  set(key: K, value: V, ttl?: number): void {
    const lives = ttl === undefined ? this.#settings.ttl : lifetime(ttl, this.#settings.ttl);
    if (this.#loads?.active) this.#loads.forget(key);
    this.#store(key, value, lives, 0);
  }

  /** The value of a live key, or undefined. Counts a hit or a miss, and makes the entry the most recent one. */
  get(key: K): V | undefined {
    const front = this.#front;
    if (--front.countdown < 0) return this.#try(key);
    if (front.on && typeof key === 'string') {
      const place = front.places.get(key);
      if (place !== undefined) {
        const slot = front.slots[place]!;
        if (slot >= 0 && this.#isLive(front.expires[place]!)) {
          front.found[place] = 1;
          this.#touch(slot);
          this.#counters[HITS]!++;
          return this.#values[slot];
        }
      }
    }
    const slot = this.#use(key);
    if (slot >= 0) return this.#values[slot];
    return slot === ABSENT ? undefined : this.#takeStale(DEAD - slot);
  }

  /** One lookup of the front's trial. */
  #try(key: K): V | undefined {
    const front = this.#front;
    front.begin();
    try {
      return this.get(key);
    } finally {
      front.end();
    }
  }

  /** Whether `key` has a live entry. Counts nothing but an expiration, and is no use of the entry. */
  has(key: K): boolean {
    const slot = this.#locate(key);
    if (slot < 0) return false;
    if (this.#isLive(this.#doubles[EXPIRES]!)) return true;
    this.#expire(slot);
    return false;
  }

  /** The value of a live key, or undefined. Counts nothing and changes nothing. */
  peek(key: K): V | undefined {
    const slot = this.#locate(key);
    return slot >= 0 && this.#isLive(this.#doubles[EXPIRES]!) ? this.#values[slot] : undefined;
  }

  /** Milliseconds until `key` expires: 0 for one that is not there, Infinity for one that stays for ever. */
  getRemainingTTL(key: K): number {
    const slot = this.#locate(key);
    if (slot < 0) return 0;
    const expires = this.#doubles[EXPIRES]!;
    return expires === Number.POSITIVE_INFINITY ? expires : Math.max(0, expires - this.#now());
  }

  /** Removes `key`; true when it had a live entry. */
  delete(key: K): boolean {
    if (this.#loads?.active) this.#loads.forget(key);
    const slot = this.#locate(key);
    if (slot < 0) return false;
    const live = this.#isLive(this.#doubles[EXPIRES]!);
    this.#doubles[NOW] = this.#now();
    // A dead entry may be in its grace, which ends here.
    if (live || !this.#shared.index.expire(slot)) this.#shared.index.remove(slot);
    this.#settle();
    this.#announce();
    return live;
  }

  /** Removes everything, and resets the stats as {@link resetStats} does. Loads under way are not stored. */
  clear(): void {
    const { onEvict } = this.#settings;
    if (onEvict !== undefined) {
      // At the beginning of time everything is live.
      for (const slot of this.#slots(BY_INSERTION, Number.NEGATIVE_INFINITY)) {
        this.#gone.push([this.#keyAt(slot), this.#values[slot] as V, 'cleared']);
      }
    }
    this.#shared.index.clear();
    this.#front.clear();
    this.#foreign.clear();
    this.#values = [];
    this.#lifetimes = [];
    this.#missed = undefined;
    this.#loads?.forgetAll();
    this.resetStats();
    this.#announce();
  }

  /** Empties the cache. It may be called again, and an emptied cache may be used again. */
  destroy(): void {
    this.clear();
  }

  [dispose](): void {
    this.destroy();
  }

  /** The live keys as they were given, oldest entry first. */
  keys(): K[] {
    return Array.from(this.#slots(BY_INSERTION), (slot) => this.#keyAt(slot));
  }

  /** The live values, oldest entry first. */
  values(): V[] {
    return Array.from(this.#slots(BY_INSERTION), (slot) => this.#values[slot] as V);
  }

  /** The live keys and values, oldest entry first. */
  entries(): [K, V][] {
    return Array.from(this.#slots(BY_INSERTION), (slot) => this.#pair(slot));
  }

  /** The live keys and values, the most recently used first (under S3-FIFO, those past probation first). */
  entriesByRecency(): [K, V][] {
    return Array.from(this.#slots(BY_RECENCY), (slot) => this.#pair(slot));
  }

  /** As `entries()` at the time of the call. */
  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()[Symbol.iterator]();
  }

  /** The counters since the cache was made, cleared or reset. */
  getStats(): CacheStats {
    const currentSize = this.size;
    const counters = this.#counters;
    const [hits, misses] = [counters[HITS]!, counters[MISSES]!];
    const lookups = hits + misses;
    return {
      hits,
      misses,
      evictions: counters[0]! + counters[1]! + counters[4]!,
      expirations: counters[EXPIRED]!,
      hitRate: lookups === 0 ? 0 : hits / lookups,
      currentSize,
      maxSize: this.#settings.maxSize,
    };
  }

  /** The counters by cause. */
  metrics(): CacheMetrics {
    const counters = this.#counters;
    return {
      ...this.getStats(),
      evictionsBySize: counters[0]!,
      evictionsByWeight: counters[1]!,
      evictionsByPressure: counters[4]!,
      deletions: counters[3]!,
      insertions: counters[INSERTIONS]!,
      replacements: counters[REPLACEMENTS]!,
      rejections: counters[REJECTIONS]!,
      staleHits: counters[STALE_HITS]!,
      weight: this.#doubles[TOTAL_WEIGHT]!,
      maxWeight: this.#settings.maxWeight,
      ...this.#flights().counters,
    };
  }

  /** Sets every counter to 0. */
  resetStats(): void {
    this.#counters.fill(0);
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
    const slot = this.#use(key);
    if (slot >= 0) return Promise.resolve(this.#values[slot] as V);
    const { staleWhileRevalidate: grace = 0 } = chosen;
    const dead = DEAD - slot;
    if (slot !== ABSENT && grace > 0 && this.#now() <= this.#doubles[EXPIRES]! + grace) {
      const stale = this.#values[dead] as V;
      this.#flights().refresh(key, loader, chosen, stale);
      return Promise.resolve(stale);
    }
    if (slot !== ABSENT) this.#expire(dead);
    return this.#flights().load(key, loader, chosen);
  }

  /** `get()` for each key, in order. */
  getMany(keys: Iterable<K>): (V | undefined)[] {
    return Array.from(keys, (key) => this.get(key));
  }

  /** `set()` for each entry, in order. */
  setMany(entries: Iterable<readonly [K, V]>, ttl?: number): void {
    for (const [key, value] of entries) this.set(key, value, ttl);
  }

  /** Removes every expired entry now, and says how many. Otherwise they go as the cache is used. */
  prune(): number {
    return this.#sweep();
  }

  /** The live entries for `load()`, the least recently used first. Values are not copied. */
  dump(): [K, DumpedEntry<V>][] {
    return Array.from(this.#slots(BY_RECENCY), (slot): [K, DumpedEntry<V>] => {
      const [key, value] = this.#pair(slot);
      const expires = this.#shared.index.expiresAt(slot);
      return [key, expires === Number.POSITIVE_INFINITY ? { value } : { value, expires }];
    }).reverse();
  }

  /** Stores what another cache dumped, with the time that each entry has left; what expired is left out. */
  load(dumped: Iterable<readonly [K, DumpedEntry<V>]>): void {
    for (const [key, { value, expires = Number.POSITIVE_INFINITY }] of dumped) {
      if (typeof expires !== 'number' || Number.isNaN(expires)) invalid('expires', 'a number', expires);
      const now = this.#now();
      if (now <= expires) this.#put(key, value, now, expires, 0);
    }
  }

  #now(): number {
    const { clock } = this.#settings;
    return clock === undefined ? systemNow() : clock();
  }

  /** Whether an entry is live, reading the clock only where that can make a difference. */
  #isLive(expires: number): boolean {
    if (!this.#ownClock && isFarAway(expires)) return true;
    return expires === Number.POSITIVE_INFINITY || this.#now() <= expires;
  }

  /** The slot of a live key, counted as a hit and as a use; else a miss: ABSENT, or DEAD less the slot. */
  #use(key: K): number {
    const text = typeof key === 'string';
    const slot = text ? this.#find(key) : this.#foreign.find(key);
    if (slot < 0) {
      this.#counters[MISSES]!++;
      if (text) this.#missed = key;
      return ABSENT;
    }
    if (!text) {
      this.#touch(slot);
      this.#doubles[EXPIRES] = this.#foreign.expires[slot]!;
    }
    const expires = this.#doubles[EXPIRES]!;
    if (!this.#isLive(expires)) {
      this.#counters[MISSES]!++;
      return DEAD - slot;
    }
    this.#counters[HITS]!++;
    if (this.#settings.updateAgeOnGet) this.#renew(slot);
    else if (text && this.#front.on) this.#offer(key, slot, expires);
    return slot;
  }

  /** The slot of a key, live or not, or -1; its expiry is in `EXPIRES`. No use of the entry. */
  #locate(key: K): number {
    if (typeof key === 'string') return this.#shared.index.locate(key);
    const slot = this.#foreign.find(key);
    if (slot >= 0) this.#doubles[EXPIRES] = this.#foreign.expires[slot]!;
    return slot;
  }

  /** Notes a use, to be applied before anything depends on it. */
  #touch(slot: number): void {
    const noted = this.#integers[NOTES]!;
    this.#notes[noted] = slot;
    this.#integers[NOTES] = noted + 1;
    // One place is left for the mark that may follow a slot.
    if (noted + 2 >= NOTE_CAPACITY) this.#shared.index.flush();
  }

  #offer(key: string, slot: number, expires: number): void {
    const place = this.#front.offer(key, slot, expires);
    if (place < 0) return;
    this.#touch(slot);
    // A flush may have emptied the notes, so that the slot has to be named again.
    const noted = this.#integers[NOTES]!;
    if (noted === 0) this.#notes[0] = slot;
    this.#notes[noted === 0 ? 1 : noted] = ~place;
    this.#integers[NOTES] = noted === 0 ? 2 : noted + 1;
  }

  #renew(slot: number): void {
    const expires = this.#now() + this.#lifetimes[slot]!;
    this.#doubles[EXPIRES] = expires;
    this.#doubles[GRACE] = 0;
    this.#shared.index.reschedule(slot);
    this.#foreign.expires[slot] = expires;
  }

  #takeStale(slot: number): V | undefined {
    const value = this.#settings.allowStale ? this.#values[slot] : undefined;
    if (this.#settings.allowStale) this.#counters[STALE_HITS]!++;
    this.#expire(slot);
    return value;
  }

  #store(key: K, value: V, lives: number, grace: number): void {
    const { ttlJitter } = this.#settings;
    let cut = lives;
    if (ttlJitter > 0 && lives < Number.POSITIVE_INFINITY) {
      cut = Math.max(1, Math.round(lives * (1 - ttlJitter * Math.random())));
    }
    const now = cut > FAR_MS && !this.#ownClock ? roughNow() : this.#now();
    this.#put(key, value, now, now + cut, grace);
  }

  #put(key: K, value: V, now: number, expires: number, grace: number): void {
    const { weigh, updateAgeOnGet, pressure } = this.#settings;
    const weight = weigh === undefined ? 1 : checkWeight(weigh(value, key));
    const doubles = this.#doubles;
    doubles[NOW] = now;
    doubles[EXPIRES] = expires;
    doubles[GRACE] = grace;
    doubles[WEIGHT] = weight;
    const slot = typeof key === 'string' ? this.#putText(key) : this.#putForeign(key, now, expires);
    const replaced = this.#integers[REPLACED] === 1;
    if (this.#integers[FREED] !== 0) this.#settle();
    if (slot < 0) {
      this.#counters[REJECTIONS]!++;
    } else {
      if (replaced) this.#replace(key, slot, value);
      else this.#counters[INSERTIONS]!++;
      if (typeof key !== 'string') {
        if (replaced) this.#foreign.expires[slot] = expires;
        else this.#foreign.add(key, slot, expires);
      }
      this.#values[slot] = value;
      if (updateAgeOnGet) this.#lifetimes[slot] = expires - now;
    }
    if (pressure !== undefined && !replaced && pressure.inserted()) this.#shrink(pressure.keep);
    if (this.#gone.length > 0) this.#announce();
  }

  #putText(key: string): number {
    const missed = this.#missed;
    if (missed === undefined) return this.#insert(key);
    // Compared once only: a comparison of two strings built for the call can cost as much as it saves.
    this.#missed = undefined;
    return key === missed ? this.#shared.index.insertMissed() : this.#insert(key);
  }

  /** The slot for a key that is not text; the index knows only slots of those. */
  #putForeign(key: K, now: number, expires: number): number {
    const { index } = this.#shared;
    const old = this.#foreign.find(key);
    if (old < 0) return index.insertForeign();
    if (now <= this.#foreign.expires[old]!) return index.update(old);
    if (!index.expire(old)) index.remove(old);
    this.#settle();
    // The removal above has overwritten nothing that the insertion reads but its expiry.
    this.#doubles[EXPIRES] = expires;
    return index.insertForeign();
  }

  #replace(key: K, slot: number, value: V): void {
    this.#counters[REPLACEMENTS]!++;
    const old = this.#values[slot] as V;
    if (this.#settings.onEvict !== undefined && old !== value) this.#gone.push([key, old, 'replaced']);
  }

  #expire(slot: number): void {
    this.#doubles[NOW] = this.#now();
    this.#shared.index.expire(slot);
    this.#settle();
    this.#announce();
  }

  #sweep(): number {
    const now = this.#now();
    if (now < this.#doubles[NEXT_EXPIRY]!) return 0;
    this.#doubles[NOW] = now;
    const swept = this.#shared.index.sweep(0xffffffff);
    this.#settle();
    this.#announce();
    return swept;
  }

  #shrink(keep: number): void {
    this.#doubles[NOW] = this.#now();
    this.#shared.index.shrink(Math.floor(this.#integers[LENGTH]! * keep));
    this.#settle();
  }

  /** Lets go of what the last change of the index freed, and remembers it for `onEvict`. */
  #settle(): void {
    const { index, freed } = this.#shared;
    const { onEvict } = this.#settings;
    let count = this.#integers[FREED]!;
    while (count > 0) {
      for (let at = 0; at < count; at++) {
        const slot = freed[2 * at]!;
        const reason = freed[2 * at + 1]!;
        this.#counters[reason]!++;
        if (onEvict !== undefined) {
          const key = (index.freedKey(at) ?? this.#foreign.at(slot)) as K;
          this.#gone.push([key, this.#values[slot] as V, REASONS[reason]!]);
        }
        if (this.#foreign.size > 0) this.#foreign.drop(slot);
        this.#values[slot] = undefined;
      }
      if (count === FREED_CAPACITY) index.nextFreed();
      else this.#integers[FREED] = 0;
      count = this.#integers[FREED]!;
    }
  }

  /** Tells `onEvict` what is gone. The cache is whole by now, so that the callback may do as it likes. */
  #announce(): void {
    const { onEvict } = this.#settings;
    if (onEvict === undefined || this.#gone.length === 0) return;
    const gone = this.#gone;
    this.#gone = [];
    const errors: unknown[] = [];
    for (const [key, value, reason] of gone) {
      try {
        onEvict(key, value, reason);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 1) throw new AggregateError(errors, `onEvict threw ${errors.length} times`);
    if (errors.length === 1) throw errors[0];
  }

  /** The slots of the entries that are live at `now`. */
  #slots(order: number, now = this.#now()): Int32Array {
    this.#doubles[NOW] = now;
    const out = new Int32Array(this.#integers[LENGTH]!);
    return out.subarray(0, this.#shared.index.slots(order, out));
  }

  #keyAt(slot: number): K {
    return (this.#shared.index.keyAt(slot) ?? this.#foreign.at(slot)) as K;
  }

  #pair(slot: number): [K, V] {
    return [this.#keyAt(slot), this.#values[slot] as V];
  }

  #flights(): SingleFlight<K, V> {
    this.#loads ??= new SingleFlight<K, V>({
      now: () => this.#now(),
      store: (key, value, { ttl, staleWhileRevalidate = 0 }) => {
        this.#store(key, value, lifetime(ttl, this.#settings.ttl), staleWhileRevalidate);
      },
    });
    return this.#loads;
  }
}

function checkWeight(weight: unknown): number {
  if (typeof weight === 'number' && weight >= 0 && weight < Number.POSITIVE_INFINITY) return weight;
  return invalid('weigh', 'a function that returns a finite number from 0', weight);
}
