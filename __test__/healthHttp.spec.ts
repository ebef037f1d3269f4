import { createServer, type RequestListener } from 'node:http';
import { Health, type HealthHandlerOptions, Lifecycle, OptimizedRouter } from 'keelson';
import { faultsOf } from './support/healthDocument';
import { get, listen } from './support/wires';

const express5 = require('express');
const express4 = require('express4');
const connect = require('connect');

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  open.push(() => server.close());
  return listen(server);
}

/** A service with a check that is as it is told. */
function checked() {
  const state = { isUp: true };
  const lifecycle = new Lifecycle();
  const health = new Health({
    lifecycle,
    version: '1',
    eventLoopLag: false,
    memory: false,
    checks: {
      db: {
        cache: 0,
        check: () => {
          if (!state.isUp) throw new Error('password refused for root@10.0.0.7');
        },
      },
    },
  });
  return { state, lifecycle, health };
}

async function ready() {
  const all = checked();
  await all.lifecycle.ready();
  return all;
}

describe('the bare handler', () => {
  test('answers 200 or 503 with a document that the draft’s rules hold for, and no cache keeps', async () => {
    const { health, state } = await ready();
    const port = await serve(health.handler('ready', { details: true }));
    const up = await get(port);
    state.isUp = false;
    const down = await get(port);
    expect([up.status, down.status]).toEqual([200, 503]);
    for (const { headers, body } of [up, down]) {
      expect(headers).toMatchObject({
        'content-type': 'application/health+json',
        'cache-control': 'no-store',
        'content-length': String(Buffer.byteLength(body)),
      });
      expect(faultsOf(JSON.parse(body))).toEqual([]);
    }
    expect(JSON.parse(up.body)).toMatchObject({ status: 'pass', version: '1' });
    expect(JSON.parse(down.body)).toMatchObject({
      status: 'fail',
      output: 'db:responseTime: password refused for root@10.0.0.7',
    });
  });

  test('warns with 200', async () => {
    const { health } = await ready();
    health.addCheck('disk', () => ({ status: 'warn' }));
    const { status, body } = await get(await serve(health.handler('ready')));
    expect([status, JSON.parse(body).status]).toEqual([200, 'warn']);
  });

  test('HEAD is answered without a body, other methods with 405', async () => {
    const { health, state } = await ready();
    const port = await serve(health.handler('ready'));
    const head = await get(port, '/', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head.headers['content-length']).toBe((await get(port)).headers['content-length']);
    state.isUp = false;
    expect((await get(port, '/', { method: 'HEAD' })).status).toBe(503);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status, headers, body } = await get(port, '/', { method });
      expect([status, headers.allow, body]).toEqual([405, 'GET, HEAD', '']);
    }
  });

  test.each<[string, HealthHandlerOptions, boolean]>([
    ['by default', {}, false],
    ['false', { details: false }, false],
    ['true', { details: true }, true],
    ['a function that agrees', { details: (req) => req.headers.host !== '' }, true],
    ['a function that does not', { details: () => false }, false],
    ['a function that gives no boolean', { details: () => 'no' as any }, false],
    [
      'a function that throws',
      {
        details: () => {
          throw new Error('who?');
        },
      },
      false,
    ],
  ])('outsiders see no checks, nor what they say: %s', async (_name, options, isTold) => {
    const { health, state } = await ready();
    state.isUp = false;
    const { body } = await get(await serve(health.handler('health', options)));
    if (isTold) {
      expect(body).toContain('10.0.0.7');
      expect(JSON.parse(body).checks).toHaveProperty(['db:responseTime']);
    } else {
      expect(JSON.parse(body)).toEqual({ status: 'fail', version: '1' });
    }
  });

  test('who drains says so to everybody', async () => {
    const { health, lifecycle } = await ready();
    let stop!: () => void;
    lifecycle.register('a', { stop: () => new Promise<void>((resolve) => (stop = resolve)) });
    const shutdown = lifecycle.shutdown();
    const answers = await Promise.all(
      (['ready', 'health', 'live', 'startup'] as const).map(async (question) => {
        const { status, body } = await get(await serve(health.handler(question)));
        return [status, JSON.parse(body).output];
      }),
    );
    expect(answers).toEqual([
      [503, 'draining'],
      [503, 'draining'],
      [200, undefined],
      [200, undefined],
    ]);
    stop();
    await shutdown;
  });
});

const hosts: Record<string, (health: Health) => RequestListener> = {
  'Express 5': (health) => mounted(express5(), health),
  'Express 4': (health) => mounted(express4(), health),
  Connect: (health) => mounted(connect(), health),
  OptimizedRouter: (health) => {
    const router = new OptimizedRouter();
    router.use(health.middleware());
    for (const path of ['/', '/*']) {
      router.addRoute(path, { id: path, method: '*', handler: (_req: any, res: any) => res.end('rest') });
    }
    return router.handle;
  },
  'a bare server': (health) => {
    const middleware = health.middleware();
    return (req, res) => middleware(req, res, () => res.end('rest'));
  },
};

function mounted(app: any, health: Health): RequestListener {
  app.use(health.middleware());
  app.use((_req: any, res: any) => res.end('rest'));
  return app;
}

describe.each(Object.keys(hosts))('middleware in %s', (name) => {
  test('answers its four paths and leaves the others', async () => {
    const { health, state, lifecycle } = checked();
    const port = await serve(hosts[name]!(health));
    const statuses = async () => {
      const paths = ['/livez', '/readyz?verbose', '/startupz', '/health'];
      return Promise.all(paths.map(async (path) => (await get(port, path)).status));
    };
    expect(await statuses()).toEqual([200, 503, 503, 503]);
    await lifecycle.ready();
    expect(await statuses()).toEqual([200, 200, 200, 200]);
    state.isUp = false;
    expect(await statuses()).toEqual([200, 503, 200, 503]);
    expect((await get(port, '/readyz', { method: 'HEAD' })).status).toBe(503);
    expect((await get(port, '/readyz', { method: 'POST' })).status).toBe(405);
    for (const path of ['/', '/livez/', '/readyz/x', '/x?/readyz']) {
      expect(await get(port, path)).toMatchObject({ status: 200, body: 'rest' });
    }
  });
});

test('middleware is mounted below a path, and answers where it is told to', async () => {
  const { health } = await ready();
  const app = express5();
  app.use('/internal', health.middleware({ live: '/up', startup: false, details: true }));
  const port = await serve(app);
  const paths = ['/internal/up', '/internal/readyz', '/internal/startupz', '/internal/livez', '/up'];
  const statuses = await Promise.all(paths.map(async (path) => (await get(port, path)).status));
  expect(statuses).toEqual([200, 200, 404, 404, 404]);
});

test.each([
  ['an unknown question', (health: Health) => health.handler('well' as any)],
  ['unknown details', (health: Health) => health.handler('live', { details: 'all' as any })],
  ['an unknown option', (health: Health) => health.middleware({ path: '/x' } as any)],
  ['a path that is none', (health: Health) => health.middleware({ live: true as any })],
])('%s is refused', (_name, call) => {
  expect(() => call(checked().health)).toThrow(
    expect.objectContaining({ code: 'ERR_KEELSON_INVALID_ARGUMENT' }),
  );
});
