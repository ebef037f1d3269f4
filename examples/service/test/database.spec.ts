import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TcpProxy } from '../../../__test__/support/proxy';
import { createPostgres } from '../../../__test__/support/servers';
import { readConfig } from '../src/config';
import { PRODUCTS, type Product } from '../src/data/products';
import { poolConfig } from '../src/database/settings';
import { DatabaseConnectionPool } from '../src/lib/utilities/database/connectionPool';
import { destroyJsonWorkerPool } from '../src/lib/utilities/performance/jsonWorkerPool';
import { ADMIN, TestService } from './support';

jest.setTimeout(120_000);

const services: TestService[] = [];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'catalogue-'));
});

afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.stop()));
  await destroyJsonWorkerPool();
});

afterAll(() => rmSync(folder, { recursive: true }));

type Options = ConstructorParameters<typeof TestService>[0];

async function start(options: Options = {}) {
  const service = new TestService({ requestTimeout: 60_000, ...options });
  services.push(service);
  await service.start();
  const cookie = await service.login(ADMIN);
  const send = (method: string, path: string, body: unknown) =>
    service.request(method, path, { body, cookie });
  return {
    service,
    get: (path: string) => service.get(path, cookie),
    adjust: (id: string, delta: number) => send('PATCH', `/api/products/${id}/stock`, { delta }),
    take: (...items: unknown[]) => send('POST', '/api/import', { version: 3, items, complete: true }),
    stop: () => service.stop(),
  };
}

type Instance = Awaited<ReturnType<typeof start>>;

