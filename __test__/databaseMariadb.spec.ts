import { TimeoutError } from 'keelson';
import { rejection, usePools } from './support/databases';
import { useMariaDB } from './support/mariadb';
import { evaluate } from './support/process';
import { eventually } from './support/server';

const server = useMariaDB();
const make = usePools();
const open = (config = {}) => make({ ...server.config, driver: 'mysql2', minConnections: 0, ...config });
const idOf = async (pool: ReturnType<typeof open>): Promise<number> =>
  Number((await pool.run('SELECT CONNECTION_ID() AS id'))[0][0].id);
/** What the server runs for us at the moment. */
const running = async (pool: ReturnType<typeof open>, text: string): Promise<number> => {
  const [rows] = await pool.run(
    'SELECT id FROM information_schema.processlist WHERE info LIKE ? AND id <> CONNECTION_ID()',
    [`${text}%`],
  );
  return rows.length;
};

test('a statement that takes too long is stopped at the server, and its connection kept', async () => {
  const pool = open({ maxConnections: 1 });
  const id = await idOf(pool);
  expect((await pool.query('SELECT SLEEP(60)', [], { timeout: 150 })).error).toBeInstanceOf(TimeoutError);
  expect(await idOf(pool)).toBe(id);
  expect(await running(open(), 'SELECT SLEEP')).toBe(0);
});

test('likewise when its signal aborts', async () => {
  const pool = open({ maxConnections: 1 });
  const id = await idOf(pool);
  const controller = new AbortController();
  const call = rejection(pool.run('SELECT SLEEP(60)', [], { signal: controller.signal }));
  const other = open();
  await eventually(async () => (await running(other, 'SELECT SLEEP')) === 1);
  controller.abort(new Error('enough'));
  expect(await call).toEqual(new Error('enough'));
  expect(await idOf(pool)).toBe(id);
});

test('one that is given up never harms the next one', async () => {
  const pool = open({ maxConnections: 3 });
  let late = 0;
  const call = async (n: number) => {
    const { success, error } = await pool.query('SELECT SLEEP(?)', [(n % 10) / 1_000], { timeout: 8 });
    if (!success) {
      expect(error).toBeInstanceOf(TimeoutError);
      late++;
    }
    const [rows] = await pool.run('SELECT ? AS n, SLEEP(0.002) AS interrupted', [n]);
    expect(rows).toEqual([{ n, interrupted: 0 }]);
  };
  for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 20 }, (_, n) => call(n)));
  expect(late).toBeGreaterThan(0);
});

test('a request to stop that comes too late finds a statement of no use', async () => {
  const { connection } = await open({ maxConnections: 1 }).acquire();
  const query = jest.spyOn(connection.native as any, 'query');
  await connection.cancel!(Promise.resolve(), { signal: new AbortController().signal });
  expect(query.mock.calls.map(([sql]) => sql)).toEqual(['SELECT 1']);
});

test('a deadlock: the whole function of one is run again', async () => {
  const pool = open({ maxConnections: 3 });
  await pool.run('CREATE TABLE IF NOT EXISTS locks (id INT PRIMARY KEY, n INT)');
  await pool.run('REPLACE INTO locks VALUES (1, 0), (2, 0)');
  let met = 0;
  let runs = 0;
  const work = (first: number, second: number) =>
    pool.transaction(async (tx) => {
      runs++;
      await tx.run('UPDATE locks SET n = n + 1 WHERE id = ?', [first]);
      met++;
      await eventually(() => met >= 2);
      // The error is caught, but MySQL has ended the transaction: nothing may run outside of one.
      await tx.run('UPDATE locks SET n = n + 1 WHERE id = ?', [second]).catch(() => {});
      await tx.run('UPDATE locks SET n = n + 10 WHERE id = ?', [second]);
    });
  await Promise.all([work(1, 2), work(2, 1)]);
  const [rows] = await pool.run('SELECT n FROM locks');
  expect(rows).toEqual([{ n: 12 }, { n: 12 }]);
  expect(runs).toBe(3);
});

test('a connection that the server ends is replaced, and no error of the process', async () => {
  const pool = open({ maxConnections: 2 });
  const id = await idOf(pool);
  const other = open({ maxConnections: 1 });
  await other.run(`KILL ${id}`);
  await eventually(async () => {
    const [rows] = await other.run('SELECT 1 FROM information_schema.processlist WHERE id = ?', [id]);
    return rows.length === 0;
  });
  expect(await idOf(pool)).not.toBe(id);
});

test('a server that takes no writes evicts', async () => {
  const pool = open({ maxConnections: 1, role: 'primary', pool: { validateAfter: 0 } });
  const id = await idOf(pool);
  await open({ maxConnections: 1 }).run('SELECT 1');
  const { error } = await pool.query(
    'SIGNAL SQLSTATE \'HY000\' SET MYSQL_ERRNO = 1290, MESSAGE_TEXT = "read-only"',
  );
  expect(error).toMatchObject({ errno: 1290 });
  expect(await idOf(pool)).not.toBe(id);
});

