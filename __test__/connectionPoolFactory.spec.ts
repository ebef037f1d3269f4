import { ConnectionError, PoolUnavailableError, TimeoutError } from 'keelson';
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

describe('create', () => {
  test.each([
    ['throws at once', new Error('refused'), 'refused'],
    ['rejects with no Error', 'refused', 'refused'],
    ['rejects with undefined', undefined, 'undefined'],
    ['rejects with what has no text', Object.create(null), 'something that has no text'],
  ])('that %s is named, and tried again', async (kind, cause, text) => {
    const { factory, make } = scripted();
    const create = jest.fn(async () => make());
    create.mockImplementationOnce(() => {
      if (kind === 'throws at once') throw cause;
      return Promise.reject(cause);
    });
    const pool = makePool({ ...factory, create }, { max: 1 });
    const events = record(pool);
    const lease = pool.acquire();
    await advance(5_000);
    expect((await lease).connection.n).toBe(1);
    expect(create).toHaveBeenCalledTimes(2);
    const [name, { error, failures }] = events[0]!;
    expect([name, failures]).toEqual(['openError', 1]);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: 'ERR_KEELSON_POOL_CONNECTION', cause });
    expect(error.message).toBe(`The factory's "create" of pool 'test' failed: ${text}`);
    expect(pool.metrics()).toMatchObject({ opened: 1, openErrors: 1 });
  });

  test.each([undefined, null])('that gives %p is named', async (nothing) => {
    const pool = makePool({ create: async () => nothing }, { max: 1, acquireTimeout: 10 });
    const error = failure(pool.acquire());
    await advance(10);
    expect(await error).toBeInstanceOf(TimeoutError);
    expect((await error).cause.message).toBe(
      `The factory's "create" of pool 'test' gave ${nothing} for a connection`,
    );
  });

  test('that gives one object twice is named, and the object stays lent to one', async () => {
    const { factory, make } = scripted();
    const only = make();
    const pool = makePool({ ...factory, create: () => only }, { max: 2 });
    const events = record(pool);
    const first = await pool.acquire();
    const second = failure(pool.acquire({ timeout: 10 }));
    await advance(10);
    expect((await second).cause).toBeInstanceOf(ConnectionError);
    expect((await second).cause.message).toContain('gave a connection that the pool has already');
    expect(only.open).toBe(true);
    expect(events.filter(([name]) => name === 'open')).toHaveLength(1);
    first.release();
    const closing = pool.close();
    await advance(0);
    await closing;
    expect(only.open).toBe(false);
  });

  test('that hangs is given up after createTimeout, its signal aborted, and what comes late destroyed', async () => {
    const { factory, make, open } = scripted();
    const late = deferred<Connection>();
    const signals: AbortSignal[] = [];
    const create = jest.fn(({ signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return signals.length === 1 ? late.promise : Promise.resolve(make());
    });
    const pool = makePool({ ...factory, create }, { max: 1, createTimeout: 100 });
    const events = record(pool);
    const lease = pool.acquire();
    await advance(99);
    expect(signals.map((signal) => signal.aborted)).toEqual([false]);
    await advance(1);
    expect(signals[0]!.reason).toBeInstanceOf(TimeoutError);
    await advance(5_000);
    expect((await lease).connection.n).toBe(1);
    const { error } = events.find(([name]) => name === 'openError')![1];
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toContain('gave no connection within 100 ms');
    late.resolve(make());
    await settle();
    expect(open()).toEqual([1]);
    expect(pool.metrics()).toMatchObject({ opened: 1, openErrors: 1, late: 1 });
    expect(pool.getStats()).toMatchObject({ total: 1, active: 1 });
  });

  test('may give an object again that was destroyed', async () => {
    const only = { n: 1, open: true, alive: true, lent: false };
    const pool = makePool({ create: () => only, destroy: async () => {} }, { max: 1 });
    (await pool.acquire()).discard();
    expect((await pool.acquire()).connection).toBe(only);
    expect(pool.metrics()).toMatchObject({ opened: 2, openErrors: 0 });
  });

  test('that fails late is not counted twice', async () => {
    const late = deferred<Connection>();
    const pool = makePool(
      { create: () => late.promise },
      { max: 1, createTimeout: 100, acquireTimeout: 150 },
    );
    const call = failure(pool.acquire());
    await advance(100);
    late.reject(new Error('late'));
    await settle();
    expect(pool.metrics()).toMatchObject({ openErrors: 1, late: 0 });
    await advance(50);
    expect(await call).toMatchObject({ cause: { code: 'ERR_KEELSON_POOL_CONNECTION' } });
  });

  test('that gives a thenable twice settled opens once', async () => {
    const { factory, make, open } = scripted();
    const create = () => ({
      // biome-ignore lint/suspicious/noThenProperty: it is what this is about
      then(resolve: (connection: Connection) => void, reject: (error: Error) => void) {
        resolve(make());
        reject(new Error('twice'));
        resolve(make());
      },
    });
    const pool = makePool({ ...factory, create: create as never }, { max: 1 });
    expect((await pool.acquire()).connection.n).toBe(1);
    expect(open()).toEqual([1, 2]);
    expect(pool.metrics()).toMatchObject({ opened: 1, openErrors: 0 });
  });
});

