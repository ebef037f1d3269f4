import { BoundedLRUCache, InvalidArgumentError } from 'keelson';

/** A promise and the means to settle it. */
function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function timed(ttl = 100) {
  let now = 1_000_000;
  const cache = new BoundedLRUCache<unknown, string>({ maxSize: 10, ttl, clock: () => now });
  return {
    cache,
    advance: (ms: number) => {
      now += ms;
    },
  };
}

test('a loader runs once for all who ask at once, and its value is stored', async () => {
  const { cache } = timed();
  const { promise, resolve } = deferred<string>();
  const loader = jest.fn(() => promise);
  const all = [1, 2, 3].map(() => cache.getOrLoad({ id: 1 }, loader));
  resolve('value');
  expect(await Promise.all(all)).toStrictEqual(['value', 'value', 'value']);
  expect(loader).toHaveBeenCalledTimes(1);
  expect(cache.get({ id: 1 })).toBe('value');
  expect(await cache.getOrLoad({ id: 1 }, loader)).toBe('value');
  expect(cache.metrics()).toMatchObject({ loads: 1, coalescedLoads: 2, hits: 2, misses: 3 });
});

test("keys of different kinds never share a load, and a loader gets its caller's key", async () => {
  const { cache } = timed();
  const keys = ['1', 1, '{"a":1}', { a: 1 }, 's1', 'j{"a":1}'];
  const got = await Promise.all(
    keys.map((key) => cache.getOrLoad(key, (own) => `${typeof own} ${JSON.stringify(own)}`)),
  );
  expect(new Set(got).size).toBe(keys.length);
});

test('a rejection and a throw reach every caller and are not stored', async () => {
  const { cache } = timed();
  const { promise, reject } = deferred<string>();
  const both = [cache.getOrLoad('a', () => promise), cache.getOrLoad('a', () => promise)];
  reject(new Error('down'));
  for (const one of both) await expect(one).rejects.toThrow('down');
  const thrower = () => {
    throw new TypeError('sync');
  };
  await expect(cache.getOrLoad('a', thrower)).rejects.toThrow(TypeError);
  expect(await cache.getOrLoad('a', () => 'fine')).toBe('fine');
  expect(cache.metrics()).toMatchObject({ loads: 3, loadFailures: 2 });
});

describe('signal', () => {
  test('rejects its own caller with its reason, and the load goes on for the others', async () => {
    const { cache } = timed();
    const { promise, resolve } = deferred<string>();
    const controller = new AbortController();
    let inner: AbortSignal | undefined;
    const loader = (_: unknown, context: { signal: AbortSignal }) => {
      inner = context.signal;
      return promise;
    };
    const first = cache.getOrLoad('a', loader, { signal: controller.signal });
    const second = cache.getOrLoad('a', loader);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(first).rejects.toBe(reason);
    expect(inner?.aborted).toBe(false);
    resolve('value');
    expect(await second).toBe('value');
  });

  test('of the last caller aborts the load, whose value is then not stored', async () => {
    const { cache } = timed();
    const { promise, resolve } = deferred<string>();
    const controller = new AbortController();
    let inner: AbortSignal | undefined;
    const loader = (_: unknown, context: { signal: AbortSignal }) => {
      inner = context.signal;
      return promise;
    };
    const only = cache.getOrLoad('a', loader, { signal: controller.signal });
    controller.abort('enough');
    await expect(only).rejects.toBe('enough');
    expect([inner?.aborted, inner?.reason]).toStrictEqual([true, 'enough']);
    resolve('late');
    await promise;
    expect(cache.has('a')).toBe(false);
    expect(await cache.getOrLoad('a', () => 'anew')).toBe('anew');
  });

  test('that is aborted already rejects at once, and is left without listeners after a load', async () => {
    const { cache } = timed();
    const loader = jest.fn(() => 'x');
    await expect(cache.getOrLoad('a', loader, { signal: AbortSignal.abort('no') })).rejects.toBe('no');
    expect(loader).not.toHaveBeenCalled();
    const { signal } = new AbortController();
    const remove = jest.spyOn(signal, 'removeEventListener');
    await cache.getOrLoad('a', loader, { signal });
    expect(remove).toHaveBeenCalledTimes(1);
  });
});

