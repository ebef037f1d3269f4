import diagnosticsChannel from 'node:diagnostics_channel';
import { InvalidArgumentError, OptimizedRouter, type RouteHandler } from 'keelson';
import { ask, bareMock, metricsOf, naming } from './support/router';

describe('what the original did', () => {
  test('the handler gets the same request, response and next, and the parameters', () => {
    const router = new OptimizedRouter();
    const got: unknown[] = [];
    router.addRoute('/users/:id', naming('user', { handler: (...args) => got.push(...args) }));
    const req: any = { path: '/users/7', method: 'GET' };
    const { res } = bareMock();
    const next = () => {};
    expect(router.handle(req, res, next)).toBeUndefined();
    expect(got[0]).toBe(req);
    expect(got[1]).toBe(res);
    expect(got[2]).toBe(next);
    expect(req.params).toStrictEqual({ id: '7' });
  });

  test('no route is 404 with JSON, next or not', () => {
    const router = new OptimizedRouter();
    const next = jest.fn();
    const { res, sent } = bareMock();
    router.handle({ path: '/nowhere', method: 'GET' }, res, next);
    expect(sent).toEqual([{ status: 404, body: { error: 'Route not found' } }]);
    expect(next).not.toHaveBeenCalled();
    expect(ask(router, '/').sent).toEqual(sent);
  });

  test('a status() that returns nothing is enough', () => {
    const res = { status: jest.fn(), json: jest.fn() };
    new OptimizedRouter().handle({ path: '/x', method: 'GET' }, res);
    expect(res.status).toHaveBeenCalledWith(404);
    expect(res.json).toHaveBeenCalledWith({ error: 'Route not found' });
  });

  test('getStats has exactly its three keys', () => {
    const router = new OptimizedRouter();
    expect(router.getStats()).toStrictEqual({ routes: 0, cacheSize: 0, loadBalancers: 0 });
    router.addRoute('/a', naming('1'));
    router.addRoute('/a', naming('2'));
    router.addRoute('/a', naming('3', { method: ['POST', 'PUT'] }));
    router.addRoute('/b/:id', naming('4'));
    expect(router.getStats()).toStrictEqual({ routes: 4, cacheSize: 0, loadBalancers: 4 });
  });

  test('parameters are merged into those that are there, in an object of their own', () => {
    const router = new OptimizedRouter();
    router.addRoute('/:b', naming('x'));
    const params = Object.freeze({ a: '1', b: 'old' });
    const { req } = ask(router, '/new', 'GET', { params });
    expect(req.params).toStrictEqual({ a: '1', b: 'new' });
    expect(params.b).toBe('old');
  });

  test('a parameter named __proto__ is a harmless own property', () => {
    const router = new OptimizedRouter();
    router.addRoute('/:__proto__', naming('x'));
    for (const extra of [{}, { params: { a: '1' } }]) {
      const { req } = ask(router, '/evil', 'GET', extra);
      expect(Object.getPrototypeOf(req.params)).toBe(Object.prototype);
      expect(Object.entries(req.params)).toContainEqual(['__proto__', 'evil']);
    }
    expect(({} as any).evil).toBeUndefined();
  });
});

describe('the path of a request', () => {
  const router = new OptimizedRouter();
  router.addRoute('/a/:x', { id: 'a', method: 'GET', handler: (req, res) => res.json(req.params.x) });
  router.addRoute('/', naming('root'));

  test.each([
    [{ path: '/a/1', url: '/a/2' }, '1'],
    [{ url: '/a/2' }, '2'],
    [{ url: '/a/2?x=/a/3' }, '2'],
    [{ path: 5, url: '/a/2' }, '2'],
    [{ url: 'http://example.com/a/2?x=1' }, '2'],
    [{ url: 'HTTPS://example.com:1/a/2' }, '2'],
    [{ url: 'http://example.com' }, 'root'],
    [{ url: 'http://example.com?x' }, 'root'],
    [{ url: '//a//2' }, '2'],
    [{}, 'root'],
    [{ url: '' }, 'root'],
  ])('of %j is found', (req, answer) => {
    const { res, sent } = bareMock();
    router.handle({ method: 'GET', ...req }, res);
    expect(sent).toEqual([{ status: 200, body: answer }]);
  });
});

