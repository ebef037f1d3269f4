import { isDeepStrictEqual } from 'node:util';
import { dispose } from './dispose.js';
import { DestroyedError, InvalidArgumentError, SnapshotError } from './errors.js';
import { observe } from './metrics/member.js';
import { readSharedCache } from './metrics/readers/caches.js';
import { binding } from './native.js';
import { FEW, getMany, setMany } from './sharedCache/batches.js';
import { copyOf, decode, type Encoded, encode, give } from './sharedCache/codec.js';
import {
  Loads,
  loadOptionsOf,
  type SharedCacheLoader,
  type SharedCacheLoadOptions,
} from './sharedCache/loads.js';
import { COUNT, type NativeSharedCache, OUTCOME, PURPOSE, ROOM, TOLD } from './sharedCache/native.js';
import {
  lifetime,
  type SharedCacheOptions,
  type SharedCacheSetOptions,
  setOptionsOf,
  settingsOf,
} from './sharedCache/options.js';
import { Tickets } from './sharedCache/tickets.js';
import { callable, number, path as pathOf, string } from './validate.js';

/** How often expired entries are removed that nobody asks for, in milliseconds, and how many of a shard at once. */
const SWEEP_INTERVAL = 1000;
const SWEEP = 1000;

/** Counters of a cache or of one of its shards, from its first handle on, of all threads. */
export interface SharedCacheCounters {
  entries: number;
  /** Of keys and values, and what they take beside. */
  bytes: number;
  hits: number;
  misses: number;
  sets: number;
  deletes: number;
  /** Entries that went because there were too many. */
  evictedBySize: number;
  /** Entries that went because they took too many bytes. */
  evictedByBytes: number;
  expired: number;
  /** Values that were larger than a shard may be. */
  rejected: number;
}

/** Counters of a cache. */
export interface SharedCacheMetrics extends SharedCacheCounters {
  shards: SharedCacheCounters[];
}

/** What a tiered cache does with a shared one that is for nobody else. */
export interface SharedCacheInside {
  readonly loads: Loads<unknown>;
  /** As `get`, without a trace. */
  peek(key: string): unknown;
}

/** undefined: it is none, or of another copy of this module. */
export let insideOf: (cache: unknown) => SharedCacheInside | undefined;

/**
 * A cache that all worker threads of a process share: handles of one name are on one cache, in native memory that no garbage
 * collection looks at, and that ends with its last handle. Each call is atomic for its key, whoever else calls; what comes out is
 * a copy.
 *
 * Values are strings, numbers, bytes (which come out as a Buffer), or whatever else the structured clone algorithm of `node:v8`
 * takes. Keys are strings of any length. `undefined` is no value.
 */
export class SharedCache<V = unknown> {
  readonly name: string;
  readonly #native: NativeSharedCache;
  readonly #numbers = new Float64Array(ROOM);
  readonly #tickets: Tickets;
  readonly #loads: Loads<V>;
  readonly #shards: number;
  /** Of what says nothing else, in milliseconds. */
  readonly #ttl: number;
  /** Removes what has expired, where this handle stores what can. */
  #sweeper: NodeJS.Timeout | undefined;
  #isClosed = false;

