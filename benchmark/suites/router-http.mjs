import { createHash } from 'node:crypto';
import { hits } from '../data/requests.mjs';
import { tables } from '../data/tables.mjs';
import { buildExample, startServer } from '../harness/server.mjs';
import { servers } from '../peers/servers.mjs';

/** Of ../peers/exampleService.mjs, which can be loaded when the service has been built. */
const EXAMPLES = ['keelson, as it is', "Express's own router", 'Fastify'];
const REQUESTS = 20_000;
const CONNECTIONS = 64;

/** What the server answers to every request. */
async function digest(url, requests) {
  const hash = createHash('sha1');
  for (const { method, path } of requests) {
    const response = await fetch(url + path, { method });
    hash.update(`${response.status} ${response.headers.get('content-type')} ${await response.text()}\n`);
  }
  return hash.digest('hex');
}

const served = (set, name, requestsOf) => async () => {
  const { default: autocannon } = await import('autocannon');
  const requests = requestsOf();
  const { url, processorTime } = await startServer(set, name);
  const answers = await digest(url, requests);
  return {
    async sample() {
      const used = await processorTime();
      const start = performance.now();
      const result = await autocannon({ url, requests, amount: REQUESTS, connections: CONNECTIONS });
      const elapsed = performance.now() - start;
      return {
        values: {
          throughput: (REQUESTS * 1000) / elapsed,
          processor: ((await processorTime()) - used) / REQUESTS,
          p99: result.latency.p99,
        },
        check: { answers, served: result['2xx'], failed: result.errors + result.non2xx },
      };
    },
  };
};

const framework = (name) => served('frameworks', name, () => hits(tables.service(), 8));

const example = (name) => async () => {
  buildExample();
  const { exampleRequests } = await import('../peers/exampleService.mjs');
  return served('example', name, exampleRequests)();
};

const METRICS = {
  throughput: { unit: 'requests/s', better: 'higher' },
  processor: { unit: 'us CPU/request', better: 'lower' },
  p99: { unit: 'ms', better: 'lower', compare: 'none' },
};
const LOAD = `autocannon sends ${REQUESTS.toLocaleString('en-US')} requests a sample, from a process beside the server's on the same machine; with a server that is fast enough it is itself the limit. \`processor\` is the server's own time.`;

export const benchmarks = [
  {
    name: 'router/http',
    question: `How many requests does a service of 50 routes answer with a small JSON, over ${CONNECTIONS} connections that are kept alive?`,
    rounds: 3,
    metrics: METRICS,
    contestants: Object.fromEntries(Object.keys(servers).map((name) => [name, framework(name)])),
    notes: [LOAD, "Everyone's defaults: Express makes an ETag for each response, which the others do not."],
  },
  {
    name: 'router/service',
    question: 'How many requests does the example service answer, the same handlers being routed by each?',
    rounds: 3,
    metrics: METRICS,
    contestants: Object.fromEntries(EXAMPLES.map((name) => [name, example(name)])),
    notes: [
      LOAD,
      "With keelson the service is as it is, mounted in Express. Fastify routes without Express's own layers; its requests and responses are made into Express's for the handlers.",
    ],
  },
];
