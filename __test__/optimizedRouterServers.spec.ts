import { Agent, createServer, request } from 'node:http';
import { connect as connectSocket } from 'node:net';
import { OptimizedRouter, type OptimizedRouterOptions } from 'keelson';
import { evaluate } from './support/process';
import { client, metricsOf, naming, serve } from './support/router';

const express5 = require('express');
const express4 = require('express4');
const connect = require('connect');
const fastify = require('fastify');
const middie = require('@fastify/middie');

type Listening =
  | Awaited<ReturnType<typeof serve>>
  | ({ close: () => Promise<unknown> } & Omit<ReturnType<typeof client>, 'close'>);

const open: Listening[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** Ways to mount a router under `/api`, in a host that answers errors with their message and what is left with 418. */
const hosts: Record<string, (router: OptimizedRouter) => Promise<Listening>> = {
  'Express 5': (router) => mounted(express5(), router),
  'Express 4': (router) => mounted(express4(), router),
  Connect: (router) => mounted(connect(), router),
  Fastify: async (router) => {
    const app = fastify();
    await app.register(middie);
    app.use('/api', router.handle);
    app.setErrorHandler((error: Error, _req: any, reply: any) =>
      reply.code(599).send(`host: ${error.message}`),
    );
    app.setNotFoundHandler((_req: any, reply: any) => reply.code(418).send('host: nothing'));
    await app.listen({ port: 0, host: '127.0.0.1' });
    return keep({ ...client(app.server), close: () => app.close() });
  },
};

function keep<T extends Listening>(one: T): T {
  open.push(one);
  return one;
}

async function mounted(app: any, router: OptimizedRouter): Promise<Listening> {
  app.use('/api', router.handle);
  app.use((_req: any, res: any) => {
    res.statusCode = 418;
    res.end('host: nothing');
  });
  app.use((error: Error, _req: any, res: any, _next: any) => {
    res.statusCode = 599;
    res.end(`host: ${error.message}`);
  });
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return keep({ server, ...client(server) });
}

async function bare(options: OptimizedRouterOptions = {}) {
  const router = new OptimizedRouter(options);
  const server = keep(await serve(router.handle));
  return { router, server };
}

describe.each(Object.keys(hosts))('mounted in %s', (name) => {
  test('serves, answers what it has not, and leaves errors to its host', async () => {
    const router = new OptimizedRouter({ autoHead: true });
    const host = await hosts[name]!(router);
    router.use(async (_req, res, next) => {
      await new Promise(setImmediate);
      res.setHeader('X-Router', 'yes');
      next();
    });
    router.addRoute(
      '/users/:id',
      naming('user', { handler: (req, res) => res.end(`user ${req.params.id}`) }),
    );
    router.addRoute(
      '/later',
      naming('later', {
        handler: async (_req, res) => {
          await new Promise(setImmediate);
          res.end('later');
        },
      }),
    );
    router.addRoute(
      '/throw',
      naming('throw', {
        handler: () => {
          throw new Error('thrown');
        },
      }),
    );
    router.addRoute(
      '/reject',
      naming('reject', {
        handler: async () => {
          throw new Error('rejected');
        },
      }),
    );
    router.addRoute('/on', naming('on', { handler: (_req, _res, next) => next() }));
    const answers = async (path: string, method = 'GET') => {
      const { status, body } = await host.ask(method, path);
      return [status, body];
    };
    expect(await answers('/api/users/a%20b?x=1')).toEqual([200, 'user a b']);
    expect((await host.ask('GET', '/api/users/1')).headers['x-router']).toBe('yes');
    expect(await answers('/api/later')).toEqual([200, 'later']);
    expect(await answers('/api/none')).toEqual([404, '{"error":"Route not found"}']);
    expect((await host.ask('PUT', '/api/later')).headers.allow).toBe('GET, HEAD');
    // Fastify refuses it before anybody else is asked.
    const malformed = name === 'Fastify' ? expect.any(String) : '{"error":"Malformed path"}';
    expect(await answers('/api/users/%ff')).toEqual([400, malformed]);
    expect(await answers('/api/throw')).toEqual([599, 'host: thrown']);
    expect(await answers('/api/reject')).toEqual([599, 'host: rejected']);
    expect(await answers('/api/on')).toEqual([418, 'host: nothing']);
    expect(await answers('/elsewhere')).toEqual([418, 'host: nothing']);
    expect(await answers('/api/users/1', 'HEAD')).toEqual([200, '']);
    expect(metricsOf(router, 'user')).toMatchObject({
      requests: 3,
      inFlight: 0,
      byStatusClass: { '2xx': 3 },
    });
    expect(metricsOf(router, 'throw')).toMatchObject({ byStatusClass: { '5xx': 1 }, errors: { thrown: 1 } });
  });
});

test('in Express, res.json and what the application set up for it are used', async () => {
  const app = express5();
  app.set('json spaces', 2);
  const router = new OptimizedRouter();
  app.use(router.handle);
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = keep({ server, ...client(server) });
  expect((await host.ask('GET', '/x')).body).toBe('{\n  "error": "Route not found"\n}');
});

describe('as the listener of a bare server', () => {
  test('answers as JSON with its length', async () => {
    const { router, server } = await bare();
    router.addRoute('/a', naming('a', { handler: (_req, res) => res.end('a') }));
    router.addRoute(
      '/throw',
      naming('throw', {
        handler: () => {
          throw new Error('secret');
        },
      }),
    );
    router.on('error', () => {});
    expect(await server.ask('GET', '/none')).toMatchObject({
      status: 404,
      body: '{"error":"Route not found"}',
      headers: { 'content-type': 'application/json; charset=utf-8', 'content-length': '27' },
    });
    expect(await server.ask('POST', '/a')).toMatchObject({ status: 405, headers: { allow: 'GET' } });
    expect(await server.ask('GET', '/throw')).toMatchObject({
      status: 500,
      body: '{"error":"Internal server error"}',
    });
    expect(await server.ask('HEAD', '/none')).toMatchObject({ status: 404, body: '' });
  });

  test('HEAD has the headers of GET and no body, OPTIONS the methods', async () => {
    const { router, server } = await bare({ autoHead: true, autoOptions: true });
    router.addRoute(
      '/a',
      naming('a', {
        handler: (_req, res) => {
          res.setHeader('Content-Length', '5');
          res.end('hello');
        },
      }),
    );
    expect(await server.ask('HEAD', '/a')).toMatchObject({
      status: 200,
      body: '',
      headers: { 'content-length': '5' },
    });
    const options = await server.ask('OPTIONS', '/a');
    expect(options).toMatchObject({ status: 204, body: '', headers: { allow: 'GET, HEAD, OPTIONS' } });
    expect(options.headers['content-type']).toBeUndefined();
  });

  test('many requests over one connection are told apart', async () => {
    const { router, server } = await bare();
    router.addRoute(
      '/:n',
      naming('n', {
        timeout: 10_000,
        handler: async (req, res, _next, { signal }) => {
          const { port } = req.socket.address();
          await new Promise(setImmediate);
          res.end(`${req.params.n} ${signal.aborted} ${port}`);
        },
      }),
    );
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, n) => server.ask('GET', `/${n}`, {}, agent)),
    );
    agent.destroy();
    expect(replies.map(({ body }) => body)).toEqual(replies.map((_, n) => `${n} false ${server.port}`));
    expect(metricsOf(router, 'n')).toMatchObject({
      requests: 50,
      inFlight: 0,
      errors: { disconnected: 0 },
      byStatusClass: { '2xx': 50 },
    });
  });

  test('pipelined requests over a raw socket', async () => {
    const { router, server } = await bare();
    router.addRoute(
      '/:n',
      naming('n', { handler: (req, res) => setImmediate(() => res.end(`<${req.params.n}>`)) }),
    );
    const socket = connectSocket(server.port, '127.0.0.1');
    socket.write(
      'GET http://keelson.test/1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2?x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    let text = '';
    for await (const chunk of socket) text += chunk;
    expect(text.match(/<\d>/g)).toEqual(['<1>', '<2>']);
  });

  test('1,000 requests at once, balanced, none lost', async () => {
    const { router, server } = await bare({ balancer: 'least-loaded' });
    let most = 0;
    for (const id of ['a', 'b', 'c', 'd']) {
      router.addRoute(
        '/x',
        naming(id, {
          timeout: 60_000,
          handler: async (_req, res) => {
            most = Math.max(most, metricsOf(router, id).inFlight);
            await new Promise(setImmediate);
            res.end(id);
          },
        }),
      );
    }
    const agent = new Agent({ keepAlive: true, maxSockets: 100 });
    const replies = await Promise.all(Array.from({ length: 1000 }, () => server.ask('GET', '/x', {}, agent)));
    agent.destroy();
    expect(replies.filter(({ status }) => status !== 200)).toEqual([]);
    for (const { requests, inFlight } of router.metrics().routes) {
      expect(requests).toBeGreaterThan(100);
      expect(inFlight).toBe(0);
    }
    expect(most).toBeGreaterThan(0);
  });

  test('a client that goes away aborts the signal and frees the handler', async () => {
    const { router, server } = await bare();
    let aborted!: (reason: any) => void;
    const reason = new Promise<any>((resolve) => {
      aborted = resolve;
    });
    let arrived!: () => void;
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    router.addRoute(
      '/a',
      naming('a', {
        timeout: 60_000,
        handler: (_req, _res, _next, { signal }) =>
          new Promise<void>((resolve) => {
            signal.addEventListener('abort', () => {
              aborted(signal.reason);
              resolve();
            });
            arrived();
          }),
      }),
    );
    const sent = request({ host: '127.0.0.1', port: server.port, path: '/a' });
    sent.on('error', () => {});
    sent.end();
    await arrival;
    expect(metricsOf(router, 'a').inFlight).toBe(1);
    sent.destroy();
    expect((await reason).name).toBe('AbortError');
    await Promise.resolve();
    expect(metricsOf(router, 'a')).toMatchObject({
      inFlight: 0,
      errors: { disconnected: 1 },
      byStatusClass: { '2xx': 0 },
    });
  });

  test('an answer that a handler begins and does not end is cut off when it fails', async () => {
    const { router, server } = await bare();
    const reported: unknown[] = [];
    router.on('error', (error) => reported.push(error));
    const boom = new Error('boom');
    router.addRoute(
      '/a',
      naming('a', {
        handler: async (_req, res) => {
          res.write('half');
          throw boom;
        },
      }),
    );
    await expect(server.ask('GET', '/a')).rejects.toThrow();
    expect(reported).toEqual([boom]);
  });

  test('an answer that was complete stays, whatever the handler does next', async () => {
    const { router, server } = await bare();
    const reported: unknown[] = [];
    router.on('error', (error) => reported.push(error));
    const boom = new Error('boom');
    router.addRoute(
      '/throw',
      naming('throw', {
        handler: (_req, res) => {
          res.end('done');
          throw boom;
        },
      }),
    );
    router.addRoute(
      '/reject',
      naming('reject', {
        handler: async (_req, res) => {
          res.end('done');
          throw boom;
        },
      }),
    );
    router.addRoute(
      '/next',
      naming('next', {
        handler: (_req, res, next) => {
          res.end('done');
          next();
          next(boom);
        },
      }),
    );
    router.addRoute(
      '/twice',
      naming('twice', {
        handler: async (_req, res) => {
          res.writeHead(200);
          res.end('done');
          res.writeHead(500);
        },
      }),
    );
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const path of ['/throw', '/reject', '/next', '/twice']) {
      expect(await server.ask('GET', path, {}, agent)).toMatchObject({ status: 200, body: 'done' });
    }
    agent.destroy();
    expect(reported.slice(0, 2)).toEqual([boom, boom]);
    expect(reported.at(-1)).toMatchObject({ code: 'ERR_HTTP_HEADERS_SENT' });
    expect(router.metrics().routes.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0, 0]);
  });

  test('a response that was over before the request arrived is left alone', () => {
    const router = new OptimizedRouter();
    const res = { headersSent: true, writableEnded: true, end: jest.fn(), setHeader: jest.fn() };
    router.handle({ method: 'GET', url: '/none' }, res);
    expect(res.end).not.toHaveBeenCalled();
    expect(res.setHeader).not.toHaveBeenCalled();
  });

  test('a stream that a handler returns before it ends is load until it has', async () => {
    const { router, server } = await bare();
    router.addRoute(
      '/a',
      naming('a', {
        handler: (_req, res) => {
          res.write('1');
          setImmediate(() => {
            expect(metricsOf(router, 'a').inFlight).toBe(1);
            res.end('2');
          });
        },
      }),
    );
    expect((await server.ask('GET', '/a')).body).toBe('12');
    expect(metricsOf(router, 'a')).toMatchObject({ inFlight: 0, latency: { count: 1 } });
  });

  test('a timeout is a 504, and a retry is a second chance', async () => {
    const { router, server } = await bare();
    router.addRoute('/never', naming('never', { timeout: 5, handler: () => {} }));
    router.addRoute(
      '/second',
      naming('second', {
        timeout: 5,
        retries: 1,
        handler: (_req, res, _next, { attempt }) => {
          if (attempt === 2) res.end('second');
        },
      }),
    );
    expect(await server.ask('GET', '/never')).toMatchObject({
      status: 504,
      body: '{"error":"Gateway timeout"}',
    });
    expect(await server.ask('GET', '/second')).toMatchObject({ status: 200, body: 'second' });
    expect(metricsOf(router, 'never')).toMatchObject({ byStatusClass: { '5xx': 1 }, inFlight: 0 });
  });

  test('what middleware answers is counted with its route', async () => {
    const { router, server } = await bare();
    router.addRoute(
      '/a',
      naming('a', {
        middleware: [
          (_req, res) => {
            res.statusCode = 401;
            res.end();
          },
        ],
      }),
    );
    expect((await server.ask('GET', '/a')).status).toBe(401);
    expect(metricsOf(router, 'a')).toMatchObject({
      requests: 1,
      byStatusClass: { '4xx': 1 },
      latency: { count: 0 },
    });
    const going = naming('b', {
      middleware: [(_req, _res, next) => next()],
      handler: (_req, res) => res.end(),
    });
    router.addRoute('/b', going);
    await server.ask('GET', '/b');
    expect(metricsOf(router, 'b')).toMatchObject({ requests: 1, byStatusClass: { '2xx': 1 } });
  });
});

test('an idle router, and a timeout of a request that was answered, keep no process alive', async () => {
  const found = await evaluate<object>(`
    const { OptimizedRouter } = require('keelson');
    const router = new OptimizedRouter({ outlier: {}, slowStart: 1000 });
    router.addRoute('/a', { id: 'a', method: 'GET', timeout: 3_600_000, handler: () => new Promise(() => {}) });
    router.handle({ path: '/a', method: 'GET' }, { status() { return this; }, json() {} });
    process.on('exit', () => console.log(JSON.stringify(router.getStats())));`);
  expect(found).toEqual({ routes: 1, cacheSize: 0, loadBalancers: 1 });
});
