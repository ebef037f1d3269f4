import { join } from 'node:path';
import { SharedCache } from 'keelson';
import { temporaryFolder } from './support/process';
import { SLACK, times, useRedis } from './support/redis';
import { eventually } from './support/server';
import { listened, type Tier, type TierOptions, useTiers } from './support/tiered';

// What is heard of changes, by whom who gets no messages, who was away, or who comes later.

/** Its other user gets no messages, and may send none. */
const server = useRedis({ user: 'deaf on >deaf ~* +@all resetchannels' });
const { make, fleet } = useTiers(() => server.config);
const CHANNEL = 'cache:{*}';
const [NEWS, TAGS, LAST] = [`${CHANNEL}news`, `${CHANNEL}tags`, `${CHANNEL}last`];

afterEach(() => server.command('FLUSHALL'));

/** Those who get no messages: they hear of changes within that many milliseconds. */
const deaf = (count: number, staleness: number, options: TierOptions = {}): Promise<Tier[]> => {
  const redis = { ...server.config, username: 'deaf', password: 'deaf' };
  return fleet(count, { ...options, l3: { redis, staleness } });
};

/** Has all tiers of a cache hold some keys. */
const warm = (tiers: Tier[], keys: string[]): Promise<unknown> =>
  Promise.all(
    tiers.map((tier) =>
      Promise.all(keys.map((key) => tier.cache.getOrLoad(key, () => 'old', { tags: ['tag'] }))),
    ),
  );
const keysOf = (count: number): string[] => Array.from({ length: count }, (_, n) => `key ${n}`);
const held = (tier: Tier, keys: string[]): number => keys.filter((key) => tier.has(key)).length;

/** Lets go of the news until now, as happens when they are old. */
async function trim(): Promise<void> {
  const position = await server.command('HGET', LAST, 'position');
  await make().cache.invalidateTag('another');
  await server.command('ZREMRANGEBYSCORE', NEWS, '-inf', position);
  await server.command('HSET', LAST, 'floor', position);
}

/** The deaf may change things all the same. */
const CHANGES: [string, (tier: Tier) => Promise<void>][] = [
  ['set', (tier) => tier.cache.set('key 0', 'new')],
  ['delete', (tier) => tier.cache.delete('key 0')],
  ['invalidateTag', (tier) => tier.cache.invalidateTag('tag')],
  ['clear', (tier) => tier.cache.clear()],
];

test.each(CHANGES)('%s: without messages it is heard of within the staleness', async (_, change) => {
  const STALENESS = 500;
  const tiers = await deaf(2, STALENESS);
  const [writer] = await deaf(1, STALENESS);
  for (let round = 0; round < 3; round++) {
    await warm(tiers, ['key 0']);
    await change(writer!);
    const changed = performance.now();
    await eventually(() => tiers.every((tier) => !tier.has('key 0')));
    expect(performance.now() - changed).toBeLessThan(STALENESS + SLACK);
    await writer!.cache.delete('key 0');
  }
  expect([...tiers, writer!].flatMap(({ events }) => events)).toEqual([]);
});

test('messages that are lost: what they told is heard of as soon as there are some again', async () => {
  const tiers = await fleet(2);
  await listened(server, CHANNEL, 2);
  const keys = keysOf(200);
  await warm(tiers, keys);
  const began = performance.now();
  for (const key of keys) {
    if (Number(key.slice(4)) % 10 === 0) await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await tiers[0]!.cache.delete(key);
  }
  await eventually(() => held(tiers[1]!, keys) === 0);
  // By the next look it would have been 20 s.
  expect(performance.now() - began).toBeLessThan(15_000);
  expect(tiers.flatMap(({ events }) => events)).toEqual([]);
});

test('more news at once than one answer has', async () => {
  const [listener] = await deaf(1, 3000);
  const [writer] = await fleet(1);
  const keys = keysOf(3500);
  await warm([listener!], keys);
  await Promise.all(keys.map((key) => writer!.cache.delete(key)));
  await eventually(() => held(listener!, keys) === 0);
  expect(listener!.cache.metrics().invalidations).toBe(3500);
});

test('more than are kept: whoever was away lets go of all', async () => {
  const [listener] = await deaf(1, 5000);
  const [writer] = await fleet(1);
  await warm([listener!], keysOf(10));
  await writer!.cache.delete('key 3');
  // As if others had changed a hundred thousand other keys.
  const first = Number(await server.command('HGET', LAST, 'position'));
  await eventually(() => Date.now() * 1000 > first + 100_000);
  for (let from = 0; from < 100_000; from += 10_000) {
    const filler = Array.from({ length: 10_000 }, (_, n) => [first + from + n + 1, `k=filler ${from + n}`]);
    await server.command('ZADD', NEWS, ...filler.flat());
  }
  await server.command('HSET', LAST, 'position', first + 100_000);
  await writer!.cache.delete('another');
  expect(Number(await server.command('ZCARD', NEWS))).toBe(100_000);
  await eventually(() => held(listener!, keysOf(10)) === 0);
  expect(listener!.cache.metrics().redis).toMatchObject({ connected: true });
});

