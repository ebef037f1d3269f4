import { deferred } from './support/deferred';
import { closeAll, open } from './support/sharedCaches';

afterEach(closeAll);

test('a load runs once for all who wait, and only where there is nothing', async () => {
  const cache = open<any>();
  let runs = 0;
  const loader = async (key: string): Promise<string> => {
    runs++;
    await new Promise((resolve) => setTimeout(resolve, 5));
    return `${key} ${runs}`;
  };
  const other = open<any>({ name: cache.name });
  const all = [cache.getOrLoad('k', loader), cache.getOrLoad('k', loader), other.getOrLoad('k', loader)];
  expect(await Promise.all(all)).toEqual(['k 1', 'k 1', 'k 1']);
  expect(await cache.getOrLoad('k', loader)).toBe('k 1');
  cache.set('null', null);
  expect(await cache.getOrLoad('null', loader)).toBeNull();
  expect(await cache.getOrLoad('none', () => undefined)).toBeUndefined();
  expect(cache.has('none')).toBe(false);
  const failing = async (): Promise<never> => {
    await null;
    throw new RangeError('no');
  };
  const failed = await Promise.allSettled([cache.getOrLoad('bad', failing), other.getOrLoad('bad', failing)]);
  expect(failed).toMatchObject([
    { reason: expect.any(RangeError) },
    { reason: { code: 'ERR_KEELSON_LOAD', key: 'bad', message: expect.stringContaining(': no') } },
  ]);
  expect(await cache.getOrLoad('bad', () => 'now')).toBe('now');
});

test('what is set or deleted while it is loaded stays so', async () => {
  const cache = open<any>();
  const { promise, resolve: land } = deferred<string>();
  const load = cache.getOrLoad('a', () => promise);
  await null;
  cache.set('a', 'set');
  land('loaded');
  expect(await load).toBe('loaded');
  expect(cache.get('a')).toBe('set');
});

test.each(['delete', 'invalidateTag', 'clear'] as const)(
  'who asks after %s gets nothing from before it',
  async (how) => {
    const cache = open<any>();
    const { promise, resolve: land } = deferred<string>();
    const loader = () => promise;
    const options = { tags: ['tag'] };
    const before = [cache.getOrLoad('a', loader, options), cache.getOrLoad('a', loader, options)];
    if (how === 'clear') cache.clear();
    else cache[how](how === 'delete' ? 'a' : 'tag');
    const after = cache.getOrLoad('a', () => 'new', options);
    land('old');
    expect(await Promise.all(before)).toEqual(['old', 'old']);
    expect(await after).toBe('new');
    expect(cache.get('a')).toBe('new');
  },
);

test('all who wait in the thread of a loader get its own error', async () => {
  const cache = open<any>();
  const failing = async (): Promise<never> => {
    await null;
    throw new RangeError('no');
  };
  const failed = await Promise.allSettled([1, 2, 3].map(() => cache.getOrLoad('bad', failing)));
  expect(failed.map((one) => (one as PromiseRejectedResult).reason)).toEqual(
    Array(3).fill(new RangeError('no')),
  );
});

test('who waits for a load can give up', async () => {
  const cache = open<any>();
  const controller = new AbortController();
  const { promise, resolve: land } = deferred<string>();
  const load = cache.getOrLoad('a', () => promise, { signal: controller.signal });
  await null;
  controller.abort(new Error('enough'));
  await expect(load).rejects.toThrow('enough');
  land('loaded');
  await new Promise((resolve) => setImmediate(resolve));
  expect(cache.get('a')).toBe('loaded');
  await expect(
    cache.getOrLoad('b', () => 1, { signal: AbortSignal.abort(new Error('before')) }),
  ).rejects.toThrow('before');
});
