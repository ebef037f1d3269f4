import { LoadError } from 'keelson';
import { times, useRedis } from './support/redis';
import { eventually } from './support/server';
import { listened, Source, type Tier, type TierOptions, useTiers } from './support/tiered';

const server = useRedis();
const { make, fleet } = useTiers(() => server.config);
const DAY = 24 * 3600_000;
const CHANNEL = 'cache:{*}';

afterEach(() => server.command('FLUSHALL'));

/** So many who hear of changes at once. */
async function listeners(count: number, options: TierOptions = {}): Promise<Tier[]> {
  const tiers = await fleet(count, options);
  await listened(server, CHANNEL, count);
  return tiers;
}

describe('what goes through L3', () => {
  const VALUES: [string, unknown][] = [
    ['a text', 'text'],
    ['no text', ''],
    ['texts of all planes', 'äß鍵🔑\0\u{10ffff}'],
    ['halves of surrogate pairs', 'a\ud800b\udc00'],
    ['a number', 1.5],
    ['-0', -0],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['bytes', Buffer.from([0, 1, 0x80, 0xff, 0x0a])],
    ['no bytes', Buffer.alloc(0)],
    ['null', null],
    ['false', false],
    ['a BigInt', 2n ** 70n],
    ['a Date', new Date(0)],
    ['a nest', new Map<unknown, unknown>([['a', { b: new Set([1, [undefined, /x/g]]), c: new Date(5) }]])],
    ['2 MB of text', 'é'.repeat(1_000_000)],
    ['2 MB of bytes', Buffer.alloc(2_000_000, 'abc')],
    ['2 MB of objects', Array.from({ length: 20 }, (_, n) => ({ n, text: 't'.repeat(100_000) }))],
  ];

  test.each(VALUES)('%s', async (_, value) => {
    const [one, two] = await fleet(2);
    await one!.cache.set('set', value, { tags: ['a', '\ud800'] });
    expect(await two!.cache.get('set')).toStrictEqual(value);
    await two!.cache.getOrLoad('loaded', () => value);
    expect(await one!.cache.getOrLoad('loaded', () => 'another')).toStrictEqual(value);
    expect(two!.cache.metrics()).toMatchObject({ l3Hits: 1, loads: 1 });
    expect(one!.cache.metrics()).toMatchObject({ l3Hits: 1, loads: 0 });
  });

  const KEYS = [
    ...['', '}', '{', 'a}b', '{a}', '{}', '=', '~', '*', '{*}', '!', '}!', 'a', 'a!', '=a', 'a}', '~"a"'],
    ...['\0', 'a\0', '\ud800', '\udc00', '\ufffd', '"\\ud800"', '~"\\ud800"', '鍵🔑', 'k=a', 'news', 'last'],
    ...['k'.repeat(10_000), `${'k'.repeat(10_000)}}`, '\n', '\r\n', ' ', '\u2028'],
  ];

  test('odd keys and tags: no two collide', async () => {
    const [one, two, three] = await listeners(3);
    for (const key of KEYS) await one!.cache.set(key, `value of ${key}`, { tags: [key] });
    for (const key of KEYS) expect(await two!.cache.get(key)).toBe(`value of ${key}`);
    for (const key of KEYS) await three!.cache.get(key);
    for (const [index, key] of KEYS.entries()) {
      if (index % 2 === 0) await two!.cache.delete(key);
      else await two!.cache.invalidateTag(key);
      await eventually(() => !three!.has(key) && !one!.has(key));
      expect(KEYS.filter((other) => three!.has(other))).toEqual(KEYS.slice(index + 1));
    }
    for (const key of KEYS) expect(await one!.cache.get(key)).toBeUndefined();
  });

  test('caches of two prefixes do not see each other', async () => {
    const [one] = await listeners(1);
    const other = make({ l3: { prefix: 'other:' } });
    for (const tier of [one!, other]) await tier.cache.set('key', tier === one, { tags: ['tag'] });
    await one!.cache.invalidateTag('tag');
    await one!.cache.clear();
    await one!.cache.delete('key');
    expect(await other.cache.get('key')).toBe(false);
    expect(other.cache.metrics()).toMatchObject({ l1Hits: 1, invalidations: 0 });
  });

  test('nothing lives for ever there, and what is to be kept for ever is fresh all the same', async () => {
    const [one, two] = await fleet(2, { ttl: Number.POSITIVE_INFINITY, grace: Number.POSITIVE_INFINITY });
    await one!.cache.set('set', 1);
    await one!.cache.getOrLoad('loaded', () => 1);
    await one!.cache.getOrLoad('short', () => 1, { ttl: 60_000 });
    const names: string[] = await server.command('KEYS', '*');
    expect(names.length).toBeGreaterThan(3);
    for (const name of names) {
      const life = Number(await server.command('PTTL', name));
      expect(life).toBeGreaterThan(14 * DAY);
      expect(life).toBeLessThanOrEqual(30 * DAY);
    }
    for (const key of ['set', 'loaded', 'short']) expect(await two!.read(key)).toBe(1);
  });

  test('a value of more tags than a call takes', async () => {
    const [one, two] = await fleet(2);
    const tags = Array.from({ length: 3_000 }, (_, n) => `tag ${n}`);
    await one!.cache.set('key', 1, { tags });
    expect(await two!.cache.get('key')).toBe(1);
    await one!.cache.invalidateTag('tag 2999');
    const three = make();
    expect(await three.cache.get('key')).toBeUndefined();
    expect([...two!.events, ...three.events]).toEqual([]);
  });

  test.each([
    ['bytes of somebody else', 'SET', ['garbage']],
    ['an envelope that is cut off', 'SET', [Buffer.concat([Buffer.from([1, 5]), Buffer.alloc(38)])]],
    ['one of another version', 'SET', [Buffer.alloc(100, 2)]],
    ['a set of somebody else', 'SADD', ['garbage']],
  ])('%s is as good as nothing', async (_, command, args) => {
    const [one, two] = await fleet(2);
    await server.command(command, 'cache:{=key}', ...args);
    expect(await one!.cache.get('key')).toBeUndefined();
    expect(await one!.cache.getOrLoad('key', () => 'loaded')).toBe('loaded');
    expect(await two!.cache.getOrLoad('key', () => 'again')).toBe('loaded');
    expect([...one!.events, ...two!.events]).toEqual([]);
  });

  test('keys that are asked for in one turn are looked at in few calls, each of which gets its own', async () => {
    const [one, two] = await fleet(2);
    const keys = Array.from({ length: 200 }, (_, number) => `key ${number}`);
    await Promise.all(keys.filter((_, number) => number % 2 === 0).map((key) => one!.cache.set(key, key)));
    await eventually(() => two!.isUp);
    await server.command('CONFIG', 'RESETSTAT');
    const found = await Promise.all(keys.map((key) => two!.cache.get(key)));
    expect(found).toEqual(keys.map((key, number) => (number % 2 === 0 ? key : undefined)));
    const [, calls] = /cmdstat_evalsha:calls=(\d+)/.exec(await server.command('INFO', 'commandstats')) ?? [];
    // Those who ask for news may come on top.
    expect(Number(calls)).toBeLessThan(10);
  });

  test.each(['', 'x', '[]', '{}', '["~x",false]', '["=key"]', 'null', '99999999999999999999', '-1', '\xff'])(
    'somebody says %p on the channel: nobody minds',
    async (text) => {
      const [one, two] = await listeners(2);
      await server.command('PUBLISH', CHANNEL, text);
      await one!.cache.set('key', 1);
      expect(await two!.cache.get('key')).toBe(1);
      expect([...one!.events, ...two!.events]).toEqual([]);
    },
  );
});

