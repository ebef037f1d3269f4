import type { ConcurrencyLease, DistributedRateLimiter } from 'keelson';
import { advance, failure, settle } from './support/connections';
import { makeLimiter, onFakeTime } from './support/limiters';
import { evaluate } from './support/process';

// Calls that wait for their turn, and permits that are given back.

onFakeTime();

/** Notes when calls get through, in milliseconds from now on. */
function timed() {
  const began = Date.now();
  const through: [name: string, ms: number][] = [];
  const note = (name: string, promise: Promise<unknown>): void => {
    promise.then(
      () => through.push([name, Date.now() - began]),
      (error) => through.push([`${name}: ${error.code ?? error}`, Date.now() - began]),
    );
  };
  return { note, through };
}

describe('waitFor', () => {
  test('lets calls through in their order, as soon as there is room', async () => {
    const limiter = makeLimiter({ windowMs: 100, maxRequests: 2 });
    const { note, through } = timed();
    for (const name of ['a', 'b', 'c', 'd', 'e']) note(name, limiter.waitFor('key'));
    note('other', limiter.waitFor('other key'));
    await settle();
    expect(limiter.metrics().waiting).toBe(3);
    await advance(300);
    expect(through).toEqual([
      ['a', 0],
      ['other', 0],
      ['b', 0],
      ['c', 100],
      ['d', 100],
      ['e', 200],
    ]);
    expect(limiter.metrics()).toMatchObject({ waiting: 0, allowed: 6, denied: 0 });
  });

  test('gives the result of its check', async () => {
    const limiter = makeLimiter({ windowMs: 100, maxRequests: 2 });
    const result = { allowed: true, cost: 2, remaining: 0, source: 'memory', retryAfterMs: 0 };
    expect(await limiter.waitFor('key', { cost: 2 })).toMatchObject(result);
    const later = limiter.waitFor('key', { cost: 2 });
    await advance(100);
    expect(await later).toMatchObject(result);
  });

  test('does not let what costs less overtake', async () => {
    const limiter = makeLimiter({ windowMs: 100, maxRequests: 2 });
    const { note, through } = timed();
    limiter.checkSync('key');
    note('two', limiter.waitFor('key', { cost: 2 }));
    note('one', limiter.waitFor('key'));
    await advance(300);
    expect(through).toEqual([
      ['two', 100],
      ['one', 200],
    ]);
  });

  test('tells nobody of a denial while it waits, and does not block for it', async () => {
    const limiter = makeLimiter({ windowMs: 100, maxRequests: 1, blockDuration: 10_000 });
    const denied = jest.fn();
    limiter.on('rate-limit', denied);
    const { note, through } = timed();
    for (const name of ['a', 'b', 'c']) note(name, limiter.waitFor('key'));
    await advance(200);
    expect(through).toEqual([
      ['a', 0],
      ['b', 100],
      ['c', 200],
    ]);
    expect(denied).not.toHaveBeenCalled();
  });

  test('is over at its timeout, and the next one goes on', async () => {
    const limiter = makeLimiter({ windowMs: 100, maxRequests: 1 });
    const { note, through } = timed();
    limiter.checkSync('key');
    note('short', limiter.waitFor('key', { timeout: 30 }));
    note('none', limiter.waitFor('key', { timeout: 0 }));
    note('long', limiter.waitFor('key', { timeout: 1000 }));
    await advance(500);
    expect(through).toEqual([
      ['none: ERR_KEELSON_TIMEOUT', expect.any(Number)],
      ['short: ERR_KEELSON_TIMEOUT', 30],
      ['long', 100],
    ]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('is over when its signal aborts', async () => {
    const limiter = makeLimiter({ windowMs: 100, maxRequests: 1 });
    const aborter = new AbortController();
    limiter.checkSync('key');
    const waits = Array.from({ length: 20 }, () => limiter.waitFor('key', { signal: aborter.signal }));
    const last = limiter.waitFor('key');
    const failures = Promise.all(waits.map(failure));
    await settle();
    const reason = new Error('enough');
    aborter.abort(reason);
    expect(await failures).toEqual(waits.map(() => reason));
    await advance(100);
    expect(await last).toMatchObject({ allowed: true });
    await expect(limiter.waitFor('key', { signal: aborter.signal })).rejects.toBe(reason);
    expect(limiter.metrics().waiting).toBe(0);
  });

  test('maxWaiting bounds how many wait', async () => {
    const limiter = makeLimiter({ windowMs: 100, maxRequests: 1 });
    limiter.checkSync('key');
    const waits = [0, 1].map(() => limiter.waitFor('key', { maxWaiting: 1 }));
    expect(await failure(limiter.waitFor('key', { maxWaiting: 1 }))).toMatchObject({
      code: 'ERR_KEELSON_QUEUE_FULL',
      limit: 1,
    });
    await advance(200);
    await Promise.all(waits);
  });

  test('goes on at once when units are given back', async () => {
    const limiter = makeLimiter({ maxRequests: 1 });
    limiter.checkSync('key');
    const { note, through } = timed();
    for (const name of ['a', 'b', 'c']) note(name, limiter.waitFor('key'));
    await advance(10);
    await limiter.reward('key');
    await advance(10);
    await limiter.reset('key');
    await advance(0);
    expect(through).toEqual([
      ['a', 10],
      ['b', 20],
    ]);
  });

  test('a quota of 0 would never pass', async () => {
    const limiter = makeLimiter({ maxRequests: 0 });
    expect(await failure(limiter.waitFor('key'))).toMatchObject({ code: 'ERR_KEELSON_COST_ABOVE_QUOTA' });
  });

  test('destroy() ends it', async () => {
    const limiter = makeLimiter({ maxRequests: 1 });
    limiter.checkSync('key');
    const failures = [0, 1, 2].map(() => failure(limiter.waitFor('key', { timeout: 1000 })));
    await settle();
    limiter.destroy();
    expect(await Promise.all(failures)).toMatchObject(
      failures.map(() => ({ code: 'ERR_KEELSON_DESTROYED' })),
    );
    expect(jest.getTimerCount()).toBe(0);
  });

  test('what waits keeps the process alive, and nothing else does', async () => {
    jest.useRealTimers();
    const found = await evaluate(`
      const { DistributedRateLimiter } = require('keelson');
      const limiter = new DistributedRateLimiter({ windowMs: 300, maxRequests: 1 });
      limiter.checkSync('key');
      limiter.waitFor('key').then(({ allowed }) => console.log(JSON.stringify(allowed)));
      const permits = new DistributedRateLimiter({ windowMs: 1e9, maxRequests: 1, algorithm: 'concurrency' });
      permits.acquire('key');`);
    expect(found).toBe(true);
  });
});

describe('permits', () => {
  const WINDOW = 900;
  const make = (config = {}): DistributedRateLimiter =>
    makeLimiter({ windowMs: WINDOW, maxRequests: 2, algorithm: 'concurrency', ...config });
  const free = async (limiter: DistributedRateLimiter): Promise<number> =>
    (await limiter.peek('key')).remaining;

  test('a check takes them, and its lease gives them back, once', async () => {
    const limiter = make();
    const { allowed, lease } = await limiter.check('key', { cost: 2 });
    expect(allowed).toBe(true);
    expect(lease).toMatchObject({ key: 'key', cost: 2, active: true });
    const denial = limiter.checkSync('key');
    expect(denial).toMatchObject({ allowed: false, retryAfterMs: WINDOW });
    expect(denial).not.toHaveProperty('lease');
    expect(await lease!.release()).toBe(true);
    expect(lease!.active).toBe(false);
    expect(await lease!.release()).toBe(false);
    expect(await free(limiter)).toBe(2);
  });

  test('those that are not renewed end', async () => {
    const limiter = make();
    const { lease } = limiter.checkSync('key');
    await advance(WINDOW - 1);
    expect(await free(limiter)).toBe(1);
    expect(await lease!.renew()).toBe(true);
    await advance(WINDOW - 1);
    expect(await free(limiter)).toBe(1);
    await advance(1);
    expect(await free(limiter)).toBe(2);
    expect(await lease!.renew()).toBe(false);
    expect(lease!.active).toBe(false);
    expect(await lease!.release()).toBe(false);
  });

  test('acquire waits for one, and renews it until it is released', async () => {
    const limiter = make({ maxRequests: 1 });
    const first = await limiter.acquire('key');
    let second: ConcurrencyLease | undefined;
    void limiter.acquire('key').then((lease) => {
      second = lease;
    });
    await advance(10 * WINDOW);
    expect([first.active, second]).toEqual([true, undefined]);
    expect(limiter.metrics()).toMatchObject({ renewedLeases: 1, waiting: 1 });
    await first.release();
    await advance(0);
    expect(second).toMatchObject({ active: true });
    await (second as any)[Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]();
    expect(await free(limiter)).toBe(1);
    expect(limiter.metrics().renewedLeases).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('acquire without renewal', async () => {
    const limiter = make();
    const lease = await limiter.acquire('key', { cost: 2, renew: false });
    await advance(WINDOW);
    expect(await free(limiter)).toBe(2);
    expect(lease.active).toBe(true);
    expect(await lease.renew()).toBe(false);
  });

  test('reset takes them away, as the next renewal finds', async () => {
    const limiter = make();
    const lease = await limiter.acquire('key');
    await limiter.reset('key');
    await advance(WINDOW / 3);
    expect(lease.active).toBe(false);
    expect(limiter.metrics().renewedLeases).toBe(0);
  });

  test('acquire obeys its timeout and its signal', async () => {
    const limiter = make({ maxRequests: 1 });
    await limiter.acquire('key');
    const late = failure(limiter.acquire('key', { timeout: 50 }));
    const aborted = failure(limiter.acquire('key', { signal: AbortSignal.timeout(1) }));
    await advance(50);
    expect(await late).toMatchObject({ code: 'ERR_KEELSON_TIMEOUT' });
    expect(await aborted).toMatchObject({ name: 'TimeoutError' });
  });

  test('destroy() leaves no timer', async () => {
    const limiter = make();
    await limiter.acquire('key');
    limiter.destroy();
    expect(jest.getTimerCount()).toBe(0);
  });

  test('under a shadow they are given out beyond the quota, and nothing is given back for these', async () => {
    const limiter = make({ maxRequests: 1, shadow: true });
    const first = await limiter.acquire('key');
    const second = await limiter.acquire('key');
    expect([first.active, second.active]).toEqual([true, false]);
    expect(await second.release()).toBe(false);
    expect(await free(limiter)).toBe(0);
  });

  test('beside another limit', async () => {
    const limiter = makeLimiter({
      limits: [
        { windowMs: WINDOW, maxRequests: 1, algorithm: 'concurrency' },
        { windowMs: 60_000, maxRequests: 2 },
      ],
    });
    for (let n = 0; n < 2; n++) await (await limiter.check('key')).lease!.release();
    expect(await limiter.check('key')).toMatchObject({ allowed: false, policy: 'limit-2' });
  });
});
