import { setTimeout as pause } from 'node:timers/promises';
import { startPostgres } from '../harness/postgres.mjs';
import { percentile } from '../harness/stats.mjs';
import { databasePools } from '../peers/pools.mjs';

const SIZE = 10;
const RATE = 200;
const PATIENCE = 10_000;
const BEFORE = 2000;
const OUTAGE = 5000;
const AFTER = 5000;
/** A call that is answered within this many milliseconds is served as usual. */
const USUAL = 100;
const IN_A_ROW = 50;
const SQL = 'SELECT $1::int AS n';

/** Calls at an even rate, whether or not those before were answered, until `stop()`; each with its begin and end. */
function startCalls({ query }) {
  const calls = [];
  const settled = [];
  const begin = performance.now();
  let stopped = false;
  const call = async (n) => {
    const record = { begin: performance.now(), end: 0, failed: false };
    calls.push(record);
    try {
      const { rows } = await query(SQL, [n]);
      record.failed = rows[0].n !== n;
    } catch {
      record.failed = true;
    }
    record.end = performance.now();
  };
  const run = async () => {
    while (!stopped) {
      while (calls.length < ((performance.now() - begin) * RATE) / 1000) settled.push(call(calls.length));
      await pause(1);
    }
    await Promise.all(settled);
    return calls;
  };
  const running = run();
  return () => {
    stopped = true;
    return running;
  };
}

/** From when the server was back until the first of so many calls in a row began that were served as usual. */
function recoveryOf(calls, back) {
  const since = calls.filter(({ begin }) => begin >= back);
  const isUsual = ({ begin, end, failed }) => !failed && end - begin <= USUAL;
  const first = since.findIndex((_, index) => since.slice(index, index + IN_A_ROW).every(isUsual));
  return (since[first]?.begin ?? Number.MAX_SAFE_INTEGER) - back;
}

async function liveThroughOutage(server, pool) {
  const stop = startCalls(pool);
  await pause(BEFORE);
  const down = performance.now();
  await server.kill();
  await pause(OUTAGE - (performance.now() - down));
  await server.start();
  const back = performance.now();
  await pause(AFTER);
  return { calls: await stop(), down, back };
}

const surviving = (name) => async () => {
  const server = await startPostgres();
  const pool = await databasePools[name]({ server: server.config, size: SIZE, patience: PATIENCE });
  await pool.query(SQL, [0]);
  return {
    async sample() {
      const { calls, down, back } = await liveThroughOutage(server, pool);
      const usual = calls.filter(({ end }) => end < down).map(({ begin, end }) => end - begin);
      return {
        values: {
          failed: calls.filter(({ failed }) => failed).length,
          recovery: recoveryOf(calls, back),
          'longest call': Math.max(...calls.map(({ begin, end }) => end - begin)),
          'p99 before': percentile(usual, 0.99),
        },
        check: { answered: calls.every(({ end }) => end > 0) },
      };
    },
  };
};

const CALLS = (RATE * OUTAGE) / 1000;

export const benchmarks = [
  {
    name: 'pool/outage',
    question: `What do callers see of an outage of ${OUTAGE / 1000} s, and how long after it is everything as before?`,
    fresh: true,
    rounds: 5,
    metrics: {
      failed: {
        unit: 'calls',
        better: 'lower',
        compare: 'difference',
        differenceUnit: 'calls',
        asked: [{ atMost: Math.floor(CALLS / 3) }],
      },
      recovery: {
        unit: 'ms',
        better: 'lower',
        compare: 'difference',
        differenceUnit: 'ms',
        asked: [{ atMost: 1000 }],
      },
      'longest call': { unit: 'ms', better: 'lower', compare: 'none' },
      'p99 before': { unit: 'ms', better: 'lower', compare: 'none' },
    },
    contestants: Object.fromEntries(Object.keys(databasePools).map((name) => [name, surviving(name)])),
    notes: [
      `${RATE} queries a second begin at an even rate, whether or not those before were answered, over up to ${SIZE} connections; no pool may let a caller wait for one for more than ${PATIENCE / 1000} s, and all have their defaults else. After ${BEFORE / 1000} s all processes of the PostgreSQL are killed, and ${OUTAGE / 1000} s later it is started again on the same port; for ${AFTER / 1000} s more there is load.`,
      `Of the calls, ${CALLS.toLocaleString('en-US')} begin during the outage; the third of them is what was asked, since pg-pool fails them at once. Who does not fail them lets them wait: \`longest call\` tells for how long. \`recovery\` is from when the server took connections again until the first of ${IN_A_ROW} calls in a row began that did not fail and took at most ${USUAL} ms.`,
    ],
  },
];
