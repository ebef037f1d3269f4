import fc from 'fast-check';
import {
  DistributedRateLimiter,
  type RateLimit,
  type RateLimitAlgorithm,
  type RateLimitResult,
} from 'keelson';
import { type Expected, ModelKey } from './support/limiterModel';

// Random histories in memory, on a clock that the test advances, against the plainest limits that can be.

type Step =
  | { op: 'check' | 'peek' | 'sync'; key: string; share: number }
  | { op: 'penalty' | 'reward' | 'block'; key: string; value: number }
  | { op: 'reset'; key: string }
  | { op: 'advance'; share: number };

const ALGORITHMS = [
  'sliding-window',
  'sliding-window-counter',
  'fixed-window',
  'token-bucket',
  'gcra',
] as const;

const key = fc.constantFrom('a', 'b', '鍵');
const op = <Name extends string>(...names: Name[]) => fc.constantFrom(...names);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ op: op('check', 'sync'), key, share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: op('peek'), key, share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: op('penalty', 'reward'), key, value: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 1, arbitrary: fc.record({ op: op('block'), key, value: fc.integer({ min: 0, max: 3000 }) }) },
  { weight: 1, arbitrary: fc.record({ op: op('reset'), key }) },
  {
    weight: 7,
    arbitrary: fc.record({ op: op('advance'), share: fc.double({ min: 0, max: 1.2, noNaN: true }) }),
  },
);
const limitOf = (algorithm: RateLimitAlgorithm): fc.Arbitrary<RateLimit> =>
  fc.record({
    algorithm: fc.constant(algorithm),
    windowMs: fc.constantFrom(1, 7, 100, 1000, 60_000),
    maxRequests: fc.integer({ min: 1, max: 12 }),
  });
const bucketOf = (algorithm: RateLimitAlgorithm): fc.Arbitrary<RateLimit> =>
  fc.record({
    algorithm: fc.constant(algorithm),
    windowMs: fc.constantFrom(1, 7, 100, 1000, 60_000),
    maxRequests: fc.integer({ min: 1, max: 12 }),
    burst: fc.integer({ min: 1, max: 20 }),
  });
const limit = fc.oneof(...ALGORITHMS.map(limitOf), bucketOf('token-bucket'), bucketOf('gcra'));

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** Expects one of what may be told; what is told of is mostly the first. */
function expectOneOf(allowed: Expected[], result: RateLimitResult, cost: number): void {
  const told = allowed.find(
    ({ limit, remaining, resetTime }) =>
      limit === result.limit && remaining === result.remaining && resetTime === result.resetTime,
  );
  const expected = told ?? allowed[0]!;
  expect(result).toEqual({ ...expected, cost, policy: expect.any(String), source: 'memory' });
}

/** Plays a history, and compares what is told at each step. */
async function play(limits: RateLimit[], blockDuration: number, steps: Step[]): Promise<void> {
  jest.setSystemTime(1_700_000_000_000);
  const limiter = new DistributedRateLimiter({ limits, blockDuration });
  const models = new Map<string, ModelKey>();
  const modelOf = (name: string) =>
    models.get(name) ?? models.set(name, new ModelKey(limits, blockDuration)).get(name)!;
  const most = Math.min(...limits.map(({ maxRequests, burst }) => burst ?? maxRequests));
  const costOf = (share: number) => 1 + Math.floor(share * (most - 0.001) * share);
  const longest = Math.max(...limits.map(({ windowMs }) => windowMs));
  for (const each of steps) {
    const now = Date.now();
    if (each.op === 'advance') {
      jest.setSystemTime(now + Math.floor(each.share * each.share * longest));
      continue;
    }
    const model = modelOf(each.key);
    if ('value' in each) {
      model[each.op](now, each.value);
      await limiter[each.op](each.key, each.value);
      expectOneOf(model.peek(now, 1), await limiter.peek(each.key), 1);
    } else if (each.op === 'reset') {
      models.delete(each.key);
      expect(await limiter.reset(each.key)).toMatchObject({ allowed: true });
    } else {
      const cost = costOf(each.share);
      const expected = each.op === 'peek' ? model.peek(now, cost) : model.check(now, cost);
      const result =
        each.op === 'sync'
          ? limiter.checkSync(each.key, { cost })
          : await limiter[each.op](each.key, { cost });
      expectOneOf(expected, result, cost);
    }
  }
  limiter.destroy();
}

const steps = fc.array(step, { minLength: 10, maxLength: 80 });

test.each(ALGORITHMS)('%s', async (algorithm) => {
  await fc.assert(
    fc.asyncProperty(limitOf(algorithm), fc.constantFrom(0, 0, 50), steps, (one, block, history) =>
      play([one], block, history),
    ),
    { numRuns: 150 },
  );
});

test.each(['token-bucket', 'gcra'] as const)('%s with a burst of its own', async (algorithm) => {
  await fc.assert(
    fc.asyncProperty(bucketOf(algorithm), steps, (one, history) => play([one], 0, history)),
    { numRuns: 150 },
  );
});

test('several limits at once: all of them count, or none', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(limit, { minLength: 2, maxLength: 4 }),
      fc.constantFrom(0, 0, 500),
      steps,
      (some, block, history) => play(some, block, history),
    ),
    { numRuns: 200 },
  );
});

test('a sliding window never sees more than its quota in any window', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 10 }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 3 })), { maxLength: 200 }),
      async (maxRequests, asks) => {
        const windowMs = 100;
        const limiter = new DistributedRateLimiter({ windowMs, maxRequests });
        const admitted: number[] = [];
        for (const [pause, cost] of asks) {
          jest.setSystemTime(Date.now() + pause);
          if (cost > maxRequests) continue;
          if (limiter.checkSync('key', { cost }).allowed)
            admitted.push(...Array<number>(cost).fill(Date.now()));
        }
        for (const end of admitted) {
          const inWindow = admitted.filter((time) => time > end - windowMs && time <= end);
          expect(inWindow.length).toBeLessThanOrEqual(maxRequests);
        }
      },
    ),
  );
});
