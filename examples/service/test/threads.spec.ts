import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { readConfig } from '../src/config';
import { requireShareable } from '../src/threads/settings';
import { ADMIN, eventually, TestService } from './support';

jest.setTimeout(120_000);

// The process as users run it: the compiled service.
const MAIN = join(__dirname, '..', 'dist', 'main.js');
const TERMINATOR = join(__dirname, 'fixtures', 'terminator.cjs');
const NUMBERS = [1, 2, 3];

interface Answer {
  status: number;
  thread: number;
  cookie: string;
  body: any;
}

interface Asked {
  method?: string;
  body?: unknown;
  cookie?: string;
  /** A connection that is kept alive. Without one, each request has its own. */
  agent?: Agent;
}

async function ask(url: string, { method = 'GET', body, cookie, agent }: Asked = {}): Promise<Answer> {
  const headers = {
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(cookie !== undefined && { cookie }),
  };
  const sent = request(url, { method, headers, agent: agent ?? false });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const answer = await text(response);
  return {
    status: response.statusCode!,
    thread: Number(response.headers['x-thread']),
    cookie: response.headers['set-cookie']?.[0]?.split(';')[0] ?? '',
    body: response.headers['content-type']?.includes('json') ? JSON.parse(answer) : answer,
  };
}

/** A process with several threads. */
class Cluster {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; output: string }>;
  readonly #agents: Agent[] = [];
  output = '';
  url = '';

  constructor(folder: string, env: Record<string, string> = {}) {
    this.child = fork(MAIN, {
      stdio: 'pipe',
      execArgv: ['--require', TERMINATOR],
      env: {
        ...process.env,
        ...{ PORT: '0', THREADS: String(NUMBERS.length), REQUEST_LIMIT: '1000000' },
        ...{ DATABASE_URL: `sqlite:${join(folder, 'catalogue.db')}`, LOG_FILE: join(folder, 'service.log') },
        ...env,
      },
    });
    const collect = (chunk: Buffer) => (this.output += chunk);
    this.child.stdout!.on('data', collect);
    this.child.stderr!.on('data', collect);
    this.ended = once(this.child, 'close').then(([code]) => ({ code, output: this.output }));
  }

  async start(): Promise<this> {
    await eventually(async () => /http:\S+/.test(this.output));
    this.url = /http:\S+/.exec(this.output)![0];
    return this;
  }

  ask(path: string, asked?: Asked): Promise<Answer> {
    return ask(this.url + path, asked);
  }

  async login(): Promise<string> {
    return (await this.ask('/api/session', { method: 'POST', body: ADMIN })).cookie;
  }

  /** Many requests at once, each over a connection of its own. */
  many(path: string, count: number): Promise<Answer[]> {
    return Promise.all(Array.from({ length: count }, () => this.ask(path)));
  }

  /** A connection to each of the threads. */
  async connections(): Promise<Agent[]> {
    const found = new Map<number, Agent>();
    await eventually(async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      this.#agents.push(agent);
      found.set((await this.ask('/health', { agent })).thread, agent);
      return found.size === NUMBERS.length;
    });
    return NUMBERS.map((number) => found.get(number)!);
  }

  async cacheStats() {
    return (await this.ask('/api/metrics')).body.caches;
  }

  /** Ends a thread; those that were started again count on, and the first one keeps the socket. */
  terminate(index: number, how: { byError?: boolean } = {}): void {
    this.child.send({ index, ...how });
  }

  async stop(): Promise<void> {
    for (const agent of this.#agents) agent.destroy();
    this.child.kill('SIGTERM');
    await this.ended;
  }
}

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'catalogue-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('three threads on one port', () => {
  let cluster: Cluster;
  let connections: Agent[];

  beforeAll(async () => {
    cluster = await new Cluster(folder).start();
    connections = await cluster.connections();
  });

  afterAll(() => cluster.stop());

  test('all answer, and say who they are', async () => {
    const seen = new Set<number>();
    await eventually(async () => {
      for (const { status, thread } of await cluster.many('/api/products', 60)) {
        expect(status).toBe(200);
        seen.add(thread);
      }
      return seen.size === NUMBERS.length;
    });
    for (const agent of connections) {
      const { body, thread } = await cluster.ask('/api/metrics', { agent });
      expect(body.thread).toBe(thread);
      expect((await cluster.ask('/ready', { agent })).status).toBe(200);
    }
  });

  test('a product and a page are loaded once for all', async () => {
    const before = await cluster.cacheStats();
    const answers = await Promise.all([
      cluster.many('/api/products/flask', 100),
      cluster.many('/api/search?q=flask', 100),
      ...connections.map(async (agent) => [await cluster.ask('/api/products/flask', { agent })]),
    ]);
    expect(new Set(answers.flat().map(({ thread }) => thread)).size).toBe(NUMBERS.length);
    const after = await cluster.cacheStats();
    expect(after.products.sets - before.products.sets).toBe(1);
    expect(after.searches.sets - before.searches.sets).toBe(1);
  });

  test('a change through one is seen through the others at once, and wakes who watches there', async () => {
    const cookie = await cluster.login();
    for (let round = 0; round < 20; round++) {
      const [writer, ...readers] = [...connections.slice(round % 3), ...connections.slice(0, round % 3)];
      const stock = await cluster.ask('/api/products/jam-jars/stock', {
        ...{ method: 'PATCH', body: { delta: -1 }, cookie },
        ...(writer && { agent: writer }),
      });
      expect([stock.status, stock.body.stock]).toEqual([200, 119 - round]);
      for (const agent of readers) {
        const paths = ['/api/products/jam-jars', '/api/search?q=jam'];
        for (const path of paths) {
          const { body } = await cluster.ask(path, { agent });
          expect((body.items?.[0] ?? body).stock).toBe(119 - round);
        }
      }
    }
    const watching = cluster.ask('/api/products/lamp/stock/watch?seconds=60');
    const isHeld = async (agent: Agent) =>
      (await cluster.ask('/api/admin/timers', { agent, cookie })).body.held === 1;
    await eventually(async () => (await Promise.all(connections.map(isHeld))).includes(true));
    const held = await Promise.all(connections.map(isHeld));
    const agent = connections[held.indexOf(false)]!;
    await cluster.ask('/api/products/lamp/stock', { method: 'PATCH', body: { delta: 2 }, cookie, agent });
    expect((await watching).body).toEqual({ id: 'lamp', changed: true, stock: 17 });
  });

  test('an import through one is seen through the others at once', async () => {
    const cookie = await cluster.login();
    const item = { id: 'sencha', name: 'Sencha', category: 'Tea', price: 1290, stock: 5, description: '' };
    const items = [{ ...item, description: 'Green.' }];
    const body = { version: 3, items, complete: true };
    await cluster.ask('/api/import', { method: 'POST', body, cookie, agent: connections[0]! });
    for (const agent of connections) {
      expect((await cluster.ask('/api/products/sencha', { agent })).body.price).toBe(1290);
      const { body: categories } = await cluster.ask('/api/categories', { agent });
      expect(categories.items).toContainEqual({ name: 'Tea', products: 1 });
    }
  });

  test('a session is one of all threads, until its end', async () => {
    const cookie = await cluster.login();
    for (const agent of connections)
      expect((await cluster.ask('/api/session', { agent, cookie })).status).toBe(200);
    const views = ['lamp', 'flask', 'scale'].map((id, index) =>
      cluster.ask(`/api/products/${id}`, { agent: connections[index]!, cookie }),
    );
    await Promise.all(views);
    const { body } = await cluster.ask('/api/recently-viewed', { cookie });
    expect(body.items.map(({ id }: { id: string }) => id).sort()).toEqual(['flask', 'lamp', 'scale']);
    await cluster.ask('/api/session', { method: 'DELETE', agent: connections[1]!, cookie });
    for (const agent of connections)
      expect((await cluster.ask('/api/session', { agent, cookie })).status).toBe(401);
  });
});

