import type { Redis } from 'ioredis';
import { binding } from '../dist/native';
import { ALGORITHM, ASK, OP, ROOM, ROW } from '../dist/rateLimiter/native';
import { RedisPlanner } from '../dist/redis/plan';
import { generator } from './support/random';
import { createRedis } from './support/servers';

// The algorithms are written twice, in Rust and in Lua. The same histories go to a limiter in memory and, with the time
// held still, to the script on a real Redis: every number of every answer has to be the same.

interface Limit {
  algorithm: number;
  /** Microseconds. Redis itself forgets by its own clock: none is short enough for that to happen within a test. */
  window: number;
  quota: number;
  burst: number;
}

interface Ask {
  op: number;
  key: string;
  amount: number;
  extra: number;
}

const MINUTE = 60_000_000;
const DAY = 86_400_000_000;
const server = createRedis();
let client: Redis;
let histories = 0;

beforeAll(async () => {
  await server.start();
  client = server.client();
}, 60_000);
afterAll(async () => {
  client?.disconnect();
  await server.remove();
});

const numbersOf = (limits: Limit[]) =>
  limits.flatMap(({ algorithm, window, quota, burst }) => [algorithm, window, quota, burst]);

/** The script, told the time by its last argument. */
class HeldStill {
  readonly planner: RedisPlanner;
  readonly script: string;

  constructor(limits: Limit[], block: number) {
    this.planner = new RedisPlanner(`d${histories++}:`, Float64Array.of(block, ...numbersOf(limits)));
    const [first = '', ...rest] = this.planner.source.split('\n');
    expect(first).toContain("redis.call('TIME')");
    this.script = ['local now = tonumber(table.remove(ARGV))', ...rest].join('\n');
  }

  /** The rows for asks at `now`, in their order. */
  async ask(asks: Ask[], now: number, bySlot: boolean): Promise<number[][]> {
    const rows: number[][] = [];
    const numbers = asks.flatMap(({ op, amount, extra }) => [op, amount, extra]);
    const keys = asks.map(({ key }) => key);
    const calls = this.planner.plan(keys, numbers, bySlot);
    for (const { keys: names, args, asks: places } of calls) {
      const reply = await client.eval(this.script, names.length, ...names, ...args, now);
      expect(this.planner.read(reply, places.length)).toBe(true);
      places.forEach((place, row) => {
        rows[place] = Array.from(this.planner.numbers.subarray(7 * row, 7 * (row + 1)));
      });
    }
    return rows;
  }
}

class InMemory {
  readonly #numbers = new Float64Array(ROOM);
  readonly #native;

  constructor(limits: Limit[], block: number) {
    this.#native = binding.createRateLimiter(
      Float64Array.of(1000, block, ...numbersOf(limits)),
      this.#numbers,
    );
  }

  ask({ op, key, amount, extra }: Ask, now: number): number[] {
    this.#numbers[ASK.op] = op;
    this.#numbers[ASK.amount] = amount;
    this.#numbers[ASK.extra] = extra;
    this.#numbers[ASK.now] = now;
    this.#native.apply(key);
    return Array.from(this.#numbers.subarray(0, 7));
  }
}

/** What one seed decides. */
class Chance {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = generator(seed);
  }

  below(count: number): number {
    return Math.floor(this.#next() * count);
  }

  of<T>(...options: T[]): T {
    return options[this.below(options.length)] as T;
  }

  limit(): Limit {
    const quota = this.of(0, 1, 2, 3, 5, 10, 50, 200, 100_000, 1e9);
    return {
      algorithm: this.of(...Object.values(ALGORITHM)),
      window: this.of(MINUTE, 100_000_007, DAY, 400 * DAY),
      quota,
      burst: this.of(1, 2, 10, Math.max(1, quota)),
    };
  }

  /** Some time, often none. */
  pause(window: number): number {
    return this.of(
      0,
      0,
      1,
      this.below(1000),
      this.below(window / 10),
      this.below(window / 50),
      this.below(window),
    );
  }

  ask(most: number, window: number, admitted: number[]): Ask {
    const key = this.of('a', 'b', '鍵', '\ud800');
    const id = this.of(this.below(8), this.below(2 ** 53));
    const few = 1 + this.below(3);
    const lately = admitted.length > 0 ? admitted[this.below(admitted.length)]! : 0;
    const asks: Ask[] = [
      { op: OP.peek, key, amount: this.below(3), extra: 0 },
      { op: OP.adjust, key, amount: 1 + this.below(2 * most), extra: 0 },
      { op: OP.adjust, key, amount: -few, extra: 0 },
      { op: OP.adjust, key, amount: -few, extra: lately },
      { op: OP.adjust, key, amount: -few, extra: lately },
      { op: this.of(OP.reset, OP.peek, OP.peek), key, amount: most, extra: 0 },
      { op: this.of(OP.block, OP.peek, OP.peek), key, amount: this.of(0, this.below(2 * window)), extra: 0 },
      { op: this.of(OP.release, OP.renew), key, amount: few, extra: id },
      { op: OP.check, key, amount: 1 + this.below(most), extra: id },
    ];
    return asks[this.below(20)] ?? { op: OP.check, key, amount: Math.min(few, most), extra: id };
  }
}

