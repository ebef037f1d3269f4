import type { Measured } from './generators.js';
import type { Percentiles } from './histogram.js';
import type { Slo } from './options.js';
import type { ServiceFigures } from './scraper.js';
import { isFailure } from './tally.js';

/** Why a step broke. */
export interface Break {
  readonly limit: 'p99' | 'errors' | 'rate' | 'generator';
  readonly message: string;
}

/** A step of the report. Rates are requests a second, latencies and delays milliseconds, sizes bytes. */
export interface Step {
  readonly rate: number;
  /** Requests a second that were answered well, until the SLO's latency after the last was due. */
  readonly achieved: number;
  readonly requests: number;
  readonly connections: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly errors: {
    readonly percent: number;
    readonly timeouts: number;
    readonly lostConnections: number;
    readonly status5xx: number;
    readonly status429: number;
  };
  /** From when a request was due, of what was answered well or timed out. */
  readonly latency: Percentiles | null;
  /** From when it was sent, of what was answered well: what a closed model would have reported. */
  readonly uncorrectedLatency: Percentiles | null;
  /** Requests that found all connections busy. */
  readonly queued: number;
  readonly generator: { readonly utilization: number; readonly latenessP99: number };
  readonly service: ServiceFigures | null;
  /** Empty if the SLO held. */
  readonly breaks: readonly Break[];
}

/** Share of the rate that has to be answered. */
const ACHIEVED = 0.95;

/** Utilization of the generator's event loop beyond which it is late by itself. */
const BUSY = 0.95;

export function stepOf(
  { rate, seconds, connections }: { rate: number; seconds: number; connections: number },
  measured: Measured,
  service: ServiceFigures | undefined,
  slo: Slo,
): Step {
  const { requests, statuses, timeouts, lost, latency, lateness, utilization } = measured;
  const count = (matches: (status: number) => boolean) =>
    Object.entries(statuses).reduce((sum, [status, n]) => sum + (matches(Number(status)) ? n : 0), 0);
  const failed = timeouts + lost + count(isFailure);
  const step: Omit<Step, 'breaks'> = {
    rate,
    achieved: measured.inTime / seconds,
    requests,
    connections,
    statuses,
    errors: {
      percent: (failed / requests) * 100,
      timeouts,
      lostConnections: lost,
      status5xx: count((status) => status >= 500),
      status429: count((status) => status === 429),
    },
    latency,
    uncorrectedLatency: measured.uncorrected,
    queued: measured.queued,
    generator: { utilization, latenessP99: lateness?.p99 ?? 0 },
    service: service ?? null,
  };
  return { ...step, breaks: breaksOf(step, slo) };
}

function breaksOf(step: Omit<Step, 'breaks'>, slo: Slo): Break[] {
  const { rate, achieved, errors, latency, generator } = step;
  const breaks: Break[] = [];
  if (errors.percent > slo.errors) {
    breaks.push({ limit: 'errors', message: `${round(errors.percent)} % failed (${causes(step)})` });
  }
  if (latency !== null && latency.p99 > slo.p99) {
    breaks.push({ limit: 'p99', message: `p99 was ${round(latency.p99)} ms` });
  }
  if (achieved < rate * ACHIEVED) {
    breaks.push({
      limit: 'rate',
      message: `only ${round(achieved)} of ${rate} requests a second were answered well in time`,
    });
  }
  const late = generator.latenessP99 > slo.p99 / 2 || generator.utilization > BUSY;
  if (late && breaks.length > 0 && breaks[0]?.limit !== 'errors') {
    breaks.unshift({
      limit: 'generator',
      message:
        `the generator was the limit, not the service: 1 % of its requests left ${round(generator.latenessP99)} ms ` +
        `late or later, and its event loop was ${round(generator.utilization * 100)} % busy`,
    });
  }
  return breaks;
}

function causes({ errors }: Omit<Step, 'breaks'>): string {
  const { timeouts, lostConnections, status5xx, status429 } = errors;
  const named = {
    timeouts,
    'lost connections': lostConnections,
    'with 5xx': status5xx,
    'with 429': status429,
  };
  return Object.entries(named)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

/** Three significant digits, but no fraction is added to, nor digit taken from, what is larger. */
export function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
