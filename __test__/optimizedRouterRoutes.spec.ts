import { InvalidArgumentError, OptimizedRouter, type RouteHandler } from 'keelson';
import { ask, metricsOf, naming } from './support/router';

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