describe('an outage', () => {
  /** A server that is down until it is told otherwise. */
  function server() {
    const state = { up: false, attempts: [] as number[] };
    const { factory, make, open } = scripted();
    const create = async (): Promise<Connection> => {
      state.attempts.push(performance.now());
      if (!state.up) throw new Error('down');
      return make();
    };
    return { state, open, factory: { ...factory, create } };
  }

  test('slows the attempts down, and every waiting acquire is told why at its deadline', async () => {
    const { state, factory } = server();
    const pool = makePool(factory, { max: 10, acquireTimeout: 60_000, backoff: { min: 100, max: 1_000 } });
    const events = record(pool);
    const calls = Array.from({ length: 10 }, () => failure(pool.acquire()));
    await advance(60_000);
    for (const call of calls) {
      expect(await call).toBeInstanceOf(TimeoutError);
      expect(await call).toMatchObject({ cause: { cause: { message: 'down' } } });
    }
    // 10 at first, and then one at a time, on average after half of 1,000 ms.
    expect(state.attempts.length).toBeGreaterThan(10 + 50);
    expect(state.attempts.length).toBeLessThan(10 + 300);
    const kinds = events.map(([name]) => name);
    expect(kinds.filter((name) => name === 'outage')).toHaveLength(1);
    expect(kinds.filter((name) => name === 'timeout')).toHaveLength(10);
    expect(kinds.filter((name) => name === 'openError')).toHaveLength(state.attempts.length);
  });

  test('ends with the first connection, which is told', async () => {
    const { state, factory } = server();
    const pool = makePool(factory, { max: 5, min: 5, backoff: { min: 10, max: 100 }, failureThreshold: 2 });
    const events = record(pool);
    const ready = pool.ready({ timeout: 10_000 });
    await advance(1_000);
    expect(events.filter(([name]) => name === 'outage')).toEqual([
      ['outage', { pool: 'test', error: expect.any(ConnectionError), failures: 2 }],
    ]);
    state.up = true;
    await advance(1_000);
    await ready;
    expect(events.filter(([name]) => name === 'recovered')).toEqual([
      ['recovered', { pool: 'test', ms: expect.any(Number) }],
    ]);
    expect(pool.getStats()).toMatchObject({ idle: 5, total: 5 });
  });

  test("with onOutage 'fail' acquires fail at once, until a connection is there", async () => {
    const { state, factory } = server();
    const options = { max: 1, min: 1, onOutage: 'fail', failureThreshold: 2 } as const;
    const pool = makePool(factory, { ...options, backoff: { min: 10, max: 100 } });
    const waiting = failure(pool.acquire());
    await advance(200);
    expect(await waiting).toBeInstanceOf(PoolUnavailableError);
    const refused = await failure(pool.acquire());
    expect(refused).toBeInstanceOf(PoolUnavailableError);
    expect(refused).toMatchObject({
      code: 'ERR_KEELSON_POOL_UNAVAILABLE',
      cause: expect.any(ConnectionError),
    });
    state.up = true;
    await advance(200);
    expect((await pool.acquire()).connection.n).toBe(1);
    expect(pool.metrics()).toMatchObject({ acquired: 1, errors: { unavailable: 2 } });
  });
});

describe('destroy', () => {
  test.each([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['rejects', () => Promise.reject(new Error('mine'))],
  ])('that %s is an error event, and its place is free', async (_, destroy) => {
    const { factory } = scripted({ destroy });
    const pool = makePool(factory, { max: 1 });
    const events = record(pool);
    (await pool.acquire()).discard();
    expect((await pool.acquire()).connection.n).toBe(2);
    expect(events.filter(([name]) => name === 'error')).toEqual([
      ['error', expect.objectContaining({ message: 'mine' })],
    ]);
  });

  test('that hangs keeps its place for closeTimeout', async () => {
    const { factory } = scripted({ destroy: () => new Promise(() => {}) });
    const pool = makePool(factory, { max: 1, closeTimeout: 100 });
    const events = record(pool);
    (await pool.acquire()).discard();
    const next = pool.acquire();
    await advance(99);
    expect(pool.getStats()).toMatchObject({ total: 1, waiting: 1 });
    await advance(1);
    expect((await next).connection.n).toBe(2);
    expect(events.filter(([name]) => name === 'error')).toEqual([['error', expect.any(TimeoutError)]]);
  });

  test('may be left out', async () => {
    const { make } = scripted();
    const pool = makePool({ create: make }, { max: 1 });
    (await pool.acquire()).discard();
    expect((await pool.acquire()).connection.n).toBe(2);
  });
});

