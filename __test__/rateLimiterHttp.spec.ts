import { connect as connectSocket } from 'node:net';
import type { DistributedRateLimiter } from 'keelson';
import {
  closeHosts,
  destroyLimiters,
  errorsOf,
  type Host,
  makeLimiter,
  serveFastify,
  serveListener,
} from './support/limiters';
import { bareMock } from './support/router';
import { eventually } from './support/server';

const express5 = require('express');
const express4 = require('express4');
const connect = require('connect');
const fastify = require('fastify');

closeHosts();
destroyLimiters();

type Handler = (req: any, res: any) => unknown;
const fine: Handler = (_, res) => res.end('fine');

/** An application of Express or Connect before whose handler the limiter stands. */
async function mounted(app: any, limiter: DistributedRateLimiter, handler: Handler): Promise<Host> {
  app.use(limiter.middleware());
  app.use(handler);
  app.use((error: any, _req: any, res: any, _next: any) => {
    res.statusCode = error.status ?? 599;
    res.end(`host: ${error.message}`);
  });
  return serveListener(app);
}

const HOSTS: Record<string, (limiter: DistributedRateLimiter, handler?: Handler) => Promise<Host>> = {
  'Express 5': (limiter, handler = fine) => mounted(express5(), limiter, handler),
  'Express 4': (limiter, handler = fine) => mounted(express4(), limiter, handler),
  Connect: (limiter, handler = fine) => mounted(connect(), limiter, handler),
  'node:http': (limiter, handler = fine) => {
    const middleware = limiter.middleware();
    return serveListener((req, res) =>
      middleware(req, res, (error: any) => {
        if (error === undefined) return handler(req, res);
        res.statusCode = error.status ?? 599;
        return res.end(`host: ${error.message}`);
      }),
    );
  },
  Fastify: (limiter, handler = fine) => {
    const app = fastify();
    app.addHook('onRequest', limiter.fastifyHook());
    app.get('/*', (req: any, reply: any) => {
      reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value);
      return handler(req.raw, reply.raw);
    });
    app.setErrorHandler((error: any, _req: any, reply: any) =>
      reply.code(error.statusCode ?? 599).send(`host: ${error.message}`),
    );
    return serveFastify(app);
  },
};

