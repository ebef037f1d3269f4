import {
  DestroyedError,
  destroyJsonWorkerPool,
  getJsonWorkerPool,
  JSONWorkerPool,
  json,
  parseJSONAsync,
  stringifyJSONAsync,
} from 'keelson';
import { expectSame, recordsText, rejection } from './support/jsonTexts';

const MEGABYTE = 2 ** 20;

let pool: JSONWorkerPool;
beforeEach(() => {
  pool = new JSONWorkerPool(2);
});
afterEach(() => pool.destroy());
afterAll(() => destroyJsonWorkerPool());

describe('what users of the original rely on', () => {
  test('enqueueTask parses and writes', async () => {
    expect(await pool.enqueueTask('parse', '{"q":[1,"a",null]}')).toStrictEqual({ q: [1, 'a', null] });
    expect(await pool.enqueueTask('stringify', { q: [1, 'a', null] })).toBe('{"q":[1,"a",null]}');
    expect(await pool.enqueueTask('parse', '1', {}, 'low')).toBe(1);
    expect(await pool.enqueueTask('stringify', [1], undefined, 'high')).toBe('[1]');
  });

  test('its options are those of JSON.parse and JSON.stringify', async () => {
    const reviver = (_: string, value: unknown) => (value === 1 ? 'one' : value);
    expect(await pool.enqueueTask('parse', '[1,2]', { reviver })).toStrictEqual(['one', 2]);
    const value = { a: 1, b: { toJSON: (key: string) => `json of ${key}` }, f() {} };
    expect(await pool.enqueueTask('stringify', value, { space: 2 })).toBe(JSON.stringify(value, null, 2));
    const replacer = (key: string, item: unknown) => (key === 'a' ? undefined : item);
    expect(await pool.enqueueTask('stringify', value, { replacer })).toBe(JSON.stringify(value, replacer));
    expect(await pool.enqueueTask('stringify', value, { replacer: ['a'], space: '-' })).toBe(
      JSON.stringify(value, ['a'], '-'),
    );
    expect(await pool.enqueueTask('parse', '1', { reviver: null })).toBe(1);
  });

  test('a reviver and a replacer also rule what is large', async () => {
    const text = recordsText(2 * MEGABYTE);
    const reviver = (key: string, value: unknown) => (key === 'tags' ? undefined : value);
    expectSame(await pool.enqueueTask('parse', text, { reviver }), JSON.parse(text, reviver));
    const value = JSON.parse(text);
    const replacer = (key: string, item: unknown) => (key === 'name' ? 'x' : item);
    expect(await pool.enqueueTask('stringify', value, { replacer })).toBe(JSON.stringify(value, replacer));
  });

  test('getStats() has exactly its keys, and they are live', async () => {
    expect(Object.keys(pool.getStats())).toEqual([
      'totalProcessed',
      'errorCount',
      'avgProcessingTime',
      'activeWorkers',
      'queueSize',
      'memoryUsage',
    ]);
    expect(pool.getStats()).toMatchObject({
      totalProcessed: 0,
      errorCount: 0,
      avgProcessingTime: 0,
      queueSize: 0,
    });
    const calls = Array.from({ length: 5 }, () => pool.enqueueTask('parse', '1'));
    expect(pool.getStats()).toMatchObject({ totalProcessed: 0, queueSize: 3 });
    await Promise.all(calls);
    await rejection(pool.enqueueTask('parse', '{'));
    const stats = pool.getStats();
    expect(stats).toMatchObject({ totalProcessed: 6, errorCount: 1, queueSize: 0 });
    expect(stats.avgProcessingTime).toBeGreaterThan(0);
    expect(stats.memoryUsage.rss).toBeGreaterThan(MEGABYTE);
  });

  test('activeWorkers is the number of native threads that are alive', async () => {
    expect(pool.getStats().activeWorkers).toBe(2);
    const large = new JSONWorkerPool({ maxWorkers: 7 });
    expect(large.getStats().activeWorkers).toBe(7);
    await large.destroy();
    expect(large.getStats().activeWorkers).toBe(0);
    const standard = new JSONWorkerPool();
    expect(standard.getStats().activeWorkers).toBeGreaterThanOrEqual(2);
    await standard.destroy();
  });

  test('destroy() resolves after the threads have ended, in the middle of work too, and however often', async () => {
    const text = recordsText(4 * MEGABYTE);
    for (let round = 0; round < 20; round++) {
      const busy = new JSONWorkerPool(3);
      const calls = [1, 2, 3, 4].map(() => rejection(busy.parse(text)));
      const [first, second] = [busy.destroy(), busy.destroy()];
      await second;
      expect(busy.getStats().activeWorkers).toBe(0);
      await first;
      for (const call of calls) expect(await call).toBeInstanceOf(DestroyedError);
    }
  });

  test('flush() resolves once all that was called before has settled', async () => {
    const settled: string[] = [];
    const note = (name: string) => () => settled.push(name);
    pool.enqueueTask('parse', recordsText(MEGABYTE)).then(note('large'));
    pool.enqueueTask('parse', '{').catch(note('bad'));
    pool.enqueueTask('stringify', [1]).then(note('text'));
    await pool.flush();
    expect(settled.sort()).toEqual(['bad', 'large', 'text']);
    await pool.flush();
  });

  test('destroy() rejects what is pending, worked on or waiting', async () => {
    const text = recordsText(2 * MEGABYTE);
    const calls = Array.from({ length: 6 }, () => rejection(pool.enqueueTask('parse', text)));
    calls.push(rejection(pool.enqueueTask('stringify', { a: 1 })));
    calls.push(rejection(pool.parseStream(endless())));
    const destroyed = pool.destroy();
    for (const error of await Promise.all(calls)) {
      expect(error).toBeInstanceOf(DestroyedError);
      expect(error.message).toBe('JSON Worker Pool destroyed');
      expect(error.code).toBe('ERR_KEELSON_DESTROYED');
    }
    await destroyed;
    expect(pool.getStats()).toMatchObject({ totalProcessed: 8, errorCount: 8, queueSize: 0 });
  });

  test('a call after destroy() rejects at once', async () => {
    await pool.destroy();
    const calls = [
      pool.enqueueTask('parse', '1'),
      pool.enqueueTask('stringify', 1),
      pool.parse('1'),
      pool.parse(recordsText(MEGABYTE)),
      pool.parseFile('/nowhere'),
      pool.parseStream(['1']),
      pool.openDocument('1'),
      pool.ndjson(['1']).next(),
    ];
    for (const error of await Promise.all((calls as Promise<unknown>[]).map(rejection))) {
      expect(error).toMatchObject({
        message: 'JSON Worker Pool destroyed',
        code: 'ERR_KEELSON_DESTROYED',
      });
    }
    expect(pool.getStats().activeWorkers).toBe(0);
    await pool.flush();
  });

  test('the shared pool is made once, and afresh after destroyJsonWorkerPool()', async () => {
    const first = getJsonWorkerPool();
    expect(first).toBeInstanceOf(JSONWorkerPool);
    expect(getJsonWorkerPool()).toBe(first);
    const pending = rejection(first.enqueueTask('parse', recordsText(MEGABYTE)));
    await destroyJsonWorkerPool();
    expect(await pending).toMatchObject({ code: 'ERR_KEELSON_DESTROYED' });
    await destroyJsonWorkerPool();
    const second = getJsonWorkerPool();
    expect(second).not.toBe(first);
    expect(await parseJSONAsync('{"a":1}')).toStrictEqual({ a: 1 });
    expect(await json.parse('[2]')).toStrictEqual([2]);
    expect(second.getStats().totalProcessed).toBe(2);
  });

  test('parseJSONAsync and stringifyJSONAsync take what the originals did', async () => {
    expect(await parseJSONAsync('[1]', (key, value) => (key === '0' ? value + 1 : value))).toStrictEqual([2]);
    expect(await parseJSONAsync('[1]', null)).toStrictEqual([1]);
    expect(await stringifyJSONAsync({ a: [1] }, null, 2)).toBe(JSON.stringify({ a: [1] }, null, 2));
    expect(await stringifyJSONAsync({ a: 1, b: 2 }, ['b'])).toBe('{"b":2}');
    expect(await stringifyJSONAsync(undefined)).toBeUndefined();
    expect(await rejection(parseJSONAsync('{'))).toBeInstanceOf(SyntaxError);
  });
});

