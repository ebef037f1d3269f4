import { BatchError, type DatabaseConnectionPool } from 'keelson';
import { rejection, usePools } from './support/databases';
import { eventually } from './support/server';

type Create = NonNullable<ConstructorParameters<typeof DatabaseConnectionPool>[0]['create']>;
type Connection = Awaited<ReturnType<Create>>;

const make = usePools();
/** A pool of one connection, made anew whenever it is discarded. */
const poolOf = (connection: (n: number) => Partial<Connection>, config = {}) => {
  let made = 0;
  const create = () => ({ query: () => 'fine', close: () => {}, ...connection(++made) });
  return make({ create, maxConnections: 1, minConnections: 0, ...config });
};
const coded = (code: string) => Object.assign(new Error(code), { code });
const whole = { total: 1, idle: 1, active: 0, waiting: 0 };
/** Lets what is due in this turn happen. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a driver that does what it should not', () => {
  test('pipeline rejects, or throws: the calls fail, and its connection is replaced', async () => {
    const pipelines = [
      () => Promise.reject(new Error('no pipeline')),
      () => {
        throw new Error('no pipeline');
      },
    ];
    for (const pipeline of pipelines) {
      const pool = poolOf(() => ({ pipeline }));
      const { error } = await pool.query('a', [], { batch: true });
      expect(error).toEqual(new Error('no pipeline'));
      await eventually(() => pool.getStats().active === 0);
      expect(await pool.run('b')).toBe('fine');
    }
  });

  test('isUnsent throws: the call fails, and its connection is not lost', async () => {
    const fail = (): never => {
      throw new Error('broken');
    };
    for (const batch of [false, true]) {
      const pool = poolOf((n) => ({ isUnsent: fail, query: () => (n === 1 ? fail() : 'fine') }));
      expect((await pool.query('a', [], { batch })).error).toEqual(new Error('broken'));
      await eventually(() => pool.getStats().active === 0);
    }
  });

  test('cancel throws: its connection is replaced', async () => {
    const cancel = () => {
      throw new Error('no');
    };
    const pool = poolOf((n) => ({ cancel, query: () => (n === 1 ? new Promise(() => {}) : n) }));
    expect((await pool.query('a', [], { timeout: 5 })).success).toBe(false);
    expect(await pool.run('b')).toBe(2);
  });

  test('what it throws has no text: query resolves all the same', async () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const thrown of [Object.create(null), Symbol('x'), undefined, proxy]) {
      const pool = poolOf(() => ({ query: () => Promise.reject(thrown) }));
      const { success, error } = await pool.query('a');
      expect({ success, isError: error instanceof Error }).toEqual({ success: false, isError: true });
      expect(pool.getStats().active).toBe(0);
    }
  });
});

describe('a call that is given up', () => {
  test('between its connection and its statement: nothing is sent', async () => {
    const sent: string[] = [];
    const pool = poolOf(() => ({ query: (sql) => sent.push(sql) }));
    const lease = await pool.acquire();
    const controller = new AbortController();
    const call = rejection(pool.run('a', [], { signal: controller.signal }));
    // What waits is served by this, and goes on in a later microtask.
    lease.release();
    controller.abort(new Error('enough'));
    expect(await call).toEqual(new Error('enough'));
    expect(sent).toEqual([]);
    expect(pool.getStats()).toMatchObject(whole);
  });

  test('of a batch, when its answer is there: the next statement on the connection is left alone', async () => {
    const cancelled: string[] = [];
    let finish!: () => void;
    const pool = poolOf(() => ({
      query: () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
      cancel: async () => void cancelled.push('cancel'),
    }));
    for (let ticks = 0; ticks < 40; ticks++) {
      const controller = new AbortController();
      const call = pool.query('a', [], { batch: true, signal: controller.signal });
      await turn();
      finish();
      for (let tick = 0; tick < ticks; tick++) await undefined;
      const before = cancelled.length;
      const isFree = pool.getStats().idle === 1;
      controller.abort();
      await call;
      if (isFree) expect(cancelled).toHaveLength(before);
    }
    expect(pool.getStats()).toMatchObject({ active: 0 });
  });

  test('thousands that share a signal: one listener, and none is left', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    let most = 0;
    const counting = Object.create(signal, {
      aborted: { value: false },
      addEventListener: {
        value: () => {
          listeners++;
          most = Math.max(most, listeners);
        },
      },
      removeEventListener: { value: () => void listeners-- },
    });
    const pool = poolOf(
      () => ({
        query: () => turn(),
        read: () => ({ read: async () => [], close: async () => {} }),
      }),
      { maxConnections: 20 },
    );
    const calls = Array.from({ length: 1_000 }, (_, n) =>
      pool.query('a', [], { signal: counting, batch: n % 2 === 0 }),
    );
    await Promise.all(calls);
    await pool.transaction([{ sql: 'a' }], { signal: counting });
    await pool.stream('a', [], { signal: counting }).next();
    pool.stream('never read', [], { signal: counting });
    expect(most).toBe(1);
    expect(listeners).toBe(0);
  });
});

describe('what may have been written is not written again', () => {
  test('without a pipeline: the statement on which the connection was lost', async () => {
    const sent: string[] = [];
    const pool = poolOf(() => {
      let alive = true;
      let wasAlive = true;
      return {
        query: async (sql) => {
          wasAlive = alive;
          if (!alive) throw coded('EPIPE');
          sent.push(sql);
          if (sql !== 'b') return sql;
          alive = false;
          throw coded('ECONNRESET');
        },
        alive: () => alive,
        isUnsent: () => !alive && !wasAlive,
      };
    });
    const calls = ['a', 'b', 'c'].map((sql) => pool.query(sql, [], { batch: true }));
    const results = await Promise.all(calls);
    expect(results.map(({ success }) => success)).toEqual([true, false, false]);
    expect(sent).toEqual(['a', 'b']);
  });

  test.each(['CALL p()', ' do $$ begin commit; end $$', 'INSERT 1; COMMIT; INSERT 2'])(
    'a statement that may commit a part of itself: %s',
    async (sql) => {
      let calls = 0;
      const query = () => {
        calls++;
        throw coded('40001');
      };
      const pool = poolOf(() => ({ query }));
      expect((await pool.query(sql)).success).toBe(false);
      expect(calls).toBe(1);
      await pool.query(sql, [], { retries: 1 });
      expect(calls).toBe(3);
    },
  );

  test('rows of queryMany after one that failed: the transaction may be over', async () => {
    const sent: unknown[] = [];
    const query = (sql: string, params?: readonly unknown[]) => {
      sent.push(params?.[0] ?? sql);
      if (params?.[0] === 2) throw coded('deadlock');
    };
    const error = await rejection(poolOf(() => ({ query })).queryMany('x', [[1], [2], [3]]));
    expect(error).toBeInstanceOf(BatchError);
    expect(error.index).toBe(1);
    expect(sent).toEqual(['BEGIN', 1, 2, 'ROLLBACK']);
  });
});

describe('transactions', () => {
  test('a savepoint that cannot be rolled back ends all of it, with the error that it was for', async () => {
    const sent: string[] = [];
    const query = (sql: string) => {
      sent.push(sql);
      if (/^(bad|ROLLBACK TO)/.test(sql)) throw new Error(sql);
    };
    const error = await rejection(
      poolOf(() => ({ query })).transaction(async (tx) => {
        await tx.savepoint((inner) => inner.run('bad')).catch(() => {});
        await tx.run('after');
      }),
    );
    expect(error).toEqual(new Error('bad'));
    expect(sent).toEqual([
      'BEGIN',
      'SAVEPOINT keelson_1',
      'bad',
      'ROLLBACK TO SAVEPOINT keelson_1',
      'ROLLBACK',
    ]);
  });

  test('one that the database has ended takes no statement any more', async () => {
    const sent: string[] = [];
    const pool = poolOf(() => {
      let state: 'none' | 'open' = 'none';
      return {
        query: (sql) => {
          sent.push(sql);
          if (sql === 'BEGIN') state = 'open';
          if (sql !== 'bad') return;
          state = 'none';
          throw new Error('bad');
        },
        transactionState: () => state,
      };
    });
    const error = await rejection(
      pool.transaction(async (tx) => {
        await tx.run('bad').catch(() => {});
        await tx.run('after');
      }),
    );
    expect(error).toEqual(new Error('bad'));
    expect(sent).toEqual(['BEGIN', 'bad']);
    expect(pool.getStats()).toMatchObject(whole);
  });

  test.each([
    ['before COMMIT', 'failed', undefined, ['BEGIN', 'bad', 'ROLLBACK']],
    ['by its answer', 'open', 'ROLLBACK', ['BEGIN', 'bad', 'COMMIT', 'ROLLBACK']],
  ] as const)(
    'an error that was caught, and that the database remembers: %s',
    async (_, state, command, expected) => {
      const sent: string[] = [];
      const pool = poolOf(() => ({
        query: async (sql) => {
          sent.push(sql);
          if (sql === 'bad') throw new Error('bad');
          return { command: sql === 'COMMIT' ? command : sql };
        },
        transactionState: () => state,
      }));
      const error = await rejection(pool.transaction((tx) => tx.run('bad').catch(() => {})));
      expect(error).toEqual(new Error('bad'));
      expect(sent).toEqual(expected);
    },
  );

  test('a list is run as it was when it was given', async () => {
    const sent: string[] = [];
    const pool = poolOf(() => ({ query: (sql) => void sent.push(sql) }));
    const list = [{ sql: 'a' }, { sql: 'b' }];
    const call = pool.transaction(list);
    list[0]!.sql = 'x';
    list.length = 1;
    await call;
    expect(sent).toEqual(['BEGIN', 'a', 'b', 'COMMIT']);
  });

  test('the budget bounds how often they are run again', async () => {
    let begun = 0;
    const query = (sql: string) => {
      if (sql === 'BEGIN') begun++;
      if (sql === 'x') throw coded('40001');
    };
    const pool = poolOf(() => ({ query }), { retryBudget: { ratio: 0, minPerSecond: 0 } });
    await rejection(pool.transaction([{ sql: 'x' }]));
    expect(begun).toBe(1);
    await rejection(pool.transaction([{ sql: 'x' }], { retries: 2 }));
    expect(begun).toBe(4);
  });
});

describe('streams', () => {
  const rows = (read: () => Promise<unknown[]>) => ({ read: () => ({ read, close: async () => {} }) });

  test('abort and return are answered at once, though the driver cannot cancel', async () => {
    const hanging = rows(() => new Promise(() => {}));
    const pool = poolOf(() => hanging);
    const controller = new AbortController();
    const aborted = rejection(pool.stream('a', [], { signal: controller.signal }).next());
    await eventually(() => pool.getStats().active === 1);
    await turn();
    controller.abort(new Error('enough'));
    expect(await aborted).toEqual(new Error('enough'));
    const stream = pool.stream('b');
    const next = stream.next();
    await eventually(() => pool.getStats().active === 1);
    await turn();
    await stream.return();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  test('one that ends before it has a connection waits for none', async () => {
    const pool = poolOf(() => rows(async () => []));
    const lease = await pool.acquire();
    const stream = pool.stream('a');
    const next = stream.next();
    await eventually(() => pool.getStats().waiting === 1);
    await stream.return();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(pool.getStats().waiting).toBe(0);
    lease.release();
  });

  test('an error of its statement leaves nothing to stop; one that says read-only evicts', async () => {
    const cancelled: string[] = [];
    const made: number[] = [];
    const pool = poolOf((n) => {
      made.push(n);
      const fail = () => Promise.reject(coded(n === 1 ? '42601' : '25006'));
      return { ...rows(fail), cancel: async () => void cancelled.push('cancel') };
    });
    for (let count = 0; count < 2; count++) {
      expect((await rejection(pool.stream('a').next())).code).toBe('42601');
      await eventually(() => pool.getStats().active === 0);
    }
    expect({ cancelled, made }).toEqual({ cancelled: [], made: [1] });
    pool.evict();
    expect((await rejection(pool.stream('a').next())).code).toBe('25006');
    await eventually(() => pool.getStats().total === 0);
  });
});