describe.each(Object.entries(HOSTS))('%s', (name, host) => {
  test('requests pass up to the quota, then each is denied', async () => {
    const handler = jest.fn(fine);
    const { ask } = await host(makeLimiter({ maxRequests: 2 }), handler);
    for (const remaining of ['1', '0']) {
      expect(await ask()).toMatchObject({
        status: 200,
        body: 'fine',
        headers: { 'x-ratelimit-limit': '2', 'x-ratelimit-remaining': remaining },
      });
    }
    const { status, headers, body } = await ask();
    expect(status).toBe(429);
    expect(headers['content-type']).toMatch(/^application\/json; charset=utf-8$/i);
    expect(headers).toMatchObject({ 'x-ratelimit-remaining': '0', 'retry-after': '60' });
    expect(new Date(headers['x-ratelimit-reset'] as string).toISOString()).toBe(headers['x-ratelimit-reset']);
    expect(JSON.parse(body)).toEqual({
      error: 'Rate limit exceeded',
      message: 'Too many requests',
      retryAfter: 60,
    });
    expect(handler).toHaveBeenCalledTimes(2);
  });

  test('onLimitReached is called once a denial, and may leave the answer to the limiter', async () => {
    const reached = jest.fn();
    const config = { maxRequests: 1, onLimitReached: reached, statusCode: 503, message: 'Later' };
    const { ask } = await host(makeLimiter(config));
    await ask();
    for (let n = 1; n <= 2; n++) {
      expect(await ask()).toMatchObject({ status: 503, body: expect.stringContaining('"Later"') });
      expect(reached).toHaveBeenCalledTimes(n);
    }
    const [, , result, given] = reached.mock.calls[0];
    expect(result).toEqual({ allowed: false, remaining: 0, resetTime: expect.any(Number), retryAfter: 60 });
    expect(given).toMatchObject(config);
  });

  test.each<[string, () => any]>([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('mine');
      },
    ],
  ])(
    'onLimitReached that %s: the request is denied all the same, once, and the error is told of',
    async (_, reached) => {
      const limiter = makeLimiter({ maxRequests: 1, onLimitReached: reached });
      const errors = errorsOf(limiter);
      const handler = jest.fn(fine);
      const { ask } = await host(limiter, handler);
      await ask();
      expect(await ask()).toMatchObject({ status: 429 });
      expect(handler).toHaveBeenCalledTimes(1);
      expect(errors).toMatchObject([{ message: 'mine' }]);
    },
  );

  test('onLimitReached that answers, at once or later, is the answer', async () => {
    const answer = (res: any) => {
      if (name === 'Fastify') res.code(418).send('mine');
      else {
        res.statusCode = 418;
        res.end('mine');
      }
    };
    const now = (_: any, res: any) => answer(res);
    const later = async (_: any, res: any) => {
      await new Promise((resolve) => setImmediate(resolve));
      answer(res);
    };
    for (const onLimitReached of [now, later]) {
      const limiter = makeLimiter({ maxRequests: 0, onLimitReached });
      const errors = errorsOf(limiter);
      const { ask } = await host(limiter);
      expect(await ask()).toMatchObject({ status: 418, body: 'mine' });
      expect(errors).toEqual([]);
    }
  });

  test('a handler answers instead', async () => {
    const handler = (_: any, res: any, _next: any, result: any) => {
      const body = JSON.stringify([result.policy, result.retryAfterMs > 0]);
      return name === 'Fastify' ? res.code(420).send(body) : res.writeHead(420).end(body);
    };
    const { ask } = await host(makeLimiter({ maxRequests: 0, handler }));
    expect(await ask()).toMatchObject({ status: 420, body: '["default",true]' });
  });

  test('a message that is an object is the body', async () => {
    const { ask } = await host(makeLimiter({ maxRequests: 0, message: { slow: 'down' } }));
    expect(JSON.parse((await ask()).body)).toEqual({ slow: 'down' });
  });

  test('what costs more than can ever pass goes to the host as an error', async () => {
    const { ask } = await host(makeLimiter({ maxRequests: 2, cost: (req) => Number(req.headers['x-cost']) }));
    expect(await ask({ 'x-cost': '3' })).toMatchObject({
      status: 429,
      body: expect.stringMatching(/^host: .*3/),
    });
    expect(await ask({ 'x-cost': '2' })).toMatchObject({ status: 200 });
    expect(await ask({ 'x-cost': '1' })).toMatchObject({ status: 429 });
  });

  test('a limiter that is destroyed is an error', async () => {
    const limiter = makeLimiter();
    const { ask } = await host(limiter);
    limiter.destroy();
    expect(await ask()).toMatchObject({ status: 599, body: expect.stringContaining('destroyed') });
  });

  test('skip lets a request pass uncounted, without a word of limits', async () => {
    const limiter = makeLimiter({ maxRequests: 1, skip: async (req) => req.url === '/health' });
    const { ask } = await host(limiter);
    for (let n = 0; n < 3; n++) {
      const { status, headers } = await ask({}, '/health');
      expect(status).toBe(200);
      expect(headers).not.toHaveProperty('x-ratelimit-limit');
    }
    expect(await ask()).toMatchObject({ status: 200 });
    expect(limiter.metrics()).toMatchObject({ allowed: 1, skipped: 3 });
  });

  test.each([
    ['skipSuccessfulRequests', [200, 304, 500, 404], 2],
    ['skipFailedRequests', [500, 404, 200, 399], 2],
  ] as const)('%s gives back what was counted', async (option, statuses, counted) => {
    const limiter = makeLimiter({ maxRequests: 10, [option]: true, keyGenerator: () => 'key' });
    const { ask } = await host(limiter, (req, res) => res.writeHead(Number(req.headers['x-status'])).end());
    for (const status of statuses)
      expect(await ask({ 'x-status': String(status) })).toMatchObject({ status });
    await eventually(() => limiter.metrics().refunded === statuses.length - counted);
    expect(await limiter.peek('key')).toMatchObject({ remaining: 10 - counted });
  });

  test('what was denied is not given back', async () => {
    const limiter = makeLimiter({ maxRequests: 1, skipFailedRequests: true, keyGenerator: () => 'key' });
    const { ask } = await host(limiter);
    await ask();
    for (let n = 0; n < 3; n++) expect(await ask()).toMatchObject({ status: 429 });
    expect(await limiter.peek('key')).toMatchObject({ remaining: 0 });
    expect(limiter.metrics().refunded).toBe(0);
  });

  test('whether a request succeeded is for the service to say', async () => {
    const requestWasSuccessful = (_: any, res: any) => res.statusCode === 404;
    const limiter = makeLimiter({
      skipSuccessfulRequests: true,
      requestWasSuccessful,
      keyGenerator: () => 'key',
    });
    const { ask } = await host(limiter, (_, res) => res.writeHead(404).end());
    await ask();
    await eventually(() => limiter.metrics().refunded === 1);
    expect(await limiter.peek('key')).toMatchObject({ remaining: 3 });
  });

  test('a client that goes away has failed', async () => {
    const limiter = makeLimiter({ skipFailedRequests: true, keyGenerator: () => 'key' });
    const { port } = await host(limiter, () => {});
    const socket = connectSocket(port, '127.0.0.1').on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(() => limiter.metrics().allowed === 1);
    socket.destroy();
    await eventually(() => limiter.metrics().refunded === 1);
    expect(await limiter.peek('key')).toMatchObject({ remaining: 3 });
  });

  test('a permit is held until the response is over, and longer than a window', async () => {
    const windowMs = 150;
    const limiter = makeLimiter({
      windowMs,
      maxRequests: 1,
      algorithm: 'concurrency',
      keyGenerator: () => 'key',
    });
    const open: any[] = [];
    const { ask } = await host(limiter, (_, res) => open.push(res));
    const first = ask();
    await eventually(() => open.length === 1);
    const until = performance.now() + 3 * windowMs;
    while (performance.now() < until) expect((await ask()).status).toBe(429);
    open[0].end('fine');
    expect(await first).toMatchObject({ status: 200 });
    await eventually(async () => (await limiter.peek('key')).allowed);
  });
});

