import { BoundedLRUCache, SharedCache, TieredCache, type TieredCacheOptions } from 'keelson';
import { refused } from './support/errors';
import { closeAll, open } from './support/tiers';

afterEach(closeAll);

describe('options', () => {
  const l1 = new BoundedLRUCache<string, any>(10);
  test.each<[string, unknown, string]>([
    ['none', undefined, '"options"'],
    ['no L1', {}, '"l1"'],
    ['a Map for L1', { l1: new Map() }, '"l1"'],
    ['a Map for L2', { l1, l2: new Map() }, '"l2"'],
    ['null for L2', { l1, l2: null }, '"l2"'],
    ['what only looks like an L2', { l1, l2: Object.create(SharedCache.prototype) }, '"l2"'],
    ['an L3 that is no object', { l1, l3: 5 }, '"l3"'],
    ['an unknown option', { l1, tll: 1 }, '"options.tll"'],
    ['an unknown option of L3', { l1, l3: { redis: 'redis://x', url: '' } }, '"l3.url"'],
    ['an L3 without Redis', { l1, l3: {} }, '"redis"'],
    ['a URL of something else', { l1, l3: { redis: 'http://user:secret@x' } }, '"redis"'],
    ['a prefix that is none', { l1, l3: { redis: 'redis://x', prefix: 5 } }, '"l3.prefix"'],
    ['a prefix with {}', { l1, l3: { redis: 'redis://x', prefix: 'a{}' } }, '"l3.prefix"'],
    ['no time for Redis', { l1, l3: { redis: 'redis://x', timeout: 0 } }, '"l3.timeout"'],
    ['too little staleness', { l1, l3: { redis: 'redis://x', staleness: 9 } }, '"l3.staleness"'],
    ['too short a lease', { l1, l3: { redis: 'redis://x', lease: 99 } }, '"l3.lease"'],
    ...(
      ['ttl', 'ttlJitter', 'stale', 'softTimeout', 'grace', 'graceBackoff', 'negativeTtl'] as const
    ).flatMap((name): [string, unknown, string][] =>
      [-1, Number.NaN, '5', null].map((value) => [`${name} ${value}`, { l1, [name]: value }, `"${name}"`]),
    ),
    ['a ttl of 0', { l1, ttl: 0 }, '"ttl"'],
    ['a jitter above 1', { l1, ttlJitter: 1.1 }, '"ttlJitter"'],
    ['an endless soft timeout', { l1, softTimeout: Number.POSITIVE_INFINITY }, '"softTimeout"'],
    ['a backoff of 0', { l1, graceBackoff: 0 }, '"graceBackoff"'],
    ['no time to load', { l1, loadTimeout: 0 }, '"loadTimeout"'],
    ['too much of it', { l1, loadTimeout: 600_001 }, '"loadTimeout"'],
    ['a loader that is none', { l1, load: 'x' }, '"load"'],
    ['a store that is none', { l1, store: {} }, '"store"'],
    ['a way to write that is none', { l1, write: 'around' }, '"write"'],
    ['no pending writes', { l1, maxPendingWrites: 0 }, '"maxPendingWrites"'],
    // They were ignored, as nobody keeps what is stale.
    ['stale of L1 alone', { l1, stale: 1 }, '"stale"'],
    ['grace of L1 alone', { l1, grace: 1 }, '"grace"'],
  ])('%s: refused by name', (_, options, told) => {
    const make = () => new TieredCache(options as TieredCacheOptions);
    expect(make).toThrow(refused(told));
    expect(make).not.toThrow('secret');
  });
});

test('bad arguments are refused by name, found or not, and nothing is done', async () => {
  const store = jest.fn();
  const { cache, l1, l2 } = open({ store });
  await cache.set('a', 'old', { tags: ['t'] });
  store.mockClear();
  for (const key of ['a', 'new']) {
    const load = (options: unknown) => cache.getOrLoad(key, () => 'x', options as never);
    const set = (options: unknown) => cache.set(key, 'x', options as never);
    const bad: [Promise<unknown>, string][] = [
      [cache.set(key, undefined), '"value"'],
      [cache.set(key, () => {}), '"value"'],
      [cache.set(key, { method() {} }), '"value"'],
      [cache.getOrLoad(key, undefined as never), '"loader"'],
      [cache.getOrLoad(key, {} as never), '"loader"'],
      [cache.get(key, { tags: [] } as never), '"options.tags"'],
      [cache.get(key, { signal: {} } as never), '"signal"'],
      [cache.get(key, null as never), '"options"'],
      [load({ signal: null }), '"signal"'],
      ...[set, load].flatMap((call): [Promise<unknown>, string][] => [
        [call({ ttl: 0 }), '"ttl"'],
        [call({ ttl: null }), '"ttl"'],
        [call({ tags: 't' }), '"tags"'],
        [call({ tags: ['t', 5] }), '"tags[1]"'],
        [call({ tll: 1 }), '"options.tll"'],
        [call([]), '"options"'],
      ]),
    ];
    for (const [call, told] of bad) await expect(call).rejects.toEqual(refused(told));
  }
  const calls = [
    (key: any) => cache.get(key),
    (key: any) => cache.getOrLoad(key, () => 1),
    (key: any) => cache.set(key, 1),
    (key: any) => cache.delete(key),
    async (key: any) => cache.getSync(key),
  ];
  for (const call of calls) {
    for (const key of [undefined, 5, null, Buffer.from('a')]) {
      await expect(call(key)).rejects.toEqual(refused('"key"'));
    }
  }
  await expect(cache.invalidateTag(['t'] as never)).rejects.toEqual(refused('"tag"'));
  expect([store.mock.calls.length, l1.keys(), [...l2.keys()], await cache.get('a')]).toEqual([
    ...[0, ['a'], ['a'], 'old'],
  ]);
  expect(cache.metrics()).toMatchObject({ sets: 1, deletes: 0, loads: 0 });
  await expect(cache.close({ timeout: -1 })).rejects.toEqual(refused('"timeout"'));
  await cache.set('a', 1);
});
