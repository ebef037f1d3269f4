// What a request's path may hold: escapes, all of Unicode, and more than anybody sends in good faith.
import { MalformedPathError, RouteTrie } from 'keelson';
import { paramsOf, route, served, thrownBy, trieOf } from './support/routes';

describe('escapes', () => {
  test('parameters are decoded, static text is compared as it stands', () => {
    const trie = trieOf(['/caf%C3%A9', '/café', '/u/:x', '/u/:x/a b', '/u/:x/a%20b']);
    expect(served(trie, '/caf%C3%A9')).toBe('/caf%C3%A9');
    expect(served(trie, '/café')).toBe('/café');
    expect(served(trie, '/caf%c3%a9')).toBeNull();
    expect(served(trie, '/%75/1')).toBeNull();
    expect(served(trie, '/u/1/a%20b')).toBe('/u/:x/a%20b');
    expect(served(trie, '/u/1/a b')).toBe('/u/:x/a b');
    for (const [raw, value] of [
      ['%41', 'A'],
      ['%C3%A9', 'é'],
      ['%c3%a9', 'é'],
      ['%F0%9F%98%80', '😀'],
      ['a%2Fb', 'a/b'],
      ['%2f', '/'],
      ['%25', '%'],
      ['%2541', '%41'],
      ['%252F', '%2F'],
      ['+', '+'],
      ['%2B', '+'],
      ['%00', '\0'],
      ['%3F', '?'],
      ['%23', '#'],
      ['a%20b', 'a b'],
      ['%2E%2E', '..'],
      ['%EF%BB%BF', '\ufeff'],
    ]) {
      expect(paramsOf(trie, `/u/${raw}`)).toStrictEqual({ x: value });
    }
  });

  test('%2F never parts segments, and dots are segments like any other', () => {
    const trie = trieOf(['/a/b', '/:x', '/:x/:y', '/f/*', '/g/*rest', '/:x-:y/z']);
    expect(paramsOf(trie, '/a%2Fb')).toStrictEqual({ x: 'a/b' });
    expect(paramsOf(trie, '/a%2F..%2Fb/c')).toStrictEqual({ x: 'a/../b', y: 'c' });
    expect(paramsOf(trie, '/../a')).toStrictEqual({ x: '..', y: 'a' });
    expect(served(trie, '/a/./b')).toBeNull();
    expect(served(trie, '/a/../a/b')).toBeNull();
    expect(trie.search('/f/../../etc', 'GET')?.rest).toBe('../../etc');
    expect(paramsOf(trie, '/g/..%2f/%2e')).toStrictEqual({ rest: '..%2f/.' });
    expect(paramsOf(trie, '/a%2Fb-c/z')).toStrictEqual({ x: 'a/b', y: 'c' });
  });

  // Decoded, '%2F' could not be told from a slash of the path.
  test('in a catch-all all but %2F is decoded; what an unnamed * took is raw', () => {
    const trie = trieOf(['/named/*rest', '/plain/*']);
    expect(paramsOf(trie, '/named/a%20b/%2F/%2f/%C3%A9/%25')).toStrictEqual({ rest: 'a b/%2F/%2f/é/%' });
    expect(trie.search('/plain/a%20b/%2F/%zz', 'GET')?.rest).toBe('a%20b/%2F/%zz');
  });

  // The regex of the id made the plain parameter beside it one that holds no slash.
  test('a parameter beside one with a regex holds what it holds without', () => {
    expect(paramsOf(trieOf(['/:a-:b(\\d+)']), '/x%2Fy-1')).toStrictEqual({ a: 'x/y', b: '1' });
    expect(paramsOf(trieOf(['/:a-:b(\\d+)']), '/x%0Ay-1')).toStrictEqual({ a: 'x\ny', b: '1' });
    expect(paramsOf(trieOf(['/:a-:b(\\d+)']), '/é😀-1')).toStrictEqual({ a: 'é😀', b: '1' });
    expect(paramsOf(trieOf(['/:a-:b(\\d+)']), '/%C3%A9%F0%9F%98%80x-%31')).toStrictEqual({
      a: 'é😀x',
      b: '1',
    });
  });

  test('a regex sees the decoded text', () => {
    const trie = trieOf(['/n/:x(\\d+)', '/s/:x(a/b)', '/e/:x(é+)', '/j/:x(😀{2})', '/d/:x(.{3})']);
    expect(paramsOf(trie, '/n/%31%32')).toStrictEqual({ x: '12' });
    expect(() => trie.search('/n/1%', 'GET')).toThrow(MalformedPathError);
    expect(paramsOf(trie, '/s/a%2fb')).toStrictEqual({ x: 'a/b' });
    expect(paramsOf(trie, '/e/%C3%A9é')).toStrictEqual({ x: 'éé' });
    expect(paramsOf(trie, '/j/😀%F0%9F%98%80')).toStrictEqual({ x: '😀😀' });
    expect(paramsOf(trie, '/d/a😀é')).toStrictEqual({ x: 'a😀é' });
    expect(paramsOf(trie, '/d/%0Aab')).toBeNull();
  });

  const malformed = [
    '%',
    '%2',
    '%zz',
    'a%',
    '%E0%A4%A',
    '%C3',
    '%C3%28',
    '%FF',
    '%ED%A0%80',
    '%C0%AF',
    '%F5%80%80%80',
    '%u0041',
  ];
  test.each(malformed)('%s in a parameter is a MalformedPathError with status 400', (text) => {
    const trie = trieOf(['/u/:x', '/w/*rest', '/m/:a-:b', '/static/%zz']);
    for (const path of [`/u/${text}`, `/w/a/${text}`, `/m/1-${text}`, `/m/${text}-1`, `/u/${text}?a=%41`]) {
      for (const call of [() => trie.search(path, 'GET'), () => trie.match(path, 'GET')?.params()]) {
        const error = thrownBy(call);
        expect(error).toBeInstanceOf(MalformedPathError);
        expect(error).toMatchObject({
          name: 'MalformedPathError',
          code: 'ERR_KEELSON_MALFORMED_PATH',
          status: 400,
          statusCode: 400,
          message: expect.stringContaining(text),
        });
      }
    }
    // Nothing is broken by it.
    expect(paramsOf(trie, '/u/1')).toStrictEqual({ x: '1' });
  });

  // A regex is about decoded text, and took what has none for a path without a route.
  test.each(malformed)('%s where a regex is asked is a MalformedPathError too', (text) => {
    for (const cache of [false, true]) {
      const trie = new RouteTrie({ cache });
      for (const pattern of ['/n/:x(\\d+)', '/m/:x([a-z]+)-:y', '/o/:x(.+)', '/o/*/end']) {
        trie.insert(pattern, route(pattern));
      }
      for (const path of [`/n/${text}`, `/n/1${text}?q`, `/m/a-${text}`, `//o//${text}/`]) {
        expect(() => trie.search(path, 'GET')).toThrow(MalformedPathError);
        expect(() => trie.match(path, 'GET')).toThrow(MalformedPathError);
        expect(trie.search(path, 'POST')).toBeNull();
        expect(trie.allowedMethods(path)).toEqual([]);
      }
      expect(served(trie, `/o/${text}/end`)).toBe('/o/*/end');
      expect(served(trie, `/other/${text}`)).toBeNull();
      expect(served(trie, '/n/a%20')).toBeNull();
    }
  });

  test('an escape that no parameter captures harms nobody', () => {
    const trie = trieOf(['/static/%zz', '/a/*/b', '/f/*', '/u/:x']);
    expect(served(trie, '/static/%zz')).toBe('/static/%zz');
    expect(served(trie, '/a/%zz/b')).toBe('/a/*/b');
    expect(trie.search('/f/%zz', 'GET')?.rest).toBe('%zz');
    expect(paramsOf(trie, '/u/1?%zz')).toStrictEqual({ x: '1' });
    expect(served(trie, '/%zz')).toBeNull();
    expect(trie.allowedMethods('/u/%zz')).toStrictEqual(['GET']);
  });

  test('the message of a malformed path stays short', () => {
    const error = thrownBy(() => trieOf(['/:x']).search(`/%zz${'x'.repeat(100_000)}`, 'GET'));
    expect(error?.message.length).toBeLessThan(200);
  });
});

