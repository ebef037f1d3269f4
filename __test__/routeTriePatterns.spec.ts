// What patterns mean, and which route a path gets where several fit.
import { RouteTrie } from 'keelson';
import { paramsOf, route, served, thrownBy, trieOf } from './support/routes';

type Params = Record<string, string>;

describe('patterns of one segment', () => {
  const cases: Array<[pattern: string, path: string, params: Params | null]> = [
    ['/a', '/a', {}],
    ['/a', '/A', null],
    ['/a', '/ab', null],
    ['/a', '/', null],
    ['', '/', {}],
    ['/', '', {}],
    ['/', '/a', null],
    ['/:x', '/1', { x: '1' }],
    ['/:x', '/', null],
    ['/:x', '/1/2', null],
    ['/:user-id', '/1', { 'user-id': '1' }],
    ['/:x.json', '/1.json', { 'x.json': '1.json' }],
    ['/user-:id', '/user-1', { id: '1' }],
    ['/user-:id', '/user-', null],
    ['/user-:id', '/user', null],
    ['/:a-:b', '/1-2', { a: '1', b: '2' }],
    ['/:a-:b', '/1-2-3', { a: '1', b: '2-3' }],
    ['/:a-:b', '/--1', { a: '-', b: '1' }],
    ['/:a-:b', '/-1', null],
    ['/:a-:b', '/1-', null],
    ['/:a-:b', '/---', { a: '-', b: '-' }],
    ['/:a-:b', '/1', null],
    ['/:user-id-:b', '/1-2', { 'user-id': '1', b: '2' }],
    ['/:a--:b', '/1--2', { a: '1', b: '2' }],
    ['/:a--:b', '/1-2', null],
    ['/:a--:b', '/1---2', { a: '1', b: '-2' }],
    ['/:é-:漢', '/1-2', { é: '1', 漢: '2' }],
    ['/:a_$-:b', '/1-2', { a_$: '1', b: '2' }],
    ['/:a😀:b', '/1😀2', { a: '1', b: '2' }],
    ['/v:major.:minor', '/v1.2.3', { major: '1', minor: '2.3' }],
    ['/:a-:b-:c', '/1-2-3-4', { a: '1', b: '2', c: '3-4' }],
    ['/:a-:b-:c', '/1-2', null],
    ['/a::b', '/a:b', {}],
    ['/a::b', '/a::b', null],
    ['/::', '/:', {}],
    ['/::::', '/::', {}],
    ['/::a', '/:a', {}],
    ['/:name::cancel', '/job:cancel', { name: 'job' }],
    ['/:name::cancel', '/a:cancel:cancel', { name: 'a:cancel' }],
    ['/:name::cancel', '/:cancel', null],
    ['/:name::cancel', '/job:cancel2', null],
    ['/:a:::b', '/1:2', { a: '1', b: '2' }],
    ['/v1::::name', '/v1::name', {}],
    ['/x:::name', '/x:1', { name: '1' }],
    ['/:id(\\d+)', '/12', { id: '12' }],
    ['/:id(\\d+)', '/1a', null],
    ['/:id(\\d+)', '/a1', null],
    ['/:id(\\d+).json', '/1.json', { id: '1' }],
    ['/:id(\\d+).json', '/1xjson', null],
    ['/:id(\\d+).json', '/a.json', null],
    ['/:id(\\d+)-:rest', '/1-a-b', { id: '1', rest: 'a-b' }],
    ['/:a([^-]+)x:b(\\d+)', '/ax1', { a: 'a', b: '1' }],
    ['/:a(\\d+)::go', '/1:go', { a: '1' }],
    ['/:id((?:a|b)\\)[)(]+)', '/a)((', { id: 'a)((' }],
    ['/:id(a/b)', '/a%2Fb', { id: 'a/b' }],
    ['/:id(a/b)', '/a/b', null],
    ['/p-:id(\\d+)', '/p-1', { id: '1' }],
    ['/p-:id(\\d+)', '/p-a', null],
    ['/*', '/a', {}],
    ['/*rest', '/a/b', { rest: 'a/b' }],
    ['/*the-rest', '/a', { 'the-rest': 'a' }],
  ];

  test.each(cases)('%s on %s', (pattern, path, params) => {
    expect(paramsOf(trieOf([pattern]), path)).toStrictEqual(params);
    // Under a static segment and before another it means the same, where it is not the rest.
    const inner = path === '' || path === '/' ? null : params;
    expect(paramsOf(trieOf([`/pre${pattern}`]), `/pre${path}`)).toStrictEqual(
      path === '' || path === '/' ? params : inner,
    );
    if (!pattern.includes('*') && pattern.length > 1) {
      expect(paramsOf(trieOf([`${pattern}/post`]), `${path}/post`)).toStrictEqual(inner);
    }
  });
});

