import { AsyncLocalStorage } from 'node:async_hooks';
import * as fc from 'fast-check';
import { InvalidArgumentError, type Middleware, OptimizedRouter } from 'keelson';
import { ask, bareMock, boom, metricsOf, naming } from './support/router';

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Middleware that notes its name and goes on. */
function noting(log: string[], name: string): Middleware {
  return (_req, _res, next) => {
    log.push(name);
    next();
  };
}

/** A response as node:http has it, as far as a chain looks at it. */
function tellingMock() {
  const { res, sent } = bareMock();
  const telling = {
    ...res,
    headersSent: false,
    json: (body: unknown) => {
      telling.headersSent = true;
      return res.json(body);
    },
  };
  return { res: telling, sent };
}

test('runs in order, the router before the route, and the handler last', () => {
  const log: string[] = [];
  const router = new OptimizedRouter();
  router.use(noting(log, 'use 1'));
  router.addRoute(
    '/a',
    naming('a', {
      middleware: [noting(log, 'route 1'), noting(log, 'route 2')],
      handler: (_req, res) => {
        log.push('handler');
        res.json('a');
      },
    }),
  );
  router.use([noting(log, 'use 2'), noting(log, 'use 3')]);
  expect(ask(router, '/a').sent).toHaveLength(1);
  expect(log).toEqual(['use 1', 'use 2', 'use 3', 'route 1', 'route 2', 'handler']);
});

test('of the router it runs for requests without a route too, and may rewrite the path', () => {
  const router = new OptimizedRouter();
  const paths: string[] = [];
  router.use((req, _res, next) => {
    paths.push(req.path);
    if (req.path === '/old') req.path = '/new';
    next();
  });
  router.addRoute('/new', naming('new'));
  expect(ask(router, '/old').sent[0]!.body).toBe('new');
  expect(ask(router, '/none').sent[0]!.status).toBe(404);
  expect(ask(router, '/new', 'POST').sent[0]!.status).toBe(405);
  expect(paths).toEqual(['/old', '/none', '/new']);
});

test('that does not call next stops', async () => {
  const handler = jest.fn();
  const router = new OptimizedRouter();
  router.addRoute('/a', naming('a', { handler, middleware: [() => 'nothing'] }));
  router.addRoute('/b', naming('b', { handler, middleware: [async () => true] }));
  expect(ask(router, '/a').sent).toEqual([]);
  expect(ask(router, '/b').sent).toEqual([]);
  await settled();
  expect(handler).not.toHaveBeenCalled();
});

/** The hole of the original: after a failed authentication the handler ran all the same. */
describe('an error never reaches the handler', () => {
  const failures: [string, Middleware][] = [
    ['next(error)', (_req, _res, next) => next(boom)],
    [
      'a throw',
      () => {
        throw boom;
      },
    ],
    [
      'a rejection',
      async () => {
        throw boom;
      },
    ],
    [
      'a late next(error)',
      (_req, _res, next) => {
        setImmediate(next, boom);
      },
    ],
    [
      'next(error) and then next()',
      (_req, _res, next) => {
        next(boom);
        next();
      },
    ],
    [
      'next(error), then a throw',
      (_req, _res, next) => {
        next(boom);
        throw boom;
      },
    ],
  ];

  test.each(failures)('%s, of the router', async (_, middleware) => {
    const handler = jest.fn();
    const router = new OptimizedRouter();
    router.on('error', () => {});
    router.use(middleware);
    router.addRoute('/a', naming('a', { handler }));
    const next = jest.fn();
    router.handle({ path: '/a', method: 'GET' }, bareMock().res, next);
    await settled();
    expect(next.mock.calls).toEqual([[boom]]);
    expect(handler).not.toHaveBeenCalled();
  });

  test.each(failures)('%s, of the route', async (_, middleware) => {
    const handler = jest.fn();
    const after = jest.fn((_req: any, _res: any, next: any) => next());
    const router = new OptimizedRouter();
    router.on('error', () => {});
    router.addRoute('/a', naming('a', { handler, middleware: [middleware, after], retries: 3 }));
    const next = jest.fn();
    router.handle({ path: '/a', method: 'GET' }, bareMock().res, next);
    await settled();
    expect(next.mock.calls).toEqual([[boom]]);
    expect(handler).not.toHaveBeenCalled();
    expect(after).not.toHaveBeenCalled();
    expect(metricsOf(router, 'a')).toMatchObject({
      requests: 1,
      inFlight: 0,
      retries: 0,
      errors: { middleware: 1 },
    });
  });
});