/** Asks every few milliseconds until an answer is as it should be. */
async function eventually(ask: () => Promise<boolean>, limit = 60_000) {
  const deadline = performance.now() + limit;
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`Waited ${limit} ms in vain for ${ask}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const product = (id: string, more: Partial<Product> = {}): Product => ({
  ...{ id, name: `Tea ${id}`, category: 'Tea', price: 1290, stock: 5, description: 'Green.' },
  ...more,
});

/** The stock as an instance shows it. */
const stockOf = async ({ get }: Instance, id: string) => (await get(`/api/products/${id}`)).body.stock;

describe('in an SQLite file', () => {
  let files = 0;
  let database: { kind: 'sqlite'; file: string };

  beforeEach(() => {
    database = { kind: 'sqlite', file: join(folder, `${++files}.db`) };
  });

  test('stock and imports outlive the service', async () => {
    const first = await start({ database });
    expect((await first.adjust('lamp', -5)).body).toEqual({ id: 'lamp', stock: 10 });
    await first.take(product('sencha'), { id: 7 });
    await first.adjust('sencha', -1);
    await first.stop();
    const second = await start({ database });
    expect([await stockOf(second, 'lamp'), await stockOf(second, 'sencha')]).toEqual([10, 4]);
    expect((await second.get('/api/export')).body.items).toEqual([product('sencha'), { id: 7 }]);
    expect((await second.get('/api/metrics')).body.products).toBe(PRODUCTS.length + 1);
  });

  test('what the source has is taken over at the start, but for the stock and what was imported', async () => {
    const source = (name: string) => async () => ['a', 'b'].map((id) => product(id, { name }));
    const first = await start({ database, source: source('old') });
    await first.adjust('a', 2);
    await first.take(product('b', { name: 'supplied' }));
    await first.stop();
    const second = await start({ database, source: source('new') });
    const { items } = (await second.get('/api/products')).body;
    expect(items.map(({ name, stock }: Product) => [name, stock])).toEqual([
      ['new', 7],
      ['supplied', 5],
    ]);
  });

  test('two that start at once and write at once share it', async () => {
    const both = await Promise.all([start({ database }), start({ database })]);
    for (let round = 0; round < 5; round++) {
      for (const { adjust } of both) expect((await adjust('notebook', -1)).status).toBe(200);
    }
    expect((await both[0].adjust('notebook', 0)).body.stock).toBe(190);
  });

  test('a file that somebody else has locked is a 503, and nothing is left of it', async () => {
    const { adjust, service } = await start({ database });
    const pool = new DatabaseConnectionPool(poolConfig(database, 1000));
    const other = await pool.acquire();
    await other.connection.query('BEGIN IMMEDIATE');
    const { status, body, headers } = await adjust('lamp', -1);
    expect([status, body.error.code, headers.get('retry-after')]).toEqual([503, 'UNAVAILABLE', '1']);
    other.release();
    await pool.close();
    expect((await adjust('lamp', -1)).body.stock).toBe(14);
    expect(service.errors).toEqual([]);
  });
});

describe('stock and imports', () => {
  test('of a product that many take at once, as many get one as there are', async () => {
    const { adjust } = await start();
    const answers = await Promise.all(Array.from({ length: 60 }, () => adjust('lamp', -1)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(15);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(45);
    expect((await adjust('lamp', 0)).body.stock).toBe(0);
  });

  test('an id that is there twice counts once, and the last one holds', async () => {
    const { take, get } = await start();
    const { body } = await take({ id: 1, n: 1 }, { id: 2 }, { id: 1, n: 2 });
    expect(body).toEqual({ items: 3, created: 2, updated: 1, products: 0 });
    expect((await get('/api/export')).body.items).toEqual([{ id: 1, n: 2 }, { id: 2 }]);
  });

  test('an import that is given up leaves nothing', async () => {
    const { service, get } = await start();
    const supplies = Array.from({ length: 20_000 }, (_, id) => ({ id, document: `{"id":${id}}` }));
    const leaving = new AbortController();
    const taking = service.context.supplies.take(supplies, leaving.signal);
    while (service.context.database.pool.getStats().active === 0) await new Promise(setImmediate);
    leaving.abort();
    await expect(taking).rejects.toBe(leaving.signal.reason);
    expect((await get('/api/export')).body.items).toEqual([]);
  });

  test('what no database can keep in a text is refused, and kept where it is JSON', async () => {
    const { take, get } = await start();
    for (const text of ['a\0b', '\ud800']) {
      const { status, body } = await take(product('tea', { name: text }));
      expect([status, body.error.message]).toEqual([400, expect.stringMatching(/^items\[0\]: "name"/)]);
      await take({ id: text, text });
    }
    expect((await get('/api/export')).body.items).toEqual([
      { id: 'a\0b', text: 'a\0b' },
      { id: '\ud800', text: '\ud800' },
    ]);
  });

  test('an admin sees what the pool does', async () => {
    const { service, get } = await start();
    expect((await service.get('/api/admin/database')).status).toBe(401);
    expect((await get('/api/admin/database')).body).toMatchObject({
      ...{ kind: 'sqlite', away: false, total: 1, idle: 1, active: 0, waiting: 0, opening: 0 },
      metrics: { 'db.client.connection.limit': 1, opened: 1, openErrors: 0 },
    });
    expect((await service.get('/api/metrics')).body.database).toMatchObject({ kind: 'sqlite', total: 1 });
  });
});

describe('configuration', () => {
  const read = (url: string, more = {}) => readConfig({ DATABASE_URL: url, ...more }).database!;

  test('of both databases', () => {
    expect(readConfig({}).database).toBeUndefined();
    expect(read('sqlite:data/catalogue.db')).toEqual({ kind: 'sqlite', file: 'data/catalogue.db' });
    const settings = read('postgres://ann:p%40ss@[::1]:6543/shop?sslmode=verify-full', {
      DATABASE_POOL_MAX: '4',
    });
    expect(poolConfig(settings, 1000)).toMatchObject({
      ...{ driver: 'pg', host: '::1', port: 6543, database: 'shop' },
      ...{ username: 'ann', password: 'p@ss', ssl: true, maxConnections: 4 },
    });
  });

  test.each([
    'mysql://ann:hunter2@db/shop',
    'postgres://ann:hunter2@db',
    'postgres://ann:hunter2@db/shop?sslmode=maybe',
    'sqlite:',
    'hunter2',
  ])('%j is refused, and not shown', (url) => {
    expect(() => read(url)).toThrow(/^(?!.*hunter2).*DATABASE_URL must be/);
  });

  test('a pool for one, in which nobody could listen for changes, is refused', () => {
    expect(() => read('sqlite:x', { DATABASE_POOL_MAX: '1' })).toThrow(
      /^DATABASE_POOL_MAX must be a whole number/,
    );
  });
});

describe('in PostgreSQL', () => {
  const server = createPostgres();
  let url: string;
  let names = 0;

  beforeAll(async () => {
    await server.start();
  });

  afterAll(() => server.remove());

  const urlOf = (name: string) => {
    const { username, password, host, port } = server.config;
    return `postgres://${username}:${password}@${host}:${port}/${name}`;
  };

  /** The rows of a query beside the service. */
  async function ask(sql: string, database = server.config.database) {
    const pool = new DatabaseConnectionPool({ ...server.config, database, minConnections: 0 });
    try {
      return (await pool.run(sql)).rows;
    } finally {
      await pool.close();
    }
  }

  // An empty database for each test.
  beforeEach(async () => {
    const name = `catalogue_${++names}`;
    await ask(`CREATE DATABASE ${name}`);
    url = urlOf(name);
  });

  const instance = (options: Options = {}) =>
    start({ database: readConfig({ DATABASE_URL: url }).database!, ...options });
  const two = (options?: Options) => Promise.all([instance(options), instance(options)]);

  test('two instances that start at once set it up once', async () => {
    await Promise.all(Array.from({ length: 4 }, () => instance()));
    expect(await ask('SELECT count(*)::int AS n FROM articles', url.split('/').at(-1))).toEqual([
      { n: PRODUCTS.length },
    ]);
  });

  test('they share the stock: what both take at once sums up exactly', async () => {
    const both = await two();
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, index) => both[index % 2]!.adjust('notebook', -1)),
    );
    const taken = answers.filter(({ status }) => status === 200).map(({ body }) => body.stock);
    expect(taken.sort((a, b) => b - a)).toEqual(Array.from({ length: 200 }, (_, index) => 199 - index));
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(100);
    for (const each of both) await eventually(async () => (await stockOf(each, 'notebook')) === 0);
    for (const { service } of both) expect(service.errors).toEqual([]);
  });

  test('a change of one is told to who waits at the other', async () => {
    const [one, other] = await two();
    const watching = other.get('/api/products/lamp/stock/watch?seconds=60');
    while (other.service.context.stockWatch.waiting === 0) await new Promise(setImmediate);
    await one.adjust('lamp', 3);
    expect((await watching).body).toEqual({ id: 'lamp', changed: true, stock: 18 });
  });

  test('what one imports, the other has', async () => {
    const [one, other] = await two();
    const items = Array.from({ length: 3000 }, (_, index) =>
      index % 10 ? { id: index } : product(`tea-${index}`),
    );
    const [first, second] = await Promise.all([one.take(...items), other.take(...[...items].reverse())]);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(first.body.created + second.body.created).toBe(3000);
    for (const each of [one, other]) {
      expect((await each.get('/api/export')).body.items).toHaveLength(3000);
      await eventually(async () => (await each.get('/api/metrics')).body.products === PRODUCTS.length + 300);
    }
    await other.adjust('tea-10', -2);
    await eventually(async () => (await stockOf(one, 'tea-10')) === 3);
  });

  test('a server that is killed: 503 for what needs it, reading goes on, and all is well again by itself', async () => {
    const both = await two();
    expect((await both[0].adjust('lamp', -5)).body.stock).toBe(10);
    await server.kill();
    for (const { adjust, get, service } of both) {
      const began = performance.now();
      const { status, body, headers } = await adjust('lamp', -1);
      expect([status, body.error.code, headers.get('retry-after')]).toEqual([503, 'UNAVAILABLE', '1']);
      expect(performance.now() - began).toBeLessThan(4500);
      expect((await get('/api/export')).status).toBe(503);
      expect((await service.request('POST', '/api/admin/refresh')).status).toBe(401);
      expect((await get('/api/products/lamp')).status).toBe(200);
      const ready = await get('/ready');
      expect([ready.status, ready.body]).toEqual([503, { ready: false, database: 'away' }]);
      const health = await get('/health');
      expect([health.status, health.body]).toMatchObject([200, { status: 'degraded', database: 'away' }]);
      expect((await get('/api/admin/database')).body).toMatchObject({ kind: 'postgres', away: true });
    }
    await server.start();
    for (const { adjust, get, service } of both) {
      await eventually(async () => (await get('/ready')).status === 200);
      expect((await adjust('lamp', -1)).status).toBe(200);
      expect((await get('/health')).body.status).toBe('ok');
      // One an outage, whatever the number of requests.
      expect(service.errors.length).toBeLessThanOrEqual(2);
    }
    for (const each of both) await eventually(async () => (await stockOf(each, 'lamp')) === 8);
  });

  test('a network that swallows everything: 503 in time, reading goes on, and all is well again', async () => {
    const proxy = new TcpProxy(server);
    await proxy.listen();
    url = url.replace(`:${server.port}/`, `:${proxy.port}/`);
    const { adjust, get } = await instance({ requestTimeout: 4000 });
    proxy.swallow();
    expect((await adjust('lamp', -1)).body.error.code).toBe('UNAVAILABLE');
    await eventually(async () => (await get('/ready')).status === 503);
    expect((await get('/api/products/lamp')).body.stock).toBe(15);
    await proxy.pass();
    await eventually(async () => (await get('/ready')).status === 200);
    await eventually(async () => (await adjust('lamp', -1)).body.stock === 14);
    await services.pop()!.stop();
    proxy.close();
  });

  test('under load, a kill loses nothing that was confirmed', async () => {
    const both = await two();
    await both[0].adjust('notebook', 9000);
    let confirmed = 0;
    let sent = 0;
    let isOver = false;
    const customers = Array.from({ length: 10 }, async (_, index) => {
      while (!isOver) {
        sent++;
        const { status } = await both[index % 2]!.adjust('notebook', -1);
        if (status === 200) {
          confirmed++;
          continue;
        }
        expect(status).toBe(503);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    });
    await eventually(async () => confirmed > 50);
    await server.kill();
    await new Promise((resolve) => setTimeout(resolve, 500));
    await server.start();
    const before = confirmed;
    await eventually(async () => confirmed > before + 50);
    isOver = true;
    await Promise.all(customers);
    // The other one may have carried the load alone so far.
    await eventually(async () => (await both[1].get('/ready')).status === 200);
    const left = (await both[1].adjust('notebook', 0)).body.stock;
    // What was not confirmed may have been done.
    expect(9200 - left).toBeGreaterThanOrEqual(confirmed);
    expect(9200 - left).toBeLessThanOrEqual(sent);
  });

  describe('the process', () => {
    const MAIN = join(__dirname, '..', 'dist', 'main.js');

    function launch(env: Record<string, string>) {
      const child = spawn(process.execPath, [MAIN], { env: { ...process.env, PORT: '0', ...env } });
      let output = '';
      const collect = (chunk: Buffer) => (output += chunk);
      child.stdout.on('data', collect);
      child.stderr.on('data', collect);
      const ended = once(child, 'close').then(([code]) => ({ code, output }));
      return { child, ended, printed: () => output };
    }

    test('ends with its connections, by itself', async () => {
      const { child, ended, printed } = launch({ DATABASE_URL: url, DATABASE_POOL_MAX: '3' });
      await eventually(async () => printed().includes('http://'));
      child.kill('SIGTERM');
      expect(await ended).toMatchObject({ code: 0, output: expect.stringMatching(/closed\n$/) });
      const sessions = `SELECT 1 FROM pg_stat_activity WHERE datname = '${url.split('/').at(-1)}'`;
      expect(await ask(sessions)).toEqual([]);
    });

    test('ends while the database is away', async () => {
      const { child, ended, printed } = launch({ DATABASE_URL: url });
      await eventually(async () => printed().includes('http://'));
      await server.kill();
      await eventually(async () => printed().includes('ECONN'));
      const began = performance.now();
      child.kill('SIGTERM');
      expect((await ended).code).toBe(0);
      expect(performance.now() - began).toBeLessThan(10_000);
      await server.start();
    });

    test('that finds no database says so and ends', async () => {
      const { code, output } = await launch({ DATABASE_URL: urlOf('nothing') }).ended;
      expect(code).toBe(1);
      expect(output).toMatch(/database "nothing" does not exist/);
      expect(output).not.toContain('keelson:keelson');
    });
  });
});
