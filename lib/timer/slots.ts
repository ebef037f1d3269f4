import type { Entry } from './task.js';

const FIRST_SLOTS = 64;

/**
 * The pending timers as a table: one slot each, which later timers use again. A generation tells the timers of
 * one slot apart, so that a handle needs no way back from its slot and may be dropped.
 */
export class Slots {
  entries: (Entry | undefined)[] = new Array(FIRST_SLOTS).fill(undefined);
  generations = new Int32Array(FIRST_SLOTS);
  /** Milliseconds asked for. */
  delays = new Float64Array(FIRST_SLOTS);
  /** 1 where the timer keeps the process alive. */
  refs = new Uint8Array(FIRST_SLOTS);
  /** Where a live slot's timer is; of a free slot, which one is free next. */
  place = new Int32Array(FIRST_SLOTS);
  /** Slots in use. */
  live = 0;
  #free = FIRST_SLOTS;

  constructor() {
    this.#chain(0);
  }

  /** Takes a slot; the table must not be full. */
  allocate(entry: Entry, delay: number, ref: 0 | 1): number {
    const slot = this.#free;
    this.#free = this.place[slot]!;
    this.entries[slot] = entry;
    this.delays[slot] = delay;
    this.refs[slot] = ref;
    this.live++;
    return slot;
  }

  release(slot: number): void {
    this.entries[slot] = undefined;
    this.generations[slot] = (this.generations[slot]! + 1) | 0;
    this.place[slot] = this.#free;
    this.#free = slot;
    this.live--;
  }

  get isFull(): boolean {
    return this.#free === this.place.length;
  }

  /** Doubles the table. */
  grow(): void {
    const capacity = this.place.length;
    this.entries = this.entries.concat(new Array(capacity).fill(undefined));
    this.generations = enlarge(this.generations, Int32Array);
    this.delays = enlarge(this.delays, Float64Array);
    this.refs = enlarge(this.refs, Uint8Array);
    this.place = enlarge(this.place, Int32Array);
    this.#chain(capacity);
  }

  /** Links the free slots from `first` to the end, which stands for none. */
  #chain(first: number): void {
    for (let slot = first; slot < this.place.length; slot++) this.place[slot] = slot + 1;
    this.#free = first;
  }
}

type Numbers = Int32Array | Float64Array | Uint8Array;

function enlarge<T extends Numbers>(from: T, type: new (length: number) => T): T {
  const to = new type(from.length * 2);
  to.set(from);
  return to;
}
