import { Load } from './support/limiterLoad';
import { generator } from './support/random';
import { ALGORITHMS, useLimiters, useRedis } from './support/redis';

// Limiters of several kinds are asked at random for seconds, on the clock of a real server. When the server decided is
// known up to the time that the call took, so what is certain is told by intervals.

const WINDOW = 100;
const QUOTA = 7;
const KEYS = ['a', 'b', 'c'];
const DURATION = 2500;
const CALLERS = 6;

const server = useRedis();
const make = useLimiters(server);

/** Clocks of a machine may be read up to this many milliseconds apart, rounding included. */
const APART = 2;

/** The most that may be admitted in a window, by the promise of each algorithm. */
const BOUND = {
  'sliding-window': QUOTA,
  // An estimate: what it admits in a window that lies across two of its own may be up to twice the quota.
  'sliding-window-counter': 2 * QUOTA,
  'fixed-window': 2 * QUOTA,
  'token-bucket': 2 * QUOTA,
  gcra: 2 * QUOTA,
};

/** Asks by several callers at random: one key or another, one cost or another, at once or after a while. */
async function play(load: Load, random: () => number): Promise<void> {
  const until = performance.now() + DURATION;
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const caller = async () => {
    while (performance.now() < until) {
      await load.ask(pick(KEYS), pick([1, 1, 1, 2, 3]));
      const pause = pick([0, 0, 1, 5, 20, WINDOW * random()]);
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

/** The most units of one key that were certainly admitted within less than a window. */
function mostInWindow(load: Load, key: string): number {
  const admitted = load.decisions.filter((each) => each.key === key && each.allowed);
  const units = ({ began }: { began: number }) =>
    admitted
      .filter((other) => other.began >= began && other.ended < began + WINDOW - APART)
      .reduce((sum, { cost }) => sum + cost, 0);
  return Math.max(0, ...admitted.map(units));
}

/** Checks of a key that were denied, though less than the quota can have been admitted in the window before. */
function wronglyDenied(load: Load, key: string) {
  const all = load.decisions.filter((each) => each.key === key);
  return all.filter(({ allowed, cost, began, ended }) => {
    if (allowed) return false;
    const before = all.filter((other) => other.allowed && other.began <= ended);
    const recent = before.filter((other) => other.ended > began - WINDOW - APART);
    return recent.reduce((sum, other) => sum + other.cost, 0) + cost <= QUOTA;
  });
}

test('random histories: no window has more than its quota, and nobody is denied in vain', async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  console.log(`Random histories: seed ${seed}`);
  const random = generator(seed);
  const kinds = ALGORITHMS.filter((algorithm) => algorithm !== 'concurrency');
  const loads = kinds.map((algorithm) => {
    const config = { redis: server.config, windowMs: WINDOW, maxRequests: QUOTA, keyPrefix: algorithm };
    return new Load(make({ ...config, algorithm, blockCache: 0 }), KEYS);
  });
  await Promise.all(loads.map((load) => play(load, random)));
  for (const [index, load] of loads.entries()) {
    const algorithm = kinds[index]!;
    load.expectAnswered(20_000);
    expect(load.sources).toEqual(['redis']);
    for (const key of KEYS) {
      const most = mostInWindow(load, key);
      expect({ algorithm, key, most: most <= BOUND[algorithm] || most }).toEqual({
        algorithm,
        key,
        most: true,
      });
    }
    expect(load.admitted()).toBeGreaterThan(QUOTA * KEYS.length);
    expect(load.decisions.some(({ allowed }) => !allowed)).toBe(true);
    if (algorithm === 'sliding-window') expect(KEYS.flatMap((key) => wronglyDenied(load, key))).toEqual([]);
  }
});

test('permits: never more than the quota are held, whoever asks', async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  console.log(`Permits: seed ${seed}`);
  const random = generator(seed);
  const config = { redis: server.config, algorithm: 'concurrency' as const, maxRequests: QUOTA };
  const limiters = Array.from({ length: 3 }, () => make(config));
  const held = new Map(KEYS.map((key) => [key, 0]));
  const most = new Map(held);
  let denied = 0;
  const caller = async (index: number) => {
    for (let round = 0; round < 60; round++) {
      const key = KEYS[Math.floor(random() * KEYS.length)]!;
      const { allowed, lease } = await limiters[index % limiters.length]!.check(key);
      if (!allowed) {
        denied++;
        continue;
      }
      held.set(key, held.get(key)! + 1);
      most.set(key, Math.max(most.get(key)!, held.get(key)!));
      await new Promise((resolve) => setTimeout(resolve, 10 * random()));
      // From the call on the server may give it to another.
      held.set(key, held.get(key)! - 1);
      await lease!.release();
    }
  };
  await Promise.all(Array.from({ length: 5 * QUOTA }, (_, index) => caller(index)));
  expect(denied).toBeGreaterThan(0);
  expect(Math.max(...most.values())).toBe(QUOTA);
  for (const key of KEYS) expect(await limiters[0]!.peek(key)).toMatchObject({ remaining: QUOTA });
});
