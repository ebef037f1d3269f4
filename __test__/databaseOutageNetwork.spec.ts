import { usePostgres } from './support/postgres';
import { expectQuiet, outcomes, SOON, times, usePools } from './support/postgresPool';
import { useProxy } from './support/proxy';
import { eventually } from './support/server';

const MAX = 5;
const server = usePostgres();
const proxy = useProxy(server);
const makePool = usePools(server);

afterEach(() => proxy.pass());

const through = (config = {}) =>
  makePool({
    host: proxy.host,
    get port() {
      return proxy.port;
    },
    maxConnections: MAX,
    ...config,
  });

/** Everybody is served again, over connections of which the server knows. */
async function expectWell(pool: ReturnType<typeof through>): Promise<void> {
  const answers = await times(2 * MAX, (n) => pool.query('SELECT $1::int AS n', [n]));
  expect(outcomes(answers)).toEqual({ successes: 2 * MAX, errors: [] });
  await expectQuiet(pool, server);
}

describe('a black hole in front of the server', () => {
  test('every call is over at its deadline, and connections that vanished in it are not lent again', async () => {
    const pool = through({
      minConnections: MAX,
      connectionTimeout: 5000,
      pool: { acquireTimeout: 60_000 },
    });
    await pool.ready();
    proxy.swallow();
    const began = performance.now();
    const answers = await times(4 * MAX, () => pool.query('SELECT 1', [], { timeout: 400 }));
    expect(performance.now() - began).toBeLessThan(SOON);
    const { successes, errors } = outcomes(answers);
    expect(successes).toBe(0);
    expect(errors.map(({ name }) => name)).toEqual(Array(4 * MAX).fill('TimeoutError'));
    await proxy.pass();
    await expectWell(pool);
    expect(proxy.open).toBe(pool.getStats().total);
  });

  test('connections that cannot be opened in it are given up, one at a time, and who waits is served', async () => {
    const pool = through({ minConnections: 0, connectionTimeout: 500, pool: { acquireTimeout: 60_000 } });
    proxy.swallow();
    const before = proxy.accepted;
    const calls = times(4 * MAX, (n) => pool.query('SELECT $1::int AS n', [n]));
    // The first attempts are made at once.
    await eventually(() => pool.metrics().openErrors >= MAX + 2);
    expect(pool.getStats().opening).toBeLessThanOrEqual(1);
    expect(proxy.accepted - before).toBeLessThanOrEqual(pool.metrics().openErrors + 1);
    await proxy.pass();
    expect(outcomes(await calls)).toEqual({ successes: 4 * MAX, errors: [] });
    await expectWell(pool);
  });

  test('close() ends all the same, and settles every call', async () => {
    const pool = through({ minConnections: MAX, pool: { closeTimeout: 200 } });
    await pool.ready();
    proxy.swallow();
    const calls = times(4 * MAX, () => pool.query('SELECT 1'));
    expect(pool.getStats()).toMatchObject({ active: MAX, waiting: 3 * MAX });
    const began = performance.now();
    await pool.close({ timeout: 200 });
    expect(performance.now() - began).toBeLessThan(SOON);
    expect(outcomes(await calls).successes).toBe(0);
    expect(pool.getStats()).toEqual({ total: 0, idle: 0, active: 0, waiting: 0, opening: 0 });
  });
});

test('an idle connection that vanished leaves no socket behind when it is closed', async () => {
  const pool = through({ minConnections: 0 });
  const lease = await pool.acquire();
  const { stream } = (lease.connection.native as any).connection;
  lease.release();
  proxy.swallow();
  await pool.close();
  expect(stream.destroyed).toBe(true);
});

describe('a server that takes long to let one in', () => {
  /** To let one in takes three messages there and back. */
  const inTime = 40;
  const tooLate = 150;

  test('in time: everybody is served, over no more connections than there may be', async () => {
    const pool = through({ minConnections: 0 });
    proxy.delay(inTime);
    const before = proxy.accepted;
    const answers = await times(10 * MAX, (n) => pool.query('SELECT $1::int AS n', [n]));
    expect(outcomes(answers)).toEqual({ successes: 10 * MAX, errors: [] });
    expect(proxy.accepted - before).toBe(MAX);
    await expectQuiet(pool, server);
  });

  test('too late: calls are over at their deadline and say why, and no session is left behind', async () => {
    const pool = through({
      minConnections: 0,
      connectionTimeout: 3 * tooLate,
      pool: { acquireTimeout: 60_000 },
    });
    proxy.delay(tooLate);
    const began = performance.now();
    const answers = await times(4 * MAX, () => pool.query('SELECT 1', [], { timeout: 5 * tooLate }));
    expect(performance.now() - began).toBeLessThan(SOON);
    const { successes, errors } = outcomes(answers);
    expect(successes).toBe(0);
    expect(errors.map(({ name }) => name)).toEqual(Array(4 * MAX).fill('TimeoutError'));
    expect(errors.filter(({ cause }) => cause instanceof Error)).toHaveLength(4 * MAX);
    await eventually(() => pool.getStats().total === 0 && proxy.open === 0);
    proxy.delay(0);
    await expectWell(pool);
  });
});

describe('a network that cuts connections', () => {
  test('idle ones are replaced: twice as many queries as connections succeed', async () => {
    const pool = through({ minConnections: MAX });
    await pool.ready();
    proxy.cut();
    await expectWell(pool);
  });

  test('nobody is let in for a while: who waits is served afterwards', async () => {
    const pool = through({ minConnections: 0 });
    await pool.query('SELECT 1');
    proxy.close();
    const calls = times(4 * MAX, (n) => pool.query('SELECT $1::int AS n', [n]));
    await eventually(() => pool.metrics().openErrors >= 3);
    await proxy.pass();
    expect(outcomes(await calls)).toEqual({ successes: 4 * MAX, errors: [] });
    await expectQuiet(pool, server);
  });
});
