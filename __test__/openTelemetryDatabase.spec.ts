import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { DatabaseConnectionPool } from 'keelson';
import { DATABASES, rejection, usePools } from './support/databases';
import { useSpans, within } from './support/spans';

const { enable, spans, told, named } = useSpans();
const active = (): string | undefined => (trace.getActiveSpan() as { name?: string } | undefined)?.name;

const SYSTEMS = { pg: 'postgresql', mysql2: 'mysql', sqlite: 'sqlite' };
/** What each says of a key that is taken: a SQLSTATE, a number, a name of SQLite's or its number where Node's own is used. */
const TAKEN = { pg: /^23505$/, mysql2: /^1062$/, sqlite: /^(SQLITE_CONSTRAINT_PRIMARYKEY|1555)$/ };

describe.each(['pg', 'mysql2', 'sqlite'] as const)('%s', (driver) => {
  const database = DATABASES[driver]();
  const { sql } = database;

  /** A pool with an empty table, before there are spans. */
  async function prepared(): Promise<DatabaseConnectionPool> {
    const pool = database.pool({ maxConnections: 1 });
    await pool.run('DROP TABLE IF EXISTS spans');
    await pool.run('CREATE TABLE spans (id int PRIMARY KEY)');
    return pool;
  }

  test('statements, by the conventions for databases, without their text', async () => {
    const pool = await prepared();
    enable();
    await within('request', () => pool.query(sql('INSERT INTO spans VALUES (?)'), [7]));
    await pool.run('SELECT * FROM spans');
    const [insert, , select] = told();
    expect(insert).toMatchObject({ name: 'INSERT spans', kind: SpanKind.CLIENT, parent: 'request' });
    expect(select).toMatchObject({ name: 'SELECT spans', parent: undefined, status: SpanStatusCode.UNSET });
    const { 'server.port': port, ...attributes } = select!.attributes;
    expect(attributes).toEqual({
      'db.system.name': SYSTEMS[driver],
      'db.namespace': expect.any(String),
      'db.query.summary': 'SELECT spans',
      ...(driver !== 'sqlite' && { 'server.address': expect.any(String) }),
    });
    expect(typeof port).toBe(driver === 'sqlite' ? 'undefined' : 'number');
  });

  test('an error of the database, told by a result or thrown', async () => {
    const pool = await prepared();
    const insert = sql('INSERT INTO spans VALUES (?)');
    await pool.run(insert, [1]);
    enable();
    const { error } = await pool.query(insert, [1]);
    const { message } = await rejection(pool.run(insert, [1]));
    expect(error!.message).toBe(message);
    const failed = named('INSERT spans');
    expect(failed).toHaveLength(2);
    for (const span of failed) {
      expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message });
      expect(span.attributes['db.response.status_code']).toMatch(TAKEN[driver]);
      expect(span.attributes['error.type']).toBe(span.attributes['db.response.status_code']);
      expect(span.events).toMatchObject([
        { name: 'exception', attributes: { 'exception.message': message } },
      ]);
    }
  });

  test('a transaction, its statements and its savepoints', async () => {
    const pool = await prepared();
    enable({ queryText: true });
    await within('request', () =>
      pool.transaction(async (tx) => {
        expect(active()).toBe('keelson.database.transaction');
        await tx.run(sql('INSERT INTO spans VALUES (?)'), [1]);
        await tx.savepoint((inner) => inner.run('DELETE FROM spans WHERE id = 1'));
      }),
    );
    const all = told();
    const children = all.filter(({ parent }) => parent === 'keelson.database.transaction');
    expect(children.map(({ name }) => name.split(' ')[0])).toEqual([
      expect.stringMatching(/BEGIN|START|SET/),
      'INSERT',
      'SAVEPOINT',
      'DELETE',
      'RELEASE',
      'COMMIT',
    ]);
    expect(children.every(({ kind }) => kind === SpanKind.CLIENT)).toBe(true);
    expect(named('DELETE spans')[0]!.attributes).toMatchObject({
      'db.query.text': 'DELETE FROM spans WHERE id = 1',
    });
    expect(all.at(-2)).toMatchObject({
      name: 'keelson.database.transaction',
      kind: SpanKind.INTERNAL,
      attributes: { 'db.system.name': SYSTEMS[driver] },
      parent: 'request',
    });
  });

  test('a transaction that is rolled back', async () => {
    const pool = await prepared();
    enable();
    const mistake = Object.assign(new Error('no'), { code: 'OURS' });
    const work = async (): Promise<never> => {
      throw mistake;
    };
    await expect(pool.transaction(work)).rejects.toBe(mistake);
    expect(named('ROLLBACK')).toHaveLength(1);
    expect(named('keelson.database.transaction')[0]).toMatchObject({
      attributes: { 'error.type': 'OURS' },
      status: { code: SpanStatusCode.ERROR, message: 'no' },
    });
  });

  test('queryMany: one for all rows, and its failure', async () => {
    const pool = await prepared();
    enable();
    const insert = sql('INSERT INTO spans VALUES (?)');
    await pool.queryMany(insert, [[1], [2], [3]], { batchSize: 2 });
    await expect(pool.queryMany(insert, [[4], [1]])).rejects.toMatchObject({ code: 'ERR_KEELSON_BATCH' });
    const [well, failed] = named('BATCH INSERT spans');
    expect(well!.attributes).toMatchObject({
      'db.query.summary': 'BATCH INSERT spans',
      'db.operation.batch.size': 3,
    });
    expect(failed!.attributes).toMatchObject({
      'error.type': 'ERR_KEELSON_BATCH',
      'db.response.status_code': expect.stringMatching(TAKEN[driver]),
    });
    expect(named('INSERT spans')).toEqual([]);
  });

  test('a stream, from its first row to its end, whatever that is', async () => {
    const pool = await prepared();
    await pool.queryMany(sql('INSERT INTO spans VALUES (?)'), [[1], [2], [3]]);
    enable();
    const stream = pool.stream('SELECT id FROM spans', [], { batchSize: 1 });
    expect(spans()).toEqual([]);
    await within('reader', async () => {
      await stream.next();
      expect(named('SELECT spans')).toEqual([]);
      for await (const _ of stream);
    });
    for await (const _ of pool.stream('SELECT id FROM spans', [], { batchSize: 1 })) break;
    await rejection(pool.stream('SELECT id FROM nowhere').next());
    expect(told().filter(({ name }) => name.startsWith('SELECT'))).toMatchObject([
      { name: 'SELECT spans', kind: SpanKind.CLIENT, parent: 'reader', status: SpanStatusCode.UNSET },
      { name: 'SELECT spans', status: SpanStatusCode.UNSET },
      { name: 'SELECT nowhere', status: SpanStatusCode.ERROR },
    ]);
  });
});

