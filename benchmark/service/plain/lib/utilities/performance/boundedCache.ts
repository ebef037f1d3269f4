/**
 * A Map of entries with their times, and a buffer over an array.
 *
 * As the original: to evict is to look at all entries for the oldest, which finds none among those of this millisecond, so that the
 * bound does not hold within it; live entries go before expired ones; keys are JSON, so that some collide; an interval of a minute
 * looks for what has expired and keeps the process alive. Values are by reference.
 */
export interface CacheItem<V> {
  value: V;
  timestamp: number;
  ttl: number;
  accessCount: number;
  lastAccessed: number;
}

const CLEAN_UP = 60_000;

export class BoundedLRUCache<K, V> {
  private readonly cache = new Map<string, CacheItem<V>>();
  private readonly cleanUp: NodeJS.Timeout;
  private counts = { hits: 0, misses: 0, evictions: 0, expirations: 0 };

  constructor(
    private readonly maxSize: number,
    private readonly defaultTtl = 300_000,
  ) {
    this.cleanUp = setInterval(() => this.removeExpired(), CLEAN_UP);
  }

  get size(): number {
    return this.cache.size;
  }

  set(key: K, value: V, ttl?: number): void {
    const name = this.serialize(key);
    if (this.cache.size >= this.maxSize && !this.cache.has(name)) this.evict();
    const now = Date.now();
    this.cache.set(name, {
      value,
      timestamp: now,
      ttl: ttl || this.defaultTtl,
      accessCount: 0,
      lastAccessed: now,
    });
  }

  get(key: K): V | undefined {
    const name = this.serialize(key);
    const item = this.cache.get(name);
    if (item === undefined) {
      this.counts.misses++;
      return undefined;
    }
    if (this.isExpired(item)) {
      this.cache.delete(name);
      this.counts.expirations++;
      this.counts.misses++;
      return undefined;
    }
    item.accessCount++;
    item.lastAccessed = Date.now();
    this.counts.hits++;
    return item.value;
  }

  has(key: K): boolean {
    const item = this.cache.get(this.serialize(key));
    return item !== undefined && !this.isExpired(item);
  }

  delete(key: K): boolean {
    return this.cache.delete(this.serialize(key));
  }

  clear(): void {
    this.cache.clear();
    this.resetStats();
  }

  keys(): K[] {
    return this.entries().map(([key]) => key);
  }

  values(): V[] {
    return this.entries().map(([, value]) => value);
  }

  entries(): Array<[K, V]> {
    this.removeExpired();
    return [...this.cache].map(([name, { value }]) => [this.deserialize(name), value]);
  }

  getStats() {
    const { hits, misses } = this.counts;
    const hitRate = hits / (hits + misses || 1);
    return { ...this.counts, hitRate, currentSize: this.cache.size, maxSize: this.maxSize };
  }

  resetStats(): void {
    this.counts = { hits: 0, misses: 0, evictions: 0, expirations: 0 };
  }

  destroy(): void {
    clearInterval(this.cleanUp);
    this.cache.clear();
  }

  private evict(): void {
    let oldest = Date.now();
    let name: string | undefined;
    for (const [candidate, { lastAccessed }] of this.cache) {
      if (lastAccessed < oldest) {
        oldest = lastAccessed;
        name = candidate;
      }
    }
    if (name) {
      this.cache.delete(name);
      this.counts.evictions++;
    }
  }

  private removeExpired(): void {
    for (const [name, item] of this.cache) {
      if (!this.isExpired(item)) continue;
      this.cache.delete(name);
      this.counts.expirations++;
    }
  }

  private isExpired({ timestamp, ttl }: CacheItem<V>): boolean {
    return Date.now() - timestamp > ttl;
  }

  private serialize(key: K): string {
    return typeof key === 'string' ? key : String(JSON.stringify(key));
  }

  private deserialize(name: string): K {
    try {
      return JSON.parse(name) as K;
    } catch {
      return name as K;
    }
  }
}

/** The original has no statistics; these are what its users write: a copy that is sorted once for all of them. */
export class CircularBuffer<T> {
  private readonly buffer: Array<T | undefined>;
  private head = 0;
  private length = 0;
  private inOrder: number[] | undefined;

  /** It knows no options. */
  constructor(
    private readonly capacity: number,
    _options?: object,
  ) {
    this.buffer = new Array(capacity);
  }

  push(item: T): void {
    this.inOrder = undefined;
    this.buffer[(this.head + this.length) % this.capacity] = item;
    if (this.length < this.capacity) this.length++;
    else this.head = (this.head + 1) % this.capacity;
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.buffer[this.head];
    this.buffer[this.head] = undefined;
    this.head = (this.head + 1) % this.capacity;
    this.length--;
    return item;
  }

  getAll(): T[] {
    return Array.from({ length: this.length }, (_, i) => this.buffer[(this.head + i) % this.capacity] as T);
  }

  getLength(): number {
    return this.length;
  }

  isFull(): boolean {
    return this.length === this.capacity;
  }

  clear(): void {
    this.inOrder = undefined;
    this.head = 0;
    this.length = 0;
  }

  min(): number | undefined {
    return this.sorted()[0];
  }

  max(): number | undefined {
    return this.sorted().at(-1);
  }

  mean(): number | undefined {
    const all = this.getAll() as number[];
    return all.length === 0 ? undefined : all.reduce((sum, value) => sum + value, 0) / all.length;
  }

  percentile(p: number): number | undefined {
    const all = this.sorted();
    return all[Math.max(0, Math.ceil((p / 100) * all.length) - 1)];
  }

  private sorted(): number[] {
    this.inOrder ??= (this.getAll() as number[]).sort((a, b) => a - b);
    return this.inOrder;
  }
}
