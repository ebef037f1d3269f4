// Everything but search: what is registered, taken out, shown, and walked with a cursor.
import { type RouteHandler, RouteTrie } from 'keelson';
import { evaluate } from './support/process';
import { paramsOf, route, served, thrownBy, trieOf } from './support/routes';

describe('has and get', () => {
  const trie = new RouteTrie();
  trie.insert('/users/:id', route('one', ['GET', 'put']));
  trie.insert('/users/:id(\\d+)', route('regex', 'GET'));
  trie.insert('/files/*', route('files', '*'));
  trie.insert('/::lit', route('colon'));

  test.each<[path: string, method: string | undefined, id: string | null]>([
    ['/users/:id', 'GET', 'one'],
    ['users/:other/', 'Put', 'one'],
    ['/users/:id', undefined, 'one'],
    ['/users/:id', 'POST', null],
    ['/users/:id(\\d+)', 'GET', 'regex'],
    ['/users/:n(\\d+)', 'GET', 'regex'],
    ['/users/:id([0-9]+)', 'GET', null],
    ['/users/:id(\\d+)', 'PUT', null],
    ['/users/1', 'GET', null],
    ['/users/*', 'GET', null],
    ['/files/*', '*', 'files'],
    ['/files/*', 'GET', null],
    ['/files/*name', '*', null],
    ['/files/x', undefined, null],
    ['/::lit', 'GET', 'colon'],
    ['/', undefined, null],
  ])('look for the very pattern: %s %s', (path, method, id) => {
    expect(trie.has(path, method)).toBe(id !== null);
    expect(trie.get(path, method ?? 'GET')?.id ?? null).toBe(id);
  });

  test('looking leaves nothing behind', () => {
    const empty = new RouteTrie();
    for (let i = 0; i < 1000; i++) {
      expect([
        empty.has(`/x${i}/:a(\\d+)?`),
        empty.get(`/y${i}`, 'GET'),
        empty.remove(`/z${i}/:a`),
      ]).toStrictEqual([false, undefined, false]);
    }
    expect(empty.metrics()).toMatchObject({ routes: 0, methods: 0, compilations: 0 });
  });
});

describe('remove and clear', () => {
  test('of one method, of all, of what is not there', () => {
    const trie = new RouteTrie();
    trie.insert('/a/:x', route('list', ['GET', 'PUT', '*']));
    trie.insert('/a/b', route('static'));
    expect(trie.remove('/a/:x', 'POST')).toBe(false);
    expect(trie.remove('/a/:y/', 'get')).toBe(true);
    expect(trie.remove('/a/:x', 'GET')).toBe(false);
    expect([served(trie, '/a/1', 'PUT'), served(trie, '/a/1', 'GET')]).toStrictEqual(['list', 'list']);
    expect(trie.remove('/a/:x', '*')).toBe(true);
    expect([served(trie, '/a/1', 'PUT'), served(trie, '/a/1', 'GET')]).toStrictEqual(['list', null]);
    expect(trie.getAllRoutes()).toHaveLength(2);
    expect(trie.remove('/a/:x')).toBe(true);
    expect(trie.getAllRoutes().map(({ handler }) => handler.id)).toStrictEqual(['static']);
    expect(trie.remove('/a/:x')).toBe(false);
    expect(trie.allowedMethods('/a/1')).toStrictEqual([]);
  });

  test('of a pattern with optional parameters, all variants or one', () => {
    const trie = trieOf(['/:a?/x/:b?']);
    expect(trie.remove('/x/:b')).toBe(true);
    expect([served(trie, '/x/1'), served(trie, '/x'), served(trie, '/1/x')]).toStrictEqual([
      null,
      '/:a?/x/:b?',
      '/:a?/x/:b?',
    ]);
    expect(trie.remove('/:a?/x/:b?')).toBe(true);
    expect([served(trie, '/x'), trie.getAllRoutes().length]).toStrictEqual([null, 0]);
  });

  test('clear takes all, and what comes after works', () => {
    const trie = trieOf(['/a', '/:x(\\d+)', '/b/:x-:y(\\d+)', '/c/*']);
    for (const path of ['/a', '/1', '/b/1-2', '/c/d']) expect(trie.search(path, 'GET')).not.toBeNull();
    trie.clear();
    trie.clear();
    expect([trie.getAllRoutes(), trie.prettyPrint(), trie.metrics().routes]).toStrictEqual([[], '/', 0]);
    for (const path of ['/a', '/1', '/b/1-2', '/c/d']) expect(trie.search(path, 'GET')).toBeNull();
    trie.insert('/b/:y(\\d+)-:x', route('again'));
    expect(paramsOf(trie, '/b/1-2')).toStrictEqual({ y: '1', x: '2' });
  });

  test('thousands of inserts and removals end where they began', () => {
    const trie = new RouteTrie();
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 100; i++)
        trie.insert(`/r${i}/:x(\\d{${(i % 9) + 1}})/:y?`, route(`${i}`, ['GET', 'POST']));
      expect(paramsOf(trie, '/r1/12/z', 'POST')).toStrictEqual({ x: '12', y: 'z' });
      for (let i = 0; i < 100; i++) expect(trie.remove(`/r${i}/:x(\\d{${(i % 9) + 1}})/:y?`)).toBe(true);
      expect(trie.metrics()).toMatchObject({ routes: 0, methods: 0 });
      expect(trie.search('/r1/12/z', 'GET')).toBeNull();
    }
  });
});

