import { type RouteConstraints, RouteTrie } from 'keelson';
import { route, served, thrownBy } from './support/routes';

/** Routes of one path, each with its constraints as id: `host version`. */
function constrained(
  list: Array<[host?: string | undefined, version?: string | undefined]>,
  path = '/a',
): RouteTrie {
  const trie = new RouteTrie();
  for (const [host, version] of list) {
    const constraints: RouteConstraints = { ...(host && { host }), ...(version && { version }) };
    trie.insert(path, route(`${host ?? ''} ${version ?? ''}`.trim(), 'GET', constraints));
  }
  return trie;
}

describe('host', () => {
  test.each<[host: string, asked: string | undefined, fits: boolean]>([
    ['api.example.com', 'api.example.com', true],
    ['api.example.com', 'API.Example.COM', true],
    ['API.Example.com', 'api.example.com', true],
    ['api.example.com', 'api.example.com:8080', true],
    ['api.example.com', 'example.com', false],
    ['api.example.com', 'x.api.example.com', false],
    ['api.example.com', 'api-example.com', false],
    ['api.example.com', '', false],
    ['api.example.com', undefined, false],
    ['*.example.com', 'a.example.com', true],
    ['*.example.com', 'A.B.EXAMPLE.com:1', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', '.example.com', false],
    ['*.example.com', 'badexample.com', false],
    ['*.example.com', 'a.example.com.evil', false],
    ['*.example.com', 'example.com:a.example.com', false],
    ['localhost', 'localhost:3000', true],
    ['127.0.0.1', '127.0.0.1:80', true],
    ['[::1]', '[::1]:443', true],
    ['[::1]', '[::1]', true],
    ['[FE80::A]', '[fe80::a]:1', true],
    ['[::1]', '[::2]:443', false],
    ['[::1]', ':', false],
    ['k.example', '\u212a.example', false],
  ])('%s for %s: %s', (host, asked, fits) => {
    const trie = constrained([[host]]);
    const given = asked === undefined ? {} : { host: asked };
    expect(served(trie, '/a', 'GET', given)).toBe(fits ? host : null);
    expect(trie.match('/a', 'GET', given)?.handler.id ?? null).toBe(fits ? host : null);
    expect(trie.allowedMethods('/a', given)).toStrictEqual(fits ? ['GET'] : []);
    expect(served(trie, '/a')).toBeNull();
  });

  test('exact before the longer suffix before the shorter before none', () => {
    const hosts = ['a.b.example.com', '*.b.example.com', '*.example.com', '*.com', undefined];
    const lists = hosts.map((host) => [host] as [string?]);
    for (const trie of [constrained(lists), constrained([...lists].reverse())]) {
      const asked: Array<[string, string]> = [
        ['a.b.example.com', 'a.b.example.com'],
        ['c.b.example.com', '*.b.example.com'],
        ['b.example.com', '*.example.com'],
        ['example.com', '*.com'],
        ['com', ''],
        ['other.org', ''],
      ];
      for (const [host, id] of asked)
        expect([host, served(trie, '/a', 'GET', { host })]).toStrictEqual([host, id]);
      expect(served(trie, '/a')).toBe('');
    }
  });
});

describe('version', () => {
  const versions = ['1.2.0', '1.2.3', '1.2.10', '1.10.0', '2.0.0', '0.9.9'];

  test.each<[asked: string, id: string | null]>([
    ['1.2.0', '1.2.0'],
    ['1.2.3', '1.2.3'],
    ['1.2.x', '1.2.10'],
    ['1.2.*', '1.2.10'],
    ['1.2', '1.2.10'],
    ['1.x', '1.10.0'],
    ['1.x.x', '1.10.0'],
    ['1.*', '1.10.0'],
    ['1', '1.10.0'],
    ['2', '2.0.0'],
    ['0', '0.9.9'],
    ['*', '2.0.0'],
    ['x', '2.0.0'],
    ['1.2.4', null],
    ['1.3', null],
    ['3', null],
    ['10', null],
    ['', null],
    ['1.', null],
    ['1.2.3.4', null],
    ['^1.2.0', null],
    ['>=1', null],
    ['v1', null],
    ['1.2.3-beta', null],
    ['latest', null],
    ['__proto__', null],
  ])('of several, %s gets %s', (version, id) => {
    const list = versions.map((one) => [undefined, one] as [undefined, string]);
    for (const trie of [constrained(list), constrained([...list].reverse())]) {
      expect(served(trie, '/a', 'GET', { version })).toBe(id);
    }
  });

  test('none asked: only a route without one', () => {
    const trie = constrained([[undefined, '1.0.0']]);
    expect(served(trie, '/a')).toBeNull();
    expect(served(trie, '/a', 'GET', {})).toBeNull();
    trie.insert('/a', route('plain'));
    expect(served(trie, '/a')).toBe('plain');
    expect(served(trie, '/a', 'GET', { version: '1' })).toBe('1.0.0');
    expect(served(trie, '/a', 'GET', { version: '2' })).toBe('plain');
  });
});

describe('both', () => {
  const list: Array<[(string | undefined)?, (string | undefined)?]> = [
    ['h.one', '1.0.0'],
    ['h.one', '2.0.0'],
    ['h.one'],
    ['*.one', '3.0.0'],
    [undefined, '1.0.0'],
    [],
  ];
  const cases: Array<[RouteConstraints, string]> = [
    [{ host: 'h.one', version: '*' }, 'h.one 2.0.0'],
    [{ host: 'h.one', version: '1' }, 'h.one 1.0.0'],
    [{ host: 'h.one', version: '3' }, 'h.one'],
    [{ host: 'h.one' }, 'h.one'],
    [{ host: 'x.one', version: '3.x' }, '*.one 3.0.0'],
    [{ host: 'x.one', version: '1' }, '1.0.0'],
    [{ version: '1' }, '1.0.0'],
    [{ host: 'x.two', version: '9' }, ''],
    [{}, ''],
  ];

  test.each(cases)('%j gets %s', (asked, id) => {
    for (const order of [list, [...list].reverse(), [...list.slice(3), ...list.slice(0, 3)]]) {
      expect(served(constrained(order), '/a', 'GET', asked)).toBe(id);
      expect(served(constrained(order, '/:x'), '/a', 'GET', asked)).toBe(id);
    }
  });
});

test('where constraints do not fit, the search goes on to less specific paths', () => {
  const trie = new RouteTrie();
  trie.insert('/users/me', route('me@one', 'GET', { host: 'one' }));
  trie.insert('/users/:id(\\w+)', route('regex@two', 'GET', { host: 'two' }));
  trie.insert('/users/:id', route('id@v1', 'GET', { version: '1.0.0' }));
  trie.insert('/:any/me', route('any@three', 'GET', { host: 'three' }));
  trie.insert('/users/*', route('rest@four', 'GET', { host: 'four' }));
  trie.insert('/*all', route('all'));
  const cases: Array<[RouteConstraints, string, object]> = [
    [{ host: 'one' }, 'me@one', {}],
    [{ host: 'two' }, 'regex@two', { id: 'me' }],
    [{ host: 'three' }, 'any@three', { any: 'users' }],
    [{ host: 'three', version: '1' }, 'id@v1', { id: 'me' }],
    [{ host: 'four' }, 'rest@four', {}],
    [{ host: 'five' }, 'all', { all: 'users/me' }],
    [{ host: 'two', version: '1' }, 'regex@two', { id: 'me' }],
    [{}, 'all', { all: 'users/me' }],
  ];
  for (const [asked, id, params] of cases) {
    expect(trie.search('/users/me', 'GET', asked)).toMatchObject({ handler: { id }, params });
    expect(trie.search('/users//me/?q', 'GET', asked)).toMatchObject({ handler: { id } });
  }
  expect(trie.search('/users/me', 'GET', { host: 'four' })?.rest).toBe('me');
});

test("a constrained route for the method, then its plain one, then those for '*'", () => {
  const trie = new RouteTrie();
  trie.insert('/a', route('any@one', '*', { host: 'one' }));
  trie.insert('/a', route('any', '*'));
  trie.insert('/a', route('get@two', 'GET', { host: 'two' }));
  expect(served(trie, '/a', 'GET', { host: 'two' })).toBe('get@two');
  expect(served(trie, '/a', 'GET', { host: 'one' })).toBe('any@one');
  expect(served(trie, '/a', 'GET')).toBe('any');
  expect(served(trie, '/a', 'PUT', { host: 'one' })).toBe('any@one');
  trie.insert('/a', route('get', 'GET'));
  expect(served(trie, '/a', 'GET', { host: 'one' })).toBe('get');
  expect(trie.allowedMethods('/a', { host: 'one' })).toStrictEqual(['*']);
});

test('get and remove by constraints', () => {
  const trie = constrained([['h.one'], ['h.one', '1.0.0'], ['*.one'], []]);
  expect(trie.get('/a', 'GET')?.id).toBe('');
  expect(trie.get('/a', 'get', { host: 'H.One' })?.id).toBe('h.one');
  expect(trie.get('/a', 'GET', { host: 'h.one', version: '1.0.0' })?.id).toBe('h.one 1.0.0');
  expect(trie.get('/a', 'GET', { host: '*.one' })?.id).toBe('*.one');
  expect(trie.get('/a', 'GET', { host: 'x.one' })).toBeUndefined();
  expect(trie.remove('/a', 'GET', { host: 'x.one' })).toBe(false);
  expect(trie.remove('/a', 'GET', { host: 'h.one' })).toBe(true);
  expect(served(trie, '/a', 'GET', { host: 'h.one' })).toBe('*.one');
  // An empty object means those without.
  expect(trie.remove('/a', undefined, {})).toBe(true);
  expect(trie.getAllRoutes().map(({ handler }) => handler.id)).toStrictEqual(['h.one 1.0.0', '*.one']);
  expect(trie.remove('/a')).toBe(true);
  expect(trie.getAllRoutes()).toStrictEqual([]);
});

test('the same constraints again replace, and leave the others', () => {
  const trie = constrained([['h.one'], []]);
  trie.insert('/a', route('new', 'GET', { host: 'H.ONE' }));
  expect(served(trie, '/a', 'GET', { host: 'h.one' })).toBe('new');
  expect(served(trie, '/a')).toBe('');
  expect(trie.getAllRoutes()).toHaveLength(2);
});

describe('bad constraints', () => {
  test.each<[unknown, RegExp]>([
    [null, /"constraints" must be an object/],
    ['h', /"constraints" must be an object/],
    [{ hots: 'h' }, /"constraints.hots" is not an option; the options are host, version/],
    [{ host: 1 }, /"constraints.host" must be a string/],
    [{ host: '' }, /"constraints.host" must be a host name without port/],
    [{ host: 'h:80' }, /"constraints.host" must be a host name without port/],
    [{ host: 'http://h' }, /"constraints.host" must be/],
    [{ host: '*' }, /"constraints.host" must be/],
    [{ host: 'a.*.b' }, /"constraints.host" must be/],
    [{ host: 'a b' }, /"constraints.host" must be/],
    [{ host: '::1' }, /"constraints.host" must be/],
    [{ version: 1 }, /"constraints.version" must be a string/],
    [{ version: '1.2' }, /"constraints.version" must be three numbers/],
    [{ version: '1.x.0' }, /"constraints.version" must be three numbers/],
    [{ version: '01.2.3' }, /"constraints.version" must be three numbers/],
    [{ version: 'v1.2.3' }, /"constraints.version" must be three numbers/],
  ])('%j', (constraints, message) => {
    const trie = constrained([[]]);
    for (const call of [
      () =>
        trie.insert('/a', { ...route('bad', ['GET', 'PUT']), constraints: constraints as RouteConstraints }),
      () => trie.get('/a', 'GET', constraints as RouteConstraints),
    ]) {
      const error = thrownBy(call);
      expect(error).toMatchObject({ code: 'ERR_KEELSON_INVALID_ARGUMENT' });
      expect(error?.message).toMatch(message);
    }
    expect([served(trie, '/a'), served(trie, '/a', 'PUT')]).toStrictEqual(['', null]);
  });
});
