import { destroyJsonWorkerPool, JSONLimitError, JSONWorkerPool, json } from 'keelson';
import { expectSame, nextTurn, recordsText, rejection } from './support/jsonTexts';

const MEGABYTE = 2 ** 20;
const large = recordsText(MEGABYTE);

let pool: JSONWorkerPool;
beforeAll(() => {
  pool = new JSONWorkerPool(2);
});
afterAll(() => Promise.all([pool.destroy(), destroyJsonWorkerPool()]));

/** Of about `bytes`, with members, nesting and keys that are known exactly. */
function counted(bytes: number): { text: string; keys: number; depth: number } {
  const count = Math.ceil(bytes / 20);
  const text = JSON.stringify(Array.from({ length: count }, (_, n) => ({ n, é: { m: [n] } })));
  return { text, keys: 3 * count, depth: 4 };
}

describe.each([1_000, MEGABYTE])('limits of a text of %d bytes', (bytes) => {
  const { text, keys, depth } = counted(bytes);
  const size = Buffer.byteLength(text);
  const ways: [string, (limits: object) => Promise<unknown>][] = [
    ['parse', (limits) => pool.parse(text, limits)],
    ['parse of bytes', (limits) => pool.parse(Buffer.from(text), limits)],
    [
      'parse with a reviver',
      (limits) => pool.parse(text, { ...limits, reviver: (_: string, value: any) => value }),
    ],
    ['parseStream', (limits) => pool.parseStream([text.slice(0, 500), text.slice(500)], limits)],
    ['openDocument', async (limits) => (await pool.openDocument(text, limits)).toJS()],
  ];

  test.each(ways)('%s takes what is at the bound', async (_, parse) => {
    expectSame(await parse({ maxBytes: size, maxDepth: depth, maxKeys: keys }), JSON.parse(text));
    expectSame(await parse({ maxBytes: Number.POSITIVE_INFINITY }), JSON.parse(text));
  });

  test.each(ways)('%s refuses what is beyond it', async (_, parse) => {
    const limits = { maxBytes: size - 1, maxDepth: depth - 1, maxKeys: keys - 1 };
    for (const [limit, maximum] of Object.entries(limits)) {
      const error = await rejection(parse({ [limit]: maximum }));
      expect(error).toBeInstanceOf(JSONLimitError);
      expect(error).toMatchObject({ code: 'ERR_KEELSON_JSON_LIMIT', limit, maximum });
      expect(error.message).toContain(String(maximum));
    }
  });
});

test('limits are off unless set: a hundred thousand brackets neither overflow nor stall', async () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  let value = await pool.parse(deep);
  let depth = 0;
  for (; Array.isArray(value); value = value[0]) depth += 1;
  expect(depth).toBe(100_000);
  expect(await rejection(pool.parse('['.repeat(1_000_000)))).toBeInstanceOf(SyntaxError);
  expect(await rejection(pool.parse(deep, { maxDepth: 1_000 }))).toBeInstanceOf(JSONLimitError);
});

describe('a reviver of a large text', () => {
  interface Call {
    key: string;
    holder: string;
    value: string;
    context: unknown;
  }

  function recorder(calls: Call[]): (this: any, key: string, value: unknown, context?: unknown) => unknown {
    return function (key, value, context) {
      const holder = Array.isArray(this) ? `array of ${this.length}` : Object.keys(this).join();
      calls.push({ key, holder, value: JSON.stringify(value)?.slice(0, 50), context });
      if (key === 'deep') return undefined;
      if (key === 'score') return `scored ${value}`;
      return value;
    };
  }

  test("is called with JSON.parse's own holders, keys, order and context, and may delete", async () => {
    const [ours, theirs]: [Call[], Call[]] = [[], []];
    expectSame(await pool.parse(large, { reviver: recorder(ours) }), JSON.parse(large, recorder(theirs)));
    expect(ours.length).toBe(theirs.length);
    expectSame(ours, theirs);
    expect(ours.at(-1)).toMatchObject({ key: '' });
  });

  test('may change its holder, and what it throws comes out', async () => {
    const reviver = function (this: any, key: string, value: unknown) {
      if (key === 'id') this.added = 1;
      return value;
    };
    expectSame(await pool.parse(large, { reviver }), JSON.parse(large, reviver));
    const thrown = new Error('from the reviver');
    const throwing = () => {
      throw thrown;
    };
    expect(await rejection(pool.parse(large, { reviver: throwing }))).toBe(thrown);
    expect(await rejection(pool.parse('1', { reviver: throwing }))).toBe(thrown);
  });

  test('is not called for text that is not JSON', async () => {
    const reviver = jest.fn();
    const error = await rejection(pool.parse(`${large}]`, { reviver }));
    expect(error).toMatchObject({ code: 'ERR_KEELSON_JSON_SYNTAX', position: large.length });
    expect(reviver).not.toHaveBeenCalled();
  });
});

