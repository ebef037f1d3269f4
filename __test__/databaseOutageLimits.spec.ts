import { Client } from 'pg';
import { Ledger } from './support/ledger';
import { ask, usePostgres } from './support/postgres';
import { expectQuiet, outcomes, times, usePools } from './support/postgresPool';
import { eventually } from './support/server';

/** Sessions that the server leaves to others than its superuser, who keeps three. */
const LIMIT = 10;
const server = usePostgres({ max_connections: LIMIT + 3, superuser_reserved_connections: 3 });
const makePool = usePools(server);
const APP = { username: 'app', password: 'app' };

beforeAll(async () => {
  await ask(server, "CREATE ROLE app LOGIN PASSWORD 'app'");
});

/** Sessions of another service. */
async function occupy(count: number): Promise<() => Promise<void>> {
  const { host, port, database } = server.config;
  const clients = Array.from(
    { length: count },
    () => new Client({ host, port, database, user: APP.username, password: APP.password }),
  );
  await Promise.all(clients.map((client) => client.connect()));
  return async () => {
    await Promise.all(clients.map((client) => client.end()));
  };
}

describe('a server that has no sessions left', () => {
  test('a pool that wants more than there are serves everybody with what it gets', async () => {
    const pool = makePool({ ...APP, maxConnections: 2 * LIMIT });
    const answers = await times(10 * LIMIT, (n) => pool.query('SELECT $1::int AS n, pg_sleep(0.01)', [n]));
    expect(outcomes(answers)).toEqual({ successes: 10 * LIMIT, errors: [] });
    expect(pool.metrics().openErrors).toBeGreaterThan(0);
    await expectQuiet(pool, server);
  });

  test('one that gets none waits, says why at the deadline, and goes on once there is one', async () => {
    const leave = await occupy(LIMIT);
    const pool = makePool({ ...APP, minConnections: 0 });
    const patient = times(LIMIT, (n) => pool.query('SELECT $1::int AS n', [n]));
    const { error } = await pool.query('SELECT 1', [], { timeout: 1000 });
    expect(error).toMatchObject({ name: 'TimeoutError' });
    expect(String(error?.cause)).toMatch(/too many clients|remaining connection slots/);
    await leave();
    expect(outcomes(await patient)).toEqual({ successes: LIMIT, errors: [] });
    await expectQuiet(pool, server);
  });
});

describe('10,000 queries at once on 10 connections', () => {
  const QUERIES = 10_000;

  test('each gets its own answer, over no more than 10 sessions', async () => {
    const pool = makePool({ ...APP, maxConnections: LIMIT });
    const answers = await times(QUERIES, (n) => pool.query('SELECT $1::int AS n', [n]));
    expect(outcomes(answers)).toEqual({ successes: QUERIES, errors: [] });
    expect(answers.filter(({ data }, n) => data.rows[0].n !== n)).toEqual([]);
    // The server would have refused an eleventh.
    expect(pool.metrics()).toMatchObject({ acquired: QUERIES, opened: LIMIT, openErrors: 0 });
    await expectQuiet(pool, server);
  });

  test('half of them given up while they wait: the others write, those do not', async () => {
    const pool = makePool({ ...APP, maxConnections: LIMIT });
    const ledger = new Ledger(pool, server);
    await ledger.open();
    const controller = new AbortController();
    const reason = new Error('nobody waits for it any more');
    const calls = times(QUERIES, (n) => ledger.write(n % 2 === 0 ? { signal: controller.signal } : {}));
    await eventually(() => ledger.written.length > 1000);
    controller.abort(reason);
    await calls;
    expect(ledger.written.filter((n) => n % 2 === 1)).toHaveLength(QUERIES / 2);
    expect([...ledger.failed.values()].filter((error) => error !== reason)).toEqual([]);
    // Those that were under way may be done before they are stopped.
    const extra = await ledger.verify();
    expect(extra).toBeLessThanOrEqual(LIMIT);
    await expectQuiet(pool, server);
  });
});
