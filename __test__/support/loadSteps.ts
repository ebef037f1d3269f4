import type { Measured } from '../../dist/cli/load/generators';
import { type Step, stepOf } from '../../dist/cli/load/step';

/** Percentiles that are all the same. */
export const flat = (value: number) => ({ p50: value, p90: value, p99: value, p999: value, max: value });

/** A step of a second that was answered well in a millisecond, but for these changes. The SLO: 100 ms, 1 % errors. */
export function stepWith(rate: number, changes: Partial<Measured> = {}): Step {
  const measured: Measured = {
    requests: rate,
    inTime: rate,
    statuses: { 200: rate },
    timeouts: 0,
    lost: 0,
    unreachable: undefined,
    queued: 0,
    utilization: 0.1,
    latency: flat(1),
    uncorrected: flat(1),
    lateness: flat(0.5),
    ...changes,
  };
  return stepOf({ rate, seconds: 1, connections: 10 }, measured, undefined, { p99: 100, errors: 1 });
}