describe('precedence', () => {
  /** Patterns of which each fits the path, the one that must serve it first. */
  const tables: Array<[path: string, patterns: string[]]> = [
    [
      '/12-3',
      ['/12-3', '/:x([\\d-]+)', '/:x(\\d+)-:y', '/:x-:y', '/:x', '/*', '/*rest'].filter(
        (pattern) => pattern !== '/:x',
      ),
    ],
    ['/12', ['/12', '/1:x', '/:x(\\d+)', '/:x', '/*', '/*rest']],
    [
      '/a/b/c',
      [
        '/a/b/c',
        '/a/b/:z',
        '/a/b/*',
        '/a/:y/c',
        '/a/:y/:z',
        '/a/*/c',
        '/a/*',
        '/:x/b/c',
        '/:x/*',
        '/*/b/c',
        '/*',
      ],
    ],
    ['/a--b', ['/a--b', '/a--:x', '/a-:x', '/a:x', '/:x--:y', '/:x-:y', '/:x', '/*']],
    ['/1', ['/1', '/:x(\\d+)', '/:x', '/*', '/*r']],
    [
      '/1/2',
      [
        '/1/:x',
        '/:x(\\d+)/2',
        '/:x(\\d+)/:y',
        '/:x(\\d+)/*',
        '/:x/2',
        '/:x/:y(\\d+)',
        '/:x/:y',
        '/*/2',
        '/*',
        '/*r',
      ],
    ],
    ['/a.b.c', ['/:x.b.:y', '/:x.:y.:z', '/:x', '/*', '/*r'].filter((pattern) => pattern !== '/:x.:y.:z')],
  ];

  test.each(tables)('for %s', (path, patterns) => {
    // The one in front is taken away, and the next must serve.
    for (let from = 0; from < patterns.length; from++) {
      const left = patterns.slice(from);
      for (const order of [left, [...left].reverse(), [...left.slice(1), left[0]!]]) {
        expect(served(trieOf(order), path)).toBe(left[0]);
      }
    }
    const trie = trieOf([...patterns].reverse());
    for (const pattern of patterns) {
      expect(served(trie, path)).toBe(pattern);
      expect(trie.remove(pattern)).toBe(true);
    }
    expect(served(trie, path)).toBeNull();
  });

  test('of two regexes that both fit, the earlier', () => {
    expect(served(trieOf(['/:a(\\d+)', '/:b([0-9]+)']), '/1')).toBe('/:a(\\d+)');
    expect(served(trieOf(['/:b([0-9]+)', '/:a(\\d+)']), '/1')).toBe('/:b([0-9]+)');
  });

  test('of two mixed ones the one with more text, then the earlier', () => {
    expect(served(trieOf(['/:a.:b', '/:c.-.:d']), '/1.-.2')).toBe('/:c.-.:d');
    expect(served(trieOf(['/:a.:b', '/:c-:d']), '/1-.2')).toBe('/:a.:b');
    expect(served(trieOf(['/:c-:d', '/:a.:b']), '/1-.2')).toBe('/:c-:d');
    expect(served(trieOf(['/:a.:b', '/:c-.:d']), '/1-.2')).toBe('/:c-.:d');
  });

  test('a dead end at any kind is left for the next', () => {
    const firsts = ['x1', ':a(\\w+)', ':a([x])1', 'x:a', ':a', '*'];
    const trie = trieOf(firsts.map((first, i) => `/${first}/end${i}`));
    for (const [i, first] of firsts.entries()) expect(served(trie, `/x1/end${i}`)).toBe(`/${first}/end${i}`);
    expect(served(trie, '/x1/end9')).toBeNull();
  });

  test('parameters of a dead end are forgotten', () => {
    const trie = trieOf(['/:a/:b/:c/x', '/:p-:q/:r/y', '/*/:s/z']);
    expect(paramsOf(trie, '/1-2/3/y')).toStrictEqual({ p: '1', q: '2', r: '3' });
    expect(paramsOf(trie, '/1-2/3/z')).toStrictEqual({ s: '3' });
    expect(paramsOf(trie, '/1-2/3/4/x')).toStrictEqual({ a: '1-2', b: '3', c: '4' });
  });
});

