import { EventEmitter, once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { TimeoutError } from 'keelson';
import { rejection, usePools } from './support/databases';
import { ask, sessions, usePostgres } from './support/postgres';
import { evaluate } from './support/process';
import { eventually } from './support/server';

const server = usePostgres({ max_connections: 60 });
const make = usePools();
const open = (config = {}) => make({ ...server.config, minConnections: 0, ...config });

/** For statements of pools whose own timeouts are short. */
const PATIENT = { timeout: 20_000 };

/** What the server runs for us at the moment. */
const running = async (text: string): Promise<number> => {
  const sql = `SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE $1 AND pid <> pg_backend_pid()`;
  return (await ask(server, sql, [`${text}%`])).length;
};
const backend = async (pool: ReturnType<typeof open>): Promise<number> =>
  (await pool.run('SELECT pg_backend_pid() AS pid', [], PATIENT)).rows[0].pid;

describe('a statement that is given up', () => {
  test('is stopped at the server, and its connection serves the next call', async () => {
    const pool = open({ maxConnections: 1 });
    const pid = await backend(pool);
    const { success, error, executionTime } = await pool.query('SELECT pg_sleep(60)', [], { timeout: 100 });
    expect(success).toBe(false);
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ code: 'ERR_KEELSON_TIMEOUT', timeout: 100 });
    expect(executionTime).toBeGreaterThanOrEqual(99);
    expect(await backend(pool)).toBe(pid);
    expect(await running('SELECT pg_sleep')).toBe(0);
    expect(pool.metrics().opened).toBe(1);
  });

  test('likewise when its signal aborts, with the reason', async () => {
    const pool = open({ maxConnections: 1 });
    const pid = await backend(pool);
    const controller = new AbortController();
    const call = rejection(pool.run('SELECT pg_sleep(60)', [], { signal: controller.signal }));
    await eventually(async () => (await running('SELECT pg_sleep')) === 1);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await call).toBe(reason);
    expect(await backend(pool)).toBe(pid);
    const { signal } = controller;
    expect((await pool.query('SELECT 1', [], { signal })).error).toBe(reason);
    expect(await rejection(pool.transaction(() => {}, { signal }))).toBe(reason);
    expect(await rejection(pool.stream('SELECT 1', [], { signal }).next())).toBe(reason);
  });

  test('never harms the next one, whenever it is given up', async () => {
    const pool = open({ maxConnections: 4 });
    const outcomes = { done: 0, late: 0 };
    const call = async (n: number) => {
      const { success, error } = await pool.query('SELECT pg_sleep($1::float8)', [(n % 10) / 1_000], {
        timeout: 6,
      });
      if (success) outcomes.done++;
      else if (error instanceof TimeoutError) outcomes.late++;
      else throw error;
      // One that nobody gives up.
      const next = await pool.run('SELECT $1::int AS n, pg_sleep(0.002)', [n]);
      expect(next.rows[0].n).toBe(n);
    };
    for (let round = 0; round < 5; round++) {
      await Promise.all(Array.from({ length: 40 }, (_, n) => call(n)));
    }
    expect(outcomes.late).toBeGreaterThan(0);
    expect(outcomes.done + outcomes.late).toBe(200);
    expect(pool.getStats()).toMatchObject({ active: 0 });
  });

  test('the timeout bounds waiting, too', async () => {
    const pool = open({ maxConnections: 1 });
    const lease = await pool.acquire();
    const started = performance.now();
    const error = await rejection(pool.run('SELECT 1', [], { timeout: 60, retries: 1_000 }));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(performance.now() - started).toBeLessThan(1_000);
    lease.release();
  });

  test('queryTimeout is for calls that say nothing', async () => {
    const pool = open({ queryTimeout: 80, maxConnections: 1 });
    expect(await rejection(pool.run('SELECT pg_sleep(60)'))).toBeInstanceOf(TimeoutError);
    const [, result] = await Promise.all([
      pool.run('SELECT 1', [], { timeout: 10_000 }),
      pool.query('SELECT pg_sleep(0.2)', [], { timeout: 10_000 }),
    ]);
    expect(result.success).toBe(true);
  });

  test('in a transaction: it is rolled back, and the connection kept', async () => {
    const pool = open({ maxConnections: 1, queryTimeout: 100 });
    const pid = await backend(pool);
    await pool.run('CREATE TABLE IF NOT EXISTS given_up (n int)', [], PATIENT);
    let error = await rejection(
      pool.transaction([{ sql: 'INSERT INTO given_up VALUES (1)' }, { sql: 'SELECT pg_sleep(60)' }]),
    );
    expect(error).toBeInstanceOf(TimeoutError);
    error = await rejection(
      pool.transaction(
        async (tx) => {
          await tx.run('INSERT INTO given_up VALUES (1)');
          // Nothing at the server can be stopped here.
          await new Promise(() => {});
        },
        { timeout: 50 },
      ),
    );
    expect(error).toBeInstanceOf(TimeoutError);
    expect((await pool.run('SELECT * FROM given_up', [], PATIENT)).rowCount).toBe(0);
    expect(await backend(pool)).toBe(pid);
  });

  test('a stream that waits for rows', async () => {
    const pool = open({ maxConnections: 1 });
    const pid = await backend(pool);
    const stream = pool.stream('SELECT pg_sleep(60)', [], { timeout: 50 });
    expect(await rejection(stream.next())).toBeInstanceOf(TimeoutError);
    const controller = new AbortController();
    const aborted = pool.stream('SELECT 1 AS n UNION ALL SELECT 2 FROM pg_sleep(60)', [], {
      signal: controller.signal,
      batchSize: 1,
    });
    expect(await aborted.next()).toEqual({ done: false, value: { n: 1 } });
    const next = rejection(aborted.next());
    controller.abort(new Error('enough'));
    expect(await next).toEqual(new Error('enough'));
    expect(await backend(pool)).toBe(pid);
  });

  test('calls of a batch have deadlines of their own', async () => {
    const pool = open({ maxConnections: 1 });
    const pid = await backend(pool);
    const batch = true;
    const [slow, fast] = await Promise.all([
      pool.query('SELECT pg_sleep(0.3)', [], { batch, timeout: 50 }),
      pool.query('SELECT 7 AS n', [], { batch }),
    ]);
    expect(slow.error).toBeInstanceOf(TimeoutError);
    expect(fast.data.rows).toEqual([{ n: 7 }]);
    const all = [1, 2].map(() => pool.query('SELECT pg_sleep(60)', [], { batch, timeout: 50 }));
    for (const { error } of await Promise.all(all)) expect(error).toBeInstanceOf(TimeoutError);
    await eventually(async () => (await running('SELECT pg_sleep')) === 0);
    expect(await backend(pool)).toBe(pid);
  });

  test('where it cannot be stopped, its connection is closed', async () => {
    const pool = make({
      maxConnections: 1,
      create: async () => ({ query: () => new Promise(() => {}), close: () => {} }),
    });
    expect((await pool.query('SELECT 1', [], { timeout: 20 })).error).toBeInstanceOf(TimeoutError);
    expect((await pool.query('SELECT 1', [], { timeout: 20 })).error).toBeInstanceOf(TimeoutError);
    await eventually(() => pool.getStats().active === 0);
    expect(pool.metrics().opened).toBe(2);
  });
});

