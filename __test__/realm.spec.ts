// Jest runs each spec in a realm of its own, in which the addon's own `Error` and `Object` are strangers.
import * as keelson from 'keelson';
import {
  BoundedLRUCache,
  CircularBuffer,
  ConnectionPool,
  KeelsonError,
  OptimizedRouter,
  type RouteHandler,
  RouteTrie,
  TimerManager,
} from 'keelson';
import useEverything from './support/everything.js';

test('errors are of the realm that called', () => {
  const refused = () => new BoundedLRUCache(0);
  expect(refused).toThrow(Error);
  expect(refused).toThrow(KeelsonError);
  expect(refused).toThrow(keelson.InvalidArgumentError);
  expect(refused).toThrow(expect.objectContaining({ code: 'ERR_KEELSON_INVALID_ARGUMENT' }));
});

test('use after destroy gives an error of this realm', () => {
  const manager = new TimerManager();
  manager.destroy();
  const used = () => manager.setTimeout(() => {}, 1);
  expect(used).toThrow(Error);
  expect(used).toThrow(keelson.DestroyedError);
  expect(used).toThrow('TimerManager has been destroyed');
});

test('a returned object is a plain object of this realm', () => {
  const cache = new BoundedLRUCache<string, number>(2);
  for (const stats of [new TimerManager().getStats(), cache.getStats()]) {
    expect(Object.getPrototypeOf(stats)).toBe(Object.prototype);
    expect(stats).toStrictEqual({ ...stats });
  }
});

test('a returned array is an array of this realm', () => {
  const cache = new BoundedLRUCache<string, number>(2);
  cache.set('a', 1);
  const buffer = new CircularBuffer<number>(2);
  buffer.push(1);
  for (const array of [cache.keys(), cache.values(), cache.entries(), cache.entries()[0], buffer.getAll()]) {
    expect(array).toBeInstanceOf(Array);
  }
  expect(cache.entries()).toStrictEqual([['a', 1]]);
});

const route: RouteHandler = { id: 'a', method: 'GET', handler: () => {} };

test('what the router finds is of this realm, however often its code has run', () => {
  const trie = new RouteTrie({ cache: true });
  for (const path of ['/static', '/a/:__proto__', '/:x(\\d)-:y/*', '/files/*path']) trie.insert(path, route);
  for (let round = 0; round < 50; round++) {
    for (const path of ['/static', '/a/1', '/a/%61', '/1-%61/rest', '/files/x/y']) {
      const match = trie.search(path, 'GET')!;
      expect(match.params).toBeInstanceOf(Object);
      expect(Object.getPrototypeOf(match.params)).toBe(Object.prototype);
      expect(Object.getPrototypeOf(trie.match(path, 'GET')!.params())).toBe(Object.prototype);
      expect(match).toEqual({ handler: route, params: { ...match.params }, wildcard: match.wildcard });
      expect(match.handler).toBe(route);
    }
  }
  expect(trie.search('/1-2/rest', 'GET')).toStrictEqual({
    handler: route,
    params: { x: '1', y: '2' },
    wildcard: true,
  });
  expect(trie.getAllRoutes()).toBeInstanceOf(Array);
  expect(trie.allowedMethods('/a/1')).toStrictEqual(['GET']);
  const openapi = trie.toOpenAPI({ info: { title: 'a', version: '1' } });
  for (const object of [trie.getAllRoutes()[0], trie.getCacheStats(), trie.metrics(), openapi]) {
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
  }
});

test('errors of the router are of this realm', () => {
  const trie = new RouteTrie({ strict: true });
  trie.insert('/:id', route);
  const failures: [() => unknown, new (...args: never[]) => Error, string][] = [
    [() => trie.insert('/:id(', route), keelson.InvalidArgumentError, 'ERR_KEELSON_INVALID_ARGUMENT'],
    [() => trie.insert('/:other', route), keelson.RouteConflictError, 'ERR_KEELSON_ROUTE_CONFLICT'],
    [() => trie.search('/%ff', 'GET'), keelson.MalformedPathError, 'ERR_KEELSON_MALFORMED_PATH'],
  ];
  for (const [failing, kind, code] of failures) {
    expect(failing).toThrow(Error);
    expect(failing).toThrow(kind);
    expect(failing).toThrow(expect.objectContaining({ code }));
  }
});

test('a router hands on the very objects that it got, and stats of this realm', () => {
  const router = new OptimizedRouter();
  const handler = jest.fn();
  router.addRoute('/:id', { ...route, handler });
  const req = { path: '/1', method: 'GET', params: undefined };
  const [res, next] = [{}, () => {}];
  router.handle(req, res, next);
  expect(handler.mock.calls[0].slice(0, 3)).toEqual([req, res, next]);
  expect(handler.mock.calls[0][0]).toBe(req);
  expect(req.params).toStrictEqual({ id: '1' });
  expect(router.getStats()).toStrictEqual({ routes: 1, cacheSize: 0, loadBalancers: 1 });
  expect(Object.getPrototypeOf(router.metrics().routes[0])).toBe(Object.prototype);
});

test('what a connection pool gives is of this realm', async () => {
  const pool = new ConnectionPool({ create: () => Promise.reject(new Error('down')) }, { acquireTimeout: 1 });
  const call = pool.acquire();
  expect(call).toBeInstanceOf(Promise);
  const error = await call.catch((reason) => reason);
  expect(error).toBeInstanceOf(Error);
  expect(error).toBeInstanceOf(keelson.TimeoutError);
  expect(error.cause).toBeInstanceOf(keelson.ConnectionError);
  for (const object of [pool.getStats(), pool.metrics(), pool.metrics().closed, pool.metrics().errors]) {
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
  }
  await pool.close();
});

test('everything is found as it must be, strictly', async () => {
  const found = await useEverything(keelson);
  expect(found).toStrictEqual(useEverything.FOUND);
  keelson.timerManager.destroy();
});
