import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { TcpProxy } from '../../../__test__/support/proxy';
import { createRedis } from '../../../__test__/support/servers';
import type { LimitOptions } from '../src/limits/settings';
import { ADMIN, CUSTOMER, eventually, TestService } from './support';

jest.setTimeout(120_000);

const LAMP = '/api/products/lamp';
const WRONG = { name: CUSTOMER.name, password: 'wrong' };
/** A busy machine takes its time, and what is counted here has to be counted by Redis. */
const REDIS_TIMEOUT = 5000;

const server = createRedis();
const services: TestService[] = [];

beforeAll(() => server.start());
afterAll(() => server.remove());

beforeEach(() => server.command('FLUSHALL'));

afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.stop()));
});

const urlOf = ({ host, port }: { host: string; port: number }) => `redis://${host}:${port}`;

async function instance(limits: LimitOptions = {}): Promise<TestService> {
  const service = new TestService({
    limits: { requestLimit: 1_000_000, redisUrl: urlOf(server), redisTimeout: REDIS_TIMEOUT, ...limits },
  });
  services.push(service);
  return service.start();
}

const two = (limits?: LimitOptions) => Promise.all([instance(limits), instance(limits)]);

const guess = async (service: TestService, body: object = WRONG) =>
  (await service.request('POST', '/api/session', { body })).status;

const sourceOf = async (service: TestService) => (await service.get('/api/metrics')).body.limits.source;

/** How many of the requests that go to all of the services in turn are let through, and how many are not. */
async function askInTurn(urls: string[], count: number) {
  const asked = Array.from({ length: count }, (_, index) => fetch(urls[index % urls.length] + LAMP));
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  const of = (wanted: number) => statuses.filter((status) => status === wanted).length;
  return { passed: of(200), refused: of(429) };
}

/** A minute that begins in between lets in one or two more. */
function expectAbout(limit: number, count: number, { passed, refused }: { passed: number; refused: number }) {
  expect(passed + refused).toBe(count);
  expect(passed).toBeGreaterThanOrEqual(limit);
  expect(passed).toBeLessThanOrEqual(limit + 2);
}

describe('two instances', () => {
  test('share the requests of a client', async () => {
    const both = await two({ requestLimit: 50 });
    const urls = both.map(({ url }) => url);
    expectAbout(50, 200, await askInTurn(urls, 200));
    for (const { context, errors } of both) expect([context.limits.source, errors]).toEqual(['redis', []]);
  });

  test('share guesses of passwords, also those at once, to the last one', async () => {
    const both = await two({ loginLimit: 10 });
    const statuses = await Promise.all(Array.from({ length: 60 }, (_, index) => guess(both[index % 2]!)));
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(50);
    for (const each of both) expect(await guess(each, CUSTOMER)).toBe(429);
    for (const each of both) expect(await guess(each, ADMIN)).toBe(201);
  });

  test('what one has counted outlives it', async () => {
    const [one, other] = await two({ loginLimit: 2 });
    for (let round = 0; round < 2; round++) expect(await guess(one)).toBe(401);
    await one.stop();
    expect(await guess(other, CUSTOMER)).toBe(429);
    expect(await guess(await instance({ loginLimit: 2 }), CUSTOMER)).toBe(429);
  });

  test('a login that was right is given back, also if it was the last thing before the end', async () => {
    const [one, other] = await two({ loginLimit: 1 });
    expect(await guess(one, CUSTOMER)).toBe(201);
    await one.stop();
    expect(await guess(other)).toBe(401);
    expect(await guess(other)).toBe(429);
  });

  test('all keys end by themselves, and tell whose they are', async () => {
    const one = await instance();
    await guess(one);
    const keys = (await server.command('KEYS', '*')) as string[];
    expect(keys.filter((key) => key.startsWith('catalogue:requests:'))).not.toEqual([]);
    expect(keys.filter((key) => key.startsWith('catalogue:logins:'))).not.toEqual([]);
    for (const key of keys) {
      const left = Number(await server.command('PTTL', key));
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(2 * 15 * 60_000);
    }
  });

  test('an admin sees the link', async () => {
    const one = await instance();
    const cookie = await one.login(ADMIN);
    const { body } = await one.get('/api/admin/limits', cookie);
    expect(body).toMatchObject({
      source: 'redis',
      requests: { store: { kind: 'redis', state: 'up', outages: 0, link: { connected: 1 } } },
      logins: { refunded: 1, store: { kind: 'redis' } },
    });
  });
});

