import { Redis } from 'ioredis';
import { type CircuitBreakerSharedOptions, RedisError } from 'keelson';
import { createClient } from 'redis';
import {
  type Breaker,
  closed,
  eventsOf,
  expectOneProbeARound,
  fire,
  pour,
  states,
  useFleet,
} from './support/fleet';
import { useProxy } from './support/proxy';
import { eventually, useServer } from './support/server';
import { createRedisCluster } from './support/servers';

const { server, make, dependency, shared, fleet, openAll } = useFleet();
const proxy = useProxy(server);

afterEach(() => proxy.pass());

describe('in a partition', () => {
  const alone = (members: readonly Breaker[]) =>
    eventually(() => members.every((one) => !one.fleet!.connected));

  test('each goes by itself, says so once, and joins again', async () => {
    const members = await fleet(2, { timeout: 100 });
    const events = members.map(eventsOf);
    const errors: unknown[] = [];
    members[0]!.on('redis-error', (error) => errors.push(error));
    await server.kill();
    await alone(members);
    expect(members[0]!.fleet).toMatchObject({ state: 'unknown', members: 0, votes: 0 });
    dependency.isDown = true;
    await fire(members[0]!, 2);
    expect(states(members)).toEqual(['open', 'closed']);
    await eventually(() => members[0]!.state === 'halfOpen');
    dependency.isDown = false;
    await members[0]!.fire();
    expect(states(members)).toEqual(['closed', 'closed']);
    await server.start();
    await eventually(() => members.every((one) => one.fleet!.members === 2));
    expect(events[0]).toEqual(['redis-error', 'open', 'halfOpen', 'close', 'recovered']);
    expect(events[1]).toEqual(['redis-error', 'recovered']);
    expect(errors).toEqual([expect.any(RedisError)]);
    expect(members[0]!.fleet!.errors.connection).toBeGreaterThanOrEqual(2);
  });

  test('what the fleet had opened has its probes at their time', async () => {
    const members = await fleet(2, { timeout: 100 });
    await openAll(members);
    await server.kill();
    await alone(members);
    dependency.isDown = false;
    const stop = pour(members);
    await eventually(() => members.every((one) => one.state === 'closed'));
    await stop();
    for (const one of members) expect(one.fleet!.connected).toBe(false);
  });

  test('who has tripped alone votes when it is back', async () => {
    const members = await fleet(3, { timeout: 100 });
    await server.kill();
    await alone(members);
    dependency.isDown = true;
    const stop = pour(members.slice(0, 2));
    await eventually(() => members.slice(0, 2).every((one) => one.state === 'open'));
    await server.start();
    await eventually(() => members[2]!.fleet!.connected && members[2]!.state === 'open');
    await stop();
  });

  test('a Redis that says nothing holds up no call', async () => {
    const one = make(dependency, {
      shared: shared({ redis: { host: proxy.host, port: proxy.port }, timeout: 100 }),
    });
    await eventually(() => one.fleet!.connected);
    await proxy.swallow();
    await alone([one]);
    const began = performance.now();
    for (let n = 0; n < 1_000; n++) await one.fire();
    // One wait of its timeout would be 100 ms, a thousand of them minutes.
    expect(performance.now() - began).toBeLessThan(5_000);
    await proxy.pass();
    proxy.cut();
    await eventually(() => one.fleet!.connected);
  });

  test('one that never was connected goes by itself', async () => {
    const one = make(dependency, { shared: shared({ redis: 'redis://127.0.0.1:1' }) });
    const events = eventsOf(one);
    dependency.isDown = true;
    await fire(one, 2);
    expect(one.state).toBe('open');
    await eventually(() => events.includes('redis-error') && events.includes('halfOpen'));
    expect(events.filter((event) => event === 'redis-error')).toHaveLength(1);
  });
});

describe('a Redis that forgets', () => {
  test('its data: what is open stays open, with one probe a round', async () => {
    const members = await fleet(4);
    await openAll(members);
    dependency.calls = [];
    const stop = pour(members);
    for (let round = 1; round <= 5; round++) {
      await eventually(() => dependency.calls.length >= round);
      await server.command('FLUSHALL');
    }
    await eventually(() => dependency.calls.length >= 7);
    const failed = dependency.calls.length;
    dependency.isDown = false;
    await eventually(() => members.every((one) => one.state === 'closed'));
    await stop();
    expectOneProbeARound(dependency.calls.slice(0, failed), 7);
  });

  test('its scripts: nobody notices', async () => {
    const members = await fleet(2);
    for (let round = 0; round < 3; round++) {
      await server.command('SCRIPT', 'FLUSH');
      await openAll(members);
      dependency.isDown = false;
      const stop = pour(members);
      await closed(members);
      await stop();
    }
    for (const one of members) expect(Object.values(one.fleet!.errors)).toEqual(Array(6).fill(0));
  });

  test('every key ends by itself, and all of them are of one slot', async () => {
    const members = await fleet(2);
    await openAll(members);
    const keys: string[] = await server.command('KEYS', '*');
    expect(keys.sort()).toEqual(['cb:{dependency}', 'cb:{dependency}:members']);
    for (const key of keys) expect(Number(await server.command('PTTL', key))).toBeGreaterThan(0);
    for (const one of members) one.shutdown();
    await eventually(async () => (await server.command('KEYS', '*')).length === 0);
  });
});

describe('the way to Redis', () => {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  test.each<[string, () => Promise<CircuitBreakerSharedOptions['redis']>]>([
    ['a URL', async () => `redis://${server.host}:${server.port}/0`],
    [
      'ioredis',
      async () => {
        const client = new Redis({ host: server.host, port: server.port });
        ends.push(() => client.disconnect());
        return client;
      },
    ],
    [
      'node-redis',
      async () => {
        const client = createClient({ socket: { host: server.host, port: server.port } });
        ends.push(() => client.destroy());
        await client.connect();
        return client;
      },
    ],
  ])('%s', async (_, open) => {
    const redis = await open();
    const members = await fleet(3, { redis });
    await openAll(members);
    await server.command('SCRIPT', 'FLUSH');
    dependency.isDown = false;
    const stop = pour(members);
    await closed(members);
    await stop();
    for (const one of members) one.shutdown();
    await eventually(async () => Number(await server.command('EXISTS', 'cb:{dependency}:members')) === 0);
  });

  test.each<[string, () => any]>([
    [
      'that throws',
      () => {
        throw new Error('no');
      },
    ],
    ['that never answers', () => new Promise(() => {})],
    ['that answers something else', async () => ['x', 1]],
  ])('a client %s: the breaker goes by itself', async (_, evaluate) => {
    const redis = { eval: evaluate };
    const one = make(dependency, { shared: shared({ redis, timeout: 20 }) });
    const events = eventsOf(one);
    await eventually(() => events.includes('redis-error'));
    dependency.isDown = true;
    await fire(one, 2);
    await eventually(() => one.state === 'halfOpen');
  });

  describe('a Cluster', () => {
    const cluster = useServer(createRedisCluster());

    test('has a fleet at one of its nodes', async () => {
      const members = await fleet(3, { redis: cluster.config });
      await openAll(members);
      dependency.calls = [];
      const stop = pour(members);
      await eventually(() => dependency.calls.length >= 3);
      const failed = dependency.calls.length;
      dependency.isDown = false;
      await closed(members);
      await stop();
      expectOneProbeARound(dependency.calls.slice(0, failed), 3);
    });
  });
});
