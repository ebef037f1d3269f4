import { jsonText } from '../data/json.mjs';
import { costNotes, costs, digest, observed, SIZES } from '../harness/bodies.mjs';
import { timed } from '../harness/timed.mjs';
import { random } from '../harness/zipf.mjs';
import { columnReaders, fieldReaders, openDocuments } from '../peers/json.mjs';

const READS = 1000;

/** How many records a document of the size has. */
const countOf = (text) => JSON.parse(text.toString()).items.length;

/** Of a document of records, opened anew for each operation. */
const reading =
  (readers, size, operations, indexesOf = () => []) =>
  (contestant) =>
  async () => {
    const { bytes } = SIZES[size];
    const body = jsonText('records', bytes);
    const indexes = indexesOf(countOf(body));
    const read = await readers[contestant]();
    return observed({
      contestant,
      bytes,
      operations,
      step: () => read(body, indexes),
      check: (values) => digest(JSON.stringify(values)),
    });
  };

const contestantsOf = (readers, make) =>
  Object.fromEntries(Object.keys(readers).map((name) => [name, make(name)]));

/** Three records: near the beginning, in the middle, near the end. */
const spread = (count) => [0.1, 0.5, 0.9].map((share) => Math.floor(count * share));

const ASKED = [
  { peer: 'JSON.parse', atLeast: 12 },
  { peer: 'simdjson lazyParse', atLeast: 5 },
];

const fieldsOf = (size, asked) => ({
  name: `json/fields-${size}`,
  question: `What does it cost to open ${size} of JSON in a Buffer and to read three members of each of three records in it?`,
  rounds: SIZES[size].rounds,
  metrics: costs({ bytes: SIZES[size].bytes, asked: { main: asked } }),
  contestants: contestantsOf(fieldReaders, reading(fieldReaders, size, SIZES[size].operations * 2, spread)),
  notes: costNotes,
});

const columnOf = (size) => ({
  name: `json/column-${size}`,
  question: `What does it cost to open ${size} of JSON in a Buffer and to read one member of every record in it?`,
  rounds: SIZES[size].rounds,
  metrics: costs({ bytes: SIZES[size].bytes }),
  contestants: contestantsOf(columnReaders, reading(columnReaders, size, SIZES[size].operations)),
  notes: [
    ...costNotes,
    "simdjson's lazy document has no wildcards, and would go through the list from its start for each record.",
  ],
});

/** Reads at random from a document that is open already. */
const readingOpen = (contestant) => async () => {
  const body = jsonText('records', SIZES['10MB'].bytes);
  const count = countOf(body);
  const read = await openDocuments[contestant](body);
  return timed({
    operations: READS,
    prepare(round) {
      const uniform = random(round);
      return Array.from({ length: READS }, () => Math.floor(uniform() * count));
    },
    run(indexes) {
      let sum = 0;
      for (const index of indexes) {
        sum += read(index);
      }
      return sum;
    },
  });
};

export const benchmarks = [
  fieldsOf('1MB'),
  fieldsOf('10MB', ASKED),
  fieldsOf('100MB'),
  columnOf('10MB'),
  {
    name: 'json/get-open-10MB',
    question:
      'What does reading a member of a record at random cost in 10 MB of JSON that have been opened before?',
    rounds: 5,
    metrics: { time: { unit: 'ns/op', better: 'lower' } },
    contestants: contestantsOf(openDocuments, readingOpen),
    notes: ['Who has the objects on the heap reads them fastest; making them is what json/fields measures.'],
  },
];