describe('allowedMethods', () => {
  test('are those for which the path has a route, sorted', () => {
    const trie = new RouteTrie();
    trie.insert('/a/b', route('1', ['PUT', 'get']));
    trie.insert('/a/:x', route('2', ['DELETE', 'PUT']));
    trie.insert('/a/:x(\\d+)', route('3', 'PURGE'));
    trie.insert('/any/*', route('4', ['*', 'GET']));
    expect(trie.allowedMethods('/a/b')).toStrictEqual(['DELETE', 'GET', 'PUT']);
    expect(trie.allowedMethods('a//b/?x')).toStrictEqual(['DELETE', 'GET', 'PUT']);
    expect(trie.allowedMethods('/a/1')).toStrictEqual(['DELETE', 'PURGE', 'PUT']);
    expect(trie.allowedMethods('/any/1')).toStrictEqual(['*']);
    expect(trie.allowedMethods('/any')).toStrictEqual([]);
    expect(new RouteTrie().allowedMethods('/')).toStrictEqual([]);
  });
});

describe('cursor', () => {
  const patterns = [
    '/',
    '/static',
    '/u/:id/posts/:post',
    '/m/:a-:b',
    '/f/:x/*',
    '/r/:x/*rest',
    '/n/:x(\\d+)-:y',
  ];
  const trie = trieOf(patterns);

  test.each<
    [path: string, clean: string, id: string, params: Record<string, string>, rest: string | undefined]
  >([
    ['/static', '/static', '/static', {}, undefined],
    ['/static?x', '/static', '/static', {}, undefined],
    ['/', '/', '/', {}, undefined],
    ['/u/7/posts/%41', '/u/7/posts/%41', '/u/:id/posts/:post', { id: '7', post: 'A' }, undefined],
    ['u//7/posts/8/?q', '/u/7/posts/8', '/u/:id/posts/:post', { id: '7', post: '8' }, undefined],
    ['/m/1-2-3', '/m/1-2-3', '/m/:a-:b', { a: '1', b: '2-3' }, undefined],
    ['/f/1/2/%33', '/f/1/2/%33', '/f/:x/*', { x: '1' }, '2/%33'],
    ['/r/1/2//3', '/r/1/2/3', '/r/:x/*rest', { x: '1', rest: '2/3' }, undefined],
    ['/n/%31-z', '/n/%31-z', '/n/:x(\\d+)-:y', { x: '1', y: 'z' }, undefined],
  ])('on %s', (path, clean, id, params, rest) => {
    // Something else first: nothing of it may show.
    trie.match('/u/secret/posts/token', 'GET');
    const cursor = trie.match(path, 'GET')!;
    expect(cursor.handler.id).toBe(id);
    expect(cursor.pattern).toBe(id);
    expect(cursor.path).toBe(clean);
    expect(cursor.wildcard).toBe(id.includes('*'));
    expect(cursor.length).toBe(Object.keys(params).length);
    expect(cursor.rest).toBe(rest);
    expect(cursor.params()).toStrictEqual(params);
    for (const [i, [name, value]] of Object.entries(params).entries()) {
      expect(cursor.name(i)).toBe(name);
      expect(cursor.param(name)).toBe(value);
      expect(decodeURIComponent(cursor.path.slice(cursor.start(i), cursor.end(i)))).toBe(value);
    }
    expect([cursor.name(cursor.length), cursor.param('none'), cursor.param('__proto__')]).toStrictEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(trie.search(path, 'GET')?.params).toStrictEqual(params);
  });

  test('is one object a trie, and null where nothing serves', () => {
    const first = trie.match('/u/1/posts/2', 'GET')!;
    expect(trie.match('/m/a-b', 'GET')).toBe(first);
    expect(first.params()).toStrictEqual({ a: 'a', b: 'b' });
    expect(trie.match('/none', 'GET')).toBeNull();
    expect(trie.match('/u/1/posts/2', 'POST')).toBeNull();
  });

  test('of one trie knows nothing of another', () => {
    const other = trieOf(['/u/:own/posts/:x', '/o/*']);
    const ours = trie.match('/u/1/posts/2', 'GET')!;
    const theirs = other.match('/u/3/posts/4', 'GET')!;
    expect(theirs).not.toBe(ours);
    other.search('/o/9', 'GET');
    other.match('/u/5/posts/6', 'GET');
    expect([ours.params(), theirs.params()]).toStrictEqual([
      { id: '1', post: '2' },
      { own: '5', x: '6' },
    ]);
  });

  test('of a pattern with optional parameters says which variant', () => {
    const optional = trieOf(['/a/:x?/b/:y?']);
    expect(optional.match('/a/b', 'GET')?.pattern).toBe('/a/b');
    expect(optional.match('/a/1/b/', 'GET')?.pattern).toBe('/a/:x/b');
    expect(optional.match('/a/b/2', 'GET')?.pattern).toBe('/a/b/:y');
  });

  test('decodes when it is asked to', () => {
    const cursor = trie.match('/u/%zz/posts/1', 'GET')!;
    expect(cursor.param('post')).toBe('1');
    expect(() => cursor.param('id')).toThrow(expect.objectContaining({ status: 400 }));
    expect(() => cursor.params()).toThrow(expect.objectContaining({ status: 400 }));
    expect(() => cursor.param(1 as any)).toThrow('"name" must be a string');
    expect(trie.match('/r/1/%2F%41', 'GET')?.param('rest')).toBe('%2FA');
  });
});