describe('what the original got wrong', () => {
  test.each([0.9, 1.1, 3])('text of %d MB gives its value', async (size) => {
    const text = recordsText(size * MEGABYTE);
    const value = JSON.parse(text);
    expectSame(await pool.enqueueTask('parse', text), value);
    expectSame(await pool.parse(text), value);
    expectSame(await pool.parse(text, { mode: 'sliced' }), value);
    expectSame(await pool.parse(Buffer.from(text)), value);
    expect(await pool.enqueueTask('stringify', value)).toBe(text);
  });

  test('malformed text fails with a SyntaxError that names the place, small or large', async () => {
    const large = recordsText(2 * MEGABYTE);
    const cases: [string, number][] = [
      ['[1,\n 2,, 3]', 7],
      [`${large.slice(0, -1)},]`, large.length],
      [large.slice(0, -1), large.length - 1],
      [`[${large},\n}`, large.length + 3],
    ];
    for (const [text, position] of cases) {
      const calls = [pool.parse(text), pool.enqueueTask('parse', text), pool.parse(Buffer.from(text))];
      for (const error of await Promise.all(calls.map(rejection))) {
        expect(error).toBeInstanceOf(SyntaxError);
        expect(error).toMatchObject({ code: 'ERR_KEELSON_JSON_SYNTAX', position });
        const before = text.slice(0, position).split('\n');
        expect(error.line).toBe(before.length);
        expect(error.column).toBe(before.at(-1)!.length + 1);
        expect(error.message).toContain(`position ${position}`);
        expect(error.excerpt.length).toBeLessThan(100);
        expect(() => JSON.parse(text)).toThrow(SyntaxError);
      }
    }
    expect(pool.metrics().errors).toMatchObject({ syntax: 12, other: 0 });
    expect(pool.metrics().active).toBe(0);
  });

  test('functions, toJSON and what has no JSON are written as JSON.stringify does', async () => {
    const value = {
      f() {},
      u: undefined,
      d: new Date(0),
      n: Number.NaN,
      m: new Map([[1, 2]]),
      s: Symbol('s'),
    };
    expect(await pool.enqueueTask('stringify', value)).toBe(JSON.stringify(value));
    expect(await pool.enqueueTask('stringify', undefined)).toBeUndefined();
    expect(await rejection(pool.enqueueTask('stringify', { a: 1n }))).toBeInstanceOf(TypeError);
    const circular: any = { a: {} };
    circular.a.b = circular;
    expect(await rejection(pool.enqueueTask('stringify', circular))).toMatchObject({
      code: 'ERR_KEELSON_JSON_CYCLE',
      path: '/a/b',
    });
  });

  test('what JSON.parse makes text of is text', async () => {
    for (const value of [null, 1, true, ['[1]'], { toString: () => '{"a":1}' }, new String('2')] as any[]) {
      expect(await pool.parse(value)).toStrictEqual(JSON.parse(value));
      expect(await pool.enqueueTask('parse', value)).toStrictEqual(JSON.parse(value));
    }
    for (const value of [undefined, {}, new ArrayBuffer(1)] as any[]) {
      expect(await rejection(pool.parse(value))).toBeInstanceOf(SyntaxError);
      expect(() => JSON.parse(value)).toThrow(SyntaxError);
    }
    expect(await rejection(pool.parse(Symbol('s') as any))).toBeInstanceOf(TypeError);
    const thrown = new Error('from toString');
    const throwing = {
      toString() {
        throw thrown;
      },
    };
    expect(await rejection(pool.parse(throwing as any))).toBe(thrown);
    const hostile = {
      get length() {
        throw thrown;
      },
    };
    let call!: Promise<unknown>;
    expect(() => {
      call = pool.parse(hostile as any);
    }).not.toThrow();
    expect(await rejection(call)).toBeInstanceOf(SyntaxError);
  });
});

