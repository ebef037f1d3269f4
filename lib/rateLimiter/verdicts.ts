import type { RateLimitCounts } from './figures.js';
import type { Settings } from './options.js';
import { type RateLimitResult, type RateLimitSource, Results } from './result.js';

/** Results of checks: they are counted, denials are told of, and a shadow denies nothing. */
export class Verdicts {
  readonly results: Results;
  /** Results of denials that a shadow let pass; undefined where there is no shadow. */
  private readonly passed: WeakSet<RateLimitResult> | undefined;

  /** @param denied is told of each denial */
  constructor(
    settings: Pick<Settings, 'limits' | 'shadow'>,
    private readonly counts: RateLimitCounts,
    private readonly denied: (key: string, result: RateLimitResult) => void,
  ) {
    this.results = new Results(settings.limits);
    this.passed = settings.shadow ? new WeakSet() : undefined;
  }

  /** The result whose numbers begin at `place`. */
  of(
    key: string,
    numbers: Float64Array,
    place: number,
    cost: number,
    source: RateLimitSource,
  ): RateLimitResult {
    if (numbers[place] === 1) {
      this.counts.allowed++;
      return this.results.admission(numbers, place, cost, source);
    }
    return this.tell(key, this.results.denial(numbers, place, cost, source));
  }

  /** Counts a result that was made elsewhere. */
  judge(key: string, result: RateLimitResult): RateLimitResult {
    if (!result.allowed) return this.tell(key, result);
    this.counts.allowed++;
    return result;
  }

  /** Whether what a result tells of was counted, and can be given back. */
  isCounted(result: RateLimitResult): boolean {
    return result.allowed && !this.passed?.has(result);
  }

  private tell(key: string, result: RateLimitResult): RateLimitResult {
    this.counts.denied++;
    this.denied(key, result);
    if (this.passed === undefined) return result;
    const { retryAfter: _, ...rest } = result;
    const admission = { ...rest, allowed: true, retryAfterMs: 0 };
    this.passed.add(admission);
    return admission;
  }
}