describe('checkLimit', () => {
  test('gives a permit that ends by itself where the response does not tell when it is over', async () => {
    jest.useFakeTimers();
    try {
      const limiter = makeLimiter({ windowMs: 1000, maxRequests: 1, algorithm: 'concurrency' });
      await limiter.checkLimit({ ip: '10.0.0.1' }, {});
      await limiter.checkLimit({ ip: '10.0.0.2' });
      await jest.advanceTimersByTimeAsync(5000);
      expect(await limiter.checkLimit({ ip: '10.0.0.1' }, {})).toMatchObject({ allowed: true });
      expect(await limiter.checkLimit({ ip: '10.0.0.2' })).toMatchObject({ allowed: true });
    } finally {
      jest.useRealTimers();
    }
  });

  test('resolves to these members, and no others', async () => {
    const limiter = makeLimiter({ maxRequests: 1 });
    const admission = await limiter.checkLimit({ ip: '10.0.0.1' }, {});
    expect(admission).toStrictEqual({ allowed: true, remaining: 0, resetTime: expect.any(Number) });
    expect(await limiter.checkLimit({ ip: '10.0.0.1' }, {})).toStrictEqual({
      ...{ allowed: false, remaining: 0, resetTime: admission.resetTime, retryAfter: 60 },
    });
    expect(await limiter.checkLimit({ ip: '10.0.0.2' }, {})).toMatchObject({ allowed: true });
  });

  test('calls onLimitReached once, with the request and the response', async () => {
    const onLimitReached = jest.fn();
    const limiter = makeLimiter({ maxRequests: 1, onLimitReached });
    const [req, res] = [{ ip: '10.0.0.1' }, {}];
    await limiter.checkLimit(req, res);
    expect(onLimitReached).not.toHaveBeenCalled();
    const denial = await limiter.checkLimit(req, res);
    expect(onLimitReached.mock.calls).toEqual([
      [req, res, denial, expect.objectContaining({ maxRequests: 1 })],
    ]);
  });

  test('works without a response', async () => {
    expect(await makeLimiter({ skipFailedRequests: true }).checkLimit({ ip: 'x' })).toMatchObject({
      allowed: true,
    });
  });
});