test('await using ends the pool', async () => {
  const { asyncDispose = Symbol.for('nodejs.asyncDispose') } = Symbol;
  const used = new JSONWorkerPool(1);
  await (used as any)[asyncDispose]();
  expect(used.getStats().activeWorkers).toBe(0);
});

describe('options that are wrong', () => {
  const wrong: [string, () => unknown][] = [
    ['maxWorkers', () => new JSONWorkerPool(0)],
    ['maxWorkers', () => new JSONWorkerPool(1.5)],
    ['maxWorkers', () => new JSONWorkerPool(Number.NaN)],
    ['maxWorkers', () => new JSONWorkerPool({ maxWorkers: 1_025 })],
    ['options', () => new JSONWorkerPool('2' as any)],
    ['options', () => new JSONWorkerPool(null as any)],
    ['maxQueue', () => new JSONWorkerPool({ maxQueue: -1 })],
    ['onFull', () => new JSONWorkerPool({ onFull: 'drop' as any })],
    ['maxQue', () => new JSONWorkerPool({ maxQue: 1 } as any)],
    ['type', () => pool.enqueueTask('clone' as any, '1')],
    ['priority', () => pool.enqueueTask('parse', '1', {}, 'urgent' as any)],
    ['timeOut', () => pool.parse('1', { timeOut: 1 } as any)],
    ['signal', () => pool.parse('1', { signal: {} as any })],
    ['timeout', () => pool.parse('1', { timeout: -1 })],
    ['timeout', () => pool.parse('1', { timeout: Number.NaN })],
    ['reviver', () => pool.parse('1', { reviver: 'x' as any })],
    ['mode', () => pool.parse('1', { mode: 'fast' as any })],
    ['maxDepth', () => pool.parse('1', { maxDepth: -1 })],
    ['maxKeys', () => pool.parse('1', { maxKeys: 0.5 })],
    ['maxBytes', () => pool.parse('1', { maxBytes: '1' as any })],
    ['reviver', () => pool.parseFile('/x', { reviver: () => 1 } as any)],
    ['stream', () => pool.parseStream('[1]' as any)],
    ['stream', () => pool.parseStream(null as any)],
    ['stream', () => pool.ndjson({} as any)],
    ['onBadLine', () => pool.ndjson(['1'], { onBadLine: 1 as any })],
    ['maxLineBytes', () => pool.ndjson(['1'], { maxLineBytes: -1 })],
    ['reviver', () => pool.openDocument('1', { reviver: () => 1 } as any)],
  ];

  test.each(wrong)('%s is named by a typed error, %s', async (name, call) => {
    const error = await rejection((async () => call())());
    expect(error).toMatchObject({ code: 'ERR_KEELSON_INVALID_ARGUMENT' });
    expect(error.message).toContain(name);
    expect(pool.metrics()).toMatchObject({ queued: 0, active: 0 });
  });
});

async function* endless(): AsyncGenerator<string> {
  yield '[';
  await new Promise(() => {});
}
