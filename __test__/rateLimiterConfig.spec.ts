import { DistributedRateLimiter, type RateLimiterConfig } from 'keelson';
import { keepLimiter, makeLimiter, onFakeTime } from './support/limiters';

onFakeTime();

const INVALID = { code: 'ERR_KEELSON_INVALID_ARGUMENT', name: 'InvalidArgumentError' };
const LIMIT = { windowMs: 1000, maxRequests: 10 };

describe('a config is refused that', () => {
  test.each<[string, any, RegExp?]>([
    ['is missing', undefined],
    ['is null', null],
    ['is no object', 'redis://localhost'],
    ['has no limit', {}],
    ['has no quota', { windowMs: 1000 }, /"maxRequests"/],
    ['has no window', { maxRequests: 1 }, /"windowMs"/],
    ['has an empty list of limits', { limits: [] }],
    ['has limits that are no list', { ...LIMIT, limits: LIMIT }, /"limits"/],
    ['has a limit that is none', { limits: [null] }, /limits\[0\]/],
    ['has a limit without a quota', { limits: [LIMIT, { windowMs: 1 }] }, /limits\[1\]\.maxRequests/],
    ['has too many limits', { limits: Array(17).fill(LIMIT) }],
    ['has two limits of one name', { ...LIMIT, limits: [{ ...LIMIT, name: 'default' }] }, /'default'/],
    ['has a window of 0', { windowMs: 0, maxRequests: 1 }],
    ['has a window of NaN', { windowMs: Number.NaN, maxRequests: 1 }],
    ['has a window without end', { windowMs: Number.POSITIVE_INFINITY, maxRequests: 1 }],
    ['has a window of years', { windowMs: 1e12, maxRequests: 1 }],
    ['has a window as text', { windowMs: '1000', maxRequests: 1 }],
    ['has a quota below 0', { windowMs: 1, maxRequests: -1 }],
    ['has half a request', { windowMs: 1, maxRequests: 0.5 }],
    ['has an unknown algorithm', { ...LIMIT, algorithm: 'leaky' }, /'sliding-window'/],
    ['has a burst where there is no bucket', { ...LIMIT, burst: 20 }, /burst/],
    ['has a burst of 0', { ...LIMIT, algorithm: 'gcra', burst: 0 }],
    [
      'has a burst that flows in in centuries',
      { windowMs: 1e10, maxRequests: 1, algorithm: 'gcra', burst: 1e9 },
    ],
    ['has a name that fits into no header', { ...LIMIT, name: 'größe' }, /"name"/],
    ['has an empty name', { ...LIMIT, name: '' }],
    ['has a blockDuration below 0', { ...LIMIT, blockDuration: -1 }],
    ['knows no keys', { ...LIMIT, maxKeys: 0 }],
    ['costs more than can pass', { ...LIMIT, cost: 11 }, /"cost"/],
    ['has a key generator that is none', { ...LIMIT, keyGenerator: 'ip' }],
    ['has a callback that is none', { ...LIMIT, onLimitReached: true }],
    ['has a handler that is none', { ...LIMIT, handler: {} }],
    ['has a skip that is none', { ...LIMIT, skip: 'always' }],
    ['has a flag that is none', { ...LIMIT, skipFailedRequests: 1 }],
    ['has a status that is no denial', { ...LIMIT, statusCode: 200 }],
    ['has a message that is none', { ...LIMIT, message: 7 }],
    ['has unknown headers', { ...LIMIT, headers: 'draft-7' }, /'draft-11'/],
    ['trusts anybody', { ...LIMIT, trustProxy: true }, /trustProxy/],
    ['trusts nobody in a list', { ...LIMIT, trustProxy: [] }],
    ['trusts what is no network', { ...LIMIT, trustProxy: ['10.0.0.0/33'] }, /trustProxy\[0\]/],
    ['trusts a name', { ...LIMIT, trustProxy: ['proxy.local'] }],
    ['has a subnet of all clients', { ...LIMIT, ipv6Subnet: 0 }],
    ['has no shadow and no light', { ...LIMIT, shadow: 'yes' }],
    ['has a prefix that breaks hash tags', { ...LIMIT, keyPrefix: 'a{}b' }],
    ['gives the store no time', { ...LIMIT, storeTimeout: 0 }],
    ['does not know what to do without a store', { ...LIMIT, onStoreError: 'panic' }],
    ['has more than all of a quota', { ...LIMIT, localShare: 1.5 }],
    ['has a breaker that is none', { ...LIMIT, breaker: 3 }],
    ['has a breaker that never trips', { ...LIMIT, breaker: { failures: 0 } }],
    ['has a backoff that shrinks', { ...LIMIT, breaker: { backoffMin: 100, backoffMax: 10 } }],
    ['takes single permits as blocks', { ...LIMIT, leases: { size: 1 } }],
    ['takes blocks that never fit', { ...LIMIT, leases: { size: 11 } }],
    ['keeps blocks longer than a window', { ...LIMIT, leases: { size: 5, ttl: 1001 } }],
    ['takes blocks of permits', { ...LIMIT, algorithm: 'concurrency', leases: { size: 5 } }],
    ['has a Redis that is none', { ...LIMIT, redis: 6379 }],
    ['has a URL of something else', { ...LIMIT, redis: 'http://localhost' }],
  ])('%s', (_, config, message = /./) => {
    const make = () => new DistributedRateLimiter(config);
    expect(make).toThrow(expect.objectContaining(INVALID));
    expect(make).toThrow(message);
  });
});