test('staleWhileRevalidate answers with the old value, once expired, while one load runs', async () => {
  const { cache, advance } = timed();
  const swr = { staleWhileRevalidate: 50 };
  await cache.getOrLoad('a', () => 'old', swr);
  advance(101);
  expect([cache.get('a'), cache.has('a'), cache.peek('a'), cache.keys()]).toStrictEqual([
    undefined,
    false,
    undefined,
    [],
  ]);
  const { promise, resolve } = deferred<string>();
  const loader = jest.fn((_key: unknown, _context: { stale: string | undefined }) => promise);
  expect(await cache.getOrLoad('a', loader, swr)).toBe('old');
  expect(await cache.getOrLoad('a', loader, swr)).toBe('old');
  expect(loader).toHaveBeenCalledTimes(1);
  expect(loader.mock.calls[0]?.[1].stale).toBe('old');
  resolve('new');
  await promise;
  await Promise.resolve();
  expect(cache.get('a')).toBe('new');
  expect(cache.metrics()).toMatchObject({ staleServed: 2, loads: 2 });
  advance(151);
  expect(await cache.getOrLoad('a', () => 'newest', swr)).toBe('newest');
});

test('a failed revalidation keeps the old value until its grace is over, and is nobody’s rejection', async () => {
  const { cache, advance } = timed();
  const swr = { staleWhileRevalidate: 50 };
  await cache.getOrLoad('a', () => 'old', swr);
  advance(120);
  const down = () => Promise.reject(new Error('down'));
  expect(await cache.getOrLoad('a', down, swr)).toBe('old');
  // Any load under way has failed by the next turn of the event loop.
  await new Promise(setImmediate);
  expect(cache.metrics().loadFailures).toBe(1);
  expect(await cache.getOrLoad('a', down, swr)).toBe('old');
  await new Promise(setImmediate);
  advance(31);
  await expect(cache.getOrLoad('a', down, swr)).rejects.toThrow('down');
  expect(cache.metrics().loadFailures).toBe(3);
});

test('negativeTtl remembers a failure, and set() and delete() forget it', async () => {
  const { cache, advance } = timed();
  const loader = jest.fn(() => Promise.reject(new Error('down')));
  const options = { negativeTtl: 20 };
  for (let i = 0; i < 3; i++) await expect(cache.getOrLoad('a', loader, options)).rejects.toThrow('down');
  expect(loader).toHaveBeenCalledTimes(1);
  advance(21);
  await expect(cache.getOrLoad('a', loader, options)).rejects.toThrow('down');
  expect(loader).toHaveBeenCalledTimes(2);
  cache.delete('a');
  await expect(cache.getOrLoad('a', loader, options)).rejects.toThrow('down');
  expect(loader).toHaveBeenCalledTimes(3);
  cache.set('a', 'here');
  expect(await cache.getOrLoad('a', loader, options)).toBe('here');
  const absent = jest.fn(() => undefined as unknown as string);
  for (let i = 0; i < 3; i++) expect(await cache.getOrLoad('b', absent, options)).toBeUndefined();
  expect(absent).toHaveBeenCalledTimes(1);
  expect(cache.has('b')).toBe(false);
  expect(cache.metrics()).toMatchObject({ negativeHits: 4, loads: 4 });
});

test.each(['set', 'delete', 'clear', 'destroy'] as const)(
  'what a load brings after %s() is not stored',
  async (how) => {
    const { cache } = timed();
    const { promise, resolve } = deferred<string>();
    const loading = cache.getOrLoad('a', () => promise);
    if (how === 'set') cache.set('a', 'newer');
    else if (how === 'delete') cache.delete('a');
    else cache[how]();
    resolve('older');
    expect(await loading).toBe('older');
    expect(cache.get('a')).toBe(how === 'set' ? 'newer' : undefined);
  },
);

test('a load may have a ttl of its own; bad options are refused', async () => {
  const { cache, advance } = timed();
  await cache.getOrLoad('a', () => 'x', { ttl: 10 });
  expect(cache.getRemainingTTL('a')).toBe(10);
  advance(11);
  expect(cache.has('a')).toBe(false);
  for (const options of [
    { ttl: -1 },
    { signal: {} },
    { staleWhileRevalidate: -1 },
    { negativeTtl: 'x' },
    { sig: 1 },
  ]) {
    expect(() => cache.getOrLoad('a', () => 'x', options as never)).toThrow(InvalidArgumentError);
  }
  expect(() => cache.getOrLoad('a', 5 as never)).toThrow('"loader" must be a function');
});
