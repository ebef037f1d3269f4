import { SESSION_LIFETIME } from '../src/services/sessions';
import { ADMIN, CUSTOMER, TestService } from './support';

let service: TestService;

beforeEach(async () => {
  service = await new TestService().start();
});

afterEach(async () => {
  jest.restoreAllMocks();
  await service.stop();
  expect(service.errors).toEqual([]);
});

test('login, who am I, logout', async () => {
  const answer = await service.request('POST', '/api/session', { body: CUSTOMER });
  expect(answer.status).toBe(201);
  expect(answer.body).toEqual({ user: { name: 'grace', role: 'customer' }, since: expect.any(String) });
  const setCookie = answer.headers.get('set-cookie')!;
  expect(setCookie).toMatch(/^sid=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  const cookie = setCookie.split(';')[0]!;
  expect((await service.get('/api/session', cookie)).body.user.name).toBe('grace');
  expect((await service.request('DELETE', '/api/session', { cookie })).status).toBe(204);
  expect((await service.get('/api/session', cookie)).status).toBe(401);
});

test.each([
  [401, { name: 'grace', password: 'wrong' }],
  [401, { name: 'nobody', password: 'wrong' }],
  [401, { name: '__proto__', password: 'x' }],
  [400, { name: 'grace' }],
  [400, { name: ['grace'], password: 'x' }],
  [400, { name: 'grace', password: 'x'.repeat(201) }],
  [400, { ...CUSTOMER, admin: true }],
])('%i for %j', async (status, body) => {
  const answer = await service.request('POST', '/api/session', { body });
  expect(answer.status).toBe(status);
  expect(answer.headers.get('set-cookie')).toBeNull();
});

test.each([
  [400, '{"name":', 'application/json'],
  [400, 'name=grace', 'application/x-www-form-urlencoded'],
  [413, JSON.stringify({ name: 'x'.repeat(20_000) }), 'application/json'],
])('%i for a body that cannot be read', async (status, body, type) => {
  const answer = await fetch(`${service.url}/api/session`, {
    method: 'POST',
    headers: { 'content-type': type },
    body,
  });
  expect(answer.status).toBe(status);
  expect(await answer.json()).toEqual({ error: { code: expect.any(String), message: expect.any(String) } });
});

test('a session ends half an hour after its last use', async () => {
  const cookie = await service.login(CUSTOMER);
  const start = Date.now();
  const clock = jest.spyOn(Date, 'now');
  clock.mockReturnValue(start + SESSION_LIFETIME - 1000);
  expect((await service.get('/api/session', cookie)).status).toBe(200);
  clock.mockReturnValue(start + 2 * SESSION_LIFETIME - 2000);
  expect((await service.get('/api/session', cookie)).status).toBe(200);
  clock.mockReturnValue(start + 3 * SESSION_LIFETIME);
  expect((await service.get('/api/session', cookie)).status).toBe(401);
});

test('the sweep drops sessions that nobody comes back to', async () => {
  await service.login(CUSTOMER);
  const { sessions } = service.context;
  expect(sessions.sweep()).toBe(1);
  const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + SESSION_LIFETIME + 1);
  expect(sessions.sweep()).toBe(0);
  clock.mockRestore();
  expect(sessions.cache.size).toBe(0);
});

test('recently viewed products, the latest first, each once, ten at most', async () => {
  const cookie = await service.login(CUSTOMER);
  const ids = service.context.catalogue
    .find({ text: '', category: '', sort: 'name', page: 1, pageSize: 12 })
    .items.map(({ id }) => id);
  for (const id of [...ids, ids[5]!]) await service.get(`/api/products/${id}`, cookie);
  const { body } = await service.get('/api/recently-viewed', cookie);
  const rest = ids.slice(2).reverse();
  expect(body.items.map(({ id }: { id: string }) => id)).toEqual([
    ids[5],
    ...rest.filter((id) => id !== ids[5]),
  ]);
  expect((await service.get('/api/recently-viewed')).status).toBe(401);
});

describe('administration', () => {
  test('is for admins', async () => {
    const customer = await service.login(CUSTOMER);
    for (const path of ['timers', 'caches', 'nothing']) {
      expect((await service.get(`/api/admin/${path}`)).status).toBe(401);
      expect((await service.get(`/api/admin/${path}`, customer)).status).toBe(403);
    }
  });

  test('shows timers, jobs and caches', async () => {
    const cookie = await service.login(ADMIN);
    await service.get('/api/search?q=lamp');
    const timers = (await service.get('/api/admin/timers', cookie)).body;
    expect(timers.background).toEqual({ timeouts: 0, intervals: 3, total: 3 });
    // The request that asks has a timeout of its own.
    expect(timers.requests.timeouts).toBeGreaterThanOrEqual(1);
    expect(timers.jobs.map(({ name }: { name: string }) => name)).toEqual([
      'catalogue refresh',
      'session sweep',
      'metric roll-up',
    ]);
    const caches = (await service.get('/api/admin/caches', cookie)).body;
    expect(caches.searches).toMatchObject({ misses: 1, currentSize: 1, maxSize: 200 });
    expect(caches.sessions).toMatchObject({ currentSize: 1, maxSize: 10_000 });
  });

  test('clears caches, but not the sessions', async () => {
    const cookie = await service.login(ADMIN);
    await service.get('/api/products/lamp');
    const clear = async (name: string) =>
      (await service.request('DELETE', `/api/admin/caches/${name}`, { cookie })).status;
    expect(await clear('products')).toBe(204);
    expect(service.context.catalogue.views.size).toBe(0);
    expect(await clear('sessions')).toBe(404);
    expect(await clear('constructor')).toBe(404);
  });

  test('refreshes the catalogue on demand', async () => {
    const cookie = await service.login(ADMIN);
    const { status, body } = await service.request('POST', '/api/admin/refresh', { cookie });
    expect([status, body.products]).toEqual([200, 25]);
  });
});
