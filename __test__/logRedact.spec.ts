import fc from 'fast-check';
import { redactor } from '../dist/log/redact';

const redact = (paths: string[], value: object): unknown => redactor(paths, '#')(value);

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
  expect([found.a.c, found.other, found.list]).toEqual([value.a.c, value.other, value.list]);
  expect(found.other).toBe(value.other);
  expect(found.a.c).toBe(value.a.c);
  expect(found.list).toBe(value.list);
  expect(redact(['nothing.here'], value)).toBe(value);
});

test.each([[['a..b']], [['']], [['a[']], [['a["b]']], [['.a']], [['a.']], [[5]]])(
  '%j is refused',
  (paths) => {
    expect(() => redactor(paths as string[], '#')).toThrow(
      expect.objectContaining({ code: 'ERR_KEELSON_INVALID_ARGUMENT' }),
    );
  },
);

test('a censor that throws hides the value all the same', () => {
  const fails = (): never => {
    throw new Error('no');
  };
  expect(redactor(['a'], fails)({ a: 'secret' })).toEqual({ a: '[Redacted]' });
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
