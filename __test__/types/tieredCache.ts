// What the types of TieredCache accept, and what they refuse.
import {
  BoundedLRUCache,
  SharedCache,
  TieredCache,
  type TieredCacheCloseOptions,
  type TieredCacheEvents,
  type TieredCacheGetOptions,
  type TieredCacheLoader,
  type TieredCacheLoadOptions,
  type TieredCacheMetrics,
  type TieredCacheOptions,
  type TieredCacheRedisOptions,
  type TieredCacheSetOptions,
  type TieredCacheWrite,
} from 'keelson';

interface User {
  id: string;
}

export async function tieredCache(signal: AbortSignal): Promise<void> {
  const load: TieredCacheLoader<User> = async (id, context) => (context.signal.aborted ? undefined : { id });
  const store = async (writes: readonly TieredCacheWrite<User>[]): Promise<void> => {
    for (const { key, value } of writes) void [key.length, value?.id];
  };
  const l3: TieredCacheRedisOptions = {
    redis: { host: 'localhost', tls: true },
    prefix: 'users:',
    timeout: 5,
    staleness: 50,
    lease: 500,
  };
  const options: TieredCacheOptions<User> = {
    ...{
      l1: new BoundedLRUCache<string, User>(5),
      l2: new SharedCache<User>({ name: 'users' }),
      l3,
      load,
      store,
    },
    ...{ ttl: Number.POSITIVE_INFINITY, ttlJitter: 0, stale: 5, softTimeout: 5, grace: 5, graceBackoff: 5 },
    ...{ negativeTtl: 5, loadTimeout: 5, maxPendingWrites: 5 },
    write: 'behind',
  };
  const cache = new TieredCache<User>(options);
  const how: TieredCacheSetOptions & TieredCacheLoadOptions = { ttl: 5, tags: ['t'] as const, signal };
  const get: TieredCacheGetOptions = { signal };
  const found: (User | undefined)[] = [
    cache.getSync('a'),
    await cache.get('a', get),
    await cache.getOrLoad('a', (id) => ({ id }), how),
    await cache.getOrLoad('a', () => undefined),
  ];
  await cache.set('a', { id: 'a' }, { tags: ['t'] });
  await cache.delete('a');
  await cache.invalidateTag('t');
  await cache.clear();
  await cache.flush();
  cache.on('store-error', ({ writes, error }: TieredCacheEvents['store-error']) => void [writes + 1, error]);
  cache.on('recovered', ({ downMs }: TieredCacheEvents['recovered']) => void (downMs + 1));
  const metrics: TieredCacheMetrics = cache.metrics();
  const numbers: number[] = [metrics.l1Hits, metrics.pendingWrites, metrics.redis?.staleness ?? 0];
  const close: TieredCacheCloseOptions = { timeout: 5 };
  await cache.close(close);
  await using other = new TieredCache({ l1: new BoundedLRUCache(5) });
  const anything: unknown = other.getSync('a');
  void [found, numbers, anything];

  // @ts-expect-error a cache has an L1
  new TieredCache({});
  // @ts-expect-error an L3 is somewhere
  new TieredCache({ l1: options.l1, l3: {} });
  // @ts-expect-error no such way to write
  new TieredCache({ l1: options.l1, write: 'around' });
  // @ts-expect-error values are of the type that the cache has
  await cache.set('a', 'text');
  // @ts-expect-error keys are texts
  await cache.get(1);
  // @ts-expect-error a lookup stores nothing that could have tags
  await cache.get('a', { tags: ['t'] });
}
