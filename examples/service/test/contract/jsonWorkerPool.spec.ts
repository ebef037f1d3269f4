// What this service asked of its own JSON pool before keelson took its place, and what it had to live without.
import {
  destroyJsonWorkerPool,
  getJsonWorkerPool,
  JSONLimitError,
  JSONWorkerPool,
  parseJSONAsync,
  stringifyJSONAsync,
} from '../../src/lib/utilities/performance/jsonWorkerPool';

/** About 2 MB as text: more than the old pool could take. */
const RECORDS = Array.from({ length: 20_000 }, (_, id) => ({
  id,
  name: `Crème ${id} – 抹茶`,
  active: id % 3 === 0,
  tags: ['new', 'sale'].slice(id % 3),
  address: { city: 'Köln', lat: id / 7 },
}));
const TEXT = JSON.stringify(RECORDS);

describe('a pool', () => {
  let pool: JSONWorkerPool;

  beforeEach(() => {
    pool = new JSONWorkerPool(2);
  });

  afterEach(() => pool.destroy());

  test('parses, whatever the size', async () => {
    expect(await pool.enqueueTask('parse', '{"a":[1,null,"x"]}')).toStrictEqual({ a: [1, null, 'x'] });
    expect(await pool.enqueueTask('parse', TEXT)).toStrictEqual(RECORDS);
  });

  test('writes, whatever the size', async () => {
    expect(await pool.enqueueTask('stringify', { a: [1, undefined, 'x'] })).toBe('{"a":[1,null,"x"]}');
    expect(await pool.enqueueTask('stringify', RECORDS)).toBe(TEXT);
  });

  test('passes a reviver, a replacer and indentation on', async () => {
    const reviver = (key: string, value: unknown) => (key === 'id' ? `#${value}` : value);
    const [first] = await pool.enqueueTask('parse', TEXT, { reviver });
    expect(first.id).toBe('#0');
    const options = {
      replacer: (key: string, value: unknown) => (key === 'b' ? undefined : value),
      space: 2,
    };
    expect(await pool.enqueueTask('stringify', { a: 1, b: 2 }, options)).toBe('{\n  "a": 1\n}');
  });

  test.each([
    ['small', '{"a":}'],
    ['large', `${TEXT.slice(0, -1)},]`],
  ])('malformed text, %s, rejects with a SyntaxError', async (_size, text) => {
    await expect(pool.enqueueTask('parse', text)).rejects.toThrow(SyntaxError);
    expect(pool.getStats()).toMatchObject({ totalProcessed: 1, errorCount: 1 });
  });

  test('a high priority goes before what has waited longer', async () => {
    const single = new JSONWorkerPool(1);
    const order: string[] = [];
    const priorities = ['low', 'low', 'normal', 'high'] as const;
    const all = priorities.map((priority) =>
      single.enqueueTask('parse', TEXT, {}, priority).then(() => order.push(priority)),
    );
    await Promise.all(all);
    await single.destroy();
    expect(order).toEqual(['low', 'high', 'normal', 'low']);
  });

  test('its stats have the keys they had', async () => {
    await pool.enqueueTask('parse', TEXT);
    expect(pool.getStats()).toStrictEqual({
      totalProcessed: 1,
      errorCount: 0,
      avgProcessingTime: expect.any(Number),
      activeWorkers: expect.any(Number),
      queueSize: 0,
      memoryUsage: expect.objectContaining({ heapUsed: expect.any(Number) }),
    });
  });

  test('flush waits for everything', async () => {
    let done = 0;
    for (let task = 0; task < 4; task++) void pool.enqueueTask('parse', TEXT).then(() => done++);
    await pool.flush();
    expect([done, pool.getStats().queueSize]).toEqual([4, 0]);
  });

  test('destroy rejects what is pending, and what comes later', async () => {
    const pending = [1, 2, 3].map(() => pool.enqueueTask('parse', TEXT));
    const outcomes = Promise.allSettled(pending);
    await pool.destroy();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ reason: { message: 'JSON Worker Pool destroyed' } });
    }
    await expect(pool.enqueueTask('parse', '1')).rejects.toThrow('JSON Worker Pool destroyed');
    await pool.destroy();
  });

  test('limits refuse a document before it is built', async () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    await expect(pool.parse(deep, { maxDepth: 32 })).rejects.toThrow(JSONLimitError);
    await expect(pool.parse(TEXT, { maxBytes: 1000 })).rejects.toThrow(JSONLimitError);
  });
});

describe('the shared pool', () => {
  afterEach(destroyJsonWorkerPool);

  test('is one, until it is destroyed', async () => {
    const pool = getJsonWorkerPool();
    expect(getJsonWorkerPool()).toBe(pool);
    await destroyJsonWorkerPool();
    const fresh = getJsonWorkerPool();
    expect(fresh).not.toBe(pool);
    expect(await fresh.enqueueTask('parse', '[1]')).toEqual([1]);
  });

  test('serves the two functions', async () => {
    expect(await parseJSONAsync(TEXT)).toStrictEqual(RECORDS);
    expect(await parseJSONAsync<number[]>('[1,2]', (_key, value) => value)).toEqual([1, 2]);
    expect(await stringifyJSONAsync(RECORDS)).toBe(TEXT);
    expect(await stringifyJSONAsync({ a: 1, b: 2 }, ['a'], 1)).toBe('{\n "a": 1\n}');
    await expect(parseJSONAsync('[1,')).rejects.toThrow(SyntaxError);
  });
});
