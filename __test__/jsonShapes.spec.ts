import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { compiledShape } from '../dist/json/shapes/cache';
import { canGenerate } from '../dist/json/shapes/generate';
import { decodeGroup, groupStreams } from '../dist/json/shapes/group';
import type { Signature } from '../dist/json/shapes/signature';

interface Streams {
  ints?: number[];
  doubles?: number[];
  text?: string;
  raw?: unknown[];
  /** How many of `raw` are words. */
  words?: number;
}

/** What rows of these shapes, whose ids count from 1, are read as. */
function decode(count: number, shapes: Signature[], streams: Streams, named = false): unknown[] {
  const group = groupStreams(
    Int32Array.of(streams.words ?? 0, ...(streams.ints ?? [])),
    Float64Array.from(streams.doubles ?? []),
  );
  group.text = streams.text ?? '';
  group.raw = streams.raw ?? [];
  const out: unknown[] = [];
  const compiled = ['a' as Signature, ...shapes].map((shape) => compiledShape(JSON.stringify(shape)));
  decodeGroup(count, compiled, group, out, named);
  expect(group).toMatchObject({
    i: group.ints.length,
    d: group.doubles.length,
    t: group.text.length,
    r: group.raw.length,
  });
  return out;
}

/** The same from a place of its own for each value, as the native encoder tells it. */
function encode(signature: Signature, value: any, to: Required<Streams>): void {
  const { ints, doubles, raw } = to;
  if (typeof signature !== 'string') {
    if ('o' in signature) for (const [key, of] of signature.o) encode(of, value[key], to);
    else if ('m' in signature) {
      ints.push(signature.m.reduce((mask, [key], i) => mask | (key in value ? 1 << i : 0), 0));
      for (const [key, of] of signature.m) if (key in value) encode(of, value[key], to);
    } else if ('t' in signature) signature.t.forEach((of, i) => void encode(of, value[i], to));
    else {
      ints.push(value.length);
      for (const element of value) encode(signature.l, element, to);
    }
  } else if (signature === 'i') ints.push(value);
  else if (signature === 'b') ints.push(Number(value));
  else if (signature === 'f') doubles.push(value);
  else if (signature === 'r') {
    ints.push(value.length);
    for (const element of value) {
      ints.push(0, 1);
      encode('a', element, to);
    }
  } else if (signature !== 'n') {
    if (value === null) ints.push(-2);
    else if (value === true) ints.push(-3);
    else if (value === false) ints.push(-4);
    else if (typeof value === 'number' && Object.is(value | 0, value)) ints.push(-5, value);
    else if (typeof value === 'number') {
      ints.push(-6);
      doubles.push(value);
    } else if (typeof value === 'string' && value.length < 13) {
      ints.push(value.length);
      to.text += value;
    } else if (Array.isArray(value)) {
      ints.push(-8);
      encode('r', value, to);
    } else {
      ints.push(-1);
      raw.push(value);
    }
  }
}

test('reads each kind of value', () => {
  expect(decode(2, ['n'], { ints: [1, 2] })).toStrictEqual([null, null]);
  expect(decode(2, ['i'], { ints: [1, 2, -7, 2147483647] })).toStrictEqual([-7, 2147483647]);
  expect(decode(2, ['f'], { ints: [1, 2], doubles: [-0, Infinity] })).toStrictEqual([-0, Infinity]);
  expect(decode(2, ['b'], { ints: [1, 2, 1, 0] })).toStrictEqual([true, false]);
  const text = { ints: [1, 4, 2, 0, -2, -1], text: 'é!', raw: ['a longer string'] };
  expect(decode(4, ['s'], text)).toStrictEqual(['é!', '', null, 'a longer string']);
  expect(decode(2, [{ l: 'i' }], { ints: [1, 2, 0, 2, 5, 6] })).toStrictEqual([[], [5, 6]]);
  expect(decode(1, [{ t: ['f', 'i'] }], { ints: [1, 1, 5], doubles: [0.5] })).toStrictEqual([[0.5, 5]]);
  expect(decode(1, [{ o: [] }], { ints: [1, 1] })).toStrictEqual([{}]);
});