test('a request to stop that comes too late finds a statement of no use', async () => {
  const { connection } = await open({ maxConnections: 1 }).acquire();
  const query = jest.spyOn(connection.native as any, 'query');
  await connection.cancel!(Promise.resolve(), { signal: new AbortController().signal });
  expect(query.mock.calls.map(([sql]) => sql)).toEqual(['SELECT 1']);
});

describe('sessions that the server ends', () => {
  const terminate = () =>
    ask(server, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()');

  test('2 x max queries succeed right after all were terminated', async () => {
    const pool = open({ maxConnections: 10 });
    for (let round = 0; round < 5; round++) {
      await Promise.all(Array.from({ length: 10 }, () => pool.run('SELECT pg_sleep(0.01)')));
      await terminate();
      const calls = Array.from({ length: 20 }, (_, n) =>
        n % 2 === 0 ? pool.query('SELECT 1') : pool.query('SELECT $1::int', [n]),
      );
      const failed = (await Promise.all(calls)).filter(({ success }) => !success);
      expect(failed).toEqual([]);
    }
  });

  test('a statement that may have run is not run twice', async () => {
    const pool = open({ maxConnections: 1 });
    await pool.run('CREATE TABLE IF NOT EXISTS ran (n int)');
    const call = pool.query('INSERT INTO ran SELECT 1 FROM pg_sleep(60)');
    await eventually(async () => (await running('INSERT INTO ran')) === 1);
    await terminate();
    const { success, error } = await call;
    expect(success).toBe(false);
    expect(error).toMatchObject({ code: '57P01' });
    // But a call may ask for it.
    const again = pool.query('SELECT 1 FROM pg_sleep(0.2)', [], { retries: 2 });
    await eventually(async () => (await running('SELECT 1 FROM pg_sleep')) === 1);
    await terminate();
    expect(await again).toMatchObject({ success: true });
  });

  test('idle ones are no error of the process, and are replaced', async () => {
    const pool = open({ maxConnections: 2 });
    const closed: unknown[] = [];
    pool.on('close', ({ reason }) => closed.push(reason));
    await Promise.all([pool.run('SELECT pg_sleep(0.02)'), pool.run('SELECT pg_sleep(0.02)')]);
    await terminate();
    await eventually(async () => (await sessions(server)) === 0);
    expect((await pool.query('SELECT 1')).success).toBe(true);
    expect(closed).toContain('broken');
  });
});

describe('retries', () => {
  test('explicit ones are for any error, and no more than that many', async () => {
    const pool = open({ maxConnections: 1 });
    await pool.run('DROP SEQUENCE IF EXISTS tries');
    await pool.run('CREATE SEQUENCE tries');
    // Fails three times.
    const FAIL = "SELECT 1 / CASE WHEN nextval('tries') < 4 THEN 0 ELSE 1 END AS n";
    expect(await pool.query(FAIL, [], { retries: 1 })).toMatchObject({ success: false });
    expect(await pool.query(FAIL, [], { retries: 1 })).toMatchObject({ success: true });
    expect((await pool.run('SELECT last_value::int AS n FROM tries')).rows[0].n).toBe(4);
  });

  test('by default none where the statement is at fault', async () => {
    const pool = open({ maxConnections: 1 });
    await pool.run('CREATE SEQUENCE IF NOT EXISTS runs');
    await pool.run("SELECT setval('runs', 1)");
    const FAIL = "SELECT 1 / (nextval('runs') * 0)";
    expect((await pool.query(FAIL)).error).toMatchObject({ code: '22012' });
    expect((await pool.run('SELECT last_value::int AS n FROM runs')).rows[0].n).toBe(2);
    expect((await pool.query(FAIL, [], { retries: 4 })).success).toBe(false);
    expect((await pool.run('SELECT last_value::int AS n FROM runs')).rows[0].n).toBe(7);
  });
});

describe('serialization failures', () => {
  /** The first one writes when the second one has read: both cannot be committed. */
  const transfer = async (pool: ReturnType<typeof open>, runs: EventEmitter & { count: number }) =>
    pool.transaction(
      async (tx) => {
        const run = ++runs.count;
        const second = run === 1 ? once(runs, 'second') : undefined;
        const { rows } = await tx.run('SELECT sum(n)::int AS sum FROM accounts');
        if (run === 2) runs.emit('second');
        await second;
        await tx.run('INSERT INTO accounts VALUES ($1)', [rows[0].sum + 1]);
      },
      { isolation: 'serializable', retries: 50 },
    );

  test('the whole function is run again, until all have happened one after the other', async () => {
    const pool = open({ maxConnections: 8 });
    await pool.run('CREATE TABLE IF NOT EXISTS accounts (n int)');
    await pool.run('DELETE FROM accounts');
    await pool.run('INSERT INTO accounts VALUES (1)');
    const runs = Object.assign(new EventEmitter(), { count: 0 });
    await Promise.all(Array.from({ length: 8 }, () => transfer(pool, runs)));
    const { rows } = await pool.run('SELECT n FROM accounts ORDER BY n');
    // Each saw the sum of all before it.
    expect(rows.map(({ n }: { n: number }) => n)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256]);
    expect(runs.count).toBeGreaterThan(8);
    expect(pool.metrics().closed.broken).toBe(0);
  });

  test('a deadlock: both come through, and retries 0 lets one fail', async () => {
    const pool = open({ maxConnections: 3 });
    await pool.run('CREATE TABLE IF NOT EXISTS locks (id int PRIMARY KEY, n int)');
    await pool.run('INSERT INTO locks VALUES (1, 0), (2, 0) ON CONFLICT (id) DO UPDATE SET n = 0');
    const cross = async (retries: number) => {
      let met = 0;
      const work = (first: number, second: number) =>
        pool.transaction(
          async (tx) => {
            await tx.run('UPDATE locks SET n = n + 1 WHERE id = $1', [first]);
            met++;
            await eventually(() => met >= 2);
            await tx.run('UPDATE locks SET n = n + 1 WHERE id = $1', [second]);
          },
          { retries },
        );
      return Promise.allSettled([work(1, 2), work(2, 1)]);
    };
    expect((await cross(3)).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect((await pool.run('SELECT n FROM locks')).rows).toEqual([{ n: 2 }, { n: 2 }]);
    const outcomes = (await cross(0)).filter(
      ({ status }) => status === 'rejected',
    ) as PromiseRejectedResult[];
    expect(outcomes.map(({ reason }) => reason.code)).toEqual(['40P01']);
  });

  test('an error that was caught is no success: the database would roll back', async () => {
    const pool = open({ maxConnections: 1 });
    await pool.run('CREATE TABLE IF NOT EXISTS caught (n int)');
    const error = await rejection(
      pool.transaction(async (tx) => {
        await tx.run('INSERT INTO caught VALUES (1)');
        await rejection(tx.run('SELECT 1 / 0'));
      }),
    );
    expect(error).toMatchObject({ code: '22012' });
    expect((await pool.run('SELECT * FROM caught')).rowCount).toBe(0);
    expect(pool.metrics().opened).toBe(1);
  });

  test('a COMMIT that the database refuses leaves the connection as it was', async () => {
    const pool = open({ maxConnections: 1 });
    await pool.run('CREATE TABLE IF NOT EXISTS checked (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)');
    const twice = { sql: 'INSERT INTO checked VALUES (1)' };
    expect(await rejection(pool.transaction([twice, twice]))).toMatchObject({ code: '23505' });
    expect((await pool.run('SELECT * FROM checked')).rowCount).toBe(0);
    expect(pool.metrics().opened).toBe(1);
  });

  test('a transaction whose connection is lost is not run again', async () => {
    const pool = open({ maxConnections: 1 });
    let runs = 0;
    const error = await rejection(
      pool.transaction(async (tx) => {
        runs++;
        const { rows } = await tx.run('SELECT pg_backend_pid() AS pid');
        await ask(server, 'SELECT pg_terminate_backend($1)', [rows[0].pid]);
        await tx.run('SELECT pg_sleep(1)');
      }),
    );
    // What pg says, depending on when it has noticed.
    expect(String(error)).toMatch(/terminat|not queryable/i);
    expect(runs).toBe(1);
    expect((await pool.query('SELECT 1')).success).toBe(true);
  });
});

describe('a server that takes no writes', () => {
  const readOnly = async (on: boolean) => {
    await ask(server, `ALTER DATABASE ${server.config.database} SET default_transaction_read_only = ${on}`);
  };
  afterEach(async () => {
    const sql = `BEGIN READ WRITE; ALTER DATABASE ${server.config.database} RESET default_transaction_read_only; COMMIT`;
    await ask(server, sql);
  });

  test('25006 evicts: all connections are replaced', async () => {
    const pool = open({ maxConnections: 3 });
    await pool.run('CREATE TABLE IF NOT EXISTS written (n int)');
    await readOnly(true);
    pool.evict();
    const idle = await Promise.all([1, 2, 3].map(() => pool.query('SELECT pg_sleep(0.02)')));
    expect(idle.every(({ success }) => success)).toBe(true);
    await ask(
      server,
      `BEGIN READ WRITE; ALTER DATABASE ${server.config.database} RESET default_transaction_read_only; COMMIT`,
    );
    expect((await pool.query('INSERT INTO written VALUES (1)')).error).toMatchObject({ code: '25006' });
    const calls = [1, 2, 3].map(() => pool.query('INSERT INTO written VALUES (1)'));
    expect((await Promise.all(calls)).map(({ success }) => success)).toEqual([true, true, true]);
  });

  test("role 'primary' takes no connection to it", async () => {
    await readOnly(true);
    const replica = open({ role: 'primary', connectionTimeout: 300 });
    const { error } = await replica.query('SELECT 1');
    expect(error).toBeInstanceOf(TimeoutError);
    expect(String((error as any).cause?.cause ?? error!.cause)).toMatch(/takes no writes/);
    expect((await open({ role: 'any' }).query('SELECT 1')).success).toBe(true);
    expect(await sessions(server)).toBe(1);
  });

  test("role 'primary' finds out about one that has become so, before it is lent", async () => {
    const pool = open({ role: 'primary', maxConnections: 1, pool: { validateAfter: 0 } });
    await pool.run('SET default_transaction_read_only = on');
    expect((await pool.run('SHOW transaction_read_only')).rows).toEqual([{ transaction_read_only: 'off' }]);
    expect(pool.metrics().closed.invalid).toBe(1);
  });
});

describe('connections', () => {
  test('affinity by key', async () => {
    const pool = open({ maxConnections: 4 });
    await Promise.all([1, 2, 3, 4].map(() => pool.run('SELECT pg_sleep(0.02)')));
    const where = async (affinity: string) =>
      (await pool.run('SELECT pg_backend_pid() AS pid', [], { affinity })).rows[0].pid;
    const homes = { a: await where('a'), b: await where('b'), c: await where('c') };
    for (let round = 0; round < 3; round++) {
      expect({ c: await where('c'), a: await where('a'), b: await where('b') }).toEqual(homes);
    }
    expect(new Set(Object.values(homes)).size).toBe(3);
  });

  test('what users of the native client listen to ends with their loan', async () => {
    const pool = open({ maxConnections: 1 });
    await pool.use(async (connection) => {
      const client = connection.native as any;
      client.on('notification', () => {});
      client.on('notice', () => {});
      await connection.query('LISTEN something');
    });
    await pool.use((connection) => {
      const client = connection.native as any;
      expect(['notification', 'notice'].map((event) => client.listenerCount(event))).toEqual([0, 0]);
    });
  });

  test('one that is given back while a statement runs is not lent again', async () => {
    const pool = open({ maxConnections: 1 });
    const pid = await backend(pool);
    const lease = await pool.acquire();
    const left = rejection(Promise.resolve(lease.connection.query('SELECT pg_sleep(60)')));
    await lease.release();
    expect(await backend(pool)).not.toBe(pid);
    expect(String(await left)).toMatch(/terminated|canceling/i);
    // The server does not go on with it either.
    await eventually(async () => (await running('SELECT pg_sleep')) === 0);
  });

  test('10,000 queries at once on 10 connections', async () => {
    const pool = open({ maxConnections: 10, connectionTimeout: 60_000, queryTimeout: 60_000 });
    const calls = Array.from({ length: 10_000 }, (_, n) => pool.query('SELECT $1::int AS n', [n]));
    const results = await Promise.all(calls);
    expect(results.every(({ success, data }, n) => success && data.rows[0].n === n)).toBe(true);
    expect(pool.getStats()).toEqual({ total: 10, idle: 10, active: 0, waiting: 0, opening: 0 });
    // Those of the test before may still be ending.
    await eventually(async () => (await sessions(server)) === 10);
    expect(pool.metrics().opened).toBe(10);
  });

  test('an idle pool lets the process end, in silence', async () => {
    const config = JSON.stringify({ ...server.config, minConnections: 2 });
    const told = await evaluate(`
      const { DatabaseConnectionPool } = require('keelson');
      const pool = new DatabaseConnectionPool(${config});
      pool.ready().then(() => pool.query('SELECT 1 AS n')).then(({ data }) => console.log(JSON.stringify(data.rows)));`);
    expect(told).toEqual([{ n: 1 }]);
  });

  test('while a query runs, it does not', async () => {
    const config = JSON.stringify(server.config);
    const told = await evaluate(`
      const { DatabaseConnectionPool } = require('keelson');
      const pool = new DatabaseConnectionPool(${config});
      pool.query('SELECT 1').then(() => setTimeout(() => pool.query('SELECT 2 AS n FROM pg_sleep(0.2)').then(({ data }) => console.log(JSON.stringify(data.rows))), 20));`);
    expect(told).toEqual([{ n: 2 }]);
  });

  test('several statements in one text, as pg takes them', async () => {
    const pool = open({ maxConnections: 1 });
    const results = await pool.run('SELECT 1 AS a; SELECT 2 AS b');
    expect(results.map(({ rows }: any) => rows)).toEqual([[{ a: 1 }], [{ b: 2 }]]);
  });

  test('a wrong password: an error that does not show it', async () => {
    // The tests' server trusts everyone: this one asks, and refuses.
    const refusing: Server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        const message = 'SFATAL\0C28P01\0Mpassword authentication failed for user "u"\0\0';
        const packet = Buffer.alloc(5);
        packet.write('E');
        packet.writeInt32BE(4 + message.length, 1);
        socket.end(Buffer.concat([packet, Buffer.from(message)]));
      });
    });
    refusing.listen(0, '127.0.0.1');
    await once(refusing, 'listening');
    const { port } = refusing.address() as { port: number };
    const pool = make({
      host: '127.0.0.1',
      port,
      database: 'd',
      username: 'u',
      password: 'sesame',
      connectionTimeout: 200,
    });
    const { error } = await pool.query('SELECT 1');
    refusing.close();
    expect(error).toBeInstanceOf(TimeoutError);
    const { inspect } = await import('node:util');
    expect(inspect(error, { depth: 9 })).toMatch(/password authentication failed/);
    expect(inspect(error, { depth: 9 })).not.toMatch(/sesame/);
  });
});
