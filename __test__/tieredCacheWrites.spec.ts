import type { TieredCacheWrite } from 'keelson';
import { deferred } from './support/deferred';
import { runNode } from './support/process';
import { generator } from './support/random';
import { closeAll, open, turn, until } from './support/tiers';

afterEach(closeAll);

type Writes = readonly TieredCacheWrite<any>[];

/** A source whose batches end when they are told to, in their order. */
function held() {
  const batches: { writes: Writes; resolve: () => void; reject: (error: unknown) => void }[] = [];
  const store = jest.fn((writes: Writes) => {
    const { promise, resolve, reject } = deferred<void>();
    batches.push({ writes, resolve, reject });
    return promise;
  });
  return { batches, store };
}

describe('through', () => {
  test('a change ends when the source has it, and is seen from then on', async () => {
    const { batches, store } = held();
    const { cache } = open({ store });
    const ended = jest.fn();
    const set = cache.set('a', 1).then(ended);
    await turn();
    expect([batches.map(({ writes }) => writes), ended.mock.calls, cache.getSync('a')]).toEqual([
      [[{ key: 'a', value: 1 }]],
      [],
      undefined,
    ]);
    batches[0]!.resolve();
    await set;
    expect(await cache.get('a')).toBe(1);
    const deleted = cache.delete('a');
    expect([batches[1]!.writes, cache.getSync('a')]).toEqual([[{ key: 'a', value: undefined }], 1]);
    batches[1]!.resolve();
    await deleted;
    expect(await cache.get('a')).toBeUndefined();
  });

  test('what the source does not take is told, and nothing is cached, be it new or old', async () => {
    const { cache, l1, l2 } = open({
      store: ([write]) => {
        if (write?.value === 'bad') throw new RangeError('no');
      },
    });
    await cache.set('a', 'good');
    await expect(cache.set('a', 'bad')).rejects.toThrow(new RangeError('no'));
    expect([l1.has('a'), l2.has('a'), await cache.get('a')]).toEqual([false, false, undefined]);
    await cache.set('a', 'good');
    expect([await cache.get('a'), cache.metrics().storeErrors]).toEqual(['good', 0]);
  });

  test('changes of a key go one after the other, those of others beside them', async () => {
    const { batches, store } = held();
    const { cache } = open({ store });
    const all = [
      cache.set('a', 1),
      cache.set('a', 2),
      cache.delete('a'),
      cache.set('a', 3),
      cache.set('b', 1),
    ];
    const ended = Promise.allSettled(all);
    await turn();
    const stored = () => batches.map(({ writes: [write] }) => [write!.key, write!.value]);
    expect(stored()).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
    batches[0]!.reject(new Error('first'));
    await until(() => batches.length === 3);
    for (const next of [2, 3, 4]) {
      batches[next]!.resolve();
      await until(() => batches.length === Math.min(next + 2, 5));
    }
    batches[1]!.resolve();
    expect((await ended).map(({ status }) => status)).toEqual(['rejected', ...Array(4).fill('fulfilled')]);
    expect(stored()).toEqual([
      ['a', 1],
      ['b', 1],
      ['a', 2],
      ['a', undefined],
      ['a', 3],
    ]);
    expect([await cache.get('a'), await cache.get('b')]).toEqual([3, 1]);
  });

  test('what is loaded while the source takes a change is not stored over it', async () => {
    const { batches, store } = held();
    const { cache } = open({ store });
    const set = cache.set('a', 'new');
    const { promise, resolve } = deferred<string>();
    const load = cache.getOrLoad('a', () => promise);
    batches[0]!.resolve();
    await set;
    resolve('old');
    expect([await load, await cache.get('a')]).toEqual(['old', 'new']);
  });

  test('close waits for what is under way', async () => {
    const { batches, store } = held();
    const { cache } = open({ store });
    const set = cache.set('a', 1);
    const closed = jest.fn();
    const close = cache.close({ timeout: 600_000 }).then(closed);
    await turn();
    expect(closed).not.toHaveBeenCalled();
    batches[0]!.resolve();
    await Promise.all([set, close]);
  });
});

