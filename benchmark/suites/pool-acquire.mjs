import { observe } from '../harness/mainThread.mjs';
import { objectPools } from '../peers/pools.mjs';

const SIZE = 10;
const OPERATIONS = 200_000;
const WAITING = 1000;

/** Acquires and releases, `lanes` at a time. */
async function borrow({ acquire, release }, lanes) {
  let begun = 0;
  let served = 0;
  const lane = async () => {
    while (begun < OPERATIONS) {
      begun++;
      const borrowed = await acquire();
      served++;
      release(borrowed);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return served;
}

/** The connections are opened by the warm-up rounds. */
const borrowing = (name, lanes) => async () => {
  const pool = await objectPools[name](SIZE);
  return {
    async sample() {
      const { cost, result } = await observe(() => borrow(pool, lanes));
      return { values: { 'main thread': (cost.main * 1e6) / OPERATIONS }, check: result };
    },
  };
};

const contestants = (lanes) =>
  Object.fromEntries(Object.keys(objectPools).map((name) => [name, borrowing(name, lanes)]));

const metrics = {
  'main thread': {
    unit: 'ns CPU/op',
    better: 'lower',
    asked: [
      { peer: 'generic-pool', atLeast: 2.5 },
      { peer: 'tarn', atLeast: 6 },
    ],
  },
};

const notes = [
  'Pools of 10 objects that are ready, with the defaults of each: keelson and tarn bound the wait of every acquire, generic-pool and pg-pool do not.',
  'pg-pool pools nothing but clients: it has ones without a server here.',
];

export const benchmarks = [
  {
    name: 'pool/acquire',
    question: 'What does it cost to acquire a ready object and to release it, one at a time?',
    metrics,
    contestants: contestants(1),
    notes,
  },
  {
    name: 'pool/acquire-waiting',
    question: `The same, ${WAITING.toLocaleString('en-US')} others waiting for one of the ${SIZE} objects at any time?`,
    metrics,
    contestants: contestants(SIZE + WAITING),
    notes,
  },
];
