import { CircuitBreaker, type CircuitBreakerOptions, type CircuitBreakerSharedOptions } from 'keelson';
import { useRedis } from './redis';
import { eventually } from './server';

/** Milliseconds. A process that a busy machine holds up for three intervals counts as dead, which is no member's fault. */
export const INTERVAL = 300;
export const RESET = 200;
/** A `resetTimeout` that no test lives to see the end of. */
export const FAR = 3600_000;
/** Redis counts in whole milliseconds. */
const ROUNDING = 2;

export type Breaker = CircuitBreaker<[], string>;

type Options = Omit<CircuitBreakerOptions<[]>, 'shared' | 'signal'> & {
  shared: CircuitBreakerSharedOptions;
};

/** What the breakers of a test protect: it answers, or fails, and remembers when it was called. */
class Dependency {
  isDown = false;
  calls: number[] = [];
  /** Milliseconds for an answer. */
  takes = 0;

  /** As if it were new. */
  reset(): void {
    this.isDown = false;
    this.calls = [];
    this.takes = 0;
  }

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
function useBreakers() {
  const breakers: Breaker[] = [];
  afterEach(() => {
    for (const breaker of breakers.splice(0)) breaker.shutdown();
  });
  return (dependency: Dependency, { shared, ...options }: Options): Breaker => {
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
export async function fire(breaker: Breaker, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await breaker.fire().catch(() => {});
}

/** Calls without pause until it is stopped. */
export function pour(breakers: readonly Breaker[]): () => Promise<void> {
  let goesOn = true;
  const stream = async (breaker: Breaker): Promise<void> => {
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

export const states = (members: readonly Breaker[]) => members.map(({ state }) => state);
export const closed = (members: readonly Breaker[]) =>
  eventually(() => members.every((one) => one.state === 'closed' && one.fleet!.state === 'closed'));
/** All have opened; one of them may be half-open already. */
export const opened = (members: readonly Breaker[]) =>
  eventually(() =>
    members.every(
      (one) => (one.opened || one.fleet!.probing) && ['open', 'halfOpen'].includes(one.fleet!.state),
    ),
  );

/** Events of a member by name, in order. */
export function eventsOf(breaker: Breaker): string[] {
  const events: string[] = [];
  for (const event of ['open', 'halfOpen', 'close', 'redis-error', 'recovered'] as const)
    breaker.on(event, () => events.push(event));
  return events;
}

/** A Redis of their own for the tests of a file, and fleets of breakers of one dependency that share it. */
export function useFleet() {
  const server = useRedis();
  const make = useBreakers();
  const dependency = new Dependency();

  beforeEach(() => dependency.reset());
  afterEach(async () => {
    if (!server.isRunning) await server.start();
    await server.command('FLUSHALL');
  });

  const shared = (more: Partial<CircuitBreakerSharedOptions> = {}) => ({ redis: server.config, ...more });

  /** So many members that know of each other. */
  async function fleet(
    count: number,
    more: Partial<CircuitBreakerSharedOptions> = {},
    resetTimeout = RESET,
  ): Promise<Breaker[]> {
    const members = Array.from({ length: count }, () =>
      make(dependency, { resetTimeout, shared: shared(more) }),
    );
    await eventually(() => members.every((one) => one.fleet!.members === count));
    return members;
  }

  /** Has enough members fail to open all. */
  async function openAll(members: readonly Breaker[]): Promise<void> {
    dependency.isDown = true;
    await Promise.all(members.map((one) => fire(one, 2)));
    await opened(members);
  }

  return { server, make, dependency, shared, fleet, openAll };
}
