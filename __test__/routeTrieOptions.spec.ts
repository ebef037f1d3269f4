import { RouteConflictError, RouteTrie, type RouteTrieOptions } from 'keelson';
import { paramsOf, route, served, thrownBy, trieOf } from './support/routes';

describe('caseSensitive: false', () => {
  const options = { caseSensitive: false };

  test('static text matches in either case, parameters keep theirs', () => {
    const trie = trieOf(
      ['/Users/:Id', '/users/me/Posts', '/pre-:x', '/:a::SEP-:b', '/Files/*', '/Named/*Rest'],
      options,
    );
    expect(paramsOf(trie, '/uSERS/AbC')).toStrictEqual({ Id: 'AbC' });
    expect(served(trie, '/USERS/ME/posts')).toBe('/users/me/Posts');
    expect(paramsOf(trie, '/PRE-Xy')).toStrictEqual({ x: 'Xy' });
    expect(paramsOf(trie, '/One:sEp-Two')).toStrictEqual({ a: 'One', b: 'Two' });
    expect(trie.search('/fILES/A/b', 'GET')?.rest).toBe('A/b');
    expect(paramsOf(trie, '/NAMED/A/b')).toStrictEqual({ Rest: 'A/b' });
    const cursor = trie.match('/uSERS/AbC', 'GET')!;
    expect([cursor.path, cursor.path.slice(cursor.start(0), cursor.end(0))]).toStrictEqual([
      '/uSERS/AbC',
      'AbC',
    ]);
  });

  // Lower-casing the whole path changed its length for some letters, and let others pass that are no ASCII.
  test.each([
    ['\u0130', 'i'],
    ['\u0130', 'i\u0307'],
    ['\u017f', 's'],
    ['\u212a', 'k'],
    ['\u00c9', '\u00e9'],
    ['\u0391', '\u03b1'],
    ['\ud801\udc00', '\ud801\udc28'],
    ['[', '{'],
    ['@', '`'],
  ])('%j is not %j', (upper, lower) => {
    for (const [own, other] of [
      [upper, lower],
      [lower, upper],
    ] as const) {
      const trie = trieOf([`/x${own}y`, `/p/${own}-:x`, `/m/:a${own}-:b`], options);
      expect(served(trie, `/X${own}Y`)).toBe(`/x${own}y`);
      expect(served(trie, `/X${other}Y`)).toBeNull();
      expect(paramsOf(trie, `/P/${own}-Q`)).toStrictEqual({ x: 'Q' });
      expect(served(trie, `/P/${other}-Q`)).toBeNull();
    }
    const trie = trieOf(['/A/:x/B'], options);
    expect(paramsOf(trie, `/a/${upper}Z/b`)).toStrictEqual({ x: `${upper}Z` });
  });

  test('patterns that differ in case only are the same place', () => {
    const trie = trieOf(['/Ab/:x-Cd', '/aB/:y-cD'], options);
    expect(trie.getAllRoutes()).toHaveLength(1);
    expect(paramsOf(trie, '/AB/1-CD')).toStrictEqual({ 'y-cD': '1-CD' });
    expect([trie.has('/AB/:z'), trie.has('/ab')]).toStrictEqual([true, false]);
  });

  // The walker had the path in lower case only.
  test('regexes mean what they say', () => {
    const trie = trieOf(['/:x([A-Z]+)/upper', '/:x([a-z]+)/lower', '/m/:x([A-Z]+)-Sep-:y(b)'], options);
    expect(paramsOf(trie, '/ABC/UPPER')).toStrictEqual({ x: 'ABC' });
    expect(served(trie, '/abc/upper')).toBeNull();
    expect(served(trie, '/ABC/lower')).toBeNull();
    expect(paramsOf(trie, '/abc/LOWER')).toStrictEqual({ x: 'abc' });
    expect(paramsOf(trie, '/M/AB-sEP-b')).toStrictEqual({ x: 'AB', y: 'b' });
    expect(served(trie, '/m/AB-sep-B')).toBeNull();
  });
});

