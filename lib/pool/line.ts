import { type NativeConnectionPool, STATE } from './native.js';
import type { Settings } from './options.js';
import type { Waiter } from './waiter.js';

/** Places of those served that are kept before the rest moves up. */
const SLACK = 1024;

/**
 * Acquires without options that wait while every connection is lent, and of which the native core has not heard. What
 * comes back goes to the first of them, and the core, for which it stays lent, is not asked.
 *
 * The invariant: while anybody is in line, all `max` connections are lent, nobody waits in the core, and the core would
 * lend to who comes next. It holds because
 * - one is let in only where that is so: `state[leave]` is below 0 where somebody waits in the core, where it is paused,
 *   draining or closed, and where loans are counted or timed;
 * - before any other function of the core is called, all in line are reported to it, in their order and with their
 *   deadlines, and wait there from then on;
 * - all have the same timeout, so the first to come is the first to give up.
 */
export class Line<T> {
  /** How many are in line. */
  count = 0;
  private waiters: (Waiter<T> | undefined)[] = [];
  private sinces: number[] = [];
  private head = 0;
  private readonly state: Float64Array;
  private readonly timeout: number;
  /** The connections of which all are lent; NaN, which nothing equals, where nobody is let in. */
  private readonly max: number;

  constructor({ max, maxQueue, acquireTimeout }: Settings, state: Float64Array) {
    this.state = state;
    this.timeout = acquireTimeout;
    this.max = maxQueue === Number.POSITIVE_INFINITY && acquireTimeout > 0 ? max : Number.NaN;
  }

  /** Whether who comes now may join. */
  get open(): boolean {
    const { state } = this;
    return state[STATE.lent] === this.max && state[STATE.leave]! >= 0;
  }

  /** Since when the first one waits. */
  get since(): number {
    return this.sinces[this.head]!;
  }

  join(waiter: Waiter<T>, now: number): void {
    this.waiters.push(waiter);
    this.sinces.push(now);
    this.count++;
    this.tell();
  }

  /** Takes the first one out. */
  next(): Waiter<T> {
    const waiter = this.waiters[this.head]!;
    this.waiters[this.head++] = undefined;
    this.count--;
    this.state[STATE.waiting]!--;
    if (this.head > SLACK && this.head > this.count) this.moveUp();
    return waiter;
  }

  /** Takes those out whose time is up. */
  late(now: number): { waiter: Waiter<T>; since: number }[] {
    const late = [];
    while (this.count > 0 && this.since + this.timeout <= now) {
      const { since } = this;
      late.push({ waiter: this.next(), since });
    }
    return late;
  }

  /** Writes into the core's state what the core does not know. */
  tell(): void {
    const { state } = this;
    if (this.count === 0) return;
    state[STATE.waiting] = this.count;
    state[STATE.due] = Math.min(state[STATE.due]!, this.since + this.timeout);
  }

  private moveUp(): void {
    this.waiters.splice(0, this.head);
    this.sinces.splice(0, this.head);
    this.head = 0;
  }
}

type Calls = Record<string, (...args: number[]) => unknown>;

/** The native core, each of whose functions is called after `report`. */
export function reporting(native: NativeConnectionPool, report: () => void): NativeConnectionPool {
  const calls = Object.entries(native as unknown as Calls).map(([name, call]) => [
    name,
    (...args: number[]) => {
      report();
      return call(...args);
    },
  ]);
  return {
    ...(Object.fromEntries(calls) as NativeConnectionPool),
    // What is called often takes no list of arguments.
    acquire(now, deadline, priority) {
      report();
      return native.acquire(now, deadline, priority);
    },
    release(now, slot) {
      report();
      return native.release(now, slot);
    },
  };
}
