// The surface, and what users of the original rely on or suffered from.
import assert from 'node:assert/strict';
import { type RouteMatch, RouteTrie } from 'keelson';
import { NOOP, paramsOf, route, served, trieOf } from './support/routes';

describe('as the original', () => {
  test.each(['users/:id', '/users/:id', '/users/:id/', '//users//:id//', 'users/:id/'])(
    'slashes do not matter in the pattern: %s',
    (pattern) => {
      const trie = trieOf([pattern]);
      for (const path of ['/users/1', 'users/1', '/users/1/', '//users///1//', 'users/1/']) {
        expect(paramsOf(trie, path)).toStrictEqual({ id: '1' });
      }
    },
  );

  test('static goes before a parameter, and that before a wildcard, whatever the order of insertion', () => {
    const patterns = ['/a/*', '/a/:x', '/a/b'];
    for (const order of [patterns, [...patterns].reverse()]) {
      const trie = trieOf(order);
      expect(served(trie, '/a/b')).toBe('/a/b');
      expect(served(trie, '/a/c')).toBe('/a/:x');
      expect(served(trie, '/a/c/d')).toBe('/a/*');
    }
  });

  test('a wildcard matches, is flagged and adds no parameter', () => {
    const trie = trieOf(['/a/*/c', '/files/*']);
    expect(trie.search('/a/b/c', 'GET')).toEqual({ handler: route('/a/*/c'), params: {}, wildcard: true });
    expect(trie.search('/files/x/y', 'GET')).toMatchObject({ params: {}, wildcard: true });
    expect(trieOf(['/a/:x']).search('/a/b', 'GET')).toMatchObject({ wildcard: false });
  });

  test('the same path and method again replaces', () => {
    const trie = new RouteTrie();
    trie.insert('/a/:x', route('first'));
    trie.insert('a/:y/', route('second'));
    expect(trie.search('/a/1', 'GET')).toMatchObject({ handler: { id: 'second' }, params: { y: '1' } });
    expect(trie.getAllRoutes()).toHaveLength(1);
  });

  test("the method '*' serves any method", () => {
    const trie = new RouteTrie();
    trie.insert('/a', route('any', '*'));
    for (const method of ['GET', 'POST', 'PROPFIND', 'x-own', '*'])
      expect(served(trie, '/a', method)).toBe('any');
  });

  test('the handler of a match is the object that was inserted', () => {
    const trie = new RouteTrie();
    const handler = { ...route('a'), middleware: [NOOP], weight: 2, timeout: 5, retries: 1, extra: 'own' };
    trie.insert('/a', handler);
    trie.insert('/b/:x', handler);
    expect(trie.search('/a', 'GET')?.handler).toBe(handler);
    expect(trie.search('/b/1', 'GET')?.handler).toBe(handler);
    expect(trie.getAllRoutes()[0]?.handler).toBe(handler);
  });

  test('search gives null for what nothing serves', () => {
    const trie = trieOf(['/a', '/b/:x']);
    for (const path of ['/', '', '/c', '/a/b', '/b', '/b/', '/b/1/2'])
      expect(trie.search(path, 'GET')).toBeNull();
    expect(new RouteTrie().search('/', 'GET')).toBeNull();
  });

  test('getCacheStats says size and maxSize, 1,000 by default, and nothing else', () => {
    expect(new RouteTrie().getCacheStats()).toStrictEqual({ size: 0, maxSize: 1000 });
    expect(new RouteTrie({ cache: true }).getCacheStats()).toStrictEqual({ size: 0, maxSize: 1000 });
  });

  test('a match equals a plain object of this realm, loosely and strictly', () => {
    const trie = trieOf(['/a', '/b/:x', '/m/:x-:y', '/c/*', '/d/*rest']);
    const expected: Array<[string, RouteMatch]> = [
      ['/a', { handler: route('/a'), params: {}, wildcard: false }],
      ['/b/1', { handler: route('/b/:x'), params: { x: '1' }, wildcard: false }],
      ['/m/1-2', { handler: route('/m/:x-:y'), params: { x: '1', y: '2' }, wildcard: false }],
      ['/c/1/2', { handler: route('/c/*'), params: {}, wildcard: true }],
      ['/d/1/2', { handler: route('/d/*rest'), params: { rest: '1/2' }, wildcard: true }],
    ];
    for (const [path, match] of expected) {
      const found = trie.search(path, 'GET');
      expect(found).toEqual(match);
      expect(found).toStrictEqual(match);
      expect(Object.keys(found!).sort()).toStrictEqual(['handler', 'params', 'wildcard']);
      expect(JSON.parse(JSON.stringify(found))).toEqual(JSON.parse(JSON.stringify(match)));
      expect({ ...found }).toStrictEqual(match);
      expect(found!.params).toBeInstanceOf(Object);
    }
  });
});