describe('unicode', () => {
  const texts = [
    'é',
    'e\u0301',
    '漢字',
    '😀',
    '👩‍👩‍👧',
    '\ud83d',
    '\ude00',
    '\ude00\ud83d',
    'ﬀ',
    '\u0130',
    '\u2028',
    '\uffff',
    '\u0001',
    ' ',
  ];

  test.each(texts)('%j as static text, as data, and in a name', (text) => {
    const others = texts.filter((other) => other !== text);
    const trie = trieOf([
      ...texts.map((one) => `/${one}`),
      `/${text}/:x`,
      `/n/:${text}`,
      `/m/${text}:x`,
      `/:x/:y/:z`,
    ]);
    expect(served(trie, `/${text}`)).toBe(`/${text}`);
    expect(served(trieOf(others.map((other) => `/${other}`)), `/${text}`)).toBeNull();
    expect(paramsOf(trie, `/${text}/${text}`)).toStrictEqual({ x: text });
    expect(paramsOf(trie, `/n/${text}`)).toStrictEqual({ [text]: text });
    expect(paramsOf(trie, `/m/${text}${text}`)).toStrictEqual({ x: text });
    expect(paramsOf(trie, `/${text}${text}/${text}/${text}`)).toStrictEqual({
      x: text + text,
      y: text,
      z: text,
    });
  });

  test('the composed and the decomposed form are different texts', () => {
    const trie = trieOf(['/\u00e9', '/:x']);
    expect(served(trie, '/\u00e9')).toBe('/\u00e9');
    expect(paramsOf(trie, '/e\u0301')).toStrictEqual({ x: 'e\u0301' });
  });

  test('one-byte and two-byte strings of the same text are the same', () => {
    const narrow = trieOf(['/abc', '/abc/:x']);
    const wide = trieOf(['/abc', '/abc/:x', '/漢/:漢']);
    // Cut out of a two-byte string, it stays one inside.
    const path = '漢/abc/def'.slice(1);
    for (const trie of [narrow, wide]) {
      expect(served(trie, path.slice(0, 4))).toBe('/abc');
      expect(paramsOf(trie, path)).toStrictEqual({ x: 'def' });
      expect(paramsOf(trie, ['/abc', 'def'].join('/'))).toStrictEqual({ x: 'def' });
    }
  });
});

