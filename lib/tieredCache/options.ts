import type { BoundedLRUCache } from '../boundedLRUCache.js';
import { BoundedLRUCache as L1 } from '../boundedLRUCache.js';
import { setting } from '../config/current.js';
import {
  keyPrefix,
  type RedisClient,
  type RedisOptions,
  type RedisSource,
  redisSource,
} from '../redis/options.js';
import { lifetime, setOptionsOf } from '../sharedCache/options.js';
import { insideOf, type SharedCache, type SharedCacheInside } from '../sharedCache.js';
import { abortSignal, callable, integer, invalid, number, oneOf, options as optionsOf } from '../validate.js';

/** Makes the value of a key; undefined where there is none. `signal` aborts when its time is over. */
export type TieredCacheLoader<V> = (
  key: string,
  context: { readonly signal: AbortSignal },
) => V | undefined | PromiseLike<V | undefined>;

/** A write to the source. */
export interface TieredCacheWrite<V> {
  readonly key: string;
  /** undefined: the key was deleted. */
  readonly value: V | undefined;
}

/** The Redis that the processes of a service share. */
export interface TieredCacheRedisOptions {
  /** Redis 6.2 or later, or a Cluster of it: a URL, options, or a client that the service has. */
  redis: string | RedisOptions | RedisClient;
  /** Of the names of keys, and of the channel. Caches of one prefix are one. It has no `{}`. @default 'cache:' */
  prefix?: string | undefined;
  /** Milliseconds that Redis has for an answer, 1 to 600,000; then it counts as away. @default 1,000 */
  timeout?: number | undefined;
  /**
   * How late a change that another process made is heard of at most while Redis answers, in milliseconds, 10 to 30,000. Most are
   * heard of at once. @default 1,000
   */
  staleness?: number | undefined;
  /** Milliseconds until others load what a process was loading when it died, 100 to 600,000. @default 5,000 */
  lease?: number | undefined;
}

/** Options of a {@link TieredCache}. Times are in milliseconds. */
export interface TieredCacheOptions<V = unknown> {
  /** In this thread: values by reference, for as long as they are fresh. It is used by this cache alone, without `updateAgeOnGet`. */
  l1: BoundedLRUCache<string, any>;
  /** For all threads of the process. It is used by tiered caches of one Redis and prefix alone. */
  l2?: SharedCache<any> | undefined;
  /** For all processes. */
  l3?: TieredCacheRedisOptions | undefined;
  /** For how long a value is fresh, more than 0; Infinity for ever. @default 300,000 */
  ttl?: number | undefined;
  /** Share of a ttl, 0 to 1, by which each is cut at random, so that values do not expire together. @default 0.1 */
  ttlJitter?: number | undefined;
  /** For how long after that it is still given, from L2 or L3, while it is loaded anew. @default 0 */
  stale?: number | undefined;
  /** For how long a caller waits for what is loaded anew before it gets what is stale. @default 0 */
  softTimeout?: number | undefined;
  /** For how long after its ttl a value is still given, from L2 or L3, where loading fails. @default 0 */
  grace?: number | undefined;
  /** For how long it is given then before loading is tried again. @default 1,000 */
  graceBackoff?: number | undefined;
  /** For how long it is remembered that the source has no value; 0: not at all. @default 0 */
  negativeTtl?: number | undefined;
  /** For how long a load may take, 1 to 600,000; then it fails, and others may load. @default 30,000 */
  loadTimeout?: number | undefined;
  /** The source, for `get` to read through. */
  load?: TieredCacheLoader<V> | undefined;
  /** Writes to the source what `set` and `delete` change, in their order, each key at most once. */
  store?: ((writes: readonly TieredCacheWrite<V>[]) => unknown) | undefined;
  /** Whether `set` and `delete` end when L3 and the source have the change, or leave it to the background. @default 'through' */
  write?: 'through' | 'behind' | undefined;
  /** Writes that may wait in the background, 1 to 1,000,000. Further ones wait for room. @default 10,000 */
  maxPendingWrites?: number | undefined;
}

/** Options of a value. */
export interface TieredCacheSetOptions {
  /** For how long it is fresh, in milliseconds, more than 0. @default as the cache says */
  ttl?: number | undefined;
  /** What it can be invalidated by. */
  tags?: readonly string[] | undefined;
}

/** Options of a lookup. */
export interface TieredCacheGetOptions {
  /** Gives up waiting: this call rejects with `signal.reason`. A load goes on. */
  signal?: AbortSignal | undefined;
}

/** Options of a load. */
export interface TieredCacheLoadOptions extends TieredCacheSetOptions, TieredCacheGetOptions {}

/** L3, checked. */
export interface RemoteSettings {
  readonly redis: RedisSource;
  readonly prefix: string;
  readonly timeout: number;
  readonly staleness: number;
  readonly lease: number;
}

