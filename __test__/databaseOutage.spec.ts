import { Ledger } from './support/ledger';
import { ask, usePostgres } from './support/postgres';
import { expectQuiet, outcomes, SOON, times, usePools } from './support/postgresPool';
import { eventually } from './support/server';

const MAX = 10;
const server = usePostgres();
const makePool = usePools(server);

const OTHERS = "backend_type = 'client backend' AND pid <> pg_backend_pid()";

/** Ends all sessions but its own; resolves to how many. */
async function terminateAll(): Promise<number> {
  const sql = `SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity WHERE ${OTHERS}`;
  return (await ask(server, sql)).filter(({ ended }) => ended).length;
}

async function running(sql: string): Promise<number> {
  const rows = await ask(
    server,
    `SELECT 1 FROM pg_stat_activity WHERE ${OTHERS} AND state = 'active' AND query = $1`,
    [sql],
  );
  return rows.length;
}

describe('a server that goes away under load and comes back', () => {
  const CALLERS = 2 * MAX;

  /** Load before, during and after an outage; callers outnumber connections. */
  async function writeThrough(goAway: () => Promise<void>) {
    const pool = makePool({ maxConnections: MAX });
    const ledger = new Ledger(pool, server);
    await ledger.open();
    const stop = ledger.keepWriting(CALLERS);
    await eventually(() => ledger.written.length > 200);
    await goAway();
    await eventually(() => pool.getStats().waiting === CALLERS);
    const { openErrors } = pool.metrics();
    await eventually(() => pool.metrics().openErrors >= openErrors + 3);
    const before = ledger.written.length;
    await server.start();
    await eventually(() => ledger.written.length > before + 200);
    await stop();
    await ledger.verify();
    await expectQuiet(pool, server);
    return { pool, ledger };
  }

  test('killed: nothing is lost or written twice, and only what was under way fails', async () => {
    const { pool, ledger } = await writeThrough(() => server.kill());
    expect(ledger.failed.size).toBeLessThanOrEqual(MAX);
    expect(pool.metrics().errors).toMatchObject({ timeout: 0, unavailable: 0 });
    expect(pool.getStats().total).toBeLessThanOrEqual(MAX);
  });

  test('stopped in order: the same', async () => {
    const { ledger } = await writeThrough(() => server.stop());
    expect(ledger.failed.size).toBeLessThanOrEqual(MAX);
  });

  test('callers who cannot wait are told what is wrong at their deadline, the others wait', async () => {
    const pool = makePool({ maxConnections: MAX, minConnections: 0 });
    await pool.query('SELECT 1');
    await server.kill();
    const patient = pool.query('SELECT 2 AS n');
    const began = performance.now();
    const answers = await times(50, () => pool.query('SELECT 1', [], { timeout: 1000 }));
    expect(performance.now() - began).toBeLessThan(SOON);
    const { successes, errors } = outcomes(answers);
    expect(successes).toBe(0);
    expect(new Set(errors.map(({ name }) => name))).toEqual(new Set(['TimeoutError']));
    expect(errors.filter(({ cause }) => /ECONNREFUSED/.test(String(cause)))).toHaveLength(50);
    await server.start();
    expect(await patient).toMatchObject({ success: true, data: { rows: [{ n: 2 }] } });
    await expectQuiet(pool, server);
  });

  test('with onOutage "fail" nobody waits for a server that is away, and all is well once it is back', async () => {
    const pool = makePool({ maxConnections: MAX, pool: { onOutage: 'fail', failureThreshold: 2 } });
    await pool.query('SELECT 1');
    await server.kill();
    await eventually(async () => (await pool.query('SELECT 1')).error?.name === 'PoolUnavailableError');
    const { successes, errors } = outcomes(await times(100, () => pool.query('SELECT 1')));
    expect(successes).toBe(0);
    expect(new Set(errors.map(({ name }) => name))).toEqual(new Set(['PoolUnavailableError']));
    await server.start();
    await eventually(async () => (await pool.query('SELECT 1')).success);
    expect(outcomes(await times(2 * MAX, () => pool.query('SELECT 1')))).toEqual({
      successes: 2 * MAX,
      errors: [],
    });
    await expectQuiet(pool, server);
  });
});

describe('sessions that the server ends', () => {
  test('idle ones: twice as many queries as connections succeed at once, time after time', async () => {
    const pool = makePool({ maxConnections: MAX, minConnections: MAX });
    for (let round = 0; round < 5; round++) {
      await pool.ready();
      expect(await terminateAll()).toBe(MAX);
      const answers = await times(2 * MAX, (n) => pool.query('SELECT $1::int AS n', [n]));
      expect(outcomes(answers)).toEqual({ successes: 2 * MAX, errors: [] });
      expect(answers.map(({ data }) => data.rows[0].n)).toEqual(Array.from({ length: 2 * MAX }, (_, n) => n));
    }
    await pool.ready();
    await expectQuiet(pool, server);
    expect(pool.getStats().total).toBe(MAX);
  });

  test('busy ones: their statements fail, those that wait do not, and none is run twice', async () => {
    const pool = makePool({ maxConnections: MAX });
    const ledger = new Ledger(pool, server);
    await ledger.open();
    const slow = 'SELECT pg_sleep(60)';
    const busy = times(MAX, () => pool.query(slow));
    await eventually(async () => (await running(slow)) === MAX);
    const waiting = times(2 * MAX, () => ledger.write());
    expect(pool.getStats()).toMatchObject({ active: MAX, waiting: 2 * MAX });
    expect(await terminateAll()).toBe(MAX);
    const { successes, errors } = outcomes(await busy);
    expect(successes).toBe(0);
    expect(errors.map((error) => (error as { code?: string }).code)).toEqual(Array(MAX).fill('57P01'));
    await waiting;
    expect(ledger.failed.size).toBe(0);
    await ledger.verify();
    await expectQuiet(pool, server);
  });

  test('under load, again and again: the table has what the callers were told', async () => {
    const pool = makePool({ maxConnections: MAX });
    const ledger = new Ledger(pool, server);
    await ledger.open();
    const stop = ledger.keepWriting(2 * MAX);
    for (let round = 1; round <= 5; round++) {
      await eventually(() => ledger.written.length > round * 100);
      expect(await terminateAll()).toBeGreaterThan(0);
    }
    const { length } = ledger.written;
    await eventually(() => ledger.written.length > length + 100);
    await stop();
    await ledger.verify();
    expect(ledger.failed.size).toBeLessThanOrEqual(5 * MAX);
    await expectQuiet(pool, server);
  });
});
