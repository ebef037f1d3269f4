// Compares the JSON that the pool writes of random values with what JSON.stringify writes, in all forms:
// node scripts/json-stringify-differential.mjs [values] [seed]. It ends at the first difference, with both texts.
import { readFormat } from '../dist/json/stringify/format.js';
import { Serializer } from '../dist/json/stringify/serializer.js';
import keelson from '../index.js';
import { Random } from './json/random.mjs';
import { calls, format, maker, refusedMaker } from './json/values.mjs';

/** Values that are also written as one array or object, which is long enough to be sliced. */
const BATCH = 2000;
/** Sizes of groups, in units, from everything by hand on. */
const GROUPS = [1, 2, 8, 30, 200, 1000];

const [count = '1000000', chosen = String(Math.floor(Math.random() * 2 ** 32))] = process.argv.slice(2);
const wanted = Number(count);
console.log(`${wanted} values, seed ${chosen}`);
const pool = new keelson.JSONWorkerPool(1);
const tally = { written: 0, refused: 0, forms: 0 };

/** What a call gives or throws, and the toJSON calls on the way. */
function outcome(call) {
  calls.length = 0;
  try {
    return { result: call(), calls: calls.join() };
  } catch (error) {
    return { error };
  }
}

function inPieces(value, units, { replacer, space }) {
  const serializer = new Serializer(value, readFormat(replacer, space), units);
  let text;
  while (!serializer.done) {
    const piece = serializer.next();
    if (piece !== undefined) text = (text ?? '') + piece;
  }
  return text;
}

function sameError(got, due) {
  if (due instanceof TypeError && /circular/.test(due.message)) {
    return got instanceof keelson.CircularReferenceError;
  }
  return got?.constructor === due.constructor && got.message === due.message;
}

function compare(got, due, how) {
  const same =
    'error' in due ? sameError(got.error, due.error) : got.result === due.result && got.calls === due.calls;
  if (same) return;
  console.log(
    `DIFFERENCE, seed ${chosen}, after ${tally.written + tally.refused} values; ${JSON.stringify(how)}`,
  );
  console.log('pool:', got, '\nJSON.stringify:', due);
  process.exit(1);
}

/** Writes one value with groups of a size that most values exceed. */
function alone(random, make) {
  const how = format(random);
  const due = outcome(() => JSON.stringify(make(), how.replacer, how.space));
  const units = random.one(GROUPS);
  compare(
    outcome(() => inPieces(make(), units, how)),
    due,
    { units, ...how },
  );
  tally['error' in due ? 'refused' : 'written']++;
}

const FORMS = {
  string: (value, how) => pool.stringify(value, how),
  buffer: async (value, how) => (await pool.stringify(value, { ...how, as: 'buffer' })).toString(),
  chunks: async (value, how) => {
    const chunks = [];
    for await (const chunk of pool.stringify(value, { ...how, as: 'chunks' })) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  },
};

/** Bytes have no lone surrogates, which only white space can bring in. */
function asRead(form, due) {
  return form === 'string' || 'error' in due ? due : { ...due, result: Buffer.from(due.result).toString() };
}

/** Writes many values as one, in each form. */
async function together(random, makers) {
  const asObject = random.chance(0.3);
  const all = () => {
    const values = makers.map((make) => make());
    return asObject ? Object.fromEntries(values.map((value, index) => [`k${index}`, value])) : values;
  };
  const how = format(random);
  if (random.chance(0.1)) how.replacer = (_key, value) => (value === true ? undefined : value);
  if (how.space === undefined) delete how.space;
  const due = outcome(() => JSON.stringify(all(), how.replacer, how.space));
  for (const [form, write] of Object.entries(FORMS)) {
    calls.length = 0;
    // A list can name members that throw.
    const [got] = await Promise.allSettled([write(all(), how)]);
    if (got.status === 'rejected') compare({ error: got.reason }, due, { form, ...how });
    else compare({ result: got.value, calls: calls.join() }, asRead(form, due), { form, ...how });
    tally.forms++;
  }
}

const began = performance.now();
for (let index = 0; tally.written + tally.refused < wanted; index++) {
  const random = new Random((Number(chosen) + index * 0x9e3779b1) % 2 ** 32);
  const rest = wanted - tally.written - tally.refused;
  const makers = random.many(Math.min(BATCH, rest), () => maker(random));
  for (const make of makers) alone(random, random.chance(0.05) ? refusedMaker(random) : make);
  await together(random, makers);
}
await pool.destroy();
const seconds = ((performance.now() - began) / 1000).toFixed(0);
console.log(`${wanted} values in ${seconds} s: ${tally.written} written, ${tally.refused} refused`);
console.log(`${tally.forms} large values in all forms of them; no difference`);
