import { setting } from '../config/current.js';
import { integer, invalid, number, oneOf, options as optionsOf, string } from '../validate.js';

/** Options of a {@link SharedCache}. */
export interface SharedCacheOptions {
  /** Caches of one name in all threads of the process are one; those with other bounds are refused. */
  name: string;
  /** Bytes of keys, values, and what they take beside, 1 MiB or more. @default 64 MiB */
  maxBytes?: number | undefined;
  /** Entries, 1 or more. @default as many as the bytes allow */
  maxEntries?: number | undefined;
  /** Milliseconds that what this handle stores lives, more than 0. @default Infinity */
  ttl?: number | undefined;
  /** Which entry goes when there is no room. @default 's3-fifo' */
  policy?: 's3-fifo' | 'lru' | undefined;
  /** Parts with a lock of their own, a power of two up to 256, of which each has its share of the bounds; small caches have fewer. @default 16 */
  shards?: number | undefined;
  /**
   * Bytes, 1 or more, from which on what this handle stores is compressed where that makes it smaller; all handles read it. Texts
   * have a byte for each character, or two where some are beyond Latin-1. @default Infinity
   */
  compressFrom?: number | undefined;
}

/** Options of what is stored. */
export interface SharedCacheSetOptions {
  /** Milliseconds that the entry lives, more than 0. @default as the cache says */
  ttl?: number | undefined;
  /** What it can be invalidated by. */
  tags?: readonly string[] | undefined;
}

/** As native code takes them. */
export interface SharedCacheSettings {
  readonly name: string;
  readonly ttl: number;
  /** Bytes, entries, 1 for LRU, shards, from which size on values are compressed. */
  readonly numbers: Float64Array;
}

const NAMES = [...(['name', 'maxBytes', 'maxEntries', 'ttl', 'policy', 'shards', 'compressFrom'] as const)];
const SET_NAMES = [...(['ttl', 'tags'] as const)];
const POLICIES = ['s3-fifo', 'lru'] as const;
const MIB = 2 ** 20;
const MOST_ENTRIES = 2 ** 30;

/** @throws InvalidArgumentError */
export function settingsOf(given: SharedCacheOptions): SharedCacheSettings {
  const options = optionsOf<SharedCacheOptions>('options', given, NAMES);
  const {
    name,
    maxBytes = setting('sharedCache.maxBytes'),
    maxEntries = MOST_ENTRIES,
    ttl = Number.POSITIVE_INFINITY,
    policy = 's3-fifo',
    shards = 16,
    compressFrom = setting('sharedCache.compressFrom'),
  } = options;
  const isPower = Number.isInteger(Math.log2(shards));
  const numbers = [
    integer('maxBytes', maxBytes, MIB),
    integer('maxEntries', maxEntries, 1, MOST_ENTRIES),
    POLICIES.indexOf(oneOf('policy', policy, POLICIES)),
    isPower ? integer('shards', shards, 1, 256) : invalid('shards', 'a power of two from 1 to 256', shards),
    compressFrom === Number.POSITIVE_INFINITY ? compressFrom : integer('compressFrom', compressFrom, 1),
  ];
  return {
    name: string('name', name) || invalid('name', 'a text that is not empty', name),
    ttl: lifetime('ttl', ttl),
    numbers: Float64Array.from(numbers),
  };
}

/** A time in milliseconds. @throws InvalidArgumentError */
export function lifetime(name: string, ttl: unknown): number {
  return number(name, ttl, Number.MIN_VALUE, Number.POSITIVE_INFINITY);
}

/** @throws InvalidArgumentError */
export function setOptionsOf(given: SharedCacheSetOptions): SharedCacheSetOptions {
  const { ttl, tags } = optionsOf<SharedCacheSetOptions>('options', given, SET_NAMES);
  if (ttl !== undefined) lifetime('ttl', ttl);
  if (tags !== undefined && !Array.isArray(tags)) invalid('tags', 'a list of texts', tags);
  for (const [index, tag] of (tags ?? []).entries()) string(`tags[${index}]`, tag);
  return { ttl, tags };
}
