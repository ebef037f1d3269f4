import { InvalidArgumentError, OptimizedRouter } from 'keelson';
import { ask, bareMock, naming } from './support/router';

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

  // Mocks of which status() returns an object that answers.
  test('a status() that returns what has json() is enough', () => {
    const json = jest.fn();
    const res = { status: jest.fn(() => ({ json })) };
    new OptimizedRouter().handle({ path: '/x', method: 'GET' }, res, jest.fn());
    expect(res.status).toHaveBeenCalledWith(404);
    expect(json).toHaveBeenCalledWith({ error: 'Route not found' });
  });

  test.each([{}, { redirect() {} }, { headersSent: false, setHeader() {} }])(
    'a response that can answer nothing, such as %j, is no reason to throw',
    (res) => {
      const router = new OptimizedRouter({ autoOptions: true });
      router.addRoute('/a', naming('a', { handler: () => {} }));
      for (const [path, method] of [
        ['/x', 'GET'],
        ['/a', 'GET'],
        ['/a', 'PUT'],
        ['/a', 'OPTIONS'],
      ]) {
        expect(() => router.handle({ path, method }, res)).not.toThrow();
      }
    },
  );

  test('handle can be passed on, overridden and spied on', () => {
    class Counting extends OptimizedRouter {
      count = 0;
      override handle(req: any, res: any, next?: any): void {
        this.count++;
        super.handle(req, res, next);
      }
    }
    const router = new Counting();
    router.addRoute('/a', naming('a'));
    const { handle } = router;
    const { res, sent } = bareMock();
    handle({ path: '/a', method: 'GET' }, res);
    expect(sent).toEqual([{ status: 200, body: 'a' }]);
    expect(router.count).toBe(1);
    const spy = jest.spyOn(OptimizedRouter.prototype, 'handle').mockImplementation(() => {});
    new OptimizedRouter().handle({}, {});
    expect(spy).toHaveBeenCalledTimes(1);
    spy.mockRestore();
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
