import diagnosticsChannel from 'node:diagnostics_channel';
import { parse } from 'node:querystring';
import { OptimizedRouter, type RouteHandler } from 'keelson';
import { ask, bareMock, failuresWith, metricsOf, naming, serve } from './support/router';

const boom = new Error('secret');

describe('hooks', () => {
  test('onNotFound and onMethodNotAllowed answer instead', () => {
    const router = new OptimizedRouter({
      onNotFound: (req, res) => res.status(418).json(req.path),
      onMethodNotAllowed: (_req, res, _next, allow) => res.status(499).json(allow),
    });
    router.addRoute('/a', naming('a', { method: ['POST', 'GET'] }));
    expect(ask(router, '/b').sent).toEqual([{ status: 418, body: '/b' }]);
    expect(ask(router, '/a', 'PUT').sent).toEqual([{ status: 499, body: ['GET', 'POST'] }]);
  });

  test('onNotFound can leave the request to what comes after the router', () => {
    const router = new OptimizedRouter({ onNotFound: (_req, _res, next) => next() });
    const { res, sent } = bareMock();
    const next = jest.fn();
    router.handle({ path: '/b', method: 'GET' }, res, next);
    expect(next).toHaveBeenCalledWith();
    expect(sent).toEqual([]);
    // Where nothing comes after it, that is the 404.
    expect(ask(router, '/b').sent).toEqual([{ status: 404, body: { error: 'Route not found' } }]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('secret');
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret'))],
    ['passes an error on', (_req: any, _res: any, next: (error: Error) => void) => next(new Error('secret'))],
  ])('a hook that %s is an error like any other', async (_, onNotFound) => {
    const errors: unknown[] = [];
    const router = new OptimizedRouter({
      onNotFound,
      onError: (error, _req, res) => {
        errors.push(error.message);
        res.status(500).json('x');
      },
    });
    const { sent } = ask(router, '/b');
    await Promise.resolve();
    expect(errors).toEqual(['secret']);
    expect(sent).toEqual([{ status: 500, body: 'x' }]);
  });

  test('a malformed path is 400, and goes to onError', () => {
    const router = new OptimizedRouter();
    router.addRoute('/:a', naming('a'));
    const next = jest.fn();
    const { res, sent } = bareMock();
    router.handle({ path: '/%ff', method: 'GET' }, res, next);
    expect(sent).toEqual([{ status: 400, body: { error: 'Malformed path' } }]);
    expect(next).not.toHaveBeenCalled();
    expect(router.metrics().totals).toMatchObject({ malformed: 1, requests: 1 });

    const onError = jest.fn((_error, _req, mock) => mock.status(400).json('bad'));
    const hooked = new OptimizedRouter({ onError });
    hooked.addRoute('/:a', naming('a'));
    expect(ask(hooked, '/%ff').sent).toEqual([{ status: 400, body: 'bad' }]);
    expect(onError.mock.calls[0]![0]).toMatchObject({ code: 'ERR_KEELSON_MALFORMED_PATH', statusCode: 400 });
    // Whoever answers with it tells clients about the path, and not what a service should do.
    expect(onError.mock.calls[0]![0].message).toBe("The path has an escape that is not UTF-8: '%ff'");
  });
});

describe('errors', () => {
  const failing = (handler: RouteHandler['handler'], options = {}) => {
    const router = new OptimizedRouter(options);
    const reported: unknown[] = [];
    router.on('error', (error) => reported.push(error));
    router.addRoute('/a', naming('a', { handler }));
    return { router, reported };
  };
  const ways: [string, RouteHandler['handler']][] = [
    ...failuresWith(boom),
    ['rejects later', () => new Promise((_, reject) => setImmediate(reject, boom))],
    ['passes it on', (_req, _res, next) => next(boom)],
  ];

  test.each(ways)('a handler that %s: next gets it', async (_, handler) => {
    const { router, reported } = failing(handler);
    const { res, sent } = bareMock();
    const next = jest.fn();
    router.handle({ path: '/a', method: 'GET' }, res, next);
    await new Promise((resolve) => setImmediate(setImmediate, resolve));
    expect(next.mock.calls).toEqual([[boom]]);
    expect(sent).toEqual([]);
    expect(reported).toEqual([]);
  });

  test.each(ways)(
    'a handler that %s: a bare server answers 500, keeps the message and reports it',
    async (_, handler) => {
      const { router, reported } = failing(handler);
      const { sent } = ask(router, '/a');
      await new Promise((resolve) => setImmediate(setImmediate, resolve));
      expect(sent).toEqual([{ status: 500, body: { error: 'Internal server error' } }]);
      expect(reported).toEqual([boom]);
    },
  );

  test.each(ways)('a handler that %s: onError gets it before anybody else', async (_, handler) => {
    const onError = jest.fn((_error, _req, res, _next) => res.json('handled'));
    const { router, reported } = failing(handler, { onError });
    const { sent } = ask(router, '/a');
    await new Promise((resolve) => setImmediate(setImmediate, resolve));
    expect(onError.mock.calls.map(([error]) => error)).toEqual([boom]);
    expect(sent).toEqual([{ status: 200, body: 'handled' }]);
    expect(reported).toEqual([]);
  });

  test.each([undefined, null, 0, '', false, 'route', 'router'])(
    'to throw %p is an error too, and never "no error"',
    (thrown) => {
      const { router } = failing(() => {
        throw thrown;
      });
      const next = jest.fn();
      router.handle({ path: '/a', method: 'GET' }, bareMock().res, next);
      expect(next.mock.calls).toEqual([[expect.any(Error)]]);
      expect(next.mock.calls[0]![0].cause).toBe(thrown);
    },
  );

  test.each(['text', 5, { some: 'object' }, Symbol('x')])(
    'what was thrown arrives as it is: %p',
    (thrown) => {
      const { router } = failing(() => {
        throw thrown;
      });
      const next = jest.fn();
      router.handle({ path: '/a', method: 'GET' }, bareMock().res, next);
      expect(next.mock.calls).toEqual([[thrown]]);
      expect(ask(router, '/a').sent[0]!.status).toBe(500);
    },
  );

  test.each([
    [404, 'Not found'],
    [413, 'Payload too large'],
    [503, 'Service unavailable'],
    [200, 'Internal server error'],
    ['404', 'Internal server error'],
  ])('an error that asks for status %p is answered so', (status, text) => {
    const { router } = failing(() => {
      throw Object.assign(new Error('secret'), { status });
    });
    const expected = status === 200 || typeof status === 'string' ? 500 : status;
    expect(ask(router, '/a').sent).toEqual([{ status: expected, body: { error: text } }]);
  });

  test('onError that fails, and one that passes the error on, end in the plain answer', async () => {
    for (const onError of [
      () => {
        throw new Error('worse');
      },
      async () => {
        throw new Error('worse');
      },
      (error: Error, _req: any, _res: any, next: any) => next(error),
      (_error: Error, _req: any, _res: any, next: any) => next(),
    ]) {
      const { router } = failing(
        () => {
          throw boom;
        },
        { onError },
      );
      const { sent } = ask(router, '/a');
      await Promise.resolve();
      await Promise.resolve();
      expect(sent).toEqual([{ status: 500, body: { error: 'Internal server error' } }]);
    }
  });

  test('a bare next() from a handler is the 404, once', () => {
    const { router } = failing((_req, _res, next) => {
      next();
      next();
      next(boom);
    });
    expect(ask(router, '/a').sent).toEqual([{ status: 404, body: { error: 'Route not found' } }]);
  });

  test('an error that nobody listens to is one process warning, and nothing is thrown', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const router = new OptimizedRouter();
    router.addRoute(
      '/a',
      naming('a', {
        handler: () => {
          throw boom;
        },
      }),
    );
    ask(router, '/a');
    ask(router, '/a');
    const warnings = warn.mock.calls.map(([message]) => message);
    warn.mockRestore();
    expect(warnings).toEqual(['keelson router: Error: secret']);
  });

  test('errors appear on the diagnostics channel', () => {
    const seen: unknown[] = [];
    const listen = (error: unknown) => seen.push(error);
    diagnosticsChannel.subscribe('keelson:router:error', listen);
    const { router } = failing(() => {
      throw boom;
    });
    ask(router, '/a');
    diagnosticsChannel.unsubscribe('keelson:router:error', listen);
    expect(seen).toEqual([boom]);
  });
});

