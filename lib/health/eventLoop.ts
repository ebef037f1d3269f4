import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Level } from './level.js';
import type { HealthResult } from './options.js';

type Histogram = ReturnType<typeof monitorEventLoopDelay>;

/** Milliseconds from one sample to the next, which are in each sample. */
const RESOLUTION = 20;
const PERCENTILE = 99;
const NANOSECONDS = 1e6;

/** The event loop's delay in the latest while. Nothing of it holds the process. */
export class EventLoopLag {
  /** Each is emptied in turn, so that the one which was not is always of one window to two. */
  #older = sampling();
  #younger = sampling();
  readonly #turn: NodeJS.Timeout;
  readonly #level: Level;

  constructor({ warn, fail, window }: { warn: number; fail: number; window: number }) {
    this.#level = new Level({ warn, fail });
    this.#turn = setInterval(() => {
      this.#older.reset();
      [this.#older, this.#younger] = [this.#younger, this.#older];
    }, window).unref();
  }

  readonly check = (): HealthResult => {
    const lag = Math.round(lagOf(this.#older));
    return {
      status: this.#level.of(lag),
      observedValue: lag,
      observedUnit: 'ms',
      output: `the event loop is ${lag} ms late`,
    };
  };

  close(): void {
    clearInterval(this.#turn);
    this.#older.disable();
    this.#younger.disable();
  }
}

function sampling(): Histogram {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  histogram.enable();
  return histogram;
}

/** Without the longest sample, also where there are so few that it would be the percentile. */
function lagOf(histogram: Histogram): number {
  const { count } = histogram;
  if (count < 2) return 0;
  const percentile = Math.min(PERCENTILE, (100 * (count - 1.5)) / count);
  return Math.max(0, histogram.percentile(percentile) / NANOSECONDS - RESOLUTION);
}
