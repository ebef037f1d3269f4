import type { LifecyclePhase, ShutdownReport } from 'keelson';
import { PHASES } from './lifecycleModel';

/** Milliseconds until now of the clock that the test advances. */
let epoch = 0;
export const elapsed = () => Math.round(performance.now() - epoch);

/** Has all tests of a file run on a clock that they advance. */
export function onFakeTimers(): void {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    epoch = performance.now();
  });
  afterEach(() => {
    jest.useRealTimers();
  });
}

export const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
export const never = () => new Promise<never>(() => {});

/** Lets time pass until a shutdown is over. */
export async function over(shutdown: Promise<ShutdownReport>): Promise<ShutdownReport> {
  let report: ShutdownReport | undefined;
  shutdown.then((found) => {
    report = found;
  });
  await jest.advanceTimersByTimeAsync(0);
  for (let steps = 0; report === undefined; steps++) {
    if (steps > 1_000) throw new Error('The shutdown does not end');
    await jest.advanceTimersToNextTimerAsync();
  }
  return report;
}

export const statesOf = ({ resources }: ShutdownReport) =>
  Object.fromEntries(resources.map(({ name, state }) => [name, state]));

/** As many milliseconds for each phase. */
export function budgets(ms: number) {
  return Object.fromEntries(PHASES.map((phase) => [phase, ms])) as Record<LifecyclePhase, number>;
}

/** What a call throws. */
export function catching(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown');
}
