import { BatchError, DestroyedError, InvalidArgumentError, TransactionEndedError } from 'keelson';
import { DATABASES, rejection } from './support/databases';

const NAMES = ['pg', 'mysql2', 'sqlite'] as const;

/** What holds whatever the database, on real ones. */
describe.each(NAMES)('%s', (name) => {
  const database = DATABASES[name]();
  const { sql, rows } = database;
  /** One connection, so that what it leaves behind is seen by the next statement, and an empty table. */
  const open = async (config = {}) => {
    const pool = database.pool({ maxConnections: 1, ...config });
    await pool.run('DROP TABLE IF EXISTS items');
    await pool.run('CREATE TABLE items (id INTEGER PRIMARY KEY, name VARCHAR(20))');
    return pool;
  };
  const INSERT = sql('INSERT INTO items (id, name) VALUES (?, ?)');
  const ids = async (pool: { run: (text: string) => Promise<any> }): Promise<number[]> =>
    rows(await pool.run('SELECT id FROM items ORDER BY id')).map(({ id }) => Number(id));

  test('query resolves to the driver result with its time and connection', async () => {
    const pool = await open();
    const result = await pool.query(sql('SELECT 6 * 7 AS answer, ? AS name'), ['x']);
    expect(result).toEqual({
      success: true,
      data: expect.anything(),
      executionTime: expect.any(Number),
      connectionId: expect.stringMatching(/./),
    });
    expect(Number(rows(result.data)[0].answer)).toBe(42);
    expect(rows(result.data)[0].name).toBe('x');
  });

  test('an error is in the result of query, and thrown by run', async () => {
    const pool = await open();
    const { success, error, data, connectionId } = await pool.query('SELECT * FROM nowhere');
    expect({ success, data }).toEqual({ success: false, data: undefined });
    expect(String(error)).toMatch(/nowhere/);
    expect(connectionId).not.toBe('');
    expect(String(await rejection(pool.run('SELECT * FROM nowhere')))).toMatch(/nowhere/);
    expect(pool.getStats()).toMatchObject({ idle: 1, active: 0 });
  });

  test('bad arguments are told by query too, and nothing is sent', async () => {
    const pool = await open();
    const calls = [
      pool.query(1 as any),
      pool.query('SELECT 1', {} as any),
      pool.query('SELECT 1', [], { timeout: 0 }),
      pool.query('SELECT 1', [], { retries: -1 }),
      pool.query('SELECT 1', [], null as any),
    ];
    for (const { success, error } of await Promise.all(calls)) {
      expect(success).toBe(false);
      expect(error).toBeInstanceOf(InvalidArgumentError);
    }
    expect(await rejection(pool.run('SELECT 1', [], { batch: 1 as any }))).toBeInstanceOf(
      InvalidArgumentError,
    );
  });

  test('after close query resolves to a failure, and everything else rejects', async () => {
    const pool = await open();
    await pool.close();
    await pool.close();
    const { success, error, connectionId } = await pool.query('SELECT 1');
    expect({ success, connectionId }).toEqual({ success: false, connectionId: '' });
    expect(error).toBeInstanceOf(DestroyedError);
    expect(error).toMatchObject({ code: 'ERR_KEELSON_DESTROYED' });
    const batched = await pool.query('SELECT 1', [], { batch: true });
    expect(batched.error).toBeInstanceOf(DestroyedError);
    const others = [
      pool.run('SELECT 1'),
      pool.transaction([{ sql: 'SELECT 1' }]),
      pool.queryMany(INSERT, [[1, 'x']]),
      pool.stream('SELECT 1').next(),
    ];
    for (const other of others) expect(await rejection(other)).toBeInstanceOf(DestroyedError);
  });

  describe('transactions', () => {
    test('a list keeps its order and gives a result for each', async () => {
      const pool = await open();
      const results = await pool.transaction([
        { sql: INSERT, params: [1, 'a'] },
        { sql: sql('UPDATE items SET name = ? WHERE id = 1'), params: ['b'] },
        { sql: 'SELECT name FROM items' },
        { sql: 'DELETE FROM items' },
        { sql: 'SELECT name FROM items' },
      ]);
      expect(results.map(({ success }) => success)).toEqual([true, true, true, true, true]);
      expect(rows(results[2]!.data)).toEqual([{ name: 'b' }]);
      expect(rows(results[4]!.data)).toEqual([]);
      expect(new Set(results.map(({ connectionId }) => connectionId)).size).toBe(1);
    });

    test('a list that fails is rolled back by the time it rejects', async () => {
      const pool = await open();
      const error = await rejection(
        pool.transaction([{ sql: INSERT, params: [1, 'a'] }, { sql: 'SELECT * FROM nowhere' }]),
      );
      expect(String(error)).toMatch(/nowhere/);
      expect(await ids(pool)).toEqual([]);
      expect(pool.getStats()).toMatchObject({ total: 1, idle: 1 });
    });

    test('an empty list, and a bad one', async () => {
      const pool = await open();
      expect(await pool.transaction([])).toEqual([]);
      for (const bad of [1, null, [null], [{ sql: 1 }], [{ sql: 'SELECT 1', params: 'x' }]]) {
        expect(await rejection(pool.transaction(bad as any))).toBeInstanceOf(InvalidArgumentError);
      }
      for (const options of [{ isolation: 'snapshot' }, { retrys: 1 }, { readOnly: 'yes' }]) {
        expect(await rejection(pool.transaction([], options as any))).toBeInstanceOf(InvalidArgumentError);
      }
    });

    test('a function commits what it did and gives its value', async () => {
      const pool = await open();
      const value = await pool.transaction(async (tx) => {
        await tx.run(INSERT, [1, 'a']);
        await tx.run(INSERT, [2, 'b']);
        return 'done';
      });
      expect(value).toBe('done');
      expect(await ids(pool)).toEqual([1, 2]);
    });

    test('a function that throws undoes all, and its own error comes through', async () => {
      const pool = await open();
      const mine = new Error('mine');
      const error = await rejection(
        pool.transaction(async (tx) => {
          await tx.run(INSERT, [1, 'a']);
          throw mine;
        }),
      );
      expect(error).toBe(mine);
      expect(await ids(pool)).toEqual([]);
    });

    test.each(['read committed', 'repeatable read', 'serializable'] as const)(
      'isolation %s',
      async (isolation) => {
        const pool = await open();
        await pool.transaction((tx) => tx.run(INSERT, [1, 'a']), { isolation });
        expect(await ids(pool)).toEqual([1]);
      },
    );

    test('readOnly takes no writes, and ends with the transaction', async () => {
      const pool = await open();
      expect(
        await rejection(pool.transaction((tx) => tx.run(INSERT, [1, 'a']), { readOnly: true })),
      ).toBeDefined();
      expect(await pool.transaction((tx) => ids(tx), { readOnly: true })).toEqual([]);
      await pool.run(INSERT, [2, 'b']);
      expect(await ids(pool)).toEqual([2]);
      // The error did not look like a failover.
      expect(pool.metrics().opened).toBe(1);
    });

    test('a savepoint undoes its own part, and nested ones theirs', async () => {
      const pool = await open();
      await pool.transaction(async (tx) => {
        await tx.run(INSERT, [1, 'a']);
        const error = await rejection(
          tx.savepoint(async (inner) => {
            await inner.run(INSERT, [2, 'b']);
            await inner.run(INSERT, [1, 'again']);
          }),
        );
        expect(String(error)).toMatch(/duplicate|unique/i);
        await tx.savepoint(async (inner) => {
          await inner.run(INSERT, [3, 'c']);
          await rejection(
            inner.savepoint(async (innermost) => {
              await innermost.run(INSERT, [4, 'd']);
              throw new Error('no');
            }),
          );
          await inner.savepoint((innermost) => innermost.run(INSERT, [5, 'e']));
        });
      });
      expect(await ids(pool)).toEqual([1, 3, 5]);
    });

    test('savepoints that are asked for at once go one after the other', async () => {
      const pool = await open();
      await pool.transaction(async (tx) => {
        const calls = [1, 2, 3, 4].map((id) =>
          tx.savepoint(async (inner) => {
            await inner.run(INSERT, [id, 'x']);
            await inner.run(INSERT, [id + 10, 'x']);
            if (id % 2 === 0) throw new Error('even');
          }),
        );
        const settled = await Promise.allSettled(calls);
        expect(settled.map(({ status }) => status)).toEqual([
          'fulfilled',
          'rejected',
          'fulfilled',
          'rejected',
        ]);
      });
      expect(await ids(pool)).toEqual([1, 3, 11, 13]);
    });

    test('it is a typed error to use one after its end', async () => {
      const pool = await open();
      let kept: any;
      let inner: any;
      await pool.transaction(async (tx) => {
        kept = tx;
        await tx.savepoint(async (savepoint) => {
          inner = savepoint;
        });
        expect(await rejection(inner.run('SELECT 1'))).toBeInstanceOf(TransactionEndedError);
      });
      const error = await rejection(kept.run(INSERT, [9, 'late']));
      expect(error).toBeInstanceOf(TransactionEndedError);
      expect(error).toMatchObject({ code: 'ERR_KEELSON_TRANSACTION_ENDED' });
      expect(await rejection(kept.savepoint(() => {}))).toBeInstanceOf(TransactionEndedError);
      expect(await ids(pool)).toEqual([]);
    });

    test('statements that nobody awaits are part of it', async () => {
      const pool = await open();
      await pool.transaction((tx) => {
        for (const id of [1, 2, 3]) void tx.run(INSERT, [id, 'x']);
      });
      expect(await ids(pool)).toEqual([1, 2, 3]);
    });

    test('transactions at once do not mix, each on its own connection or in its turn', async () => {
      const pool = await open(name === 'sqlite' ? {} : { maxConnections: 4 });
      const work = (n: number) =>
        pool.transaction(async (tx) => {
          await tx.run(INSERT, [n, 'x']);
          await tx.run(INSERT, [n + 100, 'x']);
          if (n % 3 === 0) throw new Error('third');
        });
      await Promise.allSettled(Array.from({ length: 30 }, (_, n) => work(n)));
      const kept = Array.from({ length: 30 }, (_, n) => n).filter((n) => n % 3 !== 0);
      expect(await ids(pool)).toEqual([...kept, ...kept.map((n) => n + 100)]);
    });
  });

  describe('queryMany', () => {
    test.each([1, 7, 100])('gives all results in order, with batchSize %d', async (batchSize) => {
      const pool = await open();
      const many = Array.from({ length: 250 }, (_, id) => [id, `n${id}`]);
      const results = await pool.queryMany(INSERT, many, { batchSize });
      expect(results).toHaveLength(250);
      expect(results.every(({ success }) => success)).toBe(true);
      const read = await pool.queryMany(
        sql('SELECT name FROM items WHERE id = ?'),
        many.map(([id]) => [id]),
        {
          batchSize,
        },
      );
      expect(read.map(({ data }) => rows(data)[0].name)).toEqual(many.map(([, text]) => text));
    });

    test('a row that fails is told by its index, and none has an effect', async () => {
      const pool = await open();
      const many = Array.from({ length: 250 }, (_, id) => [id === 123 ? 5 : id, 'x']);
      const error = await rejection(pool.queryMany(INSERT, many));
      expect(error).toBeInstanceOf(BatchError);
      expect(error).toMatchObject({ code: 'ERR_KEELSON_BATCH', index: 123 });
      expect(String(error.cause)).toMatch(/duplicate|unique/i);
      expect(await ids(pool)).toEqual([]);
    });

    test('asks an async iterable for no more than it sends', async () => {
      const pool = await open();
      let asked = 0;
      let ended = false;
      async function* source() {
        try {
          for (let id = 0; ; id++) {
            asked++;
            yield [id === 25 ? 1 : id, 'x'];
          }
        } finally {
          ended = true;
        }
      }
      const error = await rejection(pool.queryMany(INSERT, source(), { batchSize: 10 }));
      expect(error.index).toBe(25);
      expect(asked).toBe(30);
      expect(ended).toBe(true);
    });

    test('a source that throws, and rows that are none, undo all', async () => {
      const pool = await open();
      const mine = new Error('mine');
      function* source() {
        yield [1, 'x'];
        throw mine;
      }
      expect(await rejection(pool.queryMany(INSERT, source(), { batchSize: 1 }))).toBe(mine);
      expect(await rejection(pool.queryMany(INSERT, [[1, 'x'], 2 as any]))).toBeInstanceOf(
        InvalidArgumentError,
      );
      for (const bad of [1, 'rows', null, {}]) {
        expect(await rejection(pool.queryMany(INSERT, bad as any))).toBeInstanceOf(InvalidArgumentError);
      }
      expect(await ids(pool)).toEqual([]);
    });
  });

  describe('batch', () => {
    test('joins the calls of one turn on one connection, each with its own result', async () => {
      const pool = await open();
      const calls = Array.from({ length: 250 }, (_, n) =>
        n % 10 === 3
          ? pool.query('SELECT * FROM nowhere', [], { batch: true })
          : pool.query(sql('SELECT ? AS n'), [`n${n}`], { batch: true }),
      );
      const results = await Promise.all(calls);
      results.forEach(({ success, data, error }, n) => {
        expect(success).toBe(n % 10 !== 3);
        if (success) expect(rows(data)[0].n).toBe(`n${n}`);
        else expect(String(error)).toMatch(/nowhere/);
      });
      // Two for making the table.
      expect(pool.metrics().acquired).toBe(2 + 3);
    });

    test('a statement that fails undoes none of the others', async () => {
      const pool = await open();
      const calls = [1, 2, 1, 3].map((id) => pool.query(INSERT, [id, 'x'], { batch: true }));
      expect((await Promise.all(calls)).map(({ success }) => success)).toEqual([true, true, false, true]);
      expect(await ids(pool)).toEqual([1, 2, 3]);
    });
  });

  describe('stream', () => {
    /** Rows with the ids from 0 on, as many as the next power of two; MySQL would take seconds one by one. */
    const fill = async (pool: Awaited<ReturnType<typeof open>>, count: number): Promise<number> => {
      await pool.run(INSERT, [0, 'x']);
      let rows = 1;
      for (; rows < count; rows *= 2) {
        await pool.run(`INSERT INTO items SELECT id + ${rows}, name FROM items`);
      }
      return rows;
    };

    test.each([1, 10, 1_000])('gives all rows in order, with batchSize %d', async (batchSize) => {
      const pool = await open();
      const count = await fill(pool, 300);
      const seen: number[] = [];
      for await (const row of pool.stream<{ id: number }>('SELECT id FROM items ORDER BY id', [], {
        batchSize,
      })) {
        seen.push(Number(row.id));
      }
      expect(seen).toEqual(Array.from({ length: count }, (_, id) => id));
      expect(pool.getStats()).toMatchObject({ total: 1, idle: 1 });
    });

    test('parameters, no rows, and a statement without any', async () => {
      const pool = await open();
      await fill(pool, 3);
      const read = async (text: string, params?: unknown[]) => {
        const all: unknown[] = [];
        for await (const row of pool.stream(text, params)) all.push(row);
        return all;
      };
      expect(await read(sql('SELECT id, name FROM items WHERE id = ?'), [2])).toEqual([{ id: 2, name: 'x' }]);
      expect(await read('SELECT id FROM items WHERE id > 10')).toEqual([]);
    });

    test('break and throw free the connection, with all of its rows unread', async () => {
      const pool = await open();
      const count = await fill(pool, 4_000);
      for (let round = 0; round < 3; round++) {
        for await (const _ of pool.stream('SELECT * FROM items', [], { batchSize: 5 })) break;
        expect(pool.getStats()).toMatchObject({ total: 1, idle: 1 });
        const mine = new Error('mine');
        const loop = async () => {
          for await (const _ of pool.stream('SELECT * FROM items', [], { batchSize: 5 })) throw mine;
        };
        expect(await rejection(loop())).toBe(mine);
        expect(await ids(pool)).toHaveLength(count);
      }
      expect(pool.metrics().opened).toBe(1);
    });

    test('abort frees it too, though nobody reads', async () => {
      const pool = await open();
      const count = await fill(pool, 4_000);
      const controller = new AbortController();
      const { signal } = controller;
      const stream = pool.stream('SELECT * FROM items', [], { batchSize: 5, signal });
      await stream.next();
      expect(pool.getStats()).toMatchObject({ active: 1 });
      controller.abort(new Error('enough'));
      // One connection there is.
      expect(await ids(pool)).toHaveLength(count);
      expect(await rejection(stream.next())).toEqual(new Error('enough'));
      expect(await stream.next()).toEqual({ done: true, value: undefined });
      expect(pool.metrics().opened).toBe(1);
    });

    test('an error ends it and frees the connection', async () => {
      const pool = await open();
      const stream = pool.stream('SELECT * FROM nowhere');
      expect(String(await rejection(stream.next()))).toMatch(/nowhere/);
      expect(await stream.next()).toEqual({ done: true, value: undefined });
      expect(await ids(pool)).toEqual([]);
      expect(pool.getStats()).toMatchObject({ total: 1, idle: 1 });
    });

    test('many calls of next at once have their rows in order', async () => {
      const pool = await open();
      await fill(pool, 16);
      const stream = pool.stream<{ id: number }>('SELECT id FROM items ORDER BY id', [], { batchSize: 3 });
      const all = await Promise.all(Array.from({ length: 18 }, () => stream.next()));
      expect(all.map(({ value }) => value?.id).slice(0, 16)).toEqual(
        Array.from({ length: 16 }, (_, id) => id),
      );
      expect(all.slice(16)).toEqual([
        { done: true, value: undefined },
        { done: true, value: undefined },
      ]);
    });
  });

  test('a transaction that a user of acquire() left open is rolled back', async () => {
    const pool = await open();
    const lease = await pool.acquire();
    await lease.connection.query('BEGIN');
    await lease.connection.query(INSERT, [1, 'x']);
    await lease.release();
    expect(await ids(pool)).toEqual([]);
    await pool.use(async (connection) => {
      await connection.query('BEGIN');
      await connection.query(INSERT, [2, 'x']);
    });
    await pool.run(INSERT, [3, 'x']);
    expect(await ids(pool)).toEqual([3]);
    expect(pool.metrics().opened).toBe(1);
  });
});
