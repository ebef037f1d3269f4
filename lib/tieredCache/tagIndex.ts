/** Keys by their tags, of those that L1 has or had: it does not tell what it lets go of. */
export class TagIndex {
  readonly #keys = new Map<string, Set<string>>();
  #size = 0;
  #limit = 1000;

  /** @param isThere whether a key is still in L1 */
  constructor(private readonly isThere: (key: string) => boolean) {}

  add(key: string, tags: readonly string[]): void {
    for (const tag of tags) {
      const keys = this.#keys.get(tag) ?? new Set();
      this.#keys.set(tag, keys);
      if (keys.has(key)) continue;
      keys.add(key);
      this.#size++;
    }
    if (this.#size > this.#limit) this.#prune();
  }

  /** The keys of a tag, which are then forgotten. */
  take(tag: string): Iterable<string> {
    const keys = this.#keys.get(tag) ?? new Set<string>();
    this.#keys.delete(tag);
    this.#size -= keys.size;
    return keys;
  }

  clear(): void {
    this.#keys.clear();
    this.#size = 0;
  }

  /** Lets go of what has gone; the next time is when there is twice as much as is left. */
  #prune(): void {
    this.#size = 0;
    for (const [tag, keys] of this.#keys) {
      for (const key of keys) if (!this.isThere(key)) keys.delete(key);
      if (keys.size === 0) this.#keys.delete(tag);
      this.#size += keys.size;
    }
    this.#limit = Math.max(1000, 2 * this.#size);
  }
}
