import type { RateLimiterConfig } from 'keelson';
import { advance, settle } from './support/connections';
import { makeLimiter, onFakeTime } from './support/limiters';

// What decides while a store does not. The store is a client of the service's that does as the test says; what becomes of
// limits on a real Redis is in rateLimiterRedis*.spec.ts.

onFakeTime();

const TIMEOUT = 50;

/** A client whose `eval` gives what the test says, and a limiter over it. */
function make(answer: () => unknown, config: RateLimiterConfig = {}) {
  const calls: unknown[][] = [];
  const redisClient = {
    eval: (...args: unknown[]) => {
      calls.push(args);
      return answer();
    },
  };
  const limiter = makeLimiter({ redisClient, maxRequests: 10, ...config });
  const errors: any[] = [];
  limiter.on('redis-error', (error) => errors.push(error));
  /** A check, once the turn is over and as long as it may take. */
  const check = async (key = 'key', cost = 1) => {
    const result = limiter.check(key, { cost });
    await turn();
    await advance(TIMEOUT);
    return result;
  };
  return { limiter, calls, errors, check };
}

/** Ends a turn of the event loop: what was asked in it is sent. */
const turn = async () => {
  await new Promise((resolve) =>
    jest.requireActual<typeof import('node:timers')>('node:timers').setImmediate(resolve),
  );
  await settle();
};

const hangs = () => new Promise(() => {});
const rejects = () => Promise.reject(new Error('connect ECONNREFUSED'));
const fails = () => {
  throw new Error('no');
};

describe.each<[string, () => unknown, string]>([
  ['that hangs', hangs, 'timeout'],
  ['that rejects', rejects, 'connection'],
  ['that throws', fails, 'connection'],
  ['that says no', () => Promise.reject(new Error('NOPERM this user has no permissions')), 'permission'],
  ['that answers with an error', () => Promise.reject(new Error('OOM command not allowed')), 'server'],
  ['that gives rubbish', async () => ['x'], 'server'],
  ['that gives nothing', () => undefined, 'server'],
])('a store %s', (_, answer, failure) => {
  test('local limits decide, with their share of the quota', async () => {
    const { check, errors, limiter } = make(answer, { localShare: 0.25 });
    const results = [];
    for (let n = 0; n < 4; n++) results.push(await check());
    expect(results.map(({ allowed }) => allowed)).toEqual([true, true, false, false]);
    expect(results[0]).toMatchObject({ source: 'local', limit: 2, remaining: 1 });
    expect(errors[0]).toMatchObject({ code: 'ERR_KEELSON_REDIS', failure });
    expect(limiter.metrics()).toMatchObject({ allowed: 2, denied: 2, fallbacks: { local: 4 } });
    expect(limiter.metrics().errors[failure as 'timeout']).toBeGreaterThan(0);
  });

  test('or all pass, or none do', async () => {
    const open = make(answer, { onStoreError: 'open', maxRequests: 1 });
    for (let n = 0; n < 3; n++) expect(await open.check()).toMatchObject({ allowed: true, source: 'open' });
    const closed = make(answer, { onStoreError: 'closed' });
    const denial = await closed.check();
    expect(denial).toMatchObject({ allowed: false, source: 'closed', retryAfter: 1 });
    expect(denial.retryAfterMs).toBeGreaterThan(0);
  });
});

test('a share of a small quota is one at least, and a share of 0 is none', async () => {
  const { check } = make(rejects, { localShare: 0.01 });
  expect([(await check()).allowed, (await check()).allowed]).toEqual([true, false]);
  expect(await make(rejects, { localShare: 0 }).check()).toMatchObject({ allowed: false, source: 'local' });
});

test('a check takes no longer than its timeout', async () => {
  const { limiter } = make(hangs);
  let result: any;
  void limiter.check('key').then((found) => {
    result = found;
  });
  await turn();
  await advance(TIMEOUT - 1);
  expect(result).toBeUndefined();
  await advance(1);
  expect(result).toMatchObject({ allowed: true, source: 'local' });
});

test('all checks of a turn go at once', async () => {
  const { limiter, calls } = make(rejects);
  const results = Promise.all(Array.from({ length: 50 }, () => limiter.check('key')));
  await turn();
  expect(calls).toHaveLength(1);
  await results;
});