describe('functions of the service that fail', () => {
  const fails = () => {
    throw new Error('mine');
  };

  test.each([
    ['skip: the request is counted', { skip: fails }],
    ['cost: it costs one', { cost: fails }],
    ['a cost that is none: it costs one', { cost: () => Number.NaN }],
  ])('%s', async (_, config) => {
    const limiter = makeLimiter(config as any);
    const errors = errorsOf(limiter);
    expect(await limiter.checkLimit({ ip: 'x' }, {})).toMatchObject({ remaining: 2 });
    expect(errors).toHaveLength(1);
  });

  test('requestWasSuccessful: nothing is given back', async () => {
    const limiter = makeLimiter({
      skipSuccessfulRequests: true,
      requestWasSuccessful: fails as any,
      keyGenerator: () => 'key',
    });
    const errors = errorsOf(limiter);
    const { ask } = await HOSTS['node:http']!(limiter);
    await ask();
    await eventually(() => errors.length === 1);
    expect(await limiter.peek('key')).toMatchObject({ remaining: 2 });
  });

  test('a handler: its error goes to next', async () => {
    const next = jest.fn();
    await makeLimiter({ maxRequests: 0, handler: fails }).middleware()({}, {}, next);
    expect(next.mock.calls).toMatchObject([[{ message: 'mine' }]]);
  });
});

test('a cost of 0 is not counted', async () => {
  const limiter = makeLimiter({ cost: () => 0 });
  expect(await limiter.checkLimit({ ip: 'x' }, {})).toStrictEqual({ allowed: true, remaining: 3 });
  expect(limiter.metrics()).toMatchObject({ allowed: 0, skipped: 1 });
});

describe('responses that are mocks', () => {
  const denial = { status: 429, body: expect.objectContaining({ error: 'Rate limit exceeded' }) };

  test('with nothing but status and json', async () => {
    const { res, sent } = bareMock();
    const next = jest.fn();
    const limiter = makeLimiter({ maxRequests: 1, skipFailedRequests: true });
    for (let n = 0; n < 2; n++) await limiter.middleware()({ ip: 'x' }, res, next);
    expect(next).toHaveBeenCalledTimes(1);
    expect(sent).toEqual([denial]);
  });

  test.each(['set', 'header', 'setHeader'])('that take headers by %s', async (name) => {
    const headers: [string, string][] = [];
    const res = { ...bareMock().res, [name]: (...header: [string, string]) => headers.push(header) };
    await makeLimiter({ headers: 'legacy' }).middleware()({ ip: 'x' }, res, () => {});
    expect(headers.map(([header]) => header)).toEqual([
      ...['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'],
    ]);
  });

  test.each<[string, (res: any) => any]>([
    ['at once', (res) => res.status(418).json({})],
    [
      'later',
      async (res) => {
        await null;
        res.status(418).json({});
      },
    ],
  ])('are answered once, if onLimitReached answers %s', async (_, answer) => {
    const { res, sent } = bareMock();
    const json = res.json;
    const limiter = makeLimiter({ maxRequests: 0, onLimitReached: (_req, response) => answer(response) });
    await limiter.middleware()({ ip: 'x' }, res, fail);
    expect(sent).toEqual([{ status: 418, body: {} }]);
    // What was watched is as it was.
    expect(res.json).toBe(json);
  });

  test('are answered by what status gives', async () => {
    const json = jest.fn();
    const res = { status: () => ({ json }) };
    const limiter = makeLimiter({
      maxRequests: 0,
      onLimitReached: (_, response) => response.status(418).json({}),
    });
    await limiter.middleware()({ ip: 'x' }, res, fail);
    expect(json).toHaveBeenCalledTimes(1);
  });

  function fail(): never {
    throw new Error('The request went on');
  }
});

test('a response that has been begun is left alone', async () => {
  const limiter = makeLimiter();
  const errors = errorsOf(limiter);
  const { ask } = await serveListener(async (req, res) => {
    res.write('begun');
    await limiter.middleware()(req, res, () => res.end());
  });
  expect(await ask()).toMatchObject({ status: 200, body: 'begun' });
  expect(errors).toEqual([]);
});

test('under a shadow every request passes, and nobody is told that it is late', async () => {
  const onLimitReached = jest.fn();
  const limiter = makeLimiter({
    maxRequests: 1,
    shadow: true,
    skipSuccessfulRequests: true,
    onLimitReached,
    keyGenerator: () => 'key',
  });
  await limiter.penalty('key');
  const { ask } = await HOSTS['node:http']!(limiter);
  for (let n = 0; n < 3; n++) {
    const { status, headers } = await ask();
    expect(status).toBe(200);
    expect(headers).not.toHaveProperty('retry-after');
  }
  expect(onLimitReached).not.toHaveBeenCalled();
  // What was not counted is not given back.
  expect(await limiter.peek('key')).toMatchObject({ remaining: 0 });
});
