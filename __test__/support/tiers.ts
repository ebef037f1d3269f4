import { BoundedLRUCache, SharedCache, TieredCache, type TieredCacheOptions } from 'keelson';

const opened: { close(): unknown }[] = [];
let names = 0;

/** A tiered cache with an L1 of its own, and an L2 unless it is told otherwise, whose ttls are exact. */
export function open<V = any>(options: Partial<TieredCacheOptions<V>> = {}) {
  const l1 = options.l1 ?? new BoundedLRUCache<string, any>(1000);
  const l2 = 'l2' in options ? options.l2 : new SharedCache<any>({ name: `tiers-${process.pid}-${++names}` });
  const cache = new TieredCache<V>({ ttlJitter: 0, ...options, l1, l2 });
  opened.push({ close: () => cache.close({ timeout: 0 }).catch(() => {}) });
  if (l2 !== undefined) opened.push(l2);
  return { cache, l1, l2: l2 as SharedCache<any> };
}

/** Closes all that was opened. */
export async function closeAll(): Promise<void> {
  for (const one of opened.splice(0)) await one.close();
}

/** A time that only the test advances; of native memory it is the system's, which is far from the ends of these tests. */
export function standStill(): (ms: number) => void {
  let now = Date.now();
  jest.spyOn(Date, 'now').mockImplementation(() => now);
  return (ms) => {
    now += ms;
  };
}

/** Resolves once a condition holds; where it never does, the test's own time ends. */
export async function until(condition: () => unknown): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Lets all go on that waits for nothing. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
