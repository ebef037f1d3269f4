import { AsyncLocalStorage } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import { ConnectionPool, InvalidArgumentError, type Lease, QueueFullError, TimeoutError } from 'keelson';
import {
  type Connection,
  closePools,
  failure,
  makePool,
  record,
  scripted,
  settle,
} from './support/connections';
import { deferred } from './support/deferred';

afterEach(closePools);

describe('acquire and release', () => {
  test('connections are opened as they are needed, never more than max, and used again', async () => {
    const { factory, made } = scripted();
    const pool = makePool(factory, { max: 2 });
    expect(pool.getStats()).toStrictEqual({ total: 0, idle: 0, active: 0, waiting: 0, opening: 0 });
    const leases = await Promise.all([pool.acquire(), pool.acquire()]);
    expect(leases.map((lease) => lease.connection)).toEqual(made);
    expect(leases.map((lease) => lease.id)).toEqual(['test:1', 'test:2']);
    const third = pool.acquire();
    expect(pool.getStats()).toStrictEqual({ total: 2, idle: 0, active: 2, waiting: 1, opening: 0 });
    leases[1]!.release();
    expect((await third).connection).toBe(made[1]);
    expect(pool.getStats()).toStrictEqual({ total: 2, idle: 0, active: 2, waiting: 0, opening: 0 });
    leases[0]!.release();
    expect(pool.getStats()).toStrictEqual({ total: 2, idle: 1, active: 1, waiting: 0, opening: 0 });
    expect((await pool.acquire()).connection).toBe(made[0]);
    expect(made).toHaveLength(2);
  });

  test('a lease that has ended does nothing to a later lease of its connection', async () => {
    const { factory, made } = scripted();
    const pool = makePool(factory, { max: 1 });
    const first = await pool.acquire();
    expect(first.active).toBe(true);
    first.release();
    const second = await pool.acquire();
    expect(second.connection).toBe(made[0]);
    expect([first.active, second.active]).toEqual([false, true]);
    first.release();
    first.discard(new Error('too late'));
    expect(pool.getStats()).toMatchObject({ idle: 0, active: 1 });
    second.discard();
    second.release();
    second.discard();
    await settle();
    expect(pool.getStats()).toMatchObject({ total: 0 });
    expect(pool.metrics()).toMatchObject({ closed: { broken: 1 }, acquired: 2 });
  });

  test('a connection that is discarded is destroyed and replaced', async () => {
    const { factory, open } = scripted();
    const pool = makePool(factory, { max: 1 });
    const events = record(pool);
    const lease = await pool.acquire();
    const waiting = pool.acquire();
    const error = new Error('broken pipe');
    lease.discard(error);
    expect((await waiting).connection.n).toBe(2);
    expect(open()).toEqual([2]);
    expect(events).toEqual([
      ['open', { pool: 'test', id: 'test:1', ms: expect.any(Number) }],
      ['close', { pool: 'test', id: 'test:1', reason: 'broken', error }],
      ['open', { pool: 'test', id: 'test:2', ms: expect.any(Number) }],
    ]);
  });

  test('who waits is served in order, those of a higher priority first', async () => {
    const pool = makePool(scripted().factory, { max: 1 });
    const lease = await pool.acquire();
    const order: string[] = [];
    const ask = async (name: string, priority?: 'high' | 'normal' | 'low') => {
      const got = await pool.acquire({ priority });
      order.push(name);
      got.release();
    };
    const all = [ask('low', 'low'), ask('normal 1'), ask('high 1', 'high'), ask('normal 2', 'normal')];
    all.push(ask('high 2', 'high'));
    lease.release();
    await Promise.all(all);
    expect(order).toEqual(['high 1', 'high 2', 'normal 1', 'normal 2', 'low']);
  });

  test.each([
    ['lifo', 3],
    ['fifo', 1],
  ] as const)('the order %s lends connection %d', async (order, expected) => {
    const pool = makePool(scripted().factory, { max: 3, order });
    const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
    for (const lease of leases) lease.release();
    expect((await pool.acquire()).connection.n).toBe(expected);
  });

  test('a key gets the connection that it had, if that is idle, and never waits for it', async () => {
    const pool = makePool(scripted().factory, { max: 3 });
    const leases = await Promise.all(['a', 'b', 'c'].map((affinity) => pool.acquire({ affinity })));
    for (const lease of leases) lease.release();
    for (const [index, affinity] of ['a', 'b', 'c', 'a'].entries()) {
      const lease = await pool.acquire({ affinity });
      expect(lease.connection).toBe(leases[index % 3]!.connection);
      lease.release();
    }
    const held = await pool.acquire({ affinity: 'b' });
    expect((await pool.acquire({ affinity: 'b' })).connection).not.toBe(held.connection);
  });

  test('maxUses ends a connection', async () => {
    const pool = makePool(scripted().factory, { max: 1, maxUses: 2 });
    const used: number[] = [];
    for (let time = 0; time < 5; time++) used.push(await pool.use((connection) => connection.n));
    expect(used).toEqual([1, 1, 2, 2, 3]);
    expect(pool.metrics().closed).toMatchObject({ uses: 2 });
  });

  test('a full queue refuses, and says so', async () => {
    const pool = makePool(scripted().factory, { max: 1, maxQueue: 1 });
    const lease = await pool.acquire();
    const waiting = pool.acquire();
    const error = await failure(pool.acquire());
    expect(error).toBeInstanceOf(QueueFullError);
    expect(error).toMatchObject({ code: 'ERR_KEELSON_QUEUE_FULL', limit: 1 });
    expect(error.message).toContain("Pool 'test'");
    lease.release();
    (await waiting).release();
    expect(pool.metrics()).toMatchObject({ acquired: 2, errors: { full: 1 } });
  });

  test('a timeout of 0 gets what is ready, and waits for nothing', async () => {
    const pool = makePool(scripted().factory, { max: 1 });
    expect(await failure(pool.acquire({ timeout: 0 }))).toBeInstanceOf(TimeoutError);
    const lease = await pool.acquire();
    expect(await failure(pool.acquire({ timeout: 0 }))).toMatchObject({ timeout: 0 });
    lease.release();
    (await pool.acquire({ timeout: 0 })).release();
  });

  test('10,000 acquires at once are all served, by 10 connections', async () => {
    const { factory, made } = scripted();
    const pool = makePool(factory, { max: 10 });
    let lent = 0;
    let most = 0;
    const use = (connection: Connection) => {
      expect(connection.lent).toBe(false);
      connection.lent = true;
      most = Math.max(most, ++lent);
      return Promise.resolve().then(() => {
        connection.lent = false;
        lent--;
      });
    };
    const calls = Array.from({ length: 10_000 }, () => pool.use(use));
    expect(pool.getStats()).toMatchObject({ waiting: 10_000 });
    await Promise.all(calls);
    expect([most, made.length]).toEqual([10, 10]);
    expect(pool.metrics()).toMatchObject({ acquired: 10_000, opened: 10 });
    expect(pool.getStats()).toMatchObject({ idle: 10, active: 0, waiting: 0 });
  });

  test('a factory may be synchronous, and its connections primitive and alike', async () => {
    const pool = makePool({ create: () => 'connection' }, { max: 2 });
    const leases = await Promise.all([pool.acquire(), pool.acquire()]);
    expect(leases.map((lease) => lease.connection)).toEqual(['connection', 'connection']);
  });
});