test.each([
  ['is terminated', false, 'exit code 1'],
  ['throws', true, 'on purpose'],
])('a thread that %s is started again, and what all share is as it was', async (_, byError, reason) => {
  const cluster = await new Cluster(folder).start();
  const cookie = await cluster.login();
  await cluster.ask('/api/products/keyboard');
  const before = await cluster.cacheStats();
  cluster.terminate(2, { byError });
  const told = `Thread 2 has ended, and is started again in 100 ms: ${reason}\n`;
  await eventually(async () => cluster.output.includes(told));
  // Those that are left take what comes, and the new one nothing that it cannot answer yet.
  let answers = 0;
  await eventually(async () => {
    const some = await cluster.many('/api/products/keyboard', 20);
    for (const { status } of some) expect(status).toBe(200);
    answers += some.length;
    return some.some(({ thread }) => thread === 2);
  });
  for (const { status } of await cluster.many('/api/products/keyboard', 200)) expect(status).toBe(200);
  const after = await cluster.cacheStats();
  expect(after.products.sets).toBe(before.products.sets);
  expect(after.products.hits - before.products.hits).toBe(answers + 200);
  expect((await cluster.ask('/api/session', { cookie })).status).toBe(200);
  await cluster.stop();
  expect(readFileSync(join(folder, 'service.log'), 'utf8')).toContain('Thread 2 has ended');
});

