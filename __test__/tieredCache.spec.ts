import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { BoundedLRUCache, SharedCache } from 'keelson';
import { deferred } from './support/deferred';
import { generator } from './support/random';
import { closeAll, open, standStill, turn } from './support/tiers';

afterEach(async () => {
  await closeAll();
  jest.restoreAllMocks();
});

describe.each<[string, () => ReturnType<typeof open>]>([
  ['L1', () => open({ l2: undefined })],
  ['L1 and L2', () => open()],
])('with %s', (_, make) => {
  test('what is set is found until it is deleted, cleared or invalidated', async () => {
    const { cache } = make();
    expect([cache.getSync('a'), await cache.get('a')]).toEqual([undefined, undefined]);
    await cache.set('a', 1, { tags: ['t', 'u'] });
    await cache.set('b', 2, { tags: ['u'] });
    await cache.set('', { c: 3 });
    const all = () => ['a', 'b', ''].map((key) => cache.getSync(key));
    expect([all(), await cache.get('a')]).toEqual([[1, 2, { c: 3 }], 1]);
    await cache.invalidateTag('t');
    expect([all(), await cache.get('a')]).toEqual([[undefined, 2, { c: 3 }], undefined]);
    await cache.delete('b');
    expect(all()).toEqual([undefined, undefined, { c: 3 }]);
    expect(await cache.getOrLoad('b', () => 'loaded', { tags: ['v'] })).toBe('loaded');
    expect([cache.getSync('b'), await cache.getOrLoad('b', () => 'again')]).toEqual(['loaded', 'loaded']);
    await cache.invalidateTag('v');
    expect(cache.getSync('b')).toBeUndefined();
    await cache.clear();
    expect([all(), await cache.get('')]).toEqual([[undefined, undefined, undefined], undefined]);
  });

  test('values live as long as they are told to', async () => {
    const { cache } = make();
    const advance = standStill();
    await cache.set('default', 1);
    await cache.set('short', 1, { ttl: 60_000 });
    await cache.getOrLoad('loaded', () => 1, { ttl: 60_000 });
    await cache.set('ever', 1, { ttl: Number.POSITIVE_INFINITY });
    const left = () => ['default', 'short', 'loaded', 'ever'].filter((key) => cache.getSync(key) === 1);
    advance(59_999);
    expect(left()).toHaveLength(4);
    // To the millisecond: L1 has its entries in the last one too.
    advance(2);
    expect(left()).toEqual(['default', 'ever']);
    advance(240_000);
    expect([left(), await cache.get('default')]).toEqual([['ever'], undefined]);
    advance(1e12);
    expect(left()).toEqual(['ever']);
  });

  test('what is closed is used by nobody, and closing it again is nothing', async () => {
    const { cache } = make();
    await cache.set('a', 1);
    await cache[Symbol.asyncDispose ?? (Symbol.for('nodejs.asyncDispose') as typeof Symbol.asyncDispose)]();
    await cache.close();
    const closed = { code: 'ERR_KEELSON_DESTROYED', name: 'DestroyedError' };
    const calls = [cache.get('a'), cache.getOrLoad('a', () => 1), cache.set('a', 2), cache.delete('a')];
    for (const call of [...calls, cache.invalidateTag('t'), cache.clear()]) {
      await expect(call).rejects.toMatchObject(closed);
    }
    expect(() => cache.getSync('a')).toThrow(expect.objectContaining(closed));
    expect(cache.metrics()).toMatchObject({ sets: 1, redis: undefined });
    await cache.flush();
  });
});

test('a value of L2 comes up as a copy with the rest of its ttl and its tags, and from L1 by reference', async () => {
  const { cache, l1, l2 } = open();
  const advance = standStill();
  const other = open({ l2 });
  const value = { list: [1] };
  await other.cache.set('a', value, { ttl: 60_000, tags: ['t'] });
  value.list.push(2);
  expect([other.cache.getSync('a') === value, l1.has('a')]).toEqual([true, false]);
  advance(20_000);
  const found = cache.getSync('a') as typeof value;
  expect(found).toEqual({ list: [1] });
  expect([l1.getRemainingTTL('a'), cache.getSync('a') === found]).toEqual([40_000, true]);
  expect([(await cache.get('a')) === found, cache.metrics().l2Hits, cache.metrics().l1Hits]).toEqual([
    true,
    1,
    2,
  ]);
  await cache.invalidateTag('t');
  expect([l1.has('a'), l2.has('a')]).toEqual([false, false]);
});