test('an object among the parameters is a value, never SQL', async () => {
  const pool = open({ maxConnections: 1 });
  await pool.run('CREATE TABLE IF NOT EXISTS users (name VARCHAR(20), token VARCHAR(20))');
  await pool.run("INSERT INTO users VALUES ('root', 'secret')");
  const [rows] = await pool.run('SELECT * FROM users WHERE token = ?', [{ token: 1 }]);
  expect(rows).toEqual([]);
});

test('an idle pool lets the process end', async () => {
  const config = JSON.stringify({ ...server.config, driver: 'mysql2' });
  const told = await evaluate(`
    const { DatabaseConnectionPool } = require('keelson');
    const pool = new DatabaseConnectionPool(${config});
    pool.ready().then(() => pool.query('SELECT 1 AS n')).then(({ data }) => console.log(JSON.stringify(data[0])));`);
  expect(told).toEqual([{ n: 1 }]);
});

test('queryMany sends the rows of an insert in one statement', async () => {
  const pool = open({ maxConnections: 1 });
  await pool.run('CREATE TABLE IF NOT EXISTS loaded (id INT PRIMARY KEY, name VARCHAR(20))');
  const inserts = async () => Number((await pool.run("SHOW SESSION STATUS LIKE 'Com_insert'"))[0][0].Value);
  const before = await inserts();
  const rows = Array.from({ length: 1_000 }, (_, id) => [id, id % 3 === 0 ? null : `it's ${id}`]);
  const results = await pool.queryMany('INSERT INTO loaded (id, name) VALUES (?, ?)', rows);
  expect(results).toHaveLength(1_000);
  expect(await inserts()).toBe(before + 10);
  const [read] = await pool.run('SELECT id, name FROM loaded ORDER BY id');
  expect(read.map(({ id, name }: any) => [id, name])).toEqual(rows);
});

test('and finds the row that fails; rows that do not fit, and other statements, go one by one', async () => {
  const pool = open({ maxConnections: 1 });
  await pool.run('CREATE TABLE IF NOT EXISTS picky (id INT PRIMARY KEY, name VARCHAR(20))');
  const INSERT = 'INSERT INTO picky (id, name) VALUES (?, ?)';
  const rows = Array.from({ length: 150 }, (_, id) => [id === 130 ? 7 : id, 'x']);
  expect(await rejection(pool.queryMany(INSERT, rows))).toMatchObject({ index: 130 });
  expect(await rejection(pool.queryMany(INSERT, [[1, 'x'], [2]]))).toMatchObject({ index: 1 });
  expect((await pool.run('SELECT * FROM picky'))[0]).toEqual([]);
  await pool.queryMany(`${INSERT} ON DUPLICATE KEY UPDATE name = 'twice'`, [
    [1, 'a'],
    [1, 'b'],
  ]);
  expect((await pool.run('SELECT * FROM picky'))[0]).toEqual([{ id: 1, name: 'twice' }]);
});

test('a deadlock among the rows of queryMany: those after it are not written outside of the transaction', async () => {
  const pool = open({ maxConnections: 3 });
  await pool.run('CREATE TABLE rowlocks (id INT PRIMARY KEY, n INT)');
  await pool.queryMany(
    'INSERT INTO rowlocks VALUES (?, ?)',
    Array.from({ length: 100 }, (_, id) => [id, 0]),
  );
  const other = await pool.acquire();
  await other.connection.query('START TRANSACTION');
  // The one that has written less is the one to be rolled back.
  await other.connection.query('UPDATE rowlocks SET n = 1 WHERE id >= 50 OR id = 2');
  const many = rejection(
    pool.queryMany('UPDATE rowlocks SET n = ? WHERE id = ?', [
      [7, 1],
      [7, 2],
      [7, 3],
      [7, 4],
    ]),
  );
  await eventually(async () => (await running(pool, 'UPDATE rowlocks SET n = 7 WHERE id = 2')) === 1);
  await other.connection.query('UPDATE rowlocks SET n = 1 WHERE id = 1');
  expect((await many).cause).toMatchObject({ errno: 1213 });
  await other.connection.query('COMMIT');
  await other.release();
  expect((await pool.run('SELECT id FROM rowlocks WHERE n = 7'))[0]).toEqual([]);
});

test('a user who turns autocommit off does so for himself alone', async () => {
  const pool = open({ maxConnections: 1 });
  await pool.run('CREATE TABLE kept (n INT)');
  await pool.run('SET autocommit = 0');
  await pool.run('INSERT INTO kept VALUES (1)');
  expect((await open().run('SELECT n FROM kept'))[0]).toEqual([{ n: 1 }]);
});

test('a connection that is closed while its statement runs does not wait for that', async () => {
  const pool = open({ maxConnections: 1 });
  const call = pool.query('SELECT SLEEP(60)');
  const other = open();
  await eventually(async () => (await running(other, 'SELECT SLEEP')) === 1);
  await pool.close({ timeout: 1 });
  expect((await call).success).toBe(false);
  await eventually(async () => (await running(other, 'SELECT SLEEP')) === 0);
});
