import { AsyncLocalStorage } from 'node:async_hooks';
import { LoadError } from 'keelson';
import { deferred } from './support/deferred';
import { closeAll, open, standStill, turn, until } from './support/tiers';

afterEach(async () => {
  await closeAll();
  jest.restoreAllMocks();
});

describe.each<[string, typeof open]>([
  ['L1', (options) => open({ ...options, l2: undefined })],
  ['L1 and L2', open],
])('with %s', (_, make) => {
  test('a loader runs once for all who ask at once, and what it gives is stored', async () => {
    const { cache, l1 } = make();
    const { promise, resolve } = deferred<string>();
    const loader = jest.fn((_key: string, _context: object) => promise);
    const all = [1, 2, 3].map(() => cache.getOrLoad('a', loader));
    resolve('value');
    expect(await Promise.all(all)).toEqual(['value', 'value', 'value']);
    expect(loader.mock.calls).toEqual([['a', { signal: expect.any(AbortSignal) }]]);
    expect([await cache.getOrLoad('a', loader), l1.get('a')]).toEqual(['value', 'value']);
    expect(cache.metrics()).toMatchObject({ loads: 1, loadErrors: 0, misses: 0, l1Hits: 1 });
  });

  test('a loader that fails fails for all who wait, and the next call loads again', async () => {
    const { cache } = make();
    const { promise, reject } = deferred();
    const told = jest.fn();
    cache.on('load-error', told);
    const both = [cache.getOrLoad('a', () => promise), cache.getOrLoad('a', () => promise)];
    const error = new RangeError('down');
    reject(error);
    expect(await Promise.allSettled(both)).toEqual(both.map(() => ({ status: 'rejected', reason: error })));
    const thrower = () => {
      throw error;
    };
    await expect(cache.getOrLoad('a', thrower)).rejects.toBe(error);
    await expect(cache.getOrLoad('a', () => () => {})).rejects.toMatchObject({
      name: 'InvalidArgumentError',
    });
    expect(await cache.getOrLoad('a', () => 'now')).toBe('now');
    expect([cache.metrics().loadErrors, told.mock.calls]).toEqual([3, []]);
  });

  test('undefined is remembered for negativeTtl, and not at all without', async () => {
    const advance = standStill();
    const loader = jest.fn((): any => undefined);
    const without = make().cache;
    for (let n = 0; n < 2; n++) expect(await without.getOrLoad('a', loader)).toBeUndefined();
    expect(loader).toHaveBeenCalledTimes(2);
    const { cache, l1 } = make({ negativeTtl: 60_000 });
    loader.mockClear();
    for (let n = 0; n < 2; n++) expect(await cache.getOrLoad('a', loader)).toBeUndefined();
    l1.delete('b');
    expect([cache.getSync('a'), await cache.get('a'), loader.mock.calls.length]).toEqual([
      undefined,
      undefined,
      1,
    ]);
    advance(60_001);
    loader.mockReturnValue('there');
    expect(await cache.getOrLoad('a', loader)).toBe('there');
    await cache.getOrLoad('c', () => undefined, { tags: ['t'] });
    await cache.invalidateTag('t');
    expect(await cache.getOrLoad('c', loader)).toBe('there');
    await cache.getOrLoad('d', () => undefined);
    await cache.set('d', 1);
    expect(await cache.get('d')).toBe(1);
  });

  test('get reads through, where there is a loader', async () => {
    const load = jest.fn(async (key: string) => (key === 'none' ? undefined : `loaded ${key}`));
    const { cache } = make({ load });
    expect(await Promise.all([cache.get('a'), cache.get('a'), cache.get('none')])).toEqual([
      ...['loaded a', 'loaded a', undefined],
    ]);
    expect([load.mock.calls.length, cache.getSync('a'), await make().cache.get('a')]).toEqual([
      ...[2, 'loaded a', undefined],
    ]);
  });

  test('a load that takes too long fails, is aborted, and what it gives then is for nobody', async () => {
    const { cache } = make({ loadTimeout: 5 });
    const { promise, resolve } = deferred<string>();
    let signal!: AbortSignal;
    const load = cache.getOrLoad('a', (_key, context) => {
      signal = context.signal;
      return promise;
    });
    const failure = await load.catch((error) => error);
    expect(failure).toMatchObject({
      name: 'TimeoutError',
      timeout: 5,
      message: expect.stringContaining("'a'"),
    });
    expect([signal.aborted, signal.reason]).toEqual([true, failure]);
    resolve('late');
    await turn();
    expect(await cache.get('a')).toBeUndefined();
  });

  test('who gives up leaves the load to the others, and its value is stored', async () => {
    const { cache } = make();
    const { promise, resolve } = deferred<string>();
    const controller = new AbortController();
    let inner!: AbortSignal;
    const loader = (_key: string, { signal }: { signal: AbortSignal }) => {
      inner = signal;
      return promise;
    };
    const first = cache.getOrLoad('a', loader, { signal: controller.signal });
    const second = cache.getOrLoad('a', loader);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(first).rejects.toBe(reason);
    expect(inner.aborted).toBe(false);
    resolve('value');
    expect([await second, cache.getSync('a')]).toEqual(['value', 'value']);
  });

  // It loaded all the same.
  test('who has given up before gets nothing, though it be there, and nothing is loaded', async () => {
    const loader = jest.fn(() => 'x');
    const { cache } = make<any>({ load: loader });
    await cache.set('there', 1);
    const options = { signal: AbortSignal.abort('before') };
    for (const key of ['a', 'there']) {
      await expect(cache.getOrLoad(key, loader, options)).rejects.toBe('before');
      await expect(cache.get(key, options)).rejects.toBe('before');
    }
    expect(loader).not.toHaveBeenCalled();
  });

  // What was set was let go of again when the load had ended, and who asked after a deletion got what is from before it.
  test.each<[string, (cache: ReturnType<typeof open>['cache']) => Promise<void>, string | undefined]>([
    ['set', (cache) => cache.set('a', 'set'), 'set'],
    ['deleted', (cache) => cache.delete('a'), undefined],
    ['invalidated', (cache) => cache.invalidateTag('t'), undefined],
    ['cleared', (cache) => cache.clear(), undefined],
  ])('what is %s while it is loaded stays so', async (_, change, after) => {
    const { cache, l1, l2 } = make();
    const { promise, resolve } = deferred<string>();
    const load = cache.getOrLoad('a', () => promise, { tags: ['t', 'u'] });
    await turn();
    await change(cache);
    const next = cache.getOrLoad('a', () => 'after', { tags: ['t'] });
    expect(await next).toBe(after ?? 'after');
    resolve('loaded');
    expect(await load).toBe('loaded');
    await turn();
    expect(cache.getSync('a')).toBe(after ?? 'after');
    l1.clear();
    expect(await cache.get('a')).toBe(l2 === undefined ? undefined : (after ?? 'after'));
  });

  test('what is overtaken and asked for by nobody else is in no tier', async () => {
    const { cache, l1, l2 } = make();
    const { promise, resolve } = deferred<string>();
    const load = cache.getOrLoad('a', () => promise, { tags: ['t'] });
    const other = cache.getOrLoad('b', () => promise, { tags: ['u'] });
    await cache.invalidateTag('t');
    resolve('loaded');
    expect([await load, await other]).toEqual(['loaded', 'loaded']);
    expect([l1.keys(), await cache.get('a'), await cache.get('b')]).toEqual([['b'], undefined, 'loaded']);
    expect(l2?.has('a') ?? false).toBe(false);
  });

  test('a loader may use the cache, and set its own key', async () => {
    const { cache } = make();
    const loaded = await cache.getOrLoad('a', async () => {
      const other = await cache.getOrLoad('b', async () => 'b');
      await cache.set('a', 'set');
      return `${other} loaded`;
    });
    expect([loaded, await cache.get('a'), await cache.get('b')]).toEqual(['b loaded', 'set', 'b']);
  });

  test('a loader runs in the context of who asked first', async () => {
    const { cache } = make();
    const storage = new AsyncLocalStorage<string>();
    const loader = async () => {
      await turn();
      return storage.getStore();
    };
    const all = ['first', 'second'].map((name) => storage.run(name, () => cache.getOrLoad('a', loader)));
    expect(await Promise.all(all)).toEqual(['first', 'first']);
    const after = ['third', 'fourth'].map((name) =>
      storage.run(name, async () => [await cache.getOrLoad('a', loader), storage.getStore()]),
    );
    expect(await Promise.all(after)).toEqual([
      ['first', 'third'],
      ['first', 'fourth'],
    ]);
  });
});

