import { closeHosts, serveListener } from './support/limiters';
import { times, useLimiters, useRedis } from './support/redis';
import { eventually } from './support/server';

// What a limiter answers by what Redis has told it before: denials that are repeated, and permits of blocks.

const server = useRedis();
const make = useLimiters(server);
closeHosts();
const limiter = (config = {}) => make({ redis: server.config, ...config });

afterEach(() => server.command('FLUSHALL'));

/** How many scripts the server has run. */
async function calls(): Promise<number> {
  const stats: string = await server.command('INFO', 'commandstats');
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

describe('a denial', () => {
  test('is repeated without asking Redis, for what costs as much or more', async () => {
    const one = limiter({ maxRequests: 3, blockCache: 60_000 });
    await one.check('key', { cost: 2 });
    const first = await one.check('key', { cost: 2 });
    expect(first).toMatchObject({ allowed: false, remaining: 1, source: 'redis' });
    const before = await calls();
    const again = await times(100, () => one.check('key', { cost: 3 }));
    expect(await calls()).toBe(before);
    for (const result of again) {
      expect(Object.keys(result).sort()).toEqual(Object.keys(first).sort());
      expect(result).toMatchObject({ allowed: false, cost: 3, source: 'redis', policy: 'default' });
      expect(result.retryAfterMs).toBeLessThanOrEqual(first.retryAfterMs);
    }
    expect(one.metrics()).toMatchObject({ denied: 101, deniedFromCache: 100 });
    expect(one.getStats().blockedCount).toBe(1);
    expect(await one.check('key')).toMatchObject({ allowed: true });
  });

  test('is no longer than that of Redis', async () => {
    const windowMs = 200;
    const one = limiter({ windowMs, maxRequests: 1, blockCache: 60_000 });
    const admitted: number[] = [];
    const until = performance.now() + 10 * windowMs;
    while (performance.now() < until) {
      if ((await one.check('key')).allowed) admitted.push(performance.now());
      await new Promise((resolve) => setImmediate(resolve));
    }
    // Slow machines lose some milliseconds each time, not whole windows.
    expect(admitted.length).toBeGreaterThanOrEqual(8);
    expect(admitted.length).toBeLessThanOrEqual(10);
    expect(one.metrics().deniedFromCache).toBeGreaterThan(0);
  });

  test('is forgotten here with what changes the key here', async () => {
    const one = limiter({ maxRequests: 1, blockCache: 60_000 });
    const change = [() => one.reset('key'), () => one.reward('key'), () => one.block('key', 0)] as const;
    for (const [index, call] of change.entries()) {
      await one.reset('key');
      await one.check('key');
      expect(await one.check('key')).toMatchObject({ allowed: false });
      await call();
      expect(await one.check('key')).toMatchObject({ allowed: index < 2 });
    }
  });

  test('is forgotten too where it was on its way when the key was reset', async () => {
    const one = limiter({ maxRequests: 1, blockCache: 60_000 });
    await one.check('key');
    const [denial] = await Promise.all([one.check('key'), one.reset('key')]);
    expect(denial).toMatchObject({ allowed: false });
    expect(await one.check('key')).toMatchObject({ allowed: true });
  });

  test('that another process has lifted is forgotten after blockCache', async () => {
    const [one, other] = [limiter({ maxRequests: 1, blockCache: 300 }), limiter({ maxRequests: 1 })];
    await one.check('key');
    await one.check('key');
    const began = performance.now();
    await other.reset('key');
    await eventually(async () => (await one.check('key')).allowed);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  test('of permits is never repeated: they can come back at any moment', async () => {
    const one = limiter({ algorithm: 'concurrency', maxRequests: 1, blockCache: 60_000 });
    const other = limiter({ algorithm: 'concurrency', maxRequests: 1 });
    const { lease } = await other.check('key');
    expect(await one.check('key')).toMatchObject({ allowed: false });
    await lease!.release();
    expect(await one.check('key')).toMatchObject({ allowed: true });
  });
});

describe('blocks of permits', () => {
  const blocks = (size: number, config = {}) =>
    limiter({ maxRequests: 100, leases: { size, ttl: 60_000 }, ...config });

  test('serve checks without asking Redis, and the quota holds', async () => {
    const one = blocks(10);
    const before = await calls();
    const results = [];
    for (let n = 0; n < 100; n++) results.push(await one.check('key'));
    expect(results.every(({ allowed, source }) => allowed && source === 'redis')).toBe(true);
    expect(results.map(({ remaining }) => remaining)).toEqual(results.map((_, n) => 99 - n));
    expect((await calls()) - before).toBe(10);
    expect(await one.check('key')).toMatchObject({ allowed: false });
    expect(one.metrics()).toMatchObject({ allowed: 100, fromBlocks: 100 });
  });

  test('are shared by those that wait for one', async () => {
    const one = blocks(20);
    const results = await times(150, () => one.check('key'));
    expect(results.filter(({ allowed }) => allowed)).toHaveLength(100);
    expect(one.metrics().fromBlocks).toBe(100);
  });

  test('the last units, too few for a block, are taken one by one', async () => {
    const one = blocks(30);
    expect((await times(120, () => one.check('key'))).filter(({ allowed }) => allowed)).toHaveLength(100);
    expect(one.metrics().fromBlocks).toBe(90);
  });

  test('with costs of their own', async () => {
    const one = blocks(10);
    for (const cost of [4, 4, 4, 50])
      expect(await one.check('key', { cost })).toMatchObject({ allowed: true, cost });
    // Two units of the first block had been given back.
    await eventually(async () => (await one.peek('key')).remaining === 100 - 8 - 10 - 50);
  });

  test('several processes hold no more than a block each beyond the quota', async () => {
    const [windowMs, size, quota] = [300, 10, 50];
    const some = [0, 1, 2].map(() =>
      blocks(size, { windowMs, maxRequests: quota, leases: { size, ttl: 200 } }),
    );
    const admitted: { began: number; ended: number }[] = [];
    const until = performance.now() + 8 * windowMs;
    const ask = async (index: number) => {
      while (performance.now() < until) {
        const began = performance.now();
        if ((await some[index % 3]!.check('key')).allowed) admitted.push({ began, ended: performance.now() });
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    await times(12, ask);
    for (const { began } of admitted) {
      const inWindow = admitted.filter((one) => one.began >= began && one.ended < began + windowMs - 2);
      expect(inWindow.length).toBeLessThanOrEqual(quota + 3 * size);
    }
    expect(admitted.length).toBeGreaterThan(quota);
  });

  test('what is not used in time is given back', async () => {
    const one = blocks(10, { leases: { size: 10, ttl: 50 } });
    await one.check('key');
    await new Promise((resolve) => setTimeout(resolve, 60));
    await one.check('key');
    // One used of the first, and all of the second.
    await eventually(async () => (await one.peek('key')).remaining === 89);
  });

  test('reset and block end what is held', async () => {
    const one = blocks(10);
    await one.check('key');
    await one.block('key', 60_000);
    expect(await one.check('key')).toMatchObject({ allowed: false });
    await one.reset('key');
    expect(await one.check('key')).toMatchObject({ allowed: true, remaining: 99 });
  });

  test('need no Redis to be configured: in memory there is nothing to ask', async () => {
    expect(await make({ leases: { size: 10 } }).check('key')).toMatchObject({
      source: 'memory',
      remaining: 99,
    });
  });
});

describe('requests', () => {
  test('are counted, and given back exactly', async () => {
    const one = limiter({ maxRequests: 2, skipFailedRequests: true, keyGenerator: () => 'key' });
    const middleware = one.middleware();
    const { ask } = await serveListener((req, res) =>
      middleware(req, res, () => res.writeHead(Number(req.headers['x-status'])).end()),
    );
    for (let n = 1; n <= 3; n++) {
      expect(await ask({ 'x-status': '500' })).toMatchObject({ status: 500 });
      await eventually(async () => (await one.peek('key')).remaining === 2);
    }
    for (const status of [200, 200, 429]) expect(await ask({ 'x-status': '200' })).toMatchObject({ status });
    expect(one.metrics().refunded).toBe(3);
  });

  test('hold a permit until they are over', async () => {
    const one = limiter({
      algorithm: 'concurrency',
      windowMs: 300,
      maxRequests: 1,
      keyGenerator: () => 'key',
    });
    const middleware = one.middleware();
    const open: any[] = [];
    const { ask } = await serveListener((req, res) => middleware(req, res, () => open.push(res)));
    const first = ask();
    await eventually(() => open.length === 1);
    const until = performance.now() + 900;
    while (performance.now() < until) expect(await ask()).toMatchObject({ status: 429 });
    open[0].end();
    await first;
    await eventually(async () => (await one.peek('key')).allowed);
  });
});

test('waitFor waits for other processes too', async () => {
  const [one, other] = [
    limiter({ windowMs: 200, maxRequests: 1 }),
    limiter({ windowMs: 200, maxRequests: 1 }),
  ];
  const began = performance.now();
  await times(6, (n) => (n % 2 === 0 ? one : other).waitFor('key'));
  expect(performance.now() - began).toBeGreaterThan(990);
});

test('permits are handed over between processes', async () => {
  const config = { algorithm: 'concurrency', windowMs: 500, maxRequests: 2 };
  const some = [limiter(config), limiter(config)];
  let [held, most] = [0, 0];
  await times(12, async (n) => {
    const lease = await some[n % 2]!.acquire('key');
    most = Math.max(most, ++held);
    await new Promise((resolve) => setTimeout(resolve, 20));
    held--;
    await lease.release();
  });
  expect(most).toBe(2);
});
