import { BoundedLRUCache } from './boundedCache';

/**
 * Not among the originals: what a service of one thread has instead, their bounded cache with loads that are shared. Values are by
 * reference, and a tag is looked for in all entries.
 */
interface Entry<V> {
  value: V;
  tags: readonly string[];
}

interface Options {
  name: string;
  maxEntries?: number;
  ttl?: number;
  maxBytes?: number;
  shards?: number;
  policy?: string;
}

/** More than anybody stores here without saying how many. */
const UNBOUNDED = 100_000;

export class SharedCache<V = unknown> {
  readonly name: string;
  private readonly cache: BoundedLRUCache<string, Entry<V>>;
  private readonly loading = new Map<string, Promise<V>>();
  private sets = 0;

  constructor({ name, maxEntries = UNBOUNDED, ttl = 24 * 60 * 60_000 }: Options) {
    this.name = name;
    this.cache = new BoundedLRUCache(maxEntries, ttl);
  }

  get size(): number {
    return this.cache.size;
  }

  get(key: string): V | undefined {
    return this.cache.get(key)?.value;
  }

  set(key: string, value: V, { tags = [] }: { tags?: readonly string[] } = {}): boolean {
    this.sets++;
    this.cache.set(key, { value, tags });
    return true;
  }

  delete(key: string): boolean {
    return this.cache.delete(key);
  }

  compareAndSet(key: string, expected: V | undefined, value: V): boolean {
    if (this.get(key) !== expected) return false;
    return this.set(key, value);
  }

  incr(key: string): number {
    const count = Number(this.get(key) ?? 0) + 1;
    this.set(key, count as V);
    return count;
  }

  async getOrLoad(key: string, load: () => Promise<V>, options: { tags?: string[] }): Promise<V> {
    const found = this.get(key);
    if (found !== undefined) return found;
    const running = this.loading.get(key);
    if (running !== undefined) return running;
    const started = load();
    this.loading.set(key, started);
    try {
      const value = await started;
      if (value !== undefined && this.loading.get(key) === started) this.set(key, value, options);
      return value;
    } finally {
      this.loading.delete(key);
    }
  }

  invalidateTag(tag: string): void {
    for (const [key, { tags }] of this.cache.entries()) if (tags.includes(tag)) this.cache.delete(key);
    // What is being loaded may be old already.
    this.loading.clear();
  }

  clear(): void {
    this.cache.clear();
    this.loading.clear();
  }

  *[Symbol.iterator](): IterableIterator<[string, V]> {
    for (const [key, { value }] of this.cache.entries()) yield [key, value];
  }

  metrics() {
    const { hits, misses, evictions, expirations, currentSize } = this.cache.getStats();
    const { sets } = this;
    return {
      ...{ hits, misses, sets, evictedBySize: evictions, evictedByBytes: 0 },
      ...{ expired: expirations, entries: currentSize, bytes: 0 },
    };
  }

  close(): void {
    this.cache.destroy();
  }
}
