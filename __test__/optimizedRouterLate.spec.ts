import { Agent, createServer, request } from 'node:http';
import { Readable } from 'node:stream';
import { OptimizedRouter, type OptimizedRouterOptions, RouteTimeoutError } from 'keelson';
import { bareMock, boom, client, metricsOf, naming } from './support/router';

const express5 = require('express');
const express4 = require('express4');
const connect = require('connect');

const open: { close: () => Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** A promise and what resolves it. */
function signal<T = void>() {
  let fire!: (value: T) => void;
  const fired = new Promise<T>((resolve) => {
    fire = resolve;
  });
  return { fire, fired };
}

type Host = 'bare' | 'Express 5' | 'Express 4' | 'Connect';
const makers: Record<Exclude<Host, 'bare'>, () => any> = {
  'Express 5': express5,
  'Express 4': express4,
  Connect: connect,
};
const hosts: Host[] = ['bare', 'Express 5', 'Express 4', 'Connect'];

/** A router in a host, what its host's error handler got, and what its 'error' event told. */
async function hosted(
  host: Host,
  options: OptimizedRouterOptions = {},
  after?: (req: any, res: any) => void,
) {
  const router = new OptimizedRouter(options);
  const reported: unknown[] = [];
  const passed: unknown[] = [];
  const told = signal();
  router.on('error', (error) => {
    reported.push(error);
    told.fire();
  });
  let listener: any = router.handle;
  if (host !== 'bare') {
    listener = makers[host]();
    listener.use(router.handle);
    if (after !== undefined) listener.use(after);
    listener.use((error: Error, _req: any, res: any, next: any) => {
      passed.push(error);
      if (res.headersSent) return next(error);
      res.statusCode = 599;
      res.end(error.message);
    });
  }
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const one = client(server);
  open.push(one);
  return { router, reported, passed, told: told.fired, ask: one.ask, port: one.port };
}

describe.each(hosts)('a handler that was given up, in %s', (host) => {
  // It went to the host, which destroyed the socket under the next request of the connection.
  test('may call next(error) late, and cuts nobody off', async () => {
    const { router, ask, passed, reported } = await hosted(host);
    const late = signal();
    router.addRoute(
      '/slow',
      naming('slow', {
        timeout: 5,
        handler: (_req, _res, next) => {
          late.fired.then(() => next(boom));
        },
      }),
    );
    router.addRoute(
      '/other',
      naming('other', {
        handler: async (_req, res) => {
          late.fire();
          await new Promise(setImmediate);
          res.end('other');
        },
      }),
    );
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect((await ask('GET', '/slow', {}, agent)).status).toBe(504);
    expect(await ask('GET', '/other', {}, agent)).toMatchObject({ status: 200, body: 'other' });
    agent.destroy();
    expect(passed).toEqual([]);
    expect(reported).toEqual([boom]);
  });

  // ERR_HTTP_HEADERS_SENT was thrown in a callback, where nobody catches it, and ended the process.
  test('may answer late from a callback, which does nothing and is reported once', async () => {
    const { router, ask, reported } = await hosted(host);
    const late = signal();
    const wrote = signal<unknown>();
    router.addRoute(
      '/a',
      naming('a', {
        timeout: 5,
        handler: (_req, res) => {
          late.fired.then(() => {
            try {
              res.setHeader('X-Late', '1');
              res.writeHead?.(200);
              res.write('x', () => res.end(() => wrote.fire(undefined)));
              if (res.json) res.json({});
            } catch (error) {
              wrote.fire(error);
            }
          });
        },
      }),
    );
    expect((await ask('GET', '/a')).status).toBe(504);
    late.fire();
    expect(await wrote.fired).toBeUndefined();
    expect(reported).toEqual([expect.any(RouteTimeoutError)]);
  });

  // The client hung for ever: the timeout leaves a begun response to its handler, and the handler's end was ignored.
  test.each(['the reason of its signal', 'another error'])(
    'with a response begun, its failure with %s cuts it off',
    async (what) => {
      const { router, ask, passed, reported } = await hosted(host);
      router.addRoute(
        '/a',
        naming('a', {
          timeout: 5,
          handler: (_req, res, _next, context) => {
            res.write('half');
            return new Promise((_, reject) => {
              context.signal.onabort = () => reject(what === 'another error' ? boom : context.signal.reason);
            });
          },
        }),
      );
      await expect(ask('GET', '/a')).rejects.toThrow('aborted');
      const error = what === 'another error' ? boom : expect.any(RouteTimeoutError);
      if (host !== 'bare') expect(passed).toEqual([error]);
      else expect(reported).toEqual(what === 'another error' ? [boom] : []);
    },
  );
});

describe.each(hosts.slice(1))('the next of %s', (host) => {
  test('ends the attempt: what comes after the router has no timeout and is not repeated', async () => {
    const timedOut: string[] = [];
    let runs = 0;
    const { router, ask } = await hosted(host, {}, async (_req, res) => {
      runs++;
      // A later timeout of the same length is over.
      await ask('GET', '/slow');
      res.end('after');
    });
    router.on('timeout', ({ id }) => timedOut.push(id));
    router.addRoute('/slow', naming('slow', { timeout: 5, handler: () => {} }));
    router.addRoute('/a', naming('a', { timeout: 5, retries: 1, handler: (_req, _res, next) => next() }));
    expect(await ask('GET', '/a')).toMatchObject({ status: 200, body: 'after' });
    expect(runs).toBe(1);
    expect(timedOut).toEqual(['slow']);
    expect(metricsOf(router, 'a')).toMatchObject({ inFlight: 0, byStatusClass: { '2xx': 1 } });
  });

  test('called with an error by one attempt does not answer over another', async () => {
    const { router, ask, passed, reported } = await hosted(host);
    const second = signal();
    router.addRoute(
      '/a',
      naming('a', {
        timeout: 20,
        retries: 1,
        handler: (_req, res, next, { attempt }) => {
          if (attempt === 1) second.fired.then(() => next(boom));
          else {
            second.fire();
            setImmediate(() => res.end('second'));
          }
        },
      }),
    );
    expect(await ask('GET', '/a')).toMatchObject({ status: 200, body: 'second' });
    expect(passed).toEqual([]);
    expect(reported).toEqual([boom]);
  });
});

describe.each(hosts)('a middleware that fails after it had gone on, in %s', (host) => {
  // The usual timeout middleware: the error was dropped and the request hung.
  test.each(['router', 'route'])('of the %s answers a request that nobody answers', async (where) => {
    const onError = jest.fn((_error, _req, res) => {
      setImmediate(() => {
        res.statusCode = 504;
        res.end('too late');
      });
    });
    const { router, ask, reported } = await hosted(host, { onError });
    const handler = signal();
    const giveUp = (_req: any, _res: any, next: any) => {
      handler.fired.then(() => {
        next(boom);
        next(boom);
      });
      next();
    };
    if (where === 'router') router.use(giveUp);
    const middleware = where === 'route' ? [giveUp] : [];
    router.addRoute('/a', naming('a', { middleware, handler: () => handler.fire() }));
    expect(await ask('GET', '/a')).toMatchObject({ status: 504, body: 'too late' });
    expect(onError).toHaveBeenCalledTimes(1);
    expect(reported).toEqual([boom]);
    expect(metricsOf(router, 'a')).toMatchObject({ inFlight: 0, byStatusClass: { '5xx': 1 } });
  });

  test('is only reported where a response has begun', async () => {
    const { router, ask, reported, passed } = await hosted(host);
    const begun = signal();
    router.use((_req, res, next) => {
      begun.fired.then(() => {
        next(boom);
        res.end('whole');
      });
      next();
    });
    router.addRoute(
      '/a',
      naming('a', {
        handler: (_req, res) => {
          res.write('the ');
          begun.fire();
        },
      }),
    );
    expect((await ask('GET', '/a')).body).toBe('the whole');
    expect(reported).toEqual([boom]);
    expect(passed).toEqual([]);
  });
});

describe.each(hosts)('in %s', (host) => {
  // What onError had sent was cut off, if it was long.
  test('onError that answers and then fails has answered', async () => {
    const text = 'x'.repeat(5_000_000);
    const { router, ask, reported, passed } = await hosted(host, {
      onError: async (_error, _req, res) => {
        res.end(text);
        throw boom;
      },
    });
    router.addRoute('/a', naming('a', { handler: () => Promise.reject(new Error('first')) }));
    expect((await ask('GET', '/a')).body).toHaveLength(text.length);
    expect(reported).toEqual([boom]);
    expect(passed).toEqual([]);
  });

  test('onError that fails hides nothing of what it was called for', async () => {
    const first = new Error('first');
    const { router, ask, reported } = await hosted(host, {
      onError: () => {
        throw boom;
      },
    });
    router.addRoute('/a', naming('a', { handler: () => Promise.reject(first) }));
    expect((await ask('GET', '/a')).status).toBe(host === 'bare' ? 500 : 599);
    expect(reported).toEqual(host === 'bare' ? [first, boom] : [first]);
  });

  // Express keeps a type that was set: browsers took the JSON for a page to show, or a file to save.
  test('a 504 has nothing of what the handler was about to send', async () => {
    const { router, ask } = await hosted(host);
    router.addRoute(
      '/a',
      naming('a', {
        timeout: 5,
        handler: (_req, res) => {
          res.statusMessage = 'Fine';
          res.setHeader('Content-Type', 'text/html');
          res.setHeader('Content-Disposition', 'attachment; filename=a.csv');
        },
      }),
    );
    const { status, message, headers } = await ask('GET', '/a');
    expect([status, message]).toEqual([504, 'Gateway Timeout']);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(headers['content-disposition']).toBeUndefined();
  });

  // The client got the file that the first attempt had begun to pipe.
  test('what a failed attempt pipes is not in the answer of the next', async () => {
    const { router, ask } = await hosted(host);
    router.addRoute(
      '/a',
      naming('a', {
        retries: 1,
        handler: (_req, res, _next, { attempt }) => {
          if (attempt === 2) return void setImmediate(() => setImmediate(() => res.end('second')));
          Readable.from(['first']).pipe(res);
          throw boom;
        },
      }),
    );
    expect(await ask('GET', '/a')).toMatchObject({ status: 200, body: 'second' });
  });

  // The chain ended at a response that had begun, and the client waited for ever.
  test('middleware may begin a stream of events', async () => {
    const { router, ask } = await hosted(host);
    const begin = (_req: any, res: any, next: any) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      res.flushHeaders();
      next();
    };
    router.addRoute(
      '/a',
      naming('a', { middleware: [begin], handler: (_req, res) => res.end('data: 1\n\n') }),
    );
    expect((await ask('GET', '/a')).body).toBe('data: 1\n\n');
    router.use(begin);
    await expect(ask('GET', '/none')).rejects.toThrow('aborted');
  });

  test.each<[string, unknown]>([
    ['goes on', undefined],
    ['fails', boom],
    ['leaves', 'router'],
  ])(
    'a client that left while middleware was busy gets no handler, and is counted once, if it %s',
    async (_, to) => {
      const { router, port } = await hosted(host);
      const handler = jest.fn();
      const [arrived, left, gone] = [signal(), signal(), signal()];
      router.addRoute(
        '/a',
        naming('a', {
          handler,
          middleware: [
            async (_req, res, next) => {
              res.once('close', left.fire);
              arrived.fire();
              await left.fired;
              next(to);
              gone.fire();
            },
          ],
        }),
      );
      const sent = request({ host: '127.0.0.1', port, path: '/a' });
      sent.on('error', () => {});
      sent.end();
      await arrived.fired;
      expect(metricsOf(router, 'a').inFlight).toBe(1);
      sent.destroy();
      await gone.fired;
      expect(handler).not.toHaveBeenCalled();
      expect(metricsOf(router, 'a')).toMatchObject({
        inFlight: 0,
        errors: { disconnected: 1 },
        byStatusClass: { '2xx': 0 },
      });
    },
  );

  // It counted as a 2xx, or as load for ever, depending on how the handler was written.
  test.each<[string, (late: Promise<void>, res: any) => unknown]>([
    ['answers late', (late, res) => late.then(() => res.end('late'))],
    ['answers late from a callback', (late, res) => void late.then(() => res.end('late'))],
    ['never settles', () => new Promise(() => {})],
  ])('a client that left is disconnected, if the handler %s', async (_, handler) => {
    const { router, port } = await hosted(host);
    const [arrived, left] = [signal(), signal()];
    router.addRoute(
      '/a',
      naming('a', {
        timeout: 60_000,
        handler: (_req, res) => {
          res.once('close', left.fire);
          arrived.fire();
          return handler(left.fired, res);
        },
      }),
    );
    const sent = request({ host: '127.0.0.1', port, path: '/a' });
    sent.on('error', () => {});
    sent.end();
    await arrived.fired;
    sent.destroy();
    await left.fired;
    await new Promise(setImmediate);
    expect(metricsOf(router, 'a')).toMatchObject({
      inFlight: 0,
      errors: { disconnected: 1 },
      byStatusClass: { '2xx': 0 },
      latency: { count: 1 },
    });
  });
});

test('what a handler throws after next() in a bare server is reported', () => {
  const router = new OptimizedRouter();
  const reported = jest.fn();
  router.on('error', reported);
  router.addRoute(
    '/a',
    naming('a', {
      handler: (_req, _res, next) => {
        next();
        throw boom;
      },
    }),
  );
  const { res, sent } = bareMock();
  router.handle({ path: '/a', method: 'GET' }, res);
  expect(sent).toHaveLength(1);
  expect(reported.mock.calls).toEqual([[boom]]);
});
