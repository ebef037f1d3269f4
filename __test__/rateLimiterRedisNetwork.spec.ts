import { Load } from './support/limiterLoad';
import { useProxy } from './support/proxy';
import { PATIENCE, SLACK, storeEvents, times, useLimiters, useRedis } from './support/redis';
import { eventually } from './support/server';

const QUOTA = 100;
/** One check at a time takes a way of its own. */
const CALLERS = [1, 32];
const TIMEOUT = 100;
const QUICK = { backoffMin: 5, backoffMax: 50 };

const server = useRedis();
const proxy = useProxy(server);
const make = useLimiters(server);
const through = (config = {}) =>
  make({
    redis: { host: proxy.host, port: proxy.port, connectTimeout: 500 },
    maxRequests: QUOTA,
    storeTimeout: TIMEOUT,
    onStoreError: 'local',
    breaker: QUICK,
    blockCache: 0,
    ...config,
  });

afterEach(async () => {
  await proxy.pass();
  await server.command('FLUSHALL');
});

/** Decisions of the store come again, and stay. */
async function expectWell(load: Load): Promise<void> {
  await load.next(QUOTA, 'redis');
  await eventually(async () => {
    const moment = performance.now();
    await eventually(() => load.since(moment).length >= QUOTA);
    return load.since(moment).every(({ source }) => source === 'redis');
  });
}

describe('a second of latency', () => {
  const LATENCY = 1000;

  test('with time enough, the store decides', async () => {
    const load = new Load(through({ storeTimeout: PATIENCE }));
    await load.ask();
    proxy.delay(LATENCY / 2);
    await times(3 * QUOTA, () => load.ask());
    expect(load.sources).toEqual(['redis']);
    expect(load.admitted()).toBe(QUOTA);
    load.expectAnswered(LATENCY + SLACK);
  });

  test.each(CALLERS)(
    'with less, the local limiter does: in time, and at most its share; %i callers',
    async (callers) => {
      const one = through({ localShare: 0.5 });
      const events = storeEvents(one);
      const load = new Load(one);
      await times(2 * QUOTA, () => load.ask());
      expect(load.admitted('redis')).toBe(QUOTA);
      proxy.delay(LATENCY / 2);
      const stop = load.keepAsking(callers);
      await load.next(2 * QUOTA, 'local');
      // Most of them do not wait for a store that is known to be slow.
      const waits = load.from('local').map(({ began, ended }) => ended - began);
      expect(waits.filter((ms) => ms >= TIMEOUT / 2).length).toBeLessThan(waits.length / 2);
      proxy.delay(0);
      await expectWell(load);
      await stop();
      load.expectAnswered(TIMEOUT + SLACK);
      expect(load.admitted('local')).toBe(QUOTA / 2);
      expect(load.admitted('redis')).toBe(QUOTA);
      expect(events[0]).toBe('redis-error');
      expect(events.at(-1)).toBe('recovered');
    },
  );

  test.each(CALLERS)(
    'answers that come too late are of no use, and do no harm; %i callers',
    async (callers) => {
      const one = through({ maxRequests: 1_000_000, onStoreError: 'closed' });
      const load = new Load(one, ['a', 'b']);
      await load.ask();
      // Each answer comes when its batch has been given up, and others wait.
      proxy.delay(TIMEOUT);
      const stop = load.keepAsking(callers);
      await load.next(QUOTA, 'closed');
      proxy.delay(0);
      await expectWell(load);
      await stop();
      load.expectAnswered(TIMEOUT + SLACK);
      const states = await Promise.all(load.keys.map((key) => one.peek(key)));
      const counted = states.reduce((sum, { limit, remaining }) => sum + limit - remaining, 0);
      expect(counted).toBeGreaterThanOrEqual(load.admitted());
      expect(counted).toBeLessThanOrEqual(load.asked);
    },
  );
});

