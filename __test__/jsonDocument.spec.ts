import { JSONWorkerPool } from 'keelson';
import { open } from './support/jsonDocument';
import { evaluate } from './support/process';

const ITEMS = Array.from({ length: 3_000 }, (_, id) => ({
  id,
  name: `item ${id}`,
  price: id / 8,
  tags: ['a', `b${id}`],
  ...(id % 3 === 0 ? { note: null } : {}),
}));
const SHOP = JSON.stringify({ items: ITEMS, total: ITEMS.length, owner: { 'a/b': 1, 'm~n': 2, '': 3 } });

describe('JSONDocument', () => {
  it('reads what is at a pointer', async () => {
    const shop = await open(SHOP);
    expect(shop.get('/items/2999/price')).toBe(2999 / 8);
    expect(shop.get('/items/7')).toStrictEqual(ITEMS[7]);
    expect(shop.get('/items/3/note')).toBeNull();
    expect(shop.get('/owner/a~1b')).toBe(1);
    expect(shop.get('/owner/m~0n')).toBe(2);
    expect(shop.get('/owner/')).toBe(3);
    expect(shop.get('/total')).toBe(3_000);
    expect(shop.get()).toStrictEqual(JSON.parse(SHOP));
  });

  it('has undefined for what is not there', async () => {
    const shop = await open(SHOP);
    for (const pointer of [
      '/nothing',
      '/items/3000',
      '/items/-',
      '/items/01',
      '/items/x',
      '/total/0',
      '/items/0/id/x',
    ]) {
      expect(shop.get(pointer)).toBeUndefined();
      expect(shop.has(pointer)).toBe(false);
      expect(shop.typeOf(pointer)).toBeUndefined();
      expect(shop.length(pointer)).toBeUndefined();
      expect(shop.keys(pointer)).toBeUndefined();
      expect(shop.slice(pointer)).toBeUndefined();
      await expect(shop.toJS(pointer)).resolves.toBeUndefined();
      expect([...shop.iterate(pointer)]).toStrictEqual([]);
      expect([...shop.slices(pointer)]).toStrictEqual([]);
    }
    expect(shop.has('/items/0/note')).toBe(true);
  });

  it('picks several values at once', async () => {
    const shop = await open(SHOP);
    expect(shop.pick(['/total', '/items/1/name', '/none', '/items/0/tags'])).toStrictEqual([
      3_000,
      'item 1',
      undefined,
      ['a', 'b0'],
    ]);
    expect(shop.pick(new Set(['/total']))).toStrictEqual([3_000]);
  });

  it('tells types, lengths and names', async () => {
    const kinds = await open(' {"a":[1,[]],"b":"","c":-0.5e1,"d":true,"e":false,"f":null,"g":{}} ');
    const types = Array.from('abcdefg', (name) => kinds.typeOf(`/${name}`));
    expect(types).toStrictEqual(['array', 'string', 'number', 'boolean', 'boolean', 'null', 'object']);
    expect(kinds.typeOf()).toBe('object');
    expect(kinds.keys()).toStrictEqual([...'abcdefg']);
    expect(kinds.keys('/g')).toStrictEqual([]);
    expect(kinds.keys('/a')).toBeUndefined();
    expect(kinds.length()).toBe(7);
    expect(kinds.length('/a')).toBe(2);
    expect(kinds.length('/a/1')).toBe(0);
    expect(kinds.length('/b')).toBeUndefined();
  });

  it('gives text as it stands', async () => {
    const text = '{ "a" : [ 1.50, "\\u0041" ] }';
    const document = await open(` ${text}\n`);
    expect(document.slice()).toBe(text);
    expect(document.slice('/a')).toBe('[ 1.50, "\\u0041" ]');
    expect(document.slice('/a/1')).toBe('"\\u0041"');
    expect(document.get('/a/1')).toBe('A');
    expect([...document.slices('/a')]).toStrictEqual(['1.50', '"\\u0041"']);
  });

  it.each([
    '{"a":1,"b":2,"a":3}',
    '{"b":0,"10":1,"9":2,"a":3,"4294967294":4,"4294967295":5,"-1":6,"01":7,"10":8}',
    '{"__proto__":{"x":1},"constructor":2}',
    '{"\\u0061":1,"a":2,"\\ud83d\\ude00":3,"😀":4}',
    '{"\\ud83d":1,"\\ude00":2,"é":3,"漢":4}',
    '{"":{"":{"":1}}}',
  ])('agrees with JSON.parse on names: %s', async (text) => {
    const document = await open(text);
    const value = JSON.parse(text) as Record<string, unknown>;
    expect(document.keys()).toStrictEqual(Object.keys(value));
    expect(document.length()).toBe(Object.keys(value).length);
    expect([...document]).toStrictEqual(Object.entries(value));
    for (const key of Object.keys(value)) expect(document.get(`/${key}`)).toStrictEqual(value[key]);
  });

  it.each(['-0', '1e999', '-1e999', '12345678901234567890', '0.1', '5e-324', '1E+2'])(
    'agrees with JSON.parse on the number %s',
    async (text) => {
      expect((await open(`[${text}]`)).get('/0')).toBe(JSON.parse(text));
    },
  );

  it('iterates elements and entries, a few at a time', async () => {
    const shop = await open(SHOP);
    expect([...shop.iterate('/items')]).toStrictEqual(ITEMS);
    expect([...shop.slices('/items')]).toStrictEqual(ITEMS.map((item) => JSON.stringify(item)));
    expect([...shop.iterate('/owner')]).toStrictEqual([
      ['a/b', 1],
      ['m~n', 2],
      ['', 3],
    ]);
    expect([...shop].map(([name]) => name)).toStrictEqual(['items', 'total', 'owner']);
    expect([...(await open('[1,[2],{"a":3}]'))]).toStrictEqual([1, [2], { a: 3 }]);
    expect([...(await open('7'))]).toStrictEqual([]);
    for (const item of shop.iterate('/items')) {
      if (item.id === 1_000) break;
    }
  });

  it('lets several iterate at once', async () => {
    const shop = await open(SHOP);
    const [left, right] = [shop.iterate('/items'), shop.iterate('/items/5')];
    const wide = await open(JSON.stringify(Object.fromEntries(ITEMS.map((item) => [`k${item.id}`, item]))));
    const [first, second] = [wide.iterate(), wide.iterate()];
    for (const item of ITEMS.slice(0, 2_000)) {
      expect(left.next().value).toStrictEqual(item);
      right.next();
      expect(first.next().value).toStrictEqual([`k${item.id}`, item]);
      if (item.id % 2 === 0) second.next();
    }
    expect(second.next().value).toStrictEqual(['k1000', ITEMS[1_000]]);
  });

  it('builds large values asynchronously', async () => {
    const shop = await open(SHOP);
    await expect(shop.toJS('/items')).resolves.toStrictEqual(ITEMS);
    await expect(shop.toJS()).resolves.toStrictEqual(JSON.parse(SHOP));
    await expect(shop.toJS('/total')).resolves.toBe(3_000);
  });

  it('reads columns', async () => {
    const shop = await open(SHOP);
    await expect(shop.column('/items/*/price')).resolves.toStrictEqual(ITEMS.map(({ price }) => price));
    await expect(shop.column('/items/*/tags/1')).resolves.toStrictEqual(ITEMS.map(({ tags }) => tags[1]));
    await expect(shop.column('/items/*/tags/*')).resolves.toStrictEqual(ITEMS.flatMap(({ tags }) => tags));
    await expect(shop.column('/owner/*')).resolves.toStrictEqual([1, 2, 3]);
    await expect(shop.column('/total')).resolves.toStrictEqual([3_000]);
    await expect(shop.column('/items/*')).resolves.toStrictEqual(ITEMS);
  });

  it('has null in a column for what is missing, and nothing where a star has nothing to go over', async () => {
    const document = await open('{"a":[{"x":1},{},{"x":{"y":[2,3]}},4,{"x":[]}],"b":5}');
    await expect(document.column('/a/*/x')).resolves.toStrictEqual([1, null, { y: [2, 3] }, null, []]);
    await expect(document.column('/a/*/x/*')).resolves.toStrictEqual([[2, 3]]);
    await expect(document.column('/a/*/x/y/*')).resolves.toStrictEqual([2, 3]);
    await expect(document.column('/b/*')).resolves.toStrictEqual([]);
    await expect(document.column('/none/*')).resolves.toStrictEqual([]);
    await expect(document.column('/none')).resolves.toStrictEqual([null]);
  });

  it('takes a star for a name outside of columns', async () => {
    expect((await open('{"*":1,"a":2}')).get('/*')).toBe(1);
  });

  it('refuses what is no pointer', async () => {
    const shop = await open(SHOP);
    const error = (message: string) =>
      expect.objectContaining({ name: 'JSONPointerError', code: 'ERR_KEELSON_JSON_POINTER', message });
    const slash = error("'items' is not a JSON pointer: a pointer is empty or begins with '/'");
    const tilde = error("'/a~b' is not a JSON pointer: '~' is written '~0', and '/' inside of a name '~1'");
    for (const method of ['get', 'has', 'typeOf', 'length', 'keys', 'slice', 'slices', 'iterate'] as const) {
      expect(() => shop[method]('items')).toThrow(slash);
      expect(() => shop[method]('/a~b')).toThrow(tilde);
      expect(() => shop[method](7 as unknown as string)).toThrow(
        expect.objectContaining({ code: 'ERR_KEELSON_INVALID_ARGUMENT' }),
      );
    }
    expect(() => shop.pick(['/total', 'items'])).toThrow(slash);
    await expect(shop.toJS('items')).rejects.toEqual(slash);
    await expect(shop.column('/a~b')).rejects.toEqual(tilde);
    await expect(shop.column('items')).rejects.toEqual(slash);
    await expect(shop.column(7 as unknown as string)).rejects.toHaveProperty(
      'code',
      'ERR_KEELSON_INVALID_ARGUMENT',
    );
  });

  it('frees its memory when it is closed, and is of no use then', async () => {
    const shop = await open(SHOP);
    expect(shop.bytes).toBeGreaterThan(SHOP.length);
    expect(shop.bytes).toBeLessThan(SHOP.length * 1.3);
    const items = shop.iterate('/items');
    items.next();
    shop.close();
    shop.close();
    expect(shop.bytes).toBe(0);
    const closed = expect.objectContaining({ name: 'DestroyedError', code: 'ERR_KEELSON_DESTROYED' });
    for (const method of ['get', 'has', 'typeOf', 'length', 'keys', 'slice', 'slices', 'iterate'] as const) {
      expect(() => shop[method]('')).toThrow(closed);
    }
    expect(() => shop.pick([])).toThrow(closed);
    expect(() => shop[Symbol.iterator]()).toThrow(closed);
    expect(() => [...items]).toThrow(closed);
    await expect(shop.toJS()).rejects.toEqual(closed);
    await expect(shop.column('')).rejects.toEqual(closed);
  });

  it('reads numbers of any length as JSON.parse does', async () => {
    const texts = [
      `0.${'0'.repeat(70_000)}1e70001`,
      `1${'0'.repeat(2_000)}`,
      `-0.${'0'.repeat(2_000)}`,
      '-0',
    ];
    const document = await open(`[${texts.join(',')}]`);
    for (const [index, text] of texts.entries()) expect(document.get(`/${index}`)).toBe(JSON.parse(text));
  });

  it('is disposable', async () => {
    const shop = await open(SHOP);
    shop[Symbol.dispose ?? Symbol.for('nodejs.dispose')]();
    expect(shop.bytes).toBe(0);
  });

  it('is collected where nobody holds it, before its memory becomes a burden', async () => {
    // 600 MB in all; V8 itself sees only a few small objects.
    const highest = await evaluate<number>(`
      const { json, destroyJsonWorkerPool } = require('./index.js');
      const text = '["' + 'x'.repeat(4e6) + '"]';
      (async () => {
        let highest = 0;
        for (let index = 0; index < 150; index++) {
          await json.openDocument(text);
          highest = Math.max(highest, process.memoryUsage.rss());
        }
        console.log(highest);
        await destroyJsonWorkerPool();
      })();
    `);
    expect(highest).toBeLessThan(400e6);
  });

  it('goes as deep and as far as the text does', async () => {
    const depth = 200_000;
    const deep = await open(`${'{"a":['.repeat(depth)}1${']}'.repeat(depth)}`);
    expect(deep.get('/a/0'.repeat(depth))).toBe(1);
    expect(deep.length('/a/0'.repeat(depth - 1))).toBe(1);
    const far = await open(JSON.stringify(Array.from({ length: 300_000 }, (_, index) => index)));
    expect(far.get('/299999')).toBe(299_999);
    expect(far.length()).toBe(300_000);
  });
});