describe('optional parameters', () => {
  const variants: Array<[pattern: string, path: string, params: Params | null]> = [
    ['/a/:x?', '/a', {}],
    ['/a/:x?', '/a/', {}],
    ['/a/:x?', '/a/1', { x: '1' }],
    ['/a/:x?', '/a/1/2', null],
    ['/:a?/:b?', '/', {}],
    ['/:a?/:b?', '/1', { a: '1' }],
    ['/:a?/:b?', '/1/2', { a: '1', b: '2' }],
    ['/:a?/:b?', '/1/2/3', null],
    ['/:lang?/about', '/about', {}],
    ['/:lang?/about', '/de/about', { lang: 'de' }],
    ['/:a?/x/:b?', '/x', {}],
    ['/:a?/x/:b?', '/1/x', { a: '1' }],
    ['/:a?/x/:b?', '/x/2', { b: '2' }],
    ['/:a?/x/:b?', '/1/x/2', { a: '1', b: '2' }],
    ['/:a?/x/:b?', '/x/x', { b: 'x' }],
    ['/:id(\\d+)?/e', '/e', {}],
    ['/:id(\\d+)?/e', '/1/e', { id: '1' }],
    ['/:id(\\d+)?/e', '/a/e', null],
    ['/:id(\\d+)?/:b?', '/a', { b: 'a' }],
    ['/:id(\\d+)?/:b?', '/1', { id: '1' }],
    ['/:a?/*', '/1', {}],
    ['/:a?/*r', '/1/2', { a: '1', r: '2' }],
    ['/*/:a?', '/1/2', { a: '2' }],
    ['/*/:a?', '/1', {}],
    ['/:a?/:b?/:c?/:d?/:e?', '/1/2/3/4/5', { a: '1', b: '2', c: '3', d: '4', e: '5' }],
    ['/:a?/:b?/:c?/:d?/:e?', '/1/2/3', { a: '1', b: '2', c: '3' }],
  ];

  test.each(variants)('%s on %s', (pattern, path, params) => {
    expect(paramsOf(trieOf([pattern]), path)).toStrictEqual(params);
  });

  test('a variant with * in last place takes the rest only there', () => {
    const trie = trieOf(['/*/:a?']);
    expect(trie.search('/1', 'GET')?.rest).toBe('1');
    expect(trie.search('/1/2', 'GET')?.rest).toBeUndefined();
    expect(trie.search('/1/2/3', 'GET')?.rest).toBe('1/2/3');
  });

  test('are listed once, with all of the pattern', () => {
    const trie = trieOf(['/a/:x?', '/:id(\\d+)?/:b?/']);
    expect(trie.getAllRoutes().map(({ path }) => path)).toStrictEqual(['/a/:x?', '/:id(\\d+)?/:b?']);
    expect(trie.metrics().routes).toBe(2);
  });

  test('a later route takes a variant over, and leaves the others', () => {
    const trie = trieOf(['/a/:x?', '/a']);
    expect([served(trie, '/a'), served(trie, '/a/1')]).toStrictEqual(['/a', '/a/:x?']);
    expect(trie.getAllRoutes()).toHaveLength(2);
    trie.insert('/a/:y', route('other'));
    expect(trie.getAllRoutes().map(({ handler }) => handler.id)).toStrictEqual(['/a', 'other']);
  });
});

