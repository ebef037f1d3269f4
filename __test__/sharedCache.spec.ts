import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { SharedCache, type SharedCacheOptions } from 'keelson';

const opened: SharedCache<any>[] = [];
let names = 0;

/** A cache of its own name, which is closed after the test. */
function open<V = any>(options: Partial<SharedCacheOptions> = {}): SharedCache<V> {
  const cache = new SharedCache<V>({ name: `spec-${++names}`, ...options });
  opened.push(cache);
  return cache;
}

afterEach(() => {
  for (const cache of opened.splice(0)) cache.close();
});

const refused = (told: string) =>
  expect.objectContaining({
    code: 'ERR_KEELSON_INVALID_ARGUMENT',
    message: expect.stringContaining(told),
  });

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

/** A little over 100 bytes, of which most are said before. */
const REPETITIVE = [
  'again and '.repeat(12),
  'снова и '.repeat(12),
  Buffer.alloc(120, 'again and '),
  { list: Array(60).fill('again') },
];

test('what is large enough is stored compressed, and every handle reads it as it was', async () => {
  const [packing, plain] = [open({ compressFrom: 100, shards: 1 }), open({ shards: 1 })];
  const other = open({ name: packing.name, shards: 1 });
  const folder = mkdtempSync(join(tmpdir(), 'keelson-snapshot-'));
  for (const [index, value] of REPETITIVE.entries()) {
    const key = `${index}`;
    for (const cache of [packing, plain]) {
      expect(cache.set(key, value)).toBe(true);
      cache.setMany(Array.from({ length: 8 }, (_, n) => [`many ${key} ${n}`, value]));
    }
    expect(await packing.getOrLoad(`loaded ${key}`, () => value)).toEqual(value);
    expect(await other.getOrLoad(`loaded ${key}`, () => 'never')).toEqual(value);
    expect([other.get(key), packing.get(key)]).toEqual([value, value]);
    expect(other.getMany(Array(8).fill(`many ${key} 7`))).toEqual(Array(8).fill(value));
    expect(other.compareAndSet(key, 'another', 1)).toBe(false);
    expect(other.compareAndSet(key, value, value)).toBe(true);
    expect(packing.compareAndSet(key, value, value)).toBe(true);
  }
  expect(packing.metrics().bytes).toBeLessThan(plain.metrics().bytes - 1000);
  await packing.snapshot(join(folder, 'a'));
  const restored = open({ shards: 1 });
  expect(await restored.restore(join(folder, 'a'))).toBe(packing.size);
  expect(new Map(restored)).toEqual(new Map(packing));
  expect(Math.abs(restored.metrics().bytes - packing.metrics().bytes)).toBeLessThan(1000);
  rmSync(folder, { recursive: true });
});

test('who waits for a load in another handle has what was compressed as it was', async () => {
  const packing = open({ compressFrom: 100 });
  const other = open({ name: packing.name });
  const { loader, land } = held();
  const loads = [packing.getOrLoad('a', loader), other.getOrLoad('a', loader)];
  await null;
  land(REPETITIVE[0] as string);
  expect(await Promise.all(loads)).toEqual([REPETITIVE[0], REPETITIVE[0]]);
});

test('what is small, does not become smaller or is a number is stored as it is', () => {
  const [packing, plain] = [open({ compressFrom: 1, shards: 1 }), open({ shards: 1 })];
  for (const cache of [packing, plain]) {
    cache.set('bytes', Buffer.from(Array.from({ length: 250 }, (_, n) => n)));
    cache.set('text', 'short');
    cache.set('empty', '');
    expect([cache.incr('count'), cache.incr('count', 2)]).toEqual([1, 3]);
  }
  expect(packing.metrics().bytes).toBe(plain.metrics().bytes);
  expect(new Map(packing)).toEqual(new Map(plain));
});

