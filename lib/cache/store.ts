import { invalid } from '../validate.js';
import { FAR_MS, isFarAway, roughNow, systemNow, whole } from './clock.js';
import { Front, UNKNOWN } from './front.js';
import { comparable, ForeignKeys } from './keys.js';
import {
  BY_INSERTION,
  createIndex,
  EXPIRES,
  FREED,
  FREED_CAPACITY,
  GRACE,
  LENGTH,
  NEXT_EXPIRY,
  NOTE_CAPACITY,
  NOTES,
  NOW,
  REPLACED,
  type SharedIndex,
  SLOT,
  STALE,
  TOTAL_WEIGHT,
  WEIGHT,
} from './native.js';
import type { EvictionReason, Settings } from './options.js';

// Places of the counters. The first five are the native reasons, by number.
export const BY_SIZE = 0;
export const BY_WEIGHT = 1;
export const EXPIRED = 2;
export const DELETED = 3;
export const BY_PRESSURE = 4;
const REASONS: readonly EvictionReason[] = ['size', 'weight', 'expired', 'deleted', 'pressure'];
export const HITS = 5;
export const MISSES = 6;
export const INSERTIONS = 7;
export const REPLACEMENTS = 8;
export const REJECTIONS = 9;
export const STALE_HITS = 10;
const COUNTERS = 11;
const NO_ERRORS: readonly unknown[] = [];

/** What `use` returns for a key that is not there; one that expired is DEAD less its slot. */
export const ABSENT = -1;
export const DEAD = -2;

/**
 * The entries of a cache: the native index with its keys, recency and expiry on one side, the values by slot
 * on this. Whatever the index frees is let go of here before anything else happens.
 */
export class Store<K, V> {
  readonly #shared: SharedIndex;
  readonly #find: (key: string) => void;
  readonly #insert: (key: string) => void;
  readonly #doubles: Float64Array;
  readonly #integers: Int32Array;
  readonly #notes: Int32Array;
  readonly #front: Front;
  readonly #foreign = new ForeignKeys();
  readonly counters = new Float64Array(COUNTERS);
  /** Whether the shared clock may stand in for a reading: not with a clock of the user's own. */
  readonly #ownClock: boolean;
  #values: (V | undefined)[] = [];
  /** Milliseconds each entry was given, by slot; kept only where a hit renews them. */
  #lifetimes: number[] = [];
  #gone: [K, V, EvictionReason][] = [];
  /** Calls under way that announce at their end what they removed. */
  #held = 0;
  /** The text that was missed last; if the index had to be asked, it remembers that text too. */
  #missed: string | undefined;
  /** The place of that key in the front, where the front knew that it is absent. */
  #missedPlace = UNKNOWN;

  constructor(readonly settings: Settings<K, V>) {
    const { maxSize, maxWeight, policy, onEvict, clock, updateAgeOnGet } = settings;
    this.#shared = createIndex(maxSize, maxWeight, policy === 's3-fifo', onEvict !== undefined);
    this.#find = this.#shared.index.find;
    this.#insert = this.#shared.index.insert;
    this.#doubles = this.#shared.doubles;
    this.#integers = this.#shared.integers;
    this.#notes = this.#shared.notes;
    this.#front = new Front(this.#shared);
    this.#ownClock = clock !== undefined;
    // A hit that renews its entry has to reach the index.
    if (updateAgeOnGet) this.#front.countdown = Number.POSITIVE_INFINITY;
  }

  /** The entries that are live. */
  get live(): number {
    this.sweep();
    return this.#integers[LENGTH]! - this.#integers[STALE]!;
  }

  get weight(): number {
    return this.#doubles[TOTAL_WEIGHT]!;
  }

  /** The expiry of the key that `use` or `locate` found last. */
  get expires(): number {
    return this.#doubles[EXPIRES]!;
  }

  expiresAt(slot: number): number {
    return this.#shared.index.expiresAt(slot);
  }

  /** Milliseconds that a hit gives the entry at `slot`; undefined where hits renew nothing. */
  lifetimeAt(slot: number): number | undefined {
    return this.#lifetimes[slot];
  }

  /** Until when an expired entry may still be served while it is loaded anew. */
  staleUntil(slot: number): number {
    return this.expiresAt(slot) + this.#shared.index.graceAt(slot);
  }