/** Each of these once ended the process or left the request without an answer. */
describe('what is thrown can be anything', () => {
  const throwing = () => {
    throw new Error('of a getter');
  };
  const strange: [string, unknown][] = [
    ['without a prototype', parse('code=42')],
    ['whose status throws', Object.defineProperty({}, 'status', { get: throwing })],
    ['whose status is a symbol', { status: Symbol('404') }],
    ['whose name throws', Object.defineProperty({}, 'name', { get: throwing })],
    ['that is a proxy', new Proxy({}, { get: throwing, getPrototypeOf: throwing })],
    [
      'of headers that throw',
      { expose: true, headers: Object.defineProperty({}, 'X', { enumerable: true, get: throwing }) },
    ],
  ];

  test.each(strange)('an object %s', async (_, thrown) => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    for (const timing of ['thrown', 'rejected', 'of middleware', 'late']) {
      const router = new OptimizedRouter();
      const handler = () => {
        if (timing === 'rejected') return Promise.reject(thrown);
        throw thrown;
      };
      const failing: RouteHandler['handler'] = (_req, _res, next) => {
        if (timing === 'late') next();
        throw thrown;
      };
      const middleware = timing === 'thrown' || timing === 'rejected' ? [] : [failing];
      const answering: RouteHandler['handler'] = (_req, res) => res.json('fine');
      router.addRoute('/a', naming('a', { middleware, handler: timing === 'late' ? answering : handler }));
      const { sent } = ask(router, '/a');
      await new Promise(setImmediate);
      expect(sent.map(({ status }) => status)).toEqual([timing === 'late' ? 200 : 500]);
      expect(metricsOf(router, 'a').inFlight).toBe(0);
    }
    expect(warn).toHaveBeenCalledTimes(4);
    warn.mockRestore();
  });

  test('a status that is text is none: the handler has failed, and may try again', () => {
    const router = new OptimizedRouter();
    router.on('error', () => {});
    const handler = jest.fn(() => {
      throw Object.assign(new Error('x'), { status: '404' });
    });
    router.addRoute('/a', naming('a', { retries: 1, handler }));
    expect(ask(router, '/a').sent[0]!.status).toBe(500);
    expect(handler).toHaveBeenCalledTimes(2);
  });
});

