import type { RateLimitCounts } from './figures.js';
import { highestCost, shareOf } from './limits.js';
import { MemoryLimits } from './memory.js';
import { OP, ROW } from './native.js';
import type { Settings } from './options.js';
import { Results } from './result.js';

/** What decides while Redis does not: limits in memory, everybody's good will, or nobody's. */
export class StandIn {
  readonly source: Settings['onStoreError'];
  /** How its numbers are to be read. */
  readonly results: Results;
  private readonly settings: Settings;
  private readonly counts: RateLimitCounts;
  private readonly plain = new Float64Array(Object.keys(ROW).length);
  /** Made when it is needed. */
  private memory: MemoryLimits | undefined;

  constructor(settings: Settings, counts: RateLimitCounts) {
    this.settings = settings;
    this.counts = counts;
    this.source = settings.onStoreError;
    const { limits, localShare } = settings;
    this.results = new Results(this.source === 'local' ? shareOf(limits, localShare) : limits);
  }

  /**
   * Carries out an operation, and returns the numbers that came of it.
   *
   * @param wait milliseconds until Redis is asked again
   */
  apply(op: number, key: string, amount: number, extra: number, wait: number): Float64Array {
    this.counts.fallbacks[this.source]++;
    if (this.source !== 'local') return this.fixed(op, wait);
    this.memory ??= this.limits();
    this.memory.apply(op, key, amount, extra);
    return this.memory.numbers;
  }

  /** The limits in memory, if they were needed. */
  get known(): MemoryLimits | undefined {
    return this.memory;
  }

  close(): void {
    this.memory?.clear();
  }

  private limits(): MemoryLimits {
    const { limits, localShare, blockDuration, maxKeys } = this.settings;
    return new MemoryLimits(shareOf(limits, localShare), blockDuration, maxKeys);
  }

  /** The same for each key. No lease is held with anybody, so that there is none to lose. */
  private fixed(op: number, wait: number): Float64Array {
    const { plain } = this;
    const isOpen = this.source === 'open' || op === OP.release || op === OP.renew;
    const now = Date.now() * 1000;
    const retry = isOpen ? 0 : Math.max(1, wait) * 1000;
    const most = highestCost(this.settings.limits);
    plain[ROW.allowed] = isOpen ? 1 : 0;
    plain[ROW.remaining] = isOpen && most !== Number.POSITIVE_INFINITY ? most : 0;
    plain[ROW.reset] = now + retry;
    plain[ROW.retry] = retry;
    plain[ROW.used] = 0;
    plain[ROW.limit] = 0;
    plain[ROW.at] = 0;
    return plain;
  }
}
