import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { MalformedPathError, RouteTrie } from 'keelson';
import {
  type Answer,
  type ModelOptions,
  type Pattern,
  RouteModel,
  type Segment,
  written,
} from './support/routeModel';
import { NOOP } from './support/routes';

const TEXTS = ['a', 'b', 'ab', 'A', 'a-b', 'ba', 'é', '1', ':', 'a:b'];
const REGEXES = ['\\d+', '[ab]+', '[^b]{2}', 'a|ab|1', '[^-]+'];
/** What a request has: some of it nearly what patterns have. */
const PARTS = [
  'a',
  'b',
  'ab',
  'A',
  'a-b',
  'ba',
  'é',
  '1',
  ':',
  'a:b',
  '',
  '',
  '12',
  'a-1',
  '1-2',
  'b.1',
  'a--b',
];
const ODD = [
  '%41',
  '%2F',
  'a%2fb',
  '%',
  '%zz',
  '1%',
  '%C3%A9',
  ':x',
  '*',
  '.',
  '..',
  'a-b-1',
  '1.a',
  '😀1',
  '-',
  'a%2Fb-1',
  '1-%2f',
];

const text = fc.constantFrom(...TEXTS);
const regex = fc.constantFrom(...REGEXES);

/** Names are given later, by place. */
const param = fc.record({
  kind: fc.constant('pieces' as const),
  before: fc.constant(''),
  pieces: fc
    .option(regex, { nil: undefined, freq: 2 })
    .map((one) => [{ name: '', ...(one && { regex: one }), after: '' }]),
  optional: fc.boolean(),
});
const mixed = fc.record({
  kind: fc.constant('pieces' as const),
  before: fc.constantFrom('', '', 'a', 'ab-'),
  pieces: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('-', '.', '--', ':').map((after) => [{ after }, { after: '' }]) },
    { weight: 1, arbitrary: fc.constant([{ after: '-' }, { after: '.' }, { after: ':b' }]) },
    { weight: 1, arbitrary: fc.constant([{ after: ':1' }]) },
    { weight: 1, arbitrary: fc.constant([{ after: '' }]) },
    { weight: 2, arbitrary: regex.map((one) => [{ regex: one, after: '-' }, { after: '' }]) },
    { weight: 1, arbitrary: regex.map((one) => [{ after: '-' }, { regex: one, after: '' }]) },
    { weight: 1, arbitrary: regex.map((one) => [{ regex: one, after: '.B' }]) },
  ),
});
const star = fc.constant({ kind: 'star' as const });
const segment = fc.oneof(
  { weight: 6, arbitrary: text.map((one) => ({ kind: 'text' as const, text: one })) },
  { weight: 5, arbitrary: param },
  { weight: 3, arbitrary: mixed },
  { weight: 2, arbitrary: star },
);
const empty = { kind: 'text' as const, text: '' };

function name(segments: readonly unknown[], salt: string): Pattern {
  return segments.map((one, at) => {
    const given = one as Segment;
    if (given.kind === 'rest') return { ...given, name: `r${salt}` };
    if (given.kind !== 'pieces') return given;
    return { ...given, pieces: given.pieces.map((piece, i) => ({ ...piece, name: `p${salt}${at}x${i}` })) };
  });
}

const pattern: fc.Arbitrary<Pattern> = fc
  .tuple(
    fc.array(segment, { maxLength: 4 }),
    fc.oneof(
      { weight: 8, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.constant([{ kind: 'rest' as const, name: '' }]) },
      { weight: 1, arbitrary: star.map((one) => [one]) },
      { weight: 1, arbitrary: fc.constant([empty]) },
      {
        weight: 1,
        arbitrary: fc.tuple(fc.constant(empty), text).map(([gap, one]) => [gap, { kind: 'text', text: one }]),
      },
    ),
    fc.constantFrom('', 'q'),
  )
  .map(([segments, last, salt]) => name([...segments, ...last], salt))
  .filter((segments) => {
    // A catch-all is last, whatever is left out.
    const optional = segments.filter((one) => one.kind === 'pieces' && one.optional).length;
    return optional <= 3;
  });

