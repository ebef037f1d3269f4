// What this service asked of its own limiter before keelson took its place, and what it had to live without.
import { EventEmitter } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DistributedRateLimiter } from '../../src/lib/utilities/security/rateLimiter';

const limiters: DistributedRateLimiter[] = [];

function open(config: ConstructorParameters<typeof DistributedRateLimiter>[0]): DistributedRateLimiter {
  const limiter = new DistributedRateLimiter(config);
  limiters.push(limiter);
  return limiter;
}

const from = (ip: string) => ({ ip, headers: {} });

afterEach(() => {
  jest.restoreAllMocks();
  for (const limiter of limiters.splice(0)) limiter.destroy();
});

/** The answers of a server to some requests, one after the other. */
async function answers(listener: RequestListener, count: number) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const found = [];
  for (let request = 0; request < count; request++) {
    const { status, headers, ...response } = await fetch(`http://127.0.0.1:${port}`, {
      headers: { connection: 'close' },
    }).then(async (answer) => ({
      status: answer.status,
      headers: answer.headers,
      text: await answer.text(),
    }));
    found.push({ status, headers, text: response.text });
  }
  await new Promise((resolve) => server.close(resolve));
  return found;
}

describe('what it kept', () => {
  test('a decision tells whether, how much is left, and when to come back', async () => {
    const limiter = open({ windowMs: 60_000, maxRequests: 2 });
    const decide = () => limiter.checkLimit(from('192.0.2.1'), {});
    const resetTime = expect.any(Number);
    expect(await decide()).toStrictEqual({ allowed: true, remaining: 1, resetTime });
    expect(await decide()).toStrictEqual({ allowed: true, remaining: 0, resetTime });
    expect(await decide()).toStrictEqual({ allowed: false, remaining: 0, resetTime, retryAfter: 60 });
    expect((await limiter.checkLimit(from('192.0.2.2'), {})).allowed).toBe(true);
  });

  test('a denial is told once, with what it was made of', async () => {
    const onLimitReached = jest.fn();
    const config = { windowMs: 60_000, maxRequests: 0, onLimitReached };
    const [req, res] = [from('192.0.2.1'), {}];
    const decision = await open(config).checkLimit(req, res);
    expect(onLimitReached.mock.calls).toEqual([[req, res, decision, config]]);
  });

  test('middleware sets headers, and answers 429 in JSON', async () => {
    const limit = open({ windowMs: 60_000, maxRequests: 1 }).middleware();
    const [passed, denied] = await answers((req, res) => void limit(req, res, () => res.end('ok')), 2);
    expect([passed!.status, passed!.text]).toEqual([200, 'ok']);
    expect(denied!.status).toBe(429);
    expect(denied!.headers.get('x-ratelimit-limit')).toBe('1');
    expect(denied!.headers.get('x-ratelimit-remaining')).toBe('0');
    const retryAfter = Number(denied!.headers.get('retry-after'));
    expect(JSON.parse(denied!.text)).toEqual({
      error: 'Rate limit exceeded',
      message: 'Too many requests',
      retryAfter,
    });
  });

  test('whom it cannot tell it lets through', async () => {
    const keyGenerator = () => {
      throw new Error('no session');
    };
    const limiter = open({ windowMs: 60_000, maxRequests: 0, keyGenerator });
    const told = jest.fn();
    limiter.on('error', told);
    expect((await limiter.checkLimit({}, {})).allowed).toBe(true);
    expect(told).toHaveBeenCalledTimes(1);
  });

  test('it is an emitter, has its statistics, and can be destroyed twice', () => {
    const limiter = open({ windowMs: 60_000, maxRequests: 1 });
    expect(limiter).toBeInstanceOf(EventEmitter);
    expect(limiter.getStats()).toEqual({
      cacheStats: expect.objectContaining({ maxSize: 10_000 }),
      blockedCount: 0,
    });
    limiter.destroy();
    limiter.destroy();
  });
});

describe('what it lacked', () => {
  test('a window that slides: nobody gets twice the quota at an edge', async () => {
    const limiter = open({ windowMs: 1000, maxRequests: 10 });
    const start = Date.now();
    const clock = jest.spyOn(Date, 'now');
    let passed = 0;
    for (const at of [900, 999, 1000, 1050, 1100]) {
      clock.mockReturnValue(start + at);
      for (let request = 0; request < 10; request++) {
        if ((await limiter.checkLimit(from('192.0.2.1'), {})).allowed) passed++;
      }
    }
    expect(passed).toBe(10);
  });

  test('a callback that throws, or answers itself, changes nothing', async () => {
    const onLimitReached = jest.fn((_req, res) => {
      if (onLimitReached.mock.calls.length > 1) res.writeHead(503).end('busy');
      else throw new Error('a bug');
    });
    const limiter = open({ windowMs: 60_000, maxRequests: 0, onLimitReached });
    limiter.on('error', () => {});
    const limit = limiter.middleware();
    const next = jest.fn();
    const [first, second] = await answers((req, res) => void limit(req, res, next), 2);
    expect([first!.status, second!.status, second!.text]).toEqual([429, 503, 'busy']);
    expect(next).not.toHaveBeenCalled();
  });

  test('a flood of others does not free who is blocked', async () => {
    const limiter = open({ windowMs: 60_000, maxRequests: 1, blockDuration: 60_000, maxKeys: 100 });
    for (let request = 0; request < 2; request++) await limiter.checkLimit(from('192.0.2.1'), {});
    for (let other = 0; other < 1000; other++) await limiter.checkLimit(from(`client ${other}`), {});
    expect((await limiter.checkLimit(from('192.0.2.1'), {})).allowed).toBe(false);
  });

  test('a configuration that makes no sense is refused', () => {
    expect(() => open({ windowMs: -1, maxRequests: 10 })).toThrow('windowMs');
    expect(() => open({ windowMs: 1000, maxRequests: 0.5 })).toThrow('maxRequests');
  });
});
