import { destroyLimiters, errorsOf, makeLimiter } from './support/limiters';
import { eventually } from './support/server';

// Handlers that take a Request and give a Response.

destroyLimiters();

const request = (headers: Record<string, string> = {}) => new Request('http://service/', { headers });
const info = { ip: '10.0.0.1' };

describe('guard', () => {
  test('gives the answer to what is denied, and nothing else', async () => {
    const limiter = makeLimiter({ maxRequests: 1 });
    expect(await limiter.guard(request(), info)).toBeUndefined();
    const denial = (await limiter.guard(request(), info))!;
    expect(denial.status).toBe(429);
    expect(denial.headers.get('content-type')).toBe('application/json');
    expect(denial.headers.get('retry-after')).toBe('60');
    expect(denial.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(await denial.json()).toEqual({
      error: 'Rate limit exceeded',
      message: 'Too many requests',
      retryAfter: 60,
    });
    expect(await limiter.guard(request(), { ip: '10.0.0.2' })).toBeUndefined();
  });

  test('counts by a generator, or by who a proxy says that it is', async () => {
    const byToken = makeLimiter({ maxRequests: 1, keyGenerator: (req) => req.headers.get('authorization') });
    expect(await byToken.guard(request({ authorization: 'a' }))).toBeUndefined();
    expect(await byToken.guard(request({ authorization: 'b' }))).toBeUndefined();
    expect(await byToken.guard(request({ authorization: 'a' }))).toMatchObject({ status: 429 });
    const byProxy = makeLimiter({ maxRequests: 1, trustProxy: ['10.0.0.0/8'] });
    expect(await byProxy.guard(request({ 'x-forwarded-for': '6.6.6.6, 1.1.1.1' }), info)).toBeUndefined();
    expect(await byProxy.peek('1.1.1.1')).toMatchObject({ remaining: 0 });
  });

  test('answers with what onLimitReached or a handler gives', async () => {
    const mine = () => new Response('mine', { status: 418 });
    for (const config of [{ onLimitReached: mine }, { handler: mine }, { handler: async () => mine() }]) {
      const denial = (await makeLimiter({ maxRequests: 0, ...config }).guard(request(), info))!;
      expect(denial.status).toBe(418);
      expect(await denial.text()).toBe('mine');
      expect(denial.headers.get('retry-after')).toBe('60');
    }
  });

  test('onLimitReached that throws lets nothing through', async () => {
    const limiter = makeLimiter({
      maxRequests: 0,
      onLimitReached: () => {
        throw new Error('mine');
      },
    });
    const errors = errorsOf(limiter);
    expect(await limiter.guard(request(), info)).toMatchObject({ status: 429 });
    expect(errors).toMatchObject([{ message: 'mine' }]);
  });
});

describe('limitFetch', () => {
  test('puts the limiter before a handler, and its responses tell of the limits', async () => {
    const limiter = makeLimiter({ maxRequests: 1 });
    const handler = jest.fn(async (req: Request, env: { ip: string }) => {
      const headers = new Headers([
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ]);
      return new Response(`${req.url} ${env.ip}`, { headers });
    });
    const limited = limiter.limitFetch(handler, (_, { ip }) => ({ ip }));
    const response = await limited(request(), info);
    expect(await response.text()).toBe('http://service/ 10.0.0.1');
    expect(response.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await limited(request(), info)).toMatchObject({ status: 429 });
    expect(handler).toHaveBeenCalledTimes(1);
  });

  test('a response that cannot be changed is copied', async () => {
    const limited = makeLimiter().limitFetch(() => Response.redirect('http://elsewhere/', 303));
    const response = await limited(request());
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe('http://elsewhere/');
    expect(response.headers.get('x-ratelimit-remaining')).toBe('2');
  });

  test('what succeeded, or failed, is given back', async () => {
    const limiter = makeLimiter({ skipFailedRequests: true, keyGenerator: () => 'key' });
    const limited = limiter.limitFetch(async (req) => {
      if (req.headers.has('x-throw')) throw new Error('mine');
      return new Response('', { status: Number(req.headers.get('x-status')) });
    });
    await limited(request({ 'x-status': '200' }));
    await limited(request({ 'x-status': '500' }));
    await expect(limited(request({ 'x-throw': '1' }))).rejects.toThrow('mine');
    await eventually(() => limiter.metrics().refunded === 2);
    expect(await limiter.peek('key')).toMatchObject({ remaining: 2 });
  });

  test('a permit is held until the handler is through', async () => {
    const limiter = makeLimiter({ algorithm: 'concurrency', maxRequests: 1, keyGenerator: () => 'key' });
    let answer = (_: Response) => {};
    const limited = limiter.limitFetch(
      () =>
        new Promise<Response>((resolve) => {
          answer = resolve;
        }),
    );
    const first = limited(request());
    await eventually(async () => !(await limiter.peek('key')).allowed);
    expect(await limited(request())).toMatchObject({ status: 429 });
    answer(new Response('fine'));
    expect(await first).toMatchObject({ status: 200 });
    await eventually(async () => (await limiter.peek('key')).allowed);
  });

  test('a request that nobody can be told of passes', async () => {
    const limiter = makeLimiter({
      maxRequests: 0,
      keyGenerator: () => {
        throw new Error('no key');
      },
    });
    const errors = errorsOf(limiter);
    const response = await limiter.limitFetch(() => new Response('fine'))(request());
    expect(await response.text()).toBe('fine');
    expect(errors).toHaveLength(1);
  });
});
