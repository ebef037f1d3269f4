import { addresses } from '../data/keys.mjs';
import { timed } from '../harness/timed.mjs';
import { memoryLimiters } from '../peers/limiters.mjs';

const CHECKS = 500_000;

async function checkAll({ check, remaining }, keys) {
  let sum = 0;
  for (const key of keys) {
    const given = check(key);
    // Who decides at once is not made to wait for a promise.
    const result = given instanceof Promise ? await given : given;
    sum += remaining(result);
  }
  return sum;
}

const checking = (open, keys) => async () => {
  const limiter = await open(keys);
  return timed({
    operations: CHECKS,
    prepare: (round) => addresses(CHECKS, keys, round + 1),
    run: (asked) => checkAll(limiter, asked),
  });
};

const benchmarkOf = ({ keys, atLeast }) => ({
  name: `limiter/memory-${keys}`,
  question: `What does a check cost whose counts are in memory, for ${keys.toLocaleString('en-US')} keys?`,
  metrics: {
    time: { unit: 'ns/check', better: 'lower', asked: [{ peer: 'RateLimiterMemory', atLeast }] },
  },
  contestants: Object.fromEntries(
    Object.entries(memoryLimiters).map(([name, open]) => [name, checking(open, keys)]),
  ),
  notes: [
    'Fixed windows for all, one check after the other. `keelson` is `checkSync()`; the others have only promises, which are awaited.',
  ],
});

export const benchmarks = [
  { keys: 100, atLeast: 4 },
  { keys: 10_000, atLeast: 4 },
  { keys: 200_000, atLeast: 1 },
].map(benchmarkOf);