describe('calls that never reach the database', () => {
  const make = usePools();

  test('have the code of their error', async () => {
    enable();
    const pool = make({ driver: 'sqlite', database: ':memory:' });
    await pool.query(undefined as any);
    await pool.close();
    await pool.query('SELECT 1');
    expect(spans().map(({ name, attributes }) => [name, attributes['error.type']])).toEqual([
      ['sqlite', 'ERR_KEELSON_INVALID_ARGUMENT'],
      ['SELECT', 'ERR_KEELSON_DESTROYED'],
    ]);
  });

  test('what a driver does runs in the span of its call', async () => {
    enable();
    const seen: unknown[] = [];
    const look = async (what: string): Promise<unknown[]> => {
      seen.push([what, active()]);
      return [];
    };
    const connection = {
      query: (sql: string) => look(sql),
      read: () => ({ read: () => look('read'), close: async () => {} }),
      close: () => {},
    };
    const pool = make({ create: () => connection });
    await pool.query('SELECT 1 FROM a');
    await pool.run('SELECT 1 FROM b');
    await pool.transaction((tx) => tx.run('SELECT 1 FROM c'));
    for await (const _ of pool.stream('SELECT 1 FROM d'));
    expect(seen).toEqual([
      ['SELECT 1 FROM a', 'SELECT a'],
      ['SELECT 1 FROM b', 'SELECT b'],
      ['BEGIN', 'BEGIN'],
      ['SELECT 1 FROM c', 'SELECT c'],
      ['COMMIT', 'COMMIT'],
      ['read', 'SELECT d'],
    ]);
    expect(told().find(({ name }) => name === 'SELECT d')!.attributes).toEqual({
      'db.system.name': 'other_sql',
      'db.query.summary': 'SELECT d',
    });
  });

  test('a wait for a connection is a child of its statement', async () => {
    enable();
    const pool = make({ driver: 'sqlite', database: ':memory:', pool: { name: 'main' } });
    await Promise.all([pool.run('SELECT 1'), pool.run('DELETE FROM sqlite_temp_master').catch(() => {})]);
    const waits = told().filter(({ name }) => name === 'keelson.pool.wait');
    expect(waits).toMatchObject([
      { attributes: { 'db.client.connection.pool.name': 'main' }, parent: 'SELECT' },
      { parent: 'DELETE sqlite_temp_master' },
    ]);
  });
});

test('what a configuration says of its database', async () => {
  const { databaseTarget } = require('../dist/openTelemetry/database');
  const { databaseSettings } = require('../dist/database/config');
  const target = (config: object): object => databaseTarget(databaseSettings(config));
  const of = (name: string, namespace?: string): object => ({
    'db.system.name': name,
    ...(namespace !== undefined && { 'db.namespace': namespace }),
  });
  const there = { host: 'db.example', database: 'shop' };
  expect([
    target({ ...there }),
    target({ ...there, port: 5432 }),
    target({ ...there, port: 6432 }),
    target({ ...there, port: 5432, driver: 'mysql2' }),
    target({ database: 'a.db', driver: 'sqlite' }),
    target({ ...there, port: 1521, driver: { name: 'oracle', connect: () => {} } }),
    target({ create: () => {} }),
  ]).toEqual([
    { ...of('postgresql', 'shop'), 'server.address': 'db.example' },
    { ...of('postgresql', 'shop'), 'server.address': 'db.example' },
    { ...of('postgresql', 'shop'), 'server.address': 'db.example', 'server.port': 6432 },
    { ...of('mysql', 'shop'), 'server.address': 'db.example', 'server.port': 5432 },
    of('sqlite', 'a.db'),
    { ...of('other_sql', 'shop'), 'server.address': 'db.example', 'server.port': 1521 },
    of('other_sql'),
  ]);
});
