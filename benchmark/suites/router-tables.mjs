import { setTimeout as pause } from 'node:timers/promises';
import { hits } from '../data/requests.mjs';
import { tables } from '../data/tables.mjs';
import { refusals, routerContestants, routerNotes } from '../peers/routers.mjs';

const PEERS = [
  'keelson',
  'find-my-way',
  'find-my-way compiled',
  'memoirist',
  'hono TrieRouter',
  'hono SmartRouter',
  'rou3',
  'rou3 compiled',
];

function answers({ answer }, router, requests) {
  return requests.map(({ method, path }) => answer(router, method, path));
}

/** Nothing is warm: a table is built once in a process. */
const building = ({ prepare, build, look, answer }) => ({
  async sample() {
    const routes = prepare(tables['10k']());
    const requests = hits(routes, 1);
    const [first] = requests;
    gc();
    const start = performance.now();
    const router = build(routes);
    // Some put off their work until they are asked.
    look(router, first.method, first.path);
    const time = performance.now() - start;
    return { values: { time }, check: answers({ answer }, router, requests.slice(0, 1000)) };
  },
});

async function settle() {
  gc();
  await pause(20);
  gc();
  return process.memoryUsage();
}

const bytesPerRoute = ({ prepare, build, look, answer }) => ({
  async sample() {
    // The code is loaded and known before the first reading.
    const small = build(prepare(tables.service()));
    look(small, 'GET', '/health');
    const routes = prepare(tables['10k']());
    const requests = hits(routes, 1);
    const before = await settle();
    const router = build(routes);
    // Some make what a route needs when it is first met.
    for (const { method, path } of requests) {
      look(router, method, path);
    }
    const after = await settle();
    const perRoute = (field) => (after[field] - before[field]) / routes.length;
    return {
      values: { 'heap and external': perRoute('heapUsed') + perRoute('external'), resident: perRoute('rss') },
      check: answers({ answer }, router, requests.slice(0, 1000)),
    };
  },
});

const bytes = { unit: 'bytes', better: 'lower' };
const notes = [...refusals, ...routerNotes.slice(1)];

export const benchmarks = [
  {
    name: 'router/build-10k',
    question: 'How long does it take a new process to insert 10,000 routes and to look up the first path?',
    rounds: 5,
    fresh: true,
    metrics: {
      time: { unit: 'ms', better: 'lower', asked: [{ peer: 'find-my-way', atLeast: 3 }] },
    },
    contestants: routerContestants(PEERS, building),
    notes,
  },
  {
    name: 'router/memory-10k',
    question:
      'How many bytes does each of 10,000 routes take, all of them having been looked up once? The handlers and the patterns are not counted.',
    rounds: 3,
    fresh: true,
    metrics: { 'heap and external': bytes, resident: bytes },
    contestants: routerContestants(PEERS, bytesPerRoute),
    notes,
  },
];
