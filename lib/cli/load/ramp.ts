import type { Step } from './step.js';

/** Which rates to try. */
export interface Ramp {
  readonly from: number;
  readonly factor: number;
  readonly max: number;
  /** Percent. */
  readonly precision: number;
}

/** The highest rate that held, and the lowest that broke. */
export interface Bounds {
  good: Step | undefined;
  bad: Step | undefined;
}

/**
 * Raises the rate until a step breaks, then halves the distance. `bounds` is kept up to date, for whoever has to stop
 * early.
 */
export async function findKnee(
  { from, factor, max, precision }: Ramp,
  bounds: Bounds,
  measure: (rate: number) => Promise<Step>,
): Promise<void> {
  const attempt = async (rate: number) => {
    const step = await measure(rate);
    if (step.breaks.length === 0) bounds.good = step;
    else bounds.bad = step;
  };
  await attempt(from);
  while (bounds.bad === undefined && (bounds.good as Step).rate < max) {
    const { rate } = bounds.good as Step;
    await attempt(Math.min(max, Math.max(rate + 1, Math.round(rate * factor))));
  }
  while (bounds.good !== undefined && bounds.bad !== undefined && !byGenerator(bounds.bad)) {
    const { rate: low } = bounds.good;
    const gap = bounds.bad.rate - low;
    if (gap <= Math.max(1, (low * precision) / 100)) break;
    await attempt(low + Math.round(gap / 2));
  }
}

/** Where the generator is the limit there is no knee to look for. */
export const byGenerator = (step: Step): boolean => step.breaks.some(({ limit }) => limit === 'generator');
