import { createServer } from 'node:http';
import { OptimizedRouter, Scaling } from 'keelson';
import { eventually } from './support/server';
import { get, listen } from './support/wires';

const express = require('express');

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function make(): Scaling {
  const scaling = new Scaling({ name: 'web', capacity: 10, target: 0.5, max: 50, interval: 50 });
  closing.push(() => scaling.close());
  return scaling;
}

async function serve(listener: (req: any, res: any) => void): Promise<number> {
  const server = createServer(listener);
  closing.push(() => server.close());
  return listen(server);
}

/** What KEDA's metrics-api scaler gets: it wants status 200, and a number at `valueLocation` (GJSON's path of a member). */
async function scaledBy(port: number, valueLocation = 'replicas'): Promise<number> {
  const { status, body } = await get(port);
  if (status !== 200) throw new Error(`status ${status}`);
  const value = JSON.parse(body)[valueLocation];
  if (typeof value !== 'number') throw new Error('valueLocation must point to a number');
  return value;
}

test('answers what KEDA’s metrics-api scaler reads, once a load is known, and 503 before', async () => {
  const scaling = make();
  const port = await serve(scaling.handler());
  const early = await get(port);
  // On a machine that is held up the first interval may be over.
  if (scaling.recommendation() === undefined) expect(early.status).toBe(503);
  scaling.gauge(() => 42);
  await eventually(() => scaling.recommendation()?.load === 42);
  expect(await scaledBy(port)).toBe(9);
  const { headers, body } = await get(port);
  expect(headers).toMatchObject({
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'content-length': String(Buffer.byteLength(body)),
  });
  expect(JSON.parse(body)).toEqual({
    replicas: 9,
    load: 42,
    forecast: 42,
    quantile: 42,
    isWarm: expect.any(Boolean),
    capacity: 10,
    at: expect.any(Number),
    source: 'own',
  });
});

test('503 has no replicas to scale by, and comes again once nothing is known', async () => {
  const scaling = make();
  const port = await serve(scaling.handler());
  scaling.gauge(() => 5);
  await eventually(() => scaling.recommendation() !== undefined);
  expect((await get(port)).status).toBe(200);
  await scaling.close();
  const { status, headers, body } = await get(port);
  expect([status, headers['cache-control'], JSON.parse(body)]).toEqual([
    503,
    'no-store',
    { error: 'No load is known yet' },
  ]);
  await expect(scaledBy(port)).rejects.toThrow('status 503');
});

test('HEAD is answered without a body, other methods with 405', async () => {
  const scaling = make();
  const port = await serve(scaling.handler());
  expect(await get(port, '/', { method: 'HEAD' })).toMatchObject({ body: '' });
  scaling.gauge(() => 5);
  await eventually(() => scaling.recommendation()?.load === 5);
  const head = await get(port, '/', { method: 'HEAD' });
  expect([head.status, head.body]).toEqual([200, '']);
  expect(Number(head.headers['content-length'])).toBeGreaterThan(50);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const { status, headers, body } = await get(port, '/', { method });
    expect([status, headers.allow, body]).toEqual([405, 'GET, HEAD', '']);
  }
});

test('is a route’s handler of Express and of the OptimizedRouter', async () => {
  const scaling = make();
  scaling.gauge(() => 11);
  await eventually(() => scaling.recommendation()?.load === 11);
  const app = express();
  app.get('/', scaling.handler());
  const router = new OptimizedRouter();
  router.addRoute('/', { id: 'scaling', method: 'GET', handler: scaling.handler() });
  expect(await scaledBy(await serve(app))).toBe(3);
  expect(await scaledBy(await serve((req, res) => router.handle(req, res)))).toBe(3);
});
