import { DatabaseConnectionPool } from 'keelson';
import { sessions } from './postgres';
import { eventually } from './server';
import type { ServerProcess } from './servers';

/** What is over after a second is over after this many milliseconds on a busy machine too. */
export const SOON = 5000;

type Config = ConstructorParameters<typeof DatabaseConnectionPool>[0];

/** Attempts to connect follow quickly in specs. */
const QUICK = { min: 5, max: 50 };
/** What takes a second or two may take this many milliseconds on a busy machine. */
const PATIENCE = 60_000;

/**
 * Makes pools of a server's connections, which are closed after the test, leaving no session at the server. Nobody gives
 * up in them unless a test says so.
 */
export function usePools(server: ServerProcess) {
  jest.setTimeout(2 * PATIENCE);
  const pools: DatabaseConnectionPool[] = [];

  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.close({ timeout: 1000 })));
    if (server.isRunning) await eventually(async () => (await sessions(server)) === 0);
  });

  return ({ pool: options, ...config }: Config = {}) => {
    const pool = new DatabaseConnectionPool({
      connectionTimeout: PATIENCE,
      queryTimeout: PATIENCE,
      ...server.config,
      ...config,
      pool: { backoff: QUICK, ...options },
    });
    pools.push(pool);
    return pool;
  };
}

/** Nobody has a connection, nobody waits, and the server has as many sessions as the pool says. */
export async function expectQuiet(pool: DatabaseConnectionPool, server: ServerProcess): Promise<void> {
  expect(pool.getStats()).toMatchObject({ active: 0, waiting: 0 });
  await eventually(async () => {
    const { total, idle } = pool.getStats();
    return total === idle && (await sessions(server)) === total;
  });
}

/** How many of the answers were a success, and the errors of the others. */
export function outcomes(answers: { success: boolean; error?: Error }[]) {
  const errors = answers.flatMap(({ error }) => (error ? [error] : []));
  return { successes: answers.filter(({ success }) => success).length, errors };
}

/** So many calls at once. */
export const times = <T>(count: number, call: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => call(index)));
