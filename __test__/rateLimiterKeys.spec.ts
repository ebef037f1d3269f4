import { destroyLimiters, errorsOf, makeLimiter } from './support/limiters';

// Whom a request is counted for.

destroyLimiters();

const from = (remoteAddress: string, forwarded?: string, more = {}) => ({
  socket: { remoteAddress },
  headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  ...more,
});

describe('by default', () => {
  test.each([
    ['req.ip', { ip: '10.0.0.1', socket: { remoteAddress: '10.0.0.2' } }, '10.0.0.1'],
    ['the peer', from('10.0.0.2'), '10.0.0.2'],
    ['the peer, for an empty req.ip', { ...from('10.0.0.2'), ip: '' }, '10.0.0.2'],
    ['nobody', {}, 'unknown'],
    ['nobody, for a socket that is closed', { socket: {} }, 'unknown'],
    ['an IPv4 address that comes as IPv6', from('::ffff:10.0.0.2'), '10.0.0.2'],
    ['the same in hexadecimal', from('::ffff:a00:2'), '10.0.0.2'],
    ['a network of IPv6', from('2001:db8:1:2ff::5'), '2001:db8:1:200:0:0:0:0/56'],
    ['IPv6 in full', from('2001:0db8:0001:02ff:1:2:3:4'), '2001:db8:1:200:0:0:0:0/56'],
    ['IPv6 with a zone', from('fe80::1%eth0'), 'fe80:0:0:0:0:0:0:0/56'],
    ['IPv6 that ends as IPv4', from('64:ff9b::10.0.0.1'), '64:ff9b:0:0:0:0:0:0/56'],
    ['what is no address', { ip: 'not:an:address' }, 'not:an:address'],
  ])('%s', async (_, req, key) => {
    expect(await makeLimiter().keyOf(req)).toBe(key);
  });

  test('X-Forwarded-For is not believed', async () => {
    expect(await makeLimiter().keyOf(from('10.0.0.2', '1.2.3.4'))).toBe('10.0.0.2');
  });
});

test.each([
  [48, '2001:db8:1:0:0:0:0:0/48'],
  [56, '2001:db8:1:ff00:0:0:0:0/56'],
  [60, '2001:db8:1:ff20:0:0:0:0/60'],
  [64, '2001:db8:1:ff2f:0:0:0:0/64'],
  [128, '2001:db8:1:ff2f:a:b:c:d'],
  [false, '2001:db8:1:ff2f:a:b:c:d'],
] as const)('a subnet of %s bits', async (ipv6Subnet, key) => {
  expect(await makeLimiter({ ipv6Subnet }).keyOf({ ip: '2001:db8:1:ff2f:a:b:c:d' })).toBe(key);
});

describe('proxies', () => {
  const key = (trustProxy: number | string[], req: object) => makeLimiter({ trustProxy }).keyOf(req);

  test('as many as told are believed, from the service on', async () => {
    const req = from('10.0.0.1', '6.6.6.6, 1.1.1.1, 2.2.2.2', { ip: '9.9.9.9' });
    expect(await key(1, req)).toBe('2.2.2.2');
    expect(await key(2, req)).toBe('1.1.1.1');
    expect(await key(3, req)).toBe('6.6.6.6');
    // Nobody wrote more than there is.
    expect(await key(4, req)).toBe('6.6.6.6');
    expect(await key(1, from('10.0.0.1'))).toBe('10.0.0.1');
  });

  test('those of a list are believed, and what a client wrote itself is never reached', async () => {
    const list = ['10.0.0.0/8', 'fd00::/8', '192.0.2.7'];
    expect(await key(list, from('10.0.0.1', '6.6.6.6, 1.1.1.1, 10.9.9.9'))).toBe('1.1.1.1');
    expect(await key(list, from('::ffff:10.0.0.1', '6.6.6.6, 1.1.1.1, fd00::5'))).toBe('1.1.1.1');
    expect(await key(list, from('10.0.0.1', '1.1.1.1, 192.0.2.7'))).toBe('1.1.1.1');
    expect(await key(list, from('192.0.2.8', '1.1.1.1'))).toBe('192.0.2.8');
    expect(await key(list, from('10.0.0.1', '10.0.0.2, 10.0.0.3'))).toBe('10.0.0.2');
  });

  test.each([
    ['1.2.3.4:5678', '1.2.3.4'],
    ['[2001:db8::1]:443', '2001:db8:0:0:0:0:0:0/56'],
    ['[2001:db8::1]', '2001:db8:0:0:0:0:0:0/56'],
    ['2001:db8::1', '2001:db8:0:0:0:0:0:0/56'],
    ['  1.2.3.4  ', '1.2.3.4'],
  ])('may write %s', async (written, found) => {
    expect(await key(1, from('10.0.0.1', written))).toBe(found);
  });

  test.each(['unknown', '', ',', '_hidden', '1.2.3', '1.2.3.4.5', '999.1.1.1', 'a'.repeat(10_000)])(
    'what is no address, such as %j, is nobody',
    async (written) => {
      expect(await key(2, from('10.0.0.1', written))).toBe('10.0.0.1');
      expect(await key(2, from('10.0.0.1', `6.6.6.6, ${written}`))).toBe('10.0.0.1');
    },
  );

  test('headers of a fetch request', async () => {
    const req = { ip: '10.0.0.1', headers: new Headers({ 'x-forwarded-for': '6.6.6.6, 1.1.1.1' }) };
    expect(await key(1, req)).toBe('1.1.1.1');
  });
});

describe('a generator', () => {
  test.each([
    ['a string', () => 'user', 'user'],
    ['a promise', async () => 'user', 'user'],
    ['a number', () => 7, '7'],
    ['a bigint', () => 7n, '7'],
    ['an empty string', () => '', ''],
  ])('may give %s', async (_, keyGenerator, key) => {
    expect(await makeLimiter({ keyGenerator }).keyOf({})).toBe(key);
  });

  test('gets the request', async () => {
    expect(
      await makeLimiter({ keyGenerator: (req) => req.headers.token }).keyOf({ headers: { token: 't' } }),
    ).toBe('t');
  });

  test.each<[string, () => any]>([
    [
      'throws',
      () => {
        throw new Error('no key');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no key'))],
    ['gives nothing', () => undefined],
    ['gives null', () => null],
    ['gives an object', () => ({})],
  ])('that %s: the request passes, uncounted, and the error is told of', async (_, keyGenerator) => {
    const limiter = makeLimiter({
      keyGenerator,
      maxRequests: 1,
      onLimitReached: () => {
        throw new Error('called');
      },
    });
    const errors = errorsOf(limiter);
    for (let n = 0; n < 3; n++)
      expect(await limiter.checkLimit({}, {})).toStrictEqual({ allowed: true, remaining: 1 });
    const next = jest.fn();
    await limiter.middleware()({}, {}, next);
    expect(next.mock.calls).toEqual([[]]);
    expect(errors).toHaveLength(4);
    expect(errors[0]).toBeInstanceOf(Error);
    expect(limiter.metrics()).toMatchObject({ allowed: 0, unidentified: 4 });
    await expect(limiter.keyOf({})).rejects.toThrow();
  });
});

test('a request whose members throw passes', async () => {
  const limiter = makeLimiter();
  const errors = errorsOf(limiter);
  const req = {
    get ip(): string {
      throw new Error('no ip');
    },
  };
  expect(await limiter.checkLimit(req, {})).toMatchObject({ allowed: true });
  expect(errors).toMatchObject([{ message: 'no ip' }]);
});
