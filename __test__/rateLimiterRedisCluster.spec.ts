import { Load } from './support/limiterLoad';
import { ALGORITHMS, connections, PATIENCE, SLACK, storeEvents, times, useLimiters } from './support/redis';
import { eventually, useServer } from './support/server';
import { createRedisCluster } from './support/servers';

const QUOTA = 50;
const CALLERS = 32;
const KEYS = Array.from({ length: 60 }, (_, n) => `key ${n}`);
const QUICK = { backoffMin: 5, backoffMax: 50 };

// What is asked of a node that lives is answered, whatever becomes of the others.
const cluster = useServer(createRedisCluster({ 'cluster-require-full-coverage': 'no' }));
const make = useLimiters();
const limiter = (config = {}) =>
  make({ redis: cluster.config, maxRequests: QUOTA, breaker: QUICK, blockCache: 0, ...config });

afterEach(async () => {
  for (const node of cluster.nodes) if (!node.isRunning) await node.start();
  await eventually(() => cluster.isReady());
  for (const node of cluster.nodes) await node.command('FLUSHALL');
});

/** The names at a node. */
const namesAt = (node: (typeof cluster.nodes)[number]): Promise<string[]> => node.command('KEYS', '*');

test.each(ALGORITHMS)('%s: each key has its quota, wherever it is', async (algorithm) => {
  const one = limiter({ algorithm });
  const load = new Load(one, KEYS);
  await times(2 * QUOTA * KEYS.length, () => load.ask());
  load.expectAnswered(PATIENCE);
  expect(load.sources).toEqual(['redis']);
  for (const key of KEYS) {
    const mine = load.decisions.filter((decision) => decision.key === key);
    expect(mine.filter(({ allowed }) => allowed)).toHaveLength(QUOTA);
  }
  const names = await Promise.all(cluster.nodes.map(namesAt));
  expect(names.flat()).toHaveLength(KEYS.length);
  // Each has its part of them.
  for (const some of names) expect(some.length).toBeGreaterThan(0);
});

test('many checks are few calls: keys share slots', async () => {
  const one = limiter({ maxRequests: 10_000 });
  const keys = Array.from({ length: 500 }, (_, n) => `many ${n}`);
  await one.checkMany(keys);
  const calls = async () => {
    const stats: string[] = await Promise.all(
      cluster.nodes.map((node) => node.command('INFO', 'commandstats')),
    );
    const counts = stats.map((text) => Number(/cmdstat_evalsha:calls=(\d+)/.exec(text)?.[1] ?? 0));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  const before = await calls();
  await one.checkMany(keys);
  expect((await calls()) - before).toBeLessThanOrEqual(256);
});

test('slots that are moved under load: every check is answered by Redis, and counted once', async () => {
  const one = limiter({ maxRequests: 1_000_000 });
  const events = storeEvents(one);
  const load = new Load(one, KEYS);
  const stop = load.keepAsking(CALLERS);
  await load.next(5 * KEYS.length, 'redis');
  for (let round = 0; round < 6; round++) {
    const from = cluster.nodes[round % 3]!;
    const to = cluster.nodes[(round + 1) % 3]!;
    const [name] = await namesAt(from);
    // Clients are sent to and fro in the midst of it.
    await cluster.migrate(await cluster.slotOf(name!), to, () => load.next(2 * KEYS.length, 'redis'));
    await load.next(2 * KEYS.length, 'redis');
  }
  await stop();
  load.expectAnswered(PATIENCE);
  expect(load.sources).toEqual(['redis']);
  expect(events).toEqual([]);
  expect(load.admitted()).toBe(load.asked);
  const states = await one.checkMany(KEYS.map((key) => ({ key, cost: 1 })));
  const counted = states.reduce((sum, { limit, remaining }) => sum + limit - remaining, 0);
  expect(counted).toBe(load.asked + KEYS.length);
});

test('slots that are moved under load: the quota of each key is exact', async () => {
  const load = new Load(limiter(), KEYS);
  const stop = load.keepAsking(CALLERS);
  await load.next(10 * KEYS.length, 'redis');
  const [name] = await namesAt(cluster.nodes[0]!);
  await cluster.migrate(await cluster.slotOf(name!), cluster.nodes[2]!, () =>
    load.next(10 * KEYS.length, 'redis'),
  );
  await eventually(() => load.admitted() >= QUOTA * KEYS.length);
  await load.next(2 * KEYS.length, 'redis');
  await stop();
  load.expectAnswered(PATIENCE);
  expect(load.admitted()).toBe(QUOTA * KEYS.length);
});

test('a node that dies: its keys are decided locally and in time, until it is back', async () => {
  const TIMEOUT = 200;
  const one = limiter({ maxRequests: 1_000_000, storeTimeout: TIMEOUT, onStoreError: 'local' });
  const events = storeEvents(one);
  const load = new Load(one, KEYS);
  const stop = load.keepAsking(CALLERS);
  await load.next(5 * KEYS.length, 'redis');
  const node = cluster.nodes[1]!;
  await node.kill();
  await load.next(5 * KEYS.length, 'local');
  await node.start();
  await eventually(() => cluster.isReady());
  await load.next(5 * KEYS.length, 'redis');
  const moment = performance.now();
  await eventually(() => {
    const last = load.since(moment).slice(-3 * KEYS.length);
    return last.length === 3 * KEYS.length && last.every(({ source }) => source === 'redis');
  });
  await stop();
  load.expectAnswered(TIMEOUT + SLACK);
  expect(load.admitted()).toBe(load.asked);
  expect(events).toContain('redis-error');
  expect(events.at(-1)).toBe('recovered');
});

test('scripts forgotten and connections killed at every node: every check is answered', async () => {
  const load = new Load(limiter({ maxRequests: 1_000_000 }), KEYS);
  const stop = load.keepAsking(CALLERS);
  for (let round = 0; round < 5; round++) {
    await load.next(KEYS.length, 'redis');
    for (const node of cluster.nodes) await node.command('SCRIPT', 'FLUSH');
    await load.next(KEYS.length, 'redis');
    for (const node of cluster.nodes) await node.command('CLIENT', 'KILL', 'TYPE', 'normal');
  }
  await load.next(KEYS.length, 'redis');
  await stop();
  load.expectAnswered(PATIENCE + SLACK);
});

test('one known node is enough to find the others, and nothing is left when the limiter is destroyed', async () => {
  const { cluster: addresses } = cluster.config;
  const one = limiter({ redis: { cluster: addresses.slice(0, 1) } });
  const results = await one.checkMany(KEYS);
  expect(results.every(({ source, allowed }) => source === 'redis' && allowed)).toBe(true);
  one.destroy();
  for (const node of cluster.nodes) await eventually(async () => (await connections(node)) === 0);
});
