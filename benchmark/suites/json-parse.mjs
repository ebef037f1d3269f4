import { jsonText } from '../data/json.mjs';
import { costNotes, costs, digest, observed, SIZES } from '../harness/bodies.mjs';
import { parsers } from '../peers/json.mjs';

const EVERYWHERE = ['keelson', 'JSON.parse', 'piscina + JSON.parse'];
/** Up to which size each of the others is asked, one document at a time; beyond, a sample takes minutes. */
const OTHERS = { simdjson: '100MB', 'stream-json': '100MB', 'yieldable-json': '10MB' };

const SIZE_NAMES = Object.keys(SIZES);
const NO_LARGER = (size, limit) => SIZE_NAMES.indexOf(size) <= SIZE_NAMES.indexOf(limit);

/** What was asked of each size, of documents that are not told to be an exception. */
const ASKED = {
  '1KB': { main: [{ peer: 'JSON.parse', atLeast: 1 / 1.05 }] },
  '10MB': { main: [{ peer: 'JSON.parse', atLeast: 1 / 0.7 }], delay: [{ atMost: 30 }] },
  '100MB': { main: [{ peer: 'JSON.parse', atLeast: 1 / 0.5 }], delay: [{ atMost: 30 }] },
};
/** Against a pool of threads, for documents of records of at least 1 MB. */
const AGAINST_POOL = [{ peer: 'piscina + JSON.parse', atLeast: 1 / 0.6 }];

function askedOf(kind, size) {
  const { main = [], delay } = ASKED[size] ?? {};
  const againstPool = kind.startsWith('records') && NO_LARGER('1MB', size) ? AGAINST_POOL : [];
  return { main: [...main, ...againstPool], wall: againstPool, delay };
}

const parsing =
  (contestant, { kind, bytes, operations, atOnce, asString }) =>
  async () => {
    const text = jsonText(kind, bytes);
    const body = asString ? text.toString() : text;
    const parse = await parsers[contestant]();
    return observed({
      contestant,
      bytes,
      operations,
      atOnce,
      step: () => parse(body),
      check: (value) => digest(JSON.stringify(value)),
    });
  };

/**
 * @param {string} kind of ../data/json.mjs
 * @param {string} size
 * @param {object} [options]
 * @param {number} [options.atOnce]
 * @param {boolean} [options.asString] whether the document comes as a string, and not in a Buffer
 * @param {boolean} [options.exception] a kind for which nothing was asked: here a peer may win
 */
function benchmarkOf(kind, size, { atOnce = 1, asString = false, exception = false } = {}) {
  const { bytes, operations, rounds } = SIZES[size];
  const others = Object.keys(OTHERS).filter((name) => atOnce === 1 && NO_LARGER(size, OTHERS[name]));
  const contestants = [...EVERYWHERE, ...others].map((name) => [
    name,
    parsing(name, { kind, bytes, operations, atOnce, asString }),
  ]);
  const form = asString ? 'a string' : 'a Buffer';
  const suffix = `${atOnce > 1 ? `-x${atOnce}` : ''}${asString ? '-string' : ''}`;
  return {
    name: `json/parse-${kind.replaceAll(/\W+/g, '-')}-${size}${suffix}`,
    question: `What does parsing ${size} of JSON (${kind}) in ${form} cost${atOnce > 1 ? `, ${atOnce} at once` : ''}?`,
    rounds,
    metrics: costs({ bytes, asked: exception ? {} : askedOf(kind, size) }),
    contestants: Object.fromEntries(contestants),
    notes: costNotes,
  };
}

/** 32 of 100 MB at once do not fit into one heap. */
const COUNTS = { '100MB': [1, 4] };

export const benchmarks = [
  ...SIZE_NAMES.flatMap((size) =>
    (COUNTS[size] ?? [1, 4, 32]).map((atOnce) => benchmarkOf('records', size, { atOnce })),
  ),
  benchmarkOf('records', '10MB', { asString: true }),
  ...['records, not ASCII', 'tree', 'geo'].map((kind) => benchmarkOf(kind, '10MB')),
  ...['records, optional members', 'matrix', 'strings', 'integers', 'one string'].map((kind) =>
    benchmarkOf(kind, '10MB', { exception: true }),
  ),
];
