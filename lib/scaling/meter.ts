import { callable, invalid } from '../validate.js';

/** The load of this process: what was counted in a second, or what a gauge tells. */
export class Meter {
  /** Times that a gauge gave no load. */
  failures = 0;
  #count = 0;
  #since: number;
  #gauge: (() => number) | undefined;

  constructor(now: number) {
    this.#since = now;
  }

  count(count: number): void {
    const isLoad = typeof count === 'number' && count >= 0 && count < Number.POSITIVE_INFINITY;
    if (!isLoad) invalid('count', 'a finite number from 0 on', count);
    this.#count += count;
  }

  ask(gauge: () => number): void {
    this.#gauge = callable<() => number>('gauge', gauge);
  }

  /** The load since it was read last; undefined if there is none. */
  read(now: number): number | undefined {
    const [count, ms] = [this.#count, now - this.#since];
    this.#count = 0;
    this.#since = now;
    if (this.#gauge === undefined) return ms > 0 ? (count * 1000) / ms : undefined;
    try {
      const load = this.#gauge();
      if (typeof load === 'number' && load >= 0 && load < Number.POSITIVE_INFINITY) return load;
    } catch {
      // It is the service's own, and what it throws is not for whoever asks for replicas.
    }
    this.failures++;
    return undefined;
  }
}
