import type { AsyncResource } from 'node:async_hooks';
import { framed } from './context.js';

const FIRST_LENGTH = 128;
/** Operations at most. The longer the list, the more timers are cancelled before the wheel ever hears of them. */
const MAX_LENGTH = 16_384;

/** Deadlines that are not times, as in src/timer.rs. */
const CANCEL = -1;
const PASS_OVER = -2;

/** What the wheel is to be told: a list that native code reads in place. */
export class Operations {
  slots = new Int32Array(FIRST_LENGTH);
  deadlines = new Float64Array(FIRST_LENGTH);
  /** Without frames: contexts of which nobody has looked yet whether they hold a store. */
  readonly contexts: (AsyncResource | undefined)[] = [];
  count = 0;
  /** The first operation that was stamped with a shared reading and may have to be postponed. */
  private unsettled = 0;

  get isFull(): boolean {
    return this.count === this.slots.length;
  }

  schedule(slot: number, deadline: number): number {
    const index = this.count++;
    this.slots[index] = slot;
    this.deadlines[index] = deadline;
    return index;
  }

  cancel(slot: number): void {
    this.schedule(slot, CANCEL);
  }

  /** Takes back an operation that has not been carried out. */
  withdraw(index: number): void {
    this.deadlines[index] = PASS_OVER;
    if (!framed) this.contexts[index] = undefined;
  }

  /** Leaves operations so far to what they are stamped with: the clock has been read, or they are exact. */
  settle(): void {
    this.unsettled = this.count;
  }

  /** Postpones what was stamped with a reading that proved `by` ms old at most. */
  postpone(by: number): void {
    for (let index = this.unsettled; index < this.count; index++) {
      if (this.deadlines[index]! >= 0) this.deadlines[index]! += by;
    }
    this.settle();
  }

  /** Empties the list, and doubles it if it was full. Returns whether it has new arrays. */
  reset(): boolean {
    const full = this.isFull;
    this.count = 0;
    this.unsettled = 0;
    if (!full || this.slots.length >= MAX_LENGTH) return false;
    this.slots = new Int32Array(this.slots.length * 2);
    this.deadlines = new Float64Array(this.deadlines.length * 2);
    return true;
  }
}