test.each<[string, unknown]>([
  ['null', null],
  ['false', false],
  ['zero', -0],
  ['NaN', Number.NaN],
  ['no text', ''],
  ['text', 'größer 大 😀'],
  ['half a pair', '\ud800x'],
  ['bytes', Buffer.from([1, 2, 3])],
  ['no bytes', new Uint8Array(0)],
  ['a bigint', 12n],
  ['a Map', new Map([[{ a: 1 }, new Set([1])]])],
  ['a Date', new Date(5)],
  ['a list with holes', Object.assign([1], { 2: 3 })],
])('%s comes out of each tier', async (_, value) => {
  const { cache, l1, l2 } = open();
  await cache.set('a', value);
  expect(Object.is(cache.getSync('a'), value)).toBe(true);
  l1.clear();
  const copy = await cache.get('a');
  if (value instanceof Uint8Array) expect(Buffer.compare(copy as Buffer, value)).toBe(0);
  else expect(copy).toEqual(value);
  expect(Object.is(copy, -0)).toBe(Object.is(value, -0));
  expect(l2.size).toBe(1);
});

test('what is too large for L2 is in L1 alone, and what L2 had before is gone', async () => {
  const l2 = new SharedCache<any>({ name: 'tiers-small', maxBytes: 2 ** 20 });
  const { cache, l1 } = open({ l2 });
  await cache.set('a', 'small');
  const large = 'x'.repeat(2 ** 20);
  await cache.set('a', large);
  expect([cache.getSync('a'), l2.has('a')]).toEqual([large, false]);
  l1.clear();
  expect(await cache.getOrLoad('a', () => large)).toBe(large);
  expect([l1.has('a'), l2.has('a')]).toEqual([true, false]);
});

test('what is not an envelope, or a damaged one, is a miss', async () => {
  const { cache, l1, l2 } = open();
  await cache.set('good', { a: 1 }, { tags: ['tag'] });
  const good: Buffer = l2.get('good');
  const values: unknown[] = [
    'text',
    5,
    null,
    { a: 1 },
    Buffer.alloc(0),
    Buffer.alloc(100),
    Buffer.alloc(100, 1),
  ];
  for (let length = 0; length < good.length; length++) values.push(good.subarray(0, length));
  const damage = (at: number, byte: number) => {
    const bytes = Buffer.from(good);
    bytes[at] = byte;
    values.push(bytes);
  };
  // The version, the kind, the length of the tags, tags that are no list, and times that are no numbers.
  for (const [at, byte] of [
    [0, 9],
    [1, 99],
    [4, 255],
    [7, 255],
    [40, 0x7b],
  ] as const)
    damage(at, byte);
  for (const at of [8, 16, 24]) {
    const bytes = Buffer.from(good);
    bytes.writeDoubleLE(Number.NaN, at);
    values.push(bytes);
  }
  for (const value of values) {
    l1.clear();
    l2.set('a', value);
    expect([cache.getSync('a'), await cache.get('a')]).toEqual([undefined, undefined]);
    expect(await cache.getOrLoad('a', () => 'loaded')).toBe('loaded');
    expect([cache.getSync('a'), l1.has('a')]).toEqual(['loaded', true]);
    l2.set('a', value);
    await cache.delete('a');
    expect([l1.has('a'), l2.has('a')]).toEqual([false, false]);
  }
});

test('ttlJitter cuts ttls by its share at most, each by its own', async () => {
  const { cache, l1 } = open({ ttl: 1_000_000, ttlJitter: 0.3 });
  standStill();
  const ttls: number[] = [];
  for (let n = 0; n < 300; n++) {
    await (n % 2 === 0 ? cache.set('a', 1) : cache.getOrLoad(`${n}`, () => 1));
    ttls.push(l1.getRemainingTTL(n % 2 === 0 ? 'a' : `${n}`));
  }
  expect(Math.min(...ttls)).toBeGreaterThanOrEqual(699_999);
  expect(Math.max(...ttls)).toBeLessThanOrEqual(1_000_000);
  // 300 even draws miss an outer tenth with a probability of 2e-14.
  expect([Math.min(...ttls) < 730_000, Math.max(...ttls) > 970_000]).toEqual([true, true]);
  await cache.set('ever', 1, { ttl: Number.POSITIVE_INFINITY });
  expect(l1.getRemainingTTL('ever')).toBe(Number.POSITIVE_INFINITY);
});

