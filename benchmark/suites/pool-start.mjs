import { startPostgres } from '../harness/postgres.mjs';
import { median } from '../harness/stats.mjs';
import { databasePools } from '../peers/pools.mjs';

const SIZE = 10;
const STARTS = 20;
const PATIENCE = 10_000;
const SQL = 'SELECT 1 AS n';

async function timeOf(run) {
  const start = performance.now();
  const result = await run();
  return { ms: performance.now() - start, result };
}

/** What `first` takes of a new pool, and what it answered. */
async function startWith({ makePool, min, warmUp }, first) {
  const pool = await makePool(min);
  await warmUp(pool);
  const timed = await timeOf(() => first(pool));
  await pool.close();
  return timed;
}

const oneQuery = async (pool) => (await pool.query(SQL)).rows[0].n;
const burst = (pool) => Promise.all(Array.from({ length: SIZE }, () => oneQuery(pool)));

const warmedByPool = (pool) => pool.warmUp();
const notWarmed = () => {};
/** What one writes where a pool has nothing for it: as many queries at once as there are to be connections. */
const warmedByHand = (pool) =>
  Promise.all(Array.from({ length: SIZE }, () => pool.query('SELECT pg_sleep(0.05)')));

const starting = (name, warmUp) => async () => {
  const { config } = await startPostgres();
  const makePool = (min) => databasePools[name]({ server: config, size: SIZE, min, patience: PATIENCE });
  const cold = { makePool, warmUp: notWarmed };
  const warmed = { makePool, min: SIZE, warmUp };
  return {
    async sample() {
      const starts = { cold: [], 'after start-up': [], 'burst after start-up': [] };
      for (let n = 0; n < STARTS; n++) {
        starts.cold.push(await startWith(cold, oneQuery));
        starts['after start-up'].push(await startWith(warmed, oneQuery));
        starts['burst after start-up'].push(await startWith(warmed, burst));
      }
      const values = Object.entries(starts).map(([key, all]) => [key, median(all.map(({ ms }) => ms))]);
      return {
        values: Object.fromEntries(values),
        check: Object.values(starts)
          .flat()
          .map(({ result }) => result),
      };
    },
  };
};

const ms = { unit: 'ms', better: 'lower' };

export const benchmarks = [
  {
    name: 'pool/first-query',
    question: "How long does a service's first query take, its pool being new?",
    rounds: 5,
    metrics: {
      cold: ms,
      'after start-up': { ...ms, asked: [{ peer: 'pg-pool', atLeast: 2 }] },
      'burst after start-up': { ...ms, asked: [{ peer: 'pg-pool', atLeast: 2 }] },
    },
    contestants: {
      keelson: starting('keelson', warmedByPool),
      'pg-pool': starting('pg-pool', notWarmed),
      'pg-pool, warmed by hand': starting('pg-pool', warmedByHand),
      'tarn + pg': starting('tarn + pg', notWarmed),
      'generic-pool + pg': starting('generic-pool + pg', warmedByPool),
    },
    notes: [
      `\`cold\` is the first query of a pool that was made in the same turn. \`after start-up\` it is sent when what a pool has for that has opened ${SIZE} connections, before the service takes requests: \`ready()\` of keelson and generic-pool, while pg-pool and tarn have nothing; \`burst\` is ${SIZE} such queries at once. Passwords are checked with SCRAM, as is PostgreSQL's default.`,
    ],
  },
];
