import type { BoundedLRUCache } from './boundedCache';

/** Not among the originals: the nearest tier is all that a service of one thread has. */
export class TieredCache<V> {
  private readonly cache: BoundedLRUCache<string, V>;

  constructor({ l1 }: { l1: BoundedLRUCache<string, V>; [other: string]: unknown }) {
    this.cache = l1;
  }

  async get(key: string): Promise<V | undefined> {
    return this.cache.get(key);
  }

  async set(key: string, value: V): Promise<void> {
    this.cache.set(key, value);
  }

  async delete(key: string): Promise<boolean> {
    return this.cache.delete(key);
  }

  async close(): Promise<void> {
    this.cache.destroy();
  }
}