describe('use', () => {
  test('gives what the function gives, and the connection back', async () => {
    const pool = makePool(scripted().factory);
    expect(await pool.use(({ n }, { id }) => `${n} ${id}`)).toBe('1 test:1');
    expect(await pool.use(async ({ n }) => n)).toBe(1);
    expect(pool.getStats()).toMatchObject({ idle: 1, active: 0 });
  });

  test.each([
    ['throws', () => Promise.reject(new Error('mine'))],
    [
      'throws at once',
      () => {
        throw new Error('mine');
      },
    ],
  ])('a function that %s gives it back too', async (_, work) => {
    const pool = makePool(scripted().factory);
    await expect(pool.use(work)).rejects.toThrow('mine');
    expect(pool.getStats()).toMatchObject({ idle: 1, active: 0 });
  });

  test('a function may discard or release by itself', async () => {
    const { factory, open } = scripted();
    const pool = makePool(factory);
    await pool.use((_, lease) => lease.discard());
    await pool.use((_, lease) => lease.release());
    expect(open()).toEqual([2]);
  });

  test('nested uses on one connection are up to their deadline', async () => {
    const pool = makePool(scripted().factory, { max: 1 });
    const nested = pool.use(() => pool.use(() => {}, { timeout: 1 }));
    expect(await failure(nested)).toBeInstanceOf(TimeoutError);
  });

  test('a lease is disposable', async () => {
    const pool = makePool(scripted().factory);
    const { dispose, asyncDispose } = Symbol as never as { dispose: symbol; asyncDispose: symbol };
    const symbols = [
      dispose ?? Symbol.for('nodejs.dispose'),
      asyncDispose ?? Symbol.for('nodejs.asyncDispose'),
    ];
    for (const symbol of symbols) {
      const lease = await pool.acquire();
      await (lease as never as Record<symbol, () => unknown>)[symbol]!();
      expect(pool.getStats()).toMatchObject({ idle: 1, active: 0 });
    }
  });
});