test('all threads end one after another, and what they share outlives them', async () => {
  const cluster = await new Cluster(folder).start();
  const cookie = await cluster.login();
  for (const number of NUMBERS) cluster.terminate(number);
  for (const number of NUMBERS)
    await eventually(async () => cluster.output.includes(`Thread ${number} has ended`));
  // Nobody listens, and yet nobody is refused: it waits for the first thread.
  expect((await cluster.ask('/api/session', { cookie })).status).toBe(200);
  await cluster.connections();
  await cluster.stop();
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s under load: what is in flight is answered', async (signal) => {
  const cluster = await new Cluster(folder).start();
  const cookie = await cluster.login();
  const connections = await cluster.connections();
  const watching = connections.map((agent) =>
    cluster.ask('/api/products/scale/stock/watch?seconds=60', { agent }),
  );
  const answers: Answer[] = [];
  const isOver: Promise<void>[] = Array.from({ length: 8 }, async () => {
    for (;;) {
      const answer = await cluster.ask('/api/products').catch(() => undefined);
      if (answer === undefined) return;
      answers.push(answer);
    }
  });
  const held = new Map<number, number>();
  await eventually(async () => {
    const { thread, body } = await cluster.ask('/api/admin/timers', { cookie });
    held.set(thread, body.held);
    return NUMBERS.every((number) => held.get(number) === 1);
  });
  cluster.child.kill(signal);
  for (const { status, body } of await Promise.all(watching))
    expect([status, body]).toEqual([200, { id: 'scale', changed: false, stock: 33 }]);
  await Promise.all(isOver);
  expect(answers.length).toBeGreaterThan(0);
  for (const { status } of answers) expect(status).toBe(200);
  expect(await cluster.ended).toMatchObject({ code: 0, output: expect.stringMatching(/closed\n$/) });
  await expect(cluster.ask('/health')).rejects.toThrow('ECONNREFUSED');
});

describe('a start that fails', () => {
  const ending = (env: Record<string, string>) => new Cluster(folder, env).ended;

  test('since the port is in use is told in one line', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { code, output } = await ending({ PORT: String((other.address() as AddressInfo).port) });
    expect(code).toBe(1);
    expect(output).toMatch(/^listen EADDRINUSE.*\n$/);
    other.close();
  });

  test('since a thread cannot start ends all of them', async () => {
    const { code, output } = await ending({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' });
    expect(code).toBe(1);
    expect(output).toMatch(/^The database is away: connect ECONNREFUSED 127\.0\.0\.1:1\n$/m);
    expect(output).not.toContain('uncaught');
  });

  test('since each thread would have a catalogue of its own', async () => {
    const { code, output } = await ending({ DATABASE_URL: '', THREADS: '2' });
    expect(code).toBe(1);
    expect(output).toMatch(/^THREADS=2 needs a DATABASE_URL, such as sqlite:catalogue\.db: .*\n$/);
  });
});

describe('THREADS', () => {
  const DATABASE_URL = 'sqlite:catalogue.db';

  test.each(['many', '-1', '1.5', '65', ' ', '0x2'])('%j is refused by name', (value) => {
    expect(() => readConfig({ THREADS: value, DATABASE_URL })).toThrow(
      /^THREADS must be a whole number from 0 to 64, or "auto", but it is "/,
    );
  });

  test('0 and auto are as many as run at once', () => {
    const [automatic] = ['auto', '0'].map((value) => readConfig({ THREADS: value, DATABASE_URL }).threads);
    expect(automatic).toBeGreaterThan(0);
    expect(readConfig({ THREADS: '0', DATABASE_URL }).threads).toBe(automatic);
    expect(readConfig({ THREADS: '4', DATABASE_URL }).threads).toBe(4);
  });

  test('one needs nothing that others share', () => {
    expect(readConfig({ THREADS: '1' }).threads).toBe(1);
    expect(() => readConfig({ THREADS: '2', DATABASE_URL: 'sqlite::memory:' })).toThrow(
      /needs a DATABASE_URL/,
    );
  });

  test('more than one are refused where sockets cannot be shared', () => {
    const database = { kind: 'sqlite', file: 'catalogue.db' } as const;
    expect(() => requireShareable(2, database, 'win32')).toThrow(/^THREADS must be 1 on Windows/);
    expect(() => requireShareable(1, database, 'win32')).not.toThrow();
  });
});

test('a thread is not ready before all are', async () => {
  const service = await new TestService({ thread: { number: 7, service: 'readiness' } }).start();
  const early = await service.get('/ready');
  expect([early.status, early.headers.get('x-thread')]).toEqual([503, '7']);
  service.context.starting = false;
  expect((await service.get('/ready')).status).toBe(200);
  await service.stop();
});
