import * as fc from 'fast-check';
import { readFormat } from '../dist/json/stringify/format';
import { Serializer } from '../dist/json/stringify/serializer';
import { inPieces, outcome, UNITS } from './support/json';

type Replacer = (string | number)[] | null | undefined;

/** Exactly what JSON.stringify gives, for groups of every size. `make` makes the value anew for each call. */
function same(make: () => unknown, replacer?: Replacer, space?: string | number): void {
  const wanted = outcome(() => JSON.stringify(make(), replacer, space));
  for (const units of UNITS) {
    expect(outcome(() => inPieces(make(), units, replacer, space))).toStrictEqual(wanted);
  }
}

class Money {
  constructor(readonly amount: unknown) {}

  toJSON(key: string): unknown {
    return { key, amount: this.amount };
  }
}

class Itself {
  #calls = 0;
  readonly text = 'itself';

  toJSON(key: string): unknown {
    this.#calls++;
    return this.#calls > 1 ? `called again with ${key}` : this;
  }
}

/** Makes a value anew, since some answer differently the second time. */
type Make = () => unknown;

const odd = fc.constantFrom<Make[]>(
  () => undefined,
  () => () => 1,
  () => Symbol('s'),
  () => Number.NaN,
  () => -0,
  () => Number.NEGATIVE_INFINITY,
  () => new Date(0),
  () => new Date(Number.NaN),
  () => new Number(3),
  () => new String('boxed'),
  () => new Boolean(false),
  () => Object(Symbol('boxed')),
  () => new Map([[1, 2]]),
  () => new Set([1]),
  () => /x/,
  () => Buffer.from('abc'),
  () => new Uint8Array(3),
  () => new Money([1, new Money(undefined)]),
  () => new Itself(),
  () => ({ toJSON: () => undefined }),
  () => ({ toJSON: () => new Date(5) }),
  () => ({ toJSON: 1 }),
  () => Object.assign(() => 0, { toJSON: (key: string) => [key] }),
  () => Object.assign(new Array(3), { 1: 'between holes' }),
  () => new Proxy([1, { a: [2] }], {}),
  () => new Proxy({ b: 1, a: [2] }, { ownKeys: () => ['b', 'a'] }),
  () => Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true }, hidden: { value: 3 } }),
  () => Object.assign(Object.create(null), { a: 1 }),
  () => Object.defineProperty({}, '__proto__', { value: [1], enumerable: true }),
  () => ({
    get a() {
      return [1, 2];
    },
  }),
);
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('\ud800', '\udc00', 'a', '"', '\\', '\n', '\u2028', 'é', '名', '😀') }),
);
const key = fc.oneof(text, fc.constantFrom('a', 'b', '1', '0', '', '__proto__', 'toJSON'));
const { value } = fc.letrec<{ value: Make }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(text, fc.double(), fc.integer(), fc.boolean(), fc.constant(null)).map((plain) => () => plain),
    odd,
    fc.array(tie('value'), { maxLength: 8 }).map((elements) => () => elements.map((make) => make())),
    fc
      .array(fc.tuple(key, tie('value')), { maxLength: 8 })
      .map((members) => () => Object.fromEntries(members.map(([name, make]) => [name, make()]))),
    tie('value').map((make) => () => new Money(make())),
  ),
}));
const replacer: fc.Arbitrary<Replacer> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 2, arbitrary: fc.array(fc.constantFrom('amount', 'key', 'b', 1, 'a', '0', '__proto__', 'a')) },
);
const space = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  fc.constantFrom(0, 1, 2, 4, 11, -1, 2.9, '', '\t', '--', '\n', 'a long string of more', '\n\ud83d'),
);

test('gives what JSON.stringify gives, whatever the value, the list, the space and the size of a group', () => {
  const property = fc.property(
    value,
    replacer,
    space,
    fc.constantFrom(...UNITS),
    (make, list, gap, units) => {
      const wanted = outcome(() => JSON.stringify(make(), list, gap));
      expect(outcome(() => inPieces(make(), units, list, gap))).toStrictEqual(wanted);
    },
  );
  fc.assert(property, { numRuns: 5000 });
});

test('writes long texts in parts, without parting a pair', () => {
  same(() => 'plain "text" of some length '.repeat(20));
  same(() => ['😀'.repeat(200), '\ud83d'.repeat(99), { [`${'k'.repeat(300)}`]: '\udc00\ud800'.repeat(100) }]);
  same(() => [new String('boxed '.repeat(100))], null, 2);
});

test('indents at any depth, and with a gap that holds line breaks', () => {
  const nested = (depth: number): unknown =>
    depth === 0 ? [1, { a: 1 }, []] : [{ a: nested(depth - 1), b: {}, c: [undefined] }, depth];
  for (const gap of [1, 3, 10, '\n', '\t\n ']) {
    same(() => nested(3), null, gap);
    same(() => nested(40), null, gap);
    same(() => ({ toJSON: () => nested(2) }), null, gap);
  }
});

