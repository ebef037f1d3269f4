import { Load } from './support/limiterLoad';
import { evaluate } from './support/process';
import { LONG, SLACK, times, useLimiters, useRedis } from './support/redis';
import { eventually } from './support/server';

// Permits that are taken from Redis in blocks, permits that are held, and denials that are known.

const QUOTA = 100;
const SIZE = 10;
const server = useRedis();
const make = useLimiters(server);
const limiter = (config = {}) => make({ redis: server.config, maxRequests: QUOTA, ...config });

afterEach(async () => {
  if (!server.isRunning) await server.start();
  await server.command('FLUSHALL');
});

/** Calls of scripts that the server has carried out. */
async function calls(): Promise<number> {
  const stats: string = await server.command('INFO', 'commandstats');
  return [...stats.matchAll(/cmdstat_(?:evalsha|eval):calls=(\d+)/g)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
}

describe('permits in blocks', () => {
  const blocks = (config = {}) => limiter({ leases: { size: SIZE, ttl: 500 }, ...config });

  test('the quota holds, all of it is used, and Redis is asked for blocks only', async () => {
    const before = await calls();
    const loads = [1, 2, 3].map(() => new Load(blocks()));
    const stops = loads.map((load) => load.keepAsking(8));
    const admitted = () => loads.reduce((sum, load) => sum + load.admitted(), 0);
    await eventually(() => admitted() === QUOTA);
    await Promise.all(loads.map((load) => load.next(50, 'redis')));
    await Promise.all(stops.map((stop) => stop()));
    for (const load of loads) load.expectAnswered(SLACK);
    expect(admitted()).toBe(QUOTA);
    // Some more were asked for when less than a block was left.
    expect((await calls()) - before).toBeLessThan(QUOTA);
  });

  test('in one process, a block costs one call', async () => {
    const one = blocks({ maxRequests: 100 * QUOTA, leases: { size: SIZE } });
    await one.check('key');
    const before = await calls();
    for (let n = 0; n < 20 * SIZE; n++) expect(await one.check('key')).toMatchObject({ allowed: true });
    expect((await calls()) - before).toBeLessThanOrEqual(2 * 20);
  });

  test('what is not used is given back', async () => {
    const one = blocks({ leases: { size: SIZE, ttl: 50 } });
    const other = limiter();
    await one.check('key');
    expect(await other.peek('key')).toMatchObject({ remaining: QUOTA - SIZE });
    // It is when the key is asked for again.
    await eventually(async () => {
      await one.check('key');
      return (await other.peek('key')).remaining > QUOTA - 3 * SIZE;
    });
    const used = 100;
    for (let n = 0; n < used; n++) await one.check('key');
    const { remaining } = await other.peek('key');
    expect(remaining).toBeLessThanOrEqual(QUOTA);
  });

  test('any window has at most a block a process more than the quota', async () => {
    const windowMs = 300;
    const loads = [1, 2].map(() => new Load(blocks({ windowMs, leases: { size: SIZE, ttl: 300 } })));
    const stops = loads.map((load) => load.keepAsking(16));
    await eventually(() => loads.every((load) => load.admitted() > 2 * QUOTA));
    await Promise.all(stops.map((stop) => stop()));
    const admitted = loads.flatMap((load) => load.decisions.filter(({ allowed }) => allowed));
    const within = (from: number) =>
      admitted.filter(({ began, ended }) => began >= from && ended < from + windowMs - 2).length;
    const most = Math.max(...admitted.map(({ began }) => within(began)));
    expect(most).toBeLessThanOrEqual(QUOTA + 2 * SIZE);
  });

  test('a server that dies: what is held is used, and then the local limiter decides', async () => {
    const one = blocks({ onStoreError: 'local', storeTimeout: 200, leases: { size: SIZE, ttl: 60_000 } });
    const load = new Load(one);
    await load.ask();
    await server.kill();
    for (let n = 1; n < SIZE; n++) await load.ask();
    expect(load.sources).toEqual(['redis']);
    await times(2 * QUOTA, () => load.ask());
    load.expectAnswered(200 + SLACK);
    expect(load.admitted('redis')).toBe(SIZE);
    expect(load.admitted('local')).toBe(QUOTA);
  });
});

describe('permits that are held', () => {
  const WINDOW = 600;
  const held = (config = {}) =>
    limiter({ algorithm: 'concurrency', maxRequests: 1, windowMs: WINDOW, ...config });

  test('are renewed as long as their holder lives, and free soon after it died', async () => {
    const found = await evaluate<number>(`
      const { DistributedRateLimiter } = require('keelson');
      const config = {
        redis: { host: '${server.host}', port: ${server.port} },
        algorithm: 'concurrency', maxRequests: 1, windowMs: ${WINDOW}, storeTimeout: 20000,
      };
      const { Worker } = require('node:worker_threads');
      const one = new DistributedRateLimiter(config);
      const source = \`
        const { DistributedRateLimiter } = require(\${JSON.stringify(require.resolve('keelson'))});
        const { parentPort, workerData } = require('node:worker_threads');
        const other = new DistributedRateLimiter(workerData);
        other.acquire('key').then(() => parentPort.postMessage('held'));
        setInterval(() => {}, 1000);\`;
      const worker = new Worker(source, { eval: true, workerData: config });
      worker.once('message', async () => {
        const until = Date.now() + 3 * ${WINDOW};
        let denied = 0;
        while (Date.now() < until) {
          if ((await one.check('key')).allowed) throw new Error('It was let go');
          denied++;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        await worker.terminate();
        const lease = await one.acquire('key', { timeout: 20 * ${WINDOW} });
        await lease.release();
        console.log(JSON.stringify(denied));
      });`);
    expect(found).toBeGreaterThan(10);
  });

  test('go from hand to hand over several limiters, one at a time', async () => {
    const limiters = [held(), held(), held()];
    let holders = 0;
    let most = 0;
    await times(30, async (n) => {
      const lease = await limiters[n % 3]!.acquire('key', { timeout: 30_000 });
      most = Math.max(most, ++holders);
      await new Promise((resolve) => setImmediate(resolve));
      holders--;
      await lease.release();
    });
    expect(most).toBe(1);
    expect(await limiters[0]!.peek('key')).toMatchObject({ allowed: true, remaining: 1 });
  });

  test('a server that is restarted: releases and renewals of what it forgot reject nothing', async () => {
    const one = held({ maxRequests: 5, onStoreError: 'local', storeTimeout: 200 });
    const leases = await times(5, () => one.acquire('key'));
    await server.kill();
    await Promise.all(leases.slice(0, 2).map((lease) => lease.release()));
    await server.start();
    await Promise.all(leases.slice(2).map((lease) => lease.release()));
    await eventually(async () => (await one.check('other')).source === 'redis');
    const again = await times(5, () => one.acquire('key', { timeout: 20_000 }));
    await Promise.all(again.map((lease) => lease.release()));
  });
});

describe('denials that are known', () => {
  test('are repeated without asking Redis, and forgotten in time', async () => {
    const one = limiter({ maxRequests: 1, blockCache: 300 });
    await one.check('key');
    await one.check('key');
    const before = await calls();
    await times(1000, () => one.check('key'));
    expect((await calls()) - before).toBe(0);
    // Somebody else frees it.
    await limiter({ maxRequests: 1 }).reset('key');
    const began = performance.now();
    await eventually(async () => (await one.check('key')).allowed);
    expect(performance.now() - began).toBeLessThan(300 + SLACK);
  });

  test('end when the window does', async () => {
    const one = limiter({ maxRequests: 1, windowMs: 200, blockCache: 60_000 });
    await one.check('key');
    const { retryAfterMs } = await one.check('key');
    const began = performance.now();
    await eventually(async () => (await one.check('key')).allowed);
    expect(performance.now() - began).toBeGreaterThan(retryAfterMs - 5);
    expect(performance.now() - began).toBeLessThan(200 + SLACK);
  });

  test('are of that key and of that cost', async () => {
    const one = limiter({ maxRequests: 10, windowMs: LONG });
    await one.check('key', { cost: 8 });
    expect(await one.check('key', { cost: 5 })).toMatchObject({ allowed: false });
    expect(await one.check('key', { cost: 6 })).toMatchObject({ allowed: false });
    expect(await one.check('key', { cost: 2 })).toMatchObject({ allowed: true });
    expect(await one.check('other', { cost: 8 })).toMatchObject({ allowed: true });
  });
});

test('waitFor() is served in time by what other processes leave', async () => {
  const limiters = [1, 2].map(() => limiter({ maxRequests: 10, windowMs: 200 }));
  const began = performance.now();
  const ends = await times(40, async (n) => {
    await limiters[n % 2]!.waitFor('key', { timeout: 30_000 });
    return performance.now();
  });
  // Forty by tens, of which the first pass at once.
  expect(Math.max(...ends) - began).toBeGreaterThanOrEqual(3 * 200 - 20);
  expect(Math.max(...ends) - began).toBeLessThan(10_000);
});
