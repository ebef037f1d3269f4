import { connections, times } from './support/redis';
import { eventually, useServer } from './support/server';
import { createRedisCluster } from './support/servers';
import { Source, type Tier, useTiers } from './support/tiered';

// What is asked of a node that lives is answered, whatever becomes of the others.
const cluster = useServer(createRedisCluster({ 'cluster-require-full-coverage': 'no' }));
const { make, fleet } = useTiers(() => cluster.config);
const KEYS = Array.from({ length: 60 }, (_, n) => `key ${n}`);
const CALLERS = 20;

afterEach(async () => {
  for (const node of cluster.nodes) if (!node.isRunning) await node.start();
  await eventually(() => cluster.isReady());
  for (const node of cluster.nodes) await node.command('FLUSHALL');
});

/** So many who hear of changes at once, at whatever node they listen. */
async function listeners(count: number): Promise<Tier[]> {
  const tiers = await fleet(count);
  const counts = async () => {
    const all = await Promise.all(cluster.nodes.map((node) => node.command('PUBSUB', 'NUMSUB', 'cache:{*}')));
    return all.reduce((sum, [, listening]) => sum + listening, 0);
  };
  await eventually(async () => (await counts()) === count);
  return tiers;
}

test('keys over all nodes: one load of each in the fleet, and changes are heard of at once', async () => {
  const tiers = await listeners(3);
  const source = new Source();
  for (const key of KEYS) source.values.set(key, `value of ${key}`);
  const read = (tier: Tier, key: string) => tier.cache.getOrLoad(key, source.load, { tags: [key, 'tag'] });
  for (const key of KEYS) {
    const values = await times(3 * CALLERS, (n) => read(tiers[n % 3]!, key));
    expect(new Set(values)).toEqual(new Set([`value of ${key}`]));
  }
  expect(source.loads).toEqual(KEYS);
  for (const node of cluster.nodes)
    expect((await node.command('KEYS', 'cache:{=*')).length).toBeGreaterThan(0);

  const began = performance.now();
  for (const [n, key] of KEYS.entries()) {
    if (n % 3 === 0) await tiers[0]!.cache.set(key, 'new');
    else if (n % 3 === 1) await tiers[1]!.cache.delete(key);
    else await tiers[2]!.cache.invalidateTag(key);
  }
  await eventually(() => KEYS.every((key, n) => tiers.every((tier, who) => who === n % 3 || !tier.has(key))));
  for (const [n, key] of KEYS.entries())
    for (const tier of tiers) expect(await tier.cache.get(key)).toBe(n % 3 === 0 ? 'new' : undefined);
  await tiers[0]!.cache.clear();
  await eventually(() => tiers.every((tier) => !KEYS.some((key) => tier.has(key))));
  expect(performance.now() - began).toBeLessThan(15_000);
  for (const tier of [...tiers, make()])
    expect(await times(KEYS.length, (n) => tier.cache.get(KEYS[n]!))).toEqual(KEYS.map(() => undefined));
  expect(tiers.flatMap(({ events }) => events)).toEqual([]);
});

test('a load is fenced, whichever node has its key', async () => {
  const tiers = await listeners(2);
  const source = new Source();
  for (const key of KEYS) source.values.set(key, 'old');
  const open = source.close();
  const loads = times(KEYS.length, (n) => tiers[0]!.cache.getOrLoad(KEYS[n]!, source.load));
  await eventually(() => source.loads.length === KEYS.length);
  await times(KEYS.length, (n) => tiers[1]!.cache.set(KEYS[n]!, 'new'));
  open();
  expect(new Set(await loads)).toEqual(new Set(['old']));
  await eventually(() => tiers[0]!.cache.metrics().invalidations === KEYS.length);
  for (const tier of tiers) for (const key of KEYS) expect(await tier.cache.get(key)).toBe('new');
});

test('slots that are moved meanwhile: all agree afterwards', async () => {
  const tiers = await listeners(2);
  let version = 0;
  const round = async () => {
    version++;
    await times(KEYS.length, (n) => tiers[version % 2]!.cache.set(KEYS[n]!, version));
  };
  const settled = async () => {
    await eventually(() => tiers.every(({ isUp, cache }) => isUp && cache.metrics().redis!.owed === 0));
    await round();
    await eventually(() => KEYS.every((key) => !tiers[(version + 1) % 2]!.has(key)));
    for (const tier of tiers) for (const key of KEYS) expect(await tier.cache.get(key)).toBe(version);
  };
  await round();
  // That of the news, and one of a key.
  for (const name of ['cache:{*}news', `cache:{=${KEYS[0]}}`]) {
    const slot = await cluster.slotOf(name);
    const from = await cluster.ownerOf(slot);
    let goesOn = true;
    const stream = (async () => {
      while (goesOn) await round();
    })();
    await cluster.migrate(slot, cluster.nodes.find((node) => node !== from)!);
    goesOn = false;
    await stream;
    await settled();
  }
  expect(tiers.flatMap(({ events }) => events)).toEqual([]);
});

test.each([true, false])(
  'a node that dies, and has the news: %p. All go on, and agree afterwards',
  async (hasNews) => {
    const tiers = await fleet(2, { l3: { timeout: 300, staleness: 500 } });
    const news = await cluster.ownerOf(await cluster.slotOf('cache:{*}news'));
    const node = hasNews ? news : cluster.nodes.find((one) => one !== news)!;
    const source = new Source();
    const read = (tier: Tier, key: string) => tier.cache.getOrLoad(key, source.load);
    for (const key of KEYS) source.values.set(key, 'old');
    for (const tier of tiers) await times(KEYS.length, (n) => read(tier, KEYS[n]!));
    await node.kill();
    for (const tier of tiers)
      expect(await times(KEYS.length, (n) => read(tier, KEYS[n]!))).toEqual(KEYS.map(() => 'old'));
    for (const key of KEYS) source.values.set(key, 'new');
    for (const key of KEYS) await tiers[0]!.cache.delete(key);
    expect(await times(KEYS.length, (n) => read(tiers[0]!, KEYS[n]!))).toEqual(KEYS.map(() => 'new'));
    expect(tiers[0]!.events[0]).toBe('redis-error');
    await node.start();
    await eventually(() => cluster.isReady());
    await eventually(() => tiers.every(({ isUp, cache }) => isUp && cache.metrics().redis!.owed === 0));
    await eventually(async () => {
      const found = await times(2 * KEYS.length, (n) => read(tiers[n % 2]!, KEYS[Math.floor(n / 2)]!));
      return found.every((value) => value === 'new');
    }, 5_000);
    expect(tiers[0]!.events.at(-1)).toBe('recovered');
  },
);

test('one known node is enough, and nothing is left at the end', async () => {
  const [one] = await fleet(1, { l3: { redis: { cluster: cluster.config.cluster.slice(0, 1) } } });
  await times(KEYS.length, (n) => one!.cache.set(KEYS[n]!, n));
  const two = make();
  expect(await times(KEYS.length, (n) => two.cache.get(KEYS[n]!))).toEqual(KEYS.map((_, n) => n));
  await Promise.all([one!.cache.close(), two.cache.close()]);
  for (const node of cluster.nodes) {
    await eventually(async () => (await connections(node)) === 0);
    expect((await node.command('CLIENT', 'LIST', 'TYPE', 'pubsub')).trim()).toBe('');
  }
});