test('next called twice is called once', () => {
  const handler = jest.fn();
  const reported = jest.fn();
  const router = new OptimizedRouter();
  router.on('error', reported);
  router.use((_req, _res, next) => {
    next();
    next();
    next(boom);
  });
  router.addRoute(
    '/a',
    naming('a', {
      handler,
      middleware: [
        (_req, _res, next) => {
          next();
          next();
        },
      ],
    }),
  );
  const next = jest.fn();
  router.handle({ path: '/a', method: 'GET' }, bareMock().res, next);
  expect(handler).toHaveBeenCalledTimes(1);
  expect(next).not.toHaveBeenCalled();
  expect(reported.mock.calls).toEqual([[boom]]);
});

test('asynchronous middleware goes on when it calls next', async () => {
  const router = new OptimizedRouter();
  router.use(async (req, _res, next) => {
    await settled();
    req.user = 'u';
    next();
  });
  router.addRoute('/a', naming('a', { handler: (req, res) => res.json(req.user) }));
  const { sent } = ask(router, '/a');
  await settled();
  await settled();
  expect(sent[0]!.body).toBe('u');
});

test('one that fails after it went on changes no answer, and is reported', async () => {
  const router = new OptimizedRouter();
  const reported: unknown[] = [];
  router.on('error', (error) => reported.push(error));
  router.use((_req, _res, next) => {
    next();
    throw boom;
  });
  router.use(async (_req, _res, next) => {
    next();
    throw boom;
  });
  router.addRoute('/a', naming('a'));
  const { sent } = ask(router, '/a');
  await settled();
  expect(sent).toEqual([{ status: 200, body: 'a' }]);
  expect(reported).toEqual([boom, boom]);
});

test('what runs after next() runs inside of the same context', () => {
  const storage = new AsyncLocalStorage<string>();
  const router = new OptimizedRouter();
  router.use((_req, _res, next) => storage.run('store', next));
  router.addRoute('/a', naming('a', { handler: (_req, res) => res.json(storage.getStore()) }));
  expect(ask(router, '/a').sent[0]!.body).toBe('store');
});

test('a response that was begun stops the chain', () => {
  const handler = jest.fn();
  const router = new OptimizedRouter();
  router.use((req, res, next) => {
    if (req.path === '/a') res.json('answered');
    next();
  });
  router.addRoute('/a', naming('a', { handler }));
  router.addRoute(
    '/b',
    naming('b', {
      handler,
      middleware: [
        (_req, res, next) => {
          res.json('b');
          next();
        },
      ],
    }),
  );
  for (const path of ['/a', '/b', '/none']) {
    const { res, sent } = tellingMock();
    router.handle({ path, method: 'GET' }, res);
    expect(sent).toHaveLength(1);
  }
  expect(handler).not.toHaveBeenCalled();
});

describe("next('route') and next('router')", () => {
  const leaving = (to: string) => {
    const handler = jest.fn();
    const router = new OptimizedRouter();
    router.addRoute('/a', naming('a', { handler, middleware: [(_req, _res, next) => next(to)] }));
    return { router, handler };
  };

  test.each(['route', 'router'])('in a route, %p leaves the router and never runs the handler', (to) => {
    const { router, handler } = leaving(to);
    const next = jest.fn();
    router.handle({ path: '/a', method: 'GET' }, bareMock().res, next);
    expect(next.mock.calls).toEqual([[]]);
    expect(ask(router, '/a').sent).toEqual([{ status: 404, body: { error: 'Route not found' } }]);
    expect(handler).not.toHaveBeenCalled();
    expect(metricsOf(router, 'a').errors.middleware).toBe(0);
  });

  test("in the router, 'router' leaves it and 'route' is a plain next", () => {
    const router = new OptimizedRouter();
    router.use((req, _res, next) => next(req.to));
    router.addRoute('/a', naming('a'));
    expect(ask(router, '/a', 'GET', { to: 'route' }).sent[0]!.body).toBe('a');
    expect(ask(router, '/a', 'GET', { to: 'router' }).sent[0]!.status).toBe(404);
  });
});

