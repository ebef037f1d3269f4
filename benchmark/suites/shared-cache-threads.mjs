import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { MessageChannel, Worker } from 'node:worker_threads';
import { KEY_LENGTH, stringMaker } from '../data/cacheStrings.mjs';
import { fill, roomFor, sharedCacheNotes, sharedCaches } from '../peers/sharedCaches.mjs';

const THREAD = new URL('../harness/cacheThread.mjs', import.meta.url);
const ENTRIES = 100_000;
const LENGTH = 100;
const MILLISECONDS = 400;
const RECKONING = 150;
/** With as many threads as there are processors for. */
const COUNTS = [1, 2, 4].filter((count) => count <= Math.max(2, availableParallelism()));
const MOST = Math.max(...COUNTS);
const SEED = 42;

/** Where the entries are: in a cache that all threads are on, in the main thread behind ports, or in each thread. */
const CONTESTANTS = {
  keelson: { cache: 'keelson', place: 'shared' },
  lmdb: { cache: 'lmdb', place: 'shared' },
  'node-cache behind a port': { cache: 'node-cache', place: 'main' },
  'lru-cache in each thread': { cache: 'lru-cache', place: 'each' },
};

/** A port to the cache of this thread, which answers keys with values. */
function serve(cache) {
  const { port1, port2 } = new MessageChannel();
  port1.on('message', (keys) => port1.postMessage(cache.getMany(keys)));
  return port2;
}

/** Asks threads for something at once; resolves to the sum of their answers. */
async function ask(threads, optionsOf) {
  const answers = threads.map((thread) => once(thread, 'message'));
  for (const [index, thread] of threads.entries()) thread.postMessage(optionsOf(index));
  return (await Promise.all(answers)).reduce((sum, [answer]) => sum + answer, 0);
}

async function startThreads({ cache: contestant, place }) {
  let cache;
  if (place !== 'each') {
    cache = await sharedCaches[contestant](roomFor(ENTRIES));
    await fill(cache, ENTRIES, { key: stringMaker(KEY_LENGTH), value: stringMaker(LENGTH) });
  }
  return Array.from({ length: MOST }, () => {
    const port = place === 'main' ? serve(cache) : undefined;
    return new Worker(THREAD, {
      workerData: { contestant, isShared: place === 'shared', entries: ENTRIES, length: LENGTH, port },
      transferList: port === undefined ? [] : [port],
    });
  });
}

const counted = (count) => `${count} thread${count === 1 ? '' : 's'}`;

const threaded = (contestant, popularity) => async () => {
  const threads = await startThreads(contestant);
  return {
    async sample(round) {
      const seed = SEED + round * MOST;
      await ask(threads, (index) => ({ task: 'prepare', popularity, seed: seed + index }));
      const rates = {};
      const reckoned = {};
      for (const count of COUNTS) {
        const some = threads.slice(0, count);
        reckoned[count] = await ask(some, () => ({ task: 'reckon', milliseconds: RECKONING }));
        rates[count] = await ask(some, () => ({ task: 'get', milliseconds: MILLISECONDS }));
      }
      const millions = COUNTS.map((count) => [counted(count), rates[count] / 1e6]);
      return {
        values: {
          ...Object.fromEntries(millions),
          scaling: rates[2] / rates[1],
          ceiling: reckoned[2] / reckoned[1],
        },
        check: 'all values',
      };
    },
  };
};

const benchmarkOf = (popularity, means) => ({
  name: `shared-cache/threads-${popularity}`,
  question: `How many gets a second do threads make together, of ${ENTRIES.toLocaleString('en-US')} strings of ${LENGTH} bytes, ${means}?`,
  rounds: 3,
  metrics: {
    ...Object.fromEntries(
      COUNTS.map((count) => [
        counted(count),
        {
          unit: 'million a second',
          better: 'higher',
          asked: count === 1 ? [{ peer: 'lmdb', atLeast: 1 }] : [],
        },
      ]),
    ),
    scaling: { unit: 'x', better: 'higher', asked: [{ atLeast: 1.7 }] },
    ceiling: { unit: 'x', better: 'higher', compare: 'none' },
  },
  contestants: Object.fromEntries(
    Object.entries(CONTESTANTS).map(([name, contestant]) => [name, threaded(contestant, popularity)]),
  ),
  notes: [
    '`scaling` is two threads to one, and `ceiling` the same of a loop that only reckons, right before: what the machine has to give at that moment.',
    'Keys are flat strings, made before; each value that was given is looked at. Behind a port are two messages of 32 keys from each thread on their way at once, answered by the main thread, which does nothing else; so there is one thread more. An lru-cache in each thread has the entries once a thread, and what one thread sets the others do not see.',
    ...sharedCacheNotes,
  ],
});

export const benchmarks = [
  benchmarkOf('zipf', 'some of them far more often than others (Zipf 0.99)'),
  benchmarkOf('uniform', 'each as often as any other'),
];
