/** Kinds of values, as src/shared_cache.rs has them; what is a wide text is found there. */
export const KIND = { number: 0, text: 1, bytes: 3, clone: 4 } as const;

/** What becomes of a value that is given to the cache. */
export const PURPOSE = {
  /** It is stored. */
  set: 0,
  /** It is stored where there is none. */
  add: 1,
  /** It is stored where there is what `expect` has named. */
  swap: 2,
  /** It is what the load gave that `land` has named. */
  land: 3,
} as const;

/** What came of that. */
export const OUTCOME = { stored: 0, tooLarge: 1, refused: 2 } as const;

/** What `begin` answers: this thread is to load, or another one does. */
export const FLIGHT = { lead: 0, wait: 1 } as const;

/** Kinds of what `take` tells; the first of the numbers is the ticket. */
export const TOLD = {
  nothing: 0,
  /** The load gave a value, which `taken` has. */
  loaded: 1,
  /** It failed; the text says why. */
  failed: 2,
  /** Its thread has ended: somebody else has to. */
  abandoned: 3,
  /** A snapshot is done; the second of the numbers says of how many entries. */
  done: 4,
  /** It is not; the text says why, behind a code. */
  notDone: 5,
} as const;

/** Places of what `counts` writes. */
export const COUNT = {
  entries: 0,
  bytes: 1,
  hits: 2,
  misses: 3,
  sets: 4,
  deletes: 5,
  evictedBySize: 6,
  evictedByWeight: 7,
  expired: 8,
  rejected: 9,
} as const;

/** The most keys of a batch. */
export const BATCH = 64;

/** Numbers of the array that calls write to: of a batch, the kinds of its values, and behind them the lengths of its keys. */
export const ROOM: number = 2 * BATCH;

/** Values as they cross: texts, bytes (also of clones) and numbers; undefined: there is none. */
export type Crossing = string | Buffer | number | undefined;

/**
 * A handle on a cache over an array of {@link ROOM} numbers: see src/shared_cache.rs. All handles of a process with one name, in
 * whatever thread, are on one cache. Times are in milliseconds from now on.
 */
export interface NativeSharedCache {
  /** The first of the numbers is the value's kind. */
  get(key: string): Crossing;
  /** As `get`, without counting as a use; the second of the numbers is the version of what is there. */
  peek(key: string): Crossing;
  /** As so many `get`s, of keys that are joined. `list` makes a list of its arguments. */
  getMany(list: (...values: Crossing[]) => Crossing[], count: number, keys: string): Crossing[];
  has(key: string): boolean;
  /** Names the version that the next {@link PURPOSE.swap} expects. */
  expect(version: number): void;
  /** Names a tag of the next value that is given. */
  tag(tag: string): void;
  /** Names the load of the next value that is given to {@link PURPOSE.land}. */
  land(ticket: number): void;
  /** These take a value for a {@link PURPOSE}, and return an {@link OUTCOME}. */
  text(key: string, value: string, ttl: number, purpose: number): number;
  bytes(key: string, value: Uint8Array, ttl: number, purpose: number, kind: number): number;
  number(key: string, value: number, ttl: number, purpose: number): number;
  /** Stores so many values under keys that are joined; how many were not too large. */
  setMany(count: number, ttl: number, keys: string, ...values: (string | number | Uint8Array)[]): number;
  delete(key: string): boolean;
  /** Removes so many expired entries of each shard at most; how many it has. */
  sweep(limit: number): number;
  clear(): void;
  touch(key: string, ttl: number): boolean;
  /** Infinity where it does not end, -1 where there is none. */
  remaining(key: string): number;
  /** The sum; undefined where there is something else than a number. */
  increment(key: string, by: number, ttl: number): number | undefined;
  invalidate(tag: string): number;
  /** As many as the options say, or fewer where those would be too small. */
  shards(): number;
  /** How many keys a shard has; `key` tells each of them, until the next call. */
  keys(shard: number): number;
  key(index: number): string;
  /** Looks at all shards, and returns how many there are. */
  look(): number;
  /** Writes the numbers of {@link COUNT} of a shard, as it was at the last look. */
  counts(shard: number): void;
  /** Of {@link FLIGHT}; the first of the numbers is the ticket, the second that of the load among those of the key. */
  begin(key: string): number;
  fail(ticket: number, message: string): void;
  /** Nobody waits with that ticket any more. */
  forget(ticket: number): void;
  /** Begins to write or read a snapshot. Returns a ticket. */
  save(path: string): number;
  restore(path: string): number;
  /** What there is to tell, one of {@link TOLD}. */
  take(): number;
  /** The value that was told of, if any; the second of the numbers is its kind then. */
  taken(): Crossing;
  message(): string;
  /** 1: the process stays alive. 0: it does not because of this. */
  hold(hold: number): void;
  /** Lets go of the cache, which ends with its last handle. */
  close(): void;
}