describe('slashes that matter', () => {
  test('ignoreTrailingSlash: false', () => {
    const trie = trieOf(['/a', '/b/', '/c/:x', '/d/:x/', '/e/*', '/f/:x?', '/g/*/'], {
      ignoreTrailingSlash: false,
    });
    const cases: Array<[string, string | null]> = [
      ['/a', '/a'],
      ['/a/', null],
      ['/b', null],
      ['/b/', '/b/'],
      ['//b//', '/b/'],
      ['/c/1', '/c/:x'],
      ['/c/1/', null],
      ['/d/1', null],
      ['/d/1/', '/d/:x/'],
      ['/e/', null],
      ['/e/1/', '/e/*'],
      ['/f', '/f/:x?'],
      ['/f/', null],
      ['/g/1/', '/g/*/'],
      ['/g/1', null],
      ['/g/1/2', null],
    ];
    for (const [path, id] of cases) expect([path, served(trie, path)]).toStrictEqual([path, id]);
    expect(trie.search('/e/1/', 'GET')?.rest).toBe('1/');
    expect(trie.getAllRoutes().map(({ path }) => path)).toContain('/d/:x/');
  });

  test('both forms side by side', () => {
    const trie = trieOf(['/a', '/a/', '/b/:x', '/b/:x/', '/', ''], { ignoreTrailingSlash: false });
    for (const id of ['/a', '/a/']) expect(served(trie, id)).toBe(id);
    expect([served(trie, '/b/1'), served(trie, '/b/1/')]).toStrictEqual(['/b/:x', '/b/:x/']);
    expect([served(trie, '/'), served(trie, '')]).toStrictEqual(['', '']);
  });

  test('ignoreDuplicateSlashes: false', () => {
    const trie = trieOf(['/a/b', '/a//b', '/c/:x/d', '/e/*', '//f'], { ignoreDuplicateSlashes: false });
    expect([served(trie, '/a/b'), served(trie, '/a//b'), served(trie, '/a///b')]).toStrictEqual([
      '/a/b',
      '/a//b',
      null,
    ]);
    expect(served(trie, '//a/b')).toBeNull();
    expect(served(trie, '//f')).toBe('//f');
    expect(served(trie, '/f')).toBeNull();
    // A parameter is never empty.
    expect(served(trie, '/c//d')).toBeNull();
    expect(trie.search('/e//1//2', 'GET')?.rest).toBe('/1//2');
  });

  // What a listing says can be inserted again, and means the same.
  test.each<RouteTrieOptions>([
    {},
    { ignoreTrailingSlash: false },
    { ignoreDuplicateSlashes: false },
    { ignoreTrailingSlash: false, ignoreDuplicateSlashes: false },
  ])('getAllRoutes lists patterns that mean the same with %j', (options) => {
    const patterns = [
      '/a/',
      'b//c',
      '/d/:x?',
      '/e/:x?/',
      '//f/:x?',
      '/g//:x?/h',
      '/:x(a//b)?/i',
      '/::j',
      '/*/',
      '*k',
    ];
    const trie = trieOf(patterns, options);
    const again = new RouteTrie(options);
    for (const { path, handler } of trie.getAllRoutes()) again.insert(path, handler);
    expect(again.getAllRoutes()).toStrictEqual(trie.getAllRoutes());
    for (const text of [
      'a',
      'a/',
      'b/c',
      'b//c',
      'd',
      'd/1',
      'd/',
      'e',
      'e/',
      'e/1',
      'e/1/',
      '/f',
      'f',
      '/f/1',
      'f/1',
    ]) {
      expect([text, served(again, `/${text}`)]).toStrictEqual([text, served(trie, `/${text}`)]);
    }
    for (const text of ['g/h', 'g//h', 'g/1/h', 'g//1/h', 'i', 'a%2F%2Fb/i', ':j', '::j', 'x', 'x/', 'x/y']) {
      expect([text, served(again, `/${text}`)]).toStrictEqual([text, served(trie, `/${text}`)]);
    }
  });
});

test('semicolonDelimiter', () => {
  const plain = trieOf(['/a', '/u/:x', '/f/*']);
  expect(served(plain, '/a;v=1')).toBeNull();
  expect(paramsOf(plain, '/u/1;v=1')).toStrictEqual({ x: '1;v=1' });
  const cut = trieOf(['/a', '/u/:x', '/f/*'], { semicolonDelimiter: true });
  expect([served(cut, '/a;v=1'), served(cut, ';/a')]).toStrictEqual(['/a', null]);
  for (const end of [';', ';v=1', ';a?b', '?a;b', ';/x/y', '/;x'])
    expect(paramsOf(cut, `/u/1${end}`)).toStrictEqual({ x: '1' });
  expect(cut.search('/f/a;b/c', 'GET')?.rest).toBe('a');
});