describe('a document that is closed', () => {
  const text = JSON.stringify(ITEMS);

  it('while toJS and column wait for their turn, gives them all the same', async () => {
    const pool = new JSONWorkerPool(1);
    const items = await pool.openDocument(text);
    const before = [pool.parse(text.repeat(1)), pool.parse(text)];
    const all = items.toJS();
    const ids = items.column('/*/id');
    items.close();
    await Promise.all(before);
    expect(await all).toStrictEqual(ITEMS);
    expect(await ids).toStrictEqual(ITEMS.map(({ id }) => id));
    await pool.destroy();
  });

  it('by the pointers of pick, refuses the next of them', async () => {
    const items = await open(text);
    function* pointers() {
      yield '/0/id';
      items.close();
      yield '/1/id';
    }
    expect(() => items.pick(pointers())).toThrow(expect.objectContaining({ code: 'ERR_KEELSON_DESTROYED' }));
  });
});

it('toJS and column take a signal, a timeout and a priority', async () => {
  const pool = new JSONWorkerPool(1);
  const items = await pool.openDocument(JSON.stringify(ITEMS));
  const reason = { any: 'reason' };
  const aborted = AbortSignal.abort(reason);
  const controller = new AbortController();
  const { signal } = controller;
  const order: string[] = [];
  const calls = [
    pool.parse(SHOP).then(() => order.push('first')),
    items.toJS('', { priority: 'low' }).then(() => order.push('low')),
    items.column('/*/id', { priority: 'high' }).then(() => order.push('high')),
  ];
  const stopped = [items.toJS('', { signal }), items.column('/*/id', { signal })];
  const refused = [items.toJS('', { signal: aborted }), items.column('/*/id', { signal: aborted })];
  controller.abort(reason);
  for (const call of [...stopped, ...refused]) await expect(call).rejects.toBe(reason);
  await Promise.all(calls);
  expect(order).toEqual(['first', 'high', 'low']);
  expect(pool.metrics()).toMatchObject({ active: 0, errors: { aborted: 2 } });
  await expect(items.toJS('', { timeOut: 1 } as any)).rejects.toMatchObject({
    code: 'ERR_KEELSON_INVALID_ARGUMENT',
  });
  expect(await items.toJS('/0/id', null as any)).toBe(0);
  await pool.destroy();
});