describe('stale', () => {
  /** A cache with something that has been stale for a millisecond. */
  async function stale(options: object) {
    const advance = standStill();
    const all = open({ ttl: 60_000, ...options });
    await all.cache.set('a', 'old', { tags: ['t'] });
    advance(60_001);
    return { ...all, advance };
  }

  test('it is given at once, and renewed behind the back of all who ask', async () => {
    const { cache, advance } = await stale({ stale: 60_000 });
    expect([cache.getSync('a'), await cache.get('a')]).toEqual([undefined, undefined]);
    const { promise, resolve } = deferred<string>();
    const loader = jest.fn(() => promise);
    for (let n = 0; n < 3; n++) expect(await cache.getOrLoad('a', loader)).toBe('old');
    resolve('new');
    await until(() => cache.getSync('a') === 'new');
    expect([loader.mock.calls.length, cache.metrics().staleHits]).toEqual([1, 1]);
    // The renewed one has its whole time.
    advance(60_000);
    expect(cache.getSync('a')).toBe('new');
    advance(60_001);
    expect(await cache.getOrLoad('a', () => 'newest')).toBe('newest');
  });

  // It was given for as long as the load took.
  test('it is given for no longer than it may be, though the load goes on', async () => {
    const { cache, advance } = await stale({ stale: 60_000 });
    const { promise, resolve } = deferred<string>();
    const loader = jest.fn(() => promise);
    expect(await cache.getOrLoad('a', loader)).toBe('old');
    advance(60_000);
    const late = [cache.getOrLoad('a', loader), cache.getOrLoad('a', loader)];
    resolve('new');
    expect([await Promise.all(late), loader.mock.calls.length]).toEqual([['new', 'new'], 1]);
  });

  test('a soft timeout waits for what is quick, and for no more', async () => {
    const { cache } = await stale({ stale: 60_000, softTimeout: 600_000 });
    const quick = cache.getOrLoad('a', async () => {
      await turn();
      return 'new';
    });
    expect([await quick, cache.metrics().staleHits]).toEqual(['new', 0]);
    const other = await stale({ stale: 60_000, softTimeout: 5 });
    const { promise, resolve } = deferred<string>();
    expect(await other.cache.getOrLoad('a', () => promise)).toBe('old');
    resolve('new');
    await until(() => other.cache.getSync('a') === 'new');
    expect(other.cache.metrics().staleHits).toBe(1);
  });

  test('who would get it and waits gets what fails while nothing is told', async () => {
    const { cache } = await stale({ stale: 60_000, softTimeout: 600_000 });
    await expect(cache.getOrLoad('a', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
  });

  test('it is let go of with its tag, and with what is loaded as nothing', async () => {
    const { cache } = await stale({ stale: 60_000 });
    expect(await cache.getOrLoad('a', () => undefined)).toBe('old');
    await turn();
    expect(await cache.getOrLoad('a', () => 'again')).toBe('again');
    const other = await stale({ stale: 60_000 });
    await other.cache.invalidateTag('t');
    expect(await other.cache.getOrLoad('a', () => 'new')).toBe('new');
  });
});

describe('grace', () => {
  const down = jest.fn(() => Promise.reject(new Error('down')));
  beforeEach(() => down.mockClear());

  test('a loader that fails leaves what was there, which is not tried again at once, and not for ever', async () => {
    const advance = standStill();
    const { cache, l1 } = open({ ttl: 60_000, grace: 120_000, graceBackoff: 50_000 });
    const told = jest.fn();
    cache.on('load-error', told);
    await cache.set('a', 'old', { tags: ['t'] });
    advance(60_001);
    for (let n = 0; n < 3; n++) expect(await cache.getOrLoad('a', down)).toBe('old');
    expect([down.mock.calls.length, cache.metrics().graceHits, cache.getSync('a')]).toEqual([1, 1, 'old']);
    expect(told.mock.calls).toEqual([[{ key: 'a', error: expect.any(Error) }]]);
    advance(50_001);
    expect([await cache.getOrLoad('a', down), down.mock.calls.length]).toEqual(['old', 2]);
    advance(50_001);
    expect([await cache.getOrLoad('a', down), down.mock.calls.length]).toEqual(['old', 3]);
    // It was held for the whole backoff.
    expect(l1.getRemainingTTL('a')).toBe(19_997);
    advance(19_998);
    await expect(cache.getOrLoad('a', down)).rejects.toThrow('down');
    expect([told.mock.calls.length, await cache.getOrLoad('a', () => 'new')]).toEqual([3, 'new']);
  });

  test('what is held meanwhile goes with its tag, and what is loaded takes its place', async () => {
    const advance = standStill();
    const { cache } = open({ ttl: 60_000, grace: 600_000, graceBackoff: 50_000 });
    await cache.set('a', 'old', { tags: ['t'] });
    advance(60_001);
    expect(await cache.getOrLoad('a', down)).toBe('old');
    await cache.invalidateTag('t');
    await expect(cache.getOrLoad('a', down)).rejects.toThrow('down');
    await cache.set('a', 'old');
    advance(60_001);
    expect(await cache.getOrLoad('a', down)).toBe('old');
    advance(50_001);
    expect(await cache.getOrLoad('a', () => 'new')).toBe('new');
  });

  test('a key that is deleted while a load fails has nothing left', async () => {
    const advance = standStill();
    const { cache } = open({ ttl: 60_000, grace: 600_000 });
    await cache.set('a', 'old');
    advance(60_001);
    const { promise, reject } = deferred();
    const load = cache.getOrLoad('a', () => promise);
    await cache.delete('a');
    reject(new LoadError('a', 'down'));
    await load.catch(() => {});
    expect([cache.getSync('a'), await cache.get('a')]).toEqual([undefined, undefined]);
  });
});
