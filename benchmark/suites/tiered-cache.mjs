import { observe } from '../harness/mainThread.mjs';
import { startRedis } from '../harness/redis.mjs';
import { timed } from '../harness/timed.mjs';
import { random } from '../harness/zipf.mjs';
import { tieredCaches } from '../peers/tieredCaches.mjs';

const PLAIN = 'BoundedLRUCache';
const ENTRIES = 10_000;
const HITS = 200_000;
/** Of keys that are in Redis alone, and of loads; so many are under way at once. */
const FAR = 20_000;
const AT_ONCE = 256;
const SEED = 42;
const productOf = (key) => ({ id: key, name: `The name of ${key}`, price: 42, tags: ['a', 'b', 'c'] });

/** Texts made anew, as those of requests are. */
const keysOf = (round, count) => {
  const uniform = random(SEED + round);
  return Array.from({ length: count }, () => `product:${Math.floor(uniform() * ENTRIES)}`);
};

async function filled(cache) {
  for (let number = 0; number < ENTRIES; number++) {
    const key = `product:${number}`;
    await cache.set(key, productOf(key));
  }
  return cache;
}

async function plain() {
  const { BoundedLRUCache } = await import('keelson');
  return new BoundedLRUCache(ENTRIES);
}

const synchronous = (cache) =>
  timed({
    operations: HITS,
    prepare: (round) => keysOf(round, HITS),
    run(keys) {
      let sum = 0;
      for (const key of keys) sum += cache.get(key).price;
      return sum;
    },
  });

const awaited = (cache) =>
  timed({
    operations: HITS,
    prepare: (round) => keysOf(round, HITS),
    async run(keys) {
      let sum = 0;
      for (const key of keys) sum += (await cache.get(key)).price;
      return sum;
    },
  });

/** A few lanes, each of which asks for its next key when it has its last. */
async function inLanes(keys, ask) {
  let begun = 0;
  let sum = 0;
  const lane = async () => {
    while (begun < keys.length) {
      const { price } = await ask(keys[begun++]);
      sum += price;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return sum;
}

/** `prepare` makes the keys of a sample and what is asked of each. */
const far = (create, prepare) => async () => {
  const { config } = await startRedis();
  const open = () => create({ max: 100, redis: config });
  const cache = await open();
  return {
    async sample(round) {
      const { keys, ask } = await prepare(cache, round);
      const { cost, result } = await observe(() => inLanes(keys, ask));
      return {
        values: {
          throughput: (keys.length * 1000) / cost.wall,
          'main thread': (cost.main * 1000) / keys.length,
        },
        check: result,
      };
    },
  };
};

const numbered = (round, count) => Array.from({ length: count }, (_, number) => `product:${round}:${number}`);

const hitInRedis = async (cache, round) => {
  const keys = numbered(round, FAR);
  await inLanes(keys, async (key) => {
    await cache.set(key, productOf(key));
    return { price: 0 };
  });
  return { keys, ask: (key) => cache.get(key) };
};

const loaded = async (cache, round) => ({
  keys: numbered(round, FAR),
  ask: (key) => cache.load(key, async () => productOf(key)),
});

const farMetrics = {
  throughput: { unit: 'values/s', better: 'higher' },
  'main thread': { unit: 'us CPU/value', better: 'lower' },
};
const farContestants = (prepare) =>
  Object.fromEntries(Object.entries(tieredCaches).map(([name, create]) => [name, far(create, prepare)]));
const farNote = `${AT_ONCE} under way at any time; of each contestant a Redis of its own on the same machine.`;

export const benchmarks = [
  {
    name: 'tiered-cache/l1-hit',
    question: 'What does a hit in L1 cost, beside that of the plain cache which is its L1?',
    rounds: 9,
    metrics: { time: { unit: 'ns/op', better: 'lower', asked: [{ peer: PLAIN, atLeast: 1 / 1.2 }] } },
    contestants: {
      keelson: async () => {
        const { TieredCache } = await import('keelson');
        const cache = await filled(new TieredCache({ l1: await plain() }));
        return synchronous({ get: (key) => cache.getSync(key) });
      },
      [PLAIN]: async () => {
        const cache = await filled(await plain());
        return synchronous({ get: (key) => cache.get(key) });
      },
    },
  },
  {
    name: 'tiered-cache/l1-hit-awaited',
    question: 'What does a hit in L1 cost that is awaited?',
    rounds: 9,
    metrics: { time: { unit: 'ns/op', better: 'lower', asked: [{ peer: PLAIN, atLeast: 1 / 1.2 }] } },
    contestants: {
      ...Object.fromEntries(
        Object.entries(tieredCaches).map(([name, create]) => [
          name,
          async () => awaited(await filled(await create({ max: ENTRIES }))),
        ]),
      ),
      [PLAIN]: async () => awaited(await filled(await plain())),
    },
    notes: [`Of ${PLAIN} the value is awaited that its synchronous get() gives.`],
  },
  {
    name: 'tiered-cache/redis-hit',
    question: 'How many values does Redis give that are not in L1, and what do they cost?',
    rounds: 5,
    metrics: farMetrics,
    contestants: farContestants(hitInRedis),
    notes: [farNote],
  },
  {
    name: 'tiered-cache/load',
    question: 'How many values are loaded that are nowhere, and what do they cost beside the loader?',
    rounds: 5,
    metrics: farMetrics,
    contestants: farContestants(loaded),
    notes: [
      farNote,
      'keelson lets one process of the fleet load a key, by a lease in Redis; of the others each process loads for itself.',
    ],
  },
];
