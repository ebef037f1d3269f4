import { isDeepStrictEqual } from 'node:util';
import { DestroyedError, RedisError } from 'keelson';
import { useProxy } from './support/proxy';
import { connections, SLACK, times, useRedis } from './support/redis';
import { eventually } from './support/server';
import { createRedis } from './support/servers';
import { listened, Source, type Tier, type TierOptions, useTiers } from './support/tiered';

// What is done to a Redis while caches use it.

const server = useRedis();
const proxy = useProxy(server);
const { make, fleet } = useTiers(() => ({ host: proxy.host, port: proxy.port }));
const CALLERS = 50;
/** In milliseconds. */
const TIMEOUT = 300;
const QUICK: TierOptions = { l3: { timeout: TIMEOUT, staleness: 500 } };

/** Signals the server's process. */
async function stopped(): Promise<() => void> {
  const pid = Number(/process_id:(\d+)/.exec(await server.command('INFO', 'server'))![1]);
  process.kill(pid, 'SIGSTOP');
  return () => process.kill(pid, 'SIGCONT');
}
let heal: () => unknown = () => {};

afterEach(async () => {
  await heal();
  heal = () => {};
  await proxy.pass();
  if (!server.isRunning) await server.start();
  await server.command('FLUSHALL');
});

const FAULTS: [string, () => Promise<() => unknown>][] = [
  [
    'killed',
    async () => {
      await server.kill();
      return () => server.start();
    },
  ],
  ['stopped', stopped],
  [
    'cut off, connections refused',
    async () => {
      proxy.close();
      return () => proxy.listen();
    },
  ],
  [
    'cut off, connections swallowed',
    async () => {
      proxy.swallow();
      return async () => {
        await proxy.pass();
        proxy.cut();
      };
    },
  ],
];

const away = (tiers: Tier[]) => eventually(() => tiers.every(({ isUp }) => !isUp));
const back = (tiers: Tier[]) => eventually(() => tiers.every(({ isUp }) => isUp));
const everybody = (tiers: Tier[], call: (tier: Tier) => Promise<unknown>) =>
  times(CALLERS * tiers.length, (n) => call(tiers[n % tiers.length]!));

