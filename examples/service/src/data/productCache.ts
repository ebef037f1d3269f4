import { BoundedLRUCache } from '../lib/utilities/performance/boundedCache';
import { SharedCache } from '../lib/utilities/performance/sharedCache';
import { cacheStats } from '../services/cacheStats';

const GENERATION = 'generation';
const NEAR_HITS = 'near hits';

/**
 * What is shown of products: made once for all threads, and kept until it is invalidated or too old.
 *
 * What comes out of the cache of all threads is a copy each time. So each thread keeps what it has seen as it is, for as long as
 * nothing is invalidated by any of them: a number that they share says so, at the price of a look.
 */
export class ProductCache<V> {
  readonly #cache: SharedCache<V>;
  readonly #near: BoundedLRUCache<string, V>;
  // A cache of its own: nothing is ever evicted from it.
  readonly #counts: SharedCache<number>;
  /** Of what is near. */
  #generation = 0;

  /** @param ttl milliseconds, of each of the two */
  constructor(
    name: string,
    private readonly maxSize: number,
    ttl: number,
  ) {
    // One shard: the bound is exact, and a few hundred entries need no more locks.
    this.#cache = new SharedCache<V>({ name, maxEntries: maxSize, ttl, shards: 1 });
    this.#counts = new SharedCache<number>({ name: `${name} counts`, maxBytes: 2 ** 20, shards: 1 });
    this.#near = new BoundedLRUCache<string, V>(maxSize, ttl);
  }

  get size(): number {
    return this.#cache.size;
  }

  /** What there is for a key, or what `load` gives, which runs in one thread at a time. What is loaded as undefined is not kept. */
  async getOrLoad(key: string, load: () => Promise<V>, tags: string[]): Promise<V> {
    const generation = this.#current();
    const near = this.#near.get(key);
    if (near !== undefined) {
      this.#counts.incr(NEAR_HITS);
      return near;
    }
    const value = await this.#cache.getOrLoad(key, load, { tags });
    // Unless something was invalidated meanwhile, before which this may be.
    if (value !== undefined && generation === this.#current()) this.#near.set(key, value);
    return value;
  }

  /** In all threads; what is being loaded is not kept either. */
  invalidate(tags: Iterable<string>): void {
    for (const tag of tags) this.#cache.invalidateTag(tag);
    // Last, so that what another thread has seen before is of an earlier generation.
    this.#counts.incr(GENERATION);
  }

  clear(): void {
    this.#cache.clear();
    this.#counts.incr(GENERATION);
  }

  /** Of all threads, since the first one began. */
  getStats() {
    const stats = cacheStats(this.#cache, this.maxSize);
    const hits = stats.hits + (this.#counts.get(NEAR_HITS) ?? 0);
    return { ...stats, hits, hitRate: hits / (hits + stats.misses || 1) };
  }

  close(): void {
    this.#cache.close();
    this.#counts.close();
  }

  /** The generation of now; what is near of earlier ones goes. */
  #current(): number {
    const generation = this.#counts.get(GENERATION) ?? 0;
    if (generation !== this.#generation) this.#near.clear();
    this.#generation = generation;
    return generation;
  }
}
