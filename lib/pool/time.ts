import timers from 'node:timers';
import { noContext } from '../timer/context.js';
import { delayOf } from './settle.js';

/**
 * A pool's clock, monotonic milliseconds, and its one timer.
 *
 * `performance` and `setTimeout` are looked up in the globals at the call, so that fake timers rule. Where they are
 * exchanged while the pool lives, time goes on from where it is. Some fakes stand in for timers only: when such a
 * timer fires, it is at least the time that it was set for.
 */
export class PoolTime {
  /** When the timer fires, on this clock; Infinity while there is none. */
  armed = Number.POSITIVE_INFINITY;
  /** Whether the timer keeps the process alive. */
  holding = false;
  private clock = performance;
  private setter = setTimeout;
  private offset = 0;
  private timer: NodeJS.Timeout | undefined;
  private clear = clearTimeout;
  private readonly fire: () => void;

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

  now(): number {
    const clock = performance;
    if (clock !== this.clock || setTimeout !== this.setter) this.exchange();
    return clock.now() + this.offset;
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

  /** Goes on with other clocks from the time that it is on those before. */
  private exchange(): void {
    const now = this.clock.now() + this.offset;
    this.clock = performance;
    this.setter = setTimeout;
    // In whole milliseconds, as fake clocks count, so that a timer of so many is due after so many.
    this.offset = Math.ceil(now) - performance.now();
    this.disarm();
  }
}
