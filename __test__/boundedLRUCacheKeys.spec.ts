import { runInNewContext } from 'node:vm';
import { BoundedLRUCache, InvalidArgumentError } from 'keelson';

describe('keys', () => {
  const symbol = Symbol('s');
  const fn = () => 1;
  class Point {
    constructor(readonly x: number) {}
  }
  const point = new Point(1);
  const date = new Date(0);
  const distinct: unknown[] = [
    ...['', '1', 'null', 'undefined', 'true', '{"a":1}', '[1]', 'j{"a":1}', '\0', '\0a', 'é', '日本', '😀'],
    ...['\ud800', '\udc00', '\ud83d', 'a'.repeat(22), 'a'.repeat(23), 'a'.repeat(254), 'a'.repeat(255)],
    ...['a'.repeat(256), 'a'.repeat(100_000), `${'a'.repeat(254)}é`, `${'a'.repeat(254)}日`],
    ...[0, 1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1n, true, false, null, undefined],
    ...[
      symbol,
      Symbol('s'),
      fn,
      () => 1,
      point,
      new Point(1),
      date,
      new Date(0),
      /a/,
      new Map(),
      new Set([1]),
    ],
    ...[{ a: 1 }, { a: '1' }, {}, [], [1], ['1'], [[1]], { a: { b: [1, null] } }],
  ];

  test('of every kind are told apart, found again and returned as given', () => {
    const cache = new BoundedLRUCache<unknown, number>(1000);
    distinct.forEach((key, index) => {
      cache.set(key, index);
    });
    expect(cache.size).toBe(distinct.length);
    distinct.forEach((key, index) => {
      expect(cache.get(key)).toBe(index);
      expect(cache.has(key)).toBe(true);
      expect(cache.peek(key)).toBe(index);
    });
    cache.keys().forEach((key, index) => {
      expect(Object.is(key, distinct[index])).toBe(true);
    });
    for (const key of distinct) expect(cache.delete(key)).toBe(true);
    expect(cache.size).toBe(0);
  });

  test('plain objects and arrays are structural, by their JSON', () => {
    const cache = new BoundedLRUCache<unknown, string>(10);
    cache.set({ a: 1, b: [2] }, 'object');
    expect(cache.get({ a: 1, b: [2] })).toBe('object');
    expect(cache.get({ b: [2], a: 1 })).toBeUndefined();
    expect(cache.get(JSON.parse('{"a":1,"b":[2]}'))).toBe('object');
    expect(cache.get({ a: 1, b: [2], c: undefined })).toBe('object');
    const bare = Object.assign(Object.create(null), { a: 1, b: [2] });
    expect(cache.get(bare)).toBe('object');
    const key = { id: 1 };
    cache.set(key, 'one');
    key.id = 2;
    expect([cache.get({ id: 1 }), cache.get({ id: 2 })]).toStrictEqual(['one', undefined]);
    expect(cache.delete({ id: 1 })).toBe(true);
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(() => cache.set(cycle, 'x')).toThrow(InvalidArgumentError);
    expect(() => cache.get({ big: 1n })).toThrow('"key" must be an object that JSON.stringify can write');
  });

  // Math, JSON, the prototypes of all classes and the empty object were one key, '{}'.
  test('what only looks like a plain object is a key by identity', () => {
    class Other {}
    const args = (function (..._: number[]) {
      // biome-ignore lint/complexity/noArguments: they are what this is about
      return arguments;
    })(1, 2);
    const odd = [Math, JSON, Reflect, Point.prototype, Other.prototype, Object.prototype, args, process];
    const bare = Object.create(Object.create(null) as object) as object;
    const cache = new BoundedLRUCache<unknown, unknown>(100);
    for (const key of [...odd, bare]) cache.set(key, key);
    expect(cache.size).toBe(odd.length + 1);
    for (const key of [...odd, bare]) expect(cache.get(key)).toBe(key);
    expect([cache.get({}), cache.get({ 0: 1, 1: 2 }), cache.get([1, 2])]).toStrictEqual([
      undefined,
      undefined,
      undefined,
    ]);
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    cache.set(proxy, 'revoked');
    expect(cache.get(proxy)).toBe('revoked');
  });

  test('a plain object of another realm is as plain', () => {
    const cache = new BoundedLRUCache<unknown, string>(10);
    cache.set({ a: 1 }, 'x');
    expect(cache.get(runInNewContext('({ a: 1 })'))).toBe('x');
    expect(cache.get(runInNewContext('Object.create(null, { a: { value: 1, enumerable: true } })'))).toBe(
      'x',
    );
    expect(cache.get(runInNewContext('new (class A { a = 1 })()'))).toBeUndefined();
  });

  // The key was written twice, so that a toJSON that cleared the cache left it with a slot that was free.
  test('a key is written once for each call, and its toJSON may use the cache', () => {
    const cache = new BoundedLRUCache<unknown, number>(10);
    let calls = 0;
    const key = {
      toJSON() {
        calls++;
        cache.clear();
        cache.set('other', 0);
        return 'x';
      },
    };
    cache.set(key, 1);
    expect(calls).toBe(1);
    expect([cache.size, cache.get({ toJSON: () => 'x' })]).toStrictEqual([2, 1]);
    cache.set({ toJSON: () => 'x' }, 2);
    expect(cache.size).toBe(2);
  });

  test('0 and -0 are one key, and so are all NaNs', () => {
    const cache = new BoundedLRUCache<number, string>(10);
    cache.set(-0, 'zero');
    cache.set(Number.NaN, 'nan');
    expect([cache.get(0), cache.get(0 / 0)]).toStrictEqual(['zero', 'nan']);
  });

  test('a string built by concatenation, slicing or a lookup is the same key', () => {
    const cache = new BoundedLRUCache<string, number>(10);
    const text = `the quick brown fox ${'日'.repeat(3)}`;
    cache.set(text, 1);
    expect(cache.get(`${text.slice(0, 9)}${text.slice(9)}`)).toBe(1);
    expect(cache.get(`x${text}y`.slice(1, -1))).toBe(1);
  });

  test('foreign keys are evicted in turn with text', () => {
    const cache = new BoundedLRUCache<unknown, number>(3);
    const one = new Point(1);
    cache.set(one, 1);
    cache.set('b', 2);
    cache.set(3, 3);
    cache.get(one);
    cache.set('d', 4);
    expect(cache.entries()).toStrictEqual([
      [one, 1],
      [3, 3],
      ['d', 4],
    ]);
    cache.set('e', 5);
    cache.set('f', 6);
    expect([cache.has(one), cache.has(3)]).toStrictEqual([false, false]);
  });
});
