import { BoundedLRUCache, type EvictionReason, InvalidArgumentError } from 'keelson';
import { FAR_MS, isFarAway, systemNow } from '../dist/cache/clock';
import { manual } from './support/clock';

describe('time', () => {
  test('an entry lives up to the last millisecond of its ttl; 0 and undefined mean the default', () => {
    const { clock, advance } = manual();
    const cache = new BoundedLRUCache<string, number>({ maxSize: 10, ttl: 100, clock });
    cache.set('default', 1);
    cache.set('zero', 1, 0);
    cache.set('short', 1, 50);
    cache.set('for ever', 1, Number.POSITIVE_INFINITY);
    expect(cache.getRemainingTTL('short')).toBe(50);
    advance(50);
    expect(cache.get('short')).toBe(1);
    advance(1);
    expect([cache.get('short'), cache.has('zero'), cache.getRemainingTTL('zero')]).toStrictEqual([
      undefined,
      true,
      49,
    ]);
    advance(50);
    expect(cache.keys()).toStrictEqual(['for ever']);
    expect([cache.getRemainingTTL('for ever'), cache.getRemainingTTL('zero')]).toStrictEqual([Infinity, 0]);
    expect(cache.size).toBe(1);
    expect(cache.getStats()).toMatchObject({ hits: 1, misses: 1, expirations: 3, evictions: 0 });
    advance(1e12);
    expect(cache.get('for ever')).toBe(1);
  });

  test('the default is five minutes of Date.now(), whoever provides it', () => {
    jest.useFakeTimers();
    try {
      const cache = new BoundedLRUCache<string, number>(1000);
      // More calls within one millisecond than it takes to open the window of the shared clock.
      for (let i = 0; i < 100; i++) cache.set(`k${i}`, i);
      for (let i = 0; i < 100; i++) expect(cache.get(`k${i}`)).toBe(i);
      jest.advanceTimersByTime(300_000);
      expect(cache.get('k1')).toBe(1);
      jest.advanceTimersByTime(1);
      for (let i = 0; i < 100; i++) expect(cache.get(`k${i}`)).toBeUndefined();
      expect(cache.size).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  test('a spy on Date.now rules from the next call, in the middle of a burst too', () => {
    const cache = new BoundedLRUCache<string, number>(1000);
    cache.set('a', 1);
    for (let i = 0; i < 50_000; i++) cache.get('a');
    const spy = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 300_002);
    try {
      expect(cache.get('a')).toBeUndefined();
    } finally {
      spy.mockRestore();
    }
    cache.set('a', 2);
    for (let i = 0; i < 50_000; i++) expect(cache.get('a') === 2).toBe(true);
  });

  // A synchronous stop of 11 s in the middle of a burst returned what had expired in it: the window stood for
  // anything with 10 s to live, which execSync or a debugger outlasts.
  test('in a burst the clock is read for whatever has less than a minute to live', () => {
    for (let tries = 0; tries < 100_000 && !isFarAway(Date.now() + 3_600_000); tries++) systemNow();
    const now = Date.now();
    expect([isFarAway(now + 59_000), isFarAway(now + 61_000)]).toStrictEqual([false, true]);
    expect(FAR_MS).toBe(60_000);
  });

  test('expired entries go before live ones', () => {
    const { clock, advance } = manual();
    const gone: [string, EvictionReason][] = [];
    const onEvict = (key: string, _: number, reason: EvictionReason) => gone.push([key, reason]);
    const cache = new BoundedLRUCache<string, number>({ maxSize: 3, clock, onEvict });
    cache.set('old', 1);
    cache.set('short', 2, 10);
    cache.set('newer', 3);
    advance(11);
    cache.set('newest', 4);
    expect(gone).toStrictEqual([['short', 'expired']]);
    expect(cache.keys()).toStrictEqual(['old', 'newer', 'newest']);
  });

  test('prune() removes what is over, updateAgeOnGet renews, allowStale returns once', () => {
    const { clock, advance } = manual();
    const options = { maxSize: 10, ttl: 100, clock };
    const pruned = new BoundedLRUCache<number, number>(options);
    for (let i = 0; i < 10; i++) pruned.set(i, i, i < 6 ? 10 : 0);
    advance(11);
    expect([pruned.prune(), pruned.prune(), pruned.size]).toStrictEqual([6, 0, 4]);

    const renewed = new BoundedLRUCache<unknown, number>({ ...options, updateAgeOnGet: true });
    renewed.set('a', 1);
    renewed.set(7, 1, 200);
    for (let i = 0; i < 5; i++) {
      advance(90);
      expect([renewed.get('a'), renewed.get(7)]).toStrictEqual([1, 1]);
    }
    expect([renewed.getRemainingTTL('a'), renewed.getRemainingTTL(7)]).toStrictEqual([100, 200]);

    const stale = new BoundedLRUCache<string, number>({ ...options, allowStale: true });
    stale.set('a', 1);
    advance(101);
    expect([stale.get('a'), stale.get('a')]).toStrictEqual([1, undefined]);
    expect(stale.metrics()).toMatchObject({ staleHits: 1, misses: 2, hits: 0, expirations: 1 });
  });

  // size and eviction floored the time and get() did not: with performance.now() as the clock they disagreed.
  test('a fractional clock is cut to whole milliseconds for everything', () => {
    let now = 100.2;
    const cache = new BoundedLRUCache<string, number>({ maxSize: 2, ttl: 10, clock: () => now });
    cache.set('long', 1, 1000);
    cache.set('short', 2);
    now = 110.9;
    expect([cache.size, cache.keys().length, cache.has('short')]).toStrictEqual([2, 2, true]);
    now = 111.1;
    expect([cache.has('short'), cache.size, cache.keys()]).toStrictEqual([false, 1, ['long']]);
    cache.set('third', 3);
    expect(cache.keys()).toStrictEqual(['long', 'third']);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 'x', 10n, undefined, null])(
    'a clock that says %p is refused',
    (time) => {
      const cache = new BoundedLRUCache<string, number>({ maxSize: 2, clock: () => time as number });
      expect(() => cache.set('a', 1)).toThrow(InvalidArgumentError);
      const spy = jest.spyOn(Date, 'now').mockReturnValue(time as number);
      try {
        expect(() => new BoundedLRUCache<string, number>(2).set('a', 1)).toThrow(InvalidArgumentError);
      } finally {
        spy.mockRestore();
      }
    },
  );

  test('ttlJitter never lengthens a ttl', () => {
    const cache = new BoundedLRUCache<number, number>({ maxSize: 300, ttlJitter: 0.1, clock: () => 1000 });
    for (let i = 0; i < 300; i++) {
      const ttl = i % 2 === 0 ? 0.5 : 9.6;
      cache.set(i, i, ttl);
      expect(cache.getRemainingTTL(i)).toBeLessThanOrEqual(ttl);
    }
  });

  test('ttlJitter cuts each ttl by at most its share', () => {
    const { clock } = manual();
    const cache = new BoundedLRUCache<number, number>({ maxSize: 200, ttl: 1000, ttlJitter: 0.2, clock });
    for (let i = 0; i < 200; i++) cache.set(i, i);
    const left = cache.keys().map((key) => cache.getRemainingTTL(key));
    expect(Math.min(...left)).toBeGreaterThanOrEqual(800);
    expect(Math.max(...left)).toBeLessThanOrEqual(1000);
    expect(new Set(left).size).toBeGreaterThan(20);
  });
});