describe('methods', () => {
  test('another method is 405 with those that there are', () => {
    const router = new OptimizedRouter();
    router.addRoute('/a/:x', naming('1', { method: ['get', 'PUT'] }));
    router.addRoute('/a/b', naming('2', { method: 'POST' }));
    const headers: Record<string, string> = {};
    const { sent } = ask(router, '/a/c', 'DELETE');
    expect(sent).toEqual([{ status: 405, body: { error: 'Method not allowed' } }]);
    const { res } = bareMock();
    router.handle(
      { path: '/a/b', method: 'DELETE' },
      { ...res, setHeader: (name: string, value: string) => (headers[name] = value) },
    );
    expect(headers).toEqual({ Allow: 'GET, POST, PUT' });
  });

  test.each(['__proto__', 'constructor', 'toString', '*', '', 'G ET', 'get\n', 'hasOwnProperty', '💥'])(
    'the method %j runs no handler of another',
    (method) => {
      const handler = jest.fn();
      const router = new OptimizedRouter();
      router.addRoute('/a', { id: 'a', method: 'GET', handler });
      expect(ask(router, '/a', method).sent).toEqual([
        { status: 405, body: { error: 'Method not allowed' } },
      ]);
      expect(handler).not.toHaveBeenCalled();
    },
  );

  test('a request without a method is served by a route for any', () => {
    const router = new OptimizedRouter();
    router.addRoute('/a', naming('any', { method: '*' }));
    const { res, sent } = bareMock();
    router.handle({ path: '/a' }, res);
    expect(sent[0]!.body).toBe('any');
  });

  test('HEAD and OPTIONS are only served by themselves unless told', () => {
    const router = new OptimizedRouter();
    router.addRoute('/a', naming('get'));
    expect(ask(router, '/a', 'HEAD').sent[0]!.status).toBe(405);
    expect(ask(router, '/a', 'OPTIONS').sent[0]!.status).toBe(405);
  });

  test('with autoHead, HEAD is served by its own route, then by GET, then by any', () => {
    const router = new OptimizedRouter({ autoHead: true });
    router.addRoute('/*', naming('rest', { method: '*' }));
    router.addRoute('/a', naming('get'));
    router.addRoute('/b', naming('b'));
    router.addRoute('/b', naming('head', { method: 'HEAD' }));
    expect(ask(router, '/a', 'HEAD').sent[0]!.body).toBe('get');
    expect(ask(router, '/a', 'head').sent[0]!.body).toBe('get');
    expect(ask(router, '/b', 'HEAD').sent[0]!.body).toBe('head');
    expect(ask(router, '/c', 'HEAD').sent[0]!.body).toBe('rest');
  });

  test('with autoOptions, OPTIONS is answered with the methods unless a route serves it', () => {
    const router = new OptimizedRouter({ autoOptions: true, autoHead: true });
    router.addRoute('/a', naming('a', { method: ['GET', 'POST'] }));
    router.addRoute('/b', naming('b', { method: 'OPTIONS' }));
    const res = { setHeader: jest.fn(), end: jest.fn(), statusCode: 200 };
    router.handle({ path: '/a', method: 'OPTIONS' }, res);
    expect(res.setHeader).toHaveBeenCalledWith('Allow', 'GET, HEAD, OPTIONS, POST');
    expect(res.statusCode).toBe(204);
    expect(res.end).toHaveBeenCalledWith();
    expect(ask(router, '/b', 'OPTIONS').sent[0]!.body).toBe('b');
    expect(ask(router, '/c', 'OPTIONS').sent[0]!.status).toBe(404);
    expect(router.metrics().totals).toMatchObject({ automaticOptions: 1, notFound: 1 });
  });
});

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
  });
});

