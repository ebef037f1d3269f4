import { observe } from '../harness/mainThread.mjs';
import { startPostgres } from '../harness/postgres.mjs';
import { percentile } from '../harness/stats.mjs';
import { databasePools } from '../peers/pools.mjs';

const SIZE = 10;
const QUERIES = 20_000;
/** Longer than any sample: nobody is to give up. */
const PATIENCE = 120_000;
const SQL = 'SELECT $1::int AS n';

/** Sends queries, `atOnce` at a time; the time of each, and the sum of what they answered. */
async function ask({ query }, atOnce) {
  const times = new Float64Array(QUERIES);
  let begun = 0;
  let sum = 0;
  const lane = async () => {
    while (begun < QUERIES) {
      const number = begun++;
      const start = performance.now();
      const { rows } = await query(SQL, [number]);
      times[number] = performance.now() - start;
      sum += rows[0].n;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return { times, sum };
}

const asking = (name, atOnce) => async () => {
  const { config } = await startPostgres();
  const pool = await databasePools[name]({ server: config, size: SIZE, patience: PATIENCE });
  return {
    async sample() {
      const { cost, result } = await observe(() => ask(pool, atOnce));
      return {
        values: {
          throughput: (QUERIES * 1000) / cost.wall,
          p99: percentile(result.times, 0.99),
          'main thread': (cost.main * 1000) / QUERIES,
        },
        check: result.sum,
      };
    },
  };
};

function benchmarkOf(atOnce) {
  const asked = [{ peer: 'pg-pool', atLeast: 1 }];
  return {
    name: `pool/queries-${atOnce}`,
    question: `How many queries does a PostgreSQL answer over ${SIZE} connections, ${atOnce.toLocaleString('en-US')} being under way or waiting at any time?`,
    rounds: 5,
    metrics: {
      throughput: { unit: 'queries/s', better: 'higher', asked },
      p99: { unit: 'ms', better: 'lower', asked },
      'main thread': { unit: 'us CPU/query', better: 'lower' },
    },
    contestants: Object.fromEntries(Object.keys(databasePools).map((name) => [name, asking(name, atOnce)])),
    notes: [
      `\`${SQL}\`, through pg for all, each contestant with a server of its own on the same machine, which takes processor time from it. \`p99\` is from the call until the answer, waiting for a connection included.`,
    ],
  };
}

export const benchmarks = [10, 100, 10_000].map(benchmarkOf);
