import { concurrent, InvalidArgumentError, type Middleware, OptimizedRouter } from 'keelson';
import { ask, boom, failuresWith, naming, serve } from './support/router';

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('concurrent', () => {
  /** Middleware of which each call is let go by hand. */
  function held() {
    const waiting: ((error?: unknown) => void)[] = [];
    const middleware: Middleware = (_req, _res, next) => {
      waiting.push(next);
    };
    return { middleware, waiting };
  }

  test('starts all, and goes on once when the last is through', () => {
    const [a, b, c] = [held(), held(), held()];
    const next = jest.fn();
    concurrent([a.middleware, b.middleware, c.middleware])({}, {}, next);
    expect([a, b, c].map(({ waiting }) => waiting.length)).toEqual([1, 1, 1]);
    c.waiting[0]!();
    a.waiting[0]!();
    a.waiting[0]!();
    expect(next).not.toHaveBeenCalled();
    b.waiting[0]!();
    expect(next.mock.calls).toEqual([[undefined]]);
  });

  test('the first error wins, and the others are waited for', () => {
    const [a, b, c] = [held(), held(), held()];
    const next = jest.fn();
    concurrent([a.middleware, b.middleware, c.middleware])({}, {}, next);
    b.waiting[0]!(boom);
    a.waiting[0]!(new Error('second'));
    expect(next).not.toHaveBeenCalled();
    c.waiting[0]!();
    expect(next.mock.calls).toEqual([[boom]]);
  });

  test.each(failuresWith(boom))('one that %s is an error', async (_, middleware) => {
    const other = held();
    const next = jest.fn();
    concurrent([middleware, other.middleware])({}, {}, next);
    await settled();
    expect(next).not.toHaveBeenCalled();
    other.waiting[0]!();
    expect(next.mock.calls).toEqual([[boom]]);
  });

  test('one that answers instead of going on ends the chain', async () => {
    const next = jest.fn();
    concurrent([async () => {}, (_req, _res, go) => go()])({}, {}, next);
    await settled();
    expect(next).not.toHaveBeenCalled();
  });

  // passport and multer are handed `next` by an async function that returns long before.
  test('an async function may leave next to a callback', async () => {
    const later = held();
    const next = jest.fn();
    const handing: Middleware = async (req, res, go) => {
      await null;
      later.middleware(req, res, go);
    };
    concurrent([handing])({}, {}, next);
    await settled();
    expect(next).not.toHaveBeenCalled();
    later.waiting[0]!(boom);
    expect(next.mock.calls).toEqual([[boom]]);
  });

  test.each<[string, Middleware]>([
    ['before', (_req, res) => res.end('answered')],
    ['after', (_req, res) => setImmediate(() => res.end('answered'))],
  ])('an error beside an answer that came %s is reported', async (_, answering) => {
    const router = new OptimizedRouter();
    const reported = jest.fn();
    router.on('error', reported);
    router.use(concurrent([answering, (_req, _res, next) => next(boom)]));
    const server = await serve(router.handle);
    const gone = new Promise((resolve) => router.on('error', resolve));
    expect((await server.ask('GET', '/')).body).toBe('answered');
    await gone;
    await server.close();
    expect(reported.mock.calls).toEqual([[boom]]);
  });

  test('a failure of one that had called next is reported; while others are busy it is an error', async () => {
    const failing: Middleware = async (_req, _res, next) => {
      next();
      throw boom;
    };
    const router = new OptimizedRouter();
    const reported = jest.fn();
    router.on('error', reported);
    router.use(concurrent([failing]));
    router.addRoute('/a', naming('a'));
    expect(ask(router, '/a').sent[0]!.body).toBe('a');
    await settled();
    expect(reported.mock.calls).toEqual([[boom]]);

    const other = held();
    const next = jest.fn();
    concurrent([failing, other.middleware])({}, {}, next);
    await settled();
    other.waiting[0]!();
    expect(next.mock.calls).toEqual([[boom]]);
  });

  test('none is no hindrance, and a list of something else is refused', () => {
    const next = jest.fn();
    concurrent([])({}, {}, next);
    expect(next).toHaveBeenCalledTimes(1);
    expect(() => concurrent((() => {}) as any)).toThrow(InvalidArgumentError);
    expect(() => concurrent([5 as any])).toThrow(InvalidArgumentError);
  });

  test('works in a router, in a route, and within itself', async () => {
    const router = new OptimizedRouter();
    const setting =
      (name: string): Middleware =>
      async (req, _res, next) => {
        await settled();
        req[name] = true;
        next();
      };
    router.use(concurrent([setting('a'), concurrent([setting('b'), setting('c')])]));
    router.addRoute(
      '/x',
      naming('x', {
        middleware: [concurrent([setting('d')])],
        handler: ({ a, b, c, d }, res) => res.json([a, b, c, d]),
      }),
    );
    const { sent } = ask(router, '/x');
    for (let n = 0; n < 4; n++) await settled();
    expect(sent[0]!.body).toEqual([true, true, true, true]);
  });
});
