import { Redis } from 'ioredis';
import { CircuitBreaker, type CircuitBreakerSharedOptions, InvalidArgumentError, RedisError } from 'keelson';
import { createClient } from 'redis';
import {
  Dependency,
  expectOneProbeARound,
  fire,
  gaps,
  INTERVAL,
  pour,
  RESET,
  useBreakers,
} from './support/fleet';
import { useProxy } from './support/proxy';
import { useRedis } from './support/redis';
import { eventually, useServer } from './support/server';
import { createRedisCluster } from './support/servers';

const server = useRedis();
const proxy = useProxy(server);
const make = useBreakers();

/** A `resetTimeout` that no test lives to see the end of. */
const FAR = 3600_000;

type Breaker = CircuitBreaker<[], string>;

afterEach(async () => {
  await proxy.pass();
  if (!server.isRunning) await server.start();
  await server.command('FLUSHALL');
});

let dependency: Dependency;
beforeEach(() => {
  dependency = new Dependency();
});

const shared = (more: Partial<CircuitBreakerSharedOptions> = {}) => ({ redis: server.config, ...more });

/** So many members that know of each other. */
async function fleet(
  count: number,
  more: Partial<CircuitBreakerSharedOptions> = {},
  resetTimeout = RESET,
): Promise<Breaker[]> {
  const members = Array.from({ length: count }, () =>
    make(dependency, { resetTimeout, shared: shared(more) }),
  );
  await eventually(() => members.every((one) => one.fleet!.members === count));
  return members;
}

const states = (members: readonly Breaker[]) => members.map(({ state }) => state);
const closed = (members: readonly Breaker[]) =>
  eventually(() => members.every((one) => one.state === 'closed' && one.fleet!.state === 'closed'));
/** All have opened; one of them may be half-open already. */
const opened = (members: readonly Breaker[]) =>
  eventually(() =>
    members.every(
      (one) => (one.opened || one.fleet!.probing) && ['open', 'halfOpen'].includes(one.fleet!.state),
    ),
  );

/** Has enough members fail to open all. */
async function openAll(members: readonly Breaker[]): Promise<void> {
  dependency.isDown = true;
  await Promise.all(members.map((one) => fire(one, 2)));
  await opened(members);
}

/** Events of a member by name, in order. */
function eventsOf(breaker: Breaker): string[] {
  const events: string[] = [];
  for (const event of ['open', 'halfOpen', 'close', 'redis-error', 'recovered'] as const)
    breaker.on(event, () => events.push(event));
  return events;
}

describe('the quorum', () => {
  test('one member of three that fails opens by itself, votes, and takes its vote back', async () => {
    const members = await fleet(3, { quorum: 2 });
    const [one, two] = members as [Breaker, Breaker, Breaker];
    dependency.isDown = true;
    await fire(one, 2);
    expect(states(members)).toEqual(['open', 'closed', 'closed']);
    await eventually(() => two.fleet!.votes === 1);
    expect(two.fleet).toMatchObject({ connected: true, state: 'closed', members: 3, votes: 1 });
    dependency.isDown = false;
    // Its own resetTimeout, its own probe.
    await eventually(() => one.state === 'halfOpen');
    await one.fire();
    expect(one.state).toBe('closed');
    await eventually(() => two.fleet!.votes === 0);
    expect(states(members)).toEqual(['closed', 'closed', 'closed']);
  });

  test('two of three open the third, which saw no failure', async () => {
    const members = await fleet(3, {}, FAR);
    const [one, two, three] = members as [Breaker, Breaker, Breaker];
    const events = eventsOf(three);
    dependency.isDown = true;
    await Promise.all([fire(one, 2), fire(two, 2)]);
    await opened(members);
    expect(events).toEqual(['open']);
    expect(three.metrics()).toMatchObject({ fires: 0, opened: 1, fleet: { state: 'open', votes: 0 } });
    const error = await three.fire().catch((reason) => reason);
    expect(error).toMatchObject({ code: 'ERR_KEELSON_BREAKER_OPEN' });
    expect(error.retryAfter).toBeGreaterThan(FAR / 2);
    expect(error.retryAfter).toBeLessThanOrEqual(FAR);
  });

  test('a whole number is so many votes', async () => {
    const members = await fleet(3, { quorum: 1 }, FAR);
    dependency.isDown = true;
    await fire(members[0]!, 2);
    await opened(members);
  });

  test('a share is of the members that are alive', async () => {
    const members = await fleet(3);
    members[2]!.shutdown();
    await eventually(() => members[0]!.fleet!.members === 2);
    dependency.isDown = true;
    await fire(members[0]!, 2);
    await opened(members.slice(0, 2));
  });

  test('who joins later is open too', async () => {
    const members = await fleet(2, {}, FAR);
    await openAll(members);
    const late = make(dependency, { resetTimeout: FAR, shared: shared() });
    await eventually(() => late.state === 'open');
    expect(late.fleet!.members).toBe(3);
  });

  test('breakers of another name or prefix are another fleet', async () => {
    const members = await fleet(2);
    const others = [
      make(dependency, { name: 'other', shared: shared() }),
      make(dependency, { shared: shared({ prefix: 'other:' }) }),
    ];
    await openAll(members);
    await eventually(() => others.every((one) => one.fleet!.connected));
    expect(others.map((one) => [one.state, one.fleet!.members])).toEqual(Array(2).fill(['closed', 1]));
  });
});

