import { DatabaseConnectionPool } from 'keelson';
import { useMariaDB } from './mariadb';
import { usePostgres } from './postgres';

type Config = ConstructorParameters<typeof DatabaseConnectionPool>[0];

// Servers and specs share the machine with whatever else runs on it.
jest.setTimeout(30_000);

/** A database for the specs that hold for each of them. */
export interface Database {
  /** A pool, which is closed after the test. */
  pool(config?: Config): DatabaseConnectionPool;
  /** A statement with `?` for its parameters, as the driver has them. */
  sql(text: string): string;
  /** The rows of a driver's result. */
  rows(data: any): any[];
}

/** Closes the pools of a test after it. */
export function usePools(): (config: Config) => DatabaseConnectionPool {
  const pools: DatabaseConnectionPool[] = [];
  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.close({ timeout: 1_000 })));
  });
  return (config) => {
    const pool = new DatabaseConnectionPool(config);
    pools.push(pool);
    return pool;
  };
}

const asIs = (text: string) => text;

/** `$1`, `$2` for each `?`. */
function numbered(text: string): string {
  let count = 0;
  return text.replace(/\?/g, () => `$${++count}`);
}

/** Real servers, and SQLite as this very Node has it. */
export const DATABASES: Record<'pg' | 'mysql2' | 'sqlite', () => Database> = {
  pg: () => {
    const server = usePostgres();
    const make = usePools();
    const pool = (config: Config = {}) => make({ ...server.config, ...config });
    return { pool, sql: numbered, rows: (data) => data.rows };
  },
  mysql2: () => {
    const server = useMariaDB();
    const make = usePools();
    const pool = (config: Config = {}) => make({ ...server.config, driver: 'mysql2', ...config });
    return { pool, sql: asIs, rows: ([rows]) => rows };
  },
  sqlite: () => {
    const make = usePools();
    const pool = (config: Config = {}) => make({ driver: 'sqlite', database: ':memory:', ...config });
    return { pool, sql: asIs, rows: (data) => data.rows };
  },
};

/** What a promise rejects with. */
export const rejection = (promise: PromiseLike<unknown>): Promise<any> =>
  Promise.resolve(promise).then(
    () => {
      throw new Error('It did not reject');
    },
    (error) => error,
  );
