import type { Envelope } from './envelope.js';

/** Keys whose changes are remembered, and tags. */
const MOST = 10_000;

/**
 * What this thread knows of changes in the fleet, by their positions: of keys that changed lately, and of tags.
 *
 * A key's change is to be known for as long as another thread of the process, who has not heard of it yet, may still store in L2
 * what it found before. A tag's counts for as long as values live: one that is not known here has to be asked for.
 */
export class Ledger {
  /** Until which everything is known. */
  position = 0;
  /** Of the latest clearing. */
  cleared = 0;
  /** Of Redis: positions of another one say nothing. */
  epoch = 0;
  readonly #keys = new Map<string, number>();
  readonly #tags = new Map<string, number>();

  keyChanged(key: string, position: number): void {
    remember(this.#keys, key, position);
  }

  tagChanged(tag: string, position: number): void {
    remember(this.#tags, tag, position);
  }

  /** What was known of tags and keys may have changed unheard, and be of another epoch. */
  forget(): void {
    [this.position, this.cleared] = [0, 0];
    this.#keys.clear();
    this.#tags.clear();
  }

  /** Tags that nothing is known of. */
  unknown(tags: readonly string[]): string[] {
    return tags.filter((tag) => !this.#tags.has(tag));
  }

  /** Whether what is under a key is from before its change, as far as is known, or from before a tag's. */
  isOverruled(key: string, envelope: Envelope): boolean {
    return (this.#keys.get(key) ?? 0) > envelope.position || this.isInvalidated(envelope);
  }

  /** Whether all was cleared since, or a tag of it invalidated. */
  isInvalidated({ position, tags }: Envelope): boolean {
    return this.cleared > position || tags.some((tag) => (this.#tags.get(tag) ?? 0) > position);
  }
}

/** Keeps the latest, of the {@link MOST} that changed last. */
function remember(positions: Map<string, number>, name: string, position: number): void {
  const known = positions.get(name) ?? 0;
  positions.delete(name);
  positions.set(name, Math.max(known, position));
  if (positions.size > MOST) positions.delete(positions.keys().next().value!);
}