describe('prettyPrint', () => {
  test('draws segments, methods and ids', () => {
    const trie = new RouteTrie();
    const routes: Array<[string, RouteHandler]> = [
      ['/', route('home')],
      ['/users', route('list', ['GET', 'HEAD'])],
      ['/users/:id', route('show')],
      ['/users/:id', route('change', 'PUT')],
      ['/users/:id/posts/:post?', route('posts')],
      ['/files/*', route('files', '*')],
      ['/x/:a(b/c)/d', route('slash')],
      ['/x/:a([(/]+)/e', route('class')],
    ];
    for (const [path, handler] of routes) trie.insert(path, handler);
    expect(trie.prettyPrint()).toBe(
      [
        '/ (GET home)',
        '├── users (GET list, HEAD list)',
        '│   └── :id (GET show, PUT change)',
        '│       └── posts',
        '│           └── :post? (GET posts)',
        '├── files',
        '│   └── * (* files)',
        '└── x',
        '    ├── :a(b/c)',
        '    │   └── d (GET slash)',
        '    └── :a([(/]+)',
        '        └── e (GET class)',
      ].join('\n'),
    );
    expect(new RouteTrie().prettyPrint()).toBe('/');
  });

  // Routes of one path and method were drawn as one, the last.
  test('shows what constraints tell apart, and slashes that matter', () => {
    const trie = new RouteTrie({ ignoreTrailingSlash: false });
    trie.insert('/a', route('plain'));
    trie.insert('/a', route('host', 'GET', { host: '*.x.y', version: '1.0.0' }));
    trie.insert('/a/', route('slash'));
    const drawn = trie.prettyPrint();
    expect(drawn).toBe('/\n└── a (GET plain, GET *.x.y 1.0.0 host)\n    └── / (GET slash)');
  });
});

