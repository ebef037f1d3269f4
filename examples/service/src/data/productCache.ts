import { SharedCache } from '../lib/utilities/performance/sharedCache';
import { cacheStats } from '../services/cacheStats';

/** What is shown of products: made once for all threads, and kept until it is invalidated or too old. */
export class ProductCache<V> {
  readonly #cache: SharedCache<V>;

  /** @param ttl milliseconds */
  constructor(
    name: string,
    private readonly maxSize: number,
    ttl: number,
  ) {
    // One shard: the bound is exact, and a few hundred entries need no more locks.
    this.#cache = new SharedCache<V>({ name, maxEntries: maxSize, ttl, shards: 1 });
  }

  get size(): number {
    return this.#cache.size;
  }

  /** What there is for a key, or what `load` gives, which runs in one thread at a time. What is loaded as undefined is not kept. */
  getOrLoad(key: string, load: () => Promise<V>, tags: string[]): Promise<V> {
    return this.#cache.getOrLoad(key, load, { tags });
  }

  /** In all threads; what is being loaded is not kept either. */
  invalidate(tags: Iterable<string>): void {
    for (const tag of tags) this.#cache.invalidateTag(tag);
  }

  clear(): void {
    this.#cache.clear();
  }

  /** Of all threads, since the first one began. */
  getStats() {
    return cacheStats(this.#cache, this.maxSize);
  }

  close(): void {
    this.#cache.close();
  }
}
