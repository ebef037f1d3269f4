import { Worker } from 'node:worker_threads';
import { BoundedLRUCache, InvalidArgumentError, KeelsonError } from 'keelson';
import { manual } from './support/clock';

describe('the surface of the original', () => {
  test('stores by reference, overwrites, deletes and clears', () => {
    const cache = new BoundedLRUCache<string, { n: number }>(10);
    const value = { n: 1 };
    expect(cache.set('a', value)).toBeUndefined();
    expect(cache.get('a')).toBe(value);
    value.n = 2;
    expect(cache.get('a')).toStrictEqual({ n: 2 });
    cache.set('a', { n: 3 });
    expect(cache.size).toBe(1);
    expect([cache.delete('a'), cache.delete('a'), cache.get('a')]).toStrictEqual([true, false, undefined]);
    cache.set('b', value);
    cache.clear();
    expect([cache.size, cache.has('b')]).toStrictEqual([0, false]);
  });

  test('getStats() has exactly the keys of the original, of the realm of the test', () => {
    const cache = new BoundedLRUCache<string, number>(2);
    cache.set('a', 1);
    cache.set('b', 2);
    cache.set('c', 3);
    cache.get('c');
    cache.get('gone');
    cache.has('c');
    cache.has('gone');
    expect(cache.getStats()).toStrictEqual({
      hits: 1,
      misses: 1,
      evictions: 1,
      expirations: 0,
      hitRate: 0.5,
      currentSize: 2,
      maxSize: 2,
    });
    cache.resetStats();
    expect(cache.getStats()).toMatchObject({ hits: 0, misses: 0, evictions: 0, hitRate: 0, currentSize: 2 });
    cache.get('c');
    cache.clear();
    expect(cache.getStats().hits).toBe(0);
  });

  test('lists in the order of insertion, which neither use nor replacement changes', () => {
    const cache = new BoundedLRUCache<string, number>(3);
    for (const [index, key] of ['a', 'b', 'c'].entries()) cache.set(key, index);
    cache.get('a');
    cache.set('b', 9);
    expect(cache.keys()).toStrictEqual(['a', 'b', 'c']);
    expect(cache.values()).toStrictEqual([0, 9, 2]);
    expect(cache.entries()).toStrictEqual([
      ['a', 0],
      ['b', 9],
      ['c', 2],
    ]);
    expect([...cache]).toStrictEqual(cache.entries());
    expect(cache.entriesByRecency()).toStrictEqual([
      ['b', 9],
      ['a', 0],
      ['c', 2],
    ]);
  });

  test('destroy() empties, as often as one likes, and leaves a cache that works', () => {
    const cache = new BoundedLRUCache<string, number>(3);
    cache.set('a', 1);
    cache.destroy();
    cache.destroy();
    expect([cache.size, cache.get('a'), cache.keys()]).toStrictEqual([0, undefined, []]);
    cache.set('a', 2);
    expect(cache.get('a')).toBe(2);
    const symbol: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('nodejs.dispose');
    cache[symbol]();
    expect(cache.size).toBe(0);
  });

  test('the bound holds at every moment and recency is exact within one millisecond', () => {
    const { clock } = manual();
    const cache = new BoundedLRUCache<number, number>({ maxSize: 100, clock });
    for (let i = 0; i < 1000; i++) {
      cache.set(i, i);
      expect(cache.size).toBeLessThanOrEqual(100);
      if (i >= 50) cache.get(i - 50);
    }
    expect(cache.size).toBe(100);
  });
});