describe('behind', () => {
  test('a change ends before the source has it; of a key only the latest goes there, in batches', async () => {
    const { batches, store } = held();
    const { cache } = open({ store, write: 'behind' });
    await Promise.all(Array.from({ length: 150 }, (_, n) => cache.set(`key ${n}`, n)));
    await cache.set('key 0', 'latest');
    await cache.delete('key 1');
    expect([store.mock.calls.length, cache.metrics().pendingWrites, cache.getSync('key 2')]).toEqual([
      0, 150, 2,
    ]);
    await until(() => batches.length === 1);
    expect(batches[0]!.writes).toEqual(
      Array.from({ length: 100 }, (_, n) => ({ key: `key ${n + 2}`, value: n + 2 })),
    );
    // What changes while it is written is written again.
    await cache.set('key 2', 'again');
    batches[0]!.resolve();
    await until(() => batches.length === 2);
    expect(batches[1]!.writes).toHaveLength(51);
    expect(batches[1]!.writes.slice(-3)).toEqual([
      { key: 'key 0', value: 'latest' },
      { key: 'key 1', value: undefined },
      { key: 'key 2', value: 'again' },
    ]);
    batches[1]!.resolve();
    await cache.flush();
    expect([batches.length, cache.metrics().pendingWrites]).toEqual([2, 0]);
  });

  test('what the source does not take is tried again, and others go on meanwhile', async () => {
    const taken: unknown[] = [];
    let isPoisoned = true;
    const store = async (writes: Writes) => {
      if (isPoisoned && writes.some(({ key }) => key === 'poison')) throw new Error('poisoned');
      taken.push(...writes.map(({ key, value }) => [key, value]));
    };
    const { cache } = open({ store, write: 'behind' });
    const told: any[] = [];
    cache.on('store-error', (event) => told.push(event));
    for (const key of ['a', 'poison', 'b']) await cache.set(key, 1);
    await until(() => taken.length === 2);
    await cache.set('c', 1);
    await cache.set('poison', 2);
    await until(() => taken.length === 3);
    expect(taken.sort()).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ]);
    expect(told[0]).toEqual({ writes: 3, error: new Error('poisoned') });
    expect(cache.metrics()).toMatchObject({ pendingWrites: 1, storeErrors: told.length });
    isPoisoned = false;
    await cache.flush();
    expect(taken.slice(3)).toEqual([['poison', 2]]);
  });

  test('what waits for the source is found, whatever L1 and L2 have lost', async () => {
    const { batches, store } = held();
    const load = jest.fn(() => 'of the source');
    const { cache, l1, l2 } = open<any>({ store, load, write: 'behind' });
    await cache.set('set', 1);
    await cache.set('deleted', 1);
    await cache.delete('deleted');
    const lose = () => {
      l1.clear();
      l2.clear();
    };
    for (const isSent of [false, true]) {
      if (isSent) await until(() => batches.length === 1);
      lose();
      expect([await cache.get('set'), await cache.getOrLoad('set', load)]).toEqual([1, 1]);
      expect([await cache.get('deleted'), await cache.getOrLoad('deleted', load)]).toEqual([
        undefined,
        undefined,
      ]);
      expect(cache.getSync('deleted')).toBeUndefined();
    }
    expect(load).not.toHaveBeenCalled();
    batches[0]!.resolve();
    await cache.flush();
    lose();
    expect(await cache.get('set')).toBe('of the source');
  });

  // All of a turn found room for themselves, and those who waited went in together.
  test('no more than may wait do, the others wait for room in their order', async () => {
    const { batches, store } = held();
    const { cache } = open({ store, write: 'behind', maxPendingWrites: 3 });
    const ended: number[] = [];
    const all = [1, 2, 3, 4, 5, 6, 7].map((n) => cache.set(`${n % 4}`, n).then(() => ended.push(n)));
    await until(() => batches.length === 1);
    expect([ended, cache.metrics().pendingWrites, cache.getSync('0')]).toEqual([[1, 2, 3], 3, undefined]);
    batches[0]!.resolve();
    await until(() => batches.length === 2);
    expect([ended, batches[1]!.writes.map(({ value }) => value)]).toEqual([
      [1, 2, 3, 4, 5, 6],
      [4, 5, 6],
    ]);
    expect(cache.metrics().pendingWrites).toBe(3);
    batches[1]!.resolve();
    await Promise.all(all);
    await until(() => batches.length === 3);
    batches[2]!.resolve();
    await cache.flush();
    expect(['0', '1', '2', '3'].map((key) => cache.getSync(key))).toEqual([4, 5, 6, 7]);
  });

  // It waited for the end of all, which may never be.
  test('flush waits for what there was, and for nothing later', async () => {
    const { batches, store } = held();
    const { cache } = open({ store, write: 'behind' });
    await cache.flush();
    await cache.set('a', 1);
    const flushed = jest.fn();
    const flush = cache.flush().then(flushed);
    await until(() => batches.length === 1);
    await cache.set('b', 1);
    expect(flushed).not.toHaveBeenCalled();
    batches[0]!.resolve();
    await flush;
    expect(cache.metrics().pendingWrites).toBe(1);
    await until(() => batches.length === 2);
    batches[1]!.resolve();
  });

  test('close waits for all, and says how much is lost if that is too long', async () => {
    const { batches, store } = held();
    const good = open({ store, write: 'behind' }).cache;
    await good.set('a', 1);
    const close = good.close({ timeout: 600_000 });
    await until(() => batches.length === 1);
    batches[0]!.resolve();
    await close;
    const { cache } = open({ store: held().store, write: 'behind', maxPendingWrites: 2 });
    const all = ['a', 'b', 'c'].map((key) => cache.set(key, 1));
    await Promise.all(all.slice(0, 2));
    const flush = cache.flush();
    const [lost, late, unflushed] = await Promise.allSettled([cache.close({ timeout: 5 }), all[2], flush]);
    expect(lost).toMatchObject({
      reason: { name: 'TimeoutError', message: expect.stringContaining('2 writes are lost') },
    });
    expect([late, unflushed]).toMatchObject(Array(2).fill({ reason: { code: 'ERR_KEELSON_DESTROYED' } }));
    await cache.close();
  });

  test('a write that fails counts once, also while it waits to be tried again', async () => {
    const { cache } = open({ store: () => Promise.reject(new Error('down')), write: 'behind' });
    const told = jest.fn();
    cache.on('store-error', told);
    await cache.set('a', 1);
    await until(() => told.mock.calls.length === 1);
    await turn();
    expect(cache.metrics().pendingWrites).toBe(1);
    await expect(cache.close({ timeout: 0 })).rejects.toThrow('(1 writes are lost)');
  });

  test('without a source it is a cache', async () => {
    const { cache } = open({ write: 'behind' });
    await cache.set('a', 1);
    await cache.flush();
    expect([await cache.get('a'), cache.metrics().pendingWrites]).toEqual([1, 0]);
  });

  test('pending writes keep the process alive until the source has them, also after a failure', async () => {
    const source = `
      const { BoundedLRUCache, TieredCache } = require('keelson');
      let calls = 0;
      const store = async (writes) => {
        if (calls++ === 0) throw new Error('down');
        console.log(JSON.stringify(writes));
      };
      new TieredCache({ l1: new BoundedLRUCache(9), store, write: 'behind' }).set('a', 1);`;
    expect(await runNode(['-e', source])).toMatchObject({
      ...{ code: 0, stderr: '' },
      stdout: '[{"key":"a","value":1}]\n',
    });
  });
});

