import { request } from 'node:http';
import { ADMIN, CUSTOMER, TestService } from './support';

let service: TestService;

beforeEach(async () => {
  service = await new TestService().start();
});

afterEach(async () => {
  await service.stop();
  expect(service.errors).toEqual([]);
});

/** Asks for a path as it is written: fetch() would clean it. */
function ask(path: string, method = 'GET') {
  const { hostname, port } = new URL(service.url);
  return new Promise<{ status: number; body: any }>((resolve, reject) => {
    const sent = request({ hostname, port, path, method }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode!, body: text === '' ? undefined : JSON.parse(text) });
      });
    });
    sent.on('error', reject).end();
  });
}

describe('a method that a path does not have', () => {
  test.each([
    ['DELETE', '/api/products/lamp', 'GET, HEAD, OPTIONS'],
    ['GET', '/api/products/lamp/stock', 'OPTIONS, PATCH'],
    ['POST', '/api/products/lamp/stock/watch', 'GET, HEAD, OPTIONS'],
    ['PUT', '/api/session', 'DELETE, GET, HEAD, OPTIONS, POST'],
    ['POST', '/', 'GET, HEAD, OPTIONS'],
  ])('%s %s is a 405 in JSON that allows %s', async (method, path, allow) => {
    const { status, headers, body } = await service.request(method, path);
    expect([status, headers.get('allow')]).toEqual([405, allow]);
    expect(body.error).toEqual({ code: 'METHOD_NOT_ALLOWED', message: expect.stringContaining(allow) });
  });

  test('what an admin may do is told to admins', async () => {
    const { status } = await service.request('DELETE', '/api/admin/timers');
    expect(status).toBe(401);
    const cookie = await service.login(ADMIN);
    const answer = await service.request('DELETE', '/api/admin/timers', { cookie });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  test('OPTIONS is answered, HEAD has no body', async () => {
    const options = await service.request('OPTIONS', '/api/session');
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'DELETE, GET, HEAD, OPTIONS, POST']);
    const head = await ask('/api/products/lamp', 'HEAD');
    expect([head.status, head.body]).toEqual([200, undefined]);
  });
});

describe('escapes in paths', () => {
  test('are decoded in parameters', async () => {
    expect((await ask('/api/products/l%61mp')).body.id).toBe('lamp');
    const { status, body } = await ask('/api/products/cr%C3%A8me');
    expect([status, body.error.message]).toEqual([404, 'There is no product "crème"']);
  });

  test('an escaped slash parts no segments', async () => {
    const { status, body } = await ask('/api/products/lamp%2Fstock%2Fwatch');
    expect([status, body.error.message]).toEqual([404, 'There is no product "lamp/stock/watch"']);
  });

  test.each(['/api/products/%', '/api/products/%zz', '/api/products/%C3', '/api/products/%ff/delivery'])(
    '%s is a 400',
    async (path) => {
      const { status, body } = await ask(path);
      expect(status).toBe(400);
      expect(body.error).toEqual({ code: 'BAD_REQUEST', message: 'The path has a malformed escape' });
    },
  );

  test('are no way around the admin’s door', async () => {
    const cookie = await service.login(CUSTOMER);
    expect((await service.get('/api/admin/caches', cookie)).status).toBe(403);
    for (const path of [
      '//api/admin/caches',
      '/api//admin/caches',
      '/api/%61dmin/caches',
      '/api/products/../admin/caches',
      '/api/admin%2Fcaches',
      '/API/admin/caches',
    ]) {
      const { status } = await ask(path);
      expect([path, status >= 401 && status <= 404]).toEqual([path, true]);
    }
  });
});

test('slashes that say nothing change nothing', async () => {
  for (const path of ['/api/products/lamp/', '//api//products//lamp', '/api/products/lamp?']) {
    expect([path, (await ask(path)).body.id]).toEqual([path, 'lamp']);
  }
});

test('metrics tell the routes apart', async () => {
  for (const id of ['lamp', 'flask', 'nothing']) await service.get(`/api/products/${id}`);
  await service.get('/api/categories');
  await service.request('PUT', '/api/categories');
  const { routes } = (await service.get('/api/metrics')).body;
  const reports = new Map<string, any>(routes.map((report: any) => [report.route, report]));
  expect([...reports.keys()]).toEqual(['GET /api/metrics', 'GET /api/categories', 'GET /api/products/:id']);
  expect(reports.get('GET /api/products/:id')).toEqual({
    route: 'GET /api/products/:id',
    requests: 3,
    inFlight: 0,
    byStatus: { '2xx': 2, '4xx': 1 },
    latencyMs: { p50: expect.any(Number), p99: expect.any(Number), max: expect.any(Number) },
  });
  const { p50, p99, max } = reports.get('GET /api/products/:id').latencyMs;
  expect([0 < p50, p50 <= p99, p99 <= max]).toEqual([true, true, true]);
  // The request that asks is under way itself.
  expect(reports.get('GET /api/metrics')).toMatchObject({ requests: 1, inFlight: 1, byStatus: {} });
});

test('a request that timed out is counted for its route', async () => {
  let giveUp = () => {};
  const carrier = () => new Promise<undefined>((resolve) => (giveUp = () => resolve(undefined)));
  const slow = await new TestService({ requestTimeout: 250, carrier }).start();
  const { status } = await slow.get('/api/products/lamp/delivery?country=DE');
  giveUp();
  const { routes } = (await slow.get('/api/metrics')).body;
  expect(status).toBe(504);
  expect(routes).toContainEqual(
    expect.objectContaining({ route: 'GET /api/products/:id/delivery', byStatus: { '5xx': 1 }, inFlight: 0 }),
  );
  await slow.stop();
  expect(slow.errors).toEqual([]);
});