/** Checked, with the defaults filled in. */
export interface TieredSettings<V> {
  readonly l1: BoundedLRUCache<string, unknown>;
  readonly l2: { cache: SharedCache; inside: SharedCacheInside } | undefined;
  readonly l3: RemoteSettings | undefined;
  readonly ttl: number;
  readonly ttlJitter: number;
  readonly stale: number;
  readonly softTimeout: number;
  readonly grace: number;
  readonly graceBackoff: number;
  readonly negativeTtl: number;
  readonly loadTimeout: number;
  readonly load: TieredCacheLoader<V> | undefined;
  readonly store: TieredCacheOptions<V>['store'];
  readonly isBehind: boolean;
  readonly maxPendingWrites: number;
}

const NAMES = [
  ...(['l1', 'l2', 'l3', 'ttl', 'ttlJitter', 'stale', 'softTimeout', 'grace', 'graceBackoff'] as const),
  ...(['negativeTtl', 'loadTimeout', 'load', 'store', 'write', 'maxPendingWrites'] as const),
];
const REMOTE_NAMES = ['redis', 'prefix', 'timeout', 'staleness', 'lease'] as const;
const FOREVER = Number.POSITIVE_INFINITY;

/** @throws InvalidArgumentError, whose message never shows a password */
export function settingsOf<V>(given: TieredCacheOptions<V>): TieredSettings<V> {
  const options = optionsOf<TieredCacheOptions<V>>('options', given, NAMES);
  const { l1, l2, l3, ttl = 300_000, ttlJitter = 0.1, stale = 0, softTimeout = 0, grace = 0 } = options;
  const { graceBackoff = 1000, negativeTtl = 0, loadTimeout = setting('tieredCache.loadTimeout') } = options;
  const { load, store, write = 'through', maxPendingWrites = 10_000 } = options;
  if (!(l1 instanceof L1)) invalid('l1', 'a BoundedLRUCache', l1);
  const inside = l2 === undefined ? undefined : insideOf(l2);
  if (l2 !== undefined && inside === undefined) invalid('l2', 'a SharedCache', l2);
  for (const [name, span] of [['stale', stale] as const, ['grace', grace] as const]) {
    if (span !== 0 && l2 === undefined && l3 === undefined) {
      invalid(name, '0 where there is neither l2 nor l3 to keep what is stale', span);
    }
  }
  return {
    l1,
    l2: l2 === undefined || inside === undefined ? undefined : { cache: l2, inside },
    l3: l3 === undefined ? undefined : remoteOf(l3),
    ttl: lifetime('ttl', ttl),
    ttlJitter: number('ttlJitter', ttlJitter, 0, 1),
    stale: number('stale', stale, 0, FOREVER),
    softTimeout: number('softTimeout', softTimeout, 0, 600_000),
    grace: number('grace', grace, 0, FOREVER),
    graceBackoff: number('graceBackoff', graceBackoff, 1, 600_000),
    negativeTtl: number('negativeTtl', negativeTtl, 0, FOREVER),
    loadTimeout: integer('loadTimeout', loadTimeout, 1, 600_000),
    load: load === undefined ? undefined : callable<TieredCacheLoader<V>>('load', load),
    store: store === undefined ? undefined : callable<NonNullable<typeof store>>('store', store),
    isBehind: oneOf('write', write, ['through', 'behind']) === 'behind',
    maxPendingWrites: integer('maxPendingWrites', maxPendingWrites, 1, 1_000_000),
  };
}

function remoteOf(given: TieredCacheRedisOptions): RemoteSettings {
  const options = optionsOf<TieredCacheRedisOptions>('l3', given, REMOTE_NAMES);
  const { redis, prefix = 'cache:', timeout = setting('tieredCache.l3.timeout') } = options;
  const { staleness = setting('tieredCache.l3.staleness'), lease = 5000 } = options;
  return {
    redis: redisSource(redis),
    prefix: keyPrefix('l3.prefix', prefix),
    timeout: integer('l3.timeout', timeout, 1, 600_000),
    staleness: integer('l3.staleness', staleness, 10, 30_000),
    lease: integer('l3.lease', lease, 100, 600_000),
  };
}

/** @throws InvalidArgumentError */
export function loadOptionsOf(given: TieredCacheLoadOptions): TieredCacheLoadOptions {
  const { signal, ...rest } = optionsOf<TieredCacheLoadOptions>('options', given, ['ttl', 'tags', 'signal']);
  return { ...setOptionsOf(rest), ...signalOf({ signal }) };
}

/** @throws InvalidArgumentError */
export function getOptionsOf(given: TieredCacheGetOptions): TieredCacheGetOptions {
  return signalOf(optionsOf<TieredCacheGetOptions>('options', given, ['signal']));
}

function signalOf({ signal }: TieredCacheGetOptions): TieredCacheGetOptions {
  if (signal !== undefined) abortSignal('signal', signal);
  return { signal };
}