  static {
    insideOf = (cache) => {
      if (typeof cache !== 'object' || cache === null || !(#loads in cache)) return undefined;
      return { loads: cache.#loads, peek: (key) => cache.#peek(key) };
    };
  }

  /** @throws InvalidArgumentError for options out of range, and where the cache is open in this process with others */
  constructor(options: SharedCacheOptions) {
    const { name, ttl, numbers } = settingsOf(options);
    [this.name, this.#ttl] = [name, ttl];
    this.#native = opened(() =>
      binding.openSharedCache(name, numbers, this.#numbers, () => this.#tickets.take()),
    );
    this.#shards = this.#native.shards();
    this.#tickets = new Tickets(this.#native, this.#numbers);
    this.#loads = new Loads<V>({
      native: this.#native,
      numbers: this.#numbers,
      tickets: this.#tickets,
      peek: (key) => this.#peek(key),
      land: (ticket, key, value, how) => {
        const encoded = encode(value);
        this.#open().land(ticket);
        this.#give(key, encoded, how, PURPOSE.land);
      },
    });
    observe(this, readSharedCache);
  }

  /** The value of a key; undefined where there is none. */
  get(key: string): V | undefined {
    const crossing = this.#open().get(string('key', key));
    return crossing === undefined ? undefined : (decode(this.#numbers[0]!, crossing) as V);
  }

  /** As {@link get}, without a trace. */
  #peek(key: string): V | undefined {
    const crossing = this.#open().peek(string('key', key));
    return crossing === undefined ? undefined : (decode(this.#numbers[0]!, crossing) as V);
  }

  has(key: string): boolean {
    return this.#open().has(string('key', key));
  }

  /** Stores a value. false: it is larger than a shard may be; what was there before is gone then. */
  set(key: string, value: V, options: SharedCacheSetOptions = {}): boolean {
    return this.#give(key, encode(value), setOptionsOf(options), PURPOSE.set) === OUTCOME.stored;
  }

  /**
   * Stores a value where what is there is deeply equal to a copy of `expected`, as `get` would give it, or nothing is and that is
   * undefined. false: it is not, or the value is too large.
   */
  compareAndSet(
    key: string,
    expected: V | undefined,
    value: V,
    options: SharedCacheSetOptions = {},
  ): boolean {
    const [how, next] = [setOptionsOf(options), encode(value)];
    const wanted = expected === undefined ? undefined : copyOf(expected);
    for (;;) {
      const found = this.#peek(key);
      const version = this.#numbers[1]!;
      if (!isDeepStrictEqual(found, wanted)) return false;
      if (found !== undefined) this.#native.expect(version);
      const outcome = this.#give(key, next, how, found === undefined ? PURPOSE.add : PURPOSE.swap);
      // Otherwise another thread has written meanwhile, maybe the same.
      if (outcome !== OUTCOME.refused) return outcome === OUTCOME.stored;
    }
  }

  /** Whether there was something to delete. */
  delete(key: string): boolean {
    return this.#open().delete(string('key', key));
  }

  clear(): void {
    this.#open().clear();
  }

  /** The values of keys, in their order; faster than to get each. */
  getMany(keys: Iterable<string>): (V | undefined)[] {
    const all = Array.from(keys, (key) => string('key', key));
    if (all.length < FEW) return all.map((key) => this.get(key));
    return getMany(this.#open(), this.#numbers, all) as (V | undefined)[];
  }

  /**
   * Stores pairs of a key and a value, faster than to set each; how many of them were not too large. Where one cannot be stored at
   * all, this throws, and none is.
   */
  setMany(entries: Iterable<readonly [string, V]>, options: SharedCacheSetOptions = {}): number {
    const how = setOptionsOf(options);
    const [keys, values]: [string[], Encoded[]] = [[], []];
    for (const [key, value] of entries) {
      keys.push(string('key', key));
      values.push(encode(value));
    }
    const native = this.#open();
    if (keys.length >= FEW) {
      return setMany(native, this.#numbers, keys, values, this.#lifetime(how.ttl), how.tags ?? []);
    }
    const isStored = (key: string, index: number): boolean =>
      this.#give(key, values[index]!, how, PURPOSE.set) === OUTCOME.stored;
    return keys.filter(isStored).length;
  }

  /** Gives a key another time to live. false: there is none. @param ttl milliseconds, by default those of the cache */
  touch(key: string, ttl?: number): boolean {
    if (ttl !== undefined) lifetime('ttl', ttl);
    return this.#open().touch(string('key', key), this.#lifetime(ttl));
  }

  /** Milliseconds that a key has to live, Infinity for ever; undefined where there is none. */
  getRemainingTTL(key: string): number | undefined {
    const remaining = this.#open().remaining(string('key', key));
    return remaining < 0 ? undefined : remaining;
  }

  /**
   * Adds to a number, from 0 on where there is none; its time to live stays. Returns the sum.
   *
   * @throws InvalidArgumentError where there is something else
   */
  incr(key: string, by = 1, options: SharedCacheSetOptions = {}): number {
    const { ttl } = setOptionsOf(options);
    number('by', by, -Number.MAX_VALUE, Number.MAX_VALUE);
    const sum = this.#open().increment(string('key', key), by, this.#lifetime(ttl));
    if (sum === undefined) throw new InvalidArgumentError(`"${key}" must have a number to be increased`);
    return sum;
  }

  /**
   * The value of a key, or what `loader` makes of it, which is then stored. However many callers in whatever threads want a
   * key at once, one loader runs, and another caller's only if its thread ends. A key that is set or deleted meanwhile keeps that.
   * A loaded `undefined` is not stored.
   *
   * @throws what the loader throws; LoadError where that was in another thread
   */
  async getOrLoad(
    key: string,
    loader: SharedCacheLoader<V>,
    options: SharedCacheLoadOptions = {},
  ): Promise<V> {
    const how = loadOptionsOf(options);
    callable('loader', loader);
    const found = this.get(key);
    return found === undefined ? this.#loads.load(key, loader, how) : found;
  }

  /** Deletes what was stored with a tag; how many entries that were. */
  invalidateTag(tag: string): number {
    return this.#open().invalidate(string('tag', tag));
  }

  /** The keys, a shard's at a time; what is stored or deleted meanwhile may be there or not. */
  *keys(): Generator<string, void, undefined> {
    for (let shard = 0; shard < this.#shards; shard++) {
      const count = this.#open().keys(shard);
      const keys = Array.from({ length: count }, (_, index) => this.#native.key(index));
      yield* keys;
    }
  }

  /** Keys and values, as {@link keys}. */
  *entries(): Generator<[string, V], void, undefined> {
    for (const key of this.keys()) {
      const value = this.#peek(key);
      if (value !== undefined) yield [key, value];
    }
  }

  [Symbol.iterator](): Generator<[string, V], void, undefined> {
    return this.entries();
  }

  /** Entries that are stored. */
  get size(): number {
    return this.metrics().entries;
  }

  metrics(): SharedCacheMetrics {
    const shards = Array.from({ length: this.#open().look() }, (_, shard) => this.#counters(shard));
    const sum = (name: keyof SharedCacheCounters): number =>
      shards.reduce((total, counters) => total + counters[name], 0);
    const names = Object.keys(shards[0]!) as (keyof SharedCacheCounters)[];
    const all = Object.fromEntries(names.map((name) => [name, sum(name)]));
    return { ...(all as unknown as SharedCacheCounters), shards };
  }

  #counters(shard: number): SharedCacheCounters {
    this.#native.counts(shard);
    const at = (place: keyof typeof COUNT): number => this.#numbers[COUNT[place]]!;
    return {
      entries: at('entries'),
      bytes: at('bytes'),
      hits: at('hits'),
      misses: at('misses'),
      sets: at('sets'),
      deletes: at('deletes'),
      evictedBySize: at('evictedBySize'),
      evictedByBytes: at('evictedByWeight'),
      expired: at('expired'),
      rejected: at('rejected'),
    };
  }

  /**
   * Writes all to a file, which is there as a whole or not at all. Resolves how many entries that are.
   *
   * @throws SnapshotError
   */
  snapshot(path: string): Promise<number> {
    return this.#file((native) => native.save(pathOf('path', path)));
  }

  /**
   * Stores what a snapshot has, with the time that was left to live, beside what is there. Resolves how many entries that are.
   *
   * @throws SnapshotError where it cannot be read, or is damaged; nothing was done then
   */
  restore(path: string): Promise<number> {
    return this.#file((native) => native.restore(pathOf('path', path)));
  }

  async #file(begin: (native: NativeSharedCache) => number): Promise<number> {
    const { kind, number: count, message } = await this.#tickets.wait(begin(this.#open()));
    if (kind !== TOLD.done) throw new SnapshotError(message);
    return count;
  }

  #give(key: string, encoded: Encoded, { ttl, tags = [] }: SharedCacheSetOptions, purpose: number): number {
    const native = this.#open();
    string('key', key);
    const lifetime = this.#lifetime(ttl);
    for (const tag of tags) native.tag(tag);
    return give(native, key, encoded, lifetime, purpose);
  }

  /** A time to live, which is seen to from now on. */
  #lifetime(ttl = this.#ttl): number {
    if (ttl !== Number.POSITIVE_INFINITY) {
      this.#sweeper ??= setInterval(() => this.#native.sweep(SWEEP), SWEEP_INTERVAL).unref();
    }
    return ttl;
  }

  #open(): NativeSharedCache {
    if (this.#isClosed) throw new DestroyedError(`The cache '${this.name}' is closed`);
    return this.#native;
  }

  /** Lets go of the cache, which ends with its last handle. What waits for other threads is rejected. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#sweeper);
    this.#native.close();
    this.#tickets.close(new DestroyedError(`The cache '${this.name}' was closed`));
  }

  [dispose](): void {
    this.close();
  }
}

/** Native errors have their code at the head of their message. */
function opened(open: () => NativeSharedCache): NativeSharedCache {
  try {
    return open();
  } catch (error) {
    const [, text] = /^ERR_KEELSON_INVALID_ARGUMENT: (.*)$/s.exec((error as Error).message) ?? [];
    throw text === undefined ? error : new InvalidArgumentError(text);
  }
}
