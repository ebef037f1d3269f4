import { inspect } from 'node:util';
import { DatabaseConnectionPool, InvalidArgumentError, TimeoutError } from 'keelson';
import { rejection, usePools } from './support/databases';
import { copyInto, evaluate, runNode, temporaryFolder } from './support/process';
import { eventually } from './support/server';

const make = usePools();

describe('a configuration', () => {
  test.each<[string, object, RegExp]>([
    ['nothing', undefined as any, /"config"/],
    ['no database', { host: 'h' }, /"database" must be the name of a database/],
    ['no file', { driver: 'sqlite' }, /"database" must be a file/],
    ['a host that is none', { database: 'd', host: 1 }, /"host"/],
    ['a port out of range', { database: 'd', port: 70_000 }, /"port"/],
    ['a port as text', { database: 'd', port: '5432' }, /"port"/],
    ['maxConnections 0', { database: 'd', maxConnections: 0 }, /"maxConnections"/],
    ['more min than max', { database: 'd', maxConnections: 2, minConnections: 3 }, /"minConnections"/],
    ['a timeout below 1', { database: 'd', queryTimeout: 0 }, /"queryTimeout"/],
    ['a timeout that is none', { database: 'd', connectionTimeout: Number.NaN }, /"connectionTimeout"/],
    [
      'an unknown driver',
      { database: 'd', driver: 'oracle' },
      /"driver" must be one of 'pg', 'mysql2', 'sqlite'/,
    ],
    ['a driver without connect', { driver: {} }, /"driver.connect"/],
    [
      'driver and create',
      { driver: 'pg', database: 'd', create: () => {} },
      /"create" takes the place of "driver"/,
    ],
    ['create that is none', { create: 1 }, /"create"/],
    ['an unknown role', { database: 'd', role: 'replica' }, /"role"/],
    ['max of the pool', { database: 'd', pool: { max: 3 } }, /"pool.max" is called "maxConnections"/],
    ['an unknown option of the pool', { database: 'd', pool: { idle: 3 } }, /idle/],
    ['a budget out of range', { database: 'd', retryBudget: { ratio: 2 } }, /"retryBudget.ratio"/],
  ])('%s is refused at once', (_, config, message) => {
    const make = () => new DatabaseConnectionPool(config as any);
    expect(make).toThrow(InvalidArgumentError);
    expect(make).toThrow(message);
  });

  test('messages never show a password, nor a key', () => {
    for (const config of [
      { database: 'd', password: { secret: 'sesame' } },
      { database: 'd', password: 123456 },
      { database: 'd', ssl: 'sesame' },
      'postgres://me:sesame@host/d',
    ]) {
      const error = (() => {
        try {
          return new DatabaseConnectionPool(config as any);
        } catch (thrown) {
          return thrown;
        }
      })();
      expect(error).toBeInstanceOf(InvalidArgumentError);
      expect(inspect(error)).not.toMatch(/sesame|123456/);
    }
  });

  test('names that are unknown are ignored, with one warning each', async () => {
    const { stderr, stdout } = await runNode([
      '-e',
      `const { DatabaseConnectionPool } = require('keelson');
       const config = { database: ':memory:', driver: 'sqlite', ssl_mode: 1, poolSize: 2 };
       const pools = [1, 2, 3].map(() => new DatabaseConnectionPool(config));
       pools[0].query('SELECT 1', [], { retry: 1 }).then(({ success }) => console.log(success));`,
    ]);
    expect(stdout).toBe('true\n');
    for (const name of ['config.ssl_mode', 'config.poolSize', 'options.retry']) {
      expect(stderr.split(`"${name}" is not known`)).toHaveLength(2);
    }
  });
});

