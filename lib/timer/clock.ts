import { performance } from 'node:perf_hooks';

/** Exact readings that close together, in milliseconds for all of them, make a burst. */
const BURST_READINGS = 8;
const BURST_SPAN = 0.5;
/** Calls of a burst that share one reading. */
const SHARED_CALLS = 16;
/** How old a shared reading is taken to be. Where it was older, the calls that shared it are put right. */
const ALLOWANCE = 0.5;

/** What carries times that a shared reading gave it. */
export interface Stamped {
  /** The times so far are exact. */
  settle(): void;
  /** The times since the last call of either are up to `by` ms too early. */
  postpone(by: number): void;
}

/**
 * Monotonic milliseconds for timers, cheap in bursts.
 *
 * A reading takes about 45 ns, as long as all else that setTimeout does. When readings come close together, up
 * to 16 calls share one, and a microtask ends the burst with the synchronous run it began in. The next reading
 * tells how old the shared one got: if the thread was busy in between, what was stamped with it is postponed, so
 * that those at most 15 timers may be late by as much as the thread was busy, and are never early.
 */
export class BurstClock {
  /** The latest reading. */
  last = 0;
  /** The latest time given out by `now` or `exact`, neither of which ever gives out an earlier one. */
  private given = 0;
  /** Whether `now` gave out a reading that it shares, which the next reading may have to put right. */
  shared = false;
  private left = 0;
  private spanStart = 0;
  private spanReadings = 0;
  private inBurst = false;
  /** What pauses have taken out of time. */
  private paused = 0;
  private pausedAt: number | undefined;
  private readonly stamped: Stamped;

  constructor(stamped: Stamped) {
    this.stamped = stamped;
    this.last = this.source();
  }

  /** The time, or in a burst one that is up to half a millisecond ahead: a timer may be late, never early. */
  now(): number {
    if (this.left > 0) {
      this.left--;
      this.shared = true;
      return this.given;
    }
    this.shared = false;
    const now = this.exact();
    this.watch(this.last);
    return now;
  }

  /** The time from a reading of its own. */
  exact(): number {
    this.given = Math.max(this.given, this.read());
    return this.given;
  }

  /** Reads the time, settles what was stamped with the reading before, and ends the sharing of that one. */
  read(): number {
    this.left = 0;
    const before = this.last;
    const now = this.source();
    this.last = now;
    if (now - before > ALLOWANCE) this.stamped.postpone(now - before - ALLOWANCE);
    else this.stamped.settle();
    return now;
  }

  /** Stops time until `resume`. */
  pause(): void {
    this.endBurst();
    this.pausedAt = this.read();
  }

  resume(): void {
    if (this.pausedAt === undefined) return;
    const frozen = this.pausedAt;
    this.pausedAt = undefined;
    this.paused += this.source() - frozen;
  }

  private source(): number {
    return this.pausedAt ?? performance.now() - this.paused;
  }

  /** Begins, prolongs or ends a burst after an exact reading. */
  private watch(now: number): void {
    if (now - this.spanStart > BURST_SPAN || this.pausedAt !== undefined) {
      this.spanStart = now;
      this.spanReadings = 0;
      return;
    }
    if (++this.spanReadings < BURST_READINGS) return;
    // A burst that goes on is one reading in each span; it has to earn the next.
    this.spanStart = now;
    this.left = SHARED_CALLS - 1;
    this.given = Math.max(this.given, now + ALLOWANCE);
    if (this.inBurst) return;
    this.inBurst = true;
    // Not queueMicrotask, which fake timers replace.
    void Promise.resolve().then(() => {
      this.read();
      this.endBurst();
    });
  }

  private endBurst(): void {
    this.left = 0;
    this.inBurst = false;
    this.spanReadings = 0;
  }
}
