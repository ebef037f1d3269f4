import { type Delays, EventLoopWindow, RESOLUTION } from '../eventLoopWindow.js';
import { Level } from './level.js';
import type { HealthResult } from './options.js';

const PERCENTILE = 99;
const NANOSECONDS = 1e6;

/** The event loop's delay in the latest while. Nothing of it holds the process. */
export class EventLoopLag {
  readonly #window: EventLoopWindow;
  readonly #level: Level;

  constructor({ warn, fail, window }: { warn: number; fail: number; window: number }) {
    this.#level = new Level({ warn, fail });
    this.#window = new EventLoopWindow(window);
  }

  readonly check = (): HealthResult => {
    const lag = Math.round(lagOf(this.#window.delays));
    return {
      status: this.#level.of(lag),
      observedValue: lag,
      observedUnit: 'ms',
      output: `the event loop is ${lag} ms late`,
    };
  };

  close(): void {
    this.#window.close();
  }
}

/** Without the longest sample, also where there are so few that it would be the percentile. */
function lagOf(delays: Delays): number {
  const { count } = delays;
  if (count < 2) return 0;
  const percentile = Math.min(PERCENTILE, (100 * (count - 1.5)) / count);
  return Math.max(0, delays.percentile(percentile) / NANOSECONDS - RESOLUTION);
}
