import { Cluster, Redis } from 'ioredis';
import { BoundedLRUCache, InvalidArgumentError, TieredCache } from 'keelson';
import { createClient, createCluster } from 'redis';
import { useProxy } from './support/proxy';
import { times, useRedis } from './support/redis';
import { eventually, useServer } from './support/server';
import { createRedisCluster } from './support/servers';
import { Source, type Tier, useTiers } from './support/tiered';

// A client of the service's own does the work.

const server = useRedis();
const proxy = useProxy(server);
const cluster = useServer(createRedisCluster());
const { make, fleet } = useTiers(() => server.config);

/** What ends the clients of a test. */
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await proxy.pass();
  if (!server.isRunning) await server.start();
  for (const one of [server, ...cluster.nodes]) await one.command('FLUSHALL');
});

const ioredis = async (options = {}) => {
  const client = new Redis({ host: proxy.host, port: proxy.port, ...options });
  client.on('error', () => {});
  ends.push(() => client.disconnect());
  return client;
};
const nodeRedis = async (options = {}) => {
  const client = createClient({ socket: { host: proxy.host, port: proxy.port }, ...options });
  client.on('error', () => {});
  ends.push(() => client.destroy());
  await client.connect();
  return client;
};
const ONE = {
  ioredis,
  'node-redis': nodeRedis,
  'node-redis over RESP 3': () => nodeRedis({ RESP: 3 }),
};
const PREFIXED = {
  'ioredis with a prefix of its own, and autopipelining': () =>
    ioredis({ keyPrefix: 'service:', enableAutoPipelining: true }),
};
const CLUSTERS = {
  'a Cluster of ioredis': async () => {
    const client = new Cluster(cluster.config.cluster);
    client.on('error', () => {});
    ends.push(() => client.disconnect());
    return client;
  },
  'a Cluster of node-redis': async () => {
    const client = createCluster({ rootNodes: cluster.config.cluster.map((socket) => ({ socket })) });
    client.on('error', () => {});
    ends.push(() => client.destroy());
    await client.connect();
    return client;
  },
};

/** Two who hear of each other's changes at once, over a client each. */
async function pair(open: () => Promise<any>): Promise<[Tier, Tier]> {
  const redis = [await open(), await open()];
  const [one, two] = [make({ l3: { redis: redis[0] } }), make({ l3: { redis: redis[1] } })];
  await eventually(() => one.isUp && two.isUp);
  // Both listen once each has heard of a change by the other, which may be news a while after it was made.
  const before = [one, two].map(({ cache }) => cache.metrics().invalidations);
  await eventually(async () => {
    await one.cache.delete('knock');
    await two.cache.delete('knock');
    return [one, two].every(({ cache }, n) => cache.metrics().invalidations > before[n]!);
  });
  return [one, two];
}

describe.each(Object.entries({ ...ONE, ...PREFIXED, ...CLUSTERS }))('%s', (_, open) => {
  const VALUES = ['', 'é🔑\ud800', -0, Buffer.from([0, 0xff, 0x0d, 0x0a]), new Map([['a', new Date(0)]])];
  const KEYS = ['', '}', 'a}b', '\0', '\ud800', '鍵', ...Array.from({ length: 20 }, (_, n) => `key ${n}`)];

  test('values of all kinds under keys of all kinds', async () => {
    const [one, two] = await pair(open);
    for (const [n, key] of KEYS.entries()) {
      const value = VALUES[n % VALUES.length];
      if (n % 2 === 0) await one.cache.set(key, value, { tags: [key] });
      else await one.cache.getOrLoad(key, () => value, { tags: [key] });
    }
    for (const [n, key] of KEYS.entries())
      expect(await two.cache.get(key)).toStrictEqual(VALUES[n % VALUES.length]);
    expect([...one.events, ...two.events]).toEqual([]);
  });

  test('one load in the fleet, and changes are heard of at once', async () => {
    const tiers = await pair(open);
    const source = new Source();
    for (const key of KEYS) source.values.set(key, key);
    for (const key of KEYS) {
      const load = (tier: Tier) => tier.cache.getOrLoad(key, source.load, { tags: ['tag'] });
      expect(new Set(await times(40, (n) => load(tiers[n % 2]!)))).toEqual(new Set([key]));
    }
    expect(source.loads).toEqual(KEYS);
    const began = performance.now();
    await tiers[0].cache.delete(KEYS[0]!);
    await eventually(() => !tiers[1].has(KEYS[0]!));
    await tiers[1].cache.invalidateTag('tag');
    await eventually(() => !KEYS.some((key) => tiers[0].has(key)));
    expect(performance.now() - began).toBeLessThan(15_000);
  });

  test('close() leaves the client alone', async () => {
    const client: any = await open();
    const one = make({ l3: { redis: client } });
    await one.cache.set('key', 1);
    await one.cache.close();
    expect(await client.set('x', 'y')).toBe('OK');
    expect(client.listenerCount('error')).toBe(1);
  });
});

