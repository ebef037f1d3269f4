import { readConfig } from '../src/config';
import type { LimitOptions } from '../src/limits/settings';
import { ADMIN, CUSTOMER, TestService, until } from './support';

const LAMP = '/api/products/lamp';
const WRONG = { name: CUSTOMER.name, password: 'wrong' };

let service: TestService;

async function start(limits: LimitOptions): Promise<void> {
  service = await new TestService({ limits }).start();
}

afterEach(async () => {
  jest.restoreAllMocks();
  await service?.stop();
  expect(service?.errors ?? []).toEqual([]);
});

/** The status of a request that a proxy passes on for a client. */
async function statusFor(forwardedFor: string, path = LAMP): Promise<number> {
  const response = await fetch(service.url + path, { headers: { 'x-forwarded-for': forwardedFor } });
  await response.text();
  return response.status;
}

async function logIn(body: object, forwardedFor = '192.0.2.1') {
  const response = await fetch(`${service.url}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': forwardedFor },
    body: JSON.stringify(body),
  });
  const { error } = (await response.json()) as { error?: { code: string } };
  return { status: response.status, code: error?.code, headers: response.headers };
}

const logInStatus = async (body: object, forwardedFor?: string) => (await logIn(body, forwardedFor)).status;

describe('requests of a client', () => {
  test('answers tell what is left', async () => {
    await start({ requestLimit: 3 });
    for (const left of [2, 1, 0]) {
      const { status, headers } = await service.get(LAMP);
      expect(status).toBe(200);
      expect(headers.get('x-ratelimit-limit')).toBe('3');
      expect(headers.get('x-ratelimit-remaining')).toBe(String(left));
      expect(Date.parse(headers.get('x-ratelimit-reset')!)).toBeGreaterThan(Date.now() - 1000);
      expect(headers.get('ratelimit-policy')).toBe('"requests";q=3;w=60');
      expect(headers.get('ratelimit')).toMatch(new RegExp(`^"requests";r=${left};t=\\d+$`));
      expect(headers.get('retry-after')).toBeNull();
    }
  });

  test('too many are refused in the form of all errors here, wherever they go', async () => {
    await start({ requestLimit: 2 });
    for (let request = 0; request < 2; request++) expect((await service.get(LAMP)).status).toBe(200);
    for (const path of [LAMP, '/', '/api/nothing', '/api/admin/caches', '/api/metrics']) {
      const { status, body, headers } = await service.get(path);
      const wait = Number(headers.get('retry-after'));
      expect(wait).toBeGreaterThanOrEqual(1);
      expect(wait).toBeLessThanOrEqual(120);
      expect(status).toBe(429);
      const message = `Too many requests; try again in ${wait} s`;
      expect(body).toEqual({ error: { code: 'TOO_MANY_REQUESTS', message } });
    }
    expect(service.context.limits.state()).toEqual({ source: 'memory', denied: { requests: 5, logins: 0 } });
  });

  test('a handler that was refused its request has not seen it', async () => {
    await start({ requestLimit: 1 });
    const cookie = await service.login(ADMIN);
    const { status } = await service.request('PATCH', `${LAMP}/stock`, { body: { delta: -1 }, cookie });
    expect([status, service.context.catalogue.get('lamp')?.stock]).toEqual([429, 15]);
  });

  test('health, readiness and assets are for everybody', async () => {
    await start({ requestLimit: 1 });
    await service.get(LAMP);
    for (const path of ['/health', '/ready', '/assets/page.css']) {
      for (const method of ['GET', 'HEAD']) {
        const { status, headers } = await fetch(service.url + path, { method });
        expect([status, headers.get('x-ratelimit-limit')]).toEqual([200, null]);
      }
    }
    expect((await service.get(LAMP)).status).toBe(429);
  });

  test('what was used comes back', async () => {
    await start({ requestLimit: 1 });
    await service.get(LAMP);
    expect((await service.get(LAMP)).status).toBe(429);
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 2 * 60_000);
    expect((await service.get(LAMP)).status).toBe(200);
  });

  test('who asks at once gets no more than who asks one by one', async () => {
    await start({ requestLimit: 50 });
    // Whatever the minute: in the next one there would be room again.
    jest.spyOn(Date, 'now').mockReturnValue(Date.now());
    const answers = await Promise.all(Array.from({ length: 200 }, () => service.get(LAMP)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(50);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(150);
  });
});

describe('who the client is', () => {
  test('what a client says of itself is not believed', async () => {
    await start({ requestLimit: 1 });
    expect(await statusFor('192.0.2.1')).toBe(200);
    expect(await statusFor('192.0.2.2')).toBe(429);
  });

  test.each([
    ['so many proxies', 1],
    ['proxies of a network', ['127.0.0.0/8', '::1']],
  ])('%s are believed, and what comes from before them is not', async (_which, trustedProxies) => {
    await start({ requestLimit: 1, trustedProxies });
    expect(await statusFor('192.0.2.1')).toBe(200);
    expect(await statusFor('192.0.2.2')).toBe(200);
    expect(await statusFor('203.0.113.7, 192.0.2.1')).toBe(429);
  });

  test('addresses of one IPv6 network are one client', async () => {
    await start({ requestLimit: 1, trustedProxies: 1 });
    expect(await statusFor('2001:db8:0:aa00::1')).toBe(200);
    expect(await statusFor('2001:db8:0:aaff::2')).toBe(429);
    expect(await statusFor('2001:db8:0:ab00::1')).toBe(200);
  });

  test('a proxy that is believed tells of TLS too', async () => {
    await start({ trustedProxies: 1 });
    const response = await fetch(`${service.url}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-proto': 'https' },
      body: JSON.stringify(CUSTOMER),
    });
    expect(response.headers.get('set-cookie')).toContain('; Secure');
  });
});

