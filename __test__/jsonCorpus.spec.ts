import { JSONWorkerPool } from 'keelson';
import { type CorpusText, DEEP, INVALID, OPEN, VALID } from './support/jsonCorpus';
import { type Cuts, Pipeline } from './support/jsonPipeline';
import { difference } from './support/jsonSame';

const pool = new JSONWorkerPool(1);
const pipeline = new Pipeline();
afterAll(async () => {
  pipeline.close();
  await pool.destroy();
});

const GROUPS = [1, 2, 7, 64, 65_536];
const SIZES = [[1], [2], [3], [5], [1, 7, 2], [65_536]];
const MODES = ['auto', 'sliced'] as const;
const ALL: Cuts[] = GROUPS.flatMap((groupBytes) =>
  SIZES.flatMap((sizes) => MODES.map((mode) => ({ groupBytes, sizes, mode }))),
);

/** What JSON.parse takes of `data`, and what it makes of it; undefined if it refuses. */
function judge(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function formsOf(data: CorpusText): CorpusText[] {
  return typeof data === 'string' ? [data, Buffer.from(data)] : [data];
}

function* pieces(form: CorpusText): Generator<CorpusText> {
  for (let at = 0; at < form.length; at += 3) yield form.slice(at, at + 3);
}

/** How an outcome differs from what JSON.parse gives; undefined if it does not. */
function problem(outcome: PromiseSettledResult<unknown>, text: string): string | undefined {
  const wanted = judge(text);
  if (outcome.status === 'fulfilled') {
    return wanted ? difference(outcome.value, wanted.value) : 'accepted what JSON.parse refuses';
  }
  const { reason } = outcome;
  if (wanted) return `refused: ${reason.stack}`;
  if (!(reason instanceof SyntaxError)) return `no SyntaxError: ${reason.stack}`;
  const { code, position } = reason as SyntaxError & { code: string; position: number };
  const isPlace = Number.isInteger(position) && position >= 0 && position <= text.length;
  return isPlace && code === 'ERR_KEELSON_JSON_SYNTAX' ? undefined : `${code} at ${position}`;
}

/** All ways through the pool give what JSON.parse gives, and the same fault if it refuses. */
async function same(data: CorpusText, all = ALL): Promise<void> {
  for (const form of formsOf(data)) {
    const text = typeof form === 'string' ? form : Buffer.from(form).toString();
    const calls: Record<string, Promise<unknown>> = {
      direct: pool.parse(form),
      streamed: pool.parseStream(pieces(form)),
    };
    for (const cuts of all) calls[JSON.stringify(cuts)] = pipeline.parse(form, cuts);
    const outcomes = await Promise.allSettled(Object.values(calls));
    const found = Object.keys(calls).map((way, index) => [way, problem(outcomes[index]!, text)]);
    expect(found.filter(([, what]) => what !== undefined)).toStrictEqual([]);
    const faults = outcomes.map((outcome) => {
      const { message, position, line, column } = outcome.status === 'rejected' ? outcome.reason : {};
      return JSON.stringify([message, position, line, column]);
    });
    expect(new Set(faults).size).toBe(1);
  }
}

/** Whether JSON.parse takes what a text or bytes are. */
const takes = (data: CorpusText): boolean =>
  judge(typeof data === 'string' ? data : Buffer.from(data).toString()) !== undefined;

describe('every class of text, however it is cut and grouped', () => {
  test.each(Object.entries(VALID))('valid: %s', async (_, data) => {
    expect(takes(data)).toBe(true);
    await same(data);
  });

  test.each(Object.entries(OPEN))('left open: %s', async (_, data) => {
    await same(data);
  });

  test.each(Object.entries(INVALID))('invalid: %s', async (_, data) => {
    expect(takes(data)).toBe(false);
    await same(data);
  });
});

test('every prefix of a document is refused but the whole one', async () => {
  const text = ' {"a\\u0041": [1.5e-3, -0, true, null, "\\ud83d\ude00é"], "b": {"c": false}} ';
  for (let end = 0; end <= text.length; end++) await same(text.slice(0, end), ALL.slice(0, 6));
});

test('texts in the midst of a large one that is compiled are what they are alone', async () => {
  const rows = Array.from({ length: 600 }, (_, id) =>
    JSON.stringify({ id, name: `row ${id}`, value: id / 7 }),
  );
  const texts = [...Object.values(VALID), ...Object.values(OPEN)].filter(takes);
  for (const form of ['string', 'bytes'] as const) {
    const own = texts.map((text) => (typeof text === 'string' ? text : Buffer.from(text).toString()));
    const elements = own.flatMap((text, index) => [
      ...rows.slice(0, index === 0 ? 600 : 3),
      text,
      `{"id":${index},"name":"x","value":${text}}`,
    ]);
    for (const text of [`[${elements}]`, `{${elements.map((element, index) => `"k${index}":${element}`)}}`]) {
      const wanted = JSON.parse(form === 'string' ? text : Buffer.from(text).toString());
      for (const groupBytes of [1, 300, 4096, 65_536]) {
        const got = await pipeline.parse(form === 'string' ? text : Buffer.from(text), { groupBytes });
        expect(difference(got, wanted)).toBeUndefined();
      }
      expect(
        difference(await pool.parse(form === 'string' ? text : Buffer.from(text)), wanted),
      ).toBeUndefined();
    }
  }
});

test('a text that JSON is not spoils the large one that it stands in', async () => {
  const rows = Array.from({ length: 2000 }, (_, id) => JSON.stringify({ id, name: `row ${id}` })).join();
  for (const [name, data] of Object.entries(INVALID)) {
    const text = typeof data === 'string' ? data : Buffer.from(data).toString();
    const within = `[${rows},\n{"bad":[${text}]},${rows}]`;
    if (takes(within)) continue;
    const error: any = await pool.parse(within).catch((reason) => reason);
    expect([name, error.constructor.name]).toStrictEqual([name, 'JSONSyntaxError']);
    const before = rows.length + 2;
    expect(error.position).toBeGreaterThanOrEqual(before);
    expect(error.line).toBeGreaterThanOrEqual(2);
  }
});

describe('100,000 containers in each other', () => {
  test.each(Object.entries(DEEP))(
    '%s',
    async (_, text) => {
      const calls = [
        pool.parse(text),
        pipeline.parse(Buffer.from(text), { groupBytes: 1 }),
        pipeline.parse(text, { sizes: [997], mode: 'sliced' }),
      ];
      for (const outcome of await Promise.allSettled(calls)) expect(problem(outcome, text)).toBeUndefined();
    },
    30_000,
  );
});
