// What this service asked of its own pool before keelson took its place, and what it had to live without.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import DefaultPool, {
  type DatabaseConfig,
  DatabaseConnectionPool,
} from '../../src/lib/utilities/database/connectionPool';

const pools: DatabaseConnectionPool[] = [];

function open(config: DatabaseConfig): DatabaseConnectionPool {
  const pool = new DatabaseConnectionPool(config);
  pools.push(pool);
  return pool;
}

const inMemory = () => open({ driver: 'sqlite', database: ':memory:' });

/** A pool over connections of the test's own, which note what they are asked. */
function scripted(query: (sql: string) => unknown = () => 'answer', config: DatabaseConfig = {}) {
  const seen = { opened: 0, closed: 0, statements: [] as string[] };
  const create = async () => {
    seen.opened++;
    const ask = async (sql: string) => {
      seen.statements.push(sql);
      return query(sql);
    };
    return { query: ask, close: async () => void seen.closed++ };
  };
  return { seen, pool: open({ create, minConnections: 0, ...config }) };
}

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close({ timeout: 0 })));
});

test('the module’s default export is the pool', () => {
  expect(DefaultPool).toBe(DatabaseConnectionPool);
});

describe('what it kept', () => {
  test('a query resolves its data, how long it took and over which connection', async () => {
    const result = await inMemory().query('SELECT ? + 1 AS answer', [41]);
    expect(result).toStrictEqual({
      success: true,
      data: expect.objectContaining({ rows: [{ answer: 42 }] }),
      executionTime: expect.any(Number),
      connectionId: expect.stringMatching(/./),
    });
  });

  test('a query never rejects', async () => {
    const pool = inMemory();
    const failures = [
      pool.query('SELEC 1'),
      pool.query('SELECT * FROM nothing', [], { retries: 1 }),
      pool.query(1 as never),
      pool.query('SELECT 1', [], { timeout: -1 }),
      pool.query('SELECT 1', [], { signal: AbortSignal.abort() }),
      open({ create: () => Promise.reject(new Error('no route')), connectionTimeout: 20 }).query('SELECT 1'),
    ];
    for (const result of await Promise.all(failures)) {
      expect(result).toStrictEqual({
        success: false,
        error: expect.any(Error),
        executionTime: expect.any(Number),
        connectionId: expect.any(String),
      });
    }
    await pool.close();
    expect(await pool.query('SELECT 1')).toMatchObject({ success: false, connectionId: '' });
  });

  test('a transaction resolves the results of its statements in their order', async () => {
    const pool = inMemory();
    const results = await pool.transaction([
      { sql: 'CREATE TABLE notes (text TEXT)' },
      { sql: 'INSERT INTO notes VALUES (?)', params: ['a'] },
      { sql: 'SELECT count(*) AS n FROM notes' },
      { sql: 'INSERT INTO notes VALUES (?)', params: ['b'] },
      { sql: 'SELECT count(*) AS n FROM notes' },
    ]);
    expect(results.map(({ success }) => success)).toEqual(Array(5).fill(true));
    expect([results[2]!.data.rows, results[4]!.data.rows]).toEqual([[{ n: 1 }], [{ n: 2 }]]);
  });

  test('one that fails rejects after its rollback', async () => {
    const pool = inMemory();
    await pool.run('CREATE TABLE notes (text TEXT NOT NULL)');
    const insert = { sql: 'INSERT INTO notes VALUES (?)' };
    const work = pool.transaction([
      { ...insert, params: ['a'] },
      { ...insert, params: [null] },
    ]);
    await expect(work).rejects.toMatchObject({ message: expect.stringContaining('NOT NULL') });
    expect((await pool.run('SELECT * FROM notes')).rows).toEqual([]);
  });

  test('close() may be called again', async () => {
    const { pool, seen } = scripted();
    await pool.query('a');
    await pool.close();
    await pool.close();
    expect(seen).toMatchObject({ opened: 1, closed: 1 });
  });

  test('what a configuration has in vain is ignored', () => {
    expect(() => open({ driver: 'sqlite', database: ':memory:', poolSize: 3 } as object)).not.toThrow();
  });
});