// It was found by itself, and without it where a query followed.
test('with semicolonDelimiter no pattern has one', () => {
  const trie = new RouteTrie({ semicolonDelimiter: true });
  const error = thrownBy(() => trie.insert('/a;b', route('x')));
  expect(error?.code).toBe('ERR_KEELSON_INVALID_ARGUMENT');
  expect(error?.message).toContain('/a;b');
  expect(trie.getAllRoutes()).toEqual([]);
});

describe('strict', () => {
  test('an insert that would replace something is a conflict that names both', () => {
    const trie = new RouteTrie({ strict: true });
    trie.insert('/a/:x', route('first'));
    const error = thrownBy(() => trie.insert('a/:y/', route('second')));
    expect(error).toBeInstanceOf(RouteConflictError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'RouteConflictError',
      code: 'ERR_KEELSON_ROUTE_CONFLICT',
      method: 'GET',
      path: 'a/:y/',
      taken: '/a/:x',
    });
    expect(error?.message).toMatch(/^GET 'a\/:y\/' is taken by '\/a\/:x': remove that route first/);
    expect(trie.search('/a/1', 'GET')).toMatchObject({ handler: { id: 'first' }, params: { x: '1' } });
  });

  test('what does not replace is none', () => {
    const trie = new RouteTrie({ strict: true });
    const inserts: Array<[string, string | string[], string?]> = [
      ['/a', 'GET'],
      ['/a', 'POST'],
      ['/a', '*'],
      ['/a', 'GET', 'h.one'],
      ['/a', 'GET', 'h.two'],
      ['/a/:x', 'GET'],
      ['/a/:x(\\d+)', 'GET'],
      ['/a/:x-:y', 'GET'],
      ['/a/*', 'GET'],
      ['/a/*rest', 'GET'],
    ];
    for (const [path, method, host] of inserts)
      trie.insert(path, route(path, method, host ? { host } : undefined));
    expect(trie.getAllRoutes()).toHaveLength(inserts.length);
    expect(() => trie.insert('/a', route('again', 'get', { host: 'H.ONE' }))).toThrow(RouteConflictError);
    trie.remove('/a', 'GET', { host: 'h.one' });
    trie.insert('/a', route('again', 'get', { host: 'H.ONE' }));
  });

  // Half of a list or of the variants must not stay behind.
  test.each<[string, string | string[]]>([
    ['/free', ['PUT', 'GET', 'PATCH']],
    ['/:x?/:y?/:z?', 'GET'],
    ['/taken/:x?', 'GET'],
    ['/:lang?/taken', ['PUT', 'GET']],
  ])('of a conflict nothing is applied: %s for %s', (path, methods) => {
    const trie = new RouteTrie({ strict: true });
    for (const one of ['/taken', '/free', '/:a/:b']) trie.insert(one, route(one));
    const before = [trie.prettyPrint(), trie.metrics().routes, trie.metrics().methods];
    for (let i = 0; i < 3; i++) {
      expect(() => trie.insert(path, route('late', methods))).toThrow(RouteConflictError);
    }
    expect([trie.prettyPrint(), trie.metrics().routes, trie.metrics().methods]).toStrictEqual(before);
    expect(served(trie, '/free', 'PUT')).toBeNull();
    expect([served(trie, '/1'), served(trie, '/1/2/3'), served(trie, '/taken')]).toStrictEqual([
      null,
      null,
      '/taken',
    ]);
    trie.remove('/taken');
    trie.remove('/free');
    trie.remove('/:a/:b');
    trie.insert(path, route('late', methods));
    expect(trie.getAllRoutes().map(({ handler }) => handler.id)).toStrictEqual(['late']);
  });

  test('a pattern does not conflict with itself', () => {
    const trie = new RouteTrie({ strict: true });
    trie.insert('/:a?/:b?', route('both', ['GET', 'get', 'POST']));
    expect([served(trie, '/1'), served(trie, '/')]).toStrictEqual(['both', 'both']);
  });
});