describe('a driver whose client is not installed', () => {
  const { folder, remove } = temporaryFolder();
  beforeAll(() => {
    copyInto(folder, 'index.js', 'dist', 'binding.js', 'package.json', nativeFile());
  });
  afterAll(remove);

  function nativeFile(): string {
    const { readdirSync } = require('node:fs') as typeof import('node:fs');
    const { root } = require('./support/process') as typeof import('./support/process');
    return readdirSync(root).find((name) => /^keelson\..*\.node$/.test(name))!;
  }

  test.each([
    ['pg', 'npm install pg'],
    ['mysql2', 'npm install mysql2'],
  ])('%s: every call says so at once', async (driver, command) => {
    const told = await evaluate<{ code: string; message: string; ms: number }[]>(
      `const { DatabaseConnectionPool } = require('./index.js');
       const pool = new DatabaseConnectionPool({ database: 'd', driver: '${driver}' });
       const started = performance.now();
       const show = ({ code, message }) => ({ code, message, ms: performance.now() - started });
       const caught = (promise) => promise.then(() => 'nothing', show);
       Promise.all([
         pool.query('SELECT 1').then(({ error }) => show(error)),
         caught(pool.run('SELECT 1')), caught(pool.acquire()), caught(pool.ready()),
         caught(pool.transaction([])), caught(pool.stream('SELECT 1').next()),
       ]).then((all) => console.log(JSON.stringify(all)));`,
      { cwd: folder },
    );
    expect(told).toHaveLength(6);
    for (const { code, message, ms } of told) {
      expect(code).toBe('ERR_KEELSON_DRIVER_MISSING');
      expect(message).toContain(command);
      expect(ms).toBeLessThan(5_000);
    }
  });
});

describe("a factory of one's own", () => {
  const echo = (log: string[] = []) => ({
    query: async (sql: string, params?: readonly unknown[]) => {
      log.push(sql);
      if (sql.startsWith('fail')) throw new Error(sql);
      return { sql, params };
    },
    close: async () => void log.push('closed'),
  });

  test('takes query and close', async () => {
    const log: string[] = [];
    const pool = make({ create: async () => echo(log), maxConnections: 1 });
    expect(await pool.run('hello', [1])).toEqual({ sql: 'hello', params: [1] });
    expect((await pool.query('fail')).error).toEqual(new Error('fail'));
    await pool.transaction(async (tx) => {
      await tx.run('one');
      await rejection(tx.savepoint((inner) => inner.run('fail two')));
    });
    await rejection(pool.transaction([{ sql: 'fail three' }]));
    expect((await pool.queryMany('many', [[1], [2]])).map(({ data }: any) => data.params)).toEqual([
      [1],
      [2],
    ]);
    expect(await rejection(pool.stream('rows').next())).toBeInstanceOf(InvalidArgumentError);
    await pool.close();
    expect(log).toEqual([
      ...['hello', 'fail', 'BEGIN', 'one', 'SAVEPOINT keelson_1', 'fail two'],
      ...['ROLLBACK TO SAVEPOINT keelson_1', 'RELEASE SAVEPOINT keelson_1', 'COMMIT'],
      ...['BEGIN', 'fail three', 'ROLLBACK', 'BEGIN', 'many', 'many', 'COMMIT', 'closed'],
    ]);
  });

  test('a driver of ones own gets the settings, and has its own way to begin', async () => {
    const log: string[] = [];
    let seen: any;
    const driver = {
      name: 'mine',
      connect: (settings: object) => {
        seen = settings;
        return echo(log);
      },
      begin: ({ isolation }: { isolation?: string | undefined }) => [`begin ${isolation}`],
    };
    const pool = make({ driver, host: 'h', port: 7, database: 'd', username: 'u', password: 'p' });
    await pool.transaction([], { isolation: 'serializable' });
    expect(seen).toEqual({ host: 'h', port: 7, database: 'd', username: 'u', password: 'p', ssl: false });
    expect(log).toEqual(['begin serializable', 'COMMIT']);
  });

  test.each(['COMMIT', 'ROLLBACK'])('a connection whose %s failed is discarded', async (last) => {
    const closed: string[] = [];
    const create = async () => {
      const connection = echo();
      return {
        query: async (sql: string) => {
          if (sql === last) throw new Error(`no ${last}`);
          return connection.query(sql);
        },
        close: () => void closed.push('closed'),
      };
    };
    const pool = make({ create, maxConnections: 1, minConnections: 0 });
    const error = await rejection(pool.transaction(last === 'COMMIT' ? [] : [{ sql: 'fail' }]));
    expect(error.message).toBe(last === 'COMMIT' ? 'no COMMIT' : 'fail');
    await eventually(() => closed.length === 1);
    expect((await pool.query('one')).success).toBe(true);
  });

  test('what create throws is the cause, and what it gives is checked', async () => {
    const failing = make({
      create: () => {
        throw new Error('no route');
      },
      connectionTimeout: 50,
    });
    const { error } = await failing.query('SELECT 1');
    expect(error).toBeInstanceOf(TimeoutError);
    expect(inspect(error, { depth: 5 })).toMatch(/no route/);
    const wrong = make({ create: async () => ({ query: () => {} }) as any, connectionTimeout: 50 });
    expect(inspect((await wrong.query('SELECT 1')).error, { depth: 5 })).toMatch(
      /functions "query" and "close"/,
    );
  });

  test('anything may be thrown: a result has an Error', async () => {
    const create = async () => ({ query: () => Promise.reject('text'), close: () => {} });
    const { error } = await make({ create }).query('SELECT 1');
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ message: 'text', cause: 'text' });
  });
});

