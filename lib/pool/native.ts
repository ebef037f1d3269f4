/** Places of the options; src/pool.rs has the same. Milliseconds, counts and shares; Infinity is off. */
export const OPTION = {
  /** Connections at most, closing ones included. */
  max: 0,
  min: 1,
  idleTimeout: 2,
  maxLifetime: 3,
  /** From 0 to 1: up to that share of the lifetime is taken off, so that connections do not end together. */
  lifetimeJitter: 4,
  maxUses: 5,
  /** 1 lends the connection that was used last, 0 the one that was not used for longest. */
  lifo: 6,
  /** One that was not known to be well for longer is validated before it is lent; 0: always. */
  validateAfter: 7,
  validateTimeout: 8,
  /** An idle one that was not known to be well for so long is validated in the background, one at a time. */
  probeInterval: 9,
  leakAfter: 10,
  /** Acquires that may wait beyond those for which there is a place, or a connection on its way. */
  maxQueue: 11,
  /** Connections that may be opening at once. */
  maxOpening: 12,
  openTimeout: 13,
  backoffMin: 14,
  backoffMax: 15,
  /** 1: in an outage acquires are refused and rejected as unavailable; 0: they wait. */
  failFast: 16,
  /** Consecutive failures that make an outage. */
  failureThreshold: 17,
  /** Of jitter, backoff and the hashes of keys: any number. */
  seed: 18,
} as const;

/** How many options there are. */
export const OPTION_COUNT = 19;

/** Places of the state, which is current after every call. */
export const STATE = {
  /** Actions that `take` has not handed out yet. */
  pending: 0,
  /** When `tick` is due next: never too late, but too early where what was due is settled; Infinity: never. */
  due: 1,
  idle: 2,
  lent: 3,
  opening: 4,
  validating: 5,
  closing: 6,
  waiting: 7,
  /** Consecutive failures to open; those that were under way at once count as one. */
  failures: 8,
  /** One of {@link GATE}. */
  gate: 9,
  /**
   * A connection that comes back now is left alone for so long: the facade may lend it again by itself, the one that
   * came back last first, and report later when it came back. Below 0: not now.
   */
  leave: 10,
  /** Returns that the facade has not reported; every function but `expires` first takes note of them, and sets 0. */
  returns: 11,
} as const;

/** Numbers of a return that is not reported: the slot, and the time. */
export const RETURN_WIDTH = 2;

/** How many numbers the state has. */
export const STATE_COUNT = 12;

/** Whether connections can be had: `closed` is well, `open` is an outage, in which `halfOpen` is one attempt. */
export const GATE = { closed: 0, open: 1, halfOpen: 2 } as const;

/** Priorities of an acquire. */
export const PRIORITY = { high: 0, normal: 1, low: 2 } as const;

/** What is to be done: triples of one of these and two numbers. */
export const ACTION = {
  /** (slot): open a connection; answered by `opened` or `openFailed`. */
  create: 1,
  /** (slot, one of {@link WHY}): see whether it is well; answered by `validated`. */
  validate: 2,
  /** (slot, one of {@link CLOSE_REASON}): end it; answered by `closed`. */
  close: 3,
  /** (ticket, slot): who waits gets the connection. */
  lend: 4,
  /** (ticket, one of {@link CAUSE}): who waits gets none. */
  reject: 5,
  /** (slot): lent for longer than `leakAfter`; said once a lease. */
  leak: 6,
  /** (slot): opening took longer than `openTimeout`. The slot is free already: what comes late is not reported. */
  abandon: 7,
} as const;

/** Integers of one action. */
export const ACTION_WIDTH = 3;

/** Why a connection is validated. */
export const WHY = { borrow: 0, probe: 1 } as const;

/** Why a connection is closed. */
export const CLOSE_REASON = {
  idle: 1,
  lifetime: 2,
  uses: 3,
  broken: 4,
  invalid: 5,
  evicted: 6,
  closing: 7,
} as const;

/** Why an acquire gets no connection. */
export const CAUSE = { timeout: 1, full: 2, unavailable: 3, closed: 4, refused: 5 } as const;

/** What `acquire` answers below this is a refusal: {@link REFUSAL} and one of {@link CAUSE}. */
export const REFUSED: number = -(2 ** 31) + 16;
export const REFUSAL: number = -(2 ** 31);

/**
 * The state machine of a connection pool: see src/pool.rs and crates/core/src/pool. It decides, the facade does.
 *
 * A slot, from 0 to `max` - 1, is a place for a connection: free → opening → idle ⇄ lent, idle ⇄ validating, all of
 * these → closing → free. A ticket is an acquire that waits. A ticket's number is given again once it is settled:
 * after `cancel` and after a call that returned it at once, after an action not before the next `take`.
 *
 * Times are milliseconds of one clock that does not go back. After every call the facade looks at
 * `state[STATE.pending]`, and takes and carries out actions; and at `state[STATE.due]`, and arms its timer.
 * Reports on a slot that is in another state, such as late ones, change nothing.
 */
export interface NativeConnectionPool {
  /**
   * Returns the slot lent, or `-1 - ticket` of who waits now, or below {@link REFUSED} a refusal, which changes nothing.
   * The deadline is a time, or Infinity. One that has passed gets what is ready or is refused as a timeout.
   */
  acquire(now: number, deadline: number, priority: number): number;
  /**
   * As `acquire`, and prefers the connection that `key` had last, if it is idle; else the one least recently used.
   * It never waits for a certain one. A slot remembers the key that it was lent for last.
   */
  acquireFor(now: number, deadline: number, priority: number, key: string): number;
  /** A lent connection comes back well. Returns the ticket that it is lent to at once, or -1. */
  release(now: number, slot: number): number;
  /** A connection is broken, whether it is lent, idle or validating. */
  discard(now: number, slot: number): void;
  /** A connection is open. Returns the ticket that it is lent to at once, or -1. */
  opened(now: number, slot: number): number;
  /** When a connection is too old to be lent. */
  expires(slot: number): number;
  /** A connection could not be opened. The slot is free. */
  openFailed(now: number, slot: number): void;
  /** The answer to a validation: 1 is well. Returns the ticket that the connection is lent to at once, or -1. */
  validated(now: number, slot: number, ok: number): number;
  /** A closing connection is gone. The slot is free. */
  closed(now: number, slot: number): void;
  /** Gives up waiting. Returns 1, or 0 if the ticket does not wait. */
  cancel(now: number, ticket: number): number;
  /** Does what is due: deadlines, timeouts, probes, the next attempt to open. */
  tick(now: number): void;
  /** Opens up to `min` connections from now on. The first `acquire` does so too. */
  start(now: number): void;
  /** Lends, opens and validates nothing from now on. Acquires wait, and time out. */
  pause(now: number): void;
  resume(now: number): void;
  /** Replaces every connection of now, those opening and validating included: lent ones when they come back. */
  evict(now: number): void;
  /** 1: new acquires are refused, who waits is served, and `min` is not refilled. 0: as ever. */
  refuse(now: number, refuse: number): void;
  /**
   * Refuses acquires from now on, rejects who waits, and closes idle connections at once, others when they are
   * opened, validated or given back. It ends a pause.
   */
  close(now: number): void;
  /**
   * Fills the array of actions with as many as fit, and returns how many; called again while that is all that fit.
   * It also says that the actions handed out before are carried out.
   */
  take(): number;
}