describe('sizes', () => {
  const patterns = [
    '/',
    '/a/:x',
    '/f/*',
    '/r/*rest',
    '/d/:x(\\d+)',
    '/m/:a-:b',
    '/m/:a(\\d+)-:b',
    '/:w/*/end',
  ];
  const megabyte = 'x'.repeat(1 << 20);

  test('a path of a megabyte, in a parameter, a rest, a mixed segment, a regex, and nowhere', () => {
    const trie = trieOf(patterns, { cache: true });
    expect(paramsOf(trie, `/a/${megabyte}`)?.x).toHaveLength(1 << 20);
    expect(trie.search(`/f/${megabyte}`, 'GET')?.rest).toHaveLength(1 << 20);
    expect(paramsOf(trie, `/r/${megabyte}`)?.rest).toHaveLength(1 << 20);
    expect(paramsOf(trie, `/m/${megabyte}-1`)?.a).toHaveLength(1 << 20);
    expect(paramsOf(trie, `/m/1-${megabyte}`)).toMatchObject({ a: '1' });
    expect(paramsOf(trie, `/d/${'7'.repeat(1 << 20)}`)?.x).toHaveLength(1 << 20);
    expect(trie.search(`/d/${megabyte}`, 'GET')).toBeNull();
    expect(trie.search(`/${megabyte}`, 'GET')).toBeNull();
    expect(served(trie, `/?${megabyte}`)).toBe('/');
    expect(paramsOf(trie, `/a/${'%41'.repeat(100_000)}`)?.x).toBe('A'.repeat(100_000));
  });

  test('10,000 slashes', () => {
    const slashes = '/'.repeat(10_000);
    const trie = trieOf(patterns);
    expect(served(trie, slashes)).toBe('/');
    expect(paramsOf(trie, `${slashes}a${slashes}1${slashes}`)).toStrictEqual({ x: '1' });
    expect(trie.search(`/f${slashes}1${slashes}2${slashes}`, 'GET')?.rest).toBe('1/2');
    const exact = trieOf(patterns, { ignoreDuplicateSlashes: false, ignoreTrailingSlash: false });
    expect(exact.search(slashes, 'GET')).toBeNull();
    expect(exact.search(`/f/${slashes}`, 'GET')?.rest).toBe(slashes);
  });

  test('1,000 segments, and 100,000', () => {
    const trie = trieOf([...patterns, `/${Array.from({ length: 200 }, (_, i) => `:p${i}`).join('/')}`]);
    for (const count of [1000, 100_000]) {
      const path = `/${Array.from({ length: count }, (_, i) => i).join('/')}`;
      expect(trie.search(path, 'GET')).toBeNull();
      expect(trie.search(`/f${path}`, 'GET')?.rest).toBe(path.slice(1));
    }
    const path = `/${Array.from({ length: 200 }, (_, i) => `v${i}`).join('/')}`;
    expect(paramsOf(trie, path)).toStrictEqual(
      Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`p${i}`, `v${i}`])),
    );
  });

  // Each of 24 levels offers two ways; only the last segment tells. One that tries all would try 2^24.
  test('backtracking visits no place twice', () => {
    const levels = Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? 'a' : 'b'));
    const ways = Array.from({ length: 500 }, (_, way) => {
      const segments = levels.map((text, i) => ((way >> (i % 9)) & 1 ? text : `:p${i}`));
      return `/${segments.join('/')}/${way}`;
    });
    const trie = trieOf(ways);
    const path = `/${levels.join('/')}`;
    const time = (target: string) => {
      const start = process.cpuUsage();
      for (let i = 0; i < 50; i++) trie.search(target, 'GET');
      return process.cpuUsage(start).user;
    };
    time(`${path}/none`);
    expect(time(`${path}/none`)).toBeLessThan(5_000_000);
    for (const way of [0, 1, 77, 499]) expect(served(trie, `${path}/${way}`)).toBe(ways[way]);
  });
});