describe('mended', () => {
  // In the original a route for POST was run for DELETE where nothing else was registered.
  test("an unregistered method never runs another's handler", () => {
    const trie = new RouteTrie();
    trie.insert('/a', route('post', 'POST'));
    trie.insert('/b/:x', route('put', ['PUT', 'PATCH']));
    for (const method of [
      'GET',
      'DELETE',
      'OPTIONS',
      'HEAD',
      'POS',
      'POSTS',
      '',
      '*',
      'constructor',
      '__proto__',
    ]) {
      expect(trie.search('/a', method)).toBeNull();
      expect(trie.search('/b/1', method)).toBeNull();
    }
    expect(served(trie, '/a', 'POST')).toBe('post');
    expect(served(trie, '/b/1', 'patch')).toBe('put');
  });

  // A later GET for the same path hid the handler for all methods from POST too.
  test("'*' is not shadowed by later routes, and yields to the method itself", () => {
    for (const order of [
      ['*', 'GET'],
      ['GET', '*'],
    ]) {
      const trie = new RouteTrie();
      for (const method of order) trie.insert('/a/:x', route(method, method));
      expect(served(trie, '/a/1', 'GET')).toBe('GET');
      expect(served(trie, '/a/1', 'POST')).toBe('*');
    }
  });

  test("a more specific path for '*' goes before a less specific one for the method", () => {
    const trie = new RouteTrie();
    trie.insert('/a/:x', route('param', 'GET'));
    trie.insert('/a/b', route('static', '*'));
    expect(served(trie, '/a/b', 'GET')).toBe('static');
    expect(served(trie, '/a/c', 'GET')).toBe('param');
  });

  // The original went into a static child and never came back.
  test('a static dead end is left again', () => {
    const trie = trieOf(['/users/me/settings', '/users/:id/posts', '/:any/:x/:y', '/users/*']);
    expect(trie.search('/users/me/posts', 'GET')).toMatchObject({
      handler: { id: '/users/:id/posts' },
      params: { id: 'me' },
    });
    expect(paramsOf(trie, '/users/me/nothing')).toStrictEqual({});
    expect(paramsOf(trie, '/other/me/nothing')).toStrictEqual({ any: 'other', x: 'me', y: 'nothing' });
  });

  test('a static path without the method is left again', () => {
    const trie = new RouteTrie();
    trie.insert('/users/me', route('me', 'GET'));
    trie.insert('/users/:id', route('id', 'DELETE'));
    expect(trie.search('/users/me', 'DELETE')).toMatchObject({ handler: { id: 'id' }, params: { id: 'me' } });
    expect(trie.search('/users/me', 'PUT')).toBeNull();
  });

  // One node held one name, so that the second pattern's parameter came under the first one's name.
  test('two names at one level keep to their routes', () => {
    const trie = trieOf(['/u/:id/posts', '/u/:name/likes', '/u/:who']);
    expect(paramsOf(trie, '/u/7/posts')).toStrictEqual({ id: '7' });
    expect(paramsOf(trie, '/u/7/likes')).toStrictEqual({ name: '7' });
    expect(paramsOf(trie, '/u/7')).toStrictEqual({ who: '7' });
  });

  // A request for '/users/:id' found the parameter's own node by its key.
  test.each([':id', '*', '*rest', ':id(x)', ':x?', '::', '(', ')'])(
    'a segment %s of a request is data',
    (text) => {
      const trie = trieOf(['/users/:id', '/static/a', '/wild/*/x', '/all/*']);
      const path = text.replace('?', '%3F');
      expect(paramsOf(trie, `/users/${path}`)).toStrictEqual({ id: text });
      expect(trie.search(`/static/${path}`, 'GET')).toBeNull();
      expect(served(trie, `/wild/${path}/x`)).toBe('/wild/*/x');
      expect(trie.search(`/all/${path}`, 'GET')?.rest).toBe(path);
    },
  );

  test.each([false, true])('params objects are shared with nobody, cache %s', (cache) => {
    const trie = trieOf(['/a', '/u/:id', '/f/*', '/g/*r'], { cache });
    for (const path of ['/a', '/u/1', '/f/1', '/g/1']) {
      const seen = new Set<object>();
      let first: string | undefined;
      for (let i = 0; i < 40; i++) {
        const match = trie.search(path, 'GET')!;
        first ??= JSON.stringify(match.params);
        expect(JSON.stringify(match.params)).toBe(first);
        seen.add(match).add(match.params);
        Object.assign(match.params, { id: 'poison', admin: 'yes' });
        match.wildcard = !match.wildcard;
      }
      expect(seen.size).toBe(80);
    }
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });

  // Assigning to `params.__proto__` sets the prototype of the object, or nothing at all.
  test.each([
    ['__proto__'],
    ['constructor'],
    ['toString'],
    ['hasOwnProperty'],
    ['__defineGetter__'],
    ['0'],
    ['length'],
  ])('%s as a name is an own, harmless property, built in the plain way and in the generated', (name) => {
    const trie = trieOf([`/a/:${name}`, `/b/:x/:${name}/:z`, `/c/*${name}`, `/d/:${name}-:y`]);
    const paths: Array<[string, Record<string, string>]> = [
      ['/a/v', { [name]: 'v' }],
      ['/b/1/v/3', { x: '1', [name]: 'v', z: '3' }],
      ['/c/v', { [name]: 'v' }],
      ['/d/v-2', { [name]: 'v', y: '2' }],
      ['/a/%76', { [name]: 'v' }],
    ];
    for (let i = 0; i < 50; i++) {
      for (const [path, expected] of paths) {
        const params = paramsOf(trie, path)!;
        expect(Object.getPrototypeOf(params)).toBe(Object.prototype);
        expect(Object.getOwnPropertyDescriptor(params, name)).toStrictEqual({
          value: 'v',
          writable: true,
          enumerable: true,
          configurable: true,
        });
        expect(Object.keys(params).sort()).toStrictEqual(Object.keys(expected).sort());
        expect(params).toStrictEqual(expected);
      }
    }
    expect(Object.hasOwn(Object.prototype, 'v')).toBe(false);
  });

  // Names are put into generated code: none may become code.
  test.each([
    '"',
    "'",
    '\\',
    '`',
    `$\{x}`,
    'a b',
    'a.b',
    '];throw 1//'.replace('//', ''),
    '\u2028',
    'é',
    '漢',
    '\ud800',
  ])('the name %j is text, even in generated code', (name) => {
    const trie = trieOf([`/a/:${name}`, `/b/:x/:${name}`]);
    for (let i = 0; i < 50; i++) {
      expect(paramsOf(trie, '/a/v')).toStrictEqual({ [name]: 'v' });
      expect(paramsOf(trie, '/b/1/v')).toStrictEqual({ x: '1', [name]: 'v' });
    }
  });

  // The original kept the last handler of a path only.
  test('getAllRoutes lists all handlers of a path', () => {
    const trie = new RouteTrie();
    const handlers = [
      route('get'),
      route('list', ['PUT', 'patch', 'put']),
      route('any', '*'),
      route('host', 'GET', { host: 'a.b' }),
    ];
    for (const handler of handlers) trie.insert('a/:x/', handler);
    trie.insert('/a/b', route('static'));
    const expected = [...handlers.map((handler) => ['/a/:x', handler]), ['/a/b', route('static')]];
    expect(trie.getAllRoutes().map(({ path, handler }) => [path, handler])).toStrictEqual(expected);
  });

  test('search drops the query', () => {
    const trie = trieOf(['/', '/a', '/u/:id', '/f/*', '/g/*r']);
    for (const query of ['?', '?a=1', '?a=/b/c', '??', '?x=%', '?//', '?a=1#frag']) {
      expect(served(trie, `/${query}`)).toBe('/');
      expect(served(trie, query)).toBe('/');
      expect(served(trie, `/a${query}`)).toBe('/a');
      expect(served(trie, `/a/${query}`)).toBe('/a');
      expect(paramsOf(trie, `/u/1${query}`)).toStrictEqual({ id: '1' });
      expect(paramsOf(trie, `/u/1/${query}`)).toStrictEqual({ id: '1' });
      expect(trie.search(`/f/x/y${query}`, 'GET')?.rest).toBe('x/y');
      expect(paramsOf(trie, `/g/x${query}`)).toStrictEqual({ r: 'x' });
      expect(trie.search(`/u${query}`, 'GET')).toBeNull();
    }
  });

  test('/f/* does not match /f', () => {
    const trie = trieOf(['/f/*', '/g/*rest', '/*/h/*']);
    for (const path of ['/f', '/f/', '/f//', '/g', '/g/', '/a/h', '/a/h/', '/f?/x', '/g/?x']) {
      expect(trie.search(path, 'GET')).toBeNull();
    }
    for (const path of ['/*', '/*all']) {
      const all = trieOf([path]);
      for (const root of ['', '/', '//', '/?a']) expect(all.search(root, 'GET')).toBeNull();
      expect(served(all, '/a')).toBe(path);
    }
  });
});

