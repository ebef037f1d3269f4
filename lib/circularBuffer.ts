import { InvalidArgumentError } from './errors.js';
import { integer, invalid, oneOf, options as optionsOf } from './validate.js';
import { meanOf, WindowStatistics, type WindowSummary } from './windowStatistics.js';

/** The most elements that a JavaScript array can have. */
const MAX_CAPACITY = 2 ** 32 - 1;
/** Slots that `'array'` storage begins with, if the capacity allows. */
const FIRST_SLOTS = 16;

/** Options of {@link CircularBuffer}. */
export interface CircularBufferOptions<T = unknown> {
  /**
   * How elements are kept. `'array'` holds values of any kind. `'float64'` holds numbers alone, 8 bytes each and
   * outside the garbage collector's reach, and answers the statistics.
   * @default 'array'
   */
  storage?: [T] extends [number] ? 'array' | 'float64' : 'array';
}

/**
 * A first-in, first-out buffer of a fixed number of elements: when it is full, a push overwrites the oldest.
 * push, shift, peek and at take constant time. A slot that was shifted, overwritten or cleared keeps no reference
 * to its value. With `'array'` storage the slots double as they are needed, so that memory goes by the most
 * elements held at once since the last {@link clear}, however many go through (a push that doubles them takes
 * longer; the mean stays constant); `'float64'` takes the whole `capacity` at construction.
 *
 * Statistics ({@link min}, {@link max}, {@link mean}, {@link variance}, {@link stddev}, {@link percentile}) need
 * `{ storage: 'float64' }`, otherwise they throw `ERR_KEELSON_INVALID_ARGUMENT`. They describe the elements that
 * are in the buffer now and are undefined while it is empty. A push costs nothing for them: all but percentile
 * take in, when asked, what was pushed since the last time, each sample at most twice, and keep 40 more bytes an
 * element from the first time on. They are a two-stack queue of summaries (Tangwongsan, Hirzel and Schneider,
 * DEBS 2017) with Neumaier's compensated sum, Welford's update and Chan, Golub and LeVeque's combination. Nothing
 * is subtracted, so the error depends on what is in the buffer and never on how much went through it.
 * While a NaN is in the buffer every statistic is NaN, as with Math.max, and is right again once it has left.
 */
export class CircularBuffer<T> {
  /** The most elements that the buffer holds. */
  readonly capacity: number;
  /** By slot; the same object as `#samples` where there is one, which indexes alike. */
  #items: T[];
  readonly #samples: Float64Array | undefined;
  #statistics: WindowStatistics | undefined;
  /** Slots in use or free, at most `capacity`: the ring's present length. */
  #slots: number;
  /** Slot of the oldest element. */
  #head = 0;
  #length = 0;
  /** Pushes since construction: an element's number, which iteration and statistics go by, is never used again. */
  #pushed = 0;
  #overwritten = 0;

  /**
   * @param capacity a whole number from 1 to 4,294,967,295 (the longest array)
   * @throws {InvalidArgumentError} `ERR_KEELSON_INVALID_ARGUMENT` for any other capacity, one whose `'float64'`
   * storage the machine cannot provide, an unknown storage or an unknown option
   */
  constructor(capacity: number, options: CircularBufferOptions<T> = {}) {
    this.capacity = integer('capacity', capacity, 1, MAX_CAPACITY);
    const { storage = 'array' } = optionsOf<CircularBufferOptions<T>>('options', options, ['storage']);
    if (oneOf<string>('options.storage', storage, ['array', 'float64']) === 'float64') {
      this.#samples = allocate(capacity);
    }
    this.#items = (this.#samples ?? []) as T[];
    this.#slots = this.#samples ? capacity : Math.min(capacity, FIRST_SLOTS);
  }

  /** How many elements were overwritten before anybody shifted them, since construction or the last clear(). */
  get overwritten(): number {
    return this.#overwritten;
  }