describe.each(Object.entries(ONE))('%s', (_, open) => {
  test.each<[string, () => Promise<unknown>, () => Promise<unknown>]>([
    ['a server that is restarted', () => server.kill(), () => server.start()],
    ['a black hole', async () => proxy.swallow(), () => proxy.pass().then(() => proxy.cut())],
  ])('%s: the cache goes by itself, and joins again', async (_, hurt, heal) => {
    const one = make({ l3: { redis: await open(), timeout: 300, staleness: 300 } });
    const [two] = await fleet(1, { l3: { redis: server.config, timeout: 300, staleness: 300 } });
    await eventually(() => one.isUp);
    await one.cache.set('key', 'old');
    await hurt();
    await eventually(() => !one.isUp);
    expect(await one.cache.get('key')).toBe('old');
    expect(await one.cache.getOrLoad('alone', () => 'local')).toBe('local');
    await one.cache.set('set', 'new');
    await heal();
    await eventually(() => one.isUp && two!.isUp);
    await two!.cache.set('key', 'new');
    await eventually(async () => (await one.cache.get('key')) === 'new');
    await one.cache.set('key', 'newer');
    await eventually(async () => (await two!.cache.get('key')) === 'newer');
    expect(one.events).toEqual(['redis-error', 'recovered']);
  });
});

test('caches of two prefixes of ioredis do not see each other, and one with all of it in its own does', async () => {
  const [one, other] = await pair(() => ioredis({ keyPrefix: 'service:' }));
  const apart = make({ l3: { redis: await ioredis({ keyPrefix: 'another:' }) } });
  const alike = make({ l3: { redis: server.config, prefix: 'service:cache:' } });
  await eventually(() => apart.isUp && alike.isUp);
  const heard = apart.cache.metrics().invalidations;
  await one.cache.set('key', 'old');
  expect(await apart.cache.get('key')).toBeUndefined();
  expect(await alike.cache.get('key')).toBe('old');
  await eventually(async () => {
    await one.cache.set('key', 'new');
    return !alike.has('key');
  });
  await eventually(() => !other.has('key'));
  expect(apart.cache.metrics().invalidations).toBe(heard);
});

describe('what is no client of Redis', () => {
  const never = () => new Promise(() => {});
  const duplicate = () => ({ on() {}, subscribe: never, disconnect() {} });
  test.each<[string, any]>([
    ['eval alone', { eval: never }],
    ['scripts, but no channels', { eval: never, evalBuffer: never, evalshaBuffer: never }],
    ['an older node-redis', { eval: never, evalSha: never, duplicate }],
    ['a number', 7],
    ['null', null],
    ['undefined', undefined],
  ])('%s is refused', (_, redis) => {
    const build = () => new TieredCache({ l1: new BoundedLRUCache({ maxSize: 1 }), l3: { redis } });
    expect(build).toThrow(InvalidArgumentError);
  });

  test.each<[string, any]>([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects with nothing', () => Promise.reject()],
    ['never answers', never],
    ['answers rubbish', async () => ['x', null, {}]],
    ['answers nothing', () => undefined],
  ])('one that %s: L1 and L2 go on', async (_, evaluate) => {
    const redis: any = { eval: evaluate, evalBuffer: evaluate, evalshaBuffer: evaluate, duplicate };
    const one = make({ l3: { redis, timeout: 50, staleness: 50 } });
    expect(await one.cache.getOrLoad('key', () => 1)).toBe(1);
    await one.cache.set('set', 2);
    expect(await one.cache.get('set')).toBe(2);
    await eventually(() => one.events.includes('redis-error'));
    expect(one.isUp).toBe(false);
  });
});