describe('patterns that are refused', () => {
  const bad: Array<[pattern: string, position: number, message: RegExp]> = [
    ['/a/:', 3, /no name.*Write the name after the ':', or '::'/],
    ['/:/a', 1, /no name/],
    ['/:?', 1, /no name/],
    ['/:(\\d+)', 1, /no name/],
    ['/:a/:a', 4, /name "a" is taken\. Give each parameter its own name/],
    ['/:a-:a', 4, /name "a" is taken/],
    ['/:a/*a', 4, /name "a" is taken/],
    ['/:a(\\d+):b', 8, /two parameters follow each other\. Put text between them/],
    ['/:a:b', 3, /two parameters follow each other/],
    ['/:a(\\d+', 3, /'\(' is never closed\. Close it/],
    ['/:a((x)', 3, /'\(' is never closed/],
    ['/:a([)]', 3, /'\(' is never closed/],
    ['/:a(\\)', 3, /'\(' is never closed/],
    ['/:a)', 3, /holds '\)'/],
    ['/a?', 2, /'\?' makes a parameter optional that is a whole segment/],
    ['/?', 1, /'\?' makes/],
    ['/:a?x', 3, /'\?' makes/],
    ['/x:a?', 4, /'\?' makes/],
    ['/:a-:b?', 6, /'\?' makes/],
    ['/:a??', 3, /'\?' makes/],
    ['/*?', 2, /'\?' makes/],
    ['/a*', 2, /'\*' stands for a whole segment/],
    ['/**', 2, /'\*' stands for/],
    ['/:a*', 3, /'\*' stands for/],
    ['/:a(\\d+)*', 8, /'\*' stands for/],
    ['/*a/b', 1, /takes the rest of the path\. Make it the last segment/],
    ['/*a/:b?', 1, /Make it the last segment/],
    ['/*a:b', 3, /cannot hold ':'/],
    ['/*a(b)', 3, /cannot hold '\('/],
    ['/:a()', 3, /regex is empty/],
    ['/:a(a{2,1})', 4, /regex is not one/],
    ['/:a([b-a])', 5, /range that ends before it begins/],
    ['/:a([a)', 3, /'\(' is never closed/],
    ['/:a((?=x)y)', 4, /looks ahead or behind, which linear-time matching cannot do/],
    ['/:a((?<!x)y)', 4, /looks ahead or behind/],
    ['/:a((x)\\1)', 7, /backreference, which linear-time matching cannot do/],
    ['/:a((?<n>x)\\k<n>)', 11, /backreference/],
    ['/:a(\\p{L})', 4, /Unicode property/],
    ['/:a(\\q)', 4, /escape \\q has no meaning/],
    ['/:a((?i)x)', 4, /group that is not one of/],
    ['/:a(a{1,100000})', 4, /too large a table\. Use smaller counts/],
    ['/a\0b', 2, /U\+0000/],
    ['/a\nb', 2, /U\+000A/],
    ['/:a?/:b?/:c?/:d?/:e?/:f?', 21, /too many optional parameters\. Use at most 5/],
    [`/${'a/'.repeat(1001)}`, 2001, /too many segments\. Use at most 1000/],
    [`/${'x'.repeat(65535)}`, 65535, /too long\. Use at most 65535/],
    [
      Array.from({ length: 256 }, (_, i) => `/:p${i}`).join(''),
      1421,
      /too many parameters\. Use at most 255/,
    ],
  ];
  const shown = bad.map(
    ([pattern, ...rest]) => [JSON.stringify(pattern).slice(0, 40), pattern, ...rest] as const,
  );

  test.each(shown)('%s', (_shown, pattern, position, message) => {
    const trie = trieOf(['/keep', '/keep/:x', '/:a(\\d+)']);
    const before = [trie.prettyPrint(), JSON.stringify(trie.getAllRoutes())];
    const calls = [
      () => trie.insert(pattern, route('bad', ['GET', '*'])),
      () => trie.has(pattern),
      () => trie.get(pattern, 'GET'),
      () => trie.remove(pattern),
    ];
    for (const call of calls) {
      const error = thrownBy(call)!;
      expect(error).toMatchObject({ name: 'InvalidArgumentError', code: 'ERR_KEELSON_INVALID_ARGUMENT' });
      expect(error).toBeInstanceOf(Error);
      expect(error.message).toMatch(message);
      expect(error.message).toContain(`at position ${position}:`);
      expect(error.message.length).toBeLessThan(500);
      // As Rust quotes it, which differs from JSON in control characters only.
      const quoted = JSON.stringify(pattern.slice(0, 150)).slice(1, -1).replace('\\u0000', '\\0');
      expect(error.message).toContain(quoted);
    }
    expect([trie.prettyPrint(), JSON.stringify(trie.getAllRoutes())]).toStrictEqual(before);
    expect(served(trie, '/keep')).toBe('/keep');
    expect(served(trie, '/1')).toBe('/:a(\\d+)');
  });

  test('the largest patterns that are none of these work', () => {
    const segments = Array.from({ length: 1000 }, (_, i) => `s${i}`);
    const wide = Array.from({ length: 255 }, (_, i) => `:p${i}`);
    const trie = trieOf([`/${segments.join('/')}`, `/w/${wide.join('/')}`, `/l/${'x'.repeat(65_000)}/:id`]);
    expect(paramsOf(trie, `/${segments.join('/')}`)).toStrictEqual({});
    expect(Object.keys(paramsOf(trie, `/w/${wide.map((_, i) => i).join('/')}`)!)).toHaveLength(255);
    expect(paramsOf(trie, `/l/${'x'.repeat(65_000)}/7`)).toStrictEqual({ id: '7' });
  });

  test('thousands of refused patterns leave nothing behind that could serve', () => {
    const trie = new RouteTrie();
    for (let i = 0; i < 5000; i++) {
      expect(thrownBy(() => trie.insert(`/r${i}/:x(\\d+)/:y(`, route('bad')))).toBeDefined();
    }
    expect(trie.metrics()).toMatchObject({ routes: 0, methods: 0, tableBytes: 0 });
    expect(trie.search('/r1/1/1', 'GET')).toBeNull();
  });
});