test('a role check that hangs is given up with its connection', async () => {
  let closed = 0;
  const create = () => ({
    query: () => 'fine',
    isReadOnly: () => new Promise<boolean>(() => {}),
    close: () => void closed++,
  });
  const pool = make({ create, role: 'primary', connectionTimeout: 50 });
  expect((await pool.query('SELECT 1')).error).toBeInstanceOf(TimeoutError);
  await eventually(() => closed > 0);
});

describe('retries by default', () => {
  const lost = () => Object.assign(new Error('lost'), { code: 'ECONNRESET' });
  /** Connections of which the first ones fail, and say whether the statement was sent. */
  const failing = (count: number, unsent: boolean, error = lost) => {
    const made = { count: 0 };
    const create = async () => {
      const fails = made.count++ < count;
      return {
        query: async () => {
          if (fails) throw error();
          return 'fine';
        },
        isUnsent: () => unsent,
        close: () => {},
      };
    };
    return { made, create };
  };

  test.each([
    [2, true, true],
    [3, true, true],
    [4, true, false],
    [1, false, false],
  ])('after %d losses, unsent: %p, success: %p', async (count, unsent, success) => {
    const { create } = failing(count, unsent);
    const pool = make({ create, maxConnections: 1, minConnections: 0 });
    expect((await pool.query('SELECT 1')).success).toBe(success);
  });

  test('as many as the budget has, and no more', async () => {
    const { create, made } = failing(1_000, true);
    const pool = make({
      ...{ create, maxConnections: 5, minConnections: 0 },
      retryBudget: { ratio: 0.1, minPerSecond: 0 },
    });
    const results = await Promise.all(
      Array.from({ length: 100 }, () => pool.query('SELECT 1', [], { timeout: 5_000 })),
    );
    expect(results.every(({ success }) => !success)).toBe(true);
    // A tenth of the calls may try again, as far as the bucket holds.
    expect(made.count).toBeLessThanOrEqual(110);
    expect(made.count).toBeGreaterThan(100);
  });

  test('a serialization failure is tried again, outside of transactions too', async () => {
    const error = () => Object.assign(new Error('again'), { code: '40001' });
    let calls = 0;
    const create = async () => ({
      query: async () => {
        if (++calls < 3) throw error();
        return 'fine';
      },
      close: () => {},
    });
    expect(await make({ create }).run('SELECT 1')).toBe('fine');
  });
});
