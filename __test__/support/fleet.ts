import { CircuitBreaker, type CircuitBreakerOptions, type CircuitBreakerSharedOptions } from 'keelson';

/** Milliseconds. A process that a busy machine holds up for three intervals counts as dead, which is no member's fault. */
export const INTERVAL = 300;
export const RESET = 200;
/** Redis counts in whole milliseconds. */
const ROUNDING = 2;

type Options = Omit<CircuitBreakerOptions<[]>, 'shared' | 'signal'> & {
  shared: CircuitBreakerSharedOptions;
};

/** What the breakers of a test protect: it answers, or fails, and remembers when it was called. */
export class Dependency {
  isDown = false;
  calls: number[] = [];
  /** Milliseconds for an answer. */
  takes = 0;

  readonly call = async (): Promise<string> => {
    this.calls.push(performance.now());
    if (this.takes > 0) await new Promise((resolve) => setTimeout(resolve, this.takes));
    if (this.isDown) throw new Error('down');
    return 'answer';
  };
}

/** Milliseconds between calls that followed each other. */
export const gaps = (calls: readonly number[]): number[] =>
  calls.slice(1).map((call, index) => call - calls[index]!);

/** No call came before its predecessor had failed and the fleet had rested for `resetTimeout`: there was one probe a round. */
export function expectOneProbeARound(calls: readonly number[], rounds: number): void {
  expect(calls.length).toBeGreaterThanOrEqual(rounds);
  expect(Math.min(...gaps(calls))).toBeGreaterThan(RESET - ROUNDING);
}

/** Breakers of one dependency, which leave their fleet after the test. */
export function useBreakers() {
  const breakers: CircuitBreaker<[], string>[] = [];
  afterEach(() => {
    for (const breaker of breakers.splice(0)) breaker.shutdown();
  });
  return (dependency: Dependency, { shared, ...options }: Options): CircuitBreaker<[], string> => {
    const breaker = new CircuitBreaker(dependency.call, {
      name: 'dependency',
      // Two calls that fail open it, whatever came before.
      window: { type: 'count', size: 2 },
      resetTimeout: RESET,
      shared: { interval: INTERVAL, timeout: 5_000, ...shared },
      ...options,
    });
    breakers.push(breaker);
    return breaker;
  };
}

/** Makes so many calls, one after the other, whatever comes of them. */
export async function fire(breaker: CircuitBreaker<[], string>, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await breaker.fire().catch(() => {});
}

/** Calls without pause until it is stopped. */
export function pour(breakers: readonly CircuitBreaker<[], string>[]): () => Promise<void> {
  let goesOn = true;
  const stream = async (breaker: CircuitBreaker<[], string>): Promise<void> => {
    while (goesOn) {
      await fire(breaker, 1);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const all = Promise.all(breakers.map(stream));
  return async () => {
    goesOn = false;
    await all;
  };
}
