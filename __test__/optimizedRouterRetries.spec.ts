import * as fc from 'fast-check';
import { OptimizedRouter, type RouteHandler } from 'keelson';
import {
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

describe('retries', () => {
  /** Handlers a, b, c of one route; each fails as often as told. */
  function group(failures: Record<string, number>, extra: Partial<RouteHandler> = {}, options = {}) {
    const tried: string[] = [];
    const router = new OptimizedRouter(options);
    router.on('error', () => {});
    for (const id of Object.keys(failures)) {
      router.addRoute(
        '/a',
        naming(id, {
          method: '*',
          handler: (_req, res, _next, { attempt }) => {
            tried.push(`${id}${attempt}`);
            if (failures[id]!-- > 0) throw boom;
            res.end(id);
          },
          ...extra,
        }),
      );
    }
    return { router, tried };
  }

  test('go to another handler while there is one', () => {
    const { router, tried } = group({ a: 1, b: 1, c: 0 }, { retries: 2 });
    expect(send(router).res.sent).toEqual(['200 c']);
    expect(tried).toEqual(['a1', 'b2', 'c3']);
    expect(metricsOf(router, 'a')).toMatchObject({ requests: 1, retries: 1, errors: { thrown: 1 } });
    expect(metricsOf(router, 'c')).toMatchObject({ requests: 0, byStatusClass: { '2xx': 1 } });
  });

  test('go to the same handler where there is no other', () => {
    const { router, tried } = group({ a: 2 }, { retries: 5 });
    expect(send(router).res.sent).toEqual(['200 a']);
    expect(tried).toEqual(['a1', 'a2', 'a3']);
  });

  test('end, and the last error is the one', () => {
    const { router, tried } = group({ a: 9, b: 9 }, { retries: 3 });
    const next = jest.fn();
    expect(send(router, 'GET', next).res.sent).toEqual([]);
    expect(tried).toHaveLength(4);
    expect(next.mock.calls).toEqual([[boom]]);
  });

  test.each([
    ['GET', true],
    ['get', true],
    ['HEAD', true],
    ['OPTIONS', true],
    ['PUT', true],
    ['DELETE', true],
    ['TRACE', true],
    ['POST', false],
    ['PATCH', false],
    ['CONNECT', false],
    ['PURGE', false],
  ])('%s is repeated: %p; with retryNonIdempotent anything is', (method, repeated) => {
    const { router } = group({ a: 1 }, { retries: 1 });
    expect(send(router, method).res.sent).toEqual(
      repeated ? ['200 a'] : ['500 {"error":"Internal server error"}'],
    );
    const told = group({ a: 1 }, { retries: 1 }, { retryNonIdempotent: true });
    expect(send(told.router, method).res.sent).toEqual(['200 a']);
  });

  test('do not follow a response that has begun', () => {
    const router = new OptimizedRouter();
    router.on('error', () => {});
    const handler = jest.fn((_req, res) => {
      res.write('begun');
      throw boom;
    });
    router.addRoute('/a', naming('a', { retries: 3, handler }));
    const { res } = send(router);
    expect(handler).toHaveBeenCalledTimes(1);
    expect(res.sent).toEqual(['begun']);
    // Half an answer is no answer: the connection is closed, as Express does it.
    expect(res.destroyed).toBe(true);
    const mock = bareMock();
    router.addRoute(
      '/b',
      naming('b', {
        retries: 3,
        timeout: 5,
        handler: (_req, other) => {
          other.json(1);
          other.headersSent = true;
          throw boom;
        },
      }),
    );
    router.handle({ path: '/b', method: 'GET' }, mock.res, () => {});
    expect(mock.sent).toHaveLength(1);
  });

  test("do not follow an error that is the client's", () => {
    const router = new OptimizedRouter({ outlier: { failures: 1, maxEjectedPercent: 100 } });
    const handler = jest.fn(() => {
      throw Object.assign(new Error('x'), { status: 404 });
    });
    router.addRoute('/a', naming('a', { retries: 3, handler }));
    expect(send(router).res.sent).toEqual(['404 {"error":"Not found"}']);
    expect(handler).toHaveBeenCalledTimes(1);
    expect(metricsOf(router, 'a')).toMatchObject({
      ejected: false,
      errors: { thrown: 1 },
      byStatusClass: { '4xx': 1 },
    });
  });

  test('follow timeouts, each with a time and a signal of its own', () => {
    const router = new OptimizedRouter();
    const signals: AbortSignal[] = [];
    for (const [id, timeout] of [
      ['a', 50],
      ['b', 20],
    ] as const) {
      router.addRoute(
        '/a',
        naming(id, {
          retries: 1,
          timeout,
          handler: (_req, _res, _next, { signal }) => {
            signals.push(signal);
            return never();
          },
        }),
      );
    }
    const { res } = send(router);
    jest.advanceTimersByTime(50);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    jest.advanceTimersByTime(19);
    expect(res.sent).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect(res.sent).toEqual([TIMED_OUT]);
  });

  test('a late answer of an attempt that timed out stands, and the router sends no second one', async () => {
    const router = new OptimizedRouter();
    router.on('error', () => {});
    const answers: (() => void)[] = [];
    router.addRoute(
      '/a',
      naming('a', {
        retries: 1,
        timeout: 50,
        handler: (_req, res) =>
          new Promise<void>((resolve, reject) => {
            answers.push(() => {
              try {
                res.end('x');
                resolve();
              } catch (error) {
                reject(error);
              }
            });
          }),
      }),
    );
    const { res } = send(router);
    jest.advanceTimersByTime(50);
    answers[0]!();
    answers[1]!();
    await flush();
    jest.advanceTimersByTime(100);
    expect(res.sent).toEqual(['200 x']);
    expect(metricsOf(router, 'a').inFlight).toBe(0);
  });

  test('begin with the headers and the status that the first attempt began with', () => {
    const router = new OptimizedRouter();
    router.use((_req, res, next) => {
      res.setHeader('X-Request-Id', '7');
      next();
    });
    router.addRoute(
      '/a',
      naming('a', {
        retries: 1,
        handler: (_req, res, _next, { attempt }) => {
          if (attempt === 2) return res.end(JSON.stringify(res.getHeaders()));
          res.statusCode = 201;
          res.setHeader('Content-Length', '5');
          res.setHeader('X-Request-Id', 'other');
          throw boom;
        },
      }),
    );
    expect(send(router).res.sent).toEqual(['200 {"x-request-id":"7"}']);
  });

  // Names that every object has were taken for headers that had been there.
  test('forget a status message and headers of any name', () => {
    const router = new OptimizedRouter();
    router.addRoute(
      '/a',
      naming('a', {
        retries: 1,
        handler: (_req, res, _next, { attempt }) => {
          if (attempt === 2) return res.end(JSON.stringify([res.getHeaders(), res.statusMessage]));
          res.statusMessage = 'Backend down';
          res.setHeader('constructor', 'x');
          throw boom;
        },
      }),
    );
    expect(send(router).res.sent).toEqual(['200 [{},null]']);
  });

  test('bear a mock whose getHeaders() returns nothing', () => {
    const router = new OptimizedRouter();
    const handler = jest.fn(() => {
      if (handler.mock.calls.length === 1) throw boom;
    });
    router.addRoute('/a', naming('a', { retries: 1, handler }));
    router.handle({ path: '/a', method: 'GET' }, { ...bareMock().res, getHeaders() {} });
    expect(handler).toHaveBeenCalledTimes(2);
  });

  test.each([undefined, { host: 'h' }])(
    'have parameters of their own, beside those of the host: %j',
    (given) => {
      const router = new OptimizedRouter();
      const seen: object[] = [];
      const failing: RouteHandler['handler'] = (req, _res, _next, { params }) => {
        seen.push({ ...req.params }, { ...params });
        Object.assign(req.params, { id: 'spoilt', extra: 1 });
        params.id = 'spoilt';
        throw boom;
      };
      router.addRoute('/x/:id', naming('a', { retries: 2, handler: failing }));
      router.addRoute('/x/:user', naming('b', { handler: failing }));
      router.handle({ path: '/x/1', method: 'GET', params: given }, bareMock().res, () => {});
      // When both have tried, the round goes on.
      const names = ['id', 'user', 'user'];
      expect(seen).toEqual(names.flatMap((name) => [{ ...given, [name]: '1' }, { [name]: '1' }]));
    },
  );

  test("the failed handler's content headers do not describe the error", () => {
    const router = new OptimizedRouter();
    router.on('error', () => {});
    router.addRoute(
      '/a',
      naming('a', {
        handler: (_req, res) => {
          res.setHeader('Content-Encoding', 'gzip');
          res.setHeader('Cache-Control', 'max-age=1000');
          res.setHeader('Content-Type', 'text/csv');
          res.setHeader('Content-Disposition', 'attachment; filename=a.csv');
          res.setHeader('Expires', 'never');
          res.setHeader('Accept-Ranges', 'bytes');
          res.setHeader('Content-Location', '/a.csv');
          throw boom;
        },
      }),
    );
    expect(Object.keys(send(router).res.getHeaders()).sort()).toEqual(['content-length', 'content-type']);
  });

  test('run the middleware of each handler once', () => {
    const log: string[] = [];
    const router = new OptimizedRouter();
    const failing = (id: string) =>
      naming(id, {
        retries: 3,
        middleware: [
          (_req, _res, next) => {
            log.push(`middleware of ${id}`);
            next();
          },
        ],
        handler: () => {
          log.push(id);
          throw boom;
        },
      });
    router.addRoute('/a', failing('a'));
    router.addRoute('/a', failing('b'));
    send(router, 'GET', () => {});
    expect(log.slice(0, 4)).toEqual(['middleware of a', 'a', 'middleware of b', 'b']);
    expect(log.slice(4).sort()).toEqual(['a', 'b']);
  });

  test('are not made when the client is gone', async () => {
    const handler = jest.fn(async (_req, res) => {
      res.destroy();
      throw boom;
    });
    const router = new OptimizedRouter();
    router.on('error', () => {});
    router.addRoute('/a', naming('a', { retries: 3, handler }));
    send(router);
    await flush();
    expect(handler).toHaveBeenCalledTimes(1);
  });

  test('end with the last handler of the group that is removed meanwhile', async () => {
    const { router } = group({ a: 9 }, { retries: 5, handler: () => Promise.reject(boom) });
    const next = jest.fn();
    send(router, 'GET', next);
    router.removeRoute('/a');
    await flush();
    expect(next.mock.calls).toEqual([[boom]]);
  });

  test('pile up no listeners', async () => {
    const router = new OptimizedRouter();
    router.addRoute(
      '/a',
      naming('a', {
        retries: 30,
        timeout: 5,
        handler: (_req, _res, _next, { signal }) => {
          expect(signal.aborted).toBe(false);
        },
      }),
    );
    const { res } = send(router);
    for (let n = 0; n <= 30; n++) {
      expect(res.listenerCount('close') + res.listenerCount('finish')).toBeLessThanOrEqual(3);
      jest.advanceTimersByTime(5);
    }
    expect(res.sent).toEqual([TIMED_OUT]);
  });

  test('follow a thenable that throws instead of settling', () => {
    const router = new OptimizedRouter();
    const then = () => {
      throw boom;
    };
    router.addRoute('/a', naming('a', { retries: 1, handler: () => ({ then }) }));
    const next = jest.fn();
    send(router, 'GET', next);
    expect(next.mock.calls).toEqual([[boom]]);
    expect(metricsOf(router, 'a')).toMatchObject({ retries: 1, inFlight: 0, errors: { thrown: 2 } });
  });

  test('are announced', () => {
    const { router } = group({ a: 1, b: 0 }, { retries: 1 });
    const events: unknown[] = [];
    router.on('retry', (event) => events.push(event));
    send(router);
    expect(events).toEqual([{ id: 'a', path: '/a', method: '*', attempt: 1, error: boom }]);
  });

  test('as many attempts as the first handler says, each once in the books', () => {
    const property = fc.property(
      fc.array(fc.record({ fails: fc.nat(3), retries: fc.nat(4) }), { minLength: 1, maxLength: 4 }),
      (handlers) => {
        const router = new OptimizedRouter();
        const left = handlers.map(({ fails }) => fails);
        let attempts = 0;
        for (const [at, { retries }] of handlers.entries()) {
          router.addRoute(
            '/a',
            naming(`${at}`, {
              retries,
              handler: (_req, res) => {
                attempts++;
                if (left[at]!-- > 0) throw boom;
                res.end(`${at}`);
              },
            }),
          );
        }
        const next = jest.fn();
        const { res } = send(router, 'GET', next);
        // Round-robin begins with the first; each handler is tried before any is tried again.
        expect(attempts).toBeLessThanOrEqual(handlers[0]!.retries + 1);
        expect(res.sent.length + next.mock.calls.length).toBe(1);
        if (next.mock.calls.length === 1) expect(attempts).toBe(handlers[0]!.retries + 1);
        const { routes } = router.metrics();
        const sum = (of: (route: (typeof routes)[number]) => number) =>
          routes.reduce((total, route) => total + of(route), 0);
        expect(sum(({ latency }) => latency.count)).toBe(attempts);
        expect(sum(({ retries }) => retries)).toBe(attempts - 1);
        expect(sum(({ inFlight }) => inFlight)).toBe(0);
        expect(sum(({ errors }) => errors.thrown)).toBe(attempts - res.sent.length);
        const fresh = Math.min(attempts, handlers.length);
        expect(routes.filter(({ latency }) => latency.count > 0).length).toBe(fresh);
      },
    );
    fc.assert(property, { numRuns: 200 });
  });
});
