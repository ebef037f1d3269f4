import { createHash } from 'node:crypto';
import { random } from './zipf.mjs';

const SEED = 42;
/** How many paths are made, and then looked up, at a time: few enough to stay in the processor's cache. */
const CHUNK = 256;
const WARM_UP = 500;

/** The paths of all requests side by side in one buffer, as they come from a socket. */
function lineUp(requests) {
  const ends = new Uint32Array(requests.length + 1);
  requests.forEach(({ path }, i) => {
    ends[i + 1] = ends[i] + path.length;
  });
  const bytes = Buffer.from(requests.map(({ path }) => path).join(''), 'latin1');
  return { bytes, ends, methods: requests.map(({ method }) => method) };
}

function lookAll(look, router, methods, paths) {
  let sum = 0;
  for (let i = 0; i < CHUNK; i++) {
    sum += look(router, methods[i], paths[i]);
  }
  return sum;
}

/** `lookups` is the time of the lookups alone, in milliseconds. */
function replay(look, router, { bytes, ends, methods }, order) {
  const paths = new Array(CHUNK).fill('');
  const verbs = new Array(CHUNK).fill('');
  let sum = 0;
  let lookups = 0;
  for (let first = 0; first < order.length; first += CHUNK) {
    for (let i = 0; i < CHUNK; i++) {
      const at = order[first + i];
      // As Node's parser makes them: flat, and a new one each time, so that nobody has hashed it before.
      paths[i] = bytes.latin1Slice(ends[at], ends[at + 1]);
      verbs[i] = methods[at];
    }
    const start = performance.now();
    sum += lookAll(look, router, verbs, paths);
    lookups += performance.now() - start;
  }
  return { sum, lookups };
}

/** Each request as often as any other. */
function evenly(size, seed) {
  const uniform = random(seed);
  return () => Math.floor(uniform() * size);
}

/** What was found for every request, with the names and values of all parameters. */
function digest(answer, router, requests) {
  const hash = createHash('sha1');
  for (const { method, path } of requests) {
    const found = answer(router, method, path);
    hash.update(found === null ? '-' : JSON.stringify([found.id, Object.entries(found.params).sort()]));
  }
  return hash.digest('hex');
}

/**
 * A contestant that looks up requests, drawn from `requests`, all paths being strings made for the call.
 *
 * @param {object} options
 * @param {number} options.operations how many lookups a sample takes; rounded up to whole chunks
 * @param {{ method: string, path: string }[]} options.requests
 * @param {(size: number, seed: number) => () => number} [options.popularity] draws which request comes next
 * @param {number} [options.warmUp] for how long it does the same before the first sample, in milliseconds
 * @param {unknown} options.router
 * @param {(router: any, method: string, path: string) => number} options.look the timed part
 * @param {(router: any, method: string, path: string) => { id: number, params: object } | null} options.answer
 */
export function lookups({
  operations,
  requests,
  popularity = evenly,
  warmUp = WARM_UP,
  router,
  look,
  answer,
}) {
  const lined = lineUp(requests);
  const count = Math.ceil(operations / CHUNK) * CHUNK;
  const orderOf = (seed) => Uint32Array.from({ length: count }, popularity(requests.length, seed));
  const end = performance.now() + warmUp;
  for (let seed = 1; performance.now() < end; seed++) {
    replay(look, router, lined, orderOf(-seed));
  }
  let answers;
  return {
    async sample(round) {
      const order = orderOf(SEED + round);
      // The garbage of making the input is not the contestant's.
      gc({ type: 'minor' });
      const start = performance.now();
      const { sum, lookups } = replay(look, router, lined, order);
      const total = performance.now() - start;
      answers ??= digest(answer, router, requests);
      const each = (milliseconds) => (milliseconds * 1e6) / count;
      return {
        values: { time: each(lookups), 'with the path': each(total) },
        check: { sum, answers },
      };
    },
  };
}