const path = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(...PARTS) },
        { weight: 1, arbitrary: fc.constantFrom(...ODD) },
      ),
      {
        maxLength: 5,
      },
    ),
    fc.constantFrom('/', '/', '/', ''),
    fc.constantFrom('', '', '', '', '/', '?x=/a/b', ';a=1', '//?'),
  )
  .map(([parts, slash, end]) => `${slash}${parts.join('/')}${end}`);

const method = fc.constantFrom('GET', 'GET', 'POST', 'PURGE', '*');
const host = fc.option(fc.constantFrom('h.one', 'h.two'), { nil: undefined, freq: 3 });

const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('insert' as const),
      pattern,
      methods: fc.oneof(method, fc.uniqueArray(method, { minLength: 1, maxLength: 3 })),
      host,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('remove' as const),
      which: fc.nat(),
      method: fc.option(method, { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('look' as const),
      paths: fc.array(path, { minLength: 1, maxLength: 12 }),
      method,
      host,
    }),
  },
);

const options: fc.Arbitrary<ModelOptions> = fc.record({
  caseSensitive: fc.boolean(),
  ignoreTrailingSlash: fc.boolean(),
  ignoreDuplicateSlashes: fc.boolean(),
  semicolonDelimiter: fc.boolean(),
});

/** What the trie answers, in the model's terms. */
function ask(call: () => Exclude<Answer, 'malformed'>): Answer {
  try {
    return call();
  } catch (error) {
    if (error instanceof MalformedPathError) return 'malformed';
    throw error;
  }
}

function searched(trie: RouteTrie, ...request: Parameters<RouteTrie['search']>): Answer {
  return ask(() => {
    const found = trie.search(...request);
    if (found === null) return null;
    const { handler, params, wildcard } = found;
    return { id: handler.id, params, wildcard, rest: found.rest };
  });
}

function matched(trie: RouteTrie, ...request: Parameters<RouteTrie['match']>): Answer {
  return ask(() => {
    const found = trie.match(...request);
    if (found === null) return null;
    const params: Record<string, string> = {};
    for (let i = 0; i < found.length; i++) params[found.name(i)!] = found.param(found.name(i)!)!;
    same('params()', found.params(), params);
    return { id: found.handler.id, params, wildcard: found.wildcard, rest: found.rest };
  });
}

/** As strict as `toStrictEqual`, and ten times as fast where things are equal. */
function same(what: unknown, actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect([what, actual]).toStrictEqual([what, expected]);
}

let lookups = 0;

test('answers as a list of routes does that is searched by the letter of the definitions', () => {
  fc.assert(
    fc.property(
      options,
      fc.boolean(),
      fc.array(step, { minLength: 4, maxLength: 30 }),
      (given, cache, steps) => {
        const trie = new RouteTrie({ ...given, cache });
        const model = new RouteModel(given);
        const used: Pattern[] = [];
        for (const [at, it] of steps.entries()) {
          if (it.do === 'insert') {
            const handler = {
              id: `${at}`,
              method: it.methods,
              handler: NOOP,
              ...(it.host && { constraints: { host: it.host } }),
            };
            trie.insert(written(it.pattern), handler);
            model.insert(it.pattern, handler);
            used.push(it.pattern);
          } else if (it.do === 'remove') {
            const which = used[it.which % used.length];
            if (which === undefined) continue;
            expect(trie.remove(written(which), it.method)).toBe(model.remove(which, it.method));
          } else if (it.do === 'clear') {
            trie.clear();
            model.clear();
          } else {
            const asked = it.host === undefined ? undefined : { host: it.host };
            for (const one of it.paths) {
              const expected = model.search(one, it.method, asked);
              // Twice, so that a cache that is on answers too.
              for (let time = 0; time < 2; time++) {
                same(one, searched(trie, one, it.method, asked), expected);
                lookups++;
              }
              same(one, matched(trie, one, it.method, asked), expected);
              same(one, trie.allowedMethods(one, asked), model.allowed(one, asked));
            }
            for (const one of used) {
              if (one.some((part) => part.kind === 'pieces' && part.optional)) continue;
              same(one, trie.has(written(one), it.method), model.has(one, it.method));
              same(one, trie.has(written(one)), model.has(one, undefined));
            }
          }
        }
      },
    ),
    { numRuns: 1500 },
  );
  expect(lookups).toBeGreaterThan(40_000);
});
