import { SharedCache, type SharedCacheOptions } from 'keelson';

const opened: SharedCache<any>[] = [];
let names = 0;

/** A cache of its own name. */
export function open<V = any>(options: Partial<SharedCacheOptions> = {}): SharedCache<V> {
  const cache = new SharedCache<V>({ name: `spec-${++names}`, ...options });
  opened.push(cache);
  return cache;
}

/** Closes all that was opened. */
export function closeAll(): void {
  for (const cache of opened.splice(0)) cache.close();
}
