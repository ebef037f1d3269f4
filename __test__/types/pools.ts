// The same of the pools, as surface.ts has it.
import type {
  ConnectionPoolMetrics,
  ConnectionPoolStats,
  DatabaseConfig,
  DriverConnection,
  Lease,
  QueryOptions,
  QueryResult,
} from 'keelson';
import {
  BatchError,
  ConnectionError,
  ConnectionPool,
  DatabaseConnectionPool,
  PoolUnavailableError,
} from 'keelson';

export async function connections(): Promise<void> {
  const pool = new ConnectionPool<{ n: number }>(
    {
      create: async ({ signal }) => ({ n: signal.aborted ? 0 : 1 }),
      destroy: (connection) => void connection.n,
    },
    { max: 2, min: 1, order: 'fifo', backoff: { min: 1 }, onOutage: 'fail', name: 'numbers' },
  );
  const inferred = new ConnectionPool({ create: () => 'a', validate: async (text) => text.length > 0 });
  const lease: Lease<{ n: number }> = await pool.acquire({ timeout: 1, priority: 'high', affinity: 'a' });
  const returned: void | Promise<void> = lease.release();
  const sum: number = await pool.use(async ({ n }, { id }) => n + id.length);
  const text: string = await inferred.use((connection) => connection);
  const stats: ConnectionPoolStats = pool.getStats();
  const metrics: ConnectionPoolMetrics = pool.metrics();
  const used: number = metrics['db.client.connection.count'].used + metrics.closed.idle;
  await pool.ready({ timeout: 1, signal: AbortSignal.timeout(1) });
  const closed: Promise<void> = pool.close({ timeout: 1 });
  void [returned, sum, text, stats, used, closed];
}

export function database(): void {
  const config: DatabaseConfig = {
    host: 'h',
    port: 1,
    database: 'd',
    username: 'u',
    password: 'p',
    maxConnections: 1,
    minConnections: 1,
    connectionTimeout: 1,
    queryTimeout: 1,
  };
  const options: QueryOptions = { timeout: 1, retries: 1, batch: true };
  const pool = new DatabaseConnectionPool(config);
  const query: Promise<QueryResult<number>> = pool.query<number>('s', [1], options);
  const results: Promise<QueryResult<any>[]> = pool.transaction([{ sql: 's', params: [1] }]);
  const closed: Promise<void> = pool.close();
  void [query, results, closed];
}

export async function databaseCalls(): Promise<void> {
  const pool = new DatabaseConnectionPool({
    driver: 'sqlite',
    database: ':memory:',
    pool: { order: 'fifo' },
  });
  const general: ConnectionPool<DriverConnection> = pool;
  const { success, data, error, executionTime, connectionId } = await pool.query<{ rows: string[] }>('s');
  const told: (string | number | boolean | Error | string[] | undefined)[] = [
    ...[success, data?.rows, error, executionTime, connectionId],
  ];
  const rows: { rows: number[] } = await pool.run<{ rows: number[] }>('s', [1] as const, { affinity: 'k' });
  const sum: number = await pool.transaction(
    async (tx) => {
      const inner: string = await tx.savepoint(async (savepoint) => savepoint.run<string>('s'));
      return inner.length;
    },
    { isolation: 'serializable', readOnly: true, retries: 1 },
  );
  const many: QueryResult<number>[] = await pool.queryMany<number>('s', new Set([[1], ['x']]), {
    batchSize: 2,
  });
  for await (const row of pool.stream<{ id: number }>('s', [], { batchSize: 2 })) void row.id;
  await using lease = await pool.acquire();
  const native: unknown = lease.connection.native;
  await using own = new DatabaseConnectionPool({
    create: async () => ({ query: async (sql: string) => sql, close: async () => {} }),
  });
  void [general, told, rows, sum, many, native, own];
}

export function batchErrors(error: unknown): number | undefined {
  return error instanceof BatchError ? error.index : undefined;
}

export function connectionErrors(error: unknown): unknown {
  return error instanceof ConnectionError || error instanceof PoolUnavailableError ? error.cause : error;
}

/** What must not compile. */
export function refused(): void {
  // @ts-expect-error a factory without create
  new ConnectionPool({ destroy: () => {} });
  // @ts-expect-error an order is 'lifo' or 'fifo'
  new ConnectionPool({ create: () => 1 }, { order: 'random' });
  // @ts-expect-error no such driver
  new DatabaseConnectionPool({ driver: 'oracle' });
  // @ts-expect-error max is called maxConnections
  new DatabaseConnectionPool({ pool: { max: 1 } });
}
