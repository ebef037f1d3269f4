import { monitorEventLoopDelay } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';

/** How late the event loop was, in nanoseconds, each sample with the {@link RESOLUTION}. */
export type Delays = ReturnType<typeof monitorEventLoopDelay>;

/** Milliseconds from one sample to the next, which are in each sample. */
export const RESOLUTION = 20;

/** The event loop's delays of the latest one window to two. Nothing of it holds the process. */
export class EventLoopWindow {
  /** Each is emptied in turn, so that the one which was not is always of one window to two. */
  #older = sampling();
  #younger = sampling();
  readonly #turn: NodeJS.Timeout;

  /** @param window in milliseconds */
  constructor(window: number) {
    this.#turn = setInterval(() => {
      this.#older.reset();
      [this.#older, this.#younger] = [this.#younger, this.#older];
    }, window).unref();
  }

  get delays(): Delays {
    return this.#older;
  }

  close(): void {
    clearInterval(this.#turn);
    this.#older.disable();
    this.#younger.disable();
  }
}

function sampling(): Delays {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION });
  delays.enable();
  return delays;
}
