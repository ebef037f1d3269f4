import { ConnectionPool, DestroyedError, PoolUnavailableError, TimeoutError } from 'keelson';
import {
  advance,
  type Connection,
  failure,
  makePool,
  onFakeTimers,
  record,
  scripted,
  settle,
} from './support/connections';
import { type Deferred, deferred } from './support/deferred';

onFakeTimers();

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let over = false;
  const end = () => {
    over = true;
  };
  promise.then(end, end);
  await settle();
  return over;
}

describe('close', () => {
  test('closes what is idle, waits for what is lent, and rejects who waits', async () => {
    const { factory, open } = scripted();
    const pool = makePool(factory, { max: 2 });
    const events = record(pool);
    const [lent, idle] = await Promise.all([pool.acquire(), pool.acquire()]);
    const waiting = failure(pool.acquire());
    const [closing, again] = [pool.close(), pool.close()];
    expect(pool.destroyed).toBe(true);
    expect(await waiting).toBeInstanceOf(DestroyedError);
    expect(await waiting).toMatchObject({ message: "Connection pool 'test' has been closed" });
    expect(await failure(pool.acquire())).toBeInstanceOf(DestroyedError);
    idle!.release();
    expect(await isSettled(closing)).toBe(false);
    expect(open()).toEqual([1]);
    lent!.release();
    await Promise.all([closing, again]);
    expect(open()).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
    expect(events.filter(([name]) => name === 'close').map(([, { reason }]) => reason)).toEqual([
      'closing',
      'closing',
    ]);
    expect(pool.metrics()).toMatchObject({ closed: { closing: 2 }, errors: { closed: 2 } });
    await pool.close();
    lent!.release();
    lent!.discard();
    expect(pool.getStats()).toStrictEqual({ total: 0, idle: 0, active: 0, waiting: 0, opening: 0 });
  });

  test('takes back by force after its timeout what is lent, and the shortest counts', async () => {
    const { factory, open } = scripted();
    const pool = makePool(factory, { max: 2 });
    const events = record(pool);
    const lease = await pool.acquire();
    const closing = pool.close({ timeout: 10_000 });
    await advance(100);
    void pool.close({ timeout: 50 });
    await advance(49);
    expect(open()).toEqual([1]);
    await advance(1);
    await closing;
    expect([open(), lease.active]).toEqual([[], false]);
    expect(jest.getTimerCount()).toBe(0);
    expect(events.at(-1)).toEqual([
      'close',
      { pool: 'test', id: 'test:1', reason: 'closing', error: undefined },
    ]);
    lease.release();
    expect(pool.metrics()).toMatchObject({ closed: { closing: 1, broken: 0 } });
  });

  test('aborts what is opening, and destroys it if it comes all the same', async () => {
    const { factory, make, open } = scripted();
    const opening = deferred<Connection>();
    const signals: AbortSignal[] = [];
    const create = ({ signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return opening.promise;
    };
    const pool = makePool({ ...factory, create }, { max: 1 });
    const call = failure(pool.acquire());
    const closing = pool.close();
    expect(await call).toBeInstanceOf(DestroyedError);
    expect(signals[0]!.reason).toBeInstanceOf(DestroyedError);
    expect(await isSettled(closing)).toBe(false);
    opening.resolve(make());
    await closing;
    expect(open()).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('by force gives up what is opening, validated and reset', async () => {
    const { factory, make, open } = scripted();
    const late = deferred<Connection>();
    const create = jest.fn<Connection | Promise<Connection>, [unknown]>(() => late.promise);
    for (let count = 0; count < 2; count++) create.mockImplementationOnce(() => make());
    const hang = () => new Promise<never>(() => {});
    const pool = makePool({ ...factory, create, validate: hang, reset: hang }, { max: 3, validateAfter: 0 });
    const leases = await Promise.all([pool.acquire(), pool.acquire()]);
    const resetting = leases[0]!.release() as Promise<void>;
    const opening = failure(pool.acquire());
    await settle();
    expect(pool.getStats()).toMatchObject({ active: 2, opening: 1 });
    const closing = pool.close({ timeout: 10 });
    await advance(10);
    await closing;
    expect(open()).toEqual([]);
    expect(await opening).toBeInstanceOf(DestroyedError);
    late.resolve(make());
    await settle();
    expect(open()).toEqual([]);
    expect(pool.metrics()).toMatchObject({ late: 1, opened: 2, closed: { closing: 2 } });
    await advance(2_000);
    await resetting;
    expect(pool.metrics()['db.client.connection.use_time'].count).toBe(0);
  });

  test('by force ends a loan that begins meanwhile', async () => {
    const { factory, open } = scripted({ alive: () => true, ref: () => {} });
    const pool = makePool(factory, { max: 1 });
    (await pool.acquire()).release();
    factory.ref = () => void pool.close({ timeout: 0 });
    const lease = await pool.acquire();
    expect(lease.active).toBe(false);
    expect(open()).toEqual([]);
  });

  test('waits for a destroy up to closeTimeout', async () => {
    const { factory } = scripted({ destroy: () => new Promise(() => {}) });
    const pool = makePool(factory, { max: 1, closeTimeout: 100 });
    const events = record(pool);
    (await pool.acquire()).release();
    const closing = pool.close();
    await advance(99);
    expect(await isSettled(closing)).toBe(false);
    await advance(1);
    await closing;
    expect(events.at(-1)).toEqual(['error', expect.any(TimeoutError)]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('may be called inside of use', async () => {
    const { factory, open } = scripted();
    const pool = makePool(factory, { max: 1 });
    let closing: Promise<void> | undefined;
    await pool.use(() => {
      closing = pool.close();
    });
    await closing;
    expect(open()).toEqual([]);
  });

  test('of a pool that was never used is at once', async () => {
    const pool = new ConnectionPool(scripted().factory, { min: 5 });
    await pool.close();
    const symbol =
      (Symbol as never as { asyncDispose?: symbol }).asyncDispose ?? Symbol.for('nodejs.asyncDispose');
    const disposed = new ConnectionPool(scripted().factory);
    await (disposed as never as Record<symbol, () => Promise<void>>)[symbol]!();
    expect(disposed.destroyed).toBe(true);
  });

  test('rejects 10,000 who wait', async () => {
    const pool = makePool(scripted().factory, { max: 1 });
    const lease = await pool.acquire();
    const calls = Array.from({ length: 10_000 }, () => failure(pool.acquire()));
    const closing = pool.close();
    const kinds = new Set((await Promise.all(calls)).map((error) => error.code));
    expect([...kinds]).toEqual(['ERR_KEELSON_DESTROYED']);
    lease.release();
    await closing;
  });

  test.each([{ timeout: -1 }, { timeout: '1' }, { after: 1 }, 1])('with %p rejects', async (options) => {
    const pool = makePool(scripted().factory);
    expect(await failure(pool.close(options as never))).toMatchObject({
      code: 'ERR_KEELSON_INVALID_ARGUMENT',
    });
    expect(pool.destroyed).toBe(false);
  });
});

describe('ready', () => {
  test('resolves once min connections are open', async () => {
    const { factory, make, open } = scripted();
    const waits: Deferred<void>[] = [];
    const create = async () => {
      const wait = deferred<void>();
      waits.push(wait);
      await wait.promise;
      return make();
    };
    const pool = makePool({ ...factory, create }, { max: 5, min: 3 });
    const ready = pool.ready();
    await settle();
    expect(waits).toHaveLength(3);
    waits[0]!.resolve();
    waits[1]!.resolve();
    expect(await isSettled(ready)).toBe(false);
    waits[2]!.resolve();
    await ready;
    expect(open()).toEqual([1, 2, 3]);
    await pool.ready();
    expect(jest.getTimerCount()).toBe(1);
  });

  test('rejects at its deadline with why connections cannot be opened', async () => {
    const pool = makePool({ create: () => Promise.reject(new Error('down')) }, { min: 1 });
    const error = failure(pool.ready({ timeout: 100 }));
    await advance(100);
    expect(await error).toMatchObject({ code: 'ERR_KEELSON_POOL_CONNECTION', cause: { message: 'down' } });
    const hanging = makePool({ create: () => new Promise(() => {}) }, { min: 1, acquireTimeout: 50 });
    const late = failure(hanging.ready());
    await advance(50);
    expect(await late).toBeInstanceOf(TimeoutError);
  });

  test('ends with its signal, and with the pool', async () => {
    const pool = makePool({ create: () => new Promise(() => {}) }, { min: 1 });
    const controller = new AbortController();
    const aborted = failure(pool.ready({ signal: controller.signal }));
    const closed = failure(pool.ready());
    await settle();
    controller.abort();
    expect(await aborted).toBe(controller.signal.reason);
    expect(await failure(pool.ready({ signal: controller.signal }))).toBe(controller.signal.reason);
    const closing = pool.close({ timeout: 0 });
    expect(await closed).toBeInstanceOf(DestroyedError);
    await advance(1);
    await closing;
    expect(await failure(pool.ready())).toBeInstanceOf(DestroyedError);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('with min 0 there is nothing to wait for', async () => {
    const { factory, made } = scripted();
    await makePool(factory).ready();
    expect(made).toEqual([]);
  });
});

describe('pause, resume, drain and evict', () => {
  test('a paused pool lends nothing, and time goes on', async () => {
    const pool = makePool(scripted().factory, { max: 1 });
    (await pool.acquire()).release();
    pool.pause();
    pool.pause();
    const patient = pool.acquire();
    const hasty = failure(pool.acquire({ timeout: 10 }));
    await advance(10);
    expect(await hasty).toBeInstanceOf(TimeoutError);
    expect(pool.getStats()).toMatchObject({ idle: 1, waiting: 1 });
    pool.resume();
    expect((await patient).connection.n).toBe(1);
  });

  test('drain serves who waits, refuses others, and resolves when all is back', async () => {
    const pool = makePool(scripted().factory, { max: 1 });
    const lease = await pool.acquire();
    const waiting = pool.acquire();
    const drained = pool.drain();
    const refused = await failure(pool.acquire());
    expect(refused).toBeInstanceOf(PoolUnavailableError);
    expect(refused.message).toBe("Pool 'test' is draining");
    lease.release();
    const last = await waiting;
    expect(await isSettled(drained)).toBe(false);
    last.release();
    await drained;
    expect(pool.getStats()).toMatchObject({ total: 1, idle: 1 });
    expect(pool.metrics().errors).toMatchObject({ draining: 1 });
    pool.resume();
    (await pool.acquire()).release();
    await pool.drain();
    await pool.close();
    pool.resume();
    pool.pause();
    pool.evict();
    await pool.drain();
    expect(await failure(pool.acquire())).toBeInstanceOf(DestroyedError);
  });

  test('evict replaces every connection of now', async () => {
    const { factory, open } = scripted();
    const pool = makePool(factory, { max: 3, min: 2 });
    await pool.ready();
    const lease = await pool.acquire();
    pool.evict();
    await settle();
    expect(open()).toContain(lease.connection.n);
    lease.release();
    await settle();
    expect(open()).toEqual([3, 4]);
    expect(pool.metrics().closed).toMatchObject({ evicted: 2 });
  });
});
