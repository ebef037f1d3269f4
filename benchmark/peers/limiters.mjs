/** Longer than any run, and a quota that no key reaches: whoever counts right has the same left. */
export const WINDOW = 20 * 24 * 3600 * 1000;
export const QUOTA = 1_000_000;

/** Nobody is to give up on Redis. */
const PATIENCE = 10_000;

const fixedWindow = { windowMs: WINDOW, maxRequests: QUOTA, algorithm: 'fixed-window' };

async function keelson(options) {
  const { DistributedRateLimiter } = await import('keelson');
  return new DistributedRateLimiter({ ...fixedWindow, ...options });
}

const remainingOf = ({ source, remaining }) => {
  if (source !== 'redis') throw new Error(`decided by ${source} instead of Redis`);
  return remaining;
};

async function throughRedis(options) {
  const limiter = await keelson({ storeTimeout: PATIENCE, ...options });
  return { check: (key) => limiter.check(key), remaining: remainingOf };
}

async function flexible(storeClient, options) {
  const { RateLimiterRedis } = await import('rate-limiter-flexible');
  const limiter = new RateLimiterRedis({
    storeClient,
    points: QUOTA,
    duration: WINDOW / 1000,
    ...options,
  });
  return { check: (key) => limiter.consume(key), remaining: ({ remainingPoints }) => remainingPoints };
}

async function ioredis({ host, port }, options) {
  const { Redis } = await import('ioredis');
  return new Redis({ host, port, ...options });
}

/**
 * Limiters whose counts are in the Redis at `host` and `port`, set up as their documentation does it. `check` counts one
 * of a key in a fixed window, and resolves to a result of which `remaining` tells what is left.
 */
export const redisLimiters = {
  keelson: ({ host, port }) => throughRedis({ redis: { host, port } }),
  'rate-limiter-flexible + ioredis': async (server) => flexible(await ioredis(server)),
  'rate-limiter-flexible + ioredis, autopipelining': async (server) =>
    flexible(await ioredis(server, { enableAutoPipelining: true })),
  async 'rate-limiter-flexible + node-redis'({ host, port }) {
    const { createClient } = await import('redis');
    const client = await createClient({ socket: { host, port } }).connect();
    return flexible(client, { useRedisPackage: true });
  },
  async 'rate-limit-redis + ioredis'(server) {
    const { RedisStore } = await import('rate-limit-redis');
    const client = await ioredis(server);
    const store = new RedisStore({ sendCommand: (command, ...args) => client.call(command, ...args) });
    store.init({ windowMs: WINDOW });
    return { check: (key) => store.increment(key), remaining: ({ totalHits }) => QUOTA - totalHits };
  },
};

/** The same on a node of a Cluster, each with what it has for that. */
export const clusterLimiters = {
  keelson: ({ host, port }) => throughRedis({ redis: { cluster: [{ host, port }] } }),
  'rate-limiter-flexible + ioredis': redisLimiters['rate-limiter-flexible + ioredis'],
  async 'rate-limiter-flexible + ioredis.Cluster'({ host, port }) {
    const { Cluster } = await import('ioredis');
    return flexible(new Cluster([{ host, port }]));
  },
};

/** As {@link redisLimiters}, keelson taking permits from Redis in blocks. */
export const blockLimiters = (size) => ({
  keelson: ({ host, port }) => throughRedis({ redis: { host, port }, leases: { size } }),
  'rate-limiter-flexible + ioredis': redisLimiters['rate-limiter-flexible + ioredis'],
});

/** Limiters whose counts are in memory, for `keys` keys. `check` gives its result at once or by a promise. */
export const memoryLimiters = {
  async keelson(keys) {
    const limiter = await keelson({ maxKeys: keys });
    return { check: (key) => limiter.checkSync(key), remaining: ({ remaining }) => remaining };
  },
  async 'keelson, check()'(keys) {
    const limiter = await keelson({ maxKeys: keys });
    return { check: (key) => limiter.check(key), remaining: ({ remaining }) => remaining };
  },
  async RateLimiterMemory() {
    const { RateLimiterMemory } = await import('rate-limiter-flexible');
    const limiter = new RateLimiterMemory({ points: QUOTA, duration: WINDOW / 1000 });
    return { check: (key) => limiter.consume(key), remaining: ({ remainingPoints }) => remainingPoints };
  },
  async 'express-rate-limit'() {
    const { MemoryStore } = await import('express-rate-limit');
    const store = new MemoryStore();
    store.init({ windowMs: WINDOW });
    return { check: (key) => store.increment(key), remaining: ({ totalHits }) => QUOTA - totalHits };
  },
};
