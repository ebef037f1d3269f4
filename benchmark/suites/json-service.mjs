import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { jsonText, MB } from '../data/json.mjs';
import { digest } from '../harness/bodies.mjs';
import { buildExample, startServer } from '../harness/server.mjs';
import { median, percentile } from '../harness/stats.mjs';
import { steadyLoad } from '../harness/steadyLoad.mjs';

const SENDER = new URL('../harness/bodySender.mjs', import.meta.url);
const SAMPLE = 8000;
const WARM_UP = 3000;
const RATE = 400;
/** Between the beginnings of two large bodies, one in and one out, in milliseconds. */
const INTERVAL = 300;
/** An administrator of the example's. */
const LOGIN = { name: 'ada', password: 'analytical engine' };

async function logIn(url) {
  const response = await fetch(`${url}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(LOGIN),
  });
  return { cookie: response.headers.getSetCookie()[0].split(';')[0] };
}

/** Takes the document once and gives it back. */
async function thereAndBack(url, headers, body) {
  const taken = await fetch(`${url}/api/import`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body,
  });
  const given = await fetch(`${url}/api/export`, { headers });
  return { taken: taken.ok, given: given.ok, document: digest(await given.text()) };
}

/** Begins to send large bodies; the function that it gives ends that and resolves to how long they took. */
function sendBodies(url, headers, body) {
  const sender = new Worker(SENDER, { workerData: { url, headers, body, interval: INTERVAL } });
  return async () => {
    sender.postMessage('stop');
    const [times] = await once(sender, 'message');
    return times;
  };
}

const served = (name, withBodies) => async () => {
  buildExample();
  const { exampleRequests } = await import('../peers/exampleService.mjs');
  const paths = exampleRequests().map(({ path }) => path);
  const { url, processorTime } = await startServer('bodies', name);
  const headers = await logIn(url);
  const body = jsonText('records', 10 * MB);
  const document = await thereAndBack(url, headers, body);
  await steadyLoad({ url, paths, rate: RATE, milliseconds: WARM_UP });
  return {
    async sample() {
      const end = withBodies ? sendBodies(url, headers, body) : () => ({ imports: [0], exports: [0] });
      const used = await processorTime();
      const { times, failed } = await steadyLoad({ url, paths, rate: RATE, milliseconds: SAMPLE });
      const processor = (await processorTime()) - used;
      const { imports, exports } = await end();
      return {
        values: {
          p50: median(times),
          p99: percentile(times, 0.99),
          longest: Math.max(...times),
          import: median(imports),
          export: median(exports),
          processor: processor / SAMPLE / 10,
        },
        check: { document, failed },
      };
    },
  };
};

const NOTES = [
  `${RATE} small requests a second are sent at an even rate, whether or not those before have been answered, for ${SAMPLE / 1000} s a sample; every ${INTERVAL} ms 10 MB are posted, or fetched, in turn. Both come from a process beside the server's on the same machine, and take processor time from it.`,
  "`JSON.parse` is express.json() and res.json() in front of the same service, without ETags. The other endpoints are the service's own.",
];

const OTHERS = {
  p50: { unit: 'ms', better: 'lower' },
  p99: { unit: 'ms', better: 'lower', asked: [{ peer: 'keelson, no large bodies', atLeast: 0.95 }] },
  longest: { unit: 'ms', better: 'lower' },
};

export const benchmarks = [
  {
    name: 'json/service-others',
    question:
      "How long do the example service's other endpoints take to answer while it takes and serves bodies of 10 MB of JSON?",
    rounds: 3,
    metrics: OTHERS,
    contestants: {
      keelson: served('keelson', true),
      'keelson, no large bodies': served('keelson', false),
      'JSON.parse': served('JSON.parse', true),
    },
    notes: NOTES,
  },
  {
    name: 'json/service-bodies',
    question:
      'How long do the bodies of 10 MB themselves take then, and what share of a processor does the service take for all of it?',
    rounds: 3,
    metrics: {
      import: { unit: 'ms', better: 'lower' },
      export: { unit: 'ms', better: 'lower' },
      processor: { unit: '%', better: 'lower' },
    },
    contestants: { keelson: served('keelson', true), 'JSON.parse': served('JSON.parse', true) },
    notes: NOTES,
  },
];
