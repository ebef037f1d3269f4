import fc from 'fast-check';
import {
  BreakerOpenError,
  CircuitBreaker,
  type CircuitBreakerOptions,
  DestroyedError,
  InvalidArgumentError,
  QueueFullError,
  TimeoutError,
} from 'keelson';
import Opossum from 'opossum';
import { runNode } from './support/process';

const down = new Error('down');

/** An action that fails when it is told to. */
const answer = async (ok: boolean) => {
  if (!ok) throw down;
  return 'answer';
};

/** A breaker over it, and the names of its events. */
function breakerOf(options: CircuitBreakerOptions<[ok: boolean]> & { signal?: false } = {}) {
  const breaker = new CircuitBreaker(answer, { volumeThreshold: 2, resetTimeout: 1_000, ...options });
  const events: string[] = [];
  for (const event of [
    'open',
    'halfOpen',
    'close',
    'reject',
    'timeout',
    'failure',
    'success',
    'fallback',
  ] as const)
    breaker.on(event, () => events.push(event));
  return { breaker, events };
}

/** What a call comes to. */
const outcome = (call: Promise<unknown>) => call.catch((error: { code?: string }) => error.code ?? error);

const settle = () => jest.advanceTimersByTimeAsync(0);

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('states', () => {
  test('it opens by the failure rate, refuses, probes once the time is over, and closes', async () => {
    const { breaker, events } = breakerOf({ failureRateThreshold: 50 });
    await breaker.fire(true);
    await expect(breaker.fire(false)).rejects.toBe(down);
    expect(breaker.state).toBe('open');
    const refused = await breaker.fire(true).catch((error) => error);
    expect(refused).toBeInstanceOf(BreakerOpenError);
    expect(refused).toMatchObject({ code: 'ERR_KEELSON_BREAKER_OPEN', breaker: 'answer', retryAfter: 1_000 });
    await jest.advanceTimersByTimeAsync(1_000);
    await expect(breaker.fire(true)).resolves.toBe('answer');
    expect(breaker.state).toBe('closed');
    expect(events).toEqual(['success', 'failure', 'open', 'reject', 'halfOpen', 'close', 'success']);
  });

  test('a probe that fails opens it again, and only so many probes are let through', async () => {
    const { breaker } = breakerOf({ halfOpenCalls: 2 });
    breaker.open();
    await jest.advanceTimersByTimeAsync(1_000);
    const calls = [true, true].map((ok) => outcome(breaker.fire(ok)));
    await expect(breaker.fire(true)).rejects.toMatchObject({
      code: 'ERR_KEELSON_BREAKER_OPEN',
      retryAfter: 0,
    });
    expect(await Promise.all(calls)).toEqual(['answer', 'answer']);
    expect(breaker.state).toBe('closed');
    breaker.open();
    await jest.advanceTimersByTimeAsync(1_000);
    await Promise.all([outcome(breaker.fire(false)), outcome(breaker.fire(false))]);
    expect(breaker.state).toBe('open');
  });

  test('fewer calls than the volume threshold open nothing', async () => {
    const { breaker } = breakerOf({ volumeThreshold: 3 });
    await Promise.all([false, false].map((ok) => outcome(breaker.fire(ok))));
    expect(breaker.state).toBe('closed');
    await outcome(breaker.fire(false));
    expect(breaker.state).toBe('open');
  });

  test('slow calls open it, though they succeed', async () => {
    const slow = new CircuitBreaker((ms: number) => new Promise((resolve) => setTimeout(resolve, ms)), {
      ...{ slowCallDuration: 100, slowCallRateThreshold: 60, volumeThreshold: 2 },
    });
    for (const ms of [50, 150, 150]) {
      const call = slow.fire(ms);
      await jest.advanceTimersByTimeAsync(ms);
      await call;
    }
    expect(slow.state).toBe('open');
    expect(slow.metrics()).toMatchObject({ successes: 3, failures: 0, opened: 1 });
  });

  test('a window of time forgets', async () => {
    const { breaker } = breakerOf({ window: { type: 'time', ms: 1_000, buckets: 10 }, volumeThreshold: 2 });
    await outcome(breaker.fire(false));
    await jest.advanceTimersByTimeAsync(1_100);
    await outcome(breaker.fire(false));
    expect(breaker.state).toBe('closed');
  });

  test('by force it stays open until it is told otherwise; disabled, all pass and nothing counts', async () => {
    const { breaker } = breakerOf();
    breaker.forceOpen();
    await jest.advanceTimersByTimeAsync(60_000);
    await expect(breaker.fire(true)).rejects.toMatchObject({ retryAfter: Number.POSITIVE_INFINITY });
    breaker.close();
    breaker.disable();
    await Promise.all([false, false, false].map((ok) => outcome(breaker.fire(ok))));
    expect(breaker.state).toBe('closed');
    breaker.enable();
    await Promise.all([false, false].map((ok) => outcome(breaker.fire(ok))));
    expect(breaker.state).toBe('open');
  });

  test('toJSON and restore carry the state over', async () => {
    const { breaker } = breakerOf();
    breaker.open();
    await jest.advanceTimersByTimeAsync(400);
    const { breaker: next } = breakerOf();
    next.restore(JSON.parse(JSON.stringify(breaker)));
    expect(next.state).toBe('open');
    await expect(next.fire(true)).rejects.toMatchObject({ retryAfter: 600 });
    expect(() => next.restore({} as never)).toThrow(InvalidArgumentError);
  });
});

