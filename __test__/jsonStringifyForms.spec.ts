import { CircularReferenceError, InvalidArgumentError, JSONWorkerPool, TimeoutError } from 'keelson';
import { startCollecting } from '../dist/json/stringify/collect';
import { readFormat } from '../dist/json/stringify/format';
import { open } from '../dist/json/stringify/source';
import { Texts } from '../dist/json/stringify/texts';
import { inPieces, UNITS } from './support/json';

let pool: JSONWorkerPool;
beforeAll(() => {
  pool = new JSONWorkerPool(4);
});
afterAll(() => pool.destroy());

const LONG = 20_000;

/** About 1.5 MB of JSON: many slices. */
function records(): unknown[] {
  return Array.from({ length: LONG }, (_, id) => ({
    id,
    name: `Näme ${id} 名`,
    tags: ['a', 'b'],
    nested: { id },
  }));
}

async function gather(chunks: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

describe('forms', () => {
  test.each([
    ['short', () => ({ a: [1, 'ü', null] })],
    ['long', records],
    ['one long text', () => '😀"'.repeat(100_000)],
  ])('a %s value is the same as a string, a Buffer and chunks', async (_name, make) => {
    for (const space of [undefined, 2]) {
      const wanted = JSON.stringify(make(), null, space);
      const given = space === undefined ? {} : { space };
      expect((await pool.stringify(make(), given)) === wanted).toBe(true);
      expect((await pool.stringify(make(), { ...given, as: 'buffer' })).equals(Buffer.from(wanted))).toBe(
        true,
      );
      const chunks = await gather(pool.stringify(make(), { ...given, as: 'chunks' }));
      expect(Buffer.concat(chunks).equals(Buffer.from(wanted))).toBe(true);
    }
  });

  test.each([
    ['ASCII', 'x', 'y'],
    ['Latin-1', 'é', 'ÿ'],
    ['wide', '語', '😀'],
    ['Latin-1 that becomes wide at its end', 'é', '€'],
    ['lone surrogates, which JSON escapes', '\ud800', '\udc00'],
  ])('a string of more than a million units of %s is like any other', async (_name, most, last) => {
    const value = [...Array.from({ length: 20_000 }, (_, id) => ({ id, text: most.repeat(60) })), last];
    const wanted = JSON.stringify(value);
    const got = await pool.stringify(value);
    expect(got === wanted).toBe(true);
    expect(got.length).toBe(wanted.length);
    expect(`${got}!`.endsWith(`${JSON.stringify(last)}]!`)).toBe(true);
    expect(got.slice(-200, -1) + got.charAt(7)).toBe(wanted.slice(-200, -1) + wanted.charAt(7));
    expect(/"id":19999,/.exec(got)?.index).toBe(wanted.indexOf('"id":19999,'));
    expect(Buffer.from(got).equals(Buffer.from(wanted))).toBe(true);
    expect(JSON.parse(got)).toEqual(value);
  });

  test('chunks are of about 64 KB, those of a replacer function too', async () => {
    for (const replacer of [null, (_key: string, value: unknown) => value]) {
      const chunks = await gather(pool.stringify(records(), { as: 'chunks', replacer }));
      expect(chunks.length).toBeGreaterThan(10);
      for (const chunk of chunks) expect(chunk.length).toBeLessThan(300_000);
      expect(Buffer.concat(chunks).toString() === JSON.stringify(records())).toBe(true);
    }
  });

  test.each([undefined, () => 1, Symbol('s'), { toJSON: () => undefined }])(
    '%p has no JSON',
    async (value) => {
      await expect(pool.stringify(value)).resolves.toBeUndefined();
      await expect(pool.stringify(value, { as: 'buffer' })).rejects.toThrow(InvalidArgumentError);
      await expect(gather(pool.stringify(value, { as: 'chunks' }))).rejects.toThrow(InvalidArgumentError);
    },
  );

  test('a long value that toJSON makes nothing of has none either', async () => {
    const value = Object.assign(records(), { toJSON: () => undefined });
    await expect(pool.stringify(value)).resolves.toBeUndefined();
    await expect(pool.stringify(value, { as: 'buffer' })).rejects.toThrow('"value" must have JSON');
  });

  test('a short value is done within its turn', async () => {
    let turns = 0;
    const counting = setImmediate(() => turns++);
    await pool.stringify({ a: 1 });
    await pool.stringify({ a: 1 }, { as: 'buffer' });
    expect(turns).toBe(0);
    clearImmediate(counting);
  });

  test('a long one lets the event loop turn', async () => {
    let turns = 0;
    let running = true;
    const count = () => {
      turns++;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    await pool.stringify(records());
    running = false;
    expect(turns).toBeGreaterThan(1);
  });

  test('a text that no string can hold is an error that names chunks', async () => {
    // The same piece again and again, so that it takes neither time nor memory.
    const piece = 'x'.repeat(2 ** 24);
    const endless = { done: false, next: () => piece };
    const task: any = { priority: 'normal', figures: { mainTime: { record() {} }, written: 0 } };
    const error = await new Promise<unknown>((fail) => {
      startCollecting(Object.assign(task, { fail }), () => endless, 'string');
    });
    expect(error).toMatchObject({
      code: 'ERR_KEELSON_JSON_LIMIT',
      limit: 'maxStringLength',
      message: expect.stringContaining("'chunks'"),
    });
  });
});

describe('replacer function', () => {
  test('has the holders, keys and order of JSON.stringify', async () => {
    const value = { a: [1, { b: new Date(0) }], c: undefined, d: { toJSON: (key: string) => key } };
    const calls: unknown[][] = [];
    function replacer(this: unknown, key: string, member: unknown): unknown {
      calls.push([JSON.stringify(this), key, member]);
      return key === 'c' ? 'replaced' : member;
    }
    const wanted = JSON.stringify(value, replacer, 1);
    const order = calls.splice(0);
    await expect(pool.stringify(value, { replacer, space: 1 })).resolves.toBe(wanted);
    expect(calls).toStrictEqual(order);
  });

  test('names the path of a cycle, without being called again', async () => {
    const value: Record<string, unknown> = { x: [0, { 'a/b~': {} }] };
    const inner = (value.x as any)[1]['a/b~'];
    inner.up = (value.x as any)[1];
    const calls: string[] = [];
    const replacer = (key: string, member: unknown) => {
      calls.push(key);
      return member;
    };
    const error = await pool.stringify(value, { replacer }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(CircularReferenceError);
    expect(error).toMatchObject({ path: '/x/1/a~1b~0/up', target: '/x/1' });
    expect(calls).toStrictEqual(['', 'x', '0', '1', 'a/b~', 'up']);
  });

  test('passes on what it throws', async () => {
    const replacer = () => {
      throw new TypeError('Converting circular structure, says a replacer');
    };
    await expect(pool.stringify({}, { replacer })).rejects.toThrow('says a replacer');
  });
});

describe('cycles', () => {
  const cases: [string, () => unknown, string, string][] = [
    [
      'of the root',
      () => {
        const root: Record<string, unknown> = { a: 1 };
        root.self = root;
        return root;
      },
      '/self',
      '',
    ],
    [
      'deep down',
      () => {
        const loop: unknown[] = [1];
        loop.push({ '~/': loop });
        return { a: [0, { b: loop }] };
      },
      '/a/1/b/1/~0~1',
      '/a/1/b',
    ],
    [
      'that toJSON makes',
      () => {
        const loop: Record<string, unknown> = {};
        loop.again = { toJSON: () => loop };
        return [1, { loop }];
      },
      '/1/loop/again',
      '/1/loop',
    ],
    [
      'of a long value',
      () => {
        const root: any[] = records();
        root[LONG / 2].nested.root = root;
        return { root };
      },
      `/root/${LONG / 2}/nested/root`,
      '/root',
    ],
  ];
  test.each(cases)('%s are found, with their path', async (_name, make, path, target) => {
    await expect(pool.stringify(make())).rejects.toMatchObject({
      constructor: CircularReferenceError,
      path,
      target,
    });
    await expect(pool.stringify(make(), { space: 1 })).rejects.toMatchObject({ path, target });
    await expect(gather(pool.stringify(make(), { as: 'chunks' }))).rejects.toMatchObject({ path, target });
    for (const units of UNITS) {
      let error: unknown;
      try {
        inPieces(make(), units);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toMatchObject({ path, target });
    }
  });

  test('what is there twice is no cycle', async () => {
    const shared = { a: [1] };
    const value = { shared, list: [shared, shared], deep: { shared } };
    await expect(pool.stringify(value)).resolves.toBe(JSON.stringify(value));
    for (const units of UNITS) expect(inPieces(value, units)).toBe(JSON.stringify(value));
  });
});

describe('stopping', () => {
  test('an aborted signal rejects with its reason before anything is read', async () => {
    const reason = new Error('gone');
    const signal = AbortSignal.abort(reason);
    const toJSON = jest.fn();
    for (const as of ['string', 'buffer'] as const) {
      await expect(pool.stringify({ toJSON }, { as: as as 'string', signal })).rejects.toBe(reason);
    }
    await expect(gather(pool.stringify({ toJSON }, { as: 'chunks', signal }))).rejects.toBe(reason);
    expect(toJSON).not.toHaveBeenCalled();
  });

  /** Records of which the middle one calls `reached`, and the last one `ended`. */
  function watched(reached: () => void, ended: () => void): unknown[] {
    const value: any[] = records();
    value[LONG / 2] = { toJSON: reached };
    value[LONG - 1] = { toJSON: ended };
    return value;
  }

  test.each(['string', 'buffer', 'chunks'])(
    'a signal stops the work on a %s at the next slice',
    async (as) => {
      const controller = new AbortController();
      const ended = jest.fn();
      const value = watched(() => controller.abort('enough'), ended);
      const { signal } = controller;
      const work =
        as === 'chunks'
          ? gather(pool.stringify(value, { as, signal }))
          : pool.stringify(value, { as: as as 'string', signal });
      await expect(work).rejects.toBe('enough');
      expect(ended).not.toHaveBeenCalled();
    },
  );

  test('so does a timeout', async () => {
    const ended = jest.fn();
    const value = watched(() => {
      const end = performance.now() + 6;
      while (performance.now() < end);
    }, ended);
    const work = pool.stringify(value, { timeout: 5 });
    await expect(work).rejects.toMatchObject({
      constructor: TimeoutError,
      timeout: 5,
      code: 'ERR_KEELSON_TIMEOUT',
    });
    expect(ended).not.toHaveBeenCalled();
  });
});

describe('chunks', () => {
  test('are made only as they are taken', async () => {
    let reads = 0;
    const value = Array.from({ length: 400 }, () => ({
      toJSON() {
        reads++;
        return 'x'.repeat(20_000);
      },
    }));
    const chunks = pool.stringify(value, { as: 'chunks' });
    expect(reads).toBe(0);
    await chunks.next();
    await turns(50);
    const ahead = reads;
    expect(ahead).toBeLessThan(40);
    await turns(50);
    expect(reads).toBe(ahead);
    await chunks.return!();
    await turns(10);
    expect(reads).toBe(ahead);
    await expect(chunks.next()).resolves.toStrictEqual({ done: true, value: undefined });
  });

  test('a break in for await ends the work', async () => {
    const ended = jest.fn();
    const value: unknown[] = records();
    value.push({ toJSON: ended });
    for await (const chunk of pool.stringify(value, { as: 'chunks' })) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await turns(100);
    expect(ended).not.toHaveBeenCalled();
  });

  test('next may be called several times at once, and return settles what waits', async () => {
    const chunks = pool.stringify(records(), { as: 'chunks' });
    const several = await Promise.all([chunks.next(), chunks.next(), chunks.next()]);
    const whole = Buffer.from(JSON.stringify(records()));
    const begin = Buffer.concat(several.map(({ value }) => value!));
    expect(begin.equals(whole.subarray(0, begin.length))).toBe(true);
    const waiting = Array.from({ length: 10 }, () => chunks.next());
    await chunks.return!();
    const rest = await Promise.all(waiting);
    expect(rest.at(-1)).toStrictEqual({ done: true, value: undefined });
  });

  test('throw ends them, and rejects with what it was given', async () => {
    const chunks = pool.stringify(records(), { as: 'chunks' });
    await chunks.next();
    await expect(chunks.throw!(new Error('mine'))).rejects.toThrow('mine');
    await expect(chunks.next()).resolves.toMatchObject({ done: true });
  });

  test('an error comes after the chunks before it, once', async () => {
    const value = [
      ...records(),
      {
        toJSON() {
          throw new Error('late');
        },
      },
    ];
    const chunks = pool.stringify(value, { as: 'chunks' });
    let taken = 0;
    await expect(
      (async () => {
        for await (const _ of chunks) taken++;
      })(),
    ).rejects.toThrow('late');
    expect(taken).toBeGreaterThan(10);
    await expect(chunks.next()).resolves.toMatchObject({ done: true });
  });

  test('are none of a source that was ended before', async () => {
    const texts = new Texts(() => open([1], readFormat(null, 0)), 'low');
    texts.end();
    await expect(texts.take()).resolves.toBeUndefined();
  });
});

describe('snapshot', () => {
  test('writes the value as it was at the call', async () => {
    const value: any[] = records();
    const wanted = JSON.stringify(value);
    const works = [
      pool.stringify(value, { snapshot: true }),
      gather(pool.stringify(value, { snapshot: true, as: 'chunks' })).then((all) =>
        Buffer.concat(all).toString(),
      ),
    ];
    for (const record of value) record.name = 'changed';
    value.length = 5;
    for (const text of await Promise.all(works)) expect(text === wanted).toBe(true);
  });

  test('refuses functions', async () => {
    const refused = expect(pool.stringify({ a: () => 1 }, { snapshot: true })).rejects;
    await refused.toMatchObject({ name: 'DataCloneError' });
  });
});

test('options are checked', async () => {
  const wrong: any[] = [
    [],
    { sapce: 1 },
    { as: 'text' },
    { priority: 1 },
    { timeout: 0 },
    { timeout: 2 ** 31 },
    { timeout: Number.NaN },
    { signal: {} },
    { snapshot: 1 },
  ];
  for (const options of wrong) await expect(pool.stringify(1, options)).rejects.toThrow(InvalidArgumentError);
  expect(() => pool.stringify(1, { as: 'chunks', timeout: -1 })).toThrow('"timeout" must be a number from');
});

describe('in the figures of a pool', () => {
  let fresh: JSONWorkerPool;
  beforeEach(() => {
    fresh = new JSONWorkerPool(2);
  });
  afterEach(() => fresh.destroy());

  test('every form is a call, with its bytes and its time', async () => {
    const text = JSON.stringify(records());
    const bytes = Buffer.byteLength(text);
    await fresh.stringify([1]);
    await fresh.stringify([1], { as: 'buffer' });
    expect(fresh.metrics()).toMatchObject({ processed: 2, direct: 2, bytes: { parsed: 0, written: 6 } });
    await fresh.stringify(records());
    expect(fresh.metrics()).toMatchObject({ processed: 3, bytes: { written: 6 + text.length } });
    await fresh.stringify(records(), { as: 'buffer' });
    await gather(fresh.stringify(records(), { as: 'chunks' }));
    const { bytes: counted, ...rest } = fresh.metrics();
    expect(counted).toEqual({ parsed: 0, written: 6 + text.length + 2 * bytes });
    expect(rest).toMatchObject({ processed: 5, direct: 2, active: 0, mainTime: { count: 3 } });
    expect(rest.mainTime.max).toBeGreaterThan(0);
  });

  test('what was read is counted too, in units and bytes', async () => {
    const text = JSON.stringify(records());
    const bytes = Buffer.from(text);
    await fresh.parse('[1]');
    await fresh.parse(Buffer.from('["é"]'));
    await fresh.parse(text);
    await fresh.parse(bytes);
    await fresh.parseStream([bytes, bytes.subarray(0, 0), '  ']);
    expect(fresh.metrics().bytes).toEqual({ parsed: 3 + 6 + text.length + 2 * bytes.length + 2, written: 0 });
  });

  test('refusals are not counted, aborts as such, chunks once they have ended', async () => {
    const signal = AbortSignal.abort('before');
    for (const as of ['string', 'buffer'] as const) {
      await expect(fresh.stringify([1], { as, signal })).rejects.toBe('before');
      await expect(fresh.stringify([1], { as, sapce: 1 } as any)).rejects.toThrow(InvalidArgumentError);
    }
    await expect(fresh.stringify([1], { as: 'chunks', signal }).next()).rejects.toBe('before');
    expect(fresh.metrics()).toMatchObject({ processed: 0, errors: { aborted: 0, other: 0 } });

    const controller = new AbortController();
    const stopped = fresh.stringify(records(), { as: 'chunks', signal: controller.signal });
    await stopped.next();
    expect(fresh.metrics()).toMatchObject({ processed: 0, active: 1 });
    await fresh.flush();
    controller.abort('meanwhile');
    await expect(stopped.next()).rejects.toBe('meanwhile');
    await expect(stopped.next()).resolves.toStrictEqual({ done: true, value: undefined });
    for await (const _ of fresh.stringify(records(), { as: 'chunks' })) break;
    expect(fresh.metrics()).toMatchObject({ processed: 2, active: 0, errors: { aborted: 1, other: 0 } });
  });

  test('destroy() ends chunks, and so does what they were never asked for', async () => {
    const begun = fresh.stringify(records(), { as: 'chunks' });
    const untouched = fresh.stringify(records(), { as: 'chunks' });
    await begun.next();
    await fresh.destroy();
    for (const chunks of [begun, untouched]) {
      await expect(chunks.next()).rejects.toMatchObject({ code: 'ERR_KEELSON_DESTROYED' });
      await expect(chunks.next()).resolves.toMatchObject({ done: true });
    }
  });

  test('the mean duration is that of all calls, small ones too', async () => {
    for (let call = 0; call < 300; call++) await fresh.parse('[1]');
    const small = fresh.getStats().avgProcessingTime;
    expect(small).toBeGreaterThan(0);
    const value = records();
    await fresh.stringify(value);
    const { duration } = fresh.metrics();
    expect(duration.count).toBe(1);
    expect(fresh.getStats().avgProcessingTime).toBeCloseTo((small * 300 + duration.mean) / 301, 6);
  });

  test('null is no options', async () => {
    expect(await fresh.stringify([1], null)).toBe('[1]');
    expect(await fresh.parse('[1]', null)).toEqual([1]);
    expect(await fresh.parse('[1]', { reviver: null })).toEqual([1]);
    expect(await fresh.parseStream(['[1]'], null)).toEqual([1]);
    expect(await fresh.ndjson(['1'], null).next()).toEqual({ done: false, value: [1] });
    expect((await fresh.openDocument('[1]', null)).get('/0')).toBe(1);
    expect(await fresh.enqueueTask('parse', '[1]', null)).toEqual([1]);
    expect(await fresh.enqueueTask('stringify', [1], { unknown: 1 } as any)).toBe('[1]');
  });
});

test("a TypeError of a toJSON is the toJSON's, whatever its message", async () => {
  const thrown = Object.assign(new TypeError('x'), { message: 5 });
  const toJSON = () => {
    throw thrown;
  };
  await expect(pool.stringify({ toJSON })).rejects.toBe(thrown);
  await expect(pool.stringify([...records(), { toJSON }])).rejects.toBe(thrown);
});

/** Lets the event loop turn. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
