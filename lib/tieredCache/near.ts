import type { BoundedLRUCache } from '../boundedLRUCache.js';
import type { SharedCache, SharedCacheInside } from '../sharedCache.js';
import { ABSENT, Envelope } from './envelope.js';
import type { Ledger } from './ledger.js';
import { TagIndex } from './tagIndex.js';

/** A value with what is known of it. */
export interface Known {
  readonly envelope: Envelope;
  /** {@link ABSENT} where the source has none. */
  readonly value: unknown;
}

/** L1 and L2. L1 has values for as long as they are fresh, and L2 envelopes for as long as they are of use. */
export class Near {
  readonly #l1: BoundedLRUCache<string, unknown>;
  readonly #l2: SharedCache | undefined;
  readonly #inside: SharedCacheInside | undefined;
  readonly #ledger: Ledger;
  readonly #tags: TagIndex;

  constructor(
    l1: BoundedLRUCache<string, unknown>,
    l2: { cache: SharedCache; inside: SharedCacheInside } | undefined,
    ledger: Ledger,
  ) {
    this.#l1 = l1;
    [this.#l2, this.#inside] = [l2?.cache, l2?.inside];
    this.#ledger = ledger;
    this.#tags = new TagIndex((key) => l1.has(key));
  }

  /** What L2 has, fresh or stale, if nothing has changed since. */
  look(key: string): Known | undefined {
    const known = open(this.#l2?.get(key));
    if (known === undefined || known.envelope.life(Date.now()) <= 0) return undefined;
    return this.#ledger.isOverruled(key, known.envelope) ? undefined : known;
  }

  /** Stores what is known in both, or in L1 alone. */
  keep(key: string, { envelope, value }: Known, inL1Alone = false): void {
    const now = Date.now();
    const { tags, freshUntil } = envelope;
    const life = envelope.life(now);
    if (!inL1Alone && life > 0) this.#l2?.set(key, envelope.bytes, { ttl: life, tags });
    if (freshUntil > now) this.hold(key, value, freshUntil - now, tags);
    else this.#l1.delete(key);
  }

  /** Stores a value in L1, for so many milliseconds. */
  hold(key: string, value: unknown, life: number, tags: readonly string[]): void {
    this.#l1.set(key, value, life);
    if (tags.length > 0) this.#tags.add(key, tags);
  }

  /** Lets go of a key; L2 keeps what is newer than a position. */
  drop(key: string, position = Number.POSITIVE_INFINITY): void {
    this.#l1.delete(key);
    const envelope = Envelope.open(this.#inside?.peek(key));
    if (envelope === undefined ? position === Number.POSITIVE_INFINITY : envelope.position < position) {
      this.#l2?.delete(key);
    }
  }

  /** Likewise, of L1 alone. */
  dropFromL1(key: string): void {
    this.#l1.delete(key);
  }

  dropTag(tag: string): void {
    this.dropTagFromL1(tag);
    this.#l2?.invalidateTag(tag);
  }

  dropTagFromL1(tag: string): void {
    for (const key of this.#tags.take(tag)) this.#l1.delete(key);
  }

  clear(): void {
    this.clearL1();
    this.#l2?.clear();
  }

  clearL1(): void {
    for (const key of this.#l1.keys()) this.#l1.delete(key);
    this.#tags.clear();
  }
}

/** What bytes say; undefined if they are none of ours, or cannot be read. */
export function open(bytes: unknown): Known | undefined {
  const envelope = Envelope.open(bytes);
  if (envelope === undefined) return undefined;
  try {
    return { envelope, value: envelope.value() };
  } catch {
    return undefined;
  }
}

/** Whether it needs no loading. */
export function isFresh({ envelope }: Known): boolean {
  return envelope.freshUntil > Date.now();
}

/** What callers get. */
export function given(value: unknown): unknown {
  return value === ABSENT ? undefined : value;
}
