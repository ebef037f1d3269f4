import { type CacheIndex, FRONT_CAPACITY, type SharedIndex } from './native.js';

/** Calls between trials while the faster way is known, at first and at most. */
const FIRST_TRIAL = 1 << 13;
const LONGEST_PAUSE = 1 << 20;
/** Untimed calls that fill the front before a trial, and timed ones of each kind. */
const WARM_UP = 4096;
const SAMPLES = 512;
/** A sample longer than this was interrupted, by a collection or by the system. */
const OUTLIER_NS = 5_000;
/** One in so many hits of the index enters the front: often enough for hot keys, and cheap for the others. */
const ADMIT_EVERY = 4;
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
  #used = 0;
  #untilAdmission = ADMIT_EVERY;
  #pause = FIRST_TRIAL;
  /** Whether lookups go through the front. */
  on = false;
  /** Lookups left before the next step of a trial. */
  countdown = FIRST_TRIAL;
  #samples = 0;
  #with = 0;
  #without = 0;

  constructor({ index, frontSlots, frontExpires }: SharedIndex) {
    this.#index = index;
    this.slots = frontSlots;
    this.expires = frontExpires;
  }

  /** Considers a key that the index found. */
  offer(key: string, slot: number, expires: number): void {
    if (--this.#untilAdmission > 0 || key.length > LONGEST_KEY) return;
    this.#untilAdmission = ADMIT_EVERY;
    let place = this.places.get(key);
    if (place === undefined) {
      if (this.#used === FRONT_CAPACITY) this.clear();
      place = this.#used++;
      this.places.set(key, place);
    }
    this.slots[place] = slot;
    this.expires[place] = expires;
    this.#index.mark(slot, place + 1);
  }

  clear(): void {
    this.places.clear();
    this.slots.fill(DROPPED, 0, this.#used);
    this.#used = 0;
  }

  /** Runs one lookup as the trial wants it, and goes on with the trial. */
  trial<T>(lookup: () => T): T {
    if (this.#samples < WARM_UP) {
      this.#samples++;
      this.on = true;
      return lookup();
    }
    const withFront = this.#samples % 2 === 0;
    this.on = withFront;
    this.#index.lap();
    const result = lookup();
    const took = this.#index.lap();
    if (took < OUTLIER_NS) {
      if (withFront) this.#with += took;
      else this.#without += took;
      this.#samples++;
    }
    if (this.#samples >= WARM_UP + 2 * SAMPLES) this.#decide();
    return result;
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
