import { isDeepStrictEqual } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { SharedCache, type SharedCacheOptions } from 'keelson';
import { refused } from './support/errors';
import { closeAll, open } from './support/sharedCaches';

afterEach(closeAll);

const ANYTHING = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }),
);

test('what is set comes out again, whatever it is', () => {
  const cache = open();
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), ANYTHING, (key, value) => {
      if (value === undefined) return;
      expect(cache.set(key, value)).toBe(true);
      const found = cache.get(key);
      // Bytes come out as a Buffer, whatever their class was.
      if (value instanceof Uint8Array) expect([...found]).toEqual([...value]);
      // By its bytes, as no two dates that are none are equal, nor are objects of two realms.
      else expect(serialize(found)).toEqual(serialize(deserialize(serialize(value))));
    }),
  );
});

test.each<[string, unknown]>([
  ['no text', ''],
  ['half a pair of surrogates', '\ud800'],
  ['Latin-1', 'straße'],
  ['other scripts', 'größer 大 😀'],
  ['NaN', Number.NaN],
  ['minus zero', -0],
  ['null', null],
  ['false', false],
  ['no bytes', Buffer.alloc(0)],
  ['many bytes', Buffer.alloc(10_000, 'x')],
  ['a long text', 'x'.repeat(1_000_000)],
])('%s is a value', (_, value) => {
  const cache = open();
  cache.set('key', value);
  expect(cache.get('key')).toEqual(value);
  expect(Object.is(cache.get('key'), value) || typeof value === 'object').toBe(true);
});

test('what comes out is a copy', () => {
  const cache = open();
  const given = { list: [1] };
  const bytes = Buffer.from([1, 2]);
  cache.set('object', given).valueOf();
  cache.set('bytes', bytes);
  given.list.push(2);
  bytes[0] = 9;
  const found = cache.get('object');
  found.list.push(3);
  expect(cache.get('object')).toEqual({ list: [1] });
  expect([...cache.get('bytes')]).toEqual([1, 2]);
});

/** As much as fits, so that nothing is evicted. */
test('it does what a Map does, key by key', () => {
  const key = fc.constantFrom('a', 'b', 'ä', '', '\ud800');
  const value = fc.oneof(fc.integer(), fc.string(), fc.dictionary(fc.string(), fc.integer(), { maxKeys: 2 }));
  const step = fc.oneof(
    fc.tuple(fc.constant('set' as const), key, value),
    fc.tuple(fc.constant('delete' as const), key),
    fc.tuple(fc.constant('get' as const), key),
    fc.tuple(fc.constant('incr' as const), key, fc.integer()),
    fc.tuple(fc.constant('swap' as const), key, fc.option(value, { nil: undefined }), value),
    fc.tuple(fc.constant('tag' as const), key, value),
    fc.tuple(fc.constant('invalidate' as const)),
    fc.tuple(fc.constant('clear' as const)),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const cache = open({ name: 'model' });
      cache.clear();
      const model = new Map<string, { value: unknown; tagged?: boolean }>();
      for (const [what, of, one, other] of steps as any[]) {
        const present = model.get(of);
        if (what === 'set') {
          cache.set(of, one);
          model.set(of, { value: one });
        } else if (what === 'tag') {
          cache.set(of, one, { tags: ['t', 'u'] });
          model.set(of, { value: one, tagged: true });
        } else if (what === 'delete') {
          expect(cache.delete(of)).toBe(model.delete(of));
        } else if (what === 'get') {
          expect(cache.get(of)).toEqual(present?.value);
        } else if (what === 'incr') {
          if (present !== undefined && typeof present.value !== 'number') {
            expect(() => cache.incr(of, one)).toThrow(refused('number'));
          } else {
            const sum = ((present?.value as number) ?? 0) + one;
            expect(cache.incr(of, one)).toBe(sum);
            model.set(of, { ...present, value: sum });
          }
        } else if (what === 'swap') {
          const isSame = isDeepStrictEqual(structuredClone(one), structuredClone(present?.value));
          expect(cache.compareAndSet(of, one, other)).toBe(isSame);
          if (isSame) model.set(of, { value: other });
        } else if (what === 'invalidate') {
          const tagged = [...model].filter(([, { tagged }]) => tagged).map(([name]) => name);
          expect(cache.invalidateTag('t')).toBe(tagged.length);
          for (const name of tagged) model.delete(name);
        } else {
          cache.clear();
          model.clear();
        }
      }
      expect(new Map(cache)).toEqual(new Map([...model].map(([name, { value }]) => [name, value])));
      expect(cache.size).toBe(model.size);
    }),
  );
});

test('compareAndSet compares what comes out, whatever went in', () => {
  class Point {
    x = 1;
  }
  const cases = [
    new Point(),
    Object.assign(Object.create(null), { x: 1 }),
    new Uint8Array([1]),
    Object.assign([1], { 2: 3 }),
    new Map([[1, {}]]),
  ];
  for (const value of [...cases, 'text', Number.NaN, null]) {
    const cache = open<any>();
    cache.set('a', value);
    expect(cache.compareAndSet('a', cache.get('a'), value)).toBe(true);
    expect(cache.compareAndSet('a', value, 'next')).toBe(true);
    expect(cache.compareAndSet('a', value, 'again')).toBe(false);
    expect(cache.get('a')).toBe('next');
  }
});