test('a value that is too large for a shard is refused, however small it would become', () => {
  const cache = open({ maxBytes: 2 ** 20, compressFrom: 1 });
  expect(cache.set('a', 'x'.repeat(2 ** 20))).toBe(false);
  expect(cache.set('a', 'x'.repeat(2 ** 20 - 2 ** 14))).toBe(true);
  expect(cache.get('a')).toBe('x'.repeat(2 ** 20 - 2 ** 14));
  expect(cache.metrics().bytes).toBeLessThan(2 ** 16);
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

test('a load runs once for all who wait, and only where there is nothing', async () => {
  const cache = open<any>();
  let runs = 0;
  const loader = async (key: string): Promise<string> => {
    runs++;
    await new Promise((resolve) => setTimeout(resolve, 5));
    return `${key} ${runs}`;
  };
  const other = open<any>({ name: cache.name });
  const all = [cache.getOrLoad('k', loader), cache.getOrLoad('k', loader), other.getOrLoad('k', loader)];
  expect(await Promise.all(all)).toEqual(['k 1', 'k 1', 'k 1']);
  expect(await cache.getOrLoad('k', loader)).toBe('k 1');
  cache.set('null', null);
  expect(await cache.getOrLoad('null', loader)).toBeNull();
  expect(await cache.getOrLoad('none', () => undefined)).toBeUndefined();
  expect(cache.has('none')).toBe(false);
  const failing = async (): Promise<never> => {
    await null;
    throw new RangeError('no');
  };
  const failed = await Promise.allSettled([cache.getOrLoad('bad', failing), other.getOrLoad('bad', failing)]);
  expect(failed).toMatchObject([
    { reason: expect.any(RangeError) },
    { reason: { code: 'ERR_KEELSON_LOAD', key: 'bad', message: expect.stringContaining(': no') } },
  ]);
  expect(await cache.getOrLoad('bad', () => 'now')).toBe('now');
});

/** A load that ends when `land` is called. */
function held(): { loader: () => Promise<string>; land: (value: string) => void } {
  let land!: (value: string) => void;
  const loaded = new Promise<string>((resolve) => {
    land = resolve;
  });
  return { loader: () => loaded, land };
}

test('what is set or deleted while it is loaded stays so', async () => {
  const cache = open<any>();
  const { loader, land } = held();
  const load = cache.getOrLoad('a', loader);
  await null;
  cache.set('a', 'set');
  land('loaded');
  expect(await load).toBe('loaded');
  expect(cache.get('a')).toBe('set');
});

test.each(['delete', 'invalidateTag', 'clear'] as const)(
  'who asks after %s gets nothing from before it',
  async (how) => {
    const cache = open<any>();
    const { loader, land } = held();
    const options = { tags: ['tag'] };
    const before = [cache.getOrLoad('a', loader, options), cache.getOrLoad('a', loader, options)];
    if (how === 'clear') cache.clear();
    else cache[how](how === 'delete' ? 'a' : 'tag');
    const after = cache.getOrLoad('a', () => 'new', options);
    land('old');
    expect(await Promise.all(before)).toEqual(['old', 'old']);
    expect(await after).toBe('new');
    expect(cache.get('a')).toBe('new');
  },
);

test('all who wait in the thread of a loader get its own error', async () => {
  const cache = open<any>();
  const failing = async (): Promise<never> => {
    await null;
    throw new RangeError('no');
  };
  const failed = await Promise.allSettled([1, 2, 3].map(() => cache.getOrLoad('bad', failing)));
  expect(failed.map((one) => (one as PromiseRejectedResult).reason)).toEqual(
    Array(3).fill(new RangeError('no')),
  );
});

test('who waits for a load can give up', async () => {
  const cache = open<any>();
  const controller = new AbortController();
  const { loader, land } = held();
  const load = cache.getOrLoad('a', loader, { signal: controller.signal });
  await null;
  controller.abort(new Error('enough'));
  await expect(load).rejects.toThrow('enough');
  land('loaded');
  await new Promise((resolve) => setImmediate(resolve));
  expect(cache.get('a')).toBe('loaded');
  await expect(
    cache.getOrLoad('b', () => 1, { signal: AbortSignal.abort(new Error('before')) }),
  ).rejects.toThrow('before');
});

describe('snapshots', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keelson-snapshot-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('have all entries, with their times to live and tags', async () => {
    const path = join(folder, 'größe 😀.snapshot');
    const cache = open();
    cache.set('text', 'ä', { tags: ['t'] });
    cache.set('object', { a: [1n] }, { ttl: 60_000 });
    expect(await cache.snapshot(path)).toBe(2);
    const other = open();
    other.set('own', 1);
    expect(await other.restore(path)).toBe(2);
    expect(new Map(other)).toEqual(
      new Map<string, unknown>([
        ['text', 'ä'],
        ['object', { a: [1n] }],
        ['own', 1],
      ]),
    );
    expect(other.getRemainingTTL('object')).toBeLessThanOrEqual(60_000);
    expect(other.invalidateTag('t')).toBe(1);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test('that are damaged, of another kind or not there are refused, and nothing is done', async () => {
    const path = join(folder, 'a');
    const cache = open();
    cache.set('a', 1);
    await cache.snapshot(path);
    const good = readFileSync(path);
    const other = open();
    const damaged = Buffer.from(good);
    damaged[good.length - 5]! ^= 1;
    for (const bytes of [damaged, good.subarray(0, -1), Buffer.from('something else'), Buffer.alloc(0)]) {
      writeFileSync(path, bytes);
      await expect(other.restore(path)).rejects.toMatchObject({ code: 'ERR_KEELSON_SNAPSHOT' });
    }
    await expect(other.restore(join(folder, 'none'))).rejects.toMatchObject({ name: 'SnapshotError' });
    await expect(other.snapshot(join(folder, 'none', 'a'))).rejects.toMatchObject({ name: 'SnapshotError' });
    expect(other.size).toBe(0);
  });
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
