import { jsonValue } from '../data/json.mjs';
import { costNotes, costs, digest, observed, SIZES } from '../harness/bodies.mjs';
import { bufferers, stringifiers } from '../peers/json.mjs';

const KINDS = ['records', 'tree', 'strings'];
const STRINGIFIED = ['1KB', '1MB', '10MB', '100MB'];
/** yieldable-json takes minutes for a sample of the largest ones. */
const YIELDABLE = ['1KB', '1MB', '10MB'];

/** What was asked of 100 MB. */
const ASKED = {
  main: [{ peer: 'JSON.stringify', atLeast: 1 / 1.1 }],
  delay: [{ atMost: 35 }],
};

const stringifying = (makers, contestant, kind, size) => async () => {
  const { bytes, operations } = SIZES[size];
  const value = jsonValue(kind, bytes);
  const stringify = await makers[contestant]();
  return observed({ contestant, bytes, operations, step: () => stringify(value), check: digest });
};

const contestantsOf = (makers, kind, size) =>
  Object.fromEntries(
    Object.keys(makers)
      .filter((name) => name !== 'yieldable-json' || YIELDABLE.includes(size))
      .map((name) => [name, stringifying(makers, name, kind, size)]),
  );

const asString = (kind, size) => ({
  name: `json/stringify-${kind}-${size}`,
  question: `What does it cost to make a string of ${size} of JSON (${kind})?`,
  rounds: SIZES[size].rounds,
  metrics: costs({ bytes: SIZES[size].bytes, asked: size === '100MB' ? ASKED : {} }),
  contestants: contestantsOf(stringifiers, kind, size),
  notes: costNotes,
});

const asBuffer = (kind, size) => ({
  name: `json/stringify-${kind}-${size}-buffer`,
  question: `What does it cost to make a Buffer of ${size} of JSON (${kind}), as a response wants it?`,
  rounds: SIZES[size].rounds,
  metrics: costs({ bytes: SIZES[size].bytes }),
  contestants: contestantsOf(bufferers, kind, size),
  notes: costNotes,
});

export const benchmarks = [
  ...KINDS.flatMap((kind) => STRINGIFIED.map((size) => asString(kind, size))),
  asBuffer('records', '10MB'),
];
