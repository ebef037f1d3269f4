import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import type { JSONDocument } from '../dist/json/document';
import { open } from './support/jsonDocument';
import { misreadsNames } from './support/v8Names';

const NAMES = [
  '',
  'a',
  'b',
  'a"',
  'é',
  '漢',
  '~',
  '/',
  '__proto__',
  '01',
  '-',
  '😀',
  '\n',
  ...(misreadsNames ? [] : ['\\']),
];
const SCALARS = ['null', 'true', 'false', '0', '-0', '17', '-1.5e3', '1e400', '""', '"text"', '"\\ud83d"'];

/** A name's token, of which some units may be escapes. */
const token = fc
  .tuple(
    fc.oneof(
      fc.constantFrom(...NAMES),
      fc.nat(40).map(String),
      fc.nat(60).map((number) => `key${number}`),
    ),
    fc.nat(15),
  )
  .map(([name, escapes]) => {
    const escaped = (unit: number) => `\\u${unit.toString(16).padStart(4, '0')}`;
    const units = Array.from({ length: name.length }, (_, index) => {
      const plain = JSON.stringify(name.charAt(index)).slice(1, -1);
      return (escapes >> index) & 1 ? escaped(name.charCodeAt(index)) : plain;
    });
    // Half of a pair alone is what JSON.stringify makes an escape of; the other half is one already then.
    return `"${units.join('')}"`;
  });

const space = fc.constantFrom('', '', '', ' ', '\n\t');

const scalar = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...SCALARS) },
  { weight: 1, arbitrary: fc.nat(400).map((length) => JSON.stringify('[,"'.repeat(length / 3))) },
);

/** Containers of what `inner` makes, with members of the same name and of all sizes; mostly scalars, though. */
function around(inner: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const child = fc.oneof({ weight: 5, arbitrary: scalar }, { weight: 1, arbitrary: inner });
  const member = fc.tuple(token, space, child).map(([name, gap, value]) => `${name}${gap}:${gap}${value}`);
  const joined = (item: fc.Arbitrary<string>, maxLength: number, brackets: string) =>
    fc
      .tuple(fc.array(item, { maxLength, size: 'medium' }), space)
      .map(([items, gap]) => `${brackets[0]}${gap}${items.join(`,${gap}`)}${gap}${brackets[1]}`);
  return fc.oneof(joined(child, 40, '[]'), joined(member, 5, '{}'), joined(member, 60, '{}'));
}

/** Texts of documents. */
const text = fc.oneof(scalar, around(around(around(scalar))));

const pointerOf = (path: readonly string[]) =>
  path.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const typeOf = (value: unknown) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;

function same(got: unknown, due: unknown, what: string): void {
  if (isDeepStrictEqual(got, due)) return;
  throw new Error(`${what}: got ${JSON.stringify(got)}, due is ${JSON.stringify(due)}`);
}

/** Compares all that is asked synchronously about the value at a pointer. */
function compare(document: JSONDocument, path: string[], value: unknown): void {
  const pointer = pointerOf(path);
  same(document.typeOf(pointer), typeOf(value), `typeOf ${pointer}`);
  same(document.get(pointer), value, `get ${pointer}`);
  same(JSON.parse(document.slice(pointer)!), value, `slice ${pointer}`);
  if (!isContainer(value)) {
    same(document.length(pointer), undefined, `length ${pointer}`);
    return;
  }
  const keys = Object.keys(value);
  const isArray = Array.isArray(value);
  same(document.length(pointer), keys.length, `length ${pointer}`);
  same(document.keys(pointer), isArray ? undefined : keys, `keys ${pointer}`);
  same([...document.iterate(pointer)], isArray ? value : Object.entries(value), `iterate ${pointer}`);
  const texts = [...document.slices(pointer)];
  same(
    texts.map((text) => JSON.parse(text)),
    isArray ? value : [],
    `slices ${pointer}`,
  );
  for (const key of keys) compare(document, [...path, key], value[key as never]);
}

/** What a column is: `undefined` stands for a star. */
function columnOf(value: unknown, path: readonly (string | undefined)[], found = true): unknown[] {
  if (path.length === 0) return [found ? value : null];
  const [name, ...rest] = path;
  if (name === undefined) {
    return isContainer(value) ? Object.values(value).flatMap((child) => columnOf(child, rest)) : [];
  }
  const has =
    isContainer(value) && Object.hasOwn(value, name) && !(Array.isArray(value) && name === 'length');
  return has ? columnOf(value[name as never], rest) : columnOf(undefined, rest, false);
}

describe('JSONDocument against JSON.parse', () => {
  it('agrees on every value of a document', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (text) => {
        compare(await open(text), [], JSON.parse(text));
      }),
      { numRuns: 300 },
    );
  });

  it('agrees on columns', async () => {
    const part = fc.option(fc.constantFrom('a', 'b', '0', '1', 'key1', ''), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(text, fc.array(part, { maxLength: 3 }), async (text, path) => {
        const pattern = path.map((name) => `/${name ?? '*'}`).join('');
        same(await (await open(text)).column(pattern), columnOf(JSON.parse(text), path), `column ${pattern}`);
      }),
      { numRuns: 300 },
    );
  });
});
