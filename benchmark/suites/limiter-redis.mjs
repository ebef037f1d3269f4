import { addresses } from '../data/keys.mjs';
import { observe } from '../harness/mainThread.mjs';
import { startClusterNode, startRedis } from '../harness/redis.mjs';
import { percentile } from '../harness/stats.mjs';
import { blockLimiters, clusterLimiters, redisLimiters } from '../peers/limiters.mjs';

const IOREDIS = 'rate-limiter-flexible + ioredis';
const KEYS = 10_000;
/** Checks of a sample, by how many are under way at once. */
const CHECKS = new Map([
  [1, 5000],
  [64, 60_000],
  [1000, 100_000],
]);

/** Checks `keys` in their order, `atOnce` at a time; the sum of what is left of each. */
async function checkAll({ check, remaining }, keys, atOnce) {
  let begun = 0;
  let sum = 0;
  const lane = async () => {
    // Not `sum += await`, which would add to what `sum` was before.
    while (begun < keys.length) {
      const result = await check(keys[begun++]);
      sum += remaining(result);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return sum;
}

/** The same limiter, with the time of each check. */
function clocked({ check, remaining }, times) {
  let count = 0;
  const timed = async (key) => {
    const start = performance.now();
    const result = await check(key);
    times[count++] = performance.now() - start;
    return result;
  };
  return { check: timed, remaining };
}

const checking =
  ({ start, open, atOnce, keys }) =>
  async () => {
    const { config } = await start();
    const limiter = await open(config);
    const operations = CHECKS.get(atOnce);
    return {
      async sample(round) {
        const asked = addresses(operations, keys, round + 1);
        const { cost, result } = await observe(() => checkAll(limiter, asked, atOnce));
        const times = new Float64Array(operations);
        const again = await checkAll(clocked(limiter, times), asked, atOnce);
        return {
          values: {
            throughput: (operations * 1000) / cost.wall,
            'main thread': (cost.main * 1000) / operations,
            'all threads': (cost.all * 1000) / operations,
            p50: percentile(times, 0.5),
            p99: percentile(times, 0.99),
          },
          check: result + again,
        };
      },
    };
  };

/** `asked` tells of a metric how many times better than `IOREDIS` it is wanted. */
function benchmarkOf({ name, question, limiters, start = startRedis, atOnce, keys = KEYS, asked, ...rest }) {
  const metric = (key, unit, better) => ({
    unit,
    better,
    ...(asked[key] === undefined ? {} : { asked: [{ peer: IOREDIS, atLeast: asked[key] }] }),
  });
  return {
    name: `limiter/${name}`,
    question,
    rounds: 5,
    metrics: {
      throughput: metric('throughput', 'checks/s', 'higher'),
      'main thread': metric('main thread', 'us CPU/check', 'lower'),
      'all threads': metric('all threads', 'us CPU/check', 'lower'),
      p50: metric('p50', 'ms', 'lower'),
      p99: metric('p99', 'ms', 'lower'),
    },
    contestants: Object.fromEntries(
      Object.entries(limiters).map(([name, open]) => [name, checking({ start, open, atOnce, keys })]),
    ),
    notes: [
      'Fixed windows for all, each contestant with a server of its own on the same machine, which takes processor time from it. `all threads` are those of the contestant, not of the server.',
      ...rest.notes,
    ],
    unlike: rest.unlike,
  };
}

const question = (atOnce) =>
  `How many checks does a Redis decide, ${atOnce.toLocaleString('en-US')} being under way at any time, and what do they cost?`;

const keysNote = (keys) => `Of ${keys.toLocaleString('en-US')} keys, each as likely as the others.`;

const wanted = new Map([
  [1, { p50: 1 / 1.1 }],
  [64, { throughput: 2, 'main thread': 12 }],
  [1000, { throughput: 4, 'main thread': 20, p99: 3 }],
]);

export const benchmarks = [
  ...[...wanted].map(([atOnce, asked]) =>
    benchmarkOf({
      name: `redis-${atOnce}`,
      question: question(atOnce),
      limiters: redisLimiters,
      atOnce,
      asked,
      notes: [keysNote(KEYS)],
    }),
  ),
  benchmarkOf({
    name: 'redis-cluster-1000',
    question:
      'The same with 1,000 at once, in the form for a Cluster, where a script may have the keys of one slot only?',
    limiters: clusterLimiters,
    start: startClusterNode,
    atOnce: 1000,
    asked: { throughput: 1.5, 'main thread': 15 },
    notes: [
      keysNote(KEYS),
      'A Cluster of one node, which has all slots: so even a client that knows nothing of Clusters can be compared.',
    ],
  }),
  benchmarkOf({
    name: 'redis-leases-1000',
    question: 'The same with 1,000 at once, keelson taking permits in blocks of 10?',
    limiters: blockLimiters(10),
    atOnce: 1000,
    keys: 1000,
    asked: { throughput: 10 },
    notes: [
      keysNote(1000),
      'With blocks a window can see up to 10 units of a key more than its quota for each process.',
    ],
    unlike: { keelson: 'tells what its block and Redis have left, not what others use meanwhile' },
  }),
];