test('reads values of any kind by their tags', () => {
  const ints = [0, 9, 3, -1, -2, -3, -4, -5, 12, -6, -7, 1, 3, -8, 2, 1, 1, 4, 0, 1, -2];
  const got = decode(9, [{ o: [['x', 'i']] }], { ints, doubles: [1.5], text: 'abc', raw: [{ raw: 1 }] });
  expect(got).toStrictEqual(['abc', { raw: 1 }, null, true, false, 12, 1.5, { x: 3 }, [{ x: 4 }, null]]);
});

test('reads rows of several shapes in runs, and rows in rows', () => {
  const node: Signature = {
    o: [
      ['id', 'i'],
      ['children', 'r'],
    ],
  };
  const leaf: Signature = { o: [['leaf', 'b']] };
  // Two nodes: the first one has a leaf and a node without children.
  const ints = [1, 2, 10, 2, 2, 1, 1, 1, 1, 11, 0, 20, 1, 2, 1, 0];
  expect(decode(2, [node, leaf], { ints })).toStrictEqual([
    { id: 10, children: [{ leaf: true }, { id: 11, children: [] }] },
    { id: 20, children: [{ leaf: false }] },
  ]);
});

test('reads objects with optional members in the order of their members', () => {
  const many = Array.from({ length: 40 }, (_, i) => [`k${i}`, 'i', 1] as const);
  const family: Signature = { m: [['id', 'i', 0], ['a', 's', 1], ['b', 'f', 0], ['a', 'i', 1], ...many] };
  const ints = [1, 3, 0b101, 0, 10, 0b1111, 1 << 13, 11, 1, 5, 99, 0b1101 | (1 << 29), 1, 12, 6, 98, 97];
  const got = decode(3, [family], { ints, doubles: [0.5, 1.5, 2.5], text: 'x' });
  const want = [
    { id: 10, b: 0.5 },
    { id: 11, a: 5, b: 1.5, k39: 99 },
    { id: 12, b: 2.5, a: 6, k25: 98, k26: 97 },
  ];
  expect(JSON.stringify(got)).toBe(JSON.stringify(want));
});

test('strings may refer to a word, which is none of the other values', () => {
  const ints = [1, 3, -17, -1, -16, 0, 1, -16];
  const got = decode(4, ['s'], { ints, raw: ['one', 'two', 'a longer string'], words: 2 });
  expect(got).toStrictEqual(['two', 'a longer string', 'one', 'one']);
});

test('optional members are own ones, whatever Object.prototype got since the first rows', () => {
  const optional = ['late', 'inherited', 'valueOf'].map((key) => [key, 'i', 1] as const);
  const family: Signature = { m: [['id', 'i', 0], ...optional] };
  const read = () => decode(1, [family], { ints: [1, 1, 0b1110, 5, 6, 7, 8] })[0] as object;
  const wanted = Object.entries(read());
  const inherited = { configurable: true, set: () => expect('a setter').toBe('never called') };
  Object.defineProperty(Object.prototype, 'inherited', inherited);
  Object.defineProperty(Object.prototype, 'valueOf', { writable: false });
  try {
    expect(Object.entries(read())).toStrictEqual(wanted);
  } finally {
    delete (Object.prototype as { inherited?: unknown }).inherited;
    Object.defineProperty(Object.prototype, 'valueOf', { writable: true });
  }
});

test('members of an object leave their names at the front of raw', () => {
  const raw = ['first', 'second', 'third', 'word', 'a string of some length'];
  const streams = { ints: [1, 3, -1, 1, -19], text: 'x', raw, words: 1 };
  expect(decode(3, ['s'], streams, true)).toStrictEqual(['a string of some length', 'x', 'word']);
});