describe('calls', () => {
  test('what takes too long is given up, its signal aborted, and what comes of it later is nobody’s', async () => {
    let signal: AbortSignal | undefined;
    const breaker = new CircuitBreaker(
      (_: string, context: { signal: AbortSignal }) => {
        signal = context.signal;
        return new Promise<string>((resolve) => setTimeout(resolve, 500, 'late'));
      },
      { signal: true, timeout: 100 },
    );
    const call = breaker.fire('x').catch((error) => error);
    await jest.advanceTimersByTimeAsync(100);
    const error = await call;
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ timeout: 100 });
    expect(signal?.aborted).toBe(true);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(breaker.metrics()).toMatchObject({ running: 0, timeouts: 1, successes: 0 });
  });

  test('no more run at once than there is room for; so many wait, the next is refused', async () => {
    const ends: (() => void)[] = [];
    const breaker = new CircuitBreaker(() => new Promise<void>((resolve) => ends.push(resolve)), {
      ...{ capacity: 1, queue: 1 },
    });
    const [first, second, third] = [1, 2, 3].map(() => breaker.fire());
    await expect(third).rejects.toBeInstanceOf(QueueFullError);
    expect(ends).toHaveLength(1);
    ends[0]!();
    await first;
    await settle();
    expect(ends).toHaveLength(2);
    ends[1]!();
    await second;
    expect(breaker.metrics()).toMatchObject({ running: 0, waiting: 0, semaphoreRejections: 1 });
  });

  test('a call is repeated, and each attempt counts', async () => {
    let attempts = 0;
    const breaker = new CircuitBreaker(
      async () => {
        attempts += 1;
        if (attempts < 3) throw down;
        return attempts;
      },
      { retry: { attempts: 3, backoff: { min: 10, max: 100 } } },
    );
    const call = breaker.fire();
    await jest.advanceTimersByTimeAsync(300);
    await expect(call).resolves.toBe(3);
    expect(breaker.metrics()).toMatchObject({ fires: 3, failures: 2, retries: 2 });
  });

  test('an error that is an answer is no failure', async () => {
    const { breaker } = breakerOf({ errorFilter: (error: unknown) => error === down });
    await Promise.all([false, false, false].map((ok) => outcome(breaker.fire(ok))));
    expect(breaker.state).toBe('closed');
    expect(breaker.metrics()).toMatchObject({ successes: 3, failures: 0 });
  });

  test('a fallback answers for what failed and for what was not made', async () => {
    const { breaker, events } = breakerOf();
    breaker.fallback((ok, error: Error) => `${ok}: ${error.message.slice(0, 4)}`);
    expect(await breaker.fire(false)).toBe('false: down');
    breaker.open();
    expect(await breaker.fire(true)).toBe('true: Brea');
    expect(events).toEqual(['failure', 'fallback', 'open', 'reject', 'fallback']);
  });

  test('what an action throws at once rejects; `this` and arguments are its own', async () => {
    const breaker = new CircuitBreaker(function (this: unknown, ...args: number[]) {
      if (args.length === 0) throw down;
      return [this, args];
    });
    await expect(breaker.fire()).rejects.toBe(down);
    const self = {};
    expect(await breaker.call(self, 1, 2)).toEqual([self, [1, 2]]);
    expect(await breaker.wrap().call(self, 3)).toEqual([self, [3]]);
  });

  test('after its shutdown calls reject, and those that run are answered', async () => {
    let end = () => {};
    const breaker = new CircuitBreaker(() => new Promise<string>((resolve) => (end = () => resolve('done'))));
    const call = breaker.fire();
    breaker.shutdown();
    breaker.shutdown();
    await expect(breaker.fire()).rejects.toBeInstanceOf(DestroyedError);
    end();
    await expect(call).resolves.toBe('done');
  });

  test.each([
    [{ timeout: -1 }],
    [{ failureRateThreshold: 0 }],
    [{ volumeThreshold: 1.5 }],
    [{ capacity: 0 }],
    [{ tiemout: 5 }],
    [{ window: { type: 'sliding' } }],
  ])('%j is refused', (options) => {
    expect(() => new CircuitBreaker(answer, options as never)).toThrow(InvalidArgumentError);
    expect(jest.getTimerCount()).toBe(0);
  });
});

