import { Agent, get, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { TestService, until } from './support';

const REQUESTS = 10_000;
const MEGABYTE = 2 ** 20;

let service: TestService;

beforeEach(async () => {
  service = await new TestService({ requestTimeout: 60_000 }).start();
});

afterEach(async () => {
  await service.stop();
  expect(service.errors).toEqual([]);
});

/** Sends pipelined requests over one connection; counts the answers that arrive in `onAnswers`. */
function pipeline(path: string, count: number, onAnswers: (count: number) => void): Promise<Socket> {
  const port = Number(new URL(service.url).port);
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', reject);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`.repeat(count));
    let rest = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      const parts = (rest + chunk).split('HTTP/1.1 200 OK\r\n');
      rest = parts.at(-1)!.slice(-20);
      onAnswers(parts.length - 1);
    });
  });
}

test('10,000 requests held open at once are all answered', async () => {
  const sockets = 100;
  const { stockWatch, catalogue, metrics } = service.context;
  const heapBefore = process.memoryUsage().heapUsed;
  let answers = 0;
  const path = '/api/products/lamp/stock/watch?seconds=60';
  const connections = await Promise.all(
    Array.from({ length: sockets }, () => pipeline(path, REQUESTS / sockets, (count) => (answers += count))),
  );
  await until(() => stockWatch.waiting === REQUESTS);
  expect(metrics.snapshot().inFlight).toBe(REQUESTS);
  // Each has its own patience and a timeout.
  expect(service.requestTimers.getStats()).toEqual({
    timeouts: 2 * REQUESTS,
    intervals: 0,
    total: 2 * REQUESTS,
  });
  expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(400 * MEGABYTE);

  catalogue.adjustStock('lamp', 1);
  await until(() => answers === REQUESTS && metrics.snapshot().inFlight === 0);
  expect(stockWatch.waiting).toBe(0);
  expect(service.requestTimers.getStats()).toEqual({ timeouts: 0, intervals: 0, total: 0 });
  expect(metrics.snapshot()).toMatchObject({ requests: REQUESTS, byStatus: { '2xx': REQUESTS } });
  for (const connection of connections) connection.destroy();
}, 120_000);

test('10,000 requests of all kinds over kept connections', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 200 });
  const paths = [
    '/api/products?page=2',
    '/api/search?q=tea',
    '/api/products/lamp',
    '/',
    '/health',
    '/api/categories',
  ];
  const ask = (index: number) =>
    new Promise<number>((resolve, reject) => {
      get(service.url + paths[index % paths.length]!, { agent }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode!));
      }).on('error', reject);
    });
  const statuses = await Promise.all(Array.from({ length: REQUESTS }, (_, index) => ask(index)));
  agent.destroy();
  expect(new Set(statuses)).toEqual(new Set([200]));
  await until(() => service.requestTimers.getStats().total === 0);
  expect(service.context.metrics.latencies.isFull()).toBe(true);
}, 120_000);

test('10,000 requests that are served or refused, each as it should be', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 200 });
  const kinds = [
    { method: 'GET', path: '/api/products/lamp', status: 200 },
    { method: 'GET', path: '/api/products/%zz', status: 400 },
    { method: 'GET', path: '/api/nothing', status: 404 },
    { method: 'DELETE', path: '/api/categories', status: 405 },
    { method: 'POST', path: '/api/session', status: 400 },
  ];
  const ask = ({ method, path }: { method: string; path: string }) =>
    new Promise<number>((resolve, reject) => {
      const sent = request(service.url + path, { agent, method }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode!));
      });
      sent.on('error', reject).end();
    });
  const all = Array.from({ length: REQUESTS }, (_, index) => kinds[index % kinds.length]!);
  const statuses = await Promise.all(all.map(ask));
  agent.destroy();
  expect(statuses).toEqual(all.map(({ status }) => status));
  await until(() => service.requestTimers.getStats().total === 0);
  const { routes } = (await service.get('/api/metrics')).body;
  const each = REQUESTS / kinds.length;
  expect(routes).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ route: 'GET /api/products/:id', requests: each, inFlight: 0 }),
      expect.objectContaining({ route: 'POST /api/session', byStatus: { '4xx': each }, inFlight: 0 }),
    ]),
  );
}, 120_000);
