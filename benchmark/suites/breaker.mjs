import { breakers } from '../peers/breakers.mjs';

const CALLS = 100_000;
const TIMEOUT = 10_000;

const action = async (n) => n + 1;

/** Nanoseconds that a call takes, one after the other, and the sum of what they answered. */
async function clock(call) {
  gc({ type: 'minor' });
  let sum = 0;
  const start = performance.now();
  for (let n = 0; n < CALLS; n++) sum += await call(n);
  return { time: ((performance.now() - start) * 1e6) / CALLS, sum };
}

/** What a breaker adds to the action itself, which is called before it and after it. */
const firing = (open, timeout) => async () => {
  const breaker = await open(action, timeout);
  return {
    async sample() {
      const before = await clock(action);
      const { time, sum } = await clock(breaker.fire);
      const after = await clock(action);
      return { values: { overhead: time - (before.time + after.time) / 2 }, check: sum };
    },
  };
};

const refusing = (open) => async () => {
  const breaker = await open(action, TIMEOUT);
  breaker.open();
  const refused = () => 1;
  return {
    async sample() {
      const { time, sum } = await clock((n) => breaker.fire(n).then(Number, refused));
      return { values: { time }, check: sum };
    },
  };
};

const contestants = (make) =>
  Object.fromEntries(Object.entries(breakers).map(([name, open]) => [name, make(open)]));

const overhead = {
  unit: 'ns/call',
  better: 'lower',
  asked: [{ peer: 'opossum', atLeast: 3 }],
};

export const benchmarks = [
  {
    name: 'breaker/fire',
    question: 'What does a circuit breaker add to a call of an async function that answers at once?',
    metrics: { overhead },
    contestants: contestants((open) => firing(open, TIMEOUT)),
    notes: ['With a timeout of 10 s for each call, as keelson and opossum have it unless told otherwise.'],
  },
  {
    name: 'breaker/fire-untimed',
    question: 'The same without timeouts?',
    metrics: { overhead },
    contestants: contestants((open) => firing(open, false)),
  },
  {
    name: 'breaker/open',
    question: 'How long does an open breaker take to refuse a call?',
    metrics: { time: { unit: 'ns/call', better: 'lower' } },
    contestants: contestants((open) => refusing(open)),
  },
];