describe('options', () => {
  test.each<[object, string]>([
    [{ unknown: 1 }, 'unknown'],
    [{ strict: true }, 'strict'],
    [{ autoHead: 1 }, 'autoHead'],
    [{ autoOptions: null }, 'autoOptions'],
    [{ caseSensitive: 'no' }, 'caseSensitive'],
    [{ cache: { maxSize: 0 } }, 'maxSize'],
    [{ onError: {} }, 'onError'],
    [{ onNotFound: 'x' }, 'onNotFound'],
    [{ onMethodNotAllowed: null }, 'onMethodNotAllowed'],
    [{ balancer: 'fastest' }, 'balancer'],
    [{ balancer: null }, 'balancer'],
    [{ balancer: 'consistent-hash' }, 'hashKey'],
    [{ hashKey: 'ip' }, 'hashKey'],
    [{ hashSeed: -1 }, 'hashSeed'],
    [{ slowStart: -1 }, 'slowStart'],
    [{ slowStart: Number.NaN }, 'slowStart'],
    [{ outlier: true }, 'outlier'],
    [{ outlier: { failure: 3 } }, 'failure'],
    [{ outlier: { failures: 0 } }, 'failures'],
    [{ outlier: { ejectFor: 0 } }, 'ejectFor'],
    [{ outlier: { maxEjectedPercent: 101 } }, 'maxEjectedPercent'],
    [{ retryNonIdempotent: 'yes' }, 'retryNonIdempotent'],
    [{ random: 4 }, 'random'],
    [{ clock: Date }, ''],
  ])('%j is refused by name', (options, name) => {
    if (name === '') return expect(() => new OptimizedRouter(options)).not.toThrow();
    expect(() => new OptimizedRouter(options)).toThrow(InvalidArgumentError);
    expect(() => new OptimizedRouter(options)).toThrow(name);
  });

  test('those of the trie reach it', () => {
    const router = new OptimizedRouter({
      caseSensitive: false,
      ignoreTrailingSlash: false,
      semicolonDelimiter: true,
    });
    router.addRoute('/Abc', naming('abc'));
    expect(ask(router, '/aBC').sent[0]!.body).toBe('abc');
    expect(ask(router, '/abc;v=1').sent[0]!.body).toBe('abc');
    expect(ask(router, '/abc/').sent[0]!.status).toBe(404);
    const cached = new OptimizedRouter({ cache: { maxSize: 10 } });
    cached.addRoute('/:a', naming('a'));
    for (let n = 0; n < 3; n++) expect(ask(cached, '/x').sent[0]!.body).toBe('a');
    expect(cached.getStats().cacheSize).toBe(1);
  });
});

describe('addRoute', () => {
  const good: RouteHandler = naming('good');

  test.each<[string, unknown, unknown]>([
    ['a path', 5, good],
    ['a well-formed path', '/:a/:a', good],
    ['an object', '/a', null],
    ['an id', '/a', { ...good, id: 5 }],
    ['a handler', '/a', { ...good, handler: 'x' }],
    ['a method', '/a', { ...good, method: '' }],
    ['some method', '/a', { ...good, method: [] }],
    ['only methods', '/a', { ...good, method: ['GET', 'P UT'] }],
    ['only strings as methods', '/a', { ...good, method: ['GET', 5n] }],
    ['middleware that can be called', '/a', { ...good, middleware: [() => {}, 5] }],
    [
      'middleware that is no error handler',
      '/a',
      { ...good, middleware: [(_e: 1, _q: 2, _s: 3, _n: 4) => {}] },
    ],
    ['a weight from 0', '/a', { ...good, weight: -1 }],
    ['a finite weight', '/a', { ...good, weight: Number.POSITIVE_INFINITY }],
    ['a timeout from 0', '/a', { ...good, timeout: -1 }],
    ['a timeout that fits', '/a', { ...good, timeout: 2 ** 31 }],
    ['whole retries', '/a', { ...good, retries: 1.5 }],
    ['constraints of known names', '/a', { ...good, constraints: { hosts: 'a' } }],
    ['a version that is one', '/a', { ...good, constraints: { version: '1' } }],
  ])('wants %s, and otherwise adds nothing', (_, path, handler) => {
    const router = new OptimizedRouter();
    expect(() => router.addRoute(path as string, handler as RouteHandler)).toThrow(InvalidArgumentError);
    expect(router.getStats()).toStrictEqual({ routes: 0, cacheSize: 0, loadBalancers: 0 });
    expect(ask(router, '/a').sent[0]!.status).toBe(404);
  });

  test('members that nobody knows are ignored, with one warning a name', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const router = new OptimizedRouter();
    for (const path of ['/a', '/b'])
      router.addRoute(path, { ...naming('a'), prority: 1, cors: true } as RouteHandler);
    const warnings = warn.mock.calls.map(([message]) => message);
    warn.mockRestore();
    expect(warnings).toEqual([expect.stringContaining('"prority"'), expect.stringContaining('"cors"')]);
    expect(ask(router, '/a').sent[0]!.body).toBe('a');
  });

  test('ids may be anything that is a string', () => {
    const router = new OptimizedRouter();
    for (const id of ['__proto__', 'constructor', '', '\0', '💥', 'a'.repeat(10_000)]) {
      router.addRoute('/hostile', naming(id));
      expect(router.setWeight('/hostile', id, 2)).toBe(true);
      expect(metricsOf(router, id)).toMatchObject({ id, weight: 2 });
    }
    expect(router.removeRoute('/hostile', 'toString')).toBe(false);
    expect(router.removeRoute('/hostile', '__proto__')).toBe(true);
    expect(router.getStats().routes).toBe(5);
  });

  test('the handler is called as a member of its route, as it is now', () => {
    const router = new OptimizedRouter();
    const route = naming('x');
    router.addRoute('/a', route);
    const replaced = jest.fn(function (this: unknown, _req: any, res: any) {
      res.json(this === route);
    });
    route.handler = replaced;
    expect(ask(router, '/a').sent[0]!.body).toBe(true);
  });

  test('routes with constraints are told host and version, others cost nothing', () => {
    const router = new OptimizedRouter();
    router.addRoute('/a', naming('plain'));
    const headers = {
      get host(): string {
        throw new Error('not asked for');
      },
    };
    expect(ask(router, '/a', 'GET', { headers }).sent[0]!.body).toBe('plain');
    router.addRoute('/a', naming('host', { constraints: { host: 'api.example.com' } }));
    router.addRoute('/a', naming('v1', { constraints: { version: '1.2.0' } }));
    const found = (asked: object) => ask(router, '/a', 'GET', { headers: asked }).sent[0]!.body;
    expect(found({ host: 'API.example.com:80' })).toBe('host');
    expect(found({ 'accept-version': '1.x' })).toBe('v1');
    expect(found({ ':authority': 'api.example.com' })).toBe('host');
    expect(found({})).toBe('plain');
    expect(ask(router, '/a').sent[0]!.body).toBe('plain');
    expect(router.getStats()).toMatchObject({ routes: 3, loadBalancers: 3 });
    router.removeRoute('/a', 'plain');
    expect(found({ host: 'api.example.com' })).toBe('host');
    expect(ask(router, '/a').sent[0]!.status).toBe(404);
  });
});

