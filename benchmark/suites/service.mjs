import { prepareRates, prepareVariants, SOAK, under, VARIANTS } from '../service/phases.mjs';
import { CONNECTIONS } from '../service/session.mjs';

const FLOORS = ['Express 5', 'node:http'];

const METRICS = {
  throughput: { unit: 'requests/s', better: 'higher' },
  offered: { unit: 'requests/s', better: 'higher', compare: 'none' },
  p50: { unit: 'ms', better: 'lower' },
  p99: { unit: 'ms', better: 'lower' },
  errors: { unit: '%', better: 'lower', compare: 'none' },
  limited: { unit: '%', better: 'lower', compare: 'none' },
  processor: { unit: 'us CPU/request', better: 'lower' },
  'delay p99': { unit: 'ms', better: 'lower' },
  'delay max': { unit: 'ms', better: 'lower' },
  resident: { unit: 'MB', better: 'lower' },
  growth: { unit: '%', better: 'lower', compare: 'none' },
  'generator late': { unit: 'ms', better: 'lower', compare: 'none' },
  'generator busy': { unit: '%', better: 'lower', compare: 'none' },
};

/** The metrics of a benchmark, with what was asked of some. */
function metricsOf(names, asked = {}) {
  return Object.fromEntries(
    names.map((name) => [name, { ...METRICS[name], ...(name in asked && { asked: [asked[name]] }) }]),
  );
}

const thrice = { peer: 'plain', atLeast: 3 };
const halfOfTheErrors = { peer: 'plain', atMost: 0.5 };

const LOAD = `${CONNECTIONS.toLocaleString('en-US')} connections that are kept alive. Of 100 requests one posts a supplier's document of JSON of 100 KB to 1 MB, 20 are searches that nobody has made before, 5 are for the page for people, 10 are of clients that ask for too much and are refused for the most part, 7 ask a carrier that takes 5 ms, and the others are for products and lists that are cached. Of the clients 10,000 come again and again, and 15 of 100 are new.`;
const OF_PLAIN =
  '`plain` is the same service with other modules under src/lib/utilities: plain JavaScript in the style of hand-written ones, with the faults that those have. Before each sample both answer one request of each kind, and the answers must be the same.';
const GENERATOR =
  "The generator is one process on undici beside the service's on the same machine: with two processors each of them has one, and what the service does in threads of its own is taken from the generator's. `errors` are answers from 500 on, broken connections and what was not answered 15 s after the last request; answers 429 are none, and told as `limited`.";
const EQUAL =
  'At an even rate, whether or not requests before have been answered. A request that finds all connections busy counts from when it was due. `generator late` is how late the generator itself sent, at the 99th percentile, which is counted for nobody.';

const FLOOR_NOTE =
  'What the floors need, which answer the same 100 bytes to everything, is what the connections, the generator and the system take.';

const contestants = (names, metrics, how) =>
  Object.fromEntries(names.map((name) => [name, under(name, metrics, how)]));

/** A benchmark of the two at one of the rates, by `metrics` and what was `asked` of them. */
function atRate({ name, question, metrics, asked, how, notes, floors = [], rounds = 3 }) {
  return {
    name,
    question,
    fresh: true,
    rounds,
    prepare: prepareRates,
    metrics: metricsOf(metrics, asked),
    contestants: contestants([...VARIANTS, ...floors], metrics, how),
    unlike: Object.fromEntries(floors.map((floor) => [floor, 'answers the same each time'])),
    notes: [...notes, EQUAL],
  };
}

const SATURATED = [
  'throughput',
  'p50',
  'p99',
  'errors',
  'limited',
  'processor',
  'resident',
  'generator busy',
];
const FLOOR = ['throughput', 'p50', 'p99', 'processor', 'resident', 'generator busy'];
const EVEN = [
  'p50',
  'p99',
  'errors',
  'limited',
  'processor',
  'resident',
  'delay p99',
  'delay max',
  'offered',
  'generator late',
];
const SOAKED = [
  'resident',
  'growth',
  'errors',
  'p50',
  'p99',
  'delay p99',
  'delay max',
  'processor',
  'offered',
];

export const benchmarks = [
  {
    name: 'service/throughput',
    question:
      'How many requests does the whole example service answer, each connection asking again as soon as it has its answer?',
    fresh: true,
    rounds: 3,
    prepare: prepareVariants,
    metrics: metricsOf(SATURATED, { throughput: thrice, errors: halfOfTheErrors }),
    contestants: contestants(VARIANTS, SATURATED),
    notes: [LOAD, OF_PLAIN, GENERATOR],
  },
  {
    name: 'service/floor',
    question:
      'And servers that answer the same requests with the same 100 bytes each time, and do nothing else?',
    fresh: true,
    rounds: 1,
    // Two floors, of which none is a peer of the other.
    metrics: Object.fromEntries(FLOOR.map((name) => [name, { ...METRICS[name], compare: 'none' }])),
    contestants: contestants(FLOORS, FLOOR),
    notes: ['What no service on Express, or on node:http, can be faster than, whatever its utilities take.'],
  },
  atRate({
    name: 'service/latency',
    question: 'How long do answers take at 60 % of the requests that the slower of the two can answer?',
    metrics: EVEN,
    asked: { p99: thrice, errors: halfOfTheErrors },
    how: { at: 'moderate' },
    floors: ['node:http'],
    notes: [LOAD, FLOOR_NOTE],
  }),
  atRate({
    name: 'service/heavy-load',
    question: 'And at 80 % of those that the faster one can answer?',
    metrics: EVEN,
    asked: { p99: thrice, errors: halfOfTheErrors },
    how: { at: 'heavy' },
    notes: [LOAD],
  }),
  atRate({
    name: 'service/cached',
    question:
      'How long do cached answers take at half of the requests that the service on keelson can answer of them?',
    metrics: EVEN,
    asked: { p99: { atMost: 1 } },
    how: { load: 'cached', at: 'cached' },
    floors: FLOORS,
    notes: ['Only what is cached, to 10,000 clients that come again and again.', FLOOR_NOTE],
  }),
  atRate({
    name: 'service/soak',
    question: `What memory does the service take after ${SOAK / 60} minutes at 60 % of what the slower can answer, and does that grow?`,
    rounds: 1,
    metrics: SOAKED,
    asked: { resident: { peer: 'plain', atLeast: 2.5 }, growth: { atMost: 1 }, errors: halfOfTheErrors },
    how: { at: 'moderate', seconds: SOAK },
    notes: [
      LOAD,
      '`resident` is the mean of the last ten seconds, told by the system each second. `growth` is that of the straight line that fits the last three minutes best, in percent of their mean.',
    ],
  }),
];
