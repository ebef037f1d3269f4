import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BoundedLRUCache, metrics } from 'keelson';
import { Counter, Registry, register } from 'prom-client';

let server: Server | undefined;

afterEach(() => {
  server?.close();
  register.clear();
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
}

// Held, or it would be gone.
const cache = metrics.name(new BoundedLRUCache(10), 'served');

afterAll(() => cache.clear());

test('GET and HEAD are answered with Prometheus text, and nothing else is', async () => {
  const url = await serve(metrics.handler({ registry: false }));
  const got = await fetch(url);
  const text = await got.text();
  expect(got.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(got.headers.get('cache-control')).toBe('no-store');
  expect(text).toContain(`keelson_cache_entries_limit{name="served"} 10\n`);
  const head = await fetch(url, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
  const posted = await fetch(url, { method: 'POST' });
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

test('with a token only who has it is answered', async () => {
  const url = await serve(metrics.handler({ token: 's3cret!' }));
  const status = async (authorization?: string) =>
    (await fetch(url, { headers: authorization === undefined ? {} : { authorization } })).status;
  expect(await status()).toBe(401);
  expect(await status('Bearer secret')).toBe(401);
  expect(await status('Basic secret')).toBe(401);
  expect(await status('bearer s3cret!')).toBe(200);
});

test("metrics of the service's own, which prom-client has, are served with it", async () => {
  new Counter({ name: 'orders_total', help: 'Orders.' }).inc(3);
  const url = await serve(metrics.handler());
  for (let again = 0; again < 2; again++) {
    const text = await (await fetch(url)).text();
    expect(text).toContain('orders_total 3\n');
    expect(text.match(/^keelson_cache_entries_limit\{name="served"\} /gm)).toHaveLength(1);
  }
});

test('one of them that throws makes it a 500, and no crash', async () => {
  const registry = new Registry();
  const url = await serve(metrics.handler({ registry }));
  new Counter({
    name: 'broken_total',
    help: 'x',
    registers: [registry],
    collect() {
      throw new Error('on purpose');
    },
  });
  expect((await fetch(url)).status).toBe(500);
});