test('news that are not kept any more: whoever was away lets go of all, and hears what comes', async () => {
  const [listener] = await deaf(1, 1000);
  const [writer] = await fleet(1);
  await warm([listener!], keysOf(10));
  await writer!.cache.delete('key 3');
  await trim();
  await eventually(() => held(listener!, keysOf(10)) === 0);
  await warm([listener!], keysOf(10));
  await writer!.cache.delete('key 3');
  await eventually(() => !listener!.has('key 3'));
  expect(held(listener!, keysOf(10))).toBe(9);
});

test.each<[string, () => Promise<unknown>]>([
  ['all', () => server.command('FLUSHALL')],
  ['all, as it was restarted', () => server.kill().then(() => server.start())],
  ['the news', () => server.command('DEL', NEWS)],
  ['the tags', () => server.command('DEL', TAGS)],
  ['the latest position', () => server.command('DEL', LAST)],
])('Redis loses %s, and others go on before all have heard of the last change', async (_, lose) => {
  const [listener] = await deaf(1, 2000);
  const [one, two] = await fleet(2);
  await warm([listener!], keysOf(5));
  await one!.cache.delete('key 0');
  await one!.cache.invalidateTag('tag');
  const isLate = () => held(listener!, keysOf(5)) === 0;
  if (isLate()) throw new Error('It has heard before: nothing is shown');
  await lose();
  await two!.cache.set('another', 1, { tags: ['tag'] });
  await eventually(isLate);
  for (const tier of [one!, listener!, make()]) {
    expect(await tier.cache.get('key 0')).toBeUndefined();
    expect(await tier.read('key 1')).toBe('nothing');
  }
});

describe('who comes later', () => {
  test('knows what was invalidated before, also by tags that it never saw', async () => {
    const [one, two] = await fleet(2);
    for (const key of ['a', 'b', 'c']) await one!.cache.set(key, 'old', { tags: [key, 'tag'] });
    await two!.cache.invalidateTag('a');
    await two!.cache.delete('b');
    const late = make();
    expect(await times(3, (n) => late.cache.get('abc'[n]!))).toEqual([undefined, undefined, 'old']);
    await two!.cache.clear();
    expect(await make().cache.get('c')).toBeUndefined();
  });

  /** A cache whose L2 is what another one's was, before something happened. */
  async function restored(happens: (writer: Tier) => Promise<unknown>): Promise<Tier> {
    const { folder, remove } = temporaryFolder();
    try {
      const [first, writer] = await fleet(2);
      for (const key of keysOf(10)) await first!.cache.set(key, 'old', { tags: [`tag of ${key}`] });
      await first!.l2.snapshot(join(folder, 'l2'));
      await happens(writer!);
      const l2 = new SharedCache({ name: folder });
      await l2.restore(join(folder, 'l2'));
      return make({ l2, l3: { timeout: 500, staleness: 500 } });
    } finally {
      remove();
    }
  }

  test('with an L2 of before gives nothing of it that was changed since, and the rest', async () => {
    const late = await restored(async ({ cache }) => {
      await cache.delete('key 0');
      await cache.set('key 1', 'new');
      await cache.invalidateTag('tag of key 2');
    });
    expect(keysOf(10).map((key) => late.cache.getSync(key))).toEqual(Array(10).fill(undefined));
    const values = await times(10, (n) => late.cache.get(`key ${n}`));
    expect(values).toEqual([undefined, 'new', undefined, ...Array(7).fill('old')]);
    expect(late.cache.metrics()).toMatchObject({ l2Hits: 7, l3Hits: 1 });
  });

  test.each<[string, (writer: Tier) => Promise<unknown>]>([
    ['the news are not kept any more', (writer) => writer.cache.delete('key 0').then(trim)],
    ['all was cleared', (writer) => writer.cache.clear()],
    ['Redis has lost all', () => server.command('FLUSHALL')],
  ])('with an L2 of before gives nothing of it where %s', async (_, happens) => {
    const late = await restored(happens);
    expect(late.cache.getSync('key 0')).toBeUndefined();
    expect(await late.read('key 0')).toBe('nothing');
    expect(late.cache.metrics().l2Hits).toBe(0);
  });

  test('with an L2 of before, while Redis is away: it is all there is', async () => {
    const late = await restored(() => server.kill());
    expect(await late.cache.get('key 0')).toBe('old');
    expect(late.cache.getSync('key 1')).toBe('old');
    await server.start();
    await eventually(() => late.isUp);
    expect(held(late, keysOf(10))).toBe(0);
  });
});
