import { createClient } from 'redis';

const TTL = 300_000;

/** Each cache in two tiers: this many entries in the process, and a Redis. `get` gives what is stored, and `load` what is loaded. */
export const tieredCaches = {
  async keelson({ max, redis }) {
    const { BoundedLRUCache, TieredCache } = await import('keelson');
    const cache = new TieredCache({ l1: new BoundedLRUCache(max), l3: redis && { redis }, ttl: TTL });
    return {
      set: (key, value) => cache.set(key, value),
      get: (key) => cache.get(key),
      load: (key, loader) => cache.getOrLoad(key, loader),
    };
  },
  async bentocache({ max, redis }) {
    const { BentoCache, bentostore } = await import('bentocache');
    const { memoryDriver } = await import('bentocache/drivers/memory');
    const { redisBusDriver, redisDriver } = await import('bentocache/drivers/redis');
    let store = bentostore().useL1Layer(memoryDriver({ maxItems: max, serialize: false }));
    if (redis) {
      store = store
        .useL2Layer(redisDriver({ connection: redis }))
        .useBus(redisBusDriver({ connection: redis }));
    }
    const cache = new BentoCache({ default: 'tiered', ttl: TTL, stores: { tiered: store } });
    return {
      set: (key, value) => cache.set({ key, value }),
      get: (key) => cache.get({ key }),
      load: (key, factory) => cache.getOrSet({ key, factory: () => factory(key) }),
    };
  },
  async cacheable({ max, redis }) {
    const { Cacheable, CacheableMemory, Keyv } = await import('cacheable');
    const { default: KeyvRedis } = await import('@keyv/redis');
    const primary = new Keyv({ store: new CacheableMemory({ lruSize: max, useClone: false }) });
    const client = redis && createClient({ socket: redis });
    const secondary = client && new Keyv({ store: new KeyvRedis(client) });
    const cache = new Cacheable({ primary, secondary, ttl: TTL });
    return {
      set: (key, value) => cache.set(key, value),
      get: (key) => cache.get(key),
      load: (key, loader) => cache.getOrSet(key, () => loader(key)),
    };
  },
};