describe.each(FAULTS)('a Redis that is %s', (_, hurt) => {
  test('L1 and L2 go on, loads are single for each process, and what is changed is seen afterwards', async () => {
    const tiers = await fleet(2, QUICK);
    const [one, two] = tiers as [Tier, Tier];
    const source = new Source();
    const read = (tier: Tier, key: string) =>
      tier.cache.getOrLoad(key, source.load, { tags: [`tag of ${key}`] });
    const KEYS = ['same', 'set', 'deleted', 'tagged', 'other'];
    for (const key of KEYS) source.values.set(key, 'old');
    for (const tier of tiers) for (const key of KEYS) await read(tier, key);
    expect(source.loads).toEqual(KEYS);

    heal = await hurt();
    await away(tiers);
    source.loads.length = 0;
    one.l1.delete('same');
    for (const tier of tiers) expect(await read(tier, 'same')).toBe('old');
    expect([one, two].map(({ cache }) => cache.metrics().l2Hits)).toEqual([1, 0]);
    source.values.set('alone', 'local');
    expect(new Set(await everybody(tiers, (tier) => read(tier, 'alone')))).toEqual(new Set(['local']));
    expect(source.loads).toEqual(['alone', 'alone']);

    // Each side changes what the other one has.
    for (const key of KEYS.slice(1)) source.values.set(key, 'new');
    await one.cache.set('set', 'new');
    await two.cache.delete('deleted');
    await one.cache.invalidateTag('tag of tagged');
    await two.cache.set('other', 'new');
    await two.cache.set('both', 'two');
    source.values.set('both', 'one');
    await one.cache.set('both', 'one');
    expect(await one.cache.get('set')).toBe('new');
    expect(one.cache.metrics().redis).toMatchObject({ connected: false, owed: 3 });
    expect(tiers.map(({ events }) => events)).toEqual([['redis-error'], ['redis-error']]);
    expect(one.errors[0]).toBeInstanceOf(RedisError);

    await heal();
    heal = () => {};
    await back(tiers);
    const changed = KEYS.slice(1);
    const all = async () =>
      Promise.all(tiers.flatMap((tier) => [...changed, 'both'].map((key) => read(tier, key))));
    const wanted = tiers.flatMap(() => [...changed.map(() => 'new'), 'one']);
    // What one has told as it came back, the other hears at its next look at the latest.
    await eventually(async () => isDeepStrictEqual(await all(), wanted));
    expect(await all()).toEqual(wanted);
    for (const { cache, events } of tiers) {
      expect(cache.metrics().redis).toMatchObject({ connected: true, owed: 0 });
      expect(events).toEqual(['redis-error', 'recovered']);
    }
  });

  test('nobody waits for longer than its timeout, and later ones not at all', async () => {
    const [one] = await fleet(1, { l3: { timeout: TIMEOUT } });
    heal = await hurt();
    const began = performance.now();
    await times(CALLERS, (n) => one!.cache.getOrLoad(`key ${n}`, () => n));
    expect(performance.now() - began).toBeLessThan(TIMEOUT + SLACK);
    await away([one!]);
    const later = performance.now();
    for (let n = 0; n < CALLERS; n++) {
      await one!.cache.getOrLoad(`late ${n}`, () => n);
      await one!.cache.set(`late ${n}`, n);
      await one!.cache.invalidateTag(`late ${n}`);
    }
    // One timeout each would be 45 s.
    expect(performance.now() - later).toBeLessThan(5_000);
  });

  test('at the start of a cache: it goes by itself, and joins later', async () => {
    heal = await hurt();
    const one = make(QUICK);
    const began = performance.now();
    expect(await one.cache.getOrLoad('key', () => 'local')).toBe('local');
    expect(performance.now() - began).toBeLessThan(TIMEOUT + SLACK);
    await one.cache.set('set', 1);
    expect(one.cache.metrics().redis).toMatchObject({ connected: false, owed: 1, staleness: Infinity });
    await heal();
    heal = () => {};
    await back([one]);
    const [two] = await fleet(1);
    await one.cache.set('set', 2);
    expect(await two!.cache.get('set')).toBe(2);
    expect(one.events).toEqual(['redis-error', 'recovered']);
  });
});

test('more changes than one answer tells: who hears of them afterwards hears of all', async () => {
  const [one] = await fleet(1, QUICK);
  const { host, port } = server;
  const [two] = await fleet(1, { l3: { redis: { host, port } } });
  await listened(server, 'cache:{*}', 2);
  const keys = Array.from({ length: 2_350 }, (_, n) => `key ${n}`);
  await times(keys.length, (n) => two!.cache.set(keys[n]!, 'old'));
  proxy.close();
  await away([one!]);
  await times(keys.length, (n) => one!.cache.delete(keys[n]!));
  expect(one!.cache.metrics().redis!.owed).toBe(keys.length);
  await proxy.listen();
  await eventually(() => !keys.some((key) => two!.has(key)));
  expect(await times(keys.length, (n) => two!.cache.get(keys[n]!))).toEqual(keys.map(() => undefined));
});

test('a loader whose Redis goes away meanwhile: its callers get what it brings', async () => {
  const tiers = await fleet(2, QUICK);
  const source = new Source();
  source.values.set('key', 1);
  const open = source.close();
  const outcomes = everybody(tiers, ({ cache }) => cache.getOrLoad('key', source.load));
  await eventually(() => source.loads.length > 0);
  await server.kill();
  heal = () => server.start();
  // Who waited for the other one loads by itself.
  await eventually(() => source.loads.length === 2);
  open();
  expect(new Set(await outcomes)).toEqual(new Set([1]));
});

