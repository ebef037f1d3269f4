import { deadEnds, escapedValues, hits, longValues, manySlashes, misses } from '../data/requests.mjs';
import { tables } from '../data/tables.mjs';
import { lookups } from '../harness/lookups.mjs';
import { zipf } from '../harness/zipf.mjs';
import { refusals, routerContestants, routerNotes } from '../peers/routers.mjs';

const FIND_MY_WAY = ['find-my-way', 'find-my-way compiled'];
const ROU3 = ['rou3', 'rou3 compiled'];
/** They take every table but the one with regular expressions, which memoirist does not have. */
const COMMON = [...FIND_MY_WAY, 'memoirist', 'hono TrieRouter', ...ROU3];
/** With those that take no table in which a parameter lies beside a static segment. */
const ALL = [...COMMON, 'hono RegExpRouter', 'koa-tree-router'];

/** How each kind of request is made of a table's routes. */
const hitsOf = (perRoute) => (routes) => hits(routes, perRoute);
const missesOf = (perRoute) => (routes) => misses(routes, perRoute);

/** Which request comes next. The popular ones are scattered over the table, in which neighbours are alike. */
const STRIDE = 7919;
function zipfian(size, seed) {
  const rank = zipf(size, 0.99, seed);
  return () => (rank() * STRIDE) % size;
}

const LOOKUPS = [
  {
    name: 'small',
    question:
      'What does a lookup cost in a table of 11 routes, all of them visited at random, parameters included?',
    requests: hitsOf(64),
    peers: ALL,
    asked: { others: 1.4 },
  },
  {
    name: 'github',
    question: "The same with GitHub's 233 routes.",
    requests: hitsOf(16),
    peers: COMMON,
    asked: { findMyWay: 1.7, others: 1.2 },
  },
  {
    name: 'github-offsets',
    table: 'github',
    question:
      "The same, keelson's match() telling where in the path the parameters are, and no object being made.",
    requests: hitsOf(16),
    subject: 'keelson match()',
    peers: [...FIND_MY_WAY, 'memoirist'],
    asked: { findMyWay: 2.2 },
  },
  {
    name: 'static',
    question: "What does a lookup cost among GitHub's 39 routes that have no parameter?",
    requests: hitsOf(1),
    peers: ALL,
    asked: { findMyWay: 3.5, others: 1.8 },
  },
  {
    name: '10k',
    question:
      'What does a lookup cost among 10,000 routes, a third of them static, the others with one to three parameters, all of them visited at random?',
    requests: hitsOf(2),
    operations: 100_000,
    peers: COMMON,
    asked: { findMyWay: 3.5, others: 1.8 },
  },
  {
    name: '10k-zipf',
    table: '10k',
    question:
      'The same, some paths being far more popular than others, after Zipf(0.99): what is often needed stays in the processor.',
    requests: hitsOf(2),
    popularity: zipfian,
    operations: 100_000,
    peers: COMMON,
  },
  {
    name: 'misses-small',
    table: 'small',
    question:
      'What does it cost to find nothing in the table of 11 routes? The paths are unknown, or those of a route made longer, shorter, or wrong in the last character.',
    requests: missesOf(32),
    peers: ALL,
    asked: { others: 1.4 },
  },
  {
    name: 'misses-github',
    table: 'github',
    question: "What does it cost to find nothing among GitHub's routes?",
    requests: missesOf(8),
    peers: COMMON,
    asked: { others: 1.4 },
  },
  {
    name: 'regex',
    question:
      'What does a lookup cost in a table of five routes, most of whose parameters have regular expressions?',
    requests: hitsOf(64),
    peers: [...FIND_MY_WAY, 'hono TrieRouter', ...ROU3],
  },
];

const HOSTILE = [
  {
    name: 'hostile-long',
    table: 'github',
    question:
      "What does a lookup cost when a path of GitHub's has two kilobytes, all of it in its parameters?",
    requests: longValues,
    operations: 20_000,
    peers: COMMON,
  },
  {
    name: 'hostile-slashes',
    table: 'github',
    question: "What does it cost to find nothing among GitHub's routes for two kilobytes of slashes?",
    requests: manySlashes,
    operations: 10_000,
    peers: COMMON,
  },
  {
    name: 'hostile-escapes',
    table: 'github',
    question:
      'What does a lookup cost when the parameters are percent escapes from end to end, decoding included?',
    requests: escapedValues,
    operations: 50_000,
    peers: COMMON,
    options: { escapes: true },
  },
  {
    name: 'hostile-dead-ends',
    table: 'dead-ends',
    question:
      'What does it cost to find nothing in a table of 64 routes in which every mixture of six static segments and parameters leads on, but for the last segment?',
    requests: deadEnds,
    operations: 50_000,
    peers: COMMON,
  },
];

function askedOf(peers, { findMyWay, others }) {
  const atLeast = (peer) => (peer === 'find-my-way' ? (findMyWay ?? others) : others);
  return peers
    .map((peer) => ({ peer, atLeast: atLeast(peer) }))
    .filter(({ atLeast }) => atLeast !== undefined);
}

function notesOf(peers, options) {
  return [
    '`time` is the lookup alone, `with the path` includes making the string of the path, which is the same for all: a new one for each lookup, as Node makes them of what comes from a socket.',
    ...routerNotes,
    'Each contestant warms up for half a second, find-my-way compiled for four.',
    ...(options?.escapes
      ? ['Where a router leaves escapes alone, the handler that reads a parameter decodes it.']
      : []),
    ...(peers.includes('hono RegExpRouter')
      ? ["hono's SmartRouter is its RegExpRouter here."]
      : ["hono's SmartRouter is its TrieRouter here.", ...refusals]),
  ];
}

function benchmarkOf({ name, question, requests, peers, options, ...rest }) {
  const { table = name, subject = 'keelson', operations = 200_000, popularity, asked = {} } = rest;
  const sampler = ({ prepare, build, ...peer }) => {
    const routes = tables[table]();
    const router = build(prepare(routes));
    return lookups({ operations, requests: requests(routes), popularity, router, ...peer });
  };
  const unit = { unit: 'ns/op', better: 'lower' };
  return {
    name: `router/${name}`,
    question,
    rounds: 5,
    metrics: { time: { ...unit, asked: askedOf(peers, asked) }, 'with the path': unit },
    contestants: routerContestants([subject, ...peers], sampler, options),
    notes: notesOf(peers, options),
  };
}

export const benchmarks = [...LOOKUPS, ...HOSTILE].map(benchmarkOf);
