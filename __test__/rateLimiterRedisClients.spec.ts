import { Cluster, Redis } from 'ioredis';
import { DistributedRateLimiter } from 'keelson';
import { createClient, createCluster } from 'redis';
import { Load } from './support/limiterLoad';
import { useProxy } from './support/proxy';
import { ALGORITHMS, LONG, SLACK, storeEvents, times, useLimiters, useRedis } from './support/redis';
import { eventually, useServer } from './support/server';
import { createRedisCluster } from './support/servers';

// A client of the service's own does the work: the limiter calls its commands, and leaves it alone otherwise.

const QUOTA = 50;
const CALLERS = 16;
const TIMEOUT = 200;
const QUICK = { backoffMin: 5, backoffMax: 50 };

const server = useRedis();
const proxy = useProxy(server);
const make = useLimiters();

afterEach(async () => {
  await proxy.pass();
  if (!server.isRunning) await server.start();
  await server.command('FLUSHALL');
});

/** What ends the clients of a test. */
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A client as its library makes it by default, through the proxy. */
const CLIENTS = {
  ioredis: async () => {
    const client = new Redis({ host: proxy.host, port: proxy.port });
    client.on('error', () => {});
    ends.push(() => client.disconnect());
    return client;
  },
  'ioredis with a prefix of its own, and autopipelining': async () => {
    const client = new Redis({
      host: proxy.host,
      port: proxy.port,
      keyPrefix: 'service:',
      enableAutoPipelining: true,
    });
    client.on('error', () => {});
    ends.push(() => client.disconnect());
    return client;
  },
  'node-redis': async () => {
    const client = createClient({ socket: { host: proxy.host, port: proxy.port } });
    client.on('error', () => {});
    ends.push(() => client.destroy());
    await client.connect();
    return client;
  },
};

describe.each(Object.entries(CLIENTS))('%s', (_, open) => {
  const limiter = async (config = {}) =>
    make({ redisClient: await open(), maxRequests: QUOTA, breaker: QUICK, blockCache: 0, ...config });

  test.each(ALGORITHMS)('%s admits exactly its quota', async (algorithm) => {
    const redisClient = await open();
    const limiters = times(2, async () =>
      make({ redisClient, maxRequests: QUOTA, algorithm, blockCache: 0 }),
    );
    const loads = (await limiters).map((one) => new Load(one, ['a', '鍵🔑']));
    await times(200, (n) => loads[n % 2]!.ask(loads[0]!.keys[n % 4 < 2 ? 0 : 1]));
    expect(loads.flatMap(({ sources }) => sources)).toEqual(['redis', 'redis']);
    expect(loads[0]!.admitted() + loads[1]!.admitted()).toBe(2 * QUOTA);
  });

  test('every operation', async () => {
    const one = await limiter();
    expect(await one.check('key', { cost: 10 })).toMatchObject({ allowed: true, remaining: QUOTA - 10 });
    await one.penalty('key', 5);
    expect(await one.peek('key')).toMatchObject({ remaining: QUOTA - 15 });
    await one.reward('key', 10);
    expect(await one.peek('key')).toMatchObject({ remaining: QUOTA - 5 });
    await one.block('key', 60_000);
    expect(await one.check('key')).toMatchObject({ allowed: false, source: 'redis' });
    await one.reset('key');
    expect(await one.peek('key')).toMatchObject({ allowed: true, remaining: QUOTA });
    const many = await one.checkMany(['key', { key: 'other', cost: 2 }]);
    expect(many.map(({ remaining }) => remaining)).toEqual([QUOTA - 1, QUOTA - 2]);
  });

  test('scripts that the server forgot are sent again', async () => {
    const one = await limiter({ maxRequests: 1_000_000 });
    const load = new Load(one);
    const stop = load.keepAsking(CALLERS);
    for (let round = 0; round < 5; round++) {
      await load.next(CALLERS, 'redis');
      await server.command('SCRIPT', 'FLUSH');
    }
    await stop();
    load.expectAnswered(20_000);
    expect(load.sources).toEqual(['redis']);
    expect(await one.peek('key')).toMatchObject({ remaining: 1_000_000 - load.asked });
  });

  test.each([
    ['a server that is restarted', () => server.kill(), () => server.start()],
    ['a black hole', async () => proxy.swallow(), () => proxy.pass()],
    ['a second of latency', async () => proxy.delay(500), async () => proxy.delay(0)],
  ])('%s: decisions come in time all the same, and the store is used again', async (what, hurt, heal) => {
    const one = await limiter({ storeTimeout: TIMEOUT, onStoreError: 'local', maxRequests: QUOTA });
    const events = storeEvents(one);
    const load = new Load(one);
    const stop = load.keepAsking(CALLERS);
    await load.next(2 * QUOTA, 'redis');
    await hurt();
    await load.next(2 * QUOTA, 'local');
    await heal();
    // A connection that was swallowed is dead for ever, and neither library would notice for long.
    if (what === 'a black hole') proxy.cut();
    await load.next(2 * QUOTA, 'redis');
    await stop();
    load.expectAnswered(TIMEOUT + SLACK);
    expect(load.admitted('local')).toBeLessThanOrEqual(QUOTA);
    expect(load.admitted('redis')).toBeLessThanOrEqual(2 * QUOTA);
    expect(events).toContain('redis-error');
    expect(events.at(-1)).toBe('recovered');
  });

  test('destroy() leaves the client alone', async () => {
    const redisClient: any = await open();
    make({ redisClient }).destroy();
    expect(await redisClient.ping()).toBe('PONG');
    expect(redisClient.listenerCount('error')).toBe(1);
  });
});