test('events are on their channels too', async () => {
  const { cache } = open({ stale: 60_000, ttl: 1000 });
  const advance = standStill();
  const heard: unknown[] = [];
  const onMessage = (message: unknown): void => void heard.push(message);
  const name = 'keelson:tiered-cache:load-error';
  subscribe(name, onMessage);
  cache.on('load-error', onMessage);
  await cache.set('a', 1);
  advance(1001);
  const { promise, reject } = deferred();
  expect(await cache.getOrLoad('a', () => promise)).toBe(1);
  const error = new Error('down');
  reject(error);
  await turn();
  unsubscribe(name, onMessage);
  expect(heard).toEqual([
    { key: 'a', error },
    { key: 'a', error },
  ]);
});

test('metrics say what was done', async () => {
  const { cache, l1, l2 } = open();
  await cache.set('a', 1);
  await cache.get('a');
  l1.clear();
  await cache.get('a');
  l1.clear();
  await cache.getOrLoad('a', () => 2);
  await cache.delete('a');
  await cache.get('a');
  await Promise.all([1, 2, 3].map(() => cache.getOrLoad('b', async () => 'b')));
  await cache.getOrLoad('c', () => Promise.reject(new Error('down'))).catch(() => {});
  await cache.getOrLoad('d', () => undefined);
  expect(cache.metrics()).toEqual({
    ...{ l1Hits: 1, l2Hits: 2, l3Hits: 0, misses: 2, staleHits: 0, graceHits: 0, loads: 3, loadErrors: 1 },
    ...{ sets: 1, deletes: 1, invalidations: 0, storeErrors: 0, pendingWrites: 0, redis: undefined },
  });
  expect([l1.keys(), l2.size]).toEqual([['b'], expect.any(Number)]);
});

const seed = Number(process.env.KEELSON_SEED ?? Math.floor(Math.random() * 2 ** 32));

test(`tags let go of exactly what has them, also of what went from L1 and came back, seed ${seed}`, async () => {
  const random = generator(seed);
  const pick = (count: number) => Math.floor(random() * count);
  const { cache, l1 } = open({ l1: new BoundedLRUCache(60) });
  const alone = open({ l1: new BoundedLRUCache(60), l2: undefined });
  const model = new Map<string, { value: number; tags: string[] }>();
  for (let step = 0; step < 6000; step++) {
    const key = `key ${pick(200)}`;
    const what = random();
    if (what < 0.6) {
      const tags = Array.from({ length: pick(4) }, () => `tag ${pick(40)}`);
      model.set(key, { value: step, tags });
      await Promise.all([cache, alone.cache].map((one) => one.set(key, step, { tags })));
    } else if (what < 0.62) {
      const tag = `tag ${pick(40)}`;
      for (const [name, { tags }] of model) if (tags.includes(tag)) model.delete(name);
      await Promise.all([cache, alone.cache].map((one) => one.invalidateTag(tag)));
    } else {
      const found = random() < 0.5 ? cache.getSync(key) : await cache.get(key);
      expect(found).toBe(model.get(key)?.value);
    }
  }
  for (const [key, value] of alone.l1) expect(value).toBe(model.get(key)?.value);
  for (const [key, value] of l1) expect(value).toBe(model.get(key)?.value);
  expect([l1.size, alone.l1.size > 10]).toEqual([expect.any(Number), true]);
});

test('a tag lets go of all that L1 has, however much has been in it', async () => {
  const { cache, l1 } = open({ l1: new BoundedLRUCache(1500), l2: undefined });
  for (let n = 0; n < 5000; n++) await cache.set(`${n}`, n, { tags: ['all', `${n % 2}`] });
  await cache.invalidateTag('1');
  expect([l1.size, l1.keys().every((key) => Number(key) % 2 === 0)]).toEqual([750, true]);
  await cache.invalidateTag('all');
  expect(l1.size).toBe(0);
});
