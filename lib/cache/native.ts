import { binding } from '../native.js';

// Indices of the shared doubles and integers; src/cache.rs has the same.
export const NOW = 0;
export const EXPIRES = 1;
export const GRACE = 2;
export const WEIGHT = 3;
export const NEXT_EXPIRY = 4;
export const TOTAL_WEIGHT = 5;
export const NOTES = 0;
export const FREED = 1;
export const LENGTH = 2;
export const REPLACED = 3;
export const SLOT = 4;
export const STALE = 5;

/** Notes that JavaScript makes before they are applied in one call: a slot that was used, or after a slot the
 * complement of its place in the front. */
export const NOTE_CAPACITY = 1024;
/** Removals that one call reports at most; `nextFreed` reports those beyond. */
export const FREED_CAPACITY = 256;
/** Keys in front of the native index: some for any cache, and no more than stay in the processor's cache. */
const SMALLEST_FRONT = 64;
const LARGEST_FRONT = 4096;

/** `slots` lists by insertion or by recency. */
export const BY_INSERTION = 0;
export const BY_RECENCY = 1;

/** The native index. Every method reads its times and weights from the shared doubles. */
export interface CacheIndex {
  /** Leaves the slot of a key, which counts as used, or -1 in `SLOT`, and its expiry in `EXPIRES`. */
  find(key: string): void;
  /** As `find`, without a use. */
  locate(key: string): void;
  expiresAt(slot: number): number;
  /** Milliseconds beyond its expiry for which an entry is kept. */
  graceAt(slot: number): number;
  /** The text at `slot`; undefined for a key that JavaScript keeps. */
  keyAt(slot: number): string | undefined;
  freedKey(index: number): string | undefined;
  nextFreed(): void;
  slots(order: number, out: Int32Array): number;
  /** Nanoseconds since the last call, at most 2^31 - 1, by a clock that nobody fakes. */
  lap(): number;
  /** Applies the notes. */
  flush(): void;
  /** Leaves the slot of a new or replaced entry in `SLOT`, or -1 when it can never fit. */
  insert(key: string): void;
  /** As `insert` of the key that `find` missed last. */
  insertMissed(): void;
  insertForeign(): void;
  update(slot: number): void;
  /** Gives an entry another expiry. */
  renew(slot: number): void;
  /** Removes an entry as expired or deleted, whichever it is by now. */
  remove(slot: number): void;
  expire(slot: number): boolean;
  sweep(limit: number): number;
  shrink(length: number): number;
  clear(): void;
}

/** An index and the memory it shares with JavaScript. */
export interface SharedIndex {
  readonly index: CacheIndex;
  readonly doubles: Float64Array;
  readonly integers: Int32Array;
  readonly notes: Int32Array;
  /** Pairs of a slot and the number of a reason. */
  readonly freed: Int32Array;
  readonly frontSlots: Int32Array;
  readonly frontExpires: Float64Array;
}

export function createIndex(
  maxSize: number,
  maxWeight: number,
  s3Fifo: boolean,
  keepKeys: boolean,
): SharedIndex {
  const doubles = new Float64Array(6);
  const integers = new Int32Array(6);
  const notes = new Int32Array(NOTE_CAPACITY);
  const freed = new Int32Array(2 * FREED_CAPACITY);
  // Room for keys that are gone too: the front answers for them as well.
  const front = Math.min(LARGEST_FRONT, Math.max(SMALLEST_FRONT, 2 * maxSize));
  const frontSlots = new Int32Array(front);
  const frontExpires = new Float64Array(front);
  doubles[NEXT_EXPIRY] = Number.POSITIVE_INFINITY;
  const memory = [doubles, integers, notes, freed, frontSlots, frontExpires];
  const index = binding.createCache(maxSize, maxWeight, s3Fifo, keepKeys, memory);
  return { index, doubles, integers, notes, freed, frontSlots, frontExpires };
}
