import { KEYS, Records } from '../harness/records.mjs';
import { timed } from '../harness/timed.mjs';
import { random, zipfTrace } from '../harness/zipf.mjs';
import { cacheContestants, cacheNotes, unlike } from '../peers/caches.mjs';

const SIZES = { '1k': 1000, '100k': 100_000, '1M': 1_000_000 };
const OPERATIONS = { '1k': 500_000, '100k': 300_000, '1M': 200_000 };
/** How many keys there are for each entry the cache can hold. */
const KEYS_PER_ENTRY = 4;
/** Prime to every size: visits all indexes in a scattered order, so that hot entries are not neighbours. */
const STRIDE = 7_368_787;
const SEED = 42;

/** Fills the cache, so that the first round meets it as all later ones do. */
function fill(cache, max) {
  const records = new Records(max * KEYS_PER_ENTRY);
  for (let i = 0; i < max; i++) {
    const record = records.at((i * STRIDE) % max);
    cache.set(record.key, record);
  }
  return records;
}

/** A round's input: the records to visit and what their keys are made of, side by side. */
function itinerary(records, indexes, keys) {
  const visited = Array.from(indexes, (index) => records.at(index));
  return { visited, parts: keys.parts(visited) };
}

/*
 * The three loops take the key's maker as an argument. It is one function in each process, and so are the
 * methods of the cache: each call site sees a single target, and V8 inlines it.
 */

/** What a service does: get, and set after a miss. */
function cacheAside(cache, { visited, parts }, keyOf) {
  let hits = 0;
  let sum = 0;
  for (let i = 0; i < parts.length; i++) {
    const key = keyOf(parts[i]);
    const found = cache.get(key);
    if (found === undefined) {
      cache.set(key, visited[i]);
    } else {
      hits++;
      sum += found.id;
    }
  }
  return { hits, sum };
}

function insert(cache, { visited, parts }, keyOf) {
  for (let i = 0; i < parts.length; i++) {
    cache.set(keyOf(parts[i]), visited[i]);
  }
}

function hit(cache, { parts }, keyOf) {
  let sum = 0;
  for (let i = 0; i < parts.length; i++) {
    sum += cache.get(keyOf(parts[i])).id;
  }
  return sum;
}

const zipfMix =
  ({ max, operations, keys }) =>
  (cache) => {
    const records = fill(cache, max);
    const size = max * KEYS_PER_ENTRY;
    return timed({
      operations,
      prepare: (round) =>
        itinerary(records, zipfTrace(operations, { size, exponent: 0.99, seed: SEED + round }), keys),
      run: (input) => cacheAside(cache, input, keys.keyOf),
    });
  };

const inserts =
  ({ max, operations, keys }) =>
  (cache) => {
    const records = fill(cache, max);
    let next = max;
    return timed({
      operations,
      // Around in a circle that is larger than any contestant remembers: no key is found, each one evicts another.
      prepare: () =>
        itinerary(
          records,
          Uint32Array.from({ length: operations }, () => next++ % (max * KEYS_PER_ENTRY)),
          keys,
        ),
      run: (input) => insert(cache, input, keys.keyOf),
      check: () => cache.size,
    });
  };

const hits =
  ({ max, operations, keys }) =>
  (cache) => {
    const records = fill(cache, max);
    return timed({
      operations,
      prepare(round) {
        const uniform = random(SEED + round);
        return itinerary(
          records,
          Uint32Array.from({ length: operations }, () => uniform() * max),
          keys,
        );
      },
      run: (input) => hit(cache, input, keys.keyOf),
    });
  };

const KINDS = [
  {
    kind: 'zipf',
    does: 'a get, with a set after each miss, on a Zipf(0.99) trace over four times as many keys',
    sampler: zipfMix,
    asked: { fresh: 1.4, reused: 0.9 },
  },
  {
    kind: 'insert',
    does: 'a set of a new key that evicts an entry',
    sampler: inserts,
    asked: { fresh: 1.4, reused: 1.4 },
  },
  { kind: 'hit', does: 'a get that hits, keys visited at random', sampler: hits, asked: {} },
];

function benchmarkOf({ kind, does, sampler, asked }, keys, size) {
  const options = { max: SIZES[size], operations: OPERATIONS[size], keys: KEYS[keys] };
  return {
    name: `cache/${kind}-${keys}-${size}`,
    question: `What does ${does} cost with ${size} entries, ${KEYS[keys].means}?`,
    // Most of the time goes into filling the million; its samples are long, and differ little.
    rounds: size === '1M' ? 3 : 5,
    metrics: {
      time: {
        unit: 'ns/op',
        better: 'lower',
        asked: asked[keys] === undefined ? [] : [{ peer: 'lru-cache', atLeast: asked[keys] }],
      },
    },
    contestants: cacheContestants(options.max, sampler(options)),
    unlike,
    notes: cacheNotes,
  };
}

export const benchmarks = KINDS.flatMap((kind) =>
  Object.keys(KEYS).flatMap((keys) => Object.keys(SIZES).map((size) => benchmarkOf(kind, keys, size))),
);
