import { setTimeout as pause } from 'node:timers/promises';
import { KEY_LENGTH, stringMaker } from '../data/cacheStrings.mjs';
import { median } from '../harness/stats.mjs';
import { fill, noCache, roomFor, sharedCacheNotes, sharedCaches } from '../peers/sharedCaches.mjs';

const SIZES = {
  '1M-100B': { entries: 1_000_000, length: 100 },
  '100k-10KB': { entries: 100_000, length: 10_000 },
};
const PAUSES = 7;
const MB = 1e6;

async function settle() {
  for (let time = 0; time < 3; time++) {
    gc();
    await pause(20);
  }
  return process.memoryUsage();
}

function collect() {
  const start = performance.now();
  gc();
  return performance.now() - start;
}

const filled = (create, { entries, length }) => ({
  async sample() {
    const strings = { key: stringMaker(KEY_LENGTH), value: stringMaker(length) };
    // Its code is loaded and known before the first reading.
    await fill(await create(1000), 20_000, strings);
    const before = await settle();
    const cache = await create(roomFor(entries));
    await fill(cache, entries, strings);
    const after = await settle();
    const fullCollection = median(Array.from({ length: PAUSES }, collect));
    let found = 0;
    for (let number = 0; number < entries; number += 10) {
      found += cache.has(strings.key(number)) ? 1 : 0;
    }
    const last = entries - 1;
    return {
      values: {
        heap: (after.heapUsed - before.heapUsed) / MB,
        resident: after.rss / MB,
        'full GC': fullCollection,
      },
      check: { found, same: cache.get(strings.key(last)) === strings.value(last) },
    };
  },
});

const benchmarkOf = ([name, size]) => ({
  name: `shared-cache/memory-${name}`,
  question: `What do ${size.entries.toLocaleString('en-US')} strings of ${size.length.toLocaleString('en-US')} bytes with keys of ${KEY_LENGTH} take, and how long does a full collection stop the process that caches them?`,
  rounds: 3,
  fresh: true,
  metrics: {
    heap: {
      unit: 'MB',
      better: 'lower',
      compare: 'difference',
      differenceUnit: 'MB',
      asked: [{ atMost: 5 }],
    },
    resident: { unit: 'MB', better: 'lower', asked: [{ peer: 'lru-cache', atLeast: 1 / 0.6 }] },
    'full GC': { unit: 'ms', better: 'lower', asked: [{ peer: 'lru-cache', atLeast: 50 }] },
  },
  contestants: Object.fromEntries(
    Object.entries({ ...sharedCaches, 'no cache': noCache }).map(([contestant, create]) => [
      contestant,
      () => filled(create, size),
    ]),
  ),
  unlike: { 'no cache': 'keeps nothing: it is what everybody has beside' },
  notes: [
    '`heap` is what the entries add to `heapUsed`. `resident` is the whole process, with the Node.js that is in it.',
    `\`full GC\` is the median of ${PAUSES} gc() calls after the first three.`,
    'What is resident of lmdb is its map: pages of a file, which the system can take back once they are written.',
    ...sharedCacheNotes,
  ],
});

export const benchmarks = Object.entries(SIZES).map(benchmarkOf);
