import fc from 'fast-check';
import { refused } from './support/errors';
import { closeAll, open } from './support/sharedCaches';

afterEach(closeAll);

test('several keys at once, and what is there of a time to live', () => {
  const cache = open<number>();
  expect(
    cache.setMany(
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
      { ttl: 60_000 },
    ),
  ).toBe(2);
  expect(cache.getMany(['b', 'x', 'a'])).toEqual([2, undefined, 1]);
  expect(cache.getRemainingTTL('a')).toBeGreaterThan(59_000);
  expect(cache.getRemainingTTL('a')).toBeLessThanOrEqual(60_000);
  expect(cache.touch('a')).toBe(true);
  expect(cache.getRemainingTTL('a')).toBe(Number.POSITIVE_INFINITY);
  expect([cache.touch('x', 5), cache.getRemainingTTL('x'), cache.has('x'), cache.has('a')]).toEqual([
    ...[false, undefined, false, true],
  ]);
});

/** Around the sizes at which keys go one by one, or in more than one batch. */
const SIZES = [0, 1, 5, 6, 63, 64, 65, 200];

test.each(SIZES)('%d keys at once are as so many one by one', (size) => {
  const key = fc.oneof(fc.nat({ max: size }).map(String), fc.string({ unit: 'binary' }));
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.uint8Array(),
    fc.dictionary(fc.string(), fc.integer(), { maxKeys: 2 }),
    fc.constant('x'.repeat(5_000)),
  );
  const lengths = { minLength: size, maxLength: size };
  const [many, single] = [open(), open()];
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value), lengths), fc.array(key, lengths), (entries, keys) => {
      expect(many.setMany(entries)).toBe(size);
      for (const [key, value] of entries) single.set(key, value);
      const found = keys.map((key) => single.get(key));
      expect(many.getMany(keys)).toEqual(found);
      // How long the keys are that two caches have in one shard is chance, and so are the bytes.
      const { bytes, shards, ...counts } = many.metrics();
      expect(single.metrics()).toMatchObject(counts);
    }),
    { numRuns: 20, endOnFailure: true },
  );
});

test('many keys have their options, and keys and values of any length', () => {
  const cache = open<any>({ maxBytes: 2 ** 26, shards: 1 });
  const entries = Array.from({ length: 150 }, (_, n): [string, string] => [
    n % 50 === 7 ? `${n}`.padStart(200_000, 'ключ') : `${n}`,
    n % 40 === 3 ? 'x'.repeat(1_000_000) : `value ${n}`,
  ]);
  expect(cache.setMany(entries, { ttl: 60_000, tags: ['t'] })).toBe(150);
  const keys = entries.map(([key]) => key).reverse();
  expect(cache.getMany(keys)).toEqual(entries.map(([, value]) => value).reverse());
  expect(cache.getRemainingTTL('149')).toBeLessThanOrEqual(60_000);
  expect(cache.invalidateTag('t')).toBe(150);
  const most = 2 ** 26;
  expect(cache.setMany([...entries.slice(0, 10), ['large', 'x'.repeat(most)]], { tags: ['u'] })).toBe(10);
  expect(cache.getMany(['0', 'large', '0', '9', 'large', '1'])).toEqual(
    [0, undefined, 0, 9, undefined, 1].map((n) => (n === undefined ? n : `value ${n}`)),
  );
});

test.each(SIZES)('of %d keys none is stored if one more cannot be', (size) => {
  const cache = open<any>();
  const entries = Array.from({ length: size }, (_, n): [any, any] => [`${n}`, n]);
  const cases: [any, any][] = [
    ['key', undefined],
    ['key', () => {}],
    [5, 'value'],
  ];
  for (const bad of cases) {
    expect(() => cache.setMany([...entries, bad], { tags: ['t'] })).toThrow(
      refused(bad[0] === 5 ? '"key"' : '"value"'),
    );
  }
  expect(() => cache.setMany(entries, { ttl: 0 })).toThrow(refused('"ttl"'));
  expect(() => cache.getMany([...entries.map(([key]) => key), 5 as any])).toThrow(refused('"key"'));
  expect(cache.metrics()).toMatchObject({ entries: 0, sets: 0, misses: 0 });
});
