// Compares what the JSON pool makes of mutated documents with what JSON.parse makes of them, in String and Buffer
// form: node scripts/json-differential.mjs [documents] [seed]. It ends at the first difference, with the text.
import { Pipeline } from '../__test__/support/jsonPipeline.js';
import { kindOfDocument } from './json/documents.mjs';
import { mutateBytes, mutateText } from './json/mutations.mjs';
import { anyCuts, compare, isSafe, join, judge, shrink } from './json/parse-trials.mjs';
import { Random } from './json/random.mjs';

/** Documents that are alike, and are also parsed together: enough of them to be worth generated code. */
const BATCH = 500;
/** Units of unchanged documents of the same kind that go with them. */
const WARM_UP = 20_000;
/** Documents that are under way at once. */
const AT_ONCE = 50;

const [count = '1000000', chosen = String(Math.floor(Math.random() * 2 ** 32))] = process.argv.slice(2);
const wanted = Number(count);
console.log(`${wanted} documents, seed ${chosen}`);

const pipeline = new Pipeline(2);
const tally = { documents: 0, accepted: 0, refused: 0, together: 0 };

/** Parses each of the trials by itself. */
async function alone(trials) {
  for (let at = 0; at < trials.length; at += AT_ONCE) {
    const some = trials.slice(at, at + AT_ONCE);
    const outcomes = await Promise.allSettled(some.map(({ data, cuts }) => pipeline.parse(data, cuts)));
    for (const [index, outcome] of outcomes.entries()) {
      const { data, cuts, verdict } = some[index];
      const found = compare(outcome, verdict);
      if (found !== undefined) await report(data, cuts, found);
      tally['value' in verdict ? 'accepted' : 'refused']++;
    }
  }
}

async function differs(data, cuts) {
  const [outcome] = await Promise.allSettled([pipeline.parse(data, cuts)]);
  return compare(outcome, judge(data));
}

/** Tells a difference by the shortest text that is found to have one, and ends. */
async function report(data, cuts, found) {
  const isText = typeof data === 'string';
  const whole = (units) => (isText ? units.join('') : Buffer.from(units));
  const fails = async (units) => (await differs(whole(units), cuts)) !== undefined;
  const least = whole(await shrink([...(isText ? data.split('') : data)], fails, 20_000));
  const form = isText ? JSON.stringify(least) : `bytes ${least.toString('hex')} (${least})`;
  tell(`${form}\nwith ${JSON.stringify(cuts)}: ${(await differs(least, cuts)) ?? found}`);
}

function tell(what) {
  console.log(`DIFFERENCE, seed ${chosen}, after ${tally.documents} documents\n${what}`);
  process.exit(1);
}

/** Parses as one document all texts that are JSON, and compares each of them. */
async function together(random, form, verdicts, siblings) {
  const good = siblings.concat(verdicts.filter((verdict) => 'value' in verdict).map(({ text }) => text));
  if (random.chance(0.3)) random.shuffle(good);
  const seed = random.below(2 ** 32);
  const cuts = {
    groupBytes: random.one([64, 1000, 16_384, 65_536, 65_536, 65_536]),
    sizes: [random.one([997, 65_536])],
    mode: random.chance(0.9) ? 'auto' : 'sliced',
  };
  const trial = async (texts) => {
    const { text, pick } = join(new Random(seed), texts);
    try {
      const got = pick(await pipeline.parse(form(text), cuts));
      if (got.length !== texts.length) return { at: 0, found: `${got.length} values of ${texts.length}` };
      for (const [at, text] of texts.entries()) {
        const found = compare({ status: 'fulfilled', value: got[at] }, judge(form(text)));
        if (found !== undefined) return { at, found };
      }
    } catch (error) {
      return { at: 0, found: error.stack };
    }
    return undefined;
  };
  const result = await trial(good);
  tally.together += good.length - siblings.length;
  if (result === undefined) return;
  const least = await shrink(good, async (texts) => (await trial(texts)) !== undefined, 2000);
  const { text } = join(new Random(seed), least);
  tell(`${text}\nwith ${JSON.stringify(cuts)}: ${JSON.stringify((await trial(least)) ?? result)}`);
}

/** Documents that were not changed: together they are worth code, which the others then have to fit. */
function unchanged(random, make) {
  const siblings = [];
  if (random.chance(0.1)) return siblings;
  for (let units = 0; units < WARM_UP && siblings.length < 2 * BATCH; units += siblings.at(-1).length) {
    siblings.push(make(random));
  }
  return siblings;
}

/** A document that was changed, as a text and as bytes. */
function mutant(random, make) {
  for (;;) {
    const text = mutateText(random, make(random));
    const bytes = random.chance(0.5) ? mutateBytes(random, text) : Buffer.from(text);
    if (isSafe(text) && isSafe(bytes.toString())) return { text, bytes };
  }
}

async function batch(random, size) {
  const make = kindOfDocument(random, isSafe);
  const mutants = random.many(size, () => mutant(random, make));
  const siblings = unchanged(random, make);
  for (const [form, documents] of [
    [String, mutants.map(({ text }) => text)],
    [Buffer.from, mutants.map(({ bytes }) => bytes)],
  ]) {
    const trials = documents.map((data) => ({
      data,
      cuts: anyCuts(random, data.length),
      verdict: judge(data),
    }));
    await alone(trials);
    const verdicts = trials.map(({ verdict }) => verdict);
    await together(random, form, verdicts, siblings);
  }
  tally.documents += size;
}

const began = performance.now();
for (let index = 0; tally.documents < wanted; index++) {
  const random = new Random((Number(chosen) + index * 0x9e3779b1) % 2 ** 32);
  await batch(random, Math.min(BATCH, wanted - tally.documents));
}
pipeline.close();
const seconds = ((performance.now() - began) / 1000).toFixed(0);
const { documents, accepted, refused, together: grouped } = tally;
console.log(`${documents} documents in both forms in ${seconds} s: ${accepted} accepted, ${refused} refused`);
console.log(`${grouped} compared once more as parts of large documents; no difference`);