describe('a Redis that refuses', () => {
  const locked = createRedis({ requirepass: 'right' });
  beforeAll(() => locked.start());
  afterAll(() => locked.remove());
  const at = () => ({ host: locked.host, port: locked.port });

  test.each<[string, () => Promise<object>]>([
    ['no password', async () => ({})],
    ['a wrong password', async () => ({ password: 'wrong' })],
    [
      'a user who may run no scripts',
      async () => {
        await locked.command('ACL', 'SETUSER', 'weak', 'on', '>weak', '~*', '&*', '+@all', '-@scripting');
        return { username: 'weak', password: 'weak' };
      },
    ],
    [
      'a user who may touch no keys',
      async () => {
        await locked.command('ACL', 'SETUSER', 'poor', 'on', '>poor', '~none', '&*', '+@all');
        return { username: 'poor', password: 'poor' };
      },
    ],
  ])('%s: it says so once, and L1 and L2 go on', async (_, login) => {
    const one = make({ l3: { redis: { ...at(), ...(await login()) }, timeout: TIMEOUT, staleness: 50 } });
    const source = new Source();
    source.values.set('key', 1);
    const loads = await times(CALLERS, () => one.cache.getOrLoad('key', source.load));
    expect(new Set(loads)).toEqual(new Set([1]));
    expect(source.loads).toHaveLength(1);
    await one.cache.set('set', 2);
    await one.cache.invalidateTag('tag');
    expect(one.cache.getSync('set')).toBe(2);
    // After further attempts too.
    const { errors } = one.cache.metrics().redis!;
    const began = performance.now();
    await eventually(() => performance.now() - began > 500);
    expect(one.events).toEqual(['redis-error']);
    expect(one.errors[0]).toBeInstanceOf(RedisError);
    expect(errors).toBeLessThan(3);
  });
});

describe('the end', () => {
  test.each<[string, () => Promise<() => unknown>]>([['in good health', async () => () => {}], ...FAULTS])(
    'in the midst of everything, %s: nothing is left, and nothing comes after it',
    async (_, hurt) => {
      const rejections: unknown[] = [];
      const note = (reason: unknown) => rejections.push(reason);
      process.on('unhandledRejection', note);
      try {
        const [one, two] = (await fleet(2, { l3: { timeout: 2_000, staleness: 50 } })) as [Tier, Tier];
        const source = new Source();
        const open = source.close();
        const calls = everybody([one, two], (tier) =>
          Promise.allSettled([
            tier.cache.getOrLoad('key', source.load),
            tier.cache.get('other'),
            tier.cache.set(`set ${Math.random()}`, 1, { tags: ['tag'] }),
            tier.cache.delete('deleted'),
            tier.cache.invalidateTag('tag'),
          ]),
        );
        heal = await hurt();
        await Promise.all([one.cache.close(), two.cache.close()]);
        await one.cache.close();
        open();
        await calls;
        for (const call of [
          () => one.cache.get('key'),
          () => one.cache.getOrLoad('key', () => 1),
          () => one.cache.set('key', 1),
          () => one.cache.delete('key'),
          () => one.cache.invalidateTag('tag'),
          () => one.cache.clear(),
        ])
          await expect(call()).rejects.toMatchObject({ code: 'ERR_KEELSON_DESTROYED' });
        expect(() => one.cache.getSync('key')).toThrow(DestroyedError);
        await heal();
        heal = () => {};
        await proxy.pass();
        if (!server.isRunning) await server.start();
        await eventually(async () => (await connections(server)) === 0);
        const clients: string = await server.command('CLIENT', 'LIST', 'TYPE', 'pubsub');
        expect(clients.trim()).toBe('');
        expect(rejections).toEqual([]);
      } finally {
        process.off('unhandledRejection', note);
      }
    },
  );
});
