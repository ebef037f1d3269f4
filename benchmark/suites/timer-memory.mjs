import { setTimeout as pause } from 'node:timers/promises';
import { timerManagers } from '../peers/timers.mjs';

const MILLION = 1_000_000;
const TEN_MINUTES = 600_000;

const ignore = () => {};

const oneDelay = () => TEN_MINUTES;
const distinctDelays = (i) => TEN_MINUTES + i;

/** Settles the heap: the second collection frees what the first one's finalizers let go. */
async function settle() {
  gc();
  await pause(20);
  gc();
  return process.memoryUsage();
}

/** `create` is called twice: the code is loaded before the first reading, what a manager allocates comes after it. */
const bytesPerTimer = (create, delayOf, keepHandles) => ({
  async sample() {
    const loaded = await create();
    loaded.clearTimeout(loaded.setTimeout(ignore, TEN_MINUTES));
    // The array is there before the first reading, so that only what the timers add is counted.
    const kept = new Array(keepHandles ? MILLION : 0).fill(null);
    const before = await settle();
    const timers = await create();
    for (let i = 0; i < MILLION; i++) {
      const handle = timers.setTimeout(ignore, delayOf(i));
      if (keepHandles) {
        kept[i] = handle;
      }
    }
    const after = await settle();
    const perTimer = (field) => (after[field] - before[field]) / MILLION;
    return {
      values: { 'heap and external': perTimer('heapUsed') + perTimer('external'), resident: perTimer('rss') },
      check: kept.length,
    };
  },
});

const asked = [{ peer: 'Node timers', atLeast: 3 }];

const memoryOf = (delays, delayOf, handles, keepHandles) => ({
  name: `timer/memory-${delays}-${handles}`,
  question: `How many bytes does each of a million pending timers take, delays ${delays}, handles ${handles} by the caller?`,
  rounds: 3,
  fresh: true,
  metrics: {
    'heap and external': { unit: 'bytes', better: 'lower', asked },
    resident: { unit: 'bytes', better: 'lower', asked },
  },
  contestants: Object.fromEntries(
    Object.entries(timerManagers).map(([name, create]) => [
      name,
      () => bytesPerTimer(create, delayOf, keepHandles),
    ]),
  ),
});

export const benchmarks = [
  memoryOf('equal', oneDelay, 'dropped', false),
  memoryOf('equal', oneDelay, 'kept', true),
  memoryOf('distinct', distinctDelays, 'dropped', false),
  memoryOf('distinct', distinctDelays, 'kept', true),
];