test('no message shows a password', () => {
  const make = () => makeLimiter({ redis: 'redis://user:hunter2@:bad' });
  expect(make).toThrow(expect.objectContaining(INVALID));
  expect(make).not.toThrow(/hunter2/);
});

test('all options that there are may be undefined', async () => {
  const names = [
    ...[
      'algorithm',
      'burst',
      'limits',
      'name',
      'blockDuration',
      'maxKeys',
      'redis',
      'redisClient',
      'keyPrefix',
    ],
    ...[
      'storeTimeout',
      'onStoreError',
      'localShare',
      'blockCache',
      'breaker',
      'leases',
      'shadow',
      'keyGenerator',
    ],
    ...['ipv6Subnet', 'trustProxy', 'cost', 'skip', 'skipSuccessfulRequests', 'skipFailedRequests'],
    ...[
      'requestWasSuccessful',
      'onLimitReached',
      'handler',
      'message',
      'statusCode',
      'headers',
      'partitionKey',
    ],
  ];
  const config = Object.fromEntries(names.map((name) => [name, undefined]));
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const limiter = makeLimiter(config);
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
  expect(await limiter.check('key')).toMatchObject({ allowed: true, source: 'memory' });
});

test('redis: null is none, as a service has it that is told of no Redis', async () => {
  expect(await makeLimiter({ redis: null }).check('key')).toMatchObject({ source: 'memory' });
});

test('an unknown name is ignored, with one warning in the process', () => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  for (let n = 0; n < 3; n++) {
    makeLimiter({ maxRequest: 1, standardHeaders: true, breaker: { failure: 1 } } as RateLimiterConfig);
  }
  const told = warn.mock.calls.map(([message, kind]) => [String(message).split(' ')[0], kind]);
  warn.mockRestore();
  expect(told).toEqual([
    ['"config.maxRequest"', 'KeelsonWarning'],
    ['"config.standardHeaders"', 'KeelsonWarning'],
    ['"breaker.failure"', 'KeelsonWarning'],
  ]);
});

describe('the older form', () => {
  const request = { ip: '10.0.0.1', user: { id: 7 } };
  const make = (config: object, client: unknown = null) =>
    keepLimiter(new DistributedRateLimiter(client, { windowMs: 1000, maxRequests: 2, ...config }));

  test('has results of its own, with these members and no others', async () => {
    const limiter = make({ strategy: 'fixed-window' });
    expect(await limiter.checkLimit(request, {})).toStrictEqual({
      allowed: true,
      totalHits: 1,
      remainingHits: 1,
      resetTime: new Date(Date.now() + 1000),
    });
    await limiter.checkLimit(request, {});
    expect(await limiter.checkLimit(request, {})).toStrictEqual({
      allowed: false,
      totalHits: 2,
      remainingHits: 0,
      resetTime: new Date(Date.now() + 1000),
      retryAfter: 1,
    });
  });

  test('counts by address and user', async () => {
    const limiter = make({ maxRequests: 1 });
    expect(await limiter.keyOf(request)).toBe('rate_limit:10.0.0.1:7');
    expect(await limiter.keyOf({ ip: '10.0.0.1' })).toBe('rate_limit:10.0.0.1:anonymous');
    expect(await limiter.keyOf({})).toBe('rate_limit:unknown:anonymous');
    const other = { ...request, user: { id: 8 } };
    for (const [one, allowed] of [
      [request, true],
      [other, true],
      [request, false],
    ] as const) {
      expect(await limiter.checkLimit(one, {})).toMatchObject({ allowed });
    }
  });

  test.each(['fixed-window', 'sliding-window', 'token-bucket', 'gcra'] as const)('%s', async (strategy) => {
    const limiter = make({ strategy });
    const results = [];
    for (let n = 0; n < 3; n++) results.push((await limiter.checkLimit(request, {})).allowed);
    expect(results).toEqual([true, true, false]);
    jest.setSystemTime(Date.now() + 1000);
    expect(await limiter.checkLimit(request, {})).toMatchObject({ allowed: true });
  });

  test('its generator and its callback are called', async () => {
    const reached = jest.fn();
    const limiter = make({ maxRequests: 1, keyGenerator: (req: any) => req.token, onLimitReached: reached });
    await limiter.checkLimit({ token: 'a' }, {});
    await limiter.checkLimit({ token: 'b' }, {});
    const denied = await limiter.checkLimit({ token: 'a' }, {});
    expect(reached.mock.calls).toEqual([
      [{ token: 'a' }, {}, denied, expect.objectContaining({ maxRequests: 1 })],
    ]);
  });

  test('a strategy is none of the other form', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    makeLimiter({ strategy: 'gcra' } as RateLimiterConfig);
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  });
});