describe('rest', () => {
  test('is what the last * took, raw, and not enumerable', () => {
    const trie = trieOf(['/f/*', '/x/:a/*', '/m/*/y', '/n/*rest', '/p/:a']);
    const match = trie.search('/f/a/%2F/%zz//b/', 'GET')!;
    expect(match.rest).toBe('a/%2F/%zz/b');
    expect(match.params).toStrictEqual({});
    expect(Object.keys(match)).not.toContain('rest');
    expect(trie.search('/x/1/2/3', 'GET')).toMatchObject({ params: { a: '1' }, rest: '2/3' });
    for (const path of ['/m/x/y', '/n/x', '/p/x']) expect(trie.search(path, 'GET')?.rest).toBeUndefined();
  });

  // Matches with a rest were of a class of their own.
  test('leaves the match as plain as any other', () => {
    const match = trieOf(['/f/*']).search('/f/a', 'GET');
    assert.deepStrictEqual(match, { handler: match?.handler, params: {}, wildcard: true });
    expect(match).toStrictEqual({ handler: match?.handler, params: {}, wildcard: true });
  });

  test('stays what it was when the trie is used again', () => {
    const trie = trieOf(['/f/*']);
    const first = trie.search('/f/one', 'GET')!;
    const second = trie.search('/f/another/one', 'GET')!;
    trie.clear();
    expect([first.rest, second.rest]).toStrictEqual(['one', 'another/one']);
  });
});

