import { CircularReferenceError, InvalidArgumentError, JSONWorkerPool } from 'keelson';
import { startCollecting } from '../dist/json/stringify/collect';
import { inPieces, UNITS } from './support/json';
import { gather, LONG, records } from './support/jsonRecords';

let pool: JSONWorkerPool;
beforeAll(() => {
  pool = new JSONWorkerPool(4);
});
afterAll(() => pool.destroy());

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

test("a TypeError of a toJSON is the toJSON's, whatever its message", async () => {
  const thrown = Object.assign(new TypeError('x'), { message: 5 });
  const toJSON = () => {
    throw thrown;
  };
  await expect(pool.stringify({ toJSON })).rejects.toBe(thrown);
  await expect(pool.stringify([...records(), { toJSON }])).rejects.toBe(thrown);
});
