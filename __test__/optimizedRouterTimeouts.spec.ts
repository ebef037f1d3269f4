import { EventEmitter } from 'node:events';
import { OptimizedRouter, type RouteHandler, RouteTimeoutError } from 'keelson';
import {
  ask,
  bareMock,
  boom,
  flush,
  metricsOf,
  naming,
  never,
  send,
  TIMED_OUT,
  useManualTimers,
} from './support/router';

useManualTimers();

describe('a timeout', () => {
  test('answers 504 when nothing was sent, and aborts the signal', async () => {
    const router = new OptimizedRouter();
    let signal!: AbortSignal;
    router.addRoute(
      '/a',
      naming('a', {
        timeout: 50,
        handler: (_req, _res, _next, context) => {
          signal = context.signal;
          return never();
        },
      }),
    );
    const { res } = send(router);
    jest.advanceTimersByTime(49);
    expect(signal.aborted).toBe(false);
    expect(res.sent).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(signal.reason).toBeInstanceOf(RouteTimeoutError);
    expect(signal.reason).toMatchObject({
      code: 'ERR_KEELSON_ROUTE_TIMEOUT',
      status: 504,
      id: 'a',
      timeout: 50,
    });
    expect(res.sent).toEqual([TIMED_OUT]);
    expect(metricsOf(router, 'a')).toMatchObject({
      inFlight: 0,
      errors: { timeout: 1 },
      byStatusClass: { '5xx': 1 },
      latency: { count: 1, max: 50 },
    });
  });

  test('works with a mock that has only status and json, for promises', () => {
    const router = new OptimizedRouter();
    router.addRoute('/a', naming('a', { timeout: 50, handler: never }));
    const { sent } = ask(router, '/a');
    jest.advanceTimersByTime(49);
    expect(sent).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(sent).toEqual([{ status: 504, body: { error: 'Gateway timeout' } }]);
  });

  // Such a mock tells nobody whether it was answered: a second answer would be worse than none.
  test.each([
    {},
    { headersSent: false },
    { headersSent: false, writableEnded: false, once() {} },
    { writableEnded: false, once() {}, removeListener() {} },
    Object.freeze({}),
  ])('ends with the handler on a mock such as %p, which it leaves as it is', (members) => {
    const router = new OptimizedRouter();
    const late: (() => void)[] = [];
    const handlers: RouteHandler['handler'][] = [
      (_req, res) => res.json('x'),
      (_req, res) => {
        late.push(() => res.json('x'));
      },
      async (_req, res) => res.json('x'),
    ];
    for (const [at, handler] of handlers.entries()) {
      router.addRoute(`/${at}`, naming(`${at}`, { timeout: 50, handler }));
      const mock = bareMock();
      const res = Object.assign(mock.res, members);
      const { json } = res;
      router.handle({ path: `/${at}`, method: 'GET' }, Object.isFrozen(members) ? Object.freeze(res) : res);
      late.pop()?.();
      if (at < 2) jest.advanceTimersByTime(1000);
      expect(mock.sent).toEqual([{ status: 200, body: 'x' }]);
      expect(res.json).toBe(json);
      expect(metricsOf(router, `${at}`).errors.timeout).toBe(0);
    }
    expect(metricsOf(router, '0').inFlight + metricsOf(router, '1').inFlight).toBe(0);
  });

  test('on a mock, a handler that passes the request on has done so, with the very next', () => {
    const router = new OptimizedRouter();
    const next = jest.fn();
    const given: unknown[] = [];
    const handler: RouteHandler['handler'] = (_req, _res, onward) => {
      given.push(onward);
      onward();
    };
    router.addRoute('/a', naming('a', { timeout: 5000, retries: 2, handler }));
    const { res, sent } = bareMock();
    router.handle({ path: '/a', method: 'GET' }, res, next);
    expect(jest.getTimerCount()).toBe(0);
    expect(given).toEqual([next]);
    expect(next).toHaveBeenCalledTimes(1);
    expect(sent).toEqual([]);
  });

  test('does not cut off a response that has begun, but aborts the signal', () => {
    const router = new OptimizedRouter();
    let signal!: AbortSignal;
    router.addRoute(
      '/a',
      naming('a', {
        timeout: 50,
        retries: 2,
        handler: (_req, res, _next, context) => {
          signal = context.signal;
          res.write('begun');
        },
      }),
    );
    const { res } = send(router);
    jest.advanceTimersByTime(50);
    expect(signal.aborted).toBe(true);
    expect(res.sent).toEqual(['begun']);
    res.end();
    expect(res.sent).toEqual(['begun', '200 ']);
    expect(metricsOf(router, 'a')).toMatchObject({
      inFlight: 0,
      retries: 0,
      errors: { timeout: 1 },
      byStatusClass: { '2xx': 1 },
    });
  });

  test('leaves no timer behind once the response ended, the handler threw or was rejected', async () => {
    const handlers: RouteHandler['handler'][] = [
      (_req, res) => res.end('x'),
      async (_req, res) => {
        res.end('x');
      },
      () => {
        throw boom;
      },
      async () => {
        throw boom;
      },
      (_req, _res, next) => next(boom),
      (_req, res) => {
        res.destroy();
      },
    ];
    for (const handler of handlers) {
      const router = new OptimizedRouter();
      router.on('error', () => {});
      router.addRoute('/a', naming('a', { timeout: 50, handler }));
      send(router);
      await flush();
      expect(jest.getTimerCount()).toBe(0);
      expect(metricsOf(router, 'a').inFlight).toBe(0);
    }
  });

  test('an attempt ends with its response, be the handler busy for ever', () => {
    const router = new OptimizedRouter();
    router.addRoute(
      '/a',
      naming('a', {
        timeout: 50,
        handler: (_req, res) => {
          setTimeout(() => res.end('x'), 10);
          return never();
        },
      }),
    );
    const { res } = send(router);
    jest.advanceTimersByTime(60);
    expect(res.sent).toEqual(['200 x']);
    expect(metricsOf(router, 'a')).toMatchObject({
      inFlight: 0,
      errors: { timeout: 0 },
      byStatusClass: { '2xx': 1 },
      latency: { count: 1, max: 10 },
    });
  });

  test('what a handler does after its time is up changes no answer', async () => {
    const router = new OptimizedRouter();
    const reported = jest.fn();
    router.on('error', reported);
    router.addRoute(
      '/a',
      naming('a', {
        timeout: 50,
        handler: (_req, res, next, { signal }) =>
          new Promise((_, reject) =>
            signal.addEventListener('abort', () => {
              next(boom);
              reject(signal.reason);
              res.once('close', () => expect(() => res.end('late')).toThrow());
            }),
          ),
      }),
    );
    const { res } = send(router);
    jest.advanceTimersByTime(50);
    await flush();
    expect(res.sent).toEqual([TIMED_OUT]);
    // The signal's own reason is no news.
    expect(reported.mock.calls).toEqual([[boom]]);
    expect(metricsOf(router, 'a')).toMatchObject({
      inFlight: 0,
      errors: { timeout: 1, rejected: 0, passed: 0 },
    });
  });

  test('is answered by the router even where there is a next, and by onError where there is one', () => {
    const next = jest.fn();
    const router = new OptimizedRouter();
    router.addRoute('/a', naming('a', { timeout: 5, handler: never }));
    const { res } = send(router, 'GET', next);
    jest.advanceTimersByTime(5);
    expect(res.sent).toEqual([TIMED_OUT]);
    expect(next).not.toHaveBeenCalled();

    const onError = jest.fn((error, _req, response) => {
      response.statusCode = 503;
      response.end(error.code);
    });
    const hooked = new OptimizedRouter({ onError });
    hooked.addRoute('/a', naming('a', { timeout: 5, handler: never }));
    const other = send(hooked);
    jest.advanceTimersByTime(5);
    expect(other.res.sent).toEqual(['503 ERR_KEELSON_ROUTE_TIMEOUT']);
  });

  test('0 is none', () => {
    const router = new OptimizedRouter();
    router.addRoute('/a', naming('a', { timeout: 0, handler: never }));
    send(router);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('is announced', () => {
    const router = new OptimizedRouter();
    const timeouts: unknown[] = [];
    router.on('timeout', (event) => timeouts.push(event));
    router.addRoute('/:x', naming('a', { timeout: 5, retries: 1, handler: never }));
    send(router);
    jest.advanceTimersByTime(10);
    const event = { id: 'a', path: '/:x', method: 'GET', timeout: 5 };
    expect(timeouts).toEqual([
      { ...event, attempt: 1 },
      { ...event, attempt: 2 },
    ]);
  });
});

describe('the signal', () => {
  /** Adds a route whose handler returns `result`, and returns the signals that it gets. */
  function collectSignals(router: OptimizedRouter, result: unknown): AbortSignal[] {
    const signals: AbortSignal[] = [];
    const handler: RouteHandler['handler'] = (_req, _res, _next, { signal }) => {
      signals.push(signal);
      return result;
    };
    router.addRoute('/a', naming('a', { handler }));
    return signals;
  }

  test('aborts when the client goes away, and not when the response is complete', () => {
    const router = new OptimizedRouter();
    const signals = collectSignals(router, undefined);
    const gone = send(router);
    const fine = send(router);
    gone.res.destroy();
    fine.res.end('x');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(signals[0]!.reason).toMatchObject({ name: 'AbortError' });
    expect(metricsOf(router, 'a')).toMatchObject({
      inFlight: 0,
      errors: { disconnected: 1 },
      byStatusClass: { '2xx': 1 },
    });
  });

  test('aborts with any response that emits close, whatever else it tells', () => {
    const router = new OptimizedRouter();
    const signals = collectSignals(router, never());
    const responses = [1, 2].map(() => Object.assign(new EventEmitter(), bareMock().res));
    for (const res of responses) router.handle({ path: '/a', method: 'GET' }, res);
    responses[0]!.emit('close');
    responses[1]!.emit('finish');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  test('is aborted already when it is asked for too late', async () => {
    const router = new OptimizedRouter();
    const contexts: any[] = [];
    router.addRoute(
      '/a',
      naming('a', {
        timeout: 5,
        handler: (_req, _res, _next, context) => {
          contexts.push(context);
          return never();
        },
      }),
    );
    send(router);
    send(router).res.destroy();
    jest.advanceTimersByTime(5);
    expect(contexts[0].signal.reason).toBeInstanceOf(RouteTimeoutError);
    expect(contexts[1].signal.aborted).toBe(true);
  });

  test('a handler that ends because of it is no failure', async () => {
    const reported = jest.fn();
    const router = new OptimizedRouter({ outlier: { failures: 1, maxEjectedPercent: 100 } });
    router.on('error', reported);
    router.addRoute(
      '/a',
      naming('a', {
        retries: 1,
        handler: (_req, _res, _next, { signal }) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      }),
    );
    const next = jest.fn();
    const { res } = send(router, 'GET', next);
    res.destroy();
    await flush();
    expect(next).not.toHaveBeenCalled();
    expect(reported).not.toHaveBeenCalled();
    expect(metricsOf(router, 'a')).toMatchObject({
      ejected: false,
      retries: 0,
      errors: { disconnected: 1, rejected: 0 },
    });
  });
});