describe('what it mended', () => {
  test('a closed pool does not open connections again', async () => {
    const { pool, seen } = scripted();
    await pool.close();
    expect((await pool.query('a')).error).toMatchObject({ code: 'ERR_KEELSON_DESTROYED' });
    await expect(pool.transaction([{ sql: 'a' }])).rejects.toMatchObject({ code: 'ERR_KEELSON_DESTROYED' });
    expect(seen.opened).toBe(0);
  });

  test('close() answers those who wait, and what runs ends well', async () => {
    let answer = (_: unknown) => {};
    const { pool } = scripted(() => new Promise((resolve) => (answer = resolve)), { maxConnections: 1 });
    const running = pool.query('a');
    const waiting = [pool.query('b'), pool.query('c')];
    while (pool.getStats().active < 1) await new Promise(setImmediate);
    const closed = pool.close();
    for (const { error } of await Promise.all(waiting))
      expect(error).toMatchObject({ code: 'ERR_KEELSON_DESTROYED' });
    answer('done');
    expect(await running).toMatchObject({ success: true, data: 'done' });
    await closed;
  });

  test('a timeout bounds the whole call, its waiting included', async () => {
    const { pool } = scripted(() => new Promise(() => {}), { maxConnections: 1 });
    const running = pool.query('a', [], { timeout: 100 });
    const { error, executionTime } = await pool.query('b', [], { timeout: 30, retries: 5 });
    expect(error).toMatchObject({ code: 'ERR_KEELSON_TIMEOUT' });
    expect(executionTime).toBeGreaterThan(28);
    expect((await running).success).toBe(false);
  });

  test('retries are for who asks for them: a statement may have been done', async () => {
    const failing = () => {
      throw new Error('who knows');
    };
    const { pool, seen } = scripted(failing);
    await pool.query('once');
    await pool.query('thrice', [], { retries: 2 });
    expect(seen.statements).toEqual(['once', 'thrice', 'thrice', 'thrice']);
  });

  test('the same key gets the same connection', async () => {
    const { pool } = scripted();
    const idOf = async (affinity: string) => (await pool.query('a', [], { affinity })).connectionId;
    const both = () => Promise.all([idOf('x'), idOf('y')]);
    const [x, y] = await both();
    expect(x).not.toBe(y);
    for (let turn = 0; turn < 5; turn++) expect([await idOf('y'), await idOf('x')]).toEqual([y, x]);
  });

  test('statements of a batch are sent as they are, and each has its own result', async () => {
    const pool = inMemory();
    const sums = [1, 2, 3].map((n) => pool.query('SELECT ? * 2 AS twice', [n], { batch: true }));
    const wrong = pool.query('SELECT nothing', [], { batch: true });
    const rows = (await Promise.all(sums)).map(({ data }) => data.rows[0]);
    expect(rows).toEqual([{ twice: 2 }, { twice: 4 }, { twice: 6 }]);
    expect((await wrong).success).toBe(false);
  });

  test('never more connections than the maximum, and as many queries as one likes', async () => {
    const { pool, seen } = scripted(undefined, { maxConnections: 4 });
    const results = await Promise.all(Array.from({ length: 1000 }, () => pool.query('a')));
    expect(results.every(({ success }) => success)).toBe(true);
    expect([seen.opened <= 4, pool.getStats().active, pool.getStats().waiting]).toEqual([true, 0, 0]);
  });

  test('an idle pool does not keep the process', async () => {
    const script = `
      const { DatabaseConnectionPool } = require(${JSON.stringify(require.resolve('keelson'))});
      const create = async () => ({ query: async () => 1, close() {} });
      const pool = new DatabaseConnectionPool({ create });
      pool.query('a').then(({ success }) => console.log(success));`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk));
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(output).toBe('true\n');
  });
});