describe('a single flight in the fleet', () => {
  const CALLERS = 100;
  const all = (tiers: Tier[], source: Source, key = 'key', options = {}) =>
    times(3 * CALLERS, (n) => tiers[n % 3]!.cache.getOrLoad(key, source.load, options).catch((e) => e));

  test('three caches of 100 callers each: one load', async () => {
    const tiers = await listeners(3);
    const source = new Source();
    const keys = times(20, async (n) => {
      source.values.set(`key ${n}`, n);
      expect(new Set(await all(tiers, source, `key ${n}`))).toEqual(new Set([n]));
    });
    await keys;
    expect(source.loads).toHaveLength(20);
    expect(tiers.reduce((sum, { cache }) => sum + cache.metrics().loads, 0)).toBe(20);
  });

  test('also right at their start, with a tag that was invalidated before', async () => {
    const [first] = await fleet(1);
    await first!.cache.invalidateTag('tag');
    await first!.cache.clear();
    const source = new Source();
    source.values.set('key', 1);
    await all([make(), make(), make()], source, 'key', { tags: ['tag'] });
    expect(source.loads).toHaveLength(1);
    await make().cache.set('set', 2, { tags: ['tag'] });
    expect(await make().cache.get('set')).toBe(2);
  });

  test('one that fails: the others are told, and the next call loads again', async () => {
    const tiers = await listeners(3);
    const source = new Source();
    const open = source.close();
    source.error = new Error('on purpose');
    const outcomes = all(tiers, source);
    // The others wait.
    await eventually(async () => String(await server.command('GET', 'cache:{=key}!')).endsWith('?'));
    open();
    const errors = await outcomes;
    expect(errors.filter((error) => error === source.error)).toHaveLength(CALLERS);
    const told = errors.filter((error) => error instanceof LoadError);
    expect(told).toHaveLength(2 * CALLERS);
    for (const error of told) expect(error.message).toContain('on purpose');
    expect(source.loads).toHaveLength(1);
    source.error = undefined;
    source.values.set('key', 1);
    expect(new Set(await all(tiers, source))).toEqual(new Set([1]));
    expect(source.loads).toHaveLength(2);
  });

  test('one that gives nothing: the others have nothing, and nothing is stored', async () => {
    const tiers = await listeners(3);
    const source = new Source();
    const open = source.close();
    const outcomes = all(tiers, source);
    await eventually(async () => String(await server.command('GET', 'cache:{=key}!')).endsWith('?'));
    open();
    expect(new Set(await outcomes)).toEqual(new Set([undefined]));
    expect(source.loads).toHaveLength(1);
    await eventually(async () => (await server.command('KEYS', 'cache:{=*')).length === 0);
    // L2 has it for a millisecond, by which threads that wait are told.
    await eventually(() => !tiers.some((tier) => tier.has('key')));
  });

  test('nothing is remembered in all tiers where there is a negativeTtl', async () => {
    const tiers = await fleet(3, { negativeTtl: 3600_000 });
    const source = new Source();
    await all(tiers, source);
    await all(tiers, source);
    expect(source.loads).toHaveLength(1);
  });

  test('a load that takes longer than its lease keeps it', async () => {
    const tiers = await listeners(3, { l3: { lease: 300 } });
    const source = new Source();
    source.values.set('key', 1);
    const open = source.close();
    const outcomes = all(tiers, source);
    await eventually(() => source.loads.length > 0);
    const began = performance.now();
    await eventually(() => performance.now() - began > 1500);
    open();
    expect(new Set(await outcomes)).toEqual(new Set([1]));
    expect(source.loads).toHaveLength(1);
  });

  test('a burst of other keys than one call takes is no outage', async () => {
    const [one] = await fleet(1, { l3: { lease: 60_000 } });
    const values = await times(5_000, (n) => one!.cache.getOrLoad(`key ${n}`, () => n));
    expect(values.every((value, n) => value === n)).toBe(true);
    expect(one!.events).toEqual([]);
    expect(Number(await server.command('DBSIZE'))).toBeGreaterThanOrEqual(5_000);
  });
});

