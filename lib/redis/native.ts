import type { RedisFailure } from '../errors.js';

/** Checks of a batch at most, and parts of a call of a script: keys and arguments. */
export const ROOM = 1024;
/** Numbers of an ask: operation, amount, extra. */
export const ASK = 3;
/** Numbers of what came of it: see crates/core/src/rate_limit/operation.rs. */
export const ROW = 7;

/** By the codes of crates/redis/src/failure.rs. */
const FAILURES: readonly RedisFailure[] = [
  'closed',
  'timeout',
  'connection',
  'permission',
  'server',
  'overloaded',
  'closed',
];

/** What a code means. */
export const failureOf = (code: number): RedisFailure => FAILURES[code] ?? 'closed';

/** Kinds of items of a reply. */
export const ITEM = { nil: 0, integer: 1, bytes: 2 } as const;

/** Places of what `counts` writes. */
export const COUNTS = [
  'connected',
  'complete',
  'inFlight',
  'batches',
  'calls',
  'timeouts',
  'connections',
  'losses',
  'loads',
  'redirections',
  'repetitions',
] as const;

/**
 * A link to Redis over the arrays `asks` and `lengths`, which it reads, and `numbers`, which it writes: see src/redis.rs. Its thread has `wake` called when `take`
 * has something; it keeps the process alive only while it is held.
 */
export interface NativeRedisLink {
  /** A limiter by the prefix of its keys, for how many microseconds a denial blocks, and four numbers a limit; its id. */
  limiter(prefix: string, numbers: Float64Array): number;
  /** A Lua script; its id. */
  script(source: string): number;
  /** Of a limiter or of a script, by its id. */
  forget(id: number): void;
  /**
   * Sends `count` of the `asks`, {@link ASK} numbers each, whose keys of so many `lengths` are one string, to be done within
   * `timeout` milliseconds. Returns a ticket, or 0 if too much is in flight.
   */
  submit(limiter: number, count: number, keys: string, timeout: number): number;
  /** Calls a script. `bytes` are `parts` parts of so many `lengths`, of which the first `keys` are keys. Returns as `submit`. */
  run(script: number, keys: number, parts: number, bytes: Uint8Array, timeout: number): number;
  /**
   * The ticket of what is done, or 0. Of checks, `numbers` has {@link ROW} numbers each, and of those that failed a code
   * below 0 first; of a script, whether it returned a list, how many items, and of each its kind and its value or
   * length; or the code of a failure below 0.
   */
  take(): number;
  /** Why something of what was taken last failed. */
  text(): string;
  /** Copies the bytes of the reply that was taken last. */
  bytes(to: Uint8Array): void;
  /** Copies {@link COUNTS}. */
  counts(to: Float64Array): void;
  /** Listens to a channel. Has `wake` called when there is something to fetch; that keeps no process alive. */
  subscribe(channel: string, wake: () => void): NativeSubscription;
  /** Where the one server is that has all keys, as `host port` or a path; empty while it is not connected. */
  address(): string;
  /** 1: the process stays alive. 0: it does not because of this. */
  hold(hold: number): void;
  /** Closes the connections. What is in flight is still done, soon. */
  close(): void;
}

/** What `take` of a subscription returns; and of a loss the code of a failure below 0. */
export const HEARD = { nothing: 0, subscribed: 1, message: 2 } as const;

/** A channel that is listened to: see src/redis_subscription.rs. */
export interface NativeSubscription {
  /** Fetches what has happened, and returns how much can be taken. */
  fetch(): number;
  /** One of {@link HEARD}, in their order. */
  take(): number;
  /** The message that was taken last, which can be had once. */
  payload(): Buffer;
  /** Why the connection was lost, of a loss that was taken last. */
  text(): string;
  close(): void;
}

/**
 * Plans calls of a limiter's script for a client that is not ours, over `lengths` and `numbers`: see
 * src/rate_limit_plan.rs.
 */
export interface NativePlanner {
  /** The script's text. */
  source(): string;
  /**
   * Plans the calls for `count` asks, {@link ASK} of the `numbers` each, whose keys of so many `lengths` are one string,
   * and returns how many. `bySlot` 1: all keys of a call are of one slot.
   */
  plan(count: number, keys: string, bySlot: number): number;
  /**
   * Copies the whole command for asks that fit in one call, by the script's digest, and returns how long it is: 0 if it
   * takes several calls. More than there is room for is cut.
   */
  command(count: number, keys: string, to: Uint8Array): number;
  /**
   * Writes to `lengths` how many keys, arguments and checks a planned call has, the length of each key and argument,
   * and which checks these are. Returns how many bytes the keys and arguments have.
   */
  call(index: number): number;
  /** Copies the keys and arguments of the call told last, one behind the other. */
  bytes(to: Uint8Array): void;
  /**
   * Turns a reply of so many `numbers` into {@link ROW} numbers for each of the call's `count` checks, in their order.
   * false: the script has not answered that.
   */
  rows(length: number, count: number): boolean;
}