describe('onEvict', () => {
  test('hears every reason, with the key as given and the value', () => {
    const { clock, advance } = manual();
    const gone: unknown[] = [];
    const cache = new BoundedLRUCache<unknown, string>({
      maxSize: 2,
      maxWeight: 10,
      weigh: (value) => value.length,
      clock,
      onEvict: (...all) => gone.push(all),
    });
    const key = { id: 1 };
    cache.set(key, 'a');
    cache.set('日', 'b');
    cache.set(3, 'c');
    cache.set(3, 'cc');
    cache.set(3, 'c'.repeat(10));
    cache.set('big', 'x'.repeat(11));
    cache.set(3, 'x'.repeat(11));
    cache.set('t', 'd', 5);
    advance(6);
    cache.has('t');
    cache.set('e', 'e');
    cache.delete('e');
    cache.set('f', 'f');
    cache.clear();
    expect(gone).toStrictEqual([
      [key, 'a', 'size'],
      [3, 'c', 'replaced'],
      ['日', 'b', 'weight'],
      [3, 'cc', 'replaced'],
      [3, 'cccccccccc', 'weight'],
      ['t', 'd', 'expired'],
      ['e', 'e', 'deleted'],
      ['f', 'f', 'cleared'],
    ]);
  });

  test('may use the cache', () => {
    const cache: BoundedLRUCache<string, number> = new BoundedLRUCache<string, number>({
      maxSize: 2,
      onEvict: (key, value) => {
        if (value < 100) cache.set(`${key}!`, value + 100);
      },
    });
    for (const [index, key] of ['a', 'b', 'c', 'd'].entries()) cache.set(key, index);
    expect(cache.size).toBe(2);
    expect(cache.entries().every(([key, value]) => cache.get(key) === value)).toBe(true);
  });

  test('may throw: every callback runs, the cache is whole, and the caller hears of it', () => {
    let calls = 0;
    const cache = new BoundedLRUCache<string, number>({
      maxSize: 2,
      onEvict: () => {
        calls++;
        throw new Error(`no ${calls}`);
      },
    });
    cache.set('a', 1);
    cache.set('b', 2);
    expect(() => cache.set('c', 3)).toThrow('no 1');
    expect(cache.entries()).toStrictEqual([
      ['b', 2],
      ['c', 3],
    ]);
    expect(() => cache.clear()).toThrow(AggregateError);
    expect([calls, cache.size]).toStrictEqual([3, 0]);
  });

  // The first error ended a batch in the middle: entries after it were neither stored nor reported.
  test('may throw in a batch, which is done by then', () => {
    const onEvict = (key: string) => {
      throw new Error(`no ${key}`);
    };
    let now = 1000;
    const cache = new BoundedLRUCache<string, number>({ maxSize: 2, clock: () => now, onEvict });
    const three: [string, number][] = [
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ];
    expect(() => cache.setMany(three)).toThrow('no a');
    expect(cache.keys()).toStrictEqual(['b', 'c']);
    expect(() => cache.load(three.map(([key, value]) => [`${key}!`, { value, expires: 1010 }]))).toThrow(
      AggregateError,
    );
    expect(cache.keys()).toStrictEqual(['b!', 'c!']);
    now += 1000;
    expect(() => cache.getMany(['b!', 'c!'])).toThrow(AggregateError);
    expect(cache.metrics()).toMatchObject({ misses: 2, expirations: 2 });
  });

  test('hears more removals than one report of the index holds', () => {
    const { clock, advance } = manual();
    const gone = new Map<unknown, unknown>();
    const onEvict = (key: string, value: number) => gone.set(key, value);
    const cache = new BoundedLRUCache<string, number>({ maxSize: 2000, clock, onEvict });
    for (let i = 0; i < 1300; i++) cache.set(`key ${i}`, i, 10);
    advance(11);
    expect(cache.prune()).toBe(1300);
    expect(gone.size).toBe(1300);
    for (const [key, value] of gone) expect(key).toBe(`key ${value}`);
  });
});

