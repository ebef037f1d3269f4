import { BoundedLRUCache, InvalidArgumentError } from 'keelson';
import { deferred } from './support/deferred';

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

// An entry in its grace counted in size and was evicted after live ones: a few dead ones pushed out what was used.
test('what is in its grace is not counted, goes before live entries and is expired when it goes', async () => {
  let now = 1000;
  const gone: unknown[] = [];
  const onEvict = (...all: unknown[]) => gone.push(all);
  const cache = new BoundedLRUCache<unknown, string>({ maxSize: 3, ttl: 100, clock: () => now, onEvict });
  const swr = { staleWhileRevalidate: 1e6 };
  cache.set('live', 'x', Number.POSITIVE_INFINITY);
  await cache.getOrLoad('text', () => 'a', swr);
  await cache.getOrLoad(7, () => 'b', { staleWhileRevalidate: Number.POSITIVE_INFINITY });
  now += 101;
  expect([cache.size, cache.getStats().currentSize, cache.prune(), cache.keys()]).toStrictEqual([
    1,
    1,
    0,
    ['live'],
  ]);
  now -= 1;
  expect([cache.size, cache.keys().length]).toStrictEqual([3, 3]);
  now += 1;
  cache.set('new', 'y');
  cache.set('newer', 'z');
  expect(cache.keys()).toStrictEqual(['live', 'new', 'newer']);
  expect(gone).toStrictEqual([
    ['text', 'a', 'expired'],
    [7, 'b', 'expired'],
  ]);
});

// Keys that are not text left as 'deleted' when they were loaded anew in their grace.
test.each(['text', 7, { id: 1 }])('a reload in grace lets the old value of %p expire', async (key) => {
  let now = 1000;
  const gone: unknown[] = [];
  const onEvict = (...all: unknown[]) => gone.push(all);
  const cache = new BoundedLRUCache<unknown, string>({ maxSize: 3, ttl: 100, clock: () => now, onEvict });
  const swr = { staleWhileRevalidate: 1000 };
  await cache.getOrLoad(key, () => 'old', swr);
  now += 101;
  await cache.getOrLoad(key, () => 'new', swr);
  await new Promise(setImmediate);
  expect(gone).toStrictEqual([[key, 'old', 'expired']]);
  expect(cache.metrics()).toMatchObject({ expirations: 1, deletions: 0 });
  now += 101;
  expect(cache.delete(key)).toBe(false);
  expect(cache.metrics()).toMatchObject({ expirations: 2, deletions: 0 });
});

// A renewing hit set the grace to nothing, so that the next expiry waited for its load.
test.each([false, true])(
  'a hit leaves the grace as it is, with updateAgeOnGet %p',
  async (updateAgeOnGet) => {
    let now = 1000;
    const options = { maxSize: 3, ttl: 100, updateAgeOnGet, clock: () => now };
    const cache = new BoundedLRUCache<unknown, string>(options);
    const swr = { staleWhileRevalidate: 1000 };
    await cache.getOrLoad('a', () => 'old', swr);
    expect(cache.get('a')).toBe('old');
    now += 101;
    cache.set('other', 'x');
    expect(await cache.getOrLoad('a', () => 'new', swr)).toBe('old');
  },
);

// What set() stored was served stale as long as no sweep had come by.
test('only what was stored with a grace is served stale, swept or not, and only to who asks for it', async () => {
  const { cache, advance } = timed();
  const swr = { staleWhileRevalidate: 1e6 };
  cache.set('plain', 'old');
  await cache.getOrLoad('short', () => 'old', { staleWhileRevalidate: 50 });
  await cache.getOrLoad('kept', () => 'old', swr);
  advance(160);
  expect(await cache.getOrLoad('plain', () => 'new', swr)).toBe('new');
  expect(await cache.getOrLoad('short', () => 'new', swr)).toBe('new');
  expect(await cache.getOrLoad('kept', () => 'new', { staleWhileRevalidate: 50 })).toBe('new');
});

