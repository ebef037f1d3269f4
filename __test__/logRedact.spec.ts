import fc from 'fast-check';
import { redactor } from '../dist/log/redact';

type Censor = Parameters<typeof redactor>[1];

const redact = (paths: string[], value: object, ...censor: [Censor?]): unknown =>
  redactor(paths, censor.length === 0 ? '#' : censor[0])(value);

test.each<[string, object, object]>([
  ['a', { a: 1, b: 2 }, { a: '#', b: 2 }],
  ['a.b', { a: { b: { c: 1 }, d: 2 } }, { a: { b: '#', d: 2 } }],
  ['a["b-c"].d', { a: { 'b-c': { d: 1 } } }, { a: { 'b-c': { d: '#' } } }],
  [`["a.b"]['c']`, { 'a.b': { c: 1 } }, { 'a.b': { c: '#' } }],
  ['*.x', { a: { x: 1 }, b: { x: 2 }, x: 3 }, { a: { x: '#' }, b: { x: '#' }, x: 3 }],
  ['*', { a: 1, b: { c: 2 } }, { a: '#', b: '#' }],
  ['list[*].x', { list: [{ x: 1 }, { y: 2 }, 3] }, { list: [{ x: '#' }, { y: 2 }, 3] }],
  ['list[1]', { list: [1, 2] }, { list: [1, '#'] }],
  ['__proto__', JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":"#"}')],
  ['a.b', { a: null, b: 1 }, { a: null, b: 1 }],
])('%s', (path, value, expected) => {
  expect(JSON.stringify(redact([path], value))).toBe(JSON.stringify(expected));
});

test('what is given is not changed, and what is not concerned is shared', () => {
  const value = Object.freeze({ a: Object.freeze({ b: 1, c: {} }), other: {}, list: Object.freeze([{}]) });
  const found: any = redact(['a.b', 'list[0].x'], value);
  expect(found).toEqual({ a: { b: '#', c: {} }, other: {}, list: [{}] });
  expect(found.other).toBe(value.other);
  expect(found.a.c).toBe(value.a.c);
  expect(redact(['nothing.here'], value)).toBe(value);
});

test('what JSON makes something else of is refused', () => {
  const inner = redactor(['a.b'], '#');
  for (const a of [new Date(), new Map(), new (class A {})(), { toJSON: () => ({ b: 1 }) }]) {
    expect(() => inner({ a })).toThrow(TypeError);
  }
  // Unless no path goes there.
  expect(inner({ c: new Date(0) })).toEqual({ c: new Date(0) });
});

test('a getter is read once', () => {
  let reads = 0;
  const value = {
    get a() {
      reads++;
      return { b: reads, c: reads };
    },
  };
  expect(redact(['a.b'], value)).toEqual({ a: { b: '#', c: 1 } });
});

test('a censor gets each member once, with its path, and what it gives is written', () => {
  const asked: unknown[] = [];
  const censor = (value: unknown, path: string[]): unknown => asked.push([value, path]);
  const value = { a: { x: 1, y: { b: 2 } }, c: { b: [3] } };
  expect(redact(['a.*', '*.b', 'c.b', 'a.y.b', 'none.b'], value, censor)).toEqual({
    a: { x: 1, y: 2 },
    c: { b: 3 },
  });
  expect(asked).toEqual([
    [1, ['a', 'x']],
    [{ b: 2 }, ['a', 'y']],
    [[3], ['c', 'b']],
  ]);
});

test('undefined for a censor removes members', () => {
  expect(redact(['a', 'list[0]'], { a: 1, b: 2, list: [1, 2] }, undefined)).toEqual({
    b: 2,
    list: [undefined, 2],
  });
});

test('only own members are hidden, whatever their names', () => {
  const names = ['constructor', 'toString', '__proto__', 'length'];
  expect(redact(names, { list: [] })).toEqual({ list: [] });
  expect(redact(['list.length', 'list.constructor'], { list: [1] })).toEqual({ list: [1] });
  expect(redact(['constructor', 'length'], { constructor: 1, length: 2 })).toEqual({
    constructor: '#',
    length: '#',
  });
});

test('a star in quotes is a name', () => {
  expect(redact(['["*"]'], { '*': 1, a: 2 })).toEqual({ '*': '#', a: 2 });
});

test.each([
  [['a..b']],
  [['']],
  [['a[']],
  [['a["b]']],
  [['.a']],
  [['a.']],
  [['**.a']],
  [['a*']],
  [['*a.b']],
  [['a.b*']],
  [['*[']],
  [[5]],
])('%j is refused', (paths) => {
  expect(() => redactor(paths as string[], '#')).toThrow(
    expect.objectContaining({ code: 'ERR_KEELSON_INVALID_ARGUMENT' }),
  );
});

test('a censor that throws hides the value all the same', () => {
  const fails = (): never => {
    throw new Error('no');
  };
  expect(redact(['a'], { a: 'secret' }, fails)).toEqual({ a: '[Redacted]' });
});

const NAMES = ['a', 'b', 'c', '0', '1'];

/** Each member by itself: replaced if a pattern is its path. */
function model(value: any, patterns: string[][], path: string[] = []): unknown {
  const matches = (pattern: string[]): boolean =>
    pattern.length === path.length && pattern.every((name, place) => name === '*' || name === path[place]);
  if (path.length > 0 && patterns.some(matches)) return '#';
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value))
    return value.map((item, index) => model(item, patterns, [...path, String(index)]));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, model(item, patterns, [...path, name])]),
  );
}

test('several paths at once are each of them, in any order', () => {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.nat(9),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...NAMES), tie('value'), { maxKeys: 4 }),
    ),
  }));
  const pattern = fc.array(fc.constantFrom('*', ...NAMES), { minLength: 1, maxLength: 4 });
  const patterns = fc.array(pattern, { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...NAMES), value), patterns, (given, all) => {
      const paths = all.map((names) => names.map((name) => (name === '*' ? '[*]' : `["${name}"]`)).join(''));
      const before = JSON.stringify(given);
      expect(redact(paths, given)).toEqual(model(given, all));
      expect(JSON.stringify(given)).toBe(before);
    }),
    { numRuns: 2000 },
  );
});