// The second one was dropped without a word, and it may have been the one that asks who you are.
test('use() takes several, functions and lists', () => {
  const log: string[] = [];
  const router = new OptimizedRouter();
  router.use(noting(log, '1'), [noting(log, '2'), noting(log, '3')], noting(log, '4'));
  router.addRoute('/a', naming('a'));
  expect(ask(router, '/a').sent).toHaveLength(1);
  expect(log).toEqual(['1', '2', '3', '4']);
});

// The stack overflowed, in a place where nobody could answer any more.
test('any number of them, synchronous, in the context that they make', async () => {
  const storage = new AsyncLocalStorage<number>();
  const router = new OptimizedRouter();
  let error: unknown;
  for (let n = 0; n < 5000; n++) {
    router.use((_req, _res, next) => (n % 700 === 0 ? storage.run(n, next) : next()));
  }
  router.use((_req, _res, next) => next(error));
  router.addRoute('/a', naming('a', { handler: (_req, res) => res.json(storage.getStore()) }));
  const fine = ask(router, '/a');
  await settled();
  expect(fine.sent).toEqual([{ status: 200, body: 4900 }]);
  error = Object.assign(new Error('no'), { status: 403 });
  const refused = ask(router, '/a');
  await settled();
  expect(refused.sent[0]!.status).toBe(403);
});

test('use() wants functions, and no error handlers', () => {
  const router = new OptimizedRouter();
  expect(() => (router.use as () => void)()).toThrow(InvalidArgumentError);
  expect(() => router.use(() => {}, null as any)).toThrow('middleware[1]');
  for (const wrong of [undefined, null, 'x', [() => {}, 5], {}]) {
    expect(() => router.use(wrong as any)).toThrow(InvalidArgumentError);
  }
  expect(() => router.use(((_error: any, _req: any, _res: any, _next: any) => {}) as any)).toThrow('onError');
  router.addRoute('/a', naming('a'));
  expect(ask(router, '/a').sent[0]!.body).toBe('a');
});

test('any chain behaves as its model says', async () => {
  type Kind = 'next' | 'async next' | 'fail' | 'throw' | 'reject' | 'stop' | 'twice';
  const kinds: Kind[] = ['next', 'next', 'async next', 'fail', 'throw', 'reject', 'stop', 'twice'];
  const make =
    (kind: Kind, log: number[], at: number): Middleware =>
    (_req, _res, next) => {
      log.push(at);
      if (kind === 'next') next();
      if (kind === 'async next') return settled().then(() => next());
      if (kind === 'fail') next(boom);
      if (kind === 'throw') throw boom;
      if (kind === 'reject') return Promise.reject(boom);
      if (kind === 'twice') {
        next();
        next(boom);
      }
      return undefined;
    };
  const chains = fc.tuple(
    fc.array(fc.constantFrom(...kinds), { maxLength: 5 }),
    fc.array(fc.constantFrom(...kinds), { maxLength: 5 }),
  );
  await fc.assert(
    fc.asyncProperty(chains, async ([ofRouter, ofRoute]) => {
      const all = [...ofRouter, ...ofRoute];
      const log: number[] = [];
      const router = new OptimizedRouter();
      router.on('error', () => {});
      router.use(ofRouter.map((kind, at) => make(kind, log, at)));
      router.addRoute(
        '/',
        naming('/', { middleware: ofRoute.map((kind, at) => make(kind, log, ofRouter.length + at)) }),
      );
      const { res, sent } = bareMock();
      const next = jest.fn();
      router.handle({ path: '/', method: 'GET' }, res, next);
      for (let n = 0; n <= all.length; n++) await settled();
      const end = all.findIndex((kind) => !['next', 'async next', 'twice'].includes(kind));
      expect(log).toEqual(all.slice(0, end < 0 ? all.length : end + 1).map((_, at) => at));
      expect(sent.length).toBe(end < 0 ? 1 : 0);
      expect(next.mock.calls).toEqual(end >= 0 && all[end] !== 'stop' ? [[boom]] : []);
    }),
    { numRuns: 100 },
  );
});
