import { performance as nodePerformance } from 'node:perf_hooks';
import timers from 'node:timers';
import { noContext } from '../timer/context.js';
import { delayOf } from './settle.js';

/** Readings that close together, in milliseconds for all of them, make a burst. */
const BURST_READINGS = 8;
const BURST_SPAN = 0.5;
/** Calls of a burst that share one reading. */
const SHARED_CALLS = 16;

/** Node's own: jest may replace the global one. */
const { setImmediate: nodeSetImmediate } = timers;

/**
 * A pool's clock, monotonic milliseconds, and its one timer.
 *
 * `performance` and `setTimeout` are looked up in the globals at the call, so that fake timers rule. Where they are
 * exchanged while the pool lives, time goes on from where it is, and the timer is set anew. Some fakes stand in for
 * timers only: when such a timer fires, it is at least the time that it was set for.
 */
export class PoolTime {
  /** When the timer fires, on this clock; Infinity while there is none. */
  armed = Number.POSITIVE_INFINITY;
  /** Whether the timer keeps the process alive. */
  holding = false;
  /** Called when the event loop turns after calls that shared readings: the first of them began at `began`. */
  turned: ((began: number) => void) | undefined;
  /** The latest reading. */
  private last = performance.now();
  private clock = performance;
  private setter = setTimeout;
  private offset = 0;
  private timer: NodeJS.Timeout | undefined;
  private clear = clearTimeout;
  private readonly fire: () => void;
  /** How many calls of `recent` may still share the latest reading. */
  private left = 0;
  private spanStart = 0;
  private spanReadings = 0;
  private inBurst = false;
  private burstStart = 0;
  private readonly endBurst = (): void => {
    if (this.inBurst) this.turned?.(this.burstStart);
    this.inBurst = false;
    this.left = 0;
    this.spanReadings = 0;
  };

  /** @param wake called with the time when the timer fires */
  constructor(wake: (now: number) => void) {
    this.fire = () => {
      const due = this.armed;
      this.timer = undefined;
      this.armed = Number.POSITIVE_INFINITY;
      const now = this.now();
      if (now < due && this.setter !== timers.setTimeout) this.offset += due - now;
      wake(this.now());
    };
  }

  /** The time, exactly. */
  now(): number {
    const clock = performance;
    if (clock !== this.clock || setTimeout !== this.setter) this.exchange();
    this.last = clock.now() + this.offset;
    return this.last;
  }

  /**
   * The time for what is measured, not promised: when a connection was lent or came back. A reading takes as long as
   * half of all else that an acquire does, so in a burst 16 calls share one, until the event loop turns.
   */
  recent(): number {
    if (this.left > 0) {
      this.left--;
      return this.last;
    }
    const now = this.now();
    if (now - this.spanStart > BURST_SPAN) {
      this.spanStart = now;
      this.spanReadings = 0;
    } else if (++this.spanReadings >= BURST_READINGS) {
      this.burst(now);
    }
    return now;
  }

  /** Sets the timer. */
  arm(due: number, now: number): void {
    this.disarm();
    const wait = delayOf(Math.max(due - now, 0));
    this.armed = Math.min(due, now + wait);
    this.clear = clearTimeout;
    // The timer would keep the stores of whoever happened to set it.
    this.timer = noContext.runInAsyncScope(
      setTimeout,
      undefined,
      this.fire,
      wait,
    ) as unknown as NodeJS.Timeout;
    if (!this.holding) this.timer.unref?.();
  }

  /** Whether the timer is to keep the process alive. */
  hold(holding: boolean): void {
    this.holding = holding;
    if (holding) this.timer?.ref?.();
    else this.timer?.unref?.();
  }

  disarm(): void {
    if (this.timer !== undefined) this.clear(this.timer);
    this.timer = undefined;
    this.armed = Number.POSITIVE_INFINITY;
  }

  /** Begins a burst, or goes on with it; one that goes on is one reading in each span, and has to earn the next. */
  private burst(now: number): void {
    if (this.clock !== nodePerformance || this.setter !== timers.setTimeout) return;
    this.spanStart = now;
    this.left = SHARED_CALLS - 1;
    if (this.inBurst) return;
    this.inBurst = true;
    this.burstStart = now;
    noContext.runInAsyncScope(nodeSetImmediate, undefined, this.endBurst).unref();
  }

  /** Goes on with other clocks from the time that it is on those before. */
  private exchange(): void {
    const due = this.armed;
    const now = this.clock.now() + this.offset;
    this.clock = performance;
    this.setter = setTimeout;
    // In whole milliseconds, as fake clocks count, so that a timer of so many is due after so many.
    this.offset = Math.ceil(now) - performance.now();
    this.endBurst();
    this.disarm();
    if (due < Number.POSITIVE_INFINITY) this.arm(due, Math.ceil(now));
  }
}