// What a configuration file leaves empty is null.
test('a member of a route that is null is none', () => {
  const router = new OptimizedRouter();
  const none = { middleware: null, weight: null, timeout: null, retries: null, constraints: null };
  router.addRoute('/a', { ...naming('a'), ...none } as unknown as RouteHandler);
  expect(ask(router, '/a').sent[0]!.body).toBe('a');
  expect(metricsOf(router, 'a').weight).toBe(1);
  expect(router.removeRoute('/a')).toBe(true);
});

describe('routes at run time', () => {
  // The table was left with a place that nobody could take out, and each request to it threw.
  test('constraints are those that were given, whatever becomes of their object', () => {
    const router = new OptimizedRouter();
    const constraints: { host?: string } = { host: 'a.com' };
    router.addRoute('/x', naming('x', { constraints }));
    router.addRoute('/y', naming('y', { constraints: { host: 'a.com' } }));
    constraints.host = 'b.com';
    const headers = { host: 'a.com' };
    expect(ask(router, '/x', 'GET', { headers }).sent[0]!.body).toBe('x');
    expect(router.removeRoute('/x')).toBe(true);
    expect(ask(router, '/x', 'GET', { headers }).sent[0]!.status).toBe(404);
    expect(ask(router, '/y', 'GET', { headers }).sent[0]!.body).toBe('y');
  });

  test('handlers of one place each get the parameters by their own names', () => {
    const router = new OptimizedRouter();
    router.addRoute('/u/:id', naming('1', { handler: (req, res) => res.json(req.params) }));
    router.addRoute(
      '/u/:user/',
      naming('2', {
        handler: (req, res, _next, { params }) => {
          expect(params).toEqual({ user: req.params.user });
          res.json(req.params);
        },
      }),
    );
    expect(router.getStats()).toMatchObject({ routes: 2, loadBalancers: 1 });
    expect([1, 2].map(() => ask(router, '/u/%C3%A9').sent[0]!.body)).toEqual([{ id: 'é' }, { user: 'é' }]);
  });

  test('a pattern with optional parameters shares each of its places', () => {
    const router = new OptimizedRouter();
    router.addRoute('/a/:b?', naming('optional'));
    router.addRoute('/a', naming('short'));
    const answers = (path: string) => [1, 2, 3, 4].map(() => ask(router, path).sent[0]!.body);
    expect(answers('/a')).toEqual(['optional', 'short', 'optional', 'short']);
    expect(answers('/a/1')).toEqual(['optional', 'optional', 'optional', 'optional']);
    expect(router.removeRoute('/a/:b?')).toBe(true);
    expect(answers('/a')[0]).toBe('short');
    expect(ask(router, '/a/1').sent[0]!.status).toBe(404);
    router.addRoute('/:y?/:m?', naming('date'));
    expect(ask(router, '/2026').sent[0]!.body).toBe('date');
    expect(router.removeRoute('/:y?/:m?')).toBe(true);
    expect(router.getStats()).toMatchObject({ routes: 1, loadBalancers: 1 });
  });

  test('removeRoute takes out all handlers of a path, or those of an id', () => {
    const router = new OptimizedRouter();
    router.addRoute('/a', naming('1', { method: ['GET', 'POST'] }));
    router.addRoute('/a', naming('2'));
    router.addRoute('/b', naming('1'));
    expect(router.removeRoute('a/', '1')).toBe(true);
    expect(ask(router, '/a').sent[0]!.body).toBe('2');
    expect(ask(router, '/a', 'POST').sent[0]!.status).toBe(405);
    expect(router.removeRoute('/a', '1')).toBe(false);
    expect(router.removeRoute('/a')).toBe(true);
    expect(router.removeRoute('/a')).toBe(false);
    expect(ask(router, '/a').sent[0]!.status).toBe(404);
    expect(router.getAllRoutes().map(({ path }) => path)).toEqual(['/b']);
    expect(router.getStats()).toStrictEqual({ routes: 1, cacheSize: 0, loadBalancers: 1 });
  });

  test('a route that is removed while it serves ends what it has begun', async () => {
    const router = new OptimizedRouter();
    let finish!: () => void;
    router.addRoute(
      '/a',
      naming('a', {
        handler: (_req, res) =>
          new Promise<void>((resolve) => {
            finish = () => {
              res.json('late');
              resolve();
            };
          }),
      }),
    );
    const { sent } = ask(router, '/a');
    router.removeRoute('/a');
    finish();
    await Promise.resolve();
    expect(sent).toEqual([{ status: 200, body: 'late' }]);
  });

  test('setWeight wants a weight', () => {
    const router = new OptimizedRouter();
    router.addRoute('/a', naming('a'));
    expect(() => router.setWeight('/a', 'a', -1)).toThrow(InvalidArgumentError);
    expect(router.setWeight('/b', 'a', 1)).toBe(false);
    expect(router.setWeight('/a', 'b', 1)).toBe(false);
    expect(router.setWeight('/a', 'a', 0)).toBe(true);
    // It is the only one left.
    expect(ask(router, '/a').sent[0]!.body).toBe('a');
  });

  test('all routes can be listed, drawn and described', () => {
    const router = new OptimizedRouter();
    const route = naming('user.get');
    router.addRoute('/users/:id', route);
    router.addRoute('/users/:id', naming('user.get2'));
    expect(router.getAllRoutes()).toEqual([
      { path: '/users/:id', handler: route },
      { path: '/users/:id', handler: expect.objectContaining({ id: 'user.get2' }) },
    ]);
    expect(router.getAllRoutes()[0]!.handler).toBe(route);
    expect(router.prettyPrint()).toContain('user.get');
    const { paths } = router.toOpenAPI({ info: { title: 'x', version: '1' } });
    expect(paths['/users/{id}']!.get!.operationId).toBe('user.get');
    router.removeRoute('/users/:id', 'user.get');
    expect(router.prettyPrint()).toContain('user.get2');
  });
});

describe('the context', () => {
  test('has the parameters, the route, the rest of a wildcard and the attempt', () => {
    const router = new OptimizedRouter();
    const seen: any[] = [];
    const route = naming('f', { handler: (_req, _res, _next, context) => seen.push(context) });
    router.addRoute('/:a/f/*', route);
    const { req } = ask(router, '/x/f/b%20c/d');
    expect(seen[0].params).toBe(req.params);
    expect(seen[0].route).toBe(route);
    expect(seen[0].rest).toBe('b%20c/d');
    expect(seen[0].attempt).toBe(1);
    const { signal } = seen[0];
    expect(signal).toBeInstanceOf(AbortSignal);
    expect(seen[0].signal).toBe(signal);
    expect(signal.aborted).toBe(false);
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
  const boom = new Error('secret');
  const ways: [string, RouteHandler['handler']][] = [
    [
      'throws',
      () => {
        throw boom;
      },
    ],
    [
      'rejects',
      async () => {
        throw boom;
      },
    ],
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
