import { timed } from '../harness/timed.mjs';
import { timerContestants } from '../peers/timers.mjs';

const IN_FLIGHT = 1000;
const OPERATIONS = 200_000;
const PER_TURN = 20;
const TURN_OPERATIONS = 40_000;
const REQUEST_TIMEOUT = 30_000;

const ignore = () => {};
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const metrics = (asked) => ({ time: { unit: 'ns/op', better: 'lower', asked } });

/** Operation i cancels the timer that was made 1,000 operations ago and makes one in its place. */
function scheduleAndCancel(timers, handles, first, last, delayOf) {
  for (let i = first; i < last; i++) {
    const slot = i % IN_FLIGHT;
    timers.clearTimeout(handles[slot]);
    handles[slot] = timers.setTimeout(ignore, delayOf(i));
  }
}

/** That cancelled timers stay silent and the others fire, so that nobody is fast by not doing the work. */
function countFired(timers) {
  return new Promise((resolve) => {
    let fired = 0;
    const count = () => fired++;
    const handles = Array.from({ length: 100 }, () => timers.setTimeout(count, 1));
    handles.forEach((handle, i) => {
      if (i % 2 === 1) {
        timers.clearTimeout(handle);
      }
    });
    // Node's own, in every contestant: what waits must not depend on what is examined.
    setTimeout(() => resolve(fired), 20);
  });
}

const inOneGo = (delayOf) => (timers) => {
  const handles = Array.from({ length: IN_FLIGHT }, (_, i) => timers.setTimeout(ignore, delayOf(i)));
  return timed({
    operations: OPERATIONS,
    run: () => scheduleAndCancel(timers, handles, 0, OPERATIONS, delayOf),
    check: () => countFired(timers),
  });
};

const overTurns = (delayOf) => (timers) => {
  const handles = Array.from({ length: IN_FLIGHT }, (_, i) => timers.setTimeout(ignore, delayOf(i)));
  return timed({
    operations: TURN_OPERATIONS,
    async run() {
      for (let i = 0; i < TURN_OPERATIONS; i += PER_TURN) {
        scheduleAndCancel(timers, handles, i, i + PER_TURN, delayOf);
        await nextTurn();
      }
    },
    check: () => countFired(timers),
  });
};

const oneDelay = () => REQUEST_TIMEOUT;
/** 7,919 is prime to 600,000, so that no delay comes back within 600,000 operations. */
const distinctDelays = (i) => REQUEST_TIMEOUT + ((i * 7919) % 600_000);

export const benchmarks = [
  {
    name: 'timer/schedule-cancel',
    question: 'What does clearTimeout plus setTimeout cost, 1,000 timers of one delay being in flight?',
    metrics: metrics([
      { peer: 'Node timers', atLeast: 2 },
      { peer: 'tracked Set', atLeast: 5 },
    ]),
    contestants: timerContestants(inOneGo(oneDelay)),
  },
  {
    name: 'timer/schedule-cancel-turns',
    question: `The same, ${PER_TURN} pairs in each turn of the event loop, as requests come in; the turn's own cost is included.`,
    metrics: metrics([]),
    contestants: timerContestants(overTurns(oneDelay)),
  },
  {
    name: 'timer/distinct-delays',
    question:
      'What does clearTimeout plus setTimeout cost when every delay is another, 1,000 being in flight?',
    metrics: metrics([{ peer: 'Node timers', atLeast: 5 }]),
    contestants: timerContestants(inOneGo(distinctDelays)),
  },
];
