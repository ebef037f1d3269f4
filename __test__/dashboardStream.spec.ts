import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, createServer } from 'node:http2';
import { BoundedLRUCache, ConnectionPool, Lifecycle, metrics, OptimizedRouter } from 'keelson';
import { Looker, make, serve, TOKEN, useDashboards } from './support/dashboards';
import { evaluateSoon } from './support/process';
import { eventually } from './support/server';
import { get, listen } from './support/wires';

useDashboards();

const look = (port: number) => Looker.look(port, '/events');

/** What a family has at these labels, as an update tells it. */
function told(update: any, name: string, at: Record<string, string>): any {
  const { labels, points } = update.families.find((family: any) => family.name === name);
  const isMeant = ([values]: any) =>
    Object.entries(at).every(([label, value]) => values[labels.indexOf(label)] === value);
  return points.find(isMeant)?.[1];
}

async function open(options = {}) {
  const dashboard = make(options);
  const { port, server } = await serve(dashboard.handler());
  return { dashboard, port, server };
}

describe('the stream', () => {
  test('begins with the process, and then tells what metrics.collect() does', async () => {
    const cache = metrics.name(new BoundedLRUCache<string, number>(5), 'told');
    cache.set('a', 1);
    for (const key of ['a', 'a', 'b']) cache.get(key);
    const { port } = await open();
    const looker = await look(port);
    await looker.until(1);
    expect(looker.status).toBe(200);
    expect(looker.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    expect(looker.retry).toBe(1000);
    expect(looker.events[0]).toEqual({
      name: 'process',
      data: { pid: process.pid, node: process.version, interval: 250 },
    });
    const [update] = looker.updates;
    expect(update.uptime).toBeGreaterThan(0);
    expect(update.uptime).toBeLessThanOrEqual(process.uptime());
    expect(told(update, 'keelson.cache.lookups', { name: 'told', result: 'hit' })).toBe(2);
    expect(told(update, 'keelson.cache.lookups', { name: 'told', result: 'miss' })).toBe(1);
    const collected = await metrics.collect();
    expect(update.families.map(({ name }: any) => name)).toEqual(collected.map(({ name }) => name));
    cache.get('a');
    await eventually(
      () => told(looker.updates.at(-1), 'keelson.cache.lookups', { name: 'told', result: 'hit' }) === 3,
    );
  });

  test('histograms have their bounds once, and cumulative counts', async () => {
    const pool = new ConnectionPool({ create: async () => ({}), destroy: async () => {} }, { name: 'told' });
    await pool.use(() => new Promise((resolve) => setTimeout(resolve, 30)));
    const { port } = await open();
    const looker = await look(port);
    await looker.until(1);
    const [update] = looker.updates;
    const name = 'db.client.connection.use_time';
    const { bounds } = update.families.find((family: any) => family.name === name);
    const [count, sum, ...buckets] = told(update, name, { 'db.client.connection.pool.name': 'told' });
    const points = (await metrics.collect()).find((family) => family.name === name)!.points as any[];
    const point = points.find(({ labels }) => labels['db.client.connection.pool.name'] === 'told');
    expect(point.buckets).toEqual(bounds.map((le: number, place: number) => ({ le, count: buckets[place] })));
    expect([count, sum]).toEqual([point.count, point.sum]);
    expect(count).toBe(1);
    await pool.close();
  });

  test('what is beyond the series that a metric may have is of others', async () => {
    const router = new OptimizedRouter();
    for (let i = 0; i < 2_100; i++)
      router.addRoute(`/${i}`, { id: `${i}`, method: 'GET', handler: () => {} });
    const { port } = await open();
    const looker = await look(port);
    await looker.until(1);
    expect(router.getStats().routes).toBe(2_100);
    const { points } = looker.updates[0].families.find(({ name }: any) => name === 'keelson.router.requests');
    expect(points.length).toBeLessThan(2_100);
    expect(points.filter(([labels]: any) => labels.includes('others'))).toEqual([
      [['others', 'others', 'others'], 0],
    ]);
  });

  test('is collected once for all who look, and not while nobody does', async () => {
    const collect = jest.spyOn(metrics, 'collect');
    const { dashboard, port } = await open();
    const first = await look(port);
    const second = await look(port);
    await Promise.all([first.until(4), second.until(4)]);
    expect(dashboard.getStats()).toEqual({ viewers: 2 });
    const uptimes = (looker: Looker) => looker.updates.map(({ uptime }) => uptime);
    // Who came later has what the other one had at that time.
    const [early, late] = [uptimes(first), uptimes(second)];
    expect(early.slice(early.indexOf(late[0]))).toEqual(late.slice(0, early.length - early.indexOf(late[0])));
    first.leave();
    second.leave();
    await eventually(() => dashboard.getStats().viewers === 0);
    const calls = collect.mock.calls.length;
    expect(calls).toBeLessThanOrEqual(early.length + 2);
    // Others of this process are collected meanwhile.
    const { port: elsewhere } = await open();
    const third = await look(elsewhere);
    await third.until(4);
    expect(collect.mock.calls.length - calls).toBeLessThanOrEqual(third.updates.length + 1);
    collect.mockRestore();
  });

  test('goes on when one of two leaves, and begins anew when all had left', async () => {
    const { dashboard, port } = await open();
    const [first, second] = [await look(port), await look(port)];
    await first.until(1);
    first.leave();
    await eventually(() => dashboard.getStats().viewers === 1);
    await second.until(second.updates.length + 2);
    second.leave();
    await eventually(() => dashboard.getStats().viewers === 0);
    const third = await look(port);
    await third.until(3);
    expect(new Set(third.updates.map(({ uptime }) => uptime)).size).toBe(third.updates.length);
  });

  test('goes over HTTP/2 too, and ends with close()', async () => {
    const dashboard = make();
    const server = createServer(dashboard.handler());
    const session = connect(`http://127.0.0.1:${await listen(server)}`);
    const stream = session.request({ ':path': '/events', authorization: `Bearer ${TOKEN}` });
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    await eventually(() => text.split('event: metrics').length > 2);
    dashboard.close();
    await once(stream, 'end');
    session.close();
    server.close();
  });

  test('HEAD does not begin one', async () => {
    const { dashboard, port } = await open({ token: false });
    expect((await get(port, '/events', { method: 'HEAD' })).status).toBe(200);
    expect(dashboard.getStats()).toEqual({ viewers: 0 });
  });

  test('as many may look as maxViewers says, and another one once somebody has left', async () => {
    const { dashboard, port } = await open({ maxViewers: 2 });
    const lookers = [await look(port), await look(port)];
    const third = await look(port);
    expect([third.status, third.headers['retry-after']]).toEqual([503, '10']);
    lookers[0]!.leave();
    await eventually(() => dashboard.getStats().viewers === 1);
    expect((await look(port)).status).toBe(200);
  });

  test('its compression is flushed, where somebody on the way compresses all the same', async () => {
    const flushed: number[] = [];
    const dashboard = make();
    const { port } = await serve((req, res) => {
      res.flush = () => flushed.push(res.writableLength);
      dashboard.handler()(req, res);
    });
    await (await look(port)).until(2);
    expect(flushed.length).toBeGreaterThanOrEqual(3);
  });
});

describe('who does not read', () => {
  /** Figures of a megabyte or two, so that few updates fill what the system buffers. */
  function tellMuch(): BoundedLRUCache<string, number>[] {
    return Array.from({ length: 150 }, (_, i) =>
      metrics.name(new BoundedLRUCache<string, number>(1), `${i} ${'x'.repeat(1000)}`),
    );
  }

  test('is left out, holds up nobody, and gets whole updates again when he reads', async () => {
    const caches = tellMuch();
    const { port, server } = await open();
    const responses: ServerResponse[] = [];
    server.prependListener('request', (_req, res) => responses.push(res));
    const slow = await look(port);
    slow.pause();
    const quick = await look(port);
    await quick.until(1);
    const size = JSON.stringify(quick.updates[0]).length;
    expect(size).toBeGreaterThan(1_000_000);
    // Once it is full the server keeps no more than what did not fit.
    await eventually(() => responses[0]!.writableNeedDrain && responses[0]!.writableLength > 0);
    const held = responses[0]!.writableLength;
    await quick.until(quick.updates.length + 5);
    expect(responses[0]!.writableLength).toBeLessThanOrEqual(held);
    expect(held).toBeLessThan(2 * size);
    slow.resume();
    const latest = quick.updates.at(-1).uptime;
    await eventually(() => (slow.updates.at(-1)?.uptime ?? 0) > latest);
    expect(slow.updates.length).toBeLessThan(quick.updates.length);
    expect(caches).toHaveLength(150);
  });

  test('does not keep close() waiting', async () => {
    const caches = tellMuch();
    const { dashboard, port, server } = await open();
    const responses: ServerResponse[] = [];
    server.prependListener('request', (_req, res) => responses.push(res));
    const slow = await look(port);
    slow.pause();
    await eventually(() => responses[0]?.writableNeedDrain === true && responses[0].writableLength > 0);
    dashboard.close();
    await eventually(() => responses[0]!.destroyed);
    expect(caches).toHaveLength(150);
  });
});

describe('the end', () => {
  test('close() ends all streams, answers 503 from then on, and may be called again', async () => {
    const { dashboard, port } = await open();
    const lookers = [await look(port), await look(port)];
    await lookers[0]!.until(1);
    dashboard.close();
    dashboard.close();
    for (const looker of lookers) await looker.ended();
    expect(dashboard.getStats()).toEqual({ viewers: 0 });
    for (const path of ['/', '/events', '/main.js']) expect((await get(port, path)).status).toBe(503);
  });

  test('[Symbol.dispose] closes', async () => {
    const { dashboard, port } = await open();
    dashboard[Symbol.dispose ?? (Symbol.for('nodejs.dispose') as any)]();
    expect((await get(port, '/')).status).toBe(503);
  });

  test('a lifecycle that it is registered with cuts off nothing and waits for nobody who looks', async () => {
    const { dashboard, port, server } = await open();
    const lifecycle = new Lifecycle();
    lifecycle.server(server);
    lifecycle.register('dashboard', dashboard);
    const looker = await look(port);
    await looker.until(1);
    const { isClean, cutOff } = await lifecycle.shutdown();
    expect({ isClean, cutOff }).toEqual({ isClean: true, cutOff: {} });
    await looker.ended();
  });

  test('one that does not know it waits for who looks, until the time is over', async () => {
    const { port, server } = await open();
    const lifecycle = new Lifecycle({ timeout: 1_000 });
    lifecycle.server(server);
    const looker = await look(port);
    await looker.until(1);
    const { isClean, timedOut } = await lifecycle.shutdown();
    expect({ isClean, timedOut }).toEqual({ isClean: false, timedOut: 1 });
  });

  test('neither a dashboard nor who looks keeps a process', async () => {
    const found = await evaluateSoon(`
      const { createServer, get } = require('node:http');
      const { Dashboard } = require('keelson');
      const dashboard = new Dashboard({ token: false });
      const server = createServer(dashboard.handler()).on('connection', (socket) => socket.unref());
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        get({ port, host: '127.0.0.1', path: '/events' }, (res) => {
          let text = '';
          res.on('data', (chunk) => {
            text += chunk;
            if (!text.includes('event: metrics')) return;
            res.removeAllListeners('data');
            console.log(JSON.stringify(dashboard.getStats()));
            res.resume().socket.unref();
            server.unref();
          });
        });
      });`);
    expect(found).toEqual({ viewers: 1 });
  });
});