describe('bounds', () => {
  test('maxWeight holds, and what can never fit is not stored', () => {
    const weigh = (value: string) => value.length;
    const cache = new BoundedLRUCache<string, string>({ maxSize: 100, maxWeight: 10, weigh });
    cache.set('a', '1234');
    cache.set('b', '1234');
    cache.set('c', '123');
    expect([cache.keys(), cache.metrics().weight]).toStrictEqual([['b', 'c'], 7]);
    cache.set('b', '1234567');
    expect(cache.metrics().weight).toBe(10);
    cache.set('c', 'x'.repeat(11));
    cache.set('d', 'x'.repeat(11));
    expect([cache.keys(), cache.metrics().rejections]).toStrictEqual([['b'], 2]);
    const bad = new BoundedLRUCache({ maxSize: 1, maxWeight: 1, weigh: () => Number.NaN });
    expect(() => bad.set('a', 1)).toThrow('"weigh" must be a function that returns a finite number from 0');
  });

  test('memory pressure shrinks on insertion, and only then', () => {
    let short = false;
    const cache = new BoundedLRUCache<number, number>({
      maxSize: 1000,
      memoryPressure: { isShort: () => short, every: 10, keep: 0.25 },
    });
    for (let i = 0; i < 500; i++) cache.set(i, i);
    short = true;
    expect(cache.size).toBe(500);
    for (let i = 500; i < 510; i++) cache.set(i, i);
    expect(cache.size).toBe(127);
    expect(cache.keys()[0]).toBe(383);
    expect(cache.metrics()).toMatchObject({ evictionsByPressure: 383 });
    expect(cache.getStats().evictions).toBe(383);
    const real = new BoundedLRUCache<number, number>({
      maxSize: 10_000,
      memoryPressure: { heap: 0.01, every: 1000 },
    });
    for (let i = 0; i < 1000; i++) real.set(i, i);
    expect([0, 500, 1000]).toContain(real.size);
    expect(new BoundedLRUCache({ maxSize: 1, memoryPressure: true }).size).toBe(0);
  });

  test.each([0, -1, 1.5, Number.NaN, Infinity, 2 ** 53, '10', null, undefined])(
    'maxSize %p is refused',
    (maxSize) => {
      const call = () => new BoundedLRUCache(maxSize as number);
      expect(call).toThrow(KeelsonError);
      expect(call).toThrow(/"maxSize" must be a whole number from 1/);
      expect(() => new BoundedLRUCache({ maxSize: maxSize as number })).toThrow(InvalidArgumentError);
    },
  );

  test.each([
    [{ ttl: 0 }, 'ttl'],
    [{ ttl: Number.NaN }, 'ttl'],
    [{ ttl: null }, 'ttl'],
    [{ maxWeight: null, weigh: (): number => 1 }, 'maxWeight'],
    [{ ttlJitter: 2 }, 'ttlJitter'],
    [{ policy: 'fifo' }, 'policy'],
    [{ maxWeight: 5 }, 'weigh'],
    [{ maxWeight: -5, weigh: (): number => 1 }, 'maxWeight'],
    [{ weigh: 1 }, 'weigh'],
    [{ onEvict: 1 }, 'onEvict'],
    [{ clock: 1 }, 'clock'],
    [{ updateAgeOnGet: 1 }, 'updateAgeOnGet'],
    [{ allowStale: 'yes' }, 'allowStale'],
    [{ memoryPressure: { heap: 2 } }, 'memoryPressure.heap'],
    [{ memoryPressure: { heaps: 1 } }, 'memoryPressure.heaps'],
    [{ memoryPressure: 3 }, 'memoryPressure'],
    [{ maxsize: 3 }, 'options.maxsize'],
  ])('the option %p is refused by name', (options, name) => {
    const call = () => new BoundedLRUCache({ maxSize: 5, ...options } as never);
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_KEELSON_INVALID_ARGUMENT' }));
    expect(call).toThrow(`"${name}"`);
  });

  test('a bad ttl is refused, and nothing is changed', () => {
    const cache = new BoundedLRUCache<string, number>(5);
    for (const ttl of [-1, Number.NaN, '5', null]) {
      expect(() => cache.set('a', 1, ttl as number)).toThrow(InvalidArgumentError);
    }
    expect(() => new BoundedLRUCache(5, -1)).toThrow('"defaultTtl"');
    expect(() => new BoundedLRUCache({ maxSize: 5 } as never, 5)).toThrow('"defaultTtl"');
    expect(cache.size).toBe(0);
  });
});