describe('Redis away', () => {
  test('killed under load: answers go on, each instance counts for itself, and all is well again by itself', async () => {
    const both = await two({ loginLimit: 3, redisTimeout: 500 });
    let answers = 0;
    let slowest = 0;
    let isOver = false;
    const customers = Array.from({ length: 10 }, async (_, index) => {
      while (!isOver) {
        const began = performance.now();
        const { status } = await both[index % 2]!.get(LAMP);
        slowest = Math.max(slowest, performance.now() - began);
        expect(status).toBe(200);
        answers++;
      }
    });
    await eventually(async () => answers > 200);
    await server.kill();
    for (const each of both) await eventually(async () => (await sourceOf(each)) === 'local');
    const before = answers;
    await eventually(async () => answers > before + 200);
    for (const each of both) {
      for (let round = 0; round < 3; round++) expect(await guess(each)).toBe(401);
      expect(await guess(each, CUSTOMER)).toBe(429);
      expect((await each.get('/ready')).status).toBe(200);
      const cookie = await each.login(ADMIN);
      const { requests } = (await each.get('/api/admin/limits', cookie)).body;
      expect(requests.fallbacks.local).toBeGreaterThan(0);
    }
    await server.start();
    for (const each of both) {
      await eventually(async () => (await sourceOf(each)) === 'redis');
      expect(each.errors).toEqual([expect.objectContaining({ code: 'ERR_KEELSON_REDIS' })]);
    }
    isOver = true;
    await Promise.all(customers);
    expect(slowest).toBeLessThan(5000);
    for (let round = 0; round < 3; round++) expect(await guess(both[round % 2]!)).toBe(401);
    for (const each of both) expect(await guess(each, CUSTOMER)).toBe(429);
  });

  test('a network that swallows everything costs nobody more than the timeout', async () => {
    const proxy = new TcpProxy(server);
    await proxy.listen();
    const one = await instance({ redisUrl: urlOf(proxy), redisTimeout: 300 });
    await eventually(async () => (await sourceOf(one)) === 'redis');
    proxy.swallow();
    for (let request = 0; request < 20; request++) {
      const began = performance.now();
      expect((await one.get(LAMP)).status).toBe(200);
      expect(performance.now() - began).toBeLessThan(2000);
    }
    expect(await sourceOf(one)).toBe('local');
    await proxy.pass();
    await eventually(async () => (await sourceOf(one)) === 'redis');
    expect(one.errors).toHaveLength(1);
    await services.pop()!.stop();
    proxy.close();
  });

  test('an instance that does not find it serves, and stops, without it', async () => {
    const away = { host: '127.0.0.1', port: 1 };
    const one = await instance({ redisUrl: urlOf(away), redisTimeout: 200, requestLimit: 5 });
    expectAbout(5, 20, await askInTurn([one.url], 20));
    expect(one.context.limits.source).toBe('local');
    const began = performance.now();
    await services.pop()!.stop();
    expect(performance.now() - began).toBeLessThan(5000);
    expect(one.errors).toHaveLength(1);
  });
});

describe('the process', () => {
  const MAIN = join(__dirname, '..', 'dist', 'main.js');

  /** The compiled service, as users run it. */
  function launch(env: Record<string, string>) {
    const child = spawn(process.execPath, [MAIN], { env: { ...process.env, PORT: '0', ...env } });
    let output = '';
    const collect = (chunk: Buffer) => (output += chunk);
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const ended = once(child, 'close').then(([code]) => ({ code, output }));
    const url = async () => {
      await eventually(async () => output.includes('http://'));
      return /http:\/\/\S+/.exec(output)![0];
    };
    return { child, url, ended };
  }

  test('is one of several that share REDIS_URL', async () => {
    const env = { REDIS_URL: urlOf(server), REDIS_TIMEOUT_MS: String(REDIS_TIMEOUT), REQUEST_LIMIT: '30' };
    const processes = [launch(env), launch(env)];
    const urls = await Promise.all(processes.map(({ url }) => url()));
    expectAbout(30, 120, await askInTurn(urls, 120));
    for (const { child } of processes) child.kill('SIGTERM');
    for (const { ended } of processes)
      expect(await ended).toMatchObject({ code: 0, output: expect.stringMatching(/closed\n$/) });
    // The one that asks is left.
    await eventually(async () => /^id=.*\n$/.test(String(await server.command('CLIENT', 'LIST'))));
  });

  test('ends while Redis is away, and has told no password', async () => {
    const { child, url, ended } = launch({ REDIS_URL: 'redis://ann:hunter2@127.0.0.1:1' });
    const address = await url();
    for (let request = 0; request < 10; request++) expect((await fetch(address + LAMP)).status).toBe(200);
    child.kill('SIGTERM');
    const { code, output } = await ended;
    expect(code).toBe(0);
    expect(output).toContain('ERR_KEELSON_REDIS');
    expect(output).not.toContain('hunter2');
  });

  test('does not start on limits that make no sense', async () => {
    const { code, output } = await launch({ REQUEST_LIMIT: 'many' }).ended;
    expect(code).toBe(1);
    expect(output).toBe('REQUEST_LIMIT must be a whole number from 1 to 999999999, but it is "many"\n');
  });
});