test('an entry is gone when its time is over, and its memory too though nobody asks', async () => {
  const cache = open({ ttl: 20 });
  for (let n = 0; n < 100; n++) cache.set(`key ${n}`, 'x'.repeat(1000));
  cache.set('stays', 1, { ttl: Number.POSITIVE_INFINITY });
  const full = cache.metrics().bytes;
  while (cache.has('key 99')) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(cache.get('key 0')).toBeUndefined();
  while (cache.size > 1) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(cache.metrics()).toMatchObject({ entries: 1, expired: 100 });
  expect(cache.metrics().bytes).toBeLessThan(full - 100_000);
});

test('bounds hold, and what is too large for a shard is refused', () => {
  const cache = open({ maxBytes: 2 ** 20, maxEntries: 1000 });
  for (let n = 0; n < 5000; n++) {
    cache.set(`key ${n}`, 'x'.repeat(n % 2000));
    if (n % 500 === 0) expect(cache.metrics().bytes).toBeLessThanOrEqual(2 ** 20);
  }
  const { entries, bytes, evictedBySize, evictedByBytes } = cache.metrics();
  expect([entries <= 1000, bytes <= 2 ** 20, evictedBySize + evictedByBytes]).toEqual([
    true,
    true,
    5000 - entries,
  ]);
  cache.set('large', 1);
  expect(cache.set('large', 'x'.repeat(2 ** 20))).toBe(false);
  expect(cache.has('large')).toBe(false);
  expect(cache.metrics().rejected).toBe(1);
});

test('metrics are the sum of all shards', () => {
  const cache = open({ shards: 4 });
  cache.set('a', 1);
  cache.set('b', 2);
  cache.get('a');
  cache.get('x');
  cache.delete('b');
  const { shards, ...all } = cache.metrics();
  expect(all).toMatchObject({ entries: 1, hits: 1, misses: 1, sets: 2, deletes: 1, rejected: 0 });
  expect(shards).toHaveLength(4);
  for (const name of ['entries', 'bytes', 'hits', 'sets'] as const) {
    expect(shards.reduce((sum, shard) => sum + shard[name], 0)).toBe(all[name]);
  }
});

test('handles of one name are on one cache, which ends with the last of them', () => {
  const [one, other] = [open({ name: 'same' }), open({ name: 'same' })];
  one.set('a', 1);
  expect(other.get('a')).toBe(1);
  one.close();
  one.close();
  expect(() => one.get('a')).toThrow(expect.objectContaining({ code: 'ERR_KEELSON_DESTROYED' }));
  expect(other.get('a')).toBe(1);
  expect(() => open({ name: 'same', maxBytes: 2 ** 21 })).toThrow(refused('"maxBytes"'));
  other.close();
  expect(open({ name: 'same', maxBytes: 2 ** 21 }).get('a')).toBeUndefined();
});

test.each<[string, unknown, string]>([
  ['no name', {}, '"name"'],
  ['an empty name', { name: '' }, '"name"'],
  ['too few bytes', { name: 'x', maxBytes: 1000 }, '"maxBytes"'],
  ['no entries', { name: 'x', maxEntries: 0 }, '"maxEntries"'],
  ['no time', { name: 'x', ttl: 0 }, '"ttl"'],
  ['no such policy', { name: 'x', policy: 'fifo' }, '"policy"'],
  ['three shards', { name: 'x', shards: 3 }, '"shards"'],
  ['too many shards', { name: 'x', shards: 512 }, '"shards"'],
  ['less than a byte', { name: 'x', compressFrom: 0 }, '"compressFrom"'],
  ['half a byte', { name: 'x', compressFrom: 1.5 }, '"compressFrom"'],
  ['an unknown option', { name: 'x', max: 1 }, '"options.max"'],
])('%s is refused', (_, options, told) => {
  expect(() => new SharedCache(options as SharedCacheOptions)).toThrow(refused(told));
});

test('bad arguments are refused, and nothing is done', async () => {
  const cache = open<any>();
  const bad: [() => unknown, string][] = [
    [() => cache.get(5 as any), '"key"'],
    [() => cache.set('a', undefined), '"value"'],
    [() => cache.set('a', () => {}), '"value"'],
    [() => cache.set('a', 1, { ttl: -1 }), '"ttl"'],
    [() => cache.set('a', 1, { tags: 'x' as any }), '"tags"'],
    [() => cache.set('a', 1, { tags: [1 as any] }), '"tags[0]"'],
    [() => cache.set('a', 1, { tll: 1 } as any), '"options.tll"'],
    [() => cache.incr('a', Number.NaN), '"by"'],
    [() => cache.touch('a', 0), '"ttl"'],
    [() => cache.compareAndSet('a', undefined, () => {}), '"value"'],
    [() => cache.invalidateTag(1 as any), '"tag"'],
  ];
  for (const [call, told] of bad) expect(call).toThrow(refused(told));
  await expect(cache.getOrLoad('a', 5 as any)).rejects.toEqual(refused('"loader"'));
  await expect(cache.snapshot('')).rejects.toEqual(refused('"path"'));
  // Tags of what was refused are those of nothing else.
  cache.set('a', 1);
  expect(cache.invalidateTag('x')).toBe(0);
  expect(cache.size).toBe(1);
});