test('getMany, setMany, dump and load', () => {
  const { clock, advance } = manual();
  const cache = new BoundedLRUCache<unknown, number>({ maxSize: 10, ttl: 100, clock });
  cache.setMany([
    ['a', 1],
    ['b', 2],
  ]);
  cache.setMany(new Map<unknown, number>([[{ id: 3 }, 3]]), 20);
  cache.set('for ever', 4, Number.POSITIVE_INFINITY);
  expect(cache.getMany(['b', 'x', 'a'])).toStrictEqual([2, undefined, 1]);
  const dumped = cache.dump();
  expect(dumped).toStrictEqual([
    [{ id: 3 }, { value: 3, expires: clock() + 20 }],
    ['for ever', { value: 4 }],
    ['b', { value: 2, expires: clock() + 100 }],
    ['a', { value: 1, expires: clock() + 100 }],
  ]);
  advance(30);
  const copy = new BoundedLRUCache<unknown, number>({ maxSize: 10, clock });
  copy.load(JSON.parse(JSON.stringify(dumped)));
  expect(copy.entriesByRecency().map(([key]) => key)).toStrictEqual(['a', 'b', 'for ever']);
  expect([copy.getRemainingTTL('a'), copy.getRemainingTTL('for ever')]).toStrictEqual([70, Infinity]);
});

// A dump that broke in the middle left the cache half loaded, and most broken ones were TypeErrors.
test('load() checks all of a dump before it changes anything', () => {
  const cache = new BoundedLRUCache<unknown, unknown>({
    maxSize: 9,
    weigh: (value) => (value === 'bad' ? Number.NaN : 1),
  });
  const good = ['a', { value: 1 }];
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const broken = [
    ...[
      null,
      undefined,
      5,
      {},
      [good, null],
      [good, 'ab'],
      [good, ['b', 1]],
      [good, ['b', null]],
      [good, ['b']],
    ],
    ...[
      [good, ['b', { value: 1, expires: 'x' }]],
      [good, ['b', { value: 1, expires: Number.NaN }]],
    ],
    ...[
      [good, ['b', { value: 1, ttl: 0 }]],
      [good, [cycle, { value: 1 }]],
      [good, ['b', { value: 'bad' }]],
    ],
  ];
  for (const dumped of broken) {
    expect(() => cache.load(dumped as never)).toThrow(InvalidArgumentError);
    expect(cache.size).toBe(0);
  }
});

// A reloaded entry was renewed with what it had left when it was dumped.
test('a dump under updateAgeOnGet has the time that hits renew', () => {
  let now = 1000;
  const options = { maxSize: 3, updateAgeOnGet: true, clock: () => now };
  const [cache, copy] = [new BoundedLRUCache(options), new BoundedLRUCache(options)];
  cache.set('a', 1, 500);
  now += 400;
  copy.load(JSON.parse(JSON.stringify(cache.dump())));
  expect(copy.getRemainingTTL('a')).toBe(100);
  copy.get('a');
  expect(copy.getRemainingTTL('a')).toBe(500);
});

test('a large cache keeps what it should', () => {
  const cache = new BoundedLRUCache<string, number>(50_000);
  for (let i = 0; i < 120_000; i++) cache.set(`key:${i}`, i);
  expect(cache.size).toBe(50_000);
  expect([cache.get('key:69999'), cache.get('key:70000'), cache.get('key:119999')]).toStrictEqual([
    undefined,
    70_000,
    119_999,
  ]);
  expect(cache.keys()[0]).toBe('key:70000');
});

test('works in a worker thread, and goes with it', async () => {
  const code = `
    const { parentPort } = require('node:worker_threads');
    const { BoundedLRUCache } = require(${JSON.stringify(require.resolve('keelson'))});
    const cache = new BoundedLRUCache(10);
    for (let i = 0; i < 20000; i++) cache.set('k' + i % 15, i);
    parentPort.postMessage([cache.size, cache.get('k4'), cache.getStats().evictions]);
  `;
  const answers = await Promise.all(
    [1, 2].map(() => {
      const worker = new Worker(code, { eval: true });
      let answer: unknown;
      worker.once('message', (message) => {
        answer = message;
      });
      return new Promise((resolve, reject) =>
        worker.once('exit', () => resolve(answer)).once('error', reject),
      );
    }),
  );
  expect(answers).toStrictEqual([
    [10, 19_999, 19_990],
    [10, 19_999, 19_990],
  ]);
});