describe('bytes', () => {
  const value = JSON.parse(large);
  const bytes = Buffer.from(large);
  const surrounded = Buffer.concat([Buffer.from('xxx'), bytes, Buffer.from('yyyyy')]);
  const middle = surrounded.subarray(3, 3 + bytes.length);

  test('of any view, also into the middle of memory', async () => {
    const { buffer, byteOffset, length } = middle;
    const views = [
      middle,
      new Uint8Array(buffer, byteOffset, length),
      new DataView(buffer, byteOffset, length),
    ];
    for (const view of views) {
      expectSame(await pool.parse(view as Uint8Array), value);
      expectSame(await pool.parse(view as Uint8Array, { reviver: (_, item) => item }), value);
      expectSame(await pool.parseStream([view as Uint8Array]), value);
    }
    const small = Buffer.from('xx[1,"é"]yy').subarray(2, -2);
    const view = new DataView(small.buffer, small.byteOffset, small.length);
    expect(await pool.parse(view as any)).toStrictEqual([1, 'é']);
    expect(await pool.parse(small)).toStrictEqual([1, 'é']);
  });

  test('in shared memory', async () => {
    for (const text of [large, '[1,"é"]']) {
      const source = Buffer.from(text);
      const shared = new Uint8Array(new SharedArrayBuffer(source.length + 9), 4, source.length);
      shared.set(source);
      expectSame(await pool.parse(shared), JSON.parse(text));
      expectSame(await pool.parse(shared, { reviver: (_, item) => item }), JSON.parse(text));
      expectSame(await pool.parseStream([shared]), JSON.parse(text));
      expectSame(await (await pool.openDocument(shared)).toJS(), JSON.parse(text));
    }
  });

  test('that are transferred before they were copied fail with a typed error', async () => {
    const big = Buffer.concat([
      Buffer.from('['),
      ...Array(8).fill(Buffer.from(`${large},`)),
      Buffer.from('1]'),
    ]);
    for (const options of [{}, { reviver: (_: string, item: unknown) => item }]) {
      const copy = new Uint8Array(big);
      const call = rejection(pool.parse(copy, options));
      await nextTurn();
      structuredClone(copy.buffer, { transfer: [copy.buffer] });
      const error = await call;
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toContain('detached or resized');
    }
    expect(pool.metrics()).toMatchObject({ active: 0, queued: 0 });
  });

  test('that shrink before they were copied fail with a typed error', async () => {
    const resizable = new (ArrayBuffer as any)(bytes.length, { maxByteLength: bytes.length });
    const view = new Uint8Array(resizable);
    view.set(bytes);
    const call = rejection(pool.parse(view));
    (resizable as any).resize(100);
    expect(await call).toBeInstanceOf(TypeError);
  });

  test('none are not JSON', async () => {
    for (const empty of [new Uint8Array(0), '', Buffer.alloc(0)]) {
      const error = await rejection(pool.parse(empty));
      expect(error).toBeInstanceOf(SyntaxError);
      expect(error).toMatchObject({ code: 'ERR_KEELSON_JSON_SYNTAX', position: 0, line: 1, column: 1 });
    }
  });

  test('that are not UTF-8 are what toString() makes of them', async () => {
    const pieces = [
      [0xff],
      [0xed, 0xa0, 0x80],
      [0xc3],
      [0xf0, 0x9f, 0x98],
      [0xe2, 0x82, 0xac],
      [0xf0, 0x9f, 0x98, 0x80],
    ];
    const strings = Array.from({ length: 40_000 }, (_, n) => [...pieces[n % 6]!, ...pieces[(n >> 3) % 6]!]);
    const joined = Buffer.from(`["${strings.map(() => '__').join('","')}"]`);
    const odd = Buffer.concat([
      Buffer.from('["'),
      ...strings.flatMap((string) => [Buffer.from(string), Buffer.from('","')]),
      Buffer.from('"]'),
    ]);
    expect(odd.length).toBeGreaterThan(joined.length);
    expectSame(await pool.parse(odd), JSON.parse(odd.toString()));
    expectSame(
      await pool.parseStream([odd.subarray(0, 70_001), odd.subarray(70_001)]),
      JSON.parse(odd.toString()),
    );
  });

  test('that begin with a byte order mark are refused as JSON.parse refuses them', async () => {
    for (const text of ['[1]', large]) {
      const marked = Buffer.from(`\ufeff${text}`);
      expect(() => JSON.parse(marked.toString())).toThrow(SyntaxError);
      const calls = [pool.parse(marked), pool.parse(`\ufeff${text}`), pool.parseStream([marked])];
      for (const error of await Promise.all(calls.map(rejection))) {
        expect(error).toMatchObject({ code: 'ERR_KEELSON_JSON_SYNTAX', position: 0 });
      }
    }
  });
});