describe('an AbortSignal', () => {
  test('that has aborted gets no connection', async () => {
    const pool = makePool(scripted().factory);
    const reason = new Error('mine');
    expect(await failure(pool.acquire({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(pool.getStats()).toMatchObject({ total: 0 });
    expect(pool.metrics()).toMatchObject({ errors: { aborted: 1 } });
  });

  test('ends a wait, and keeps no listener', async () => {
    const pool = makePool(scripted().factory, { max: 1 });
    const lease = await pool.acquire();
    const controller = new AbortController();
    const { signal } = controller;
    const gone = Array.from({ length: 20 }, () => pool.acquire({ signal }));
    const stays = pool.acquire();
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    controller.abort();
    for (const call of gone) expect(await failure(call)).toBe(signal.reason);
    expect(pool.getStats()).toMatchObject({ waiting: 1 });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    lease.release();
    await stays;
    expect(pool.metrics()).toMatchObject({ acquired: 2, errors: { aborted: 20 } });
  });

  test('that aborts after the hand-over loses no connection', async () => {
    const pool = makePool(scripted().factory, { max: 1 });
    const lease = await pool.acquire();
    const controller = new AbortController();
    const call = pool.acquire({ signal: controller.signal });
    lease.release();
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    controller.abort();
    const got = await call;
    expect(got.active).toBe(true);
    got.release();
    expect(pool.getStats()).toMatchObject({ idle: 1, active: 0 });
  });

  test('that aborts while its connection is found broken ends the wait for another', async () => {
    const controller = new AbortController();
    const destroy = () => new Promise<void>((resolve) => setTimeout(resolve, 40));
    const { factory } = scripted({ alive: () => true, destroy });
    const pool = makePool(factory, { max: 1, acquireTimeout: 20 });
    (await pool.acquire()).release();
    factory.alive = () => {
      controller.abort();
      return false;
    };
    expect(await failure(pool.acquire({ signal: controller.signal }))).toBe(controller.signal.reason);
    expect(pool.getStats()).toMatchObject({ waiting: 0 });
    expect(pool.metrics()).toMatchObject({ errors: { aborted: 1, timeout: 0 } });
  });

  test('leaves no listener when the wait ends otherwise', async () => {
    const pool = makePool(scripted().factory, { max: 1 });
    const { signal } = new AbortController();
    const lease = await pool.acquire({ signal });
    expect(await failure(pool.acquire({ signal, timeout: 1 }))).toBeInstanceOf(TimeoutError);
    const closed = pool.acquire({ signal });
    const closing = pool.close();
    lease.release();
    expect(await failure(closed)).toMatchObject({ code: 'ERR_KEELSON_DESTROYED' });
    await closing;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('those who call from within', () => {
  test('listeners may acquire, release and close', async () => {
    const { factory, open } = scripted();
    const pool = makePool(factory, { max: 1 });
    let lease: Lease<Connection> | undefined;
    pool.once('open', () => {
      void pool.acquire().then((got) => got.discard());
    });
    pool.once('close', () => lease?.release());
    pool.on('close', () => void pool.close());
    lease = await pool.acquire();
    lease.release();
    await settle();
    expect(open()).toEqual([]);
    expect(pool.destroyed).toBe(true);
    expect(pool.getStats()).toMatchObject({ total: 0, waiting: 0 });
  });

  test('what a listener brings about comes after what it was told of', async () => {
    const pool = makePool(scripted().factory, { max: 3 });
    const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
    for (const lease of leases) lease.release();
    pool.pause();
    const calls = [1, 2, 3].map(() => failure(pool.acquire({ timeout: 5 })));
    pool.once('timeout', () => pool.evict());
    for (const call of calls) expect(await call).toBeInstanceOf(TimeoutError);
    await settle();
    expect(pool.getStats()).toMatchObject({ total: 0, waiting: 0 });
    expect(pool.metrics()).toMatchObject({ errors: { timeout: 3 }, closed: { evicted: 3 } });
  });

  test('the functions of a factory may acquire', async () => {
    const calls: Promise<unknown>[] = [];
    const { factory, make } = scripted({
      create: () => {
        if (calls.length < 3) calls.push(pool.use(({ n }) => n));
        return make();
      },
    });
    const pool: ConnectionPool<Connection> = makePool(factory, { max: 2 });
    calls.push(pool.use(({ n }) => n));
    expect(await Promise.all(calls)).toHaveLength(calls.length);
    expect(pool.getStats()).toMatchObject({ active: 0, waiting: 0 });
  });

  test('ref may acquire, and whom it was called for is served all the same', async () => {
    const others: Promise<Lease<Connection>>[] = [];
    const { factory } = scripted({
      ref: () => {
        if (others.length === 0) others.push(pool.acquire({ timeout: 1_000 }));
      },
    });
    const pool: ConnectionPool<Connection> = makePool(factory, { max: 1 });
    const lease = await pool.acquire();
    lease.release();
    expect((await others[0]!).active).toBe(true);
    expect(pool.getStats()).toMatchObject({ active: 1, waiting: 0 });
  });

  test("a listener's error reaches uncaughtException, and not the pool", async () => {
    const pool = makePool(scripted().factory);
    pool.on('open', () => {
      throw new Error('mine');
    });
    const caught = deferred<unknown>();
    const tick = jest.spyOn(process, 'nextTick').mockImplementation((callback) => {
      try {
        (callback as () => void)();
      } catch (error) {
        caught.resolve(error);
      }
    });
    const lease = await pool.acquire();
    tick.mockRestore();
    expect(await caught.promise).toMatchObject({ message: 'mine' });
    lease.release();
    expect(pool.getStats()).toMatchObject({ idle: 1 });
  });

  test('a caller keeps its async context, and others see none of it', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const see = () => void seen.push(storage.getStore());
    const { factory, make } = scripted({
      create: async () => {
        see();
        return make();
      },
      destroy: see,
    });
    const pool = makePool(factory, { max: 1 });
    pool.on('open', see);
    pool.on('close', see);
    const stores = await Promise.all(
      ['a', 'b', 'c'].map((store) =>
        storage.run(store, async () => {
          const lease = await pool.acquire();
          const own = storage.getStore();
          if (store === 'b') lease.discard();
          else lease.release();
          return own;
        }),
      ),
    );
    expect(stores).toEqual(['a', 'b', 'c']);
    expect(seen).toHaveLength(6);
    expect(seen.filter((store) => store !== undefined)).toEqual([]);
  });
});

describe('options', () => {
  const { factory } = scripted();
  test.each([
    [{ max: 0 }, '"max" must be a whole number from 1 to 65536, but it is 0'],
    [{ min: 11 }, '"min" must be a whole number from 0 to 10'],
    [{ max: 1.5 }, '"max"'],
    [{ maxQueue: -1 }, '"maxQueue"'],
    [{ acquireTimeout: '1' }, '"acquireTimeout"'],
    [{ createTimeout: 0 }, '"createTimeout"'],
    [{ closeTimeout: -1 }, '"closeTimeout"'],
    [{ idleTimeout: Number.NaN }, '"idleTimeout"'],
    [{ maxLifetime: 0 }, '"maxLifetime"'],
    [{ lifetimeJitter: 2 }, '"lifetimeJitter"'],
    [{ maxUses: 0 }, '"maxUses"'],
    [{ order: 'random' }, "\"order\" must be one of 'lifo', 'fifo'"],
    [{ validateAfter: -1 }, '"validateAfter"'],
    [{ validateTimeout: 0 }, '"validateTimeout"'],
    [{ probeInterval: 0 }, '"probeInterval"'],
    [{ leakAfter: 0 }, '"leakAfter"'],
    [{ backoff: { min: 100, max: 50 } }, '"backoff.max" must be a number from 100'],
    [{ backoff: { most: 1 } }, '"backoff.most" is not an option'],
    [{ onOutage: 'panic' }, '"onOutage"'],
    [{ failureThreshold: 0 }, '"failureThreshold"'],
    [{ name: 1 }, '"name"'],
    [{ maximum: 1 }, '"options.maximum" is not an option'],
    [null, '"options" must be an object'],
  ])('%p are refused', (options, message) => {
    const make = () => new ConnectionPool(factory, options as never);
    expect(make).toThrow(InvalidArgumentError);
    expect(make).toThrow(message);
  });

  test.each([
    [undefined, '"factory" must be an object with a function "create"'],
    [() => 1, '"factory"'],
    [{}, '"factory.create" must be a function'],
    [{ create: () => 1, destroy: 1 }, '"factory.destroy" must be a function'],
  ])('a factory %p is refused', (bad, message) => {
    const make = () => new ConnectionPool(bad as never);
    expect(make).toThrow(InvalidArgumentError);
    expect(make).toThrow(message);
  });

  test.each([
    [{ timeout: -1 }, '"timeout"'],
    [{ priority: 'urgent' }, '"priority" must be one of'],
    [{ signal: {} }, '"signal" must be an AbortSignal'],
    [{ affinity: 1 }, '"affinity" must be a string'],
    [{ prio: 1 }, '"options.prio" is not an option'],
    [1, '"options" must be an object'],
  ])('an acquire with %p rejects', async (options, message) => {
    const pool = makePool(factory);
    const error = await failure(pool.acquire(options as never));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).toContain(message);
    expect(pool.getStats()).toMatchObject({ total: 0, waiting: 0 });
  });

  test('pools without a name have one', () => {
    const names = [1, 2].map(() => new ConnectionPool(factory).name);
    expect(names[0]).toMatch(/^pool-\d+$/);
    expect(names[0]).not.toBe(names[1]);
  });
});

test('metrics have the names and units of OpenTelemetry', async () => {
  const pool = makePool(scripted().factory, { max: 3, min: 1 });
  const lease = await pool.acquire();
  await pool.use(() => {});
  const summary = {
    count: 2,
    ...Object.fromEntries(
      ['p50', 'p90', 'p99', 'p999', 'max', 'mean'].map((name) => [name, expect.any(Number)]),
    ),
  };
  expect(pool.metrics()).toStrictEqual({
    'db.client.connection.pool.name': 'test',
    'db.client.connection.count': { idle: 1, used: 1 },
    'db.client.connection.idle.min': 1,
    'db.client.connection.limit': 3,
    'db.client.connection.pending_requests': 0,
    'db.client.connection.timeouts': 0,
    'db.client.connection.create_time': summary,
    'db.client.connection.wait_time': summary,
    'db.client.connection.use_time': { ...summary, count: 1 },
    acquired: 2,
    errors: { timeout: 0, full: 0, unavailable: 0, closed: 0, draining: 0, aborted: 0 },
    opened: 2,
    openErrors: 0,
    closed: { idle: 0, lifetime: 0, uses: 0, broken: 0, invalid: 0, evicted: 0, closing: 0 },
    late: 0,
    leaks: 0,
  });
  lease.release();
  expect(pool.metrics()['db.client.connection.use_time'].count).toBe(2);
});
