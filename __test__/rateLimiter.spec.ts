import diagnosticsChannel from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import { DistributedRateLimiter, type RateLimitResult } from 'keelson';
import { keepLimiter, makeLimiter, onFakeTime } from './support/limiters';

onFakeTime();

const WINDOW = 60_000;

/** What limiters tell of denials, in order. */
function denialsOf(limiter: DistributedRateLimiter): { key: string; result: RateLimitResult }[] {
  const denials: { key: string; result: RateLimitResult }[] = [];
  limiter.on('rate-limit', (denial) => denials.push(denial));
  return denials;
}

describe('check', () => {
  test('an admission and a denial have these members, and no others', async () => {
    const limiter = makeLimiter({ maxRequests: 1, name: 'mine' });
    expect(await limiter.check('key')).toStrictEqual({
      allowed: true,
      limit: 1,
      remaining: 0,
      resetTime: Date.now() + WINDOW,
      retryAfterMs: 0,
      cost: 1,
      policy: 'mine',
      source: 'memory',
    });
    jest.setSystemTime(Date.now() + 500);
    expect(await limiter.check('key')).toStrictEqual({
      allowed: false,
      limit: 1,
      remaining: 0,
      resetTime: Date.now() + WINDOW - 500,
      retryAfter: 60,
      retryAfterMs: WINDOW - 500,
      cost: 1,
      policy: 'mine',
      source: 'memory',
    });
  });

  test('retryAfter is whole seconds, one at least', async () => {
    const limiter = makeLimiter({ windowMs: 1200, maxRequests: 1 });
    await limiter.check('key');
    expect(await limiter.check('key')).toMatchObject({ retryAfter: 2, retryAfterMs: 1200 });
    jest.setSystemTime(Date.now() + 1199);
    expect(await limiter.check('key')).toMatchObject({ retryAfter: 1, retryAfterMs: 1 });
    jest.setSystemTime(Date.now() + 1);
    expect(await limiter.check('key')).toMatchObject({ allowed: true });
  });

  test('19 of 10 do not pass at the edge of a window', async () => {
    const limiter = makeLimiter({ windowMs: 1000, maxRequests: 10 });
    const times: number[] = [];
    jest.setSystemTime(Math.ceil(Date.now() / 1000) * 1000 + 900);
    for (let n = 0; n < 40; n++) {
      if ((await limiter.check('key')).allowed) times.push(Date.now());
      jest.setSystemTime(Date.now() + 10);
    }
    expect(times).toHaveLength(10);
  });

  test('checkSync decides the same at once', () => {
    const limiter = makeLimiter({ maxRequests: 2 });
    expect(limiter.checkSync('key', { cost: 2 })).toMatchObject({ allowed: true, cost: 2, remaining: 0 });
    expect(limiter.checkSync('key')).toMatchObject({ allowed: false });
  });

  test('checkMany checks each by itself, in order', async () => {
    const limiter = makeLimiter();
    const results = await limiter.checkMany(['a', { key: 'a', cost: 2 }, 'a', { key: 'b' }]);
    expect(results.map(({ allowed }) => allowed)).toEqual([true, true, false, true]);
    expect(await limiter.checkMany([])).toEqual([]);
  });

  test('what costs more than can ever pass is refused at once, and nothing is counted', async () => {
    const limiter = makeLimiter({
      limits: [
        { windowMs: 1000, maxRequests: 5 },
        { windowMs: 10, maxRequests: 3 },
      ],
    });
    const refused = { code: 'ERR_KEELSON_COST_ABOVE_QUOTA', cost: 4, quota: 3 };
    await expect(limiter.check('key', { cost: 4 })).rejects.toMatchObject(refused);
    await expect(limiter.checkMany(['key', { key: 'key', cost: 4 }])).rejects.toMatchObject(refused);
    await expect(limiter.waitFor('key', { cost: 4 })).rejects.toMatchObject(refused);
    await expect(limiter.peek('key', { cost: 4 })).rejects.toMatchObject(refused);
    expect(() => limiter.checkSync('key', { cost: 4 })).toThrow(expect.objectContaining(refused));
    expect(await limiter.peek('key')).toMatchObject({ remaining: 3 });
  });

  test('a burst is what can pass at once', async () => {
    const limiter = makeLimiter({ algorithm: 'gcra', maxRequests: 1, burst: 5 });
    expect(await limiter.check('key', { cost: 5 })).toMatchObject({ allowed: true, limit: 5 });
  });

  test('maxRequests 0 denies everything', async () => {
    const limiter = makeLimiter({ maxRequests: 0 });
    expect(await limiter.check('key')).toMatchObject({
      allowed: false,
      limit: 0,
      remaining: 0,
      retryAfter: 60,
    });
    expect(await limiter.check('key', { cost: 5 })).toMatchObject({ allowed: false });
  });

  test.each<[string, (limiter: DistributedRateLimiter) => Promise<unknown>]>([
    ['a key that is no string', (limiter) => limiter.check(1 as any)],
    ['no key', (limiter) => limiter.peek(undefined as any)],
    ['a cost of 0', (limiter) => limiter.check('key', { cost: 0 })],
    ['half a unit', (limiter) => limiter.check('key', { cost: 1.5 })],
    ['an option that is unknown', (limiter) => limiter.check('key', { price: 1 } as any)],
    ['no options', (limiter) => limiter.check('key', null as any)],
    ['a signal that is none', (limiter) => limiter.check('key', { signal: {} as any })],
    ['checks that are none', (limiter) => limiter.checkMany('key' as any)],
    ['a check that is none', (limiter) => limiter.checkMany([null as any])],
    ['a penalty of 0', (limiter) => limiter.penalty('key', 0)],
    ['a reward below 0', (limiter) => limiter.reward('key', -1)],
    ['a block of NaN', (limiter) => limiter.block('key', Number.NaN)],
    ['a timeout below 0', (limiter) => limiter.waitFor('key', { timeout: -1 })],
    ['a permit where there are none', (limiter) => limiter.acquire('key')],
  ])('%s is an argument that is refused by a rejection', async (_, call) => {
    const limiter = makeLimiter();
    await expect(call(limiter)).rejects.toMatchObject({ code: 'ERR_KEELSON_INVALID_ARGUMENT' });
    expect(await limiter.peek('key')).toMatchObject({ remaining: 3 });
  });

  test('a signal that has aborted keeps a check from counting', async () => {
    const limiter = makeLimiter();
    const reason = new Error('enough');
    await expect(limiter.check('key', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await limiter.peek('key')).toMatchObject({ remaining: 3 });
  });

  test('keys are themselves, whatever they are', async () => {
    const limiter = makeLimiter({ maxRequests: 1 });
    const long = 'k'.repeat(100_000);
    const keys = [
      '',
      ' ',
      '1',
      '__proto__',
      'constructor',
      '\ud83d',
      '\ufffd',
      '\0',
      'é',
      'e\u0301',
      long,
      `${long}1`,
    ];
    for (const key of keys) expect(await limiter.check(key)).toMatchObject({ allowed: true });
    for (const key of keys) expect(await limiter.check(key)).toMatchObject({ allowed: false });
  });
});

describe('several limits', () => {
  const limits = [
    { name: 'second', windowMs: 1000, maxRequests: 2 },
    { name: 'minute', windowMs: 60_000, maxRequests: 3, algorithm: 'fixed-window' as const },
  ];

  test('the one that restricts most is told of, and a denial by one is counted by none', async () => {
    const limiter = makeLimiter({ limits });
    expect(await limiter.check('key')).toMatchObject({ policy: 'second', remaining: 1 });
    expect(await limiter.check('key', { cost: 2 })).toMatchObject({ allowed: false, policy: 'second' });
    expect(await limiter.check('key')).toMatchObject({ allowed: true, policy: 'second', remaining: 0 });
    jest.setSystemTime(Date.now() + 1000);
    expect(await limiter.check('key')).toMatchObject({ allowed: true, policy: 'minute', remaining: 0 });
    expect(await limiter.check('key')).toMatchObject({ allowed: false, policy: 'minute', retryAfter: 59 });
  });

  test('stand beside windowMs and maxRequests, and have names', async () => {
    const limiter = makeLimiter({ windowMs: 10, maxRequests: 9, limits: [{ windowMs: 20, maxRequests: 1 }] });
    expect(await limiter.check('key')).toMatchObject({ policy: 'limit-1' });
  });
});

describe('what changes a key', () => {
  test('penalty, reward, block and reset tell how it stands then', async () => {
    const limiter = makeLimiter();
    expect(await limiter.penalty('key', 2)).toMatchObject({ allowed: true, remaining: 1, cost: 2 });
    expect(await limiter.penalty('key')).toMatchObject({ allowed: false, remaining: 0, cost: 1 });
    expect(await limiter.reward('key', 2)).toMatchObject({ allowed: true, remaining: 2, cost: 2 });
    expect(await limiter.block('key', 1500)).toMatchObject({ allowed: false, remaining: 0, retryAfter: 2 });
    expect(await limiter.block('key', 0)).toMatchObject({ allowed: true, remaining: 2 });
    expect(await limiter.reset('key')).toMatchObject({ allowed: true, remaining: 3 });
  });

  test('blockDuration keeps a key out for that long after a denial', async () => {
    const limiter = makeLimiter({ windowMs: 1000, maxRequests: 1, blockDuration: 5000 });
    await limiter.check('key');
    expect(await limiter.check('key')).toMatchObject({ allowed: false, retryAfterMs: 5000 });
    jest.setSystemTime(Date.now() + 4999);
    expect(await limiter.check('key')).toMatchObject({ allowed: false, retryAfterMs: 1 });
    jest.setSystemTime(Date.now() + 1);
    expect(await limiter.check('key')).toMatchObject({ allowed: true });
  });
});

describe('events', () => {
  test('each denial is told of, here and on its channel', async () => {
    const limiter = makeLimiter({ maxRequests: 1 });
    const denials = denialsOf(limiter);
    const published: unknown[] = [];
    const listen = (message: unknown) => published.push(message);
    diagnosticsChannel.subscribe('keelson:rate-limiter:rate-limit', listen);
    await limiter.checkMany(['key', 'key', 'other']);
    const result = limiter.checkSync('key');
    await limiter.peek('key');
    diagnosticsChannel.unsubscribe('keelson:rate-limiter:rate-limit', listen);
    expect(denials.map(({ key }) => key)).toEqual(['key', 'key']);
    expect(denials[1]!.result).toBe(result);
    expect(published).toEqual(denials);
  });

  test('a listener may ask', async () => {
    const limiter = makeLimiter({ maxRequests: 1 });
    limiter.once('rate-limit', () => limiter.checkSync('other'));
    await limiter.check('key');
    expect(await limiter.check('key')).toMatchObject({ allowed: false });
    expect(await limiter.check('other')).toMatchObject({ allowed: false });
  });
});

describe('a shadow', () => {
  test('tells of denials, and denies nothing', async () => {
    const limiter = makeLimiter({ maxRequests: 1, shadow: true });
    const denials = denialsOf(limiter);
    await limiter.check('key');
    expect(await limiter.check('key')).toStrictEqual({
      ...{ allowed: true, limit: 1, remaining: 0, resetTime: Date.now() + WINDOW, retryAfterMs: 0 },
      ...{ cost: 1, policy: 'default', source: 'memory' },
    });
    expect(limiter.checkSync('key')).toMatchObject({ allowed: true });
    expect(await limiter.waitFor('key')).toMatchObject({ allowed: true });
    expect(denials.map(({ result }) => result.allowed)).toEqual([false, false, false]);
    expect(limiter.metrics()).toMatchObject({ allowed: 1, denied: 3 });
    expect(await limiter.peek('key')).toMatchObject({ allowed: false });
  });
});

describe('stats', () => {
  test('have these members', async () => {
    const limiter = makeLimiter({ maxRequests: 1 });
    await limiter.check('a');
    await limiter.check('a');
    expect(limiter.getStats()).toEqual({
      cacheStats: {
        ...{
          hits: 1,
          misses: 1,
          evictions: 0,
          expirations: 0,
          hitRate: 0.5,
          currentSize: 1,
          maxSize: 10_000,
        },
      },
      blockedCount: expect.any(Number),
    });
  });

  test('blockedCount is of keys that are blocked now', async () => {
    const limiter = makeLimiter();
    await limiter.block('a', 1000);
    await limiter.block('b', 2000);
    expect(limiter.getStats().blockedCount).toBe(2);
    jest.setSystemTime(Date.now() + 1000);
    expect(limiter.getStats().blockedCount).toBe(1);
  });

  test('metrics count by cause', async () => {
    const limiter = makeLimiter({ maxRequests: 1 });
    await limiter.checkMany(['a', 'a', 'b']);
    expect(limiter.metrics()).toMatchObject({
      ...{ allowed: 2, denied: 1, skipped: 0, refunded: 0, waiting: 0 },
      fallbacks: { local: 0, open: 0, closed: 0 },
      store: { kind: 'memory', state: 'up', outages: 0 },
      keys: { currentSize: 2 },
    });
  });

  test('keys are bounded, and those that are over go', async () => {
    const limiter = makeLimiter({ maxKeys: 100 });
    for (let n = 0; n < 1000; n++) limiter.checkSync(`key ${n}`);
    expect(limiter.getStats().cacheStats).toMatchObject({ currentSize: 100, evictions: 900, maxSize: 100 });
    jest.setSystemTime(Date.now() + WINDOW);
    for (let n = 0; n < 50; n++) limiter.checkSync('another');
    expect(limiter.getStats().cacheStats).toMatchObject({ currentSize: 1, expirations: 100 });
  });

  test('a flood of other keys frees no key that is blocked, nor one that is denied', async () => {
    const limiter = makeLimiter({ maxKeys: 100, maxRequests: 1 });
    await limiter.block('blocked', 10_000);
    await limiter.checkMany(['spent', 'spent']);
    for (let n = 0; n < 1000; n++) limiter.checkSync(`key ${n}`);
    expect(limiter.checkSync('blocked')).toMatchObject({ allowed: false });
    expect(limiter.checkSync('spent')).toMatchObject({ allowed: false });
  });
});

describe('destroy', () => {
  test('ends everything, and may be called again', async () => {
    const limiter = makeLimiter();
    expect(limiter.destroyed).toBe(false);
    limiter.destroy();
    limiter.destroy();
    expect(limiter.destroyed).toBe(true);
    const destroyed = { code: 'ERR_KEELSON_DESTROYED' };
    const calls = [
      limiter.check('key'),
      limiter.check('key', { cost: 2 }),
      limiter.checkMany(['key']),
      limiter.peek('key'),
      limiter.reset('key'),
      limiter.penalty('key'),
      limiter.block('key', 1),
      limiter.waitFor('key'),
      limiter.checkLimit({ ip: '10.0.0.1' }, {}),
    ];
    for (const call of calls) await expect(call).rejects.toMatchObject(destroyed);
    expect(() => limiter.checkSync('key')).toThrow(expect.objectContaining(destroyed));
    expect(limiter.getStats().cacheStats.currentSize).toBe(0);
  });

  test('happens at the end of a block that uses it', async () => {
    const limiter: any = makeLimiter();
    limiter[Symbol.dispose ?? Symbol.for('nodejs.dispose')]();
    await expect(limiter.check('key')).rejects.toMatchObject({ code: 'ERR_KEELSON_DESTROYED' });
  });
});

test('logs show nothing of how to connect', () => {
  const limiter = makeLimiter({ redis: { host: '127.0.0.1', port: 1, password: 'hunter2' } });
  expect(inspect(limiter, { depth: 20, showHidden: true }) + JSON.stringify(limiter)).not.toContain(
    'hunter2',
  );
});

test('checkSync is for counts in memory', () => {
  const limiter = makeLimiter({ redisClient: {} });
  expect(() => limiter.checkSync('key')).toThrow(
    expect.objectContaining({ code: 'ERR_KEELSON_STORE_REMOTE' }),
  );
});

test('a class may extend it', async () => {
  class Mine extends DistributedRateLimiter {
    allows = async (key: string) => (await this.check(key)).allowed;
  }
  const mine = keepLimiter(new Mine({ windowMs: 1000, maxRequests: 1 }));
  expect(await mine.allows('key')).toBe(true);
  expect(await mine.allows('key')).toBe(false);
  expect(mine).toBeInstanceOf(DistributedRateLimiter);
});
