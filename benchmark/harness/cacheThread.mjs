// A thread that gets what is in a cache for so many milliseconds, as often as it can; or, to compare, only reckons. It
// answers each task with how often a second. See suites/shared-cache-threads.mjs.
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { KEY_LENGTH, stringMaker } from '../data/cacheStrings.mjs';
import { fill, roomFor, sharedCaches } from '../peers/sharedCaches.mjs';
import { random, zipf } from './zipf.mjs';

const { contestant, isShared, entries, length, port } = workerData;
/** Keys that are asked for between two looks at the clock, and in one message. */
const BATCH = 32;
const BATCHES = 4096;
/** Messages that are on their way at once. */
const IN_FLIGHT = 2;

const POPULARITY = {
  zipf: (seed) => zipf(entries, 0.99, seed),
  uniform: (seed) => {
    const uniform = random(seed);
    return () => Math.floor(uniform() * entries);
  },
};

const strings = { key: stringMaker(KEY_LENGTH), value: stringMaker(length) };
let batches;

/** Calls `work` for the time; how many times a second that was. */
function repeat(milliseconds, work) {
  const begin = performance.now();
  let [count, elapsed] = [0, 0];
  for (; elapsed < milliseconds; elapsed = performance.now() - begin) work(count++);
  return (count * 1000) / elapsed;
}

async function repeatInFlight(milliseconds, work) {
  const begin = performance.now();
  let [count, elapsed] = [0, 0];
  const lane = async () => {
    for (; elapsed < milliseconds; elapsed = performance.now() - begin) await work(count++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return (count * 1000) / elapsed;
}

function verify(characters) {
  if (characters !== BATCH * length) throw new Error(`${contestant} did not give what was stored`);
}

function getFrom(cache) {
  const getBatch = (count) => {
    const keys = batches[count % BATCHES];
    let characters = 0;
    for (let i = 0; i < keys.length; i++) characters += cache.get(keys[i]).length;
    verify(characters);
  };
  return (milliseconds) => repeat(milliseconds, getBatch) * BATCH;
}

/** From the thread behind the port, which answers in order. */
function getThrough(port) {
  const waiting = [];
  port.on('message', (values) => waiting.shift()(values));
  const ask = (keys) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      port.postMessage(keys);
    });
  const getBatch = async (count) => {
    const values = await ask(batches[count % BATCHES]);
    verify(values.reduce((characters, value) => characters + value.length, 0));
  };
  return async (milliseconds) => (await repeatInFlight(milliseconds, getBatch)) * BATCH;
}

async function ownCache() {
  const cache = await sharedCaches[contestant](roomFor(entries));
  if (!isShared) await fill(cache, entries, strings);
  return cache;
}

const get = port === undefined ? getFrom(await ownCache()) : getThrough(port);

function reckon() {
  let state = 1;
  for (let time = 0; time < 1000; time++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
  }
  return state;
}

const tasks = {
  prepare({ popularity, seed }) {
    const next = POPULARITY[popularity](seed);
    batches = Array.from({ length: BATCHES }, () => Array.from({ length: BATCH }, () => strings.key(next())));
  },
  get: ({ milliseconds }) => get(milliseconds),
  reckon: ({ milliseconds }) => repeat(milliseconds, reckon),
};

for (;;) {
  const [{ task, ...options }] = await once(parentPort, 'message');
  parentPort.postMessage(await tasks[task](options));
}