test('the older form: its results, with node-redis and ioredis', async () => {
  for (const open of [CLIENTS.ioredis, CLIENTS['node-redis']]) {
    const one = new DistributedRateLimiter(await open(), {
      windowMs: LONG,
      maxRequests: 1,
      strategy: 'gcra',
    } as any);
    const request = { ip: '10.0.0.1', user: { id: 7 } };
    const first: any = await one.checkLimit(request as any, {} as any);
    expect(first).toMatchObject({ allowed: true, remainingHits: 0, resetTime: expect.any(Date) });
    const second: any = await one.checkLimit(request as any, {} as any);
    expect(second).toMatchObject({ allowed: false, retryAfter: expect.any(Number) });
    one.destroy();
    await server.command('FLUSHALL');
  }
});

describe('a Cluster', () => {
  const cluster = useServer(createRedisCluster());
  const KEYS = Array.from({ length: 40 }, (_, n) => `key ${n}`);
  const nodes = () => cluster.config.cluster;

  afterEach(async () => {
    for (const node of cluster.nodes) await node.command('FLUSHALL');
  });

  test.each([
    [
      'ioredis',
      async () => {
        const client = new Cluster(nodes());
        ends.push(() => client.disconnect());
        return client;
      },
    ],
    [
      'node-redis',
      async () => {
        const client = createCluster({ rootNodes: nodes().map((socket) => ({ socket })) });
        ends.push(() => client.destroy());
        await client.connect();
        return client;
      },
    ],
  ])('of %s', async (_, open) => {
    const load = new Load(make({ redisClient: await open(), maxRequests: QUOTA, blockCache: 0 }), KEYS);
    await times(2 * QUOTA * KEYS.length, () => load.ask());
    load.expectAnswered(20_000);
    expect(load.sources).toEqual(['redis']);
    expect(load.admitted()).toBe(QUOTA * KEYS.length);
  });
});

describe('what is no client of Redis', () => {
  const never = () => new Promise(() => {});
  test.each<[string, any]>([
    ['an empty object', {}],
    ['null commands', { eval: null, evalsha: null }],
    [
      'commands that throw',
      {
        eval: () => {
          throw new Error('no');
        },
      },
    ],
    ['commands that reject with nothing', { eval: () => Promise.reject() }],
    [
      'commands that never answer',
      { eval: never, evalsha: never, evalSha: never, call: never, sendCommand: never },
    ],
    ['commands that answer rubbish', { eval: async () => ['x', null, {}] }],
    ['commands that answer nothing', { eval: () => undefined }],
    ['commands of another kind', { eval: async () => 'OK', evalsha: async () => 7 }],
  ])('%s: the local limiter decides', async (_, redisClient) => {
    const one = make({ redisClient, maxRequests: QUOTA, storeTimeout: TIMEOUT, onStoreError: 'local' });
    const errors: unknown[] = [];
    one.on('redis-error', (error) => errors.push(error));
    const load = new Load(one);
    await times(2 * QUOTA, () => load.ask());
    load.expectAnswered(TIMEOUT + SLACK);
    expect(load.sources).toEqual(['local']);
    expect(load.admitted()).toBe(QUOTA);
    await eventually(() => errors.length > 0);
    expect(errors[0]).toBeInstanceOf(Error);
  });
});