test('allowStale returns a value in its grace once as well', async () => {
  let now = 1000;
  const cache = new BoundedLRUCache<unknown, string>({
    maxSize: 3,
    ttl: 9,
    allowStale: true,
    clock: () => now,
  });
  await cache.getOrLoad('a', () => 'x', { staleWhileRevalidate: 1000 });
  now += 10;
  expect([cache.get('a'), cache.get('a'), cache.metrics().staleHits]).toStrictEqual(['x', undefined, 1]);
});

// An error of onEvict rejected loads that had succeeded, or came out of getOrLoad() itself.
test('a throwing onEvict fails no load and is an uncaught exception', async () => {
  let now = 1000;
  const onEvict = () => {
    throw new Error('callback');
  };
  const cache = new BoundedLRUCache<unknown, string>({ maxSize: 1, ttl: 100, clock: () => now, onEvict });
  const later: (() => void)[] = [];
  const nextTick = jest.spyOn(process, 'nextTick').mockImplementation((callback: unknown) => {
    later.push(callback as () => void);
  });
  try {
    cache.set('a', 'x');
    expect(await cache.getOrLoad('b', () => 'loaded')).toBe('loaded');
    expect([cache.get('b'), cache.metrics().loadFailures, later.length]).toStrictEqual(['loaded', 0, 1]);
    now += 101;
    expect(await cache.getOrLoad('b', () => 'anew')).toBe('anew');
    expect(later.length).toBe(2);
  } finally {
    nextTick.mockRestore();
  }
  for (const callback of later) expect(callback).toThrow('callback');
});

test('a value that cannot be stored is a failed load, behind the back of its caller too', async () => {
  let now = 1000;
  const weigh = (value: string) => {
    if (value === 'bad') throw new Error('weigh');
    return 1;
  };
  const options = { maxSize: 5, maxWeight: 9, ttl: 100, weigh, clock: () => now };
  const cache = new BoundedLRUCache<unknown, string>(options);
  const swr = { staleWhileRevalidate: 1000 };
  await cache.getOrLoad('a', () => 'fine', swr);
  now += 101;
  expect(await cache.getOrLoad('a', () => 'bad', swr)).toBe('fine');
  await new Promise(setImmediate);
  expect(cache.metrics()).toMatchObject({ loads: 2, loadFailures: 1 });
});

// Remembered errors, and whatever they hold on to, stayed until their key was asked for again.
test('a remembered failure is let go of when its time is over, by whatever comes by', async () => {
  const { cache, advance } = timed();
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const fail = async (key: string) => {
    const error = new Error('down');
    await cache.getOrLoad(key, () => Promise.reject(error), { negativeTtl: 20 }).catch(() => {});
    return new WeakRef(error);
  };
  const errors = [await fail('a'), await fail('b')];
  const left = async () => {
    await new Promise(setImmediate);
    collect();
    return errors.filter((error) => error.deref() !== undefined).length;
  };
  expect(await left()).toBe(2);
  advance(21);
  cache.set('other', 'x');
  expect(await left()).toBe(0);
});

test('options are read once', async () => {
  const { cache } = timed();
  let reads = 0;
  const options = {
    get ttl() {
      reads++;
      return reads === 1 ? 10 : -1;
    },
  };
  await cache.getOrLoad('a', () => 'x', options);
  expect([reads, cache.getRemainingTTL('a')]).toStrictEqual([1, 10]);
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

test.each(['set', 'load', 'delete', 'clear', 'destroy'] as const)(
  'what a load brings after %s() is not stored',
  async (how) => {
    const { cache } = timed();
    const { promise, resolve } = deferred<string>();
    const loading = cache.getOrLoad('a', () => promise);
    if (how === 'set') cache.set('a', 'newer');
    else if (how === 'load') cache.load([['a', { value: 'newer' }]]);
    else if (how === 'delete') cache.delete('a');
    else cache[how]();
    resolve('older');
    expect(await loading).toBe('older');
    expect(cache.get('a')).toBe(how === 'set' || how === 'load' ? 'newer' : undefined);
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
    { staleWhileRevalidate: null },
    { negativeTtl: null },
    { ttl: null },
    { signal: null },
    { sig: 1 },
  ]) {
    expect(() => cache.getOrLoad('a', () => 'x', options as never)).toThrow(InvalidArgumentError);
  }
  expect(() => cache.getOrLoad('a', 5 as never)).toThrow('"loader" must be a function');
});