describe('the probe', () => {
  test('in each round one call of the whole fleet is let through, until one succeeds and closes all', async () => {
    const members = await fleet(5);
    await openAll(members);
    dependency.calls = [];
    const stop = pour(members);
    await eventually(() => dependency.calls.length >= 10);
    dependency.isDown = false;
    const failed = dependency.calls.length;
    await eventually(() => members.every((one) => one.state === 'closed'));
    await stop();
    expectOneProbeARound(dependency.calls.slice(0, failed), 10);
  });

  test('a probe that takes its time keeps the lease', async () => {
    const members = await fleet(3);
    await openAll(members);
    dependency.calls = [];
    dependency.takes = 4 * INTERVAL;
    const stop = pour(members);
    await eventually(() => dependency.calls.length >= 3);
    await stop();
    expectOneProbeARound(dependency.calls, 3);
    expect(Math.min(...gaps(dependency.calls))).toBeGreaterThan(dependency.takes + RESET - 2);
  });

  test('who has the lease and no calls gives it to who has some', async () => {
    const members = await fleet(3);
    const [busy] = members as [Breaker, ...Breaker[]];
    for (let round = 0; round < 5; round++) {
      await openAll(members);
      dependency.isDown = false;
      await eventually(() => members.some((one) => one.fleet!.probing));
      const stop = pour([busy]);
      await closed(members);
      await stop();
    }
  });

  test('a round of several probes is not taken from who has few calls', async () => {
    const settings = { resetTimeout: 60_000, halfOpenCalls: 3 };
    const members = [0, 1].map(() => make(dependency, { ...settings, shared: shared() }));
    await eventually(() => members.every((one) => one.fleet!.members === 2));
    // As if its time had come.
    await openAll(members);
    await server.command('HSET', 'cb:{dependency}', 'due', '0');
    await eventually(() => members.some((one) => one.fleet!.probing));
    const holder = members.find((one) => one.fleet!.probing)!;
    const other = members.find((one) => one !== holder)!;
    dependency.isDown = false;
    await holder.fire();
    // The other one has calls all the time, and asks for the lease.
    const stop = pour([other]);
    await eventually(async () => Number(await server.command('HGET', 'cb:{dependency}', 'wanted')) > 0);
    const heard = Number(await server.command('HGET', 'cb:{dependency}', 'lease'));
    await eventually(async () => Number(await server.command('HGET', 'cb:{dependency}', 'lease')) > heard);
    expect(holder.fleet!.probing).toBe(true);
    await holder.fire();
    await holder.fire();
    await closed(members);
    await stop();
  });

  test('without calls a member waits half-open, and the others hear of it', async () => {
    const members = await fleet(2);
    await openAll(members);
    await eventually(() => members.every((one) => one.fleet!.state === 'halfOpen'));
    expect(states(members).sort()).toEqual(['halfOpen', 'open']);
    expect(members.filter((one) => one.fleet!.probing)).toHaveLength(1);
  });

  test('what a probe’s own listener causes is not lost', async () => {
    const members = await fleet(2);
    const [one] = members as [Breaker, Breaker];
    const failing = new CircuitBreaker<[], string>(
      () => {
        throw new Error('at once');
      },
      { name: 'listener', volumeThreshold: 1, resetTimeout: RESET, shared: shared({ interval: INTERVAL }) },
    );
    const events = eventsOf(failing);
    const probes: number[] = [];
    failing.on('halfOpen', () => {
      probes.push(performance.now());
      void failing.fire().catch(() => {});
    });
    await eventually(() => failing.fleet!.connected);
    await fire(failing, 1);
    await eventually(() => probes.length >= 4);
    expectOneProbeARound(probes, 4);
    expect(events).not.toContain('close');
    failing.shutdown();
    expect(one.state).toBe('closed');
  });
});