describe('cache', () => {
  const patterns = ['/', '/a', '/u/:x', '/m/:a-:b', '/f/*', '/r/*rest', '/n/:x(\\d+)'];

  test('hits are counted, and answers are the same as without', () => {
    const cached = trieOf(patterns, { cache: true });
    const plain = trieOf(patterns);
    const paths = [
      '/',
      '',
      '/a',
      '/a/',
      '//a',
      '/u/1',
      '/u/%41',
      '/m/1-2',
      '/f/1//2?q',
      '/r/1/2',
      '/n/1',
      '/n/a',
      '/none',
    ];
    for (let round = 0; round < 4; round++) {
      for (const path of paths) {
        const [ours, theirs] = [cached.search(path, 'GET'), plain.search(path, 'GET')];
        expect(ours).toStrictEqual(theirs);
        expect(ours?.rest).toBe(theirs?.rest);
      }
    }
    const { cache } = cached.metrics();
    const found = paths.length - 2;
    expect(cache).toMatchObject({ maxSize: 1000, size: found, hits: 3 * found });
    expect(cache.hitRate).toBeCloseTo(cache.hits / (cache.hits + cache.misses));
    expect(cached.getCacheStats()).toStrictEqual({ size: found, maxSize: 1000 });
    expect(plain.metrics().cache).toStrictEqual({ size: 0, maxSize: 1000, hits: 0, misses: 0, hitRate: 0 });
  });

  test('the query is no part of what is remembered', () => {
    const trie = trieOf(patterns, { cache: true });
    for (let i = 0; i < 50; i++) expect(paramsOf(trie, `/u/1?${i}`)).toStrictEqual({ x: '1' });
    expect(trie.metrics().cache).toMatchObject({ size: 1, hits: 49 });
  });

  test('methods are told apart', () => {
    const trie = new RouteTrie({ cache: true });
    for (const method of ['GET', 'POST', '*']) trie.insert('/u/:x', route(method, method));
    for (let i = 0; i < 3; i++) {
      for (const method of ['GET', 'POST', '*']) expect(served(trie, '/u/1', method)).toBe(method);
      expect(served(trie, '/u/1', 'get')).toBe('GET');
      expect(served(trie, '/u/1', 'PURGE')).toBe('*');
    }
  });

  test('is empty after insert, remove and clear', () => {
    const trie = trieOf(['/u/:x'], { cache: true });
    const warm = () => {
      for (let i = 0; i < 3; i++) trie.search('/u/1', 'GET');
    };
    warm();
    trie.insert('/u/1', route('static'));
    expect(trie.getCacheStats().size).toBe(0);
    expect(served(trie, '/u/1')).toBe('static');
    warm();
    trie.remove('/u/1');
    expect(served(trie, '/u/1')).toBe('/u/:x');
    warm();
    trie.insert('/u/:x', route('other'));
    expect(served(trie, '/u/1')).toBe('other');
    warm();
    trie.clear();
    expect([served(trie, '/u/1'), trie.getCacheStats().size]).toStrictEqual([null, 0]);
    warm();
    expect(trie.remove('/none')).toBe(false);
  });

  test('is bound, and unique paths do not push out those that come back', () => {
    const trie = trieOf(['/u/:x'], { cache: { maxSize: 100 } });
    const hot = Array.from({ length: 20 }, (_, i) => `/u/hot${i}`);
    for (let round = 0; round < 10; round++) for (const path of hot) trie.search(path, 'GET');
    const before = trie.metrics().cache.hits;
    for (let i = 0; i < 20_000; i++) {
      trie.search(`/u/unique${i}`, 'GET');
      expect(trie.getCacheStats().size).toBeLessThanOrEqual(100);
    }
    for (const path of hot) trie.search(path, 'GET');
    expect(trie.metrics().cache.hits - before).toBe(20);
    expect(trie.getCacheStats().maxSize).toBe(100);
  });

  test('misses and long paths are not kept', () => {
    const trie = trieOf(['/u/:x'], { cache: true });
    for (let i = 0; i < 100; i++) {
      trie.search(`/none/${i % 3}`, 'GET');
      trie.search(`/u/${'x'.repeat(10_000)}`, 'GET');
    }
    expect(trie.getCacheStats().size).toBe(0);
  });

  test('what is asked with constraints is not answered from it', () => {
    const trie = new RouteTrie({ cache: true });
    trie.insert('/a', route('plain'));
    trie.insert('/a', route('host', 'GET', { host: 'h' }));
    for (let i = 0; i < 3; i++) {
      expect(served(trie, '/a')).toBe('plain');
      expect(served(trie, '/a', 'GET', { host: 'h' })).toBe('host');
    }
  });

  test('a malformed path is an error each time', () => {
    const trie = trieOf(['/u/:x'], { cache: true });
    for (let i = 0; i < 5; i++) expect(() => trie.search('/u/%zz', 'GET')).toThrow('not UTF-8');
    expect(paramsOf(trie, '/u/1')).toStrictEqual({ x: '1' });
  });
});

