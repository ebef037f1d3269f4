// What the types of SharedCache accept, and what they refuse.
import {
  LoadError,
  SharedCache,
  type SharedCacheMetrics,
  type SharedCacheOptions,
  SnapshotError,
} from 'keelson';

export async function sharedCache(): Promise<void> {
  const options: SharedCacheOptions = {
    name: 'x',
    maxBytes: 2 ** 20,
    maxEntries: 5,
    ttl: 5,
    policy: 'lru',
    shards: 2,
    compressFrom: 1024,
  };
  const cache = new SharedCache<{ id: number }>(options);
  const found: { id: number } | undefined = cache.get('a');
  const stored: boolean = cache.set('a', { id: 1 }, { ttl: 5, tags: ['t'] as const });
  const swapped: boolean = cache.compareAndSet('a', found, { id: 2 });
  const loaded: { id: number } = await cache.getOrLoad('b', async (key) => ({ id: key.length }), {
    signal: AbortSignal.timeout(5),
  });
  const many: ({ id: number } | undefined)[] = cache.getMany(['a']);
  const count: number = cache.setMany([['a', { id: 1 }]]) + cache.invalidateTag('t') + cache.size;
  const left: number | undefined = cache.getRemainingTTL('a');
  for (const [key, { id }] of cache) void [key.length, id];
  for (const key of cache.keys()) void key.length;
  const metrics: SharedCacheMetrics = cache.metrics();
  const entries: number = await cache
    .snapshot('/x')
    .catch((error) => (error instanceof SnapshotError ? 0 : 1));
  await cache.restore('/x');
  const sum: number = new SharedCache<number>({ name: 'n' }).incr('a', 2, { ttl: 5 });
  new SharedCache({ name: 'anything' }).set('a', new Map([[1, 2n]]));
  void [stored, swapped, loaded, many, count, left, metrics.shards[0]?.bytes, entries, sum, LoadError];
  cache.touch('a', 5);
  cache.close();

  // @ts-expect-error a cache has a name
  new SharedCache({});
  // @ts-expect-error no such policy
  new SharedCache({ name: 'x', policy: 'fifo' });
  // @ts-expect-error values are of the type that the cache has
  cache.set('a', 'text');
  // @ts-expect-error keys are texts
  cache.get(1);
}