  /**
   * Adds an element as the newest; when the buffer is full, the oldest makes room.
   * @throws {InvalidArgumentError} if the storage is `'float64'` and the element is not a number
   */
  push(item: T): void {
    if (this.#length === this.#slots && this.#slots < this.capacity) this.#grow();
    const slot = this.#slot(this.#length);
    // Two stores, since one that serves both kinds of array costs ten times as much.
    if (this.#samples === undefined) this.#items[slot] = item;
    else if (typeof item === 'number') this.#samples[slot] = item;
    else invalid('item', 'a number', item);
    this.#pushed++;
    if (this.#length < this.capacity) {
      this.#length++;
    } else {
      this.#overwritten++;
      this.#head = this.#slot(1);
    }
  }

  /** Removes and returns the oldest element; undefined if there is none. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#items[this.#head]!;
    if (this.#samples === undefined) this.#items[this.#head] = undefined as T;
    this.#length--;
    // An empty buffer begins anew, in slots that the processor has at hand.
    this.#head = this.#length === 0 ? 0 : this.#slot(1);
    return item;
  }

  /** The oldest element, which stays; undefined if there is none. */
  peek(): T | undefined {
    return this.at(0);
  }

  /**
   * The element at an index, 0 being the oldest and -1 the newest; undefined outside of the buffer. The index is
   * converted as `Array.prototype.at` converts it.
   */
  at(index: number): T | undefined {
    const whole = Math.trunc(index) || 0;
    const offset = whole < 0 ? whole + this.#length : whole;
    return offset >= 0 && offset < this.#length ? this.#items[this.#slot(offset)] : undefined;
  }

  /** A new array of the elements, oldest first. */
  getAll(): T[] {
    const all: T[] = [];
    for (let offset = 0; offset < this.#length; offset++) all.push(this.#items[this.#slot(offset)]!);
    return all;
  }

  /** The same as {@link getAll}. */
  toArray(): T[] {
    return this.getAll();
  }

  /** How many elements the buffer holds now, 0 to `capacity`. */
  getLength(): number {
    return this.#length;
  }

  /** Whether the next push overwrites. */
  isFull(): boolean {
    return this.#length === this.capacity;
  }

  /** Removes every element and sets {@link overwritten} to 0. */
  clear(): void {
    if (this.#samples === undefined) {
      this.#items.length = 0;
      this.#slots = Math.min(this.capacity, FIRST_SLOTS);
    }
    this.#head = 0;
    this.#length = 0;
    this.#overwritten = 0;
  }

  /**
   * Oldest first. The buffer may change meanwhile: the iteration covers what was in it at the first step, skips
   * what has been shifted, overwritten or cleared before its turn, and does not visit what is pushed after that
   * step, so that it always ends.
   */
  *[Symbol.iterator](): Generator<T, undefined, undefined> {
    const end = this.#pushed;
    let next = end - this.#length;
    for (;;) {
      const oldest = this.#pushed - this.#length;
      next = Math.max(next, oldest);
      if (next >= end) return;
      yield this.#items[this.#slot(next - oldest)]!;
      next++;
    }
  }

  /** The smallest element; undefined if there is none. */
  min(this: CircularBuffer<number>): number | undefined {
    return this.#summary()?.min;
  }

  /** The largest element; undefined if there is none. */
  max(this: CircularBuffer<number>): number | undefined {
    return this.#summary()?.max;
  }

  /** The arithmetic mean; undefined if there is no element. Infinite if the plain sum overflows. */
  mean(this: CircularBuffer<number>): number | undefined {
    const summary = this.#summary();
    return summary && meanOf(summary);
  }

  /**
   * The population variance (divided by the number of elements, not by one less), 0 for a single element;
   * undefined if there is none, NaN where the sum is not finite.
   */
  variance(this: CircularBuffer<number>): number | undefined {
    const summary = this.#summary();
    return summary && (Number.isFinite(summary.sum) ? summary.squares / summary.count : Number.NaN);
  }

  /** The population standard deviation, the square root of {@link variance}. */
  stddev(this: CircularBuffer<number>): number | undefined {
    const variance = this.variance();
    return variance === undefined ? undefined : Math.sqrt(variance);
  }

  /**
   * The nearest-rank percentile: the smallest element that at least `p` percent of the elements do not exceed; always
   * an element that was pushed. 0 gives the smallest, 100 the largest, and an empty buffer undefined. It looks at
   * each element a few times, not sorting them; what it has found of their order is kept until the buffer changes.
   * @param p 0 to 100, fractions allowed (99.9)
   * @throws {InvalidArgumentError} `ERR_KEELSON_INVALID_ARGUMENT` for any other `p`
   */
  percentile(this: CircularBuffer<number>, p: number): number | undefined {
    if (!(typeof p === 'number' && p >= 0 && p <= 100)) invalid('p', 'a number from 0 to 100', p);
    const statistics = this.#needStatistics();
    const count = this.#length;
    if (count === 0) return undefined;
    // 99.9 % of 1,000 may come out as 999.0000000000001, and must not become rank 1,000.
    const rank = Math.ceil(((p * count) / 100) * (1 - 4 * Number.EPSILON));
    const order = statistics.order(this.#head, this.#pushed - count, this.#pushed);
    return order.at(Math.max(rank, 1) - 1);
  }

  #slot(offset: number): number {
    const slot = this.#head + offset;
    return slot < this.#slots ? slot : slot - this.#slots;
  }

  /** Doubles the slots of a ring without a free one, and lays it out from its oldest element on. */
  #grow(): void {
    const items = this.#items;
    if (this.#head > 0) this.#items = items.slice(this.#head).concat(items.slice(0, this.#head));
    this.#head = 0;
    this.#slots = Math.min(this.capacity, this.#slots * 2);
  }

  #needStatistics(): WindowStatistics {
    if (this.#samples === undefined) {
      throw new InvalidArgumentError(
        "Statistics need a buffer made with { storage: 'float64' }, but this one has storage 'array'",
      );
    }
    this.#statistics ??= new WindowStatistics(this.#samples);
    return this.#statistics;
  }

  #summary(): WindowSummary | undefined {
    const statistics = this.#needStatistics();
    if (this.#length === 0) return undefined;
    return statistics.summary(this.#head, this.#pushed - this.#length, this.#pushed);
  }
}

function allocate(capacity: number): Float64Array {
  try {
    return new Float64Array(capacity);
  } catch {
    return invalid('capacity', 'small enough for its 8 bytes an element to be allocated', capacity);
  }
}
