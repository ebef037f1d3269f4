import { inspect } from 'node:util';
import { Dashboard, type DashboardOptions, OptimizedRouter } from 'keelson';
import { Looker, make, serve, TOKEN, useDashboards } from './support/dashboards';
import { get } from './support/wires';

const express5 = require('express');
const express4 = require('express4');
const connect = require('connect');
const fastify = require('fastify');
const middie = require('@fastify/middie');

useDashboards();

const BASE = '/_keelson/';
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
/** Of a stream only the head is asked for. */
const status = async (port: number, headers: Record<string, string> = {}) =>
  (await get(port, `${BASE}events`, { method: 'HEAD', headers: { ...bearer(TOKEN), ...headers } })).status;

function bare(dashboard: Dashboard) {
  const middleware = dashboard.middleware();
  return serve((req, res) => middleware(req, res, () => res.end('rest')));
}

describe('options', () => {
  test.each<[any, string]>([
    [{ path: '' }, "a path as '/_keelson', without a slash at its end, but it is ''"],
    [{ path: 'x' }, 'without a slash at its end'],
    [{ path: '/x/' }, 'without a slash at its end'],
    [{ path: '/' }, 'without a slash at its end'],
    [{ path: '/x?y' }, 'without a slash at its end'],
    [{ path: 5 }, 'without a slash at its end'],
    [{ token: true }, '16 visible ASCII characters or more, or false for none, but it is true'],
    [{ token: 'with a space in it' }, '16 visible ASCII characters'],
    [{ remote: 'yes' }, 'a boolean'],
    [{ interval: 249 }, 'a whole number from 250 to 60000'],
    [{ interval: 60_001 }, 'a whole number from 250 to 60000'],
    [{ maxViewers: 0 }, 'a whole number from 1 to 1000'],
    [{ tokens: 'x' }, '"options.tokens" is not an option'],
  ])('%p is refused', (options, message) => {
    const error = expect.objectContaining({ code: 'ERR_KEELSON_INVALID_ARGUMENT' });
    expect(() => new Dashboard(options)).toThrow(error);
    expect(() => new Dashboard(options)).toThrow(message);
  });

  test('a token that is too short is refused without being told', () => {
    let message = '';
    try {
      new Dashboard({ token: 'hunter2' });
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain('a string of 7 characters');
    expect(message).not.toContain('hunter2');
  });
});

describe('the token', () => {
  test('is random, of 256 bits, and told by token and url() only', () => {
    const [one, other] = [new Dashboard(), new Dashboard()];
    expect(one.token).not.toBe(other.token);
    expect(Buffer.from(one.token!, 'base64url')).toHaveLength(32);
    expect(one.url('http://localhost:3000')).toBe(`http://localhost:3000/_keelson/#token=${one.token}`);
    expect(inspect(one, { depth: 9, showHidden: true }) + JSON.stringify(one)).not.toContain(one.token);
  });

  test('url() knows the path, a prefix, and whether there is a token', () => {
    const dashboard = make({ path: '/ops/live', token: 'a+b/c=d&e#f%g-16' });
    const url = new URL(dashboard.url('https://example.com/prefix/'));
    expect([url.pathname, url.search]).toEqual(['/prefix/ops/live/', '']);
    expect(new URLSearchParams(url.hash.slice(1)).get('token')).toBe('a+b/c=d&e#f%g-16');
    expect(make({ token: false }).url('http://[::1]:80')).toBe('http://[::1]:80/_keelson/');
    for (const origin of ['localhost:3000', 'http://', 'http://x/?a', 'ftp://x', 5 as any])
      expect(() => dashboard.url(origin)).toThrow('"origin" must be');
  });

  test('is what figures need, in a header, and nothing else does', async () => {
    const { port } = await bare(make());
    const without = await get(port, `${BASE}events`);
    expect([without.status, without.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    expect(await status(port, bearer(`${TOKEN}x`))).toBe(401);
    expect(await status(port, { authorization: `Basic ${TOKEN}` })).toBe(401);
    expect((await get(port, `${BASE}events?token=${TOKEN}`)).status).toBe(401);
    expect(await status(port)).toBe(200);
    const page = await get(port, BASE);
    expect(page.status).toBe(200);
    expect(page.body).not.toContain(TOKEN);
  });

  test('is not needed with false', async () => {
    const dashboard = make({ token: false });
    const { port } = await bare(dashboard);
    expect(dashboard.token).toBeUndefined();
    expect((await get(port, `${BASE}events`, { method: 'HEAD' })).status).toBe(200);
  });
});

describe('who is let in', () => {
  test.each([
    [200, 'localhost'],
    [200, 'localhost:3000'],
    [200, 'LOCALHOST'],
    [200, 'app.localhost:80'],
    [200, '127.0.0.1:3000'],
    [200, '127.8.8.8'],
    [200, '[::1]:3000'],
    [403, 'example.com'],
    [403, 'localhost.example.com'],
    [403, 'notlocalhost'],
    [403, '127.0.0.1.example.com'],
    [403, '192.168.0.1:3000'],
    [403, '0.0.0.0'],
    [403, '[::]:3000'],
    [403, 'x'],
  ])('%i for the host %p, as pages of others may have led a browser here', async (expected, host) => {
    const { port } = await bare(make());
    expect(await status(port, { host })).toBe(expected);
  });

  test.each(['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'])(
    'nobody through a proxy, which %s tells of',
    async (name) => {
      const [local, remote] = [await bare(make()), await bare(make({ remote: true }))];
      const headers = { ...bearer(TOKEN), [name]: '127.0.0.1' };
      const refused = await get(local.port, BASE, { headers });
      expect(refused.status).toBe(403);
      expect(refused.body).toContain(`(${name})`);
      expect(refused.body).toContain('`remote: true`');
      expect(await status(remote.port, { [name]: '127.0.0.1' })).toBe(200);
    },
  );

  test.each([
    [200, '127.0.0.1'],
    [200, '127.255.0.9'],
    [200, '::1'],
    [200, '::ffff:127.0.0.1'],
    [403, '10.0.0.1'],
    [403, '::ffff:10.0.0.1'],
    [403, 'fe80::1'],
    [403, '::'],
    [403, '::127.0.0.1'],
  ])('%i for the address %s', async (expected, remoteAddress) => {
    const { port, server } = await bare(make());
    server.prependListener('connection', (socket) =>
      Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress }),
    );
    expect(await status(port)).toBe(expected);
  });

  test('remote: true lets in other hosts, who still need the token', async () => {
    const { port } = await bare(make({ remote: true }));
    expect(await status(port, { host: 'example.com' })).toBe(200);
    expect(await status(port, { host: 'example.com', ...bearer('wrong') })).toBe(401);
  });
});

describe('answers', () => {
  test('everything has headers that keep it apart from others', async () => {
    const { port } = await bare(make());
    for (const path of ['', 'main.js', 'style.css', 'none', 'events']) {
      const { headers } = await get(port, BASE + path, { method: 'HEAD', headers: bearer(TOKEN) });
      expect(String(headers['content-security-policy']).split('; ').sort()).toEqual([
        "base-uri 'none'",
        "connect-src 'self'",
        "default-src 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        'img-src data:',
        "script-src 'self'",
        "style-src 'self'",
      ]);
      expect(headers).toMatchObject({
        'cache-control': expect.stringMatching(/^no-store/),
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      });
      expect(Object.keys(headers)).not.toContain('access-control-allow-origin');
    }
  });

  test('all that the page refers to is there, relative, and its only address is that of SVG', async () => {
    const { port } = await bare(make());
    const types: Record<string, string> = { css: 'text/css', js: 'text/javascript' };
    const seen = new Set(['']);
    for (const name of seen) {
      const { status, headers, body } = await get(port, BASE + name);
      expect([name, status]).toEqual([name, 200]);
      const type = types[name.split('.').at(-1)!] ?? 'text/html';
      expect(headers['content-type']).toBe(`${type}; charset=utf-8`);
      expect(headers['content-length']).toBe(String(Buffer.byteLength(body)));
      const found = body.matchAll(/(?:src|href)="([^"#][^"]*)"|from '([^']+)'/g);
      for (const [, inPage, inModule] of found) {
        const reference = (inPage ?? inModule)!;
        if (!reference.startsWith('data:')) seen.add(reference.replace(/^\.\//, ''));
      }
      for (const [address] of body.matchAll(/[a-z]+:\/\/[^'"\s]*/g))
        expect(address).toBe('http://www.w3.org/2000/svg');
      expect(body).not.toMatch(/<script>|<style>| style="| on[a-z]+="|\beval\(|new Function|innerHTML/);
    }
    expect([...seen]).toEqual(expect.arrayContaining(['style.css', 'main.js', 'chart.js']));
  });

  test('HEAD is answered without a body, other methods with 405', async () => {
    const { port } = await bare(make());
    const head = await get(port, BASE, { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head.headers['content-length']).toBe((await get(port, BASE)).headers['content-length']);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await get(port, `${BASE}events`, { method, headers: bearer(TOKEN) });
      expect([status, headers.allow]).toEqual([405, 'GET, HEAD']);
    }
  });

  test.each([
    'x',
    'main.ts',
    'tsconfig.json',
    '../dashboard.js',
    '..%2fdashboard.js',
    '/main.js',
    'main.js/',
    'constructor',
  ])('%s is no file of the page', async (name) => {
    const { port } = await bare(make());
    expect((await get(port, BASE + name)).status).toBe(404);
  });

  test('paths beside its own are left alone', async () => {
    const { port } = await bare(make());
    for (const path of ['/', '/_keelsonx', '/_keelson2/', '/x/_keelson/', '//_keelson/'])
      expect((await get(port, path)).body).toBe('rest');
  });

  test('a path of the service’s choice', async () => {
    const { port } = await bare(make({ path: '/ops/live' }));
    expect((await get(port, '/ops/live')).headers.location).toBe('./live/');
    expect((await get(port, '/ops/live/main.js')).status).toBe(200);
    expect((await get(port, BASE)).body).toBe('rest');
  });
});

type Mount = (options: DashboardOptions) => Promise<{ port: number }>;

/** An app of Connect's kind with the dashboard's middleware, or its handler at a path. */
function mounted(app: any, at: string | undefined, options: DashboardOptions) {
  const dashboard = make(options);
  if (at === undefined) app.use(dashboard.middleware());
  else app.use(at, dashboard.handler());
  app.use((_req: any, res: any) => res.end('rest'));
  return serve(app);
}

async function inFastify(at: string | undefined, options: DashboardOptions) {
  const dashboard = make(options);
  const app = fastify();
  await app.register(middie);
  if (at === undefined) app.use(dashboard.middleware());
  else app.use(at, dashboard.handler());
  app.get('/', () => 'rest');
  await app.ready();
  return serve(app.routing);
}

const hosts: Record<string, [mount: Mount, base: string]> = {
  'Express 5': [(options) => mounted(express5(), undefined, options), '/_keelson'],
  'Express 5 at a path': [(options) => mounted(express5(), '/x/y', options), '/x/y'],
  'Express 4': [(options) => mounted(express4(), undefined, options), '/_keelson'],
  'Express 4 at a path': [(options) => mounted(express4(), '/x', options), '/x'],
  Connect: [(options) => mounted(connect(), undefined, options), '/_keelson'],
  'Connect at a path': [(options) => mounted(connect(), '/x', options), '/x'],
  Fastify: [(options) => inFastify(undefined, options), '/_keelson'],
  'Fastify at a path': [(options) => inFastify('/x', options), '/x'],
  OptimizedRouter: [
    (options) => {
      const router = new OptimizedRouter();
      router.use(make(options).middleware());
      router.addRoute('/', { id: '/', method: '*', handler: (_req: any, res: any) => res.end('rest') });
      return serve(router.handle);
    },
    '/_keelson',
  ],
  'Express 5 within another': [
    (options) => {
      const inner = express5();
      inner.use(make(options).middleware());
      const app = express5();
      app.use('/admin', inner);
      app.use((_req: any, res: any) => res.end('rest'));
      return serve(app);
    },
    '/admin/_keelson',
  ],
  'a bare server': [(options) => bare(make(options)), '/_keelson'],
};

describe.each(Object.keys(hosts))('in %s', (name) => {
  test('serves the page, its files and figures, and leaves the rest', async () => {
    const [mount, base] = hosts[name]!;
    const { port } = await mount({});
    expect((await get(port)).body).toBe('rest');
    const moved = await get(port, `${base}?x=1`);
    expect([moved.status, new URL(moved.headers.location!, `http://h/proxy${base}`).pathname]).toEqual([
      302,
      `/proxy${base}/`,
    ]);
    expect((await get(port, `${base}/`)).body).toContain('<title>keelson dashboard</title>');
    expect((await get(port, `${base}/main.js?v=1`)).status).toBe(200);
    expect((await get(port, `${base}/events`)).status).toBe(401);
    expect((await get(port, `${base}/`, { method: 'POST' })).status).toBe(405);
    const looker = await Looker.look(port, `${base}/events`);
    await looker.until(2);
    expect(looker.events[0]).toMatchObject({ name: 'process', data: { pid: process.pid } });
  });
});

test('handler() has a server of its own', async () => {
  const { port } = await serve(make().handler());
  expect((await get(port, '/')).status).toBe(200);
  expect((await get(port, '/main.js')).status).toBe(200);
  await (await Looker.look(port, '/events')).until(1);
});
