import { TimeoutError } from 'keelson';
import { advance, failure, makePool, onFakeTimers, record, scripted, settle } from './support/connections';

onFakeTimers();

describe('acquireTimeout', () => {
  test('ends a wait to the millisecond', async () => {
    const pool = makePool(scripted().factory, { max: 1, acquireTimeout: 100 });
    const events = record(pool);
    const lease = await pool.acquire();
    const early = failure(pool.acquire());
    await advance(50);
    const late = pool.acquire();
    await advance(49);
    expect(pool.getStats()).toMatchObject({ waiting: 2 });
    await advance(1);
    expect(pool.getStats()).toMatchObject({ waiting: 1 });
    expect(await early).toBeInstanceOf(TimeoutError);
    expect(await early).toMatchObject({ code: 'ERR_KEELSON_TIMEOUT', timeout: 100 });
    expect(await early).not.toHaveProperty('cause');
    expect((await early).message).toBe(
      "Acquiring a connection of pool 'test' took longer than its timeout of 100 ms",
    );
    expect(events.at(-1)).toEqual(['timeout', { pool: 'test', ms: 100 }]);
    lease.release();
    await advance(50);
    expect(pool.getStats()).toMatchObject({ waiting: 0, active: 1 });
    expect((await late).active).toBe(true);
    expect(pool.metrics()).toMatchObject({ 'db.client.connection.timeouts': 1, errors: { timeout: 1 } });
  });

  test('is one deadline, however often what the acquire needs fails', async () => {
    const create = jest.fn(() => Promise.reject(new Error('down')));
    const pool = makePool({ create }, { acquireTimeout: 1_000, backoff: { min: 10, max: 20 } });
    const call = failure(pool.acquire());
    await advance(999);
    expect(create.mock.calls.length).toBeGreaterThan(10);
    expect(pool.getStats()).toMatchObject({ waiting: 1 });
    await advance(1);
    expect(await call).toMatchObject({ timeout: 1_000, cause: { cause: { message: 'down' } } });
  });

  test('a call may have its own, or none', async () => {
    const pool = makePool(scripted().factory, { max: 1, acquireTimeout: 10 });
    const lease = await pool.acquire();
    const short = failure(pool.acquire({ timeout: 5 }));
    const endless = pool.acquire({ timeout: Number.POSITIVE_INFINITY });
    await advance(5);
    expect(await short).toMatchObject({ timeout: 5 });
    await advance(10_000_000);
    lease.release();
    expect((await endless).active).toBe(true);
  });

  test('that ends does not end the opening that it caused', async () => {
    const { factory, make } = scripted();
    const create = () =>
      new Promise<ReturnType<typeof make>>((resolve) => setTimeout(() => resolve(make()), 100));
    const pool = makePool({ ...factory, create }, { max: 1 });
    const call = failure(pool.acquire({ timeout: 50 }));
    await advance(100);
    expect(await call).toBeInstanceOf(TimeoutError);
    expect(pool.getStats()).toMatchObject({ idle: 1 });
  });
});

test('idleTimeout closes what is not used, down to min', async () => {
  const { factory, open } = scripted();
  const pool = makePool(factory, { max: 3, min: 1, idleTimeout: 100 });
  const events = record(pool);
  const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
  for (const lease of leases) lease.release();
  await advance(90);
  (await pool.acquire()).release();
  await advance(10);
  expect(open()).toHaveLength(1);
  await advance(1_000);
  expect(open()).toHaveLength(1);
  expect(events.filter(([name]) => name === 'close').map(([, { reason }]) => reason)).toEqual([
    'idle',
    'idle',
  ]);
});

test('maxLifetime replaces connections: idle ones at once, lent ones when they come back', async () => {
  const { factory, open } = scripted();
  const pool = makePool(factory, {
    max: 2,
    min: 2,
    maxLifetime: 100,
    lifetimeJitter: 0,
    idleTimeout: 10_000,
  });
  await pool.ready();
  const lease = await pool.acquire();
  await advance(100);
  expect(open()).toContain(lease.connection.n);
  expect(open()).toHaveLength(2);
  lease.release();
  await settle();
  expect(open()).toEqual([3, 4]);
  expect(pool.metrics().closed).toMatchObject({ lifetime: 2 });
});