const seed = Number(process.env.KEELSON_SEED ?? Math.floor(Math.random() * 2 ** 32));

test.each(['through', 'behind'] as const)(
  `the source has in the end what was changed last, and sees no key go back, written %s, seed ${seed}`,
  async (write) => {
    const random = generator(seed);
    const source = new Map<string, any>();
    const wrong: unknown[] = [];
    const store = async (writes: Writes) => {
      if (random() < 0.5) await turn();
      if (write === 'behind' && random() < 0.05) throw new Error('down');
      for (const { key, value } of writes) {
        if (value !== undefined && value <= (source.get(key) ?? 0)) wrong.push([key, value]);
        source.set(key, value);
      }
      if (writes.length > 100) wrong.push(writes.length);
    };
    const { cache } = open({ store, write, maxPendingWrites: 7 });
    const model = new Map<string, number | undefined>();
    const changes: Promise<void>[] = [];
    for (let step = 1; step <= 400; step++) {
      const key = `${Math.floor(random() * 20)}`;
      const value = random() < 0.2 ? undefined : step;
      model.set(key, value);
      changes.push(value === undefined ? cache.delete(key) : cache.set(key, value));
      if (random() < 0.1) await turn();
      if (cache.metrics().pendingWrites > 7) wrong.push(cache.metrics());
    }
    await Promise.all(changes);
    await cache.flush();
    expect([wrong, Object.fromEntries(source)]).toEqual([[], Object.fromEntries(model)]);
    for (const [key, value] of model) expect(await cache.get(key)).toBe(value);
  },
);