describe('strings, however V8 keeps them', () => {
  test('concatenated, sliced, of one and of two bytes a unit', async () => {
    let rope = '[';
    for (let n = 0; n < 30_000; n++) rope += `{"n":${n},"s":"${'x'.repeat(n % 30)}"},`;
    rope += '0]';
    const ascii = JSON.stringify(JSON.parse(rope));
    const latin = ascii.replaceAll('xx', 'é');
    const wide = ascii.replaceAll('xx', '吉😀');
    for (const text of [rope, ascii, latin, wide, `${ascii}${' '.repeat(9)}`, ` ${wide}y`.slice(1, -1)]) {
      expectSame(await pool.parse(text), JSON.parse(text));
    }
  });

  test('with lone surrogates, raw and escaped, at every place of a piece', async () => {
    const strings = Array.from(
      { length: 60_000 },
      (_, n) => ['\ud83d', '\ude00', '\ud83d\ude00', 'a'][(n * 7) % 4],
    );
    const text = `["${strings.join('","')}","${'\\ud83d'.repeat(1_000)}"]`;
    for (const shift of [0, 1, 2, 3]) {
      const shifted = ' '.repeat(shift) + text;
      expectSame(await pool.parse(shifted), JSON.parse(shifted));
    }
  });
});

test('a thousand calls of mixed sizes at once each get their own value', async () => {
  const texts = Array.from({ length: 1_000 }, (_, n) => {
    const items = Array.from({ length: n % 50 === 0 ? 4_000 : n % 7 === 0 ? 300 : n % 5 }, (_, i) => ({
      call: n,
      item: i,
      [`key ${n % 9}`]: 'x'.repeat(i % 40),
    }));
    return JSON.stringify({ n, items });
  });
  const values = await Promise.all(
    texts.map((text, n) =>
      n % 3 === 0 ? pool.parse(Buffer.from(text)) : n % 3 === 1 ? pool.parse(text) : json.parse(text),
    ),
  );
  for (const [n, value] of values.entries()) expect(JSON.stringify(value) === texts[n]).toBe(true);
});

test('members that Object.prototype has are own members of large objects too', async () => {
  const members = Array.from({ length: 20_000 }, (_, n) => `"key ${n}":${n}`);
  const odd = '"__proto__":{"polluted":1},"constructor":2,"toString":3,"7":4,"2":5,"key 0":"last"';
  const text = `{${odd},${members.join()},${odd}}`;
  const [ours, theirs] = [await pool.parse(text), JSON.parse(text)];
  expectSame(Object.entries(ours), Object.entries(theirs));
  expect(Object.getPrototypeOf(ours)).toBe(Object.prototype);
  expect(Object.getOwnPropertyDescriptor(ours, '__proto__')).toEqual(
    Object.getOwnPropertyDescriptor(theirs, '__proto__'),
  );
  expect(({} as any).polluted).toBeUndefined();
});

describe('with fake timers', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('parsing and writing go on', async () => {
    expectSame(await pool.parse(large), JSON.parse(large));
    expectSame(await pool.parseStream([large]), JSON.parse(large));
    expect((await pool.stringify(JSON.parse(large))) === large).toBe(true);
    const fresh = new JSONWorkerPool(1);
    expectSame(await fresh.parse(large), JSON.parse(large));
    await fresh.destroy();
  });

  test('a timeout is of the fake clock', async () => {
    const endless = (async function* () {
      yield '[';
      await new Promise(() => {});
    })();
    const call = rejection(pool.parseStream(endless, { timeout: 1_000_000 }));
    jest.advanceTimersByTime(999_999);
    expect(pool.metrics().active).toBe(1);
    jest.advanceTimersByTime(1);
    expect(await call).toMatchObject({ code: 'ERR_KEELSON_TIMEOUT' });
    expect(jest.getTimerCount()).toBe(0);
  });
});

test('the event loop turns while a large text is parsed', async () => {
  const text = recordsText(12 * MEGABYTE);
  let turns = 0;
  let parsing = true;
  const done = pool.parse(text).finally(() => {
    parsing = false;
  });
  while (parsing) {
    turns += 1;
    await nextTurn();
  }
  await done;
  // A turn takes 2 ms of work, and JSON.parse 60 ms or more in one go.
  expect(turns).toBeGreaterThan(20);
});