describe('reset', () => {
  test('that is synchronous leaves release synchronous', async () => {
    const reset = jest.fn();
    const pool = makePool(scripted({ reset }).factory, { max: 1 });
    const lease = await pool.acquire();
    expect(lease.release()).toBeUndefined();
    expect(reset).toHaveBeenCalledTimes(1);
    expect(pool.getStats()).toMatchObject({ idle: 1 });
  });

  test('that takes time holds the connection back, and release tells when', async () => {
    const done = deferred<void>();
    const pool = makePool(scripted({ reset: () => done.promise }).factory, { max: 1 });
    const lease = await pool.acquire();
    const next = pool.acquire();
    const released = lease.release();
    expect(released).toBeInstanceOf(Promise);
    expect(lease.active).toBe(false);
    expect(lease.release()).toBeUndefined();
    await settle();
    expect(pool.getStats()).toMatchObject({ active: 1, waiting: 1 });
    done.resolve();
    await released;
    expect((await next).connection.n).toBe(1);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['rejects', () => Promise.reject(new Error('mine'))],
  ])('that %s has the connection replaced', async (_, reset) => {
    const { factory, open } = scripted({ reset });
    const pool = makePool(factory, { max: 1 });
    const events = record(pool);
    await (await pool.acquire()).release();
    await settle();
    expect(open()).toEqual([]);
    expect(events[1]).toEqual([
      'close',
      { pool: 'test', id: 'test:1', reason: 'broken', error: expect.objectContaining({ message: 'mine' }) },
    ]);
    expect((await pool.acquire()).connection.n).toBe(2);
  });

  test('that hangs is given up after validateTimeout', async () => {
    const { factory, open } = scripted({ reset: () => new Promise(() => {}) });
    const pool = makePool(factory, { max: 1, validateTimeout: 100 });
    const released = (await pool.acquire()).release();
    await advance(100);
    await released;
    expect(open()).toEqual([]);
  });
});

describe('alive', () => {
  test('is asked before each lending and each return: what is broken is never lent again', async () => {
    const alive = jest.fn((connection: Connection) => connection.alive);
    const { factory, made, open } = scripted({ alive });
    const pool = makePool(factory, { max: 2 });
    const leases = await Promise.all([pool.acquire(), pool.acquire()]);
    made[0]!.alive = false;
    for (const lease of leases) lease.release();
    await settle();
    expect(open()).toEqual([2]);
    made[1]!.alive = false;
    expect((await pool.acquire()).connection.n).toBe(3);
    expect(open()).toEqual([3]);
    expect(alive.mock.calls.map(([connection]) => connection.n)).toEqual([1, 2, 2]);
    expect(pool.metrics().closed).toMatchObject({ broken: 2 });
  });

  test('that throws says no', async () => {
    const error = new Error('mine');
    const { factory } = scripted({
      alive: ({ n }) => {
        if (n === 1) throw error;
        return true;
      },
    });
    const pool = makePool(factory, { max: 1 });
    const events = record(pool);
    (await pool.acquire()).release();
    expect((await pool.acquire()).connection.n).toBe(2);
    expect(events[1]).toEqual(['close', { pool: 'test', id: 'test:1', reason: 'broken', error }]);
  });

  test('is asked after a pause too', async () => {
    const { factory, made } = scripted({ alive: (connection) => connection.alive });
    const pool = makePool(factory, { max: 2 });
    const leases = await Promise.all([pool.acquire(), pool.acquire()]);
    for (const lease of leases) lease.release();
    pool.pause();
    const calls = [pool.acquire(), pool.acquire({ priority: 'low' })];
    made[1]!.alive = false;
    pool.resume();
    const numbers = (await Promise.all(calls)).map((lease) => lease.connection.n);
    expect(numbers.sort()).toEqual([1, 3]);
  });

  test('is asked by the background probes', async () => {
    const { factory, made, open } = scripted({ alive: (connection) => connection.alive });
    const pool = makePool(factory, { max: 1, min: 1, probeInterval: 100 });
    await pool.ready();
    made[0]!.alive = false;
    await advance(101);
    expect(open()).toEqual([2]);
    expect(pool.metrics().closed).toMatchObject({ invalid: 1 });
  });
});

