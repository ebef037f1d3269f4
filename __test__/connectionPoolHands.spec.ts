import type { AcquireOptions, ConnectionPool, ConnectionPoolOptions, Lease } from 'keelson';
import {
  advance,
  type Connection,
  failure,
  makePool,
  onFakeTimers,
  scripted,
  settle,
} from './support/connections';

onFakeTimers();

/** A pool all of whose connections are lent, and who got one since. */
async function saturated(options: ConnectionPoolOptions = {}, size = 1) {
  const { factory, made, open } = scripted();
  const pool = makePool(factory, { max: size, ...options });
  const leases: Lease<Connection>[] = [];
  for (let n = 0; n < size; n++) leases.push(await pool.acquire());
  const served: string[] = [];
  return { pool, made, open, leases, served };
}

/** Waits under a name, and gives back at once what it gets. */
function queue(pool: ConnectionPool<Connection>, served: string[], name: string, options?: AcquireOptions) {
  pool.acquire(options).then((lease) => {
    served.push(name);
    lease.release();
  });
}

describe('who waits while all is lent', () => {
  test('is served in order, those that come with options among them', async () => {
    const { pool, leases, served } = await saturated();
    queue(pool, served, 'a');
    queue(pool, served, 'b');
    queue(pool, served, 'low', { priority: 'low' });
    queue(pool, served, 'c');
    queue(pool, served, 'high', { priority: 'high' });
    queue(pool, served, 'd', { affinity: 'key' });
    expect(pool.getStats()).toMatchObject({ active: 1, idle: 0, waiting: 6 });
    leases[0]!.release();
    await settle();
    expect(served).toEqual(['high', 'a', 'b', 'c', 'd', 'low']);
    expect(pool.getStats()).toMatchObject({ active: 0, idle: 1, waiting: 0 });
    expect(pool.metrics()).toMatchObject({ acquired: 7, 'db.client.connection.wait_time': { count: 7 } });
  });

  test('gives up at its own deadline, and the others wait on', async () => {
    const { pool, leases, served } = await saturated({ acquireTimeout: 100 });
    const first = failure(pool.acquire());
    await advance(60);
    queue(pool, served, 'second');
    await advance(40);
    expect(await first).toMatchObject({ code: 'ERR_KEELSON_TIMEOUT' });
    expect(pool.getStats()).toMatchObject({ waiting: 1 });
    const third = failure(pool.acquire({ timeout: 10 }));
    await advance(10);
    expect(await third).toMatchObject({ timeout: 10 });
    leases[0]!.release();
    await settle();
    expect(served).toEqual(['second']);
  });

  test('gives up where it was reported meanwhile', async () => {
    const { pool } = await saturated({ acquireTimeout: 100 });
    const failures = [failure(pool.acquire()), failure(pool.acquire())];
    await advance(50);
    pool.pause();
    pool.resume();
    expect(pool.getStats()).toMatchObject({ waiting: 2 });
    await advance(50);
    expect(await Promise.all(failures)).toMatchObject([{ timeout: 100 }, { timeout: 100 }]);
  });

  test.each(['discard', 'evict', 'expire'] as const)('gets a new connection after %s', async (how) => {
    const { pool, made, leases, served } = await saturated({ maxLifetime: 1_000, lifetimeJitter: 0 });
    queue(pool, served, 'a');
    queue(pool, served, 'b');
    if (how === 'evict') pool.evict();
    if (how === 'expire') await advance(1_000);
    leases[0]![how === 'discard' ? 'discard' : 'release']();
    await settle();
    expect(served).toEqual(['a', 'b']);
    expect(made).toHaveLength(2);
  });

  test('waits on in a pause, is served by a drain, and told of a close', async () => {
    const { pool, leases, served } = await saturated({}, 2);
    queue(pool, served, 'a');
    pool.pause();
    leases[0]!.release();
    await settle();
    expect(served).toEqual([]);
    expect(pool.getStats()).toMatchObject({ active: 1, idle: 1, waiting: 1 });
    pool.resume();
    await settle();
    expect(served).toEqual(['a']);
    const held = await pool.acquire();
    queue(pool, served, 'b');
    const drained = pool.drain();
    held.release();
    leases[1]!.release();
    await drained;
    expect(served).toEqual(['a', 'b']);
    pool.resume();
    const [one, two] = [await pool.acquire(), await pool.acquire()];
    const closed = failure(pool.acquire());
    const closing = pool.close();
    expect(await closed).toMatchObject({ code: 'ERR_KEELSON_DESTROYED' });
    one.release();
    two.release();
    await closing;
  });
});

describe('what came back', () => {
  test('is lent again, the latest first, and idles from then on', async () => {
    const { pool, leases, open } = await saturated({ idleTimeout: 1_000 }, 3);
    for (const lease of leases) lease.release();
    await advance(600);
    const again = await pool.acquire();
    expect(again.connection.n).toBe(3);
    again.release();
    expect(pool.getStats()).toMatchObject({ active: 0, idle: 3 });
    await advance(400);
    expect(open()).toEqual([3]);
    await advance(599);
    expect(open()).toEqual([3]);
    await advance(1);
    expect(open()).toEqual([]);
  });

  test('goes with an eviction, and is nobody’s in a pause or a drain', async () => {
    const { pool, leases, open } = await saturated({}, 2);
    for (const lease of leases) lease.release();
    pool.pause();
    const waiting = pool.acquire();
    await settle();
    expect(pool.getStats()).toMatchObject({ active: 0, idle: 2, waiting: 1 });
    pool.resume();
    const lease = await waiting;
    pool.evict();
    lease.release();
    await settle();
    expect(open()).toEqual([]);
    await pool.drain();
    expect(await failure(pool.acquire())).toMatchObject({ code: 'ERR_KEELSON_POOL_UNAVAILABLE' });
  });

  test('counts each loan where loans are counted', async () => {
    const pool = makePool(scripted().factory, { max: 1, maxUses: 3 });
    const numbers: number[] = [];
    for (let loan = 0; loan < 7; loan++) await pool.use(({ n }) => numbers.push(n));
    expect(numbers).toEqual([1, 1, 1, 2, 2, 2, 3]);
  });
});