// A method with a space made the key of another method and path.
test('the cache takes no method for part of a path', () => {
  const trie = new RouteTrie({ cache: true });
  trie.insert('/:p/a', route('x', 'GET'));
  for (let i = 0; i < 3; i++) expect(served(trie, 'x /a', 'GET')).toBe('x');
  expect(served(trie, '/a', 'GET x')).toBeNull();
});

// A piece of a string keeps all of it: a thousand short paths with long queries held a hundred megabytes.
test('the cache remembers no path with a long query', () => {
  const trie = new RouteTrie({ cache: true });
  trie.insert('/a/:x', route('x'));
  for (let i = 0; i < 5; i++) expect(served(trie, `/a/1?${'q'.repeat(600)}`)).toBe('x');
  expect(trie.getCacheStats().size).toBe(0);
  for (let i = 0; i < 5; i++) expect(served(trie, '/a/1?q')).toBe('x');
  expect(trie.getCacheStats().size).toBe(1);
});

test('hits and misses outlive what was remembered', () => {
  const trie = new RouteTrie({ cache: true });
  trie.insert('/a', route('a'));
  for (let i = 0; i < 5; i++) trie.search('/a', 'GET');
  const { hits, misses } = trie.metrics().cache;
  expect(hits + misses).toBe(5);
  trie.insert('/b', route('b'));
  expect(trie.metrics().cache).toMatchObject({ hits, misses, size: 0 });
});

describe('bad options', () => {
  const bad: Array<[unknown, RegExp]> = [
    [null, /"options" must be an object, but it is null/],
    [[], /"options" must be an object/],
    ['strict', /"options" must be an object/],
    [{ caseInsensitive: true }, /"options.caseInsensitive" is not an option; the options are caseSensitive/],
    [{ caseSensitive: 1 }, /"caseSensitive" must be a boolean, but it is 1/],
    [{ ignoreTrailingSlash: 'no' }, /"ignoreTrailingSlash" must be a boolean/],
    [{ ignoreDuplicateSlashes: null }, /"ignoreDuplicateSlashes" must be a boolean/],
    [{ semicolonDelimiter: 0 }, /"semicolonDelimiter" must be a boolean/],
    [{ strict: 'yes' }, /"strict" must be a boolean/],
    [{ cache: 'yes' }, /"cache" must be an object/],
    [{ cache: null }, /"cache" must be an object/],
    [{ cache: 100 }, /"cache" must be an object/],
    [{ cache: { max: 1 } }, /"cache.max" is not an option; the options are maxSize/],
    [{ cache: { maxSize: 0 } }, /"cache.maxSize" must be a whole number from 1/],
    [{ cache: { maxSize: 1.5 } }, /"cache.maxSize" must be a whole number from 1/],
    [{ cache: { maxSize: Number.NaN } }, /"cache.maxSize" must be a whole number from 1/],
    [{ cache: { maxSize: '9' } }, /"cache.maxSize" must be a whole number from 1/],
  ];

  test.each(bad)('%j', (options, message) => {
    const error = thrownBy(() => new RouteTrie(options as RouteTrieOptions));
    expect(error).toMatchObject({ name: 'InvalidArgumentError', code: 'ERR_KEELSON_INVALID_ARGUMENT' });
    expect(error?.message).toMatch(message);
  });

  test('undefined stands for the default', () => {
    const trie = new RouteTrie({
      caseSensitive: undefined,
      cache: undefined,
      strict: undefined,
    } as unknown as RouteTrieOptions);
    trie.insert('/a', route('a'));
    expect([served(trie, '/a/'), served(trie, '/A')]).toStrictEqual(['a', null]);
    expect(trieOf(['/a'], { cache: {} }).getCacheStats().maxSize).toBe(1000);
  });
});