describe('metrics', () => {
  test('count routes, methods, compilations and bytes', () => {
    const trie = new RouteTrie();
    expect(trie.metrics()).toStrictEqual({
      routes: 0,
      methods: 0,
      compilations: 0,
      tableBytes: 0,
      cache: { size: 0, maxSize: 1000, hits: 0, misses: 0, hitRate: 0 },
    });
    trie.insert('/a/:x', route('a', ['GET', 'POST']));
    trie.insert('/b', route('b', '*'));
    expect(trie.metrics()).toMatchObject({ routes: 2, methods: 3, compilations: 0 });
    for (let i = 0; i < 5; i++) trie.search('/a/1', 'GET');
    expect(trie.metrics().compilations).toBe(1);
    trie.search('/a/1', 'POST');
    // Methods without a route of their own share a table.
    for (let i = 0; i < 100; i++) trie.search('/b', `X${i}`);
    const { compilations, tableBytes } = trie.metrics();
    expect(compilations).toBe(3);
    expect(tableBytes).toBeGreaterThan(0);
    trie.insert('/c', route('c', 'POST'));
    for (const method of ['GET', 'POST', 'PUT']) trie.search('/c', method);
    expect(trie.metrics().compilations).toBe(4);
    trie.insert('/d', route('d', '*'));
    for (const method of ['GET', 'POST', 'PUT']) trie.search('/d', method);
    expect(trie.metrics().compilations).toBe(7);
  });
});

test('a route in use by a search is not disturbed by what its handler does to the trie', () => {
  const trie = trieOf(['/a/:x', '/f/*']);
  const match = trie.search('/f/1/2', 'GET')!;
  const cursor = trie.match('/a/1', 'GET')!;
  for (let i = 0; i < 100; i++) trie.insert(`/n${i}/:y`, route(`${i}`));
  trie.remove('/a/:x');
  expect([match.rest, cursor.params(), cursor.handler.id]).toStrictEqual(['1/2', { x: '1' }, '/a/:x']);
  expect(thrownBy(() => trie.search('/a/1', 'GET'))).toBeUndefined();
});

// Each list of names that was ever registered was kept for good.
test('what was removed leaves nothing behind', async () => {
  const grown = await evaluate<number>(`
    const { setFlagsFromString } = require('node:v8');
    setFlagsFromString('--expose-gc');
    const gc = require('node:vm').runInNewContext('gc');
    const { RouteTrie } = require('keelson');
    const trie = new RouteTrie();
    const used = () => { gc(); return process.memoryUsage().heapUsed; };
    const churn = (from) => {
      for (let i = from; i < from + 20_000; i++) {
        const path = '/a/:n' + i;
        trie.insert(path, { id: 'x', method: 'GET', handler() {} });
        trie.remove(path);
      }
    };
    churn(0);
    const before = used();
    churn(20_000);
    console.log(used() - before);`);
  expect(grown).toBeLessThan(2_000_000);
});

// '\u017f', the long s, is an S in upper case.
test.each(['po\u017ft', 'po\ufb06', 'P\u00d6ST', 'POST ', ''])('the method %j is not POST', (method) => {
  expect(served(trieOf([]), '/a', method)).toBeNull();
  const trie = new RouteTrie();
  trie.insert('/a', route('post', 'POST'));
  expect(served(trie, '/a', method)).toBeNull();
  expect(served(trie, '/a', 'post')).toBe('post');
});

test('a handler has an id', () => {
  for (const id of [undefined, 1, Symbol('x')]) {
    const trie = new RouteTrie();
    const handler = { ...route('x'), id } as unknown as RouteHandler;
    expect(thrownBy(() => trie.insert('/a', handler))?.code).toBe('ERR_KEELSON_INVALID_ARGUMENT');
    expect(trie.getAllRoutes()).toEqual([]);
  }
});

test('remove refuses null as constraints', () => {
  const trie = trieOf(['/a']);
  expect(thrownBy(() => trie.remove('/a', undefined, null as never))?.code).toBe(
    'ERR_KEELSON_INVALID_ARGUMENT',
  );
  expect(trie.has('/a')).toBe(true);
});

// Found one by one from the end, 600 such paths took a quarter of a second to compile, and 1,200 two.
test('static paths that differ in one place each are found', () => {
  const paths = Array.from({ length: 200 }, (_, at) => `/${'a'.repeat(at)}b${'a'.repeat(199 - at)}`);
  const trie = trieOf(paths);
  for (const path of paths) expect(served(trie, path)).toBe(path);
  expect(served(trie, `/${'a'.repeat(200)}`)).toBeNull();
});