test('lifetimeJitter spreads the ends, and only shortens', async () => {
  const { factory, open } = scripted();
  const options = { maxLifetime: 1_000, lifetimeJitter: 0.5, idleTimeout: Number.POSITIVE_INFINITY };
  const pool = makePool(factory, { max: 50, ...options });
  const leases = await Promise.all(Array.from({ length: 50 }, () => pool.acquire()));
  for (const lease of leases) lease.release();
  await advance(499);
  expect(open()).toHaveLength(50);
  await advance(250);
  expect(open().length).toBeGreaterThan(5);
  expect(open().length).toBeLessThan(45);
  await advance(252);
  expect(open()).toEqual([]);
});

describe('leakAfter', () => {
  test('reports where a connection was acquired that does not come back, once', async () => {
    const pool = makePool(scripted().factory, { max: 2, leakAfter: 100 });
    const events = record(pool);
    async function forgetful() {
      return pool.acquire();
    }
    const lease = await forgetful();
    await pool.use(() => {});
    await advance(1_000);
    const leaks = events.filter(([name]) => name === 'leak');
    expect(leaks).toEqual([['leak', { pool: 'test', id: lease.id, ms: 100, stack: expect.any(String) }]]);
    expect(leaks[0]![1].stack).toMatch(/^\s+at .*connectionPoolTime.*\n.*forgetful/);
    expect(pool.metrics()).toMatchObject({ leaks: 1 });
    lease.release();
    expect(pool.getStats()).toMatchObject({ active: 0 });
  });

  test('holds for those that had to wait, from when they got it', async () => {
    const pool = makePool(scripted().factory, { max: 1, leakAfter: 100 });
    const events = record(pool);
    const first = await pool.acquire();
    async function patient() {
      return pool.acquire({ priority: 'low' });
    }
    const call = patient();
    await advance(50);
    first.release();
    await call;
    await advance(99);
    expect(events.filter(([name]) => name === 'leak')).toEqual([]);
    await advance(1);
    expect(events.at(-1)).toEqual([
      'leak',
      expect.objectContaining({ ms: 100, stack: expect.stringContaining('patient') }),
    ]);
  });
});

describe('clocks', () => {
  test('fake timers that come and go leave time where it is', async () => {
    jest.useRealTimers();
    const { factory } = scripted();
    const pool = makePool(factory, { max: 1 });
    const lease = await pool.acquire();
    const call = failure(pool.acquire({ timeout: 1_000 }));
    jest.useFakeTimers();
    const other = failure(pool.acquire({ timeout: 2_000 }));
    await advance(1_001);
    expect(await call).toBeInstanceOf(TimeoutError);
    expect(pool.getStats()).toMatchObject({ waiting: 1 });
    await advance(999);
    expect(await other).toBeInstanceOf(TimeoutError);
    jest.useRealTimers();
    expect(await failure(pool.acquire({ timeout: 1 }))).toBeInstanceOf(TimeoutError);
    lease.release();
    expect((await pool.acquire()).connection.n).toBe(1);
  });

  test('what is due stays due on them, though nothing is told to the native core', async () => {
    jest.useRealTimers();
    const { factory, open } = scripted();
    const pool = makePool(factory, { max: 1, idleTimeout: 1_000 });
    for (let loan = 0; loan < 3; loan++) (await pool.acquire()).release();
    jest.useFakeTimers();
    (await pool.acquire()).release();
    await advance(1_002);
    expect(open()).toEqual([]);
  });

  test('a thread that was blocked takes nothing from a deadline', async () => {
    jest.useRealTimers();
    const { factory, make } = scripted({ alive: ({ alive }) => alive });
    factory.create = () => new Promise((resolve) => setTimeout(() => resolve(make()), 5));
    const pool = makePool(factory, { max: 1, acquireTimeout: 100 });
    for (let loan = 0; loan < 101; loan++) (await pool.acquire()).release();
    const blocked = performance.now();
    while (performance.now() < blocked + 150);
    factory.alive = () => false;
    const call = pool.acquire();
    factory.alive = () => true;
    expect((await call).connection.n).toBe(2);
  });

  test.each([{ doNotFake: ['performance' as const] }, { legacyFakeTimers: true as const }])(
    'deadlines hold on clocks that stand in for timers only: %p',
    async (options) => {
      jest.useRealTimers();
      jest.useFakeTimers(options as never);
      const pool = makePool(scripted().factory, { max: 1 });
      await pool.acquire();
      const call = failure(pool.acquire({ timeout: 1_000 }));
      jest.advanceTimersByTime(990);
      await settle();
      expect(pool.getStats()).toMatchObject({ waiting: 1 });
      jest.advanceTimersByTime(20);
      expect(await call).toBeInstanceOf(TimeoutError);
    },
  );
});
