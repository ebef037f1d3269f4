import { KEY_LENGTH, stringMaker } from '../data/cacheStrings.mjs';
import { timed } from '../harness/timed.mjs';
import { random } from '../harness/zipf.mjs';
import { fill, roomFor, sharedCacheNotes, sharedCaches } from '../peers/sharedCaches.mjs';

const ENTRIES = 100_000;
const LENGTH = 100;
const OPERATIONS = 100_000;
const MANY = 100;
const SEED = 42;
/** How many keys have numbers; they come after the others. */
const NUMBERS = 1000;
const strings = { key: stringMaker(KEY_LENGTH), value: stringMaker(LENGTH) };

/** Numbers of keys that are there, each as likely as the others. */
function numbersOf(round) {
  const uniform = random(SEED + round);
  return Array.from({ length: OPERATIONS }, () => Math.floor(uniform() * ENTRIES));
}

const keysOf = (round) => numbersOf(round).map(strings.key);
const pairsOf = (round) => numbersOf(round).map((number) => [strings.key(number), strings.value(number)]);
const inParts = (list) =>
  Array.from({ length: list.length / MANY }, (_, part) => list.slice(part * MANY, (part + 1) * MANY));

function sumOf(values) {
  let sum = 0;
  for (const value of values) sum += value.length;
  return sum;
}

const never = () => {
  throw new Error('the key is there');
};

/** Each is the calls of a sample: how their input is made, and what they give, which is equal for all. */
const CALLS = {
  get: {
    does: 'to get a value',
    prepare: keysOf,
    run(cache, keys) {
      let sum = 0;
      for (const key of keys) sum += cache.get(key).length;
      return sum;
    },
  },
  set: {
    does: 'to set another value for a key that is there',
    prepare: pairsOf,
    async run(cache, pairs) {
      for (const [key, value] of pairs) cache.set(key, value);
      await cache.settled?.();
      return cache.get(pairs[0][0]).length;
    },
  },
  has: {
    does: 'to look whether a key is there',
    prepare: keysOf,
    run(cache, keys) {
      let there = 0;
      for (const key of keys) there += cache.has(key) ? 1 : 0;
      return there;
    },
  },
  getMany: {
    does: `to get a value, of ${MANY} at once`,
    prepare: (round) => inParts(keysOf(round)),
    run(cache, parts) {
      let sum = 0;
      for (const keys of parts) sum += sumOf(cache.getMany(keys));
      return sum;
    },
  },
  setMany: {
    does: `to set a value, of ${MANY} at once`,
    prepare: (round) => inParts(pairsOf(round)),
    async run(cache, parts) {
      for (const pairs of parts) cache.setMany(pairs);
      await cache.settled?.();
      return cache.get(parts[0][0][0]).length;
    },
  },
  incr: {
    does: 'to add one to a number',
    prepare: (round) => numbersOf(round).map((number) => strings.key(ENTRIES + (number % NUMBERS))),
    async run(cache, keys) {
      for (const key of keys) cache.incr(key);
      await cache.settled?.();
      return Number(cache.get(keys[0]));
    },
  },
  getOrLoad: {
    does: 'to get a value by a call that would load it',
    load: never,
    prepare: keysOf,
    async run(cache, keys) {
      let sum = 0;
      for (const key of keys) sum += (await cache.getOrLoad(key, never)).length;
      return sum;
    },
  },
};

/** Those that have no such call. */
const UNABLE = { getOrLoad: ['lmdb', 'node-cache'] };

const called =
  (create, { load, prepare, run }) =>
  async () => {
    const cache = await create(roomFor(ENTRIES + NUMBERS), load);
    await fill(cache, ENTRIES, strings);
    return timed({ operations: OPERATIONS, prepare, run: (input) => run(cache, input) });
  };

const benchmarkOf = ([call, { does, ...work }]) => ({
  name: `shared-cache/call-${call}`,
  question: `What does it take ${does}, of ${ENTRIES.toLocaleString('en-US')} strings of ${LENGTH} bytes, from one thread?`,
  rounds: 5,
  metrics: { time: { unit: 'ns', better: 'lower' } },
  contestants: Object.fromEntries(
    Object.entries(sharedCaches)
      .filter(([contestant]) => !(UNABLE[call] ?? []).includes(contestant))
      .map(([contestant, create]) => [contestant, called(create, work)]),
  ),
  notes: sharedCacheNotes,
});

export const benchmarks = Object.entries(CALLS).map(benchmarkOf);