describe('orders', () => {
  test('open() is this breaker’s own: it does not vote', async () => {
    const members = await fleet(2);
    members[0]!.open();
    await eventually(() => members[0]!.state === 'halfOpen');
    expect(members[1]!.fleet).toMatchObject({ state: 'closed', votes: 0 });
    expect(members[1]!.state).toBe('closed');
  });

  test('forceOpen() outlasts what the fleet does', async () => {
    const members = await fleet(3);
    members[0]!.forceOpen();
    const others = members.slice(1);
    dependency.isDown = true;
    await Promise.all(others.map((one) => fire(one, 2)));
    await opened(others);
    await eventually(() => members[0]!.fleet!.state !== 'closed');
    dependency.isDown = false;
    const stop = pour(others);
    await eventually(() => others.every((one) => one.state === 'closed'));
    await stop();
    await eventually(() => members[0]!.fleet!.state === 'closed');
    expect(members[0]!.state).toBe('forcedOpen');
    members[0]!.close();
    expect(members[0]!.state).toBe('closed');
  });

  test('close() of a member holds until the fleet’s next turn', async () => {
    const members = await fleet(2, {}, 2 * INTERVAL);
    await openAll(members);
    const [one] = members as [Breaker, Breaker];
    one.close();
    await fire(one, 1);
    expect(one.fleet!.connected).toBe(true);
    expect(one.state).toBe('closed');
    // Its own calls open it again, and then it waits for the fleet's probe like all.
    await fire(one, 1);
    expect(one.state).toBe('open');
    dependency.isDown = false;
    const stop = pour(members);
    await closed(members);
    await stop();
  });

  test('the lease’s holder that is closed by order gives it back', async () => {
    const members = await fleet(2);
    await openAll(members);
    await eventually(() => members.some((one) => one.fleet!.probing));
    const holder = members.find((one) => one.fleet!.probing)!;
    const other = members.find((one) => one !== holder)!;
    holder.close();
    await eventually(() => other.fleet!.probing);
    expect(holder.state).toBe('closed');
  });

  test('restore() is an order too', async () => {
    const members = await fleet(2);
    const [one, two] = members as [Breaker, Breaker];
    one.restore({ ...two.toJSON(), state: 'open', halfOpenAt: Date.now() + 60_000 });
    expect(one.state).toBe('open');
    expect(() => one.restore({} as never)).toThrow(InvalidArgumentError);
    await eventually(() => two.fleet!.members === 2);
    expect(two.fleet!.votes).toBe(0);
  });
});

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

describe('options', () => {
  const refused = (options: object, name: string | undefined = 'x') => {
    const given = { name, shared: options } as any;
    const build = () => new CircuitBreaker(dependency.call, given);
    expect(build).toThrow(InvalidArgumentError);
    return expect(build);
  };

  test('are checked', () => {
    const redis = 'redis://127.0.0.1';
    for (const [options, word] of [
      [{}, 'redis'],
      [{ redis: 7 }, 'redis'],
      [{ redis: 'http://x' }, 'redis'],
      [{ redis, quorum: 0 }, 'shared.quorum'],
      [{ redis, quorum: 1.5 }, 'shared.quorum'],
      [{ redis, quorum: Number.NaN }, 'shared.quorum'],
      [{ redis, interval: 9 }, 'shared.interval'],
      [{ redis, timeout: 0 }, 'shared.timeout'],
      [{ redis, prefix: 'a{}' }, 'shared.prefix'],
      [{ redis, prefx: '' }, 'shared.prefx'],
    ] as const)
      refused(options).toThrow(`"${word}`);
    refused({ redis }, '').toThrow('"name"');
    refused({ redis }, '}').toThrow('"name"');
  });

  test('an action without a name needs one: a number would be another breaker’s in the next process', () => {
    const build = () => new CircuitBreaker(async () => {}, { shared: { redis: 'redis://127.0.0.1' } });
    expect(build).toThrow(/"name" must be/);
  });

  test('a breaker that shares nothing has no fleet', () => {
    const one = new CircuitBreaker(dependency.call);
    expect(one.fleet).toBeUndefined();
    expect(one.metrics()).not.toHaveProperty('fleet');
  });
});