describe('validate', () => {
  test('is asked when a connection has idled for validateAfter', async () => {
    const validate = jest.fn(async () => true);
    const pool = makePool(scripted({ validate }).factory, { max: 1, validateAfter: 100 });
    (await pool.acquire()).release();
    await advance(99);
    (await pool.acquire()).release();
    expect(validate).toHaveBeenCalledTimes(0);
    await advance(100);
    expect((await pool.acquire()).connection.n).toBe(1);
    expect(validate).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['says no', () => false],
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['rejects', () => Promise.reject(new Error('mine'))],
  ])('that %s has the connection replaced, and the caller waits on', async (_, validate) => {
    const { factory, open } = scripted({ validate });
    const pool = makePool(factory, { max: 1, validateAfter: 0 });
    (await pool.acquire()).release();
    await advance(1);
    expect((await pool.acquire()).connection.n).toBe(2);
    expect(open()).toEqual([2]);
    expect(pool.metrics().closed).toMatchObject({ invalid: 1 });
  });

  test('that hangs is given up after validateTimeout, and its answer counts for nothing', async () => {
    const late = deferred<boolean>();
    const signals: AbortSignal[] = [];
    const validate = (_: Connection, { signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return late.promise;
    };
    const { factory, open } = scripted({ validate });
    const pool = makePool(factory, { max: 1, validateAfter: 0, validateTimeout: 100 });
    (await pool.acquire()).release();
    await advance(1);
    const next = pool.acquire();
    await advance(100);
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
    expect((await next).connection.n).toBe(2);
    late.resolve(true);
    await settle();
    expect(open()).toEqual([2]);
    expect(pool.getStats()).toMatchObject({ total: 1, active: 1 });
  });

  test('answers for its own connection, not for the next in its place', async () => {
    const answers: Deferred<boolean>[] = [];
    const validate = () => {
      answers.push(deferred());
      return answers.at(-1)!.promise;
    };
    const pool = makePool(scripted({ validate }).factory, { max: 1, validateAfter: 0, validateTimeout: 100 });
    (await pool.acquire()).release();
    await advance(1);
    const first = pool.acquire();
    await advance(100);
    (await first).release();
    await advance(1);
    const second = pool.acquire();
    await settle();
    answers[0]!.resolve(true);
    await settle();
    expect(answers).toHaveLength(2);
    expect(pool.getStats()).toMatchObject({ waiting: 1, active: 0 });
    answers[1]!.resolve(true);
    expect((await second).connection.n).toBe(2);
  });

  test('is asked in the background, and what is broken replaced before anybody needs it', async () => {
    const { factory, made, open } = scripted({ validate: async (connection) => connection.alive });
    const pool = makePool(factory, { max: 2, min: 2, probeInterval: 1_000, idleTimeout: 60_000 });
    await pool.ready();
    made[0]!.alive = false;
    await advance(3_000);
    expect(open()).toEqual([2, 3]);
  });
});

describe('ref and unref', () => {
  test('a connection holds the process while it is lent', async () => {
    const calls: string[] = [];
    const { factory } = scripted({
      ref: ({ n }) => void calls.push(`ref ${n}`),
      unref: ({ n }) => void calls.push(`unref ${n}`),
    });
    const pool = makePool(factory, { max: 1, min: 1 });
    await pool.ready();
    const lease = await pool.acquire();
    const next = pool.acquire();
    lease.release();
    (await next).release();
    await pool.close();
    expect(calls).toEqual(['unref 1', 'ref 1', 'unref 1', 'ref 1']);
  });

  test('what they throw is an error event', async () => {
    const fail = () => {
      throw new Error('mine');
    };
    const pool = makePool(scripted({ ref: fail, unref: fail }).factory);
    const events = record(pool);
    (await pool.acquire()).release();
    expect(events.map(([name]) => name)).toEqual(['error', 'open', 'error']);
    expect(pool.getStats()).toMatchObject({ idle: 1 });
  });
});

test('an error that nobody listens to is one process warning', async () => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const { factory } = scripted({ destroy: () => Promise.reject(new Error('mine')) });
  const pool = makePool(factory);
  for (let time = 0; time < 2; time++) (await pool.acquire()).discard();
  await settle();
  expect(warn.mock.calls).toEqual([['keelson pool: Error: mine', 'KeelsonWarning']]);
  warn.mockRestore();
});
