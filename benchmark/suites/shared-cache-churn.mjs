import { KEY_LENGTH, stringMaker } from '../data/cacheStrings.mjs';
import { percentile } from '../harness/stats.mjs';
import { steadily } from '../harness/steadily.mjs';
import { random } from '../harness/zipf.mjs';
import { fill, noCache, sharedCacheNotes, sharedCaches } from '../peers/sharedCaches.mjs';

/** How many new values are set, and how many gets are made, in each slice. */
const SIZES = {
  '1M-100B': { entries: 1_000_000, length: 100, sets: 1000, gets: 1000 },
  '100k-10KB': { entries: 100_000, length: 10_000, sets: 200, gets: 200 },
};
const INTERVAL = 10;
const WARM_UP = 50;
const SLICES = 300;
/** Gets are for keys that were set this many slices ago at least, since one peer writes later, and at most. */
const NEWEST = 10;
const OLDEST = 50;

/** What a slice does, and how many gets have found something. */
function replacing(cache, { entries, sets, gets }, { key, value }) {
  const uniform = random(1);
  let next = entries;
  let found = 0;
  const slice = () => {
    for (let time = 0; time < sets; time++, next++) {
      cache.set(key(next), value(next));
      // Who bounds nothing is told what goes.
      cache.remove?.(key(next - entries));
    }
    for (let time = 0; time < gets; time++) {
      const age = sets * (NEWEST + uniform() * (OLDEST - NEWEST));
      found += cache.get(key(Math.floor(next - age))) === undefined ? 0 : 1;
    }
  };
  return { slice, found: () => cache.found?.() ?? found };
}

const churned = (create, size) => ({
  async sample() {
    const strings = { key: stringMaker(KEY_LENGTH), value: stringMaker(size.length) };
    const cache = await create(size.entries);
    await fill(cache, size.entries, strings);
    gc();
    const { slice, found } = replacing(cache, size, strings);
    await steadily({ times: WARM_UP, interval: INTERVAL }, slice);
    const before = process.cpuUsage();
    const late = await steadily({ times: SLICES, interval: INTERVAL }, slice);
    const { user, system } = process.cpuUsage(before);
    return {
      values: {
        processor: (user + system) / 1000,
        'p99 delay': percentile(late, 0.99),
        'max delay': Math.max(...late),
        'peak resident': process.resourceUsage().maxRSS / 1024,
      },
      check: found(),
    };
  },
});

/** What is set and asked for in a slice crosses in batches, as a service does that has many keys to see to at once. */
const BATCH = 100;

async function inBatches(entries) {
  const cache = await sharedCaches.keelson(entries);
  const pairs = [];
  const keys = [];
  let found = 0;
  const ask = () => {
    for (const value of cache.getMany(keys.splice(0))) found += value === undefined ? 0 : 1;
  };
  return {
    set(key, value) {
      if (pairs.push([key, value]) === BATCH) cache.setMany(pairs.splice(0));
    },
    get(key) {
      if (keys.push(key) === BATCH) ask();
    },
    /** What was found in batches, which gets could not tell. */
    found: () => found,
  };
}

const CONTESTANTS = {
  keelson: sharedCaches.keelson,
  [`keelson, ${BATCH} at once`]: inBatches,
  lmdb: sharedCaches.lmdb,
  'lru-cache': sharedCaches['lru-cache'],
  'no cache': noCache,
};

const benchmarkOf = ([name, size]) => ({
  name: `shared-cache/churn-${name}`,
  question: `What does it take to replace ${size.sets} of ${size.entries.toLocaleString('en-US')} strings of ${size.length.toLocaleString('en-US')} bytes, and to get ${size.gets}, every ${INTERVAL} ms, and how late does the event loop come to it?`,
  rounds: 3,
  fresh: true,
  metrics: {
    processor: { unit: 'ms', better: 'lower', asked: [{ peer: 'lru-cache', atLeast: 1 / 0.6 }] },
    'p99 delay': { unit: 'ms', better: 'lower' },
    'max delay': { unit: 'ms', better: 'lower' },
    'peak resident': { unit: 'MiB', better: 'lower' },
  },
  contestants: Object.fromEntries(
    Object.entries(CONTESTANTS).map(([contestant, create]) => [contestant, () => churned(create, size)]),
  ),
  unlike: { lmdb: 'may fall so far behind that what was set is not there yet' },
  notes: [
    `\`processor\` is the time that all threads of the process take for ${(SLICES * INTERVAL) / 1000} s of that, the collector's included, after ${(WARM_UP * INTERVAL) / 1000} s to warm up. A delay is how late such a slice of ${INTERVAL} ms begins. Resident is what the process had at most.`,
    `All gets find something: they are for keys that were set ${(NEWEST * INTERVAL) / 1000} to ${(OLDEST * INTERVAL) / 1000} s ago. Keys and values are made for the call, which is all that "no cache" does.`,
    'At this pace V8 lets a heap that is full of an lru-cache grow for longer than a sample before it collects all of it, to 0.9 GB and 2.5 GB with limits of 4 GB: what it takes then is not in these figures.',
    ...sharedCacheNotes,
  ],
});

export const benchmarks = Object.entries(SIZES).map(benchmarkOf);
