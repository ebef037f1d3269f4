import { join } from 'node:path';
import { InvalidArgumentError } from 'keelson';
import { rejection, usePools } from './support/databases';
import { evaluate, temporaryFolder } from './support/process';

const make = usePools();
const open = (config = {}) => make({ driver: 'sqlite', database: ':memory:', ...config });
const { folder, remove } = temporaryFolder();
afterAll(remove);
let files = 0;
const file = () => join(folder, `${++files}.sqlite`);

test('the client is the one that this Node is to have', async () => {
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
  const { connection } = await open().acquire();
  const hasOwn = major > 22 || (major === 22 && minor >= 16);
  // By the class and not by its name, which newer ones have changed.
  const client = hasOwn ? require('node:sqlite').DatabaseSync : require('better-sqlite3');
  expect(connection.native).toBeInstanceOf(client);
});

test('a database in memory has one connection, which is kept', async () => {
  const pool = open({ pool: { idleTimeout: 1 } });
  await pool.run('CREATE TABLE t (a)');
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(
    await rejection(pool.transaction([{ sql: 'INSERT INTO t VALUES (1)' }, { sql: 'nonsense' }])),
  ).toBeDefined();
  expect((await pool.run('SELECT * FROM t')).rows).toStrictEqual([]);
  expect(() => open({ maxConnections: 2 })).toThrow(/"maxConnections" must be 1 with ':memory:'/);
});

test('results are much like those of pg, and so are parameters', async () => {
  const pool = open();
  await pool.run('CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)');
  const inserted = await pool.run('INSERT INTO t (a, b) VALUES ($2, $1)', ['b', 'a']);
  expect(inserted).toStrictEqual({ rows: [], rowCount: 1, lastInsertRowid: 1 });
  expect(await pool.run('SELECT a, b FROM t WHERE a = ?', ['a'])).toStrictEqual({
    rows: [{ a: 'a', b: 'b' }],
    rowCount: 1,
  });
  const values = await pool.run('SELECT ?1 AS a, ?2 AS b, ?1 AS c, ?3 AS d', [true, undefined, new Date(0)]);
  expect(values.rows).toStrictEqual([{ a: 1, b: null, c: 1, d: '1970-01-01T00:00:00.000Z' }]);
  const returned = await pool.run('UPDATE t SET a = ? RETURNING id, a', ["it's $1"]);
  expect(returned.rows).toStrictEqual([{ id: 1, a: "it's $1" }]);
  // Neither a placeholder nor a second statement.
  expect((await pool.run("SELECT '$1; x' AS a, ? AS b -- $2; y", [7])).rows).toStrictEqual([
    { a: '$1; x', b: 7 },
  ]);
});

test('several statements in one text all run', async () => {
  const pool = open();
  await pool.run('CREATE TABLE a (n); CREATE TABLE b (n); INSERT INTO b VALUES (1);');
  expect((await pool.run('SELECT * FROM b')).rowCount).toBe(1);
  await pool.run(
    'CREATE TRIGGER copy AFTER INSERT ON a BEGIN INSERT INTO b VALUES (new.n); INSERT INTO b VALUES (0); END',
  );
  await pool.run('INSERT INTO a VALUES (5)');
  expect((await pool.run('SELECT * FROM b')).rowCount).toBe(3);
});

test('a statement that is kept sees what changed its table', async () => {
  const pool = open();
  await pool.run('CREATE TABLE t (a)');
  await pool.run('INSERT INTO t VALUES (1)');
  expect((await pool.run('SELECT * FROM t')).rows).toStrictEqual([{ a: 1 }]);
  await pool.run('ALTER TABLE t ADD COLUMN b DEFAULT 2');
  expect((await pool.run('SELECT * FROM t')).rows).toStrictEqual([{ a: 1, b: 2 }]);
  for (let n = 0; n < 250; n++) expect((await pool.run(`SELECT ${n} AS n`)).rows).toStrictEqual([{ n }]);
});

test('two pools on one file wait for each other without stopping the thread', async () => {
  const database = file();
  const one = open({ database });
  const two = open({ database });
  await one.run('CREATE TABLE t (n)');
  let release!: () => void;
  const held = one.transaction(async (tx) => {
    await tx.run('INSERT INTO t VALUES (1)');
    await new Promise<void>((resolve) => {
      release = resolve;
    });
  });
  const other = two.query('INSERT INTO t VALUES (2)');
  const third = two.transaction([{ sql: 'INSERT INTO t VALUES (3)' }]);
  setTimeout(() => release(), 60);
  await held;
  expect((await other).success).toBe(true);
  await third;
  expect((await one.run('SELECT n FROM t ORDER BY n')).rows).toStrictEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
});

test('connections of one pool on one file', async () => {
  const pool = open({ database: file(), maxConnections: 4 });
  await pool.run('CREATE TABLE t (n)');
  const calls = Array.from({ length: 12 }, (_, n) =>
    pool.transaction(async (tx) => {
      await tx.run('INSERT INTO t VALUES (?)', [n]);
      await new Promise((resolve) => setImmediate(resolve));
    }),
  );
  await Promise.all(calls);
  expect((await pool.run('SELECT count(*) AS n FROM t')).rows).toStrictEqual([{ n: 12 }]);
});

test('a COMMIT that is refused is rolled back, and the database in memory is still there', async () => {
  const pool = open();
  await pool.run('PRAGMA foreign_keys = ON');
  await pool.run('CREATE TABLE a (id INTEGER PRIMARY KEY)');
  await pool.run('CREATE TABLE b (a REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED)');
  expect(String(await rejection(pool.transaction([{ sql: 'INSERT INTO b VALUES (1)' }])))).toMatch(
    /FOREIGN KEY/,
  );
  expect((await pool.run('SELECT * FROM b')).rows).toStrictEqual([]);
});

test('a statement that rolls all back ends its transaction, and the database in memory is still there', async () => {
  const pool = open();
  await pool.run('CREATE TABLE t (a UNIQUE)');
  await pool.run('INSERT INTO t VALUES (1)');
  const error = await rejection(
    pool.transaction(async (tx) => {
      await tx.run('INSERT INTO t VALUES (2)');
      await tx.run('INSERT OR ROLLBACK INTO t VALUES (1)').catch(() => {});
      await tx.run('INSERT INTO t VALUES (3)');
    }),
  );
  expect(String(error)).toMatch(/UNIQUE/);
  expect((await pool.run('SELECT * FROM t')).rows).toStrictEqual([{ a: 1 }]);
});

test('several statements in one text with parameters are refused, not run with null', async () => {
  const pool = open();
  await pool.run('CREATE TABLE t (a)');
  const sql = 'INSERT INTO t VALUES (?); INSERT INTO t VALUES (?)';
  expect(await rejection(pool.run(sql, [1, 2]))).toBeInstanceOf(InvalidArgumentError);
  expect((await pool.run('SELECT * FROM t')).rows).toStrictEqual([]);
});

test('the process ends by itself, in silence', async () => {
  const told = await evaluate(`
    const { DatabaseConnectionPool } = require('keelson');
    const pool = new DatabaseConnectionPool({ driver: 'sqlite', database: ':memory:' });
    pool.run('SELECT 1 AS n').then(({ rows }) => console.log(JSON.stringify(rows)));`);
  expect(told).toEqual([{ n: 1 }]);
});
