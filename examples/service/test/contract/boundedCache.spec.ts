// What this service asked of its own cache before keelson took its place.
import { BoundedLRUCache, type CacheItem } from '../../src/lib/utilities/performance/boundedCache';

const start = 1_700_000_000_000;
let now: number;

beforeEach(() => {
  now = start;
  jest.spyOn(Date, 'now').mockImplementation(() => now);
});

afterEach(() => {
  jest.restoreAllMocks();
});

test('what was set is found', () => {
  const cache = new BoundedLRUCache<string, number>(10);
  cache.set('a', 1);
  expect(cache.get('a')).toBe(1);
  expect(cache.has('a')).toBe(true);
  expect(cache.get('b')).toBeUndefined();
  expect(cache.has('b')).toBe(false);
  expect(cache.size).toBe(1);
});

test('the least recently used entry makes room', () => {
  const cache = new BoundedLRUCache<string, number>(2);
  cache.set('a', 1);
  cache.set('b', 2);
  cache.get('a');
  cache.set('c', 3);
  expect([cache.has('a'), cache.has('b'), cache.has('c')]).toEqual([true, false, true]);
  expect(cache.getStats().evictions).toBe(1);
});

test('the bound holds, also for many entries within one millisecond', () => {
  const cache = new BoundedLRUCache<number, number>(100);
  for (let index = 0; index < 10_000; index++) {
    cache.set(index, index);
    expect(cache.size).toBeLessThanOrEqual(100);
  }
  expect(cache.keys()).toEqual(Array.from({ length: 100 }, (_, index) => 9900 + index));
});

test('setting again replaces', () => {
  const cache = new BoundedLRUCache<string, number>(2);
  cache.set('a', 1);
  cache.set('a', 2);
  expect(cache.get('a')).toBe(2);
  expect(cache.size).toBe(1);
});

test('an entry lives for its own time, else for the default', () => {
  const cache = new BoundedLRUCache<string, number>(10, 1000);
  cache.set('own', 1, 50);
  cache.set('default', 2);
  cache.set('zero', 3, 0);
  now += 49;
  expect(cache.get('own')).toBe(1);
  now += 2;
  expect(cache.get('own')).toBeUndefined();
  now = start + 999;
  expect([cache.get('default'), cache.get('zero')]).toEqual([2, 3]);
  now = start + 1001;
  expect([cache.get('default'), cache.get('zero')]).toEqual([undefined, undefined]);
  expect(cache.getStats().expirations).toBe(3);
});

test('without a default of its own, five minutes', () => {
  const cache = new BoundedLRUCache<string, number>(10);
  cache.set('a', 1);
  now += 299_999;
  expect(cache.get('a')).toBe(1);
  now += 2;
  expect(cache.get('a')).toBeUndefined();
});

test('time passes with fake timers as well', () => {
  jest.restoreAllMocks();
  jest.useFakeTimers();
  try {
    const cache = new BoundedLRUCache<string, number>(10, 1000);
    cache.set('a', 1);
    jest.advanceTimersByTime(999);
    expect(cache.has('a')).toBe(true);
    jest.advanceTimersByTime(2);
    expect(cache.has('a')).toBe(false);
    cache.destroy();
  } finally {
    jest.useRealTimers();
  }
});

test('get counts hits and misses; has counts neither, but expirations', () => {
  const cache = new BoundedLRUCache<string, number>(10);
  cache.set('a', 1, 10);
  cache.has('a');
  cache.has('b');
  expect(cache.getStats()).toMatchObject({ hits: 0, misses: 0, expirations: 0 });
  cache.get('a');
  cache.get('a');
  cache.get('a');
  cache.get('b');
  now += 11;
  cache.has('a');
  expect(cache.getStats()).toStrictEqual({
    hits: 3,
    misses: 1,
    evictions: 0,
    expirations: 1,
    hitRate: 0.75,
    currentSize: 0,
    maxSize: 10,
  });
  cache.resetStats();
  expect(cache.getStats()).toMatchObject({ hits: 0, misses: 0, expirations: 0, hitRate: 0 });
});

test('values are references, which callers change in place', () => {
  const cache = new BoundedLRUCache<string, { views: number }>(10);
  const value = { views: 0 };
  cache.set('page', value);
  cache.get('page')!.views++;
  expect(cache.get('page')).toBe(value);
  expect(cache.values()[0]!.views).toBe(1);
});

test('keys, values and entries are arrays without what has expired', () => {
  const cache = new BoundedLRUCache<string, number>(10);
  cache.set('a', 1);
  cache.set('b', 2, 10);
  cache.set('c', 3);
  now += 11;
  expect(cache.keys()).toStrictEqual(['a', 'c']);
  expect(cache.values()).toStrictEqual([1, 3]);
  expect(cache.entries()).toStrictEqual([
    ['a', 1],
    ['c', 3],
  ]);
  expect(Array.isArray(cache.entries())).toBe(true);
});

test('objects are the same key when they look the same', () => {
  const cache = new BoundedLRUCache<{ text: string; page: number }, string>(10);
  cache.set({ text: 'lamp', page: 1 }, 'first');
  expect(cache.get({ text: 'lamp', page: 1 })).toBe('first');
  expect(cache.get({ text: 'lamp', page: 2 })).toBeUndefined();
  expect(cache.keys()).toEqual([{ text: 'lamp', page: 1 }]);
});

test('keys of different types are different keys', () => {
  const cache = new BoundedLRUCache<unknown, string>(20);
  const keys = [1, '1', null, 'null', undefined, 'undefined', true, 'true', '', Symbol('a'), () => 0];
  for (const [index, key] of keys.entries()) cache.set(key, String(index));
  expect(keys.map((key) => cache.get(key))).toEqual(keys.map((_, index) => String(index)));
});

test('delete says whether there was something', () => {
  const cache = new BoundedLRUCache<string, number>(10);
  cache.set('a', 1);
  expect(cache.delete('a')).toBe(true);
  expect(cache.delete('a')).toBe(false);
  expect(cache.has('a')).toBe(false);
});

test('clear empties and forgets the stats', () => {
  const cache = new BoundedLRUCache<string, number>(10);
  cache.set('a', 1);
  cache.get('a');
  cache.clear();
  expect(cache.getStats()).toMatchObject({ hits: 0, misses: 0, currentSize: 0 });
  expect(cache.get('a')).toBeUndefined();
});

test('destroy empties and may be called again', () => {
  const cache = new BoundedLRUCache<string, number>(10);
  cache.set('a', 1);
  cache.destroy();
  cache.destroy();
  expect(cache.size).toBe(0);
});

test('the type of an item is still exported', () => {
  const item: CacheItem<number> = { value: 1, timestamp: now, ttl: 1, accessCount: 0, lastAccessed: now };
  expect(item.value).toBe(1);
});