describe('bad arguments of calls', () => {
  const trie = trieOf(['/a', '/u/:id']);
  const cases: Array<[string, () => unknown, RegExp]> = [
    ['search without a path', () => trie.search(undefined as any, 'GET'), /"path" must be a string/],
    ['search without a method', () => trie.search('/a', undefined as any), /"method" must be a string/],
    ['search of a number', () => trie.search(1 as any, 'GET'), /"path" must be a string/],
    ['match without a path', () => trie.match(null as any, 'GET'), /"path" must be a string/],
    ['match without a method', () => trie.match('/a', 1 as any), /"method" must be a string/],
    ['allowedMethods without a path', () => trie.allowedMethods(undefined as any), /"path" must be a string/],
    ['insert without a path', () => trie.insert(undefined as any, route('a')), /"path" must be a string/],
    ['insert without a handler', () => trie.insert('/b', undefined as any), /"handler" must be an object/],
    ['insert of a function', () => trie.insert('/b', NOOP as any), /"handler" must be an object/],
    [
      'no function',
      () => trie.insert('/b', { id: 'b', method: 'GET' } as any),
      /"handler.handler" must be a function/,
    ],
    [
      'no method',
      () => trie.insert('/b', { id: 'b', handler: NOOP } as any),
      /"method" must be an HTTP method/,
    ],
    ['an empty method', () => trie.insert('/b', route('b', '')), /"method" must be an HTTP method/],
    ['a method with a space', () => trie.insert('/b', route('b', 'GET ')), /"method" must be an HTTP method/],
    [
      'a bad method in a list',
      () => trie.insert('/b', route('b', ['GET', 'É'])),
      /"method" must be an HTTP method/,
    ],
    ['no methods', () => trie.insert('/b', route('b', [])), /"method" must name at least one method/],
    ['get with a bad method', () => trie.get('/a', 'G T'), /"method" must be an HTTP method/],
    ['has with a bad method', () => trie.has('/a', ''), /"method" must be an HTTP method/],
    ['remove with a bad method', () => trie.remove('/a', '/'), /"method" must be an HTTP method/],
    ['has without a path', () => trie.has(undefined as any), /"path" must be a string/],
  ];

  test.each(cases)('%s', (_name, call, message) => {
    expect(call).toThrow(
      expect.objectContaining({
        code: 'ERR_KEELSON_INVALID_ARGUMENT',
        message: expect.stringMatching(message),
      }),
    );
    expect(trie.getAllRoutes().map(({ path }) => path)).toStrictEqual(['/a', '/u/:id']);
  });
});
