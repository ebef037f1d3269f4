import { setting } from '../config/current.js';
import { boolean, callable, integer, invalid, number, oneOf, options } from '../validate.js';
import { MemoryPressure, type MemoryPressureOptions } from './memoryPressure.js';

/**
 * Why an entry left: the cache was full (`size`), too heavy (`weight`) or asked to shrink (`pressure`), its
 * time was over (`expired`), `delete()` or `clear()`/`destroy()` removed it, or `set()` gave its key another
 * value (`replaced`).
 */
export type EvictionReason = 'size' | 'weight' | 'expired' | 'deleted' | 'pressure' | 'replaced' | 'cleared';

/** Options of a {@link BoundedLRUCache}. */
export interface BoundedLRUCacheOptions<K = any, V = any> {
  /** The most entries, from 1 to 2^53 - 1. It holds at every moment. */
  maxSize: number;
  /** The most weight, above 0; asks for `weigh`. @default Infinity */
  maxWeight?: number;
  /** The weight of an entry, a finite number from 0. Called once for each `set()`. */
  weigh?: (value: V, key: K) => number;
  /** Milliseconds an entry lives, above 0; `Infinity` for ever. @default 300000 */
  ttl?: number;
  /** Share of a ttl, 0 to 1, by which each is cut at random, so that entries do not expire together. @default 0 */
  ttlJitter?: number;
  /** Whether a hit starts an entry's time anew. @default false */
  updateAgeOnGet?: boolean;
  /**
   * Whether `get()` returns an expired value once, as it removes it, be it within its `staleWhileRevalidate`. It
   * still counts as a miss. @default false
   */
  allowStale?: boolean;
  /** Which entry goes when room is needed: the least recently used, or S3-FIFO's choice. @default 'lru' */
  policy?: 'lru' | 's3-fifo';
  /**
   * Called for every entry that leaves, after the call that removed it has done all its work. It may use the
   * cache. What it throws comes out of that call, after every callback has run, several errors as an
   * AggregateError. Only a load never fails by it: what it throws on behalf of `getOrLoad()` is thrown again on the
   * next tick, where it is an uncaught exception.
   */
  onEvict?: (key: K, value: V, reason: EvictionReason) => void;
  /**
   * The time in milliseconds, a finite number from 0; fractions are cut off. What it answers otherwise is refused
   * by the call that asked. @default Date.now, as it is at each call
   */
  clock?: () => number;
  /** Shrinks the cache when the process runs short of memory. @default off */
  memoryPressure?: boolean | MemoryPressureOptions;
}

const NAMES = [
  'maxSize',
  'maxWeight',
  'weigh',
  'ttl',
  'ttlJitter',
  'updateAgeOnGet',
  'allowStale',
  'policy',
  'onEvict',
  'clock',
  'memoryPressure',
] as const;

/** Options that passed every check, with the defaults filled in. */
export interface Settings<K, V> {
  readonly maxSize: number;
  readonly maxWeight: number;
  readonly weigh: ((value: V, key: K) => number) | undefined;
  readonly ttl: number;
  readonly ttlJitter: number;
  readonly updateAgeOnGet: boolean;
  readonly allowStale: boolean;
  readonly policy: 'lru' | 's3-fifo';
  readonly onEvict: ((key: K, value: V, reason: EvictionReason) => void) | undefined;
  readonly clock: (() => number) | undefined;
  readonly pressure: MemoryPressure | undefined;
}

function positive(name: string, value: unknown): number {
  return typeof value === 'number' && value > 0
    ? value
    : invalid(name, 'a number above 0, or Infinity', value);
}

/** A lifetime as `set()` takes it: 0 and undefined stand for the default. */
export function lifetime(ttl: unknown, otherwise: number): number {
  if (ttl === undefined || ttl === 0) return otherwise;
  if (typeof ttl === 'number' && ttl > 0) return ttl;
  return invalid('ttl', 'a number of milliseconds from 0, or Infinity', ttl);
}

/** Checks the constructor's arguments, in either form. */
export function settings<K, V>(
  first: number | BoundedLRUCacheOptions<K, V>,
  defaultTtl?: number,
): Settings<K, V> {
  if (typeof first !== 'object' || first === null) {
    const ttl = defaultTtl === undefined ? setting('cache.ttl') : positive('defaultTtl', defaultTtl);
    return { ...checked<K, V>({ maxSize: first }), ttl };
  }
  if (defaultTtl !== undefined) invalid('defaultTtl', 'left out where options are given', defaultTtl);
  return checked(options<BoundedLRUCacheOptions<K, V>>('options', first, NAMES));
}

function checked<K, V>(given: BoundedLRUCacheOptions<K, V>): Settings<K, V> {
  // Defaults by destructuring: null is not absent, and is refused like any other wrong value.
  const {
    ttl = setting('cache.ttl'),
    ttlJitter = 0,
    updateAgeOnGet = false,
    allowStale = false,
    policy = 'lru',
  } = given;
  const {
    maxWeight,
    weigh,
    onEvict,
    clock,
    memoryPressure: pressure = setting('cache.memoryPressure'),
  } = given;
  if (maxWeight !== undefined && weigh === undefined)
    invalid('weigh', 'a function where maxWeight is set', weigh);
  return {
    maxSize: integer('maxSize', given.maxSize, 1),
    maxWeight: positive('maxWeight', maxWeight === undefined ? Number.POSITIVE_INFINITY : maxWeight),
    weigh: weigh === undefined ? undefined : callable<NonNullable<typeof weigh>>('weigh', weigh),
    ttl: positive('ttl', ttl),
    ttlJitter: number('ttlJitter', ttlJitter, 0, 1),
    updateAgeOnGet: boolean('updateAgeOnGet', updateAgeOnGet),
    allowStale: boolean('allowStale', allowStale),
    policy: oneOf('policy', policy, ['lru', 's3-fifo']),
    onEvict: onEvict === undefined ? undefined : callable<NonNullable<typeof onEvict>>('onEvict', onEvict),
    clock: clock === undefined ? undefined : callable<NonNullable<typeof clock>>('clock', clock),
    pressure: pressure === false ? undefined : new MemoryPressure(pressure),
  };
}