const capacity = ({ algorithm, quota, burst }: Limit) =>
  algorithm === ALGORITHM.tokenBucket || algorithm === ALGORITHM.gcra
    ? Math.min(quota * burst, burst)
    : quota;

/** Plays the history of a seed in both stores. */
async function play(seed: number): Promise<void> {
  const chance = new Chance(seed);
  const limits = Array.from({ length: chance.of(1, 1, 1, 2, 3) }, () => chance.limit());
  const block = chance.of(0, 0, 0, MINUTE / 2, 10 * MINUTE);
  const redis = new HeldStill(limits, block);
  const memory = new InMemory(limits, block);
  const most = Math.max(1, Math.min(...limits.map(capacity)));
  const window = Math.min(...limits.map((limit) => limit.window));
  let now = 1_795_000_000_000_000 + chance.below(2 ** 40);
  const admitted: number[] = [];
  for (let turn = chance.of(10, 40, 100); turn > 0; turn--) {
    now += chance.pause(window);
    const asks = Array.from({ length: chance.of(1, 1, 1, 30, 120) }, () =>
      chance.ask(most, window, admitted),
    );
    const rows = await redis.ask(asks, now, chance.of(true, false));
    const expected = asks.map((ask) => memory.ask(ask, now));
    expect({ seed, limits, block, turn, asks, rows }).toEqual({
      seed,
      limits,
      block,
      turn,
      asks,
      rows: expected,
    });
    expected.forEach((row, place) => {
      if (asks[place]!.op === OP.check && row[ROW.allowed] === 1) admitted.push(row[ROW.at]!);
    });
  }
  for (const name of await client.keys(`d${histories - 1}:*`)) {
    expect({ seed, name, kept: (await client.pttl(name)) > 0 }).toEqual({ seed, name, kept: true });
  }
}

test('random histories come to the same in memory and on Redis', async () => {
  const first = Math.floor(Math.random() * 2 ** 31);
  for (let seed = first; seed < first + 60; seed++) await play(seed);
});

// The script by itself, against a list of what it admitted: no window of any length of the log has more than the quota.
test.each([1, 7, 300])('a sliding window of %d on Redis never holds more than its quota', async (quota) => {
  const chance = new Chance(quota);
  const redis = new HeldStill([{ algorithm: ALGORITHM.slidingWindow, window: MINUTE, quota, burst: 1 }], 0);
  const admitted: { time: number; units: number }[] = [];
  let now = 1_795_000_000_000_000;
  for (let turn = 0; turn < 150; turn++) {
    // Clocks go back, too; who fails over to a replica meets another one.
    now += chance.of(0, chance.below(MINUTE / 3), chance.below(MINUTE / quota), -chance.below(MINUTE / 50));
    const asks = Array.from({ length: chance.of(1, 10) }, () => ({
      op: OP.check,
      key: 'k',
      amount: 1 + chance.below(Math.min(3, quota)),
      extra: 0,
    }));
    const rows = await redis.ask(asks, now, false);
    rows.forEach((row, place) => {
      const { amount: units } = asks[place]!;
      const time = row[ROW.at]!;
      const used = admitted.reduce((sum, each) => (each.time > time - MINUTE ? sum + each.units : sum), 0);
      expect(row[ROW.allowed]).toBe(used + units <= quota ? 1 : 0);
      if (row[ROW.allowed] === 1) admitted.push({ time, units });
    });
  }
});

// Limits change from one deployment to the next, and their states stay.
test.each(Object.entries(ALGORITHM))(
  '%s bears another quota, burst and window than its state was made with',
  async (_, algorithm) => {
    const before = { algorithm, window: MINUTE, quota: 100, burst: 100 };
    const first = new HeldStill([before], 0);
    const now = 1_795_000_000_000_000;
    await first.ask([{ op: OP.check, key: 'k', amount: 60, extra: 1 }], now, false);
    for (const after of [
      { ...before, quota: 10, burst: 10 },
      { ...before, quota: 1000, burst: 1000 },
      { ...before, window: 10 * MINUTE },
      { ...before, window: MINUTE / 7 },
    ]) {
      histories--;
      const later = new HeldStill([after], 0);
      const [row] = await later.ask([{ op: OP.peek, key: 'k', amount: 1, extra: 0 }], now + 1, false);
      expect(row![ROW.used]).toBeGreaterThanOrEqual(0);
      expect(row![ROW.remaining]).toBe(Math.max(0, after.quota - row![ROW.used]!));
      // Where the window is as it was, what was taken still counts.
      if (after.window === MINUTE && algorithm !== ALGORITHM.tokenBucket && algorithm !== ALGORITHM.gcra) {
        expect(row![ROW.used]).toBe(60);
      }
      if (row![ROW.remaining] === 0) expect(row![ROW.allowed]).toBe(0);
    }
  },
);
