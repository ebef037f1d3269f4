// What this service asked of its own router before keelson took its place, and what it had to live without.
import {
  OptimizedRouter,
  type RouteHandler,
  type RouteMatch,
  RouteTrie,
} from '../../src/lib/utilities/routing/router';

const route = (id: string, more: Partial<RouteHandler> = {}): RouteHandler => ({
  id,
  method: 'GET',
  handler: (_req, res) => res.json(id),
  ...more,
});

describe('RouteTrie', () => {
  let trie: RouteTrie;

  beforeEach(() => {
    trie = new RouteTrie();
  });

  const find = (path: string, method = 'GET') => trie.search(path, method)?.handler.id;

  test('finds the handler that was inserted, with the parameters', () => {
    const user = route('user');
    trie.insert('/users/:id', user);
    const match: RouteMatch | null = trie.search('/users/42', 'GET');
    expect(match).toStrictEqual({ handler: user, params: { id: '42' }, wildcard: false });
    expect(match?.handler).toBe(user);
    expect(trie.search('/users', 'GET')).toBeNull();
    expect(trie.search('/users/42/orders', 'GET')).toBeNull();
  });

  test('leading, trailing and doubled slashes do not matter', () => {
    trie.insert('users//:id/orders/', route('orders'));
    trie.insert('', route('root'));
    for (const path of ['/users/1/orders', 'users/1/orders', '/users/1/orders/', '//users///1/orders//']) {
      expect(trie.search(path, 'GET')?.params).toEqual({ id: '1' });
    }
    expect(['', '/', '//'].map((path) => find(path))).toEqual(['root', 'root', 'root']);
  });

  test('static text goes before a parameter, and that before a wildcard', () => {
    for (const path of ['/files/*', '/files/:name', '/files/readme']) trie.insert(path, route(path));
    expect(find('/files/readme')).toBe('/files/readme');
    expect(find('/files/other')).toBe('/files/:name');
    expect(find('/files/a/b')).toBe('/files/*');
  });

  test('a wildcard segment is flagged and adds no parameter', () => {
    const raw = route('raw');
    trie.insert('/repos/:owner/*/raw', raw);
    expect(trie.search('/repos/ada/engine/raw', 'GET')).toStrictEqual({
      handler: raw,
      params: { owner: 'ada' },
      wildcard: true,
    });
    expect(find('/repos/ada/a/b/raw')).toBeUndefined();
  });

  test('the same path and method again replaces', () => {
    trie.insert('/a', route('old'));
    trie.insert('/a/', route('new'));
    expect(find('/a')).toBe('new');
    expect(trie.getAllRoutes()).toHaveLength(1);
  });

  test('lists of methods, and * for any', () => {
    trie.insert('/a', route('write', { method: ['PUT', 'PATCH'] }));
    trie.insert('/b', route('any', { method: '*' }));
    expect(['PUT', 'PATCH', 'GET'].map((method) => find('/a', method))).toEqual([
      'write',
      'write',
      undefined,
    ]);
    expect(['GET', 'DELETE', 'PURGE'].map((method) => find('/b', method))).toEqual(['any', 'any', 'any']);
  });

  test('lists all routes, those of one path too, and forgets them', () => {
    const [get, put] = [route('get'), route('put', { method: 'PUT' })];
    trie.insert('/a/:id', get);
    trie.insert('/a/:id', put);
    expect(trie.getAllRoutes()).toStrictEqual([
      { path: '/a/:id', handler: get },
      { path: '/a/:id', handler: put },
    ]);
    expect(trie.getCacheStats()).toStrictEqual({ size: 0, maxSize: 1000 });
    trie.clear();
    expect(trie.getAllRoutes()).toStrictEqual([]);
    expect(find('/a/1')).toBeUndefined();
  });

  test('a method that nobody registered runs no other one’s handler', () => {
    trie.insert('/accounts/:id', route('delete', { method: 'DELETE' }));
    expect(trie.search('/accounts/1', 'GET')).toBeNull();
    expect(trie.allowedMethods('/accounts/1')).toEqual(['DELETE']);
  });

  test('a later route does not hide the one for any method', () => {
    trie.insert('/a', route('any', { method: '*' }));
    trie.insert('/a', route('post', { method: 'POST' }));
    expect([find('/a', 'POST'), find('/a', 'GET')]).toEqual(['post', 'any']);
  });

  test('dead ends are left again', () => {
    trie.insert('/users/me/settings', route('settings'));
    trie.insert('/users/:id/orders', route('orders'));
    trie.insert('/users/me', route('forget me', { method: 'DELETE' }));
    trie.insert('/users/:id', route('user'));
    trie.insert('/*', route('rest'));
    expect(trie.search('/users/me/orders', 'GET')).toMatchObject({
      handler: { id: 'orders' },
      params: { id: 'me' },
    });
    expect(find('/users/me')).toBe('user');
    expect(find('/users/me/nothing')).toBe('rest');
  });

  test('each route has the names of its own parameters', () => {
    trie.insert('/users/:userId/orders', route('orders'));
    trie.insert('/users/:name', route('user'));
    expect(trie.search('/users/ada', 'GET')?.params).toEqual({ name: 'ada' });
    expect(trie.search('/users/7/orders', 'GET')?.params).toEqual({ userId: '7' });
  });

  test('what looks like a pattern in a request is data', () => {
    trie.insert('/users/:id', route('user'));
    for (const text of [':id', ':other', '*', '.', '..']) {
      expect(trie.search(`/users/${text}`, 'GET')?.params).toEqual({ id: text });
    }
  });

  test.each([false, true])('parameters are the caller’s own, with cache: %p', (cache) => {
    trie = new RouteTrie({ cache });
    trie.insert('/users/:id', route('user'));
    for (let request = 0; request < 5; request++) {
      const { params } = trie.search('/users/1', 'GET')!;
      expect(params).toEqual({ id: '1' });
      params.id = 'poisoned';
    }
  });

  test('a parameter may be called __proto__', () => {
    trie.insert('/a/:__proto__/:constructor', route('odd'));
    const { params } = trie.search('/a/x/y', 'GET')!;
    expect(Object.entries(params)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(Object.getPrototypeOf(params)).toBe(Object.prototype);
    expect(({} as any).x).toBeUndefined();
  });
});

describe('OptimizedRouter', () => {
  let router: OptimizedRouter;
  let sent: { status: number; body: unknown }[];

  beforeEach(() => {
    router = new OptimizedRouter();
    sent = [];
  });

  /** A response with no more than what the service's own tests gave to its router. */
  function response() {
    let status = 200;
    const res = {
      status(code: number) {
        status = code;
        return res;
      },
      json(body: unknown) {
        sent.push({ status, body });
        return res;
      },
    };
    return res;
  }

  const ask = (path: string, method = 'GET', next: (error?: unknown) => void = () => {}) =>
    router.handle({ path, method }, response(), next);

  test('hands the request, the response and next to the handler, and returns nothing', () => {
    const handler = jest.fn((req) => req.params);
    router.addRoute('/shops/:shop/items/:id', route('item', { handler }));
    const [req, res, next] = [
      { path: '/shops/1/items/2', method: 'GET', params: { from: 'host' } as Record<string, string> },
      response(),
      () => {},
    ];
    expect(router.handle(req, res, next)).toBeUndefined();
    expect(handler.mock.calls[0]!.slice(0, 3)).toEqual([req, res, next]);
    expect((handler.mock.calls[0] as unknown[])[0]).toBe(req);
    expect(req.params).toEqual({ from: 'host', shop: '1', id: '2' });
  });

  test('answers 404 in JSON where there is no route', () => {
    router.addRoute('/a', route('a'));
    expect(ask('/b')).toBeUndefined();
    expect(sent).toEqual([{ status: 404, body: { error: 'Route not found' } }]);
  });

  test('answers 405 where there is none for the method', () => {
    router.addRoute('/a', route('a'));
    ask('/a', 'DELETE');
    expect(sent).toEqual([{ status: 405, body: { error: 'Method not allowed' } }]);
  });

  test('runs middleware in order, until one does not go on', () => {
    const order: string[] = [];
    const step = (name: string, goOn: boolean) => (_req: unknown, _res: unknown, next: () => void) => {
      order.push(name);
      if (goOn) next();
    };
    router.addRoute('/open', route('open', { middleware: [step('a', true), step('b', true)] }));
    router.addRoute('/shut', route('shut', { middleware: [step('c', true), step('d', false)] }));
    ask('/open');
    expect([order, sent]).toEqual([['a', 'b'], [{ status: 200, body: 'open' }]]);
    ask('/shut');
    expect([order, sent.length]).toEqual([['a', 'b', 'c', 'd'], 1]);
  });

  test('failed authentication never reaches the handler', () => {
    const refusal = new Error('who are you?');
    const handler = jest.fn();
    const next = jest.fn();
    const guard = (_req: unknown, _res: unknown, go: (error?: unknown) => void) => go(refusal);
    router.addRoute('/secret', route('secret', { handler, middleware: [guard] }));
    ask('/secret', 'GET', next);
    expect(handler).not.toHaveBeenCalled();
    expect(next.mock.calls).toEqual([[refusal]]);
  });

  test('what a handler throws or rejects with goes to next', async () => {
    const failure = new Error('broken');
    router.addRoute(
      '/thrown',
      route('a', {
        handler: () => {
          throw failure;
        },
      }),
    );
    router.addRoute('/rejected', route('b', { handler: () => Promise.reject(failure) }));
    for (const path of ['/thrown', '/rejected']) {
      expect(await new Promise((next) => ask(path, 'GET', next))).toBe(failure);
    }
  });

  test('handlers of one route share its requests by weight', () => {
    router.addRoute('/a', route('heavy', { weight: 3 }));
    router.addRoute('/a', route('light'));
    for (let request = 0; request < 400; request++) ask('/a');
    const count = (id: string) => sent.filter(({ body }) => body === id).length;
    expect([count('heavy'), count('light')]).toEqual([300, 100]);
  });

  test('a timeout is answered, and its handler told', async () => {
    jest.useFakeTimers();
    try {
      let signal: AbortSignal | undefined;
      const handler: RouteHandler['handler'] = (_req, _res, _next, context) => {
        signal = context.signal;
        return new Promise(() => {});
      };
      router.addRoute('/slow', route('slow', { handler, timeout: 100 }));
      ask('/slow');
      await jest.advanceTimersByTimeAsync(99);
      expect([sent.length, signal?.aborted]).toEqual([0, false]);
      await jest.advanceTimersByTimeAsync(1);
      expect([sent[0]?.status, signal?.aborted]).toEqual([504, true]);
    } finally {
      jest.useRealTimers();
    }
  });

  test('retries as often as told, what may be repeated', async () => {
    const handler = jest.fn(async () => {
      throw new Error('broken');
    });
    router.addRoute('/a', route('a', { handler, retries: 2, method: ['GET', 'POST'] }));
    await new Promise((next) => ask('/a', 'GET', next));
    expect(handler).toHaveBeenCalledTimes(3);
    await new Promise((next) => ask('/a', 'POST', next));
    expect(handler).toHaveBeenCalledTimes(4);
  });

  test('stats', () => {
    router.addRoute('/a', route('one'));
    router.addRoute('/a', route('two'));
    router.addRoute('/b', route('three'));
    expect(router.getStats()).toStrictEqual({ routes: 3, cacheSize: 0, loadBalancers: 2 });
  });
});