describe('a request that cannot be written to', () => {
  // In asynchronous middleware nobody caught what that threw.
  const requests: [string, () => object][] = [
    ['is frozen', () => Object.freeze({ path: '/a/1', method: 'GET' })],
    [
      'has a getter for its parameters',
      () =>
        new (class {
          path = '/a/1';
          method = 'GET';
          get params() {
            return {};
          }
        })(),
    ],
  ];

  test.each(requests)('because it %s is served, with a context', async (_, make) => {
    const router = new OptimizedRouter();
    router.use(async (_req, _res, next) => {
      await null;
      next();
    });
    router.addRoute(
      '/a/:id',
      naming('a', { handler: (_req, res, _next, { params }) => res.json(params.id) }),
    );
    const { res, sent } = bareMock();
    router.handle(make(), res);
    await new Promise(setImmediate);
    expect(sent).toEqual([{ status: 200, body: '1' }]);
  });

  test('because its members throw is an error like any other', async () => {
    for (const name of ['path', 'method', 'params']) {
      const router = new OptimizedRouter();
      router.use(async (_req, _res, next) => {
        await null;
        next();
      });
      router.addRoute('/a', naming('a'));
      const next = jest.fn();
      const get = () => {
        throw boom;
      };
      const req = Object.defineProperty({ path: '/a', method: 'GET' }, name, { get });
      router.handle(req, bareMock().res, next);
      await new Promise(setImmediate);
      expect(next.mock.calls).toEqual([[boom]]);
    }
  });
});

describe('the headers of an error', () => {
  test('of http-errors are sent by a bare server; those of an upstream are not', async () => {
    const router = new OptimizedRouter();
    router.on('error', () => {});
    const headers = { 'Retry-After': '7', 'Content-Length': '1', 'X-Bad': 'a\nb', '': 'x' };
    router.addRoute(
      '/:kind',
      naming('a', {
        handler: (req) => {
          const own = req.params.kind === 'own' ? { expose: false } : {};
          throw Object.assign(new Error('x'), { status: 503, headers }, own);
        },
      }),
    );
    const server = await serve(router.handle);
    const own = await server.ask('GET', '/own');
    const upstream = await server.ask('GET', '/upstream');
    await server.close();
    expect(own).toMatchObject({
      status: 503,
      body: '{"error":"Service unavailable"}',
      headers: { 'retry-after': '7' },
    });
    expect(own.headers['x-bad']).toBeUndefined();
    expect(upstream.headers['retry-after']).toBeUndefined();
  });
});