test('keys are what JSON.parse makes of them, whatever they are', () => {
  const keys = [
    '__proto__',
    'constructor',
    '2',
    '1',
    '',
    '"',
    '\\',
    '\u2028',
    '\ud800',
    '`',
    '*/',
    "'];throw 1;//",
  ];
  const signature: Signature = { o: keys.map((key) => [key, 'i'] as const) };
  const [got] = decode(1, [signature], { ints: [1, 1, ...keys.keys()] }) as [object];
  const text = `{${keys.map((key, i) => `${JSON.stringify(key)}:${i}`).join()}}`;
  expect(JSON.stringify(got)).toBe(JSON.stringify(JSON.parse(text)));
  expect(Object.getPrototypeOf(got)).toBe(Object.prototype);
  expect(Object.getOwnPropertyDescriptor(got, '__proto__')?.value).toBe(0);
});

test('keys cannot inject code', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.integer())), (members) => {
      const unique = new Map(members);
      const signature: Signature = { o: [...unique.keys()].map((key) => [key, 'i'] as const) };
      const [got] = decode(1, [signature], { ints: [1, 1, ...[...unique.values()].map((n) => n | 0)] });
      const wanted = Object.fromEntries([...unique].map(([key, value]) => [key, value | 0]));
      expect(JSON.stringify(got)).toBe(JSON.stringify(wanted));
    }),
  );
});

/** Signatures with values that they can tell. */
const { pair } = fc.letrec<{ pair: [Signature, unknown] }>((tie) => ({
  pair: fc.oneof(
    { maxDepth: 4 },
    fc.constant<[Signature, unknown]>(['n', null]),
    fc.integer().map((value): [Signature, unknown] => ['i', value]),
    fc.double({ noNaN: true }).map((value): [Signature, unknown] => ['f', value]),
    fc.boolean().map((value): [Signature, unknown] => ['b', value]),
    fc.option(fc.string()).map((value): [Signature, unknown] => ['s', value]),
    fc.jsonValue().map((value): [Signature, unknown] => ['a', value]),
    fc.array(fc.jsonValue()).map((value): [Signature, unknown] => ['r', value]),
    fc
      .tuple(tie('pair'), fc.nat(20))
      .map(([[l, value], length]): [Signature, unknown] => [{ l }, Array(length).fill(value)]),
    fc
      .array(tie('pair'), { maxLength: 8 })
      .map((of): [Signature, unknown] => [{ t: of.map((one) => one[0]) }, of.map((one) => one[1])]),
    fc.dictionary(fc.string(), tie('pair'), { maxKeys: 6 }).map((members): [Signature, unknown] => {
      const entries = Object.entries(members);
      const object = Object.fromEntries(entries.map(([key, one]) => [key, one[1]]));
      return [{ o: entries.map(([key, one]) => [key, one[0]] as const) }, object];
    }),
  ),
}));

test('what is read is what was told', () => {
  fc.assert(
    fc.property(pair, fc.integer({ min: 1, max: 4 }), ([signature, value], length) => {
      const to: Required<Streams> = { ints: [1, length], doubles: [], text: '', raw: [], words: 0 };
      for (let i = 0; i < length; i++) encode(signature, value, to);
      const got = decode(length, [signature], to);
      expect(got).toEqual(Array(length).fill(value));
      expect(JSON.stringify(got)).toBe(JSON.stringify(Array(length).fill(value)));
    }),
  );
});

test('a function is generated once for a signature, and forgotten once 256 others were asked for', () => {
  const signature = '{"o":[["once","i"]]}';
  const made = compiledShape(signature);
  for (let i = 0; i < 255; i++) compiledShape(`{"o":[["${i}","i"]]}`);
  expect(compiledShape(signature)).toBe(made);
  for (let i = 0; i < 256; i++) compiledShape(`{"o":[["${i}","f"]]}`);
  expect(compiledShape(signature)).not.toBe(made);
});

test('canGenerate tells whether code may be generated', () => {
  expect(canGenerate()).toBe(true);
  const file = require.resolve('../dist/json/shapes/generate.js');
  const script = `process.stdout.write(String(require(${JSON.stringify(file)}).canGenerate()))`;
  const answer = execFileSync(process.execPath, ['--disallow-code-generation-from-strings', '-e', script]);
  expect(answer.toString()).toBe('false');
});
