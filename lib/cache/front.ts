import { type CacheIndex, FRONT_CAPACITY, type SharedIndex } from './native.js';

/** Calls between trials while the faster way is known, at first and at most. */
const FIRST_PAUSE = 1 << 12;
const LONGEST_PAUSE = 1 << 20;
/** Untimed calls that fill the front before a trial, and timed ones of each kind. */
const WARM_UP = 1 << 14;
const SAMPLES = 512;
/** A sample longer than this was interrupted, by a collection or by the system. */
const OUTLIER_NS = 5_000;
/** Once the front is full, one in so many hits of the index takes another's place. */
const ADMIT_EVERY = 16;
/** Longer keys are not worth holding on to. */
const LONGEST_KEY = 128;
const DROPPED = -1;

/**
 * A small Map of the hottest keys before the native index.
 *
 * A string that is used again carries its hash, so that a Map finds it in a third of the time that a native
 * call takes; a string built for the call has none, and the Map loses. Which holds depends on the caller, so
 * the front is tried out now and then: a few hundred lookups are timed with it and without it, and the faster
 * way is kept. Both give the same answers: a hit here only notes the slot, and the noted uses are applied in
 * order before the index does anything that depends on them.
 *
 * Each key has a place in two arrays that the native side shares; it drops the slot there when the entry
 * goes, and corrects the expiry when that changes.
 */
export class Front {
  readonly #index: CacheIndex;
  readonly slots: Int32Array;
  readonly expires: Float64Array;
  readonly places = new Map<string, number>();
  /** By place, whether its key was found since the hand last came by. */
  readonly found = new Uint8Array(FRONT_CAPACITY);
  readonly #keys: string[] = [];
  #hand = 0;
  #untilAdmission = ADMIT_EVERY;
  #pause = FIRST_PAUSE;
  /** Whether lookups go through the front. */
  on = false;
  /** Lookups left before the next trial. */
  countdown = FIRST_PAUSE;
  #samples = 0;
  #with = 0;
  #without = 0;

  constructor({ index, frontSlots, frontExpires }: SharedIndex) {
    this.#index = index;
    this.slots = frontSlots;
    this.expires = frontExpires;
  }

  /** Considers a key that the index found; returns the place that it got, or -1. */
  offer(key: string, slot: number, expires: number): number {
    const known = this.places.get(key);
    if (known === undefined && this.#keys.length === FRONT_CAPACITY && --this.#untilAdmission > 0) return -1;
    if (key.length > LONGEST_KEY) return -1;
    this.#untilAdmission = ADMIT_EVERY;
    const place = known ?? this.#claim(key);
    this.slots[place] = slot;
    this.expires[place] = expires;
    return place;
  }

  /** A place for a new key: a blank one, or that of a key not found for a while, by the clock algorithm. */
  #claim(key: string): number {
    let place = this.#keys.length;
    if (place === FRONT_CAPACITY) {
      while (this.found[this.#hand] === 1 && this.slots[this.#hand] !== DROPPED) {
        this.found[this.#hand] = 0;
        this.#hand = (this.#hand + 1) % FRONT_CAPACITY;
      }
      place = this.#hand;
      this.#hand = (this.#hand + 1) % FRONT_CAPACITY;
      this.places.delete(this.#keys[place]!);
    }
    this.#keys[place] = key;
    this.found[place] = 0;
    this.places.set(key, place);
    return place;
  }

  clear(): void {
    this.places.clear();
    this.slots.fill(DROPPED, 0, this.#keys.length);
    this.#keys.length = 0;
    this.#hand = 0;
  }

  /** Before a lookup of a trial: sets how it goes, and the clock. */
  begin(): void {
    // The lookup must not begin a trial within the trial.
    this.countdown = 1;
    this.on = this.#samples < WARM_UP || this.#samples % 2 === 0;
    this.#index.lap();
  }

  /** After that lookup: takes the time, and decides once there are enough samples. */
  end(): void {
    const took = this.#index.lap();
    this.countdown = 0;
    if (this.#samples >= WARM_UP) {
      if (took >= OUTLIER_NS) return;
      if (this.on) this.#with += took;
      else this.#without += took;
    }
    this.#samples++;
    if (this.#samples >= WARM_UP + 2 * SAMPLES) this.#decide();
  }

  #decide(): void {
    this.on = this.#with < this.#without;
    if (!this.on) this.clear();
    this.#samples = 0;
    this.#with = 0;
    this.#without = 0;
    this.#pause = Math.min(this.#pause * 4, LONGEST_PAUSE);
    this.countdown = this.#pause;
  }
}