describe('a black hole', () => {
  test.each(CALLERS)('that was there from the beginning; %i callers', async (callers) => {
    proxy.swallow();
    const one = through();
    const events = storeEvents(one);
    const load = new Load(one);
    const stop = load.keepAsking(callers);
    await load.next(2 * QUOTA, 'local');
    expect(load.admitted()).toBe(QUOTA);
    await proxy.pass();
    await expectWell(load);
    await stop();
    load.expectAnswered(TIMEOUT + SLACK);
    expect(load.admitted('redis')).toBe(QUOTA);
    expect(events.filter((event) => event === 'recovered')).toHaveLength(1);
  });

  test.each(CALLERS)('that swallows connections in use; %i callers', async (callers) => {
    const one = through();
    const events = storeEvents(one);
    const load = new Load(one);
    await times(2 * QUOTA, () => load.ask());
    const stop = load.keepAsking(callers);
    await load.next(callers, 'redis');
    proxy.swallow();
    await load.next(2 * QUOTA, 'local');
    // The old connection carries nothing any more: another one has to be opened.
    await proxy.pass();
    await expectWell(load);
    await stop();
    load.expectAnswered(TIMEOUT + SLACK);
    expect(load.admitted('local')).toBe(QUOTA);
    expect(load.admitted('redis')).toBe(QUOTA);
    expect(events).toContain('redis-error');
    expect(events.at(-1)).toBe('recovered');
  });

  test.each([
    ['open', true],
    ['closed', false],
  ] as const)(
    'with onStoreError %s each is answered in time: allowed is %s',
    async (onStoreError, allowed) => {
      const one = through({ onStoreError });
      const load = new Load(one);
      await load.ask();
      proxy.swallow();
      await times(3 * QUOTA, () => load.ask());
      const [first, ...others] = load.decisions;
      expect(first).toMatchObject({ allowed: true, source: 'redis' });
      expect(others.map((decision) => decision.allowed)).toEqual(others.map(() => allowed));
      load.expectAnswered(TIMEOUT + SLACK);
    },
  );

  test('a limiter that is destroyed in it settles what is under way', async () => {
    const load = new Load(through({ storeTimeout: PATIENCE }));
    await load.ask();
    proxy.swallow();
    const calls = times(32, () => load.ask());
    // They are on their way.
    await new Promise((resolve) => setImmediate(resolve));
    load.limiter.destroy();
    const began = performance.now();
    await calls;
    expect(performance.now() - began).toBeLessThan(SLACK);
    expect(load.decisions.length + load.errors.length).toBe(load.asked);
    for (const error of load.errors) expect(error).toMatchObject({ code: 'ERR_KEELSON_DESTROYED' });
    await eventually(() => proxy.open === 0);
  });
});

test('a call that is aborted in a black hole rejects at once, and no one else does', async () => {
  const one = through({ storeTimeout: 500 });
  await one.check('key');
  proxy.swallow();
  const aborter = new AbortController();
  const aborted = one.check('key', { signal: aborter.signal });
  const other = one.check('key');
  const reason = new Error('enough');
  const began = performance.now();
  setImmediate(() => aborter.abort(reason));
  await expect(aborted).rejects.toBe(reason);
  expect(performance.now() - began).toBeLessThan(500);
  expect(await other).toMatchObject({ allowed: true, source: 'local' });
});

describe('a network that resets connections', () => {
  test.each(CALLERS)(
    'again and again: each call is answered in time, and the quota holds; %i callers',
    async (callers) => {
      const one = through({ onStoreError: 'closed' });
      const load = new Load(one);
      const stop = load.keepAsking(callers);
      for (let round = 0; round < 6; round++) {
        await load.next(callers, 'redis');
        proxy.cut();
      }
      await expectWell(load);
      await stop();
      load.expectAnswered(TIMEOUT + SLACK);
      expect(load.admitted()).toBeLessThanOrEqual(QUOTA);
    },
  );

  test.each(CALLERS)(
    'and refuses new ones for a while: it is tried again, not too often; %i callers',
    async (callers) => {
      const one = through({ breaker: { backoffMin: 20, backoffMax: 100 } });
      const load = new Load(one);
      await load.ask();
      const stop = load.keepAsking(callers);
      proxy.close();
      await load.next(2 * QUOTA, 'local');
      const before = proxy.accepted;
      await proxy.pass();
      await expectWell(load);
      await stop();
      expect(proxy.accepted - before).toBeLessThanOrEqual(3);
      load.expectAnswered(TIMEOUT + SLACK);
    },
  );
});