describe('a store that keeps failing', () => {
  const breaker = { failures: 3, backoffMin: 1000, backoffMax: 4000 };
  beforeEach(() => {
    jest.spyOn(Math, 'random').mockReturnValue(0.999_999);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test('is asked no more after some failures, but for one try after a wait that doubles', async () => {
    const { check, calls, limiter } = make(rejects, { breaker, onStoreError: 'open' });
    for (let n = 0; n < 10; n++) await check();
    expect(calls).toHaveLength(3);
    expect(limiter.metrics().store).toEqual({ kind: 'client', state: 'down', outages: 1 });
    const tries: number[] = [];
    while (tries.length < 6) {
      const before = calls.length;
      const now = Date.now();
      await Promise.all([check(), check(), check()]);
      if (calls.length > before) tries.push(now);
      expect(calls.length - before).toBeLessThanOrEqual(1);
    }
    const waits = tries.slice(1).map((time, index) => Math.round((time - tries[index]!) / 1000));
    expect(waits).toEqual([2, 4, 4, 4, 4]);
  });

  test('the failures of one batch are one', async () => {
    const { limiter, calls, errors } = make(rejects, { breaker });
    for (let n = 0; n < 2; n++) {
      const results = Promise.all(Array.from({ length: 50 }, (_, key) => limiter.check(`key ${key}`)));
      await turn();
      await results;
    }
    expect(limiter.metrics()).toMatchObject({ store: { state: 'up' }, errors: { connection: 100 } });
    // One error is told of, not one a check.
    expect(errors).toHaveLength(1);
    expect(calls.length).toBeGreaterThanOrEqual(2);
  });

  test('only who tries it waits for it', async () => {
    let answer: () => unknown = rejects;
    const { check, limiter } = make(() => answer(), { breaker });
    for (let n = 0; n < 3; n++) await check();
    answer = hangs;
    await advance(1000);
    const settled: string[] = [];
    for (const name of ['try', 'other', 'another']) void limiter.check(name).then(() => settled.push(name));
    await turn();
    expect(settled).toEqual(['other', 'another']);
    await advance(TIMEOUT);
    expect(settled).toEqual(['other', 'another', 'try']);
  });

  test('closed tells when to come again', async () => {
    const { check } = make(rejects, { breaker, onStoreError: 'closed' });
    for (let n = 0; n < 3; n++) await check();
    const { retryAfterMs, retryAfter } = await check();
    expect(retryAfterMs).toBeGreaterThan(500);
    expect(retryAfterMs).toBeLessThanOrEqual(1000);
    expect(retryAfter).toBe(1);
  });
});

test('other operations are carried out by what stands in', async () => {
  const { limiter } = make(rejects, { breaker: { failures: 1, backoffMin: 60_000 } });
  const operations = async () => {
    const told = [];
    for (const call of [
      () => limiter.penalty('key', 4),
      () => limiter.reward('key', 1),
      () => limiter.peek('key'),
      () => limiter.block('key', 1000),
      () => limiter.reset('key'),
    ]) {
      const promise = call();
      await turn();
      told.push(await promise);
    }
    return told;
  };
  expect((await operations()).map(({ remaining, source }) => [remaining, source])).toEqual([
    [6, 'local'],
    [7, 'local'],
    [7, 'local'],
    [0, 'local'],
    [10, 'local'],
  ]);
});

test('permits of what stands in are given back to it', async () => {
  const { limiter, check } = make(rejects, { algorithm: 'concurrency', maxRequests: 1 });
  const { lease } = await check();
  expect(await check()).toMatchObject({ allowed: false, source: 'local' });
  expect(await lease!.release()).toBe(true);
  const again = limiter.check('key');
  await turn();
  expect(await again).toMatchObject({ allowed: true });
});

test('blocks of permits are no way around a store that fails', async () => {
  const { check } = make(rejects, { leases: { size: 5 }, maxRequests: 5 });
  const results = [];
  for (let n = 0; n < 8; n++) results.push((await check()).allowed);
  expect(results.filter(Boolean)).toHaveLength(5);
});

test('a check that is aborted while it waits rejects at once, and others do not', async () => {
  const { limiter } = make(hangs);
  const aborter = new AbortController();
  const aborted = limiter.check('key', { signal: aborter.signal });
  const other = limiter.check('key');
  await turn();
  aborter.abort('enough');
  await expect(aborted).rejects.toBe('enough');
  await advance(TIMEOUT);
  expect(await other).toMatchObject({ source: 'local' });
});

test('destroy() ends what waits for a store, and leaves its client and no timer', async () => {
  const { limiter, calls } = make(hangs);
  const checks = [
    limiter.check('key'),
    limiter.check('key', { cost: 2 }),
    limiter.peek('key'),
    limiter.waitFor('key'),
  ];
  await turn();
  const late = limiter.check('e');
  limiter.destroy();
  for (const check of [...checks, late])
    await expect(check).rejects.toMatchObject({ code: 'ERR_KEELSON_DESTROYED' });
  expect(calls).toHaveLength(1);
  expect(jest.getTimerCount()).toBe(0);
});

test('how a client is called: by hash where it can, in the form that is its own', async () => {
  const told: [string, unknown[]][] = [];
  const client = (...names: string[]) =>
    Object.fromEntries(
      names.map((name) => [
        name,
        (...args: unknown[]) => {
          told.push([name, args]);
          return Promise.reject(new Error(name === 'eval' ? 'no' : 'NOSCRIPT No matching script'));
        },
      ]),
    );
  for (const redisClient of [client('eval'), client('evalsha', 'eval'), client('evalSha', 'eval')]) {
    const limiter = makeLimiter({ redisClient, keyPrefix: 'p:' });
    const check = limiter.check('key');
    await turn();
    await check;
  }
  expect(told.map(([name]) => name)).toEqual(['eval', 'evalsha', 'eval', 'evalSha', 'eval']);
  const [, [script, count, name]] = told[0]!;
  expect([count, name]).toEqual([1, expect.stringMatching(/^p:\{\d+\}.*:key$/)]);
  expect(told[1]![1].slice(1)).toEqual(told[0]![1].slice(1));
  expect(told[2]![1]).toEqual(told[0]![1]);
  const options = { keys: [name], arguments: told[0]![1].slice(3) };
  expect(told[3]![1][1]).toEqual(options);
  expect(told[4]![1]).toEqual([script, options]);
});