describe('logins', () => {
  test('after some wrong passwords the right one is not looked at', async () => {
    await start({ loginLimit: 3 });
    const login = jest.spyOn(service.context.sessions, 'login');
    for (let guess = 0; guess < 3; guess++) expect(await logInStatus(WRONG)).toBe(401);
    const { status, code, headers } = await logIn(CUSTOMER);
    expect([status, code]).toEqual([429, 'TOO_MANY_REQUESTS']);
    expect(headers.get('ratelimit-policy')).toBe('"logins";q=3;w=900');
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(800);
    expect(login).toHaveBeenCalledTimes(3);
    expect(service.context.limits.state().denied).toEqual({ requests: 0, logins: 1 });
  });

  test('guesses at once are no way around', async () => {
    await start({ loginLimit: 3 });
    const statuses = await Promise.all(Array.from({ length: 20 }, () => logInStatus(WRONG)));
    expect(statuses.filter((status) => status === 401)).toHaveLength(3);
    expect(statuses.filter((status) => status === 429)).toHaveLength(17);
  });

  test('neither others of that address nor the one who is meant are locked out', async () => {
    await start({ loginLimit: 1, trustedProxies: 1 });
    expect(await logInStatus(WRONG)).toBe(401);
    expect(await logInStatus(CUSTOMER)).toBe(429);
    expect(await logInStatus(ADMIN)).toBe(201);
    expect(await logInStatus(CUSTOMER, '192.0.2.9')).toBe(201);
  });

  test('right passwords do not count, nor do bodies that say nothing', async () => {
    await start({ loginLimit: 1 });
    for (let round = 0; round < 5; round++) {
      expect(await logInStatus(CUSTOMER)).toBe(201);
      for (const body of [{ name: CUSTOMER.name }, { ...WRONG, admin: true }, { ...WRONG, name: '' }])
        expect(await logInStatus(body)).toBe(400);
    }
    expect(await logInStatus(WRONG)).toBe(401);
    expect(await logInStatus(CUSTOMER)).toBe(429);
  });

  test('who leaves before the answer has guessed all the same', async () => {
    await start({ loginLimit: 2 });
    const { logins } = service.context.limits;
    for (let guess = 1; guess <= 2; guess++) {
      const leaving = new AbortController();
      const asking = service.request('POST', '/api/session', { body: WRONG, signal: leaving.signal });
      await until(() => logins.metrics().allowed === guess);
      leaving.abort();
      await expect(asking).rejects.toThrow();
      await until(() => service.context.metrics.snapshot().inFlight === 0);
    }
    expect(await logInStatus(CUSTOMER)).toBe(429);
  });
});

test('everybody sees who decides, an admin what was decided', async () => {
  await start({ requestLimit: 1000, loginLimit: 1 });
  await logIn(WRONG);
  await logIn(WRONG);
  const cookie = await service.login(ADMIN);
  expect((await service.get('/api/metrics')).body.limits).toEqual({
    source: 'memory',
    denied: { requests: 0, logins: 1 },
  });
  expect((await service.get('/api/admin/limits')).status).toBe(401);
  const { body } = await service.get('/api/admin/limits', cookie);
  expect(body).toMatchObject({
    source: 'memory',
    requests: { allowed: 6, denied: 0, store: { kind: 'memory', state: 'up' }, keys: { currentSize: 1 } },
    logins: { allowed: 2, denied: 1, refunded: 1 },
  });
});

describe('configuration', () => {
  test('of limits, proxies and Redis', () => {
    const config = readConfig({
      REQUEST_LIMIT: '100',
      LOGIN_LIMIT: '5',
      TRUSTED_PROXIES: '10.0.0.0/8, fd00::/8,127.0.0.1',
      REDIS_URL: 'rediss://ann:p%40ss@redis:6380/1',
      REDIS_TIMEOUT_MS: '20',
    });
    expect(config).toMatchObject({
      requestLimit: 100,
      loginLimit: 5,
      trustedProxies: ['10.0.0.0/8', 'fd00::/8', '127.0.0.1'],
      redisUrl: 'rediss://ann:p%40ss@redis:6380/1',
      redisTimeout: 20,
    });
    expect(readConfig({ TRUSTED_PROXIES: '2' }).trustedProxies).toBe(2);
    expect(readConfig({ TRUSTED_PROXIES: '0' }).trustedProxies).toBe(false);
    expect(readConfig({ REDIS_URL: '' }).redisUrl).toBeUndefined();
  });

  test.each([
    ['REQUEST_LIMIT', '0'],
    ['LOGIN_LIMIT', '-1'],
    ['REDIS_TIMEOUT_MS', 'soon'],
    ['TRUSTED_PROXIES', '33'],
    ['TRUSTED_PROXIES', 'true'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TRUSTED_PROXIES', '10.0.0.0/8,'],
    ['TRUSTED_PROXIES', '::1/'],
  ])('%s=%j is refused by name', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(new RegExp(`^${name} must be .*but it is`));
  });

  test.each([
    'http://ann:hunter2@redis',
    'redis://',
    'redis://ann:hunter2@redis/shop',
    'redis://ann:hunter2@redis:x',
    'hunter2',
  ])('REDIS_URL=%j is refused, and not shown', (url) => {
    expect(() => readConfig({ REDIS_URL: url })).toThrow(/^(?!.*hunter2)REDIS_URL must be/);
  });
});