test('a process ends as soon as nothing is in flight, and not before', async () => {
  const source = `
    const { CircuitBreaker } = require('./index.js');
    const breaker = new CircuitBreaker((ms) => new Promise((resolve) => setTimeout(resolve, ms, 'done').unref()));
    const began = performance.now();
    breaker.fire(50).then(console.log);
    process.on('exit', () => console.log(performance.now() - began < 5_000));`;
  const { code, stdout, stderr } = await runNode(['-e', source]);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'done\ntrue\n', stderr: '' });
});

// opossum, set up to judge by the same.
test('the same calls, the same events in the same order as from opossum', async () => {
  const settings = { timeout: 1_000, resetTimeout: 5_000 };
  const peer = new Opossum(answer, { ...settings, errorThresholdPercentage: 50, volumeThreshold: 2 });
  const ours = new CircuitBreaker(answer, { ...settings, failureRateThreshold: 51, volumeThreshold: 3 });
  const heard: Record<string, string[]> = { peer: [], ours: [] };
  for (const event of ['fire', 'success', 'failure', 'reject', 'open', 'halfOpen', 'close'] as const) {
    peer.on(event as 'open', () => heard.peer!.push(event));
    ours.on(event, () => heard.ours!.push(event));
  }
  const play = async (breaker: { fire(ok: boolean): Promise<unknown> }) => {
    for (const ok of [true, false, false]) await outcome(breaker.fire(ok));
    await outcome(breaker.fire(true));
    await jest.advanceTimersByTimeAsync(5_000);
    await outcome(breaker.fire(true));
  };
  await play(peer);
  await play(ours);
  expect(heard.ours).toEqual(heard.peer);
  peer.shutdown();
});

type Step = boolean | number;

/** The plainest breaker over the latest calls: outcomes in a list, a time at which it opened. */
class Model {
  state = 'closed';
  private calls: boolean[] = [];
  private opened = 0;

  constructor(
    private readonly size: number,
    private readonly volume: number,
    private readonly rate: number,
  ) {}

  call(now: number, ok: boolean): string {
    if (this.state === 'open' && now >= this.opened + 1_000) this.state = 'halfOpen';
    if (this.state === 'open') return 'refused';
    if (this.state === 'halfOpen') {
      this.calls = [];
      if (ok) this.state = 'closed';
      else this.open(now);
      return ok ? 'answer' : 'down';
    }
    this.calls = [...this.calls, ok].slice(-this.size);
    const failed = this.calls.filter((each) => !each).length;
    const isDue = this.calls.length >= this.volume && (100 * failed) / this.calls.length >= this.rate;
    if (!ok && isDue) this.open(now);
    return ok ? 'answer' : 'down';
  }

  private open(now: number): void {
    [this.state, this.opened, this.calls] = ['open', now, []];
  }
}

test('random histories, against the plainest breaker', async () => {
  const step: fc.Arbitrary<Step> = fc.oneof(fc.boolean(), fc.boolean(), fc.integer({ min: 0, max: 1_500 }));
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 8 }),
      fc.double({ min: 1, max: 100, noNaN: true }),
      fc.array(step, { maxLength: 60 }),
      async (size, rate, steps) => {
        const volumeThreshold = Math.ceil(size / 2);
        const window = { type: 'count', size } as const;
        const { breaker } = breakerOf({ window, volumeThreshold, failureRateThreshold: rate });
        const model = new Model(size, volumeThreshold, rate);
        for (const each of steps) {
          if (typeof each === 'number') {
            await jest.advanceTimersByTimeAsync(each);
            continue;
          }
          const expected = model.call(Date.now(), each);
          const told = await breaker.fire(each).catch((error) => (error === down ? 'down' : 'refused'));
          expect([told, breaker.state]).toEqual([expected, model.state]);
        }
      },
    ),
    { numRuns: 200 },
  );
});