test('reads a list as JSON.stringify does: names and numbers, boxed too, each once, in their order', () => {
  const list = ['b', new String('a'), 1, new Number(0), 'b', null, {}, true] as unknown as string[];
  const make = () => ({ a: 1, b: [{ a: { c: 1 }, b: 2, 0: 3 }], 0: 'zero', 1: 'one', c: 1 });
  same(make, list);
  same(make, list, 2);
  same(make, []);
  same(() => [Object.create({ a: 'inherited' }), Object.defineProperty({}, 'b', { value: 'hidden' })], list);
  same(() => ({ a: 1 }), ['__proto__', 'constructor', 'a']);
});

test('ignores what is no replacer and no space', () => {
  const make = () => ({ a: [1] });
  for (const strange of [1, 'a', {}, true, new Map()] as unknown as string[][]) same(make, strange);
  for (const strange of [true, {}, [], Number.NaN, null] as unknown as string[]) same(make, null, strange);
  same(make, null, new Number(3) as unknown as number);
  same(make, null, new String('--') as unknown as string);
});

test('calls toJSON once, with the key that the holder has, in order', () => {
  for (const units of UNITS) {
    const calls: string[] = [];
    const noted = (name: string, result: unknown) => ({
      toJSON(key: string) {
        calls.push(`${name}:${key}`);
        return result;
      },
    });
    const make = () => [
      { first: noted('first', 1), filler: 'x'.repeat(10) },
      2,
      noted('second', [noted('third', { fourth: noted('fourth', 4) })]),
      noted('fifth', undefined),
      { sixth: noted('sixth', undefined) },
    ];
    const wanted = JSON.stringify(make());
    const order = calls.splice(0);
    expect(inPieces(make(), units)).toBe(wanted);
    expect(calls).toStrictEqual(order);
  }
});

test('gives toJSON its this, and does not ask what it returns for another', () => {
  same(() => new Itself());
  same(() => [new Itself(), { a: new Itself() }]);
  same(() => ({ toJSON: () => new Date(0) }));
  same(() => [Object.assign(new Date(0), { toISOString: () => undefined })]);
  same(() => ({ a: Object.assign(new Date(0), { toISOString: () => undefined }) }));
});

test('unboxes as JSON.stringify does: numbers and strings by their methods, booleans by what they are', () => {
  same(() => [Object.assign(new Number(1), { valueOf: () => 2 })]);
  same(() => [Object.assign(new String('a'), { toString: () => 'b'.repeat(50) })]);
  same(() => [Object.assign(new Boolean(true), { valueOf: () => false })]);
  same(() => new Number(Number.POSITIVE_INFINITY));
});

test('refuses a BigInt as JSON.stringify does, boxed too, unless BigInt.prototype.toJSON is there', () => {
  same(() => 1n);
  same(() => [1, 1n]);
  same(() => ({ a: Object(1n) }));
  same(() => ({ toJSON: () => 1n }));
  const prototype = BigInt.prototype as { toJSON?: (this: bigint, key: string) => unknown };
  prototype.toJSON = function (key) {
    return `${key}=${this}`;
  };
  try {
    same(() => [1n, { a: 2n, b: [Object(3n)] }]);
    same(() => 4n);
  } finally {
    delete prototype.toJSON;
  }
});

const { rawJSON } = JSON as { rawJSON?: (text: string) => unknown };
(rawJSON === undefined ? test.skip : test)('writes raw JSON as it stands', () => {
  same(() => [rawJSON!('12345678901234567890'), { a: rawJSON!(`"${'x'.repeat(400)}"`) }], null, 1);
});

test('throws what a getter, a toJSON, or a proxy throws', () => {
  const throwing = () => ({
    get a(): never {
      throw new RangeError('mine');
    },
  });
  same(() => [1, throwing()]);
  same(() => ({ deep: { deeper: throwing() } }));
  same(() => [
    {
      toJSON() {
        throw new Error('Converting circular structure, says a user');
      },
    },
  ]);
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const units of UNITS) expect(() => inPieces([proxy], units)).toThrow(TypeError);
});

test('goes as deep as the value does, which JSON.stringify does from Node 26 on', () => {
  const depth = 50_000;
  let nested: unknown = 0;
  for (let level = 0; level < depth; level++) nested = level % 2 === 0 ? { a: nested } : [nested];
  const half = depth / 2;
  expect(inPieces(nested, 32_768) === `${'[{"a":'.repeat(half)}0${'}]'.repeat(half)}`).toBe(true);
});

test('makes pieces of about the size of a group, and does not walk a chain again from each link', () => {
  let reads = 0;
  let chain: unknown = null;
  for (let link = 0; link < 3000; link++) {
    const next = chain;
    chain = {
      get next() {
        reads++;
        return next;
      },
      text: 'x'.repeat(10),
    };
  }
  const serializer = new Serializer(chain, readFormat(undefined, undefined), 2000);
  let length = 0;
  while (!serializer.done) {
    const piece = serializer.next()!;
    expect(piece.length).toBeLessThan(4000);
    length += piece.length;
  }
  expect(length).toBe(3000 * '{"next":,"text":"xxxxxxxxxx"}'.length + 'null'.length);
  expect(reads).toBeLessThan(3000 * 8);
});
