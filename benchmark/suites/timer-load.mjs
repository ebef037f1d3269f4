import { percentile } from '../harness/stats.mjs';
import { random } from '../harness/zipf.mjs';
import { timerContestants } from '../peers/timers.mjs';

const MILLION = 1_000_000;
const FIRING = 100_000;
const PROBES = 1000;
const MINUTE = 60_000;

const ignore = () => {};

/** Enough for the compiler; what is measured next is a service that has been up for a while. */
function warmUp(timers) {
  for (let i = 0; i < 20_000; i++) {
    timers.clearTimeout(timers.setTimeout(ignore, MINUTE + (i % 100)));
  }
}

/** Delays of the timers that only lie there, and of those that fire within a second. */
const randomDelays = (uniform) => ({
  pending: () => MINUTE + Math.floor(uniform() * 9 * MINUTE),
  firing: () => 1 + Math.floor(uniform() * 1000),
});
const equalDelays = () => ({ pending: () => 5 * MINUTE, firing: () => 1000 });

function fillPending(timers, count, delay) {
  for (let i = 0; i < count; i++) {
    timers.setTimeout(ignore, delay());
  }
}

/** Starts `count` timers and waits until the last has fired. */
function fireAll(timers, count, delay) {
  return new Promise((resolve) => {
    let left = count;
    const fire = () => {
      left--;
      if (left === 0) {
        resolve();
      }
    };
    for (let i = 0; i < count; i++) {
      timers.setTimeout(fire, delay());
    }
  });
}

const processorTime = (delaysOf) => (timers) => ({
  async sample(round) {
    const delays = delaysOf(random(round));
    warmUp(timers);
    gc();
    const before = process.cpuUsage();
    fillPending(timers, MILLION - FIRING, delays.pending);
    const filled = process.cpuUsage(before);
    await fireAll(timers, FIRING, delays.firing);
    const total = process.cpuUsage(before);
    const milliseconds = ({ user, system }) => (user + system) / 1000;
    return {
      values: { total: milliseconds(total), fire: milliseconds(total) - milliseconds(filled) },
      check: FIRING,
    };
  },
});

const lateness = (pending) => (timers) => ({
  async sample(round) {
    const delays = randomDelays(random(round));
    fillPending(timers, pending, delays.pending);
    gc();
    const late = await probe(timers, delays.firing);
    return {
      values: { p50: percentile(late, 0.5), p99: percentile(late, 0.99), earliest: Math.min(...late) },
      check: late.length,
    };
  },
});

/** How late each of a thousand timers spread over a second is, in milliseconds; negative is early. */
function probe(timers, delayOf) {
  return new Promise((resolve) => {
    const late = [];
    for (let i = 0; i < PROBES; i++) {
      const delay = delayOf();
      const start = performance.now();
      const fire = () => {
        late.push(performance.now() - start - delay);
        if (late.length === PROBES) {
          resolve(late);
        }
      };
      timers.setTimeout(fire, delay);
    }
  });
}

const processorTimeOf = (name, delays, delaysOf) => ({
  name: `timer/million-cpu-${name}`,
  question: `What processor time (user and system, all threads) do a million timers take, ${delays}, of which 100,000 fire within a second? \`total\` includes scheduling them.`,
  rounds: 3,
  fresh: true,
  metrics: {
    total: { unit: 'ms CPU', better: 'lower', asked: [{ peer: 'Node timers', atLeast: 5 }] },
    fire: { unit: 'ms CPU', better: 'lower' },
  },
  contestants: timerContestants(processorTime(delaysOf)),
});

const latenessOf = (pending, question) => ({
  name: `timer/lateness-${pending}-pending`,
  question,
  rounds: 3,
  fresh: true,
  metrics: {
    p50: { unit: 'ms late', better: 'lower', compare: 'difference', differenceUnit: 'ms' },
    p99: { unit: 'ms late', better: 'lower', compare: 'difference', differenceUnit: 'ms' },
    // Below zero a timer fired before its time.
    earliest: { unit: 'ms late', better: 'higher', compare: 'none' },
  },
  contestants: timerContestants(lateness(pending)),
});

export const benchmarks = [
  processorTimeOf('random', 'delays at random', randomDelays),
  processorTimeOf('equal', 'pending ones of one delay and firing ones of another', equalDelays),
  latenessOf(0, 'How late do 1,000 timers fire that are due at random within a second?'),
  latenessOf(10_000, 'How late do they fire with 10,000 others pending?'),
];