  valueAt(slot: number): V {
    return this.#values[slot] as V;
  }

  get(key: K): V | undefined {
    const front = this.#front;
    if (--front.countdown < 0) return this.#try(key);
    if (front.on && typeof key === 'string') {
      const place = front.places.get(key);
      if (place !== undefined) {
        const slot = front.slots[place]!;
        if (slot < 0) {
          this.counters[MISSES]!++;
          this.#missed = key;
          this.#missedPlace = place;
          return undefined;
        }
        if (this.isLive(front.expires[place]!)) {
          front.found[place] = 1;
          this.#touch(slot);
          this.counters[HITS]!++;
          return this.#values[slot];
        }
      }
    }
    const slot = this.use(key);
    if (slot >= 0) return this.#values[slot];
    if (slot !== ABSENT) return this.#takeStale(DEAD - slot);
    if (front.on && typeof key === 'string') this.#missed = key;
    return undefined;
  }

  /** One lookup of the front's trial. */
  #try(key: K): V | undefined {
    const front = this.#front;
    front.begin();
    try {
      return this.get(key);
    } finally {
      front.end();
    }
  }

  /** Removes the entry at `slot`, live or dead, in its grace or not. */
  remove(slot: number): void {
    this.#doubles[NOW] = this.now();
    this.#shared.index.remove(slot);
    this.#settle();
    this.announce();
  }

  /** Removes everything, and leaves what `onEvict` has to hear for `announce`. */
  clear(): void {
    if (this.settings.onEvict !== undefined) {
      // At the beginning of time everything is live.
      for (const slot of this.slots(BY_INSERTION, Number.NEGATIVE_INFINITY)) {
        this.#gone.push([...this.pair(slot), 'cleared']);
      }
    }
    this.#shared.index.clear();
    this.#front.clear();
    this.#foreign.clear();
    this.#values = [];
    this.#lifetimes = [];
    this.#missed = undefined;
  }

  now(): number {
    const { clock } = this.settings;
    return clock === undefined ? systemNow() : whole('clock', clock());
  }

  /** Whether an entry is live, reading the clock only where that can make a difference. */
  isLive(expires: number): boolean {
    if (!this.#ownClock && isFarAway(expires)) return true;
    return expires === Number.POSITIVE_INFINITY || this.now() <= expires;
  }

  /** The slot of a live key, counted as a hit and as a use; else a miss: ABSENT, or DEAD less the slot. */
  use(key: K): number {
    const text = typeof key === 'string';
    if (text) this.#find(key);
    const slot = text ? this.#integers[SLOT]! : this.#foreign.find(comparable(key));
    if (slot < 0) {
      this.counters[MISSES]!++;
      // With a front, only get() knows whether the key has a place there.
      this.#missed = text && this.#front.places.size === 0 ? key : undefined;
      this.#missedPlace = UNKNOWN;
      return ABSENT;
    }
    if (!text) {
      this.#touch(slot);
      this.#doubles[EXPIRES] = this.#foreign.expires[slot]!;
    }
    const expires = this.#doubles[EXPIRES]!;
    if (!this.isLive(expires)) {
      this.counters[MISSES]!++;
      return DEAD - slot;
    }
    this.counters[HITS]!++;
    if (this.settings.updateAgeOnGet) this.#renew(slot);
    else if (text && this.#front.on) {
      const place = this.#front.admit(key);
      if (place >= 0) this.#point(place, slot, expires);
    }
    return slot;
  }

  /** The slot of a key, live or not, or -1; its expiry is in `EXPIRES`. No use of the entry. */
  locate(key: K): number {
    if (typeof key === 'string') {
      this.#shared.index.locate(key);
      return this.#integers[SLOT]!;
    }
    const slot = this.#foreign.find(comparable(key));
    if (slot >= 0) this.#doubles[EXPIRES] = this.#foreign.expires[slot]!;
    return slot;
  }

  /** Notes a use, to be applied before anything depends on it. */
  #touch(slot: number): void {
    const noted = this.#integers[NOTES]!;
    this.#notes[noted] = slot;
    this.#integers[NOTES] = noted + 1;
    if (noted + 1 === NOTE_CAPACITY) this.#shared.index.flush();
  }

  /** Points a place of the front to `slot`, and notes that, as it notes a use. */
  #point(place: number, slot: number, expires: number): void {
    this.#front.slots[place] = slot;
    this.#front.expires[place] = expires;
    if (this.#integers[NOTES]! + 2 > NOTE_CAPACITY) this.#shared.index.flush();
    const noted = this.#integers[NOTES]!;
    this.#notes[noted] = slot;
    this.#notes[noted + 1] = ~place;
    this.#integers[NOTES] = noted + 2;
  }

  #renew(slot: number): void {
    const expires = this.now() + this.#lifetimes[slot]!;
    this.#doubles[EXPIRES] = expires;
    this.#shared.index.renew(slot);
    this.#foreign.expires[slot] = expires;
  }

  #takeStale(slot: number): V | undefined {
    if (!this.settings.allowStale) {
      this.expire(slot);
      return undefined;
    }
    const value = this.#values[slot];
    this.counters[STALE_HITS]!++;
    this.remove(slot);
    return value;
  }

  store(key: K, value: V, lives: number, grace: number): void {
    const { ttlJitter } = this.settings;
    let cut = lives;
    if (ttlJitter > 0 && lives < Number.POSITIVE_INFINITY) {
      cut = Math.min(lives, Math.max(1, Math.floor(lives * (1 - ttlJitter * Math.random()))));
    }
    const now = cut > FAR_MS && !this.#ownClock ? roughNow() : this.now();
    this.put(key, value, now, now + cut, grace);
  }

  weigh(key: K, value: V): number {
    const { weigh } = this.settings;
    return weigh === undefined ? 1 : checkWeight(weigh(value, key));
  }

  put(
    key: K,
    value: V,
    now: number,
    expires: number,
    grace: number,
    weight = this.weigh(key, value),
    lives = expires - now,
  ): void {
    const { updateAgeOnGet, pressure } = this.settings;
    // Once, and before anything is written: a toJSON may use the cache, or answer otherwise the next time.
    const own = typeof key === 'string' ? key : comparable(key);
    const doubles = this.#doubles;
    doubles[NOW] = now;
    doubles[EXPIRES] = expires;
    doubles[GRACE] = grace;
    doubles[WEIGHT] = weight;
    const slot = typeof key === 'string' ? this.#putText(key, expires) : this.#putForeign(own, now);
    const replaced = this.#integers[REPLACED] === 1;
    if (this.#integers[FREED] !== 0) this.#settle();
    if (slot < 0) {
      this.counters[REJECTIONS]!++;
    } else {
      if (replaced) this.#replace(key, slot, value);
      else this.counters[INSERTIONS]!++;
      if (typeof key !== 'string') {
        if (replaced) this.#foreign.expires[slot] = expires;
        else this.#foreign.add(key, own, slot, expires);
      }
      this.#values[slot] = value;
      if (updateAgeOnGet) this.#lifetimes[slot] = lives;
    }
    if (pressure !== undefined && !replaced && pressure.inserted()) this.#shrink(pressure.keep);
    if (this.#gone.length > 0) this.announce();
  }

  #putText(key: string, expires: number): number {
    // Compared once only: a comparison of two strings built for the call can cost as much as it saves.
    const missed = this.#missed !== undefined && key === this.#missed;
    this.#missed = undefined;
    const place = missed ? this.#missedPlace : this.#front.placeOf(key);
    if (missed && place === UNKNOWN) this.#shared.index.insertMissed();
    else this.#insert(key);
    const slot = this.#integers[SLOT]!;
    // Another key may have got the place since.
    if (missed && place !== UNKNOWN && !this.#front.holds(place, key)) return slot;
    // A key in the front whose entry is gone counts as absent there, so that its return must show.
    if (place !== UNKNOWN && slot >= 0) this.#point(place, slot, expires);
    return slot;
  }

  /** The slot for a key that is not text; the index knows only slots of those. */
  #putForeign(own: unknown, now: number): number {
    const { index } = this.#shared;
    const old = this.#foreign.find(own);
    if (old >= 0 && now <= this.#foreign.expires[old]!) {
      index.update(old);
      return this.#integers[SLOT]!;
    }
    if (old >= 0) {
      index.remove(old);
      this.#settle();
    }
    index.insertForeign();
    return this.#integers[SLOT]!;
  }

  #replace(key: K, slot: number, value: V): void {
    this.counters[REPLACEMENTS]!++;
    const old = this.#values[slot] as V;
    if (this.settings.onEvict !== undefined && old !== value) this.#gone.push([key, old, 'replaced']);
  }

  expire(slot: number): void {
    this.#doubles[NOW] = this.now();
    this.#shared.index.expire(slot);
    this.#settle();
    this.announce();
  }

  sweep(): number {
    if (this.#doubles[NEXT_EXPIRY] === Number.POSITIVE_INFINITY) return 0;
    const now = this.now();
    // What is in its grace may be live again, if the clock stepped back.
    if (now < this.#doubles[NEXT_EXPIRY]! && this.#integers[STALE] === 0) return 0;
    this.#doubles[NOW] = now;
    const swept = this.#shared.index.sweep(0xffffffff);
    this.#settle();
    this.announce();
    return swept;
  }

  #shrink(keep: number): void {
    this.#doubles[NOW] = this.now();
    this.#shared.index.shrink(Math.floor(this.#integers[LENGTH]! * keep));
    this.#settle();
  }

  /** Lets go of what the last change of the index freed, and remembers it for `onEvict`. */
  #settle(): void {
    const { index, freed } = this.#shared;
    const { onEvict } = this.settings;
    let count = this.#integers[FREED]!;
    while (count > 0) {
      for (let at = 0; at < count; at++) {
        const slot = freed[2 * at]!;
        const reason = freed[2 * at + 1]!;
        this.counters[reason]!++;
        if (onEvict !== undefined) {
          const key = (index.freedKey(at) ?? this.#foreign.at(slot)) as K;
          this.#gone.push([key, this.#values[slot] as V, REASONS[reason]!]);
        }
        if (this.#foreign.size > 0) this.#foreign.drop(slot);
        this.#values[slot] = undefined;
      }
      if (count === FREED_CAPACITY) index.nextFreed();
      else this.#integers[FREED] = 0;
      count = this.#integers[FREED]!;
    }
  }

  /** Runs `body` as one call: `onEvict` hears at its end what it removed. */
  batch<R>(body: () => R): R {
    let result: R;
    this.#held++;
    try {
      result = body();
    } catch (error) {
      this.#held--;
      this.#announceApart();
      throw error;
    }
    this.#held--;
    this.announce();
    return result;
  }

  /** As `batch`, for a caller that errors of `onEvict` must not reach: they become uncaught exceptions. */
  apart<R>(body: () => R): R {
    this.#held++;
    try {
      return body();
    } finally {
      this.#held--;
      this.#announceApart();
    }
  }

  #announceApart(): void {
    for (const error of this.#tell()) {
      process.nextTick(() => {
        throw error;
      });
    }
  }

  /** Tells `onEvict` what is gone. The cache is whole by now, so that the callback may do as it likes. */
  announce(): void {
    const errors = this.#tell();
    if (errors.length > 1) throw new AggregateError(errors, `onEvict threw ${errors.length} times`);
    if (errors.length === 1) throw errors[0];
  }

  #tell(): readonly unknown[] {
    const { onEvict } = this.settings;
    if (onEvict === undefined || this.#held > 0 || this.#gone.length === 0) return NO_ERRORS;
    const gone = this.#gone;
    this.#gone = [];
    const errors: unknown[] = [];
    for (const [key, value, reason] of gone) {
      try {
        onEvict(key, value, reason);
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }

  /** The slots of the entries that are live at `now`. */
  slots(order: number, now = this.now()): Int32Array {
    this.#doubles[NOW] = now;
    const out = new Int32Array(this.#integers[LENGTH]!);
    return out.subarray(0, this.#shared.index.slots(order, out));
  }

  keyAt(slot: number): K {
    return (this.#shared.index.keyAt(slot) ?? this.#foreign.at(slot)) as K;
  }

  pair(slot: number): [K, V] {
    return [this.keyAt(slot), this.#values[slot] as V];
  }
}

function checkWeight(weight: unknown): number {
  if (typeof weight === 'number' && weight >= 0 && weight < Number.POSITIVE_INFINITY) return weight;
  return invalid('weigh', 'a function that returns a finite number from 0', weight);
}
