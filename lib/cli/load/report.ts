import type { LoadOptions } from './options.js';
import { type Bounds, byGenerator } from './ramp.js';
import { round, type Step } from './step.js';
import { withoutPassword } from './values.js';

/** How the search ended. */
export type Outcome = 'knee' | 'below-first-rate' | 'max-reached' | 'generator-limit' | 'interrupted';

/** The document of `--json`. Rates are requests a second, latencies and delays milliseconds, sizes bytes. */
export interface LoadReport {
  /** Grows when a reader of the one before would misread this. */
  readonly version: 1;
  readonly url: string;
  readonly method: string;
  readonly started: string;
  readonly ended: string;
  readonly settings: {
    readonly from: number;
    readonly max: number;
    readonly factor: number;
    readonly precisionPercent: number;
    readonly stepSeconds: number;
    readonly warmupSeconds: number;
    readonly timeoutSeconds: number;
    readonly sloP99: number;
    readonly sloErrorsPercent: number;
    readonly workers: number;
  };
  readonly outcome: Outcome;
  /** The highest rate at which the SLO held; null if it held at none. */
  readonly knee: number | null;
  /** The lowest rate at which it broke; null if it broke at none. */
  readonly broke: number | null;
  /** The outcome in words. */
  readonly summary: string;
  readonly notes: readonly string[];
  /** In the order in which they were measured. */
  readonly steps: readonly Step[];
}

export interface Found {
  readonly options: LoadOptions;
  readonly started: Date;
  readonly steps: readonly Step[];
  readonly bounds: Bounds;
  readonly notes: readonly string[];
  readonly interrupted: boolean;
}

export function reportOf(found: Found): LoadReport {
  const { options, started, steps, bounds, notes } = found;
  const outcome = outcomeOf(found);
  return {
    version: 1,
    url: withoutPassword(options.request.url),
    method: options.request.method,
    started: started.toISOString(),
    ended: new Date().toISOString(),
    settings: {
      from: options.from,
      max: options.max,
      factor: options.factor,
      precisionPercent: options.precision,
      stepSeconds: options.step,
      warmupSeconds: options.warmup,
      timeoutSeconds: options.timeout,
      sloP99: options.slo.p99,
      sloErrorsPercent: options.slo.errors,
      workers: options.workers,
    },
    outcome,
    knee: bounds.good?.rate ?? null,
    broke: bounds.bad?.rate ?? null,
    summary: summaryOf(outcome, bounds, options),
    notes: [...notes, ...queueNote(steps)],
    steps,
  };
}

function outcomeOf({ bounds: { good, bad }, interrupted }: Found): Outcome {
  if (interrupted) return 'interrupted';
  if (bad === undefined) return 'max-reached';
  if (byGenerator(bad)) return 'generator-limit';
  return good === undefined ? 'below-first-rate' : 'knee';
}

function summaryOf(outcome: Outcome, { good, bad }: Bounds, { slo, max, workers }: LoadOptions): string {
  const held =
    good === undefined ? 'The SLO held at no rate' : `The SLO held at ${good.rate} requests a second`;
  const broke = bad && ` At ${bad.rate} it broke: ${bad.breaks.map(({ message }) => message).join('; ')}.`;
  const wanted = ` (The SLO: p99 of ${round(slo.p99)} ms, ${round(slo.errors)} % errors.)`;
  switch (outcome) {
    case 'interrupted':
      return `Interrupted. ${held} so far.${broke ?? ''}${wanted}`;
    case 'max-reached':
      return `${held}, which is --max (${max}): the knee is higher.${wanted}`;
    case 'generator-limit':
      return `${held}; the knee may be higher.${broke} Try --workers ${workers + 1}, or another machine.${wanted}`;
    default:
      return `${held}.${broke}${wanted}`;
  }
}

function queueNote(steps: readonly Step[]): string[] {
  const waited = steps.filter(({ queued, breaks }) => queued > 0 && breaks.length === 0);
  if (waited.length === 0) return [];
  const list = waited.map(({ rate, queued, requests }) => `${queued} of ${requests} at ${rate}/s`);
  return [
    `Requests waited for a free connection, which their latencies include: ${list.join(', ')}. Try more --connections if that surprises you.`,
  ];
}