test('several who set a key at once: all have what the last one has written', async () => {
  const tiers = await listeners(3);
  for (let round = 0; round < 50; round++) {
    const keys = Array.from({ length: 10 }, (_, n) => `key ${round} ${n}`);
    await times(30, (n) => tiers[n % 3]!.cache.set(keys[Math.floor(n / 3)]!, n));
    const agree = async (key: string): Promise<boolean> => {
      const values = await times(3, (n) => tiers[n]!.cache.get(key));
      return values.every((value) => value === values[0] && value !== undefined);
    };
    for (const key of keys) await eventually(() => agree(key), 5_000);
  }
});

describe.each<[string, (tier: Tier) => Promise<void>, unknown]>([
  ['set', (tier) => tier.cache.set('key', 'new', { tags: ['tag'] }), 'new'],
  ['deleted', (tier) => tier.cache.delete('key'), 'nothing'],
  ['invalidated by its tag', (tier) => tier.cache.invalidateTag('tag'), 'nothing'],
  ['cleared', (tier) => tier.cache.clear(), 'nothing'],
])('a key that is %s', (_, change, value) => {
  test.each([0, 1])('while it is loaded: the old value is stored nowhere (%i)', async (who) => {
    const tiers = await listeners(3);
    const source = new Source();
    source.values.set('key', 'old');
    const open = source.close();
    // The first one leads.
    const load = tiers[0]!.cache.getOrLoad('key', source.load, { tags: ['tag'] });
    await eventually(() => source.loads.length > 0);
    await change(tiers[who]!);
    await eventually(() => tiers.every(({ cache }, n) => n === who || cache.metrics().invalidations > 0));
    open();
    expect(await load).toBe('old');
    for (const tier of tiers) expect(await tier.cache.get('key')).not.toBe('old');
    expect(await make().read('key')).toBe(value);
    for (const tier of tiers) expect(await tier.read('key')).toBe(value);
  });

  test('by one is gone from the others at once', async () => {
    const tiers = await listeners(3);
    await tiers[0]!.cache.set('key', 'old', { tags: ['tag'] });
    for (const tier of tiers) expect(await tier.read('key')).toBe('old');
    const began = performance.now();
    await change(tiers[1]!);
    await eventually(() => tiers.every((tier) => tier === tiers[1] || !tier.has('key')));
    for (const tier of tiers) expect(await tier.read('key')).toBe(value);
    // By the next look it would have been 20 s.
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
