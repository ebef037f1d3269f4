import { number } from './validate.js';

/** Buckets to a power of two: each is 1/16 of its lower end wide. */
const SUB_BITS = 4;
const SUB_BUCKETS = 1 << SUB_BITS;
/** The longest duration with a bucket of its own: 2^28 us, 268 s. What is longer counts in the last bucket. */
const TOP_BITS = 28;
const BUCKETS = (TOP_BITS - SUB_BITS + 1) * SUB_BUCKETS;
const LAST_MICROSECOND = 2 ** TOP_BITS - 1;
const MICROSECONDS = 1000;

/** What summaries are of. */
const sources = new WeakMap<LatencySummary, Histogram>();

/** What a summary is of; undefined where no histogram made it. */
export function histogramOf(summary: LatencySummary): Histogram | undefined {
  return sources.get(summary);
}

/** What {@link Histogram.summary} tells; times are in milliseconds, and 0 where nothing was recorded. */
export interface LatencySummary {
  count: number;
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  /** The longest, exactly. */
  max: number;
  /** The mean, exactly. */
  mean: number;
}

/**
 * Counts durations in buckets that are linear within each power of two and logarithmic beyond, so that a
 * percentile of millions takes 1.6 KB and is off by at most 1/32 (3.2 %), or by 1 us below 16 us. `count`, `min`,
 * `max` and `mean` are exact. The idea is that of Gil Tene's HdrHistogram.
 *
 * Durations are in milliseconds. Beyond 268 s they share the last bucket: a percentile that falls there is `max`.
 */
export class Histogram {
  /** Doubles once a bucket has reached 2^32 - 1. */
  #counts: Uint32Array | Float64Array = new Uint32Array(BUCKETS);
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  /** Adds a duration; what is negative counts as 0, as a clock that was set back would give it. NaN is left out. */
  record(milliseconds: number): void {
    if (Number.isNaN(milliseconds)) return;
    const value = Math.max(milliseconds, 0);
    const bucket = bucketOf(value);
    const counted = this.#counts[bucket]! + 1;
    if (counted > 0xffff_ffff && this.#counts instanceof Uint32Array) {
      this.#counts = Float64Array.from(this.#counts);
    }
    this.#counts[bucket] = counted;
    this.#count++;
    this.#sum += value;
    if (value > this.#max) this.#max = value;
    if (value < this.#min) this.#min = value;
  }

  /** How many durations were recorded. */
  get count(): number {
    return this.#count;
  }

  /** The shortest; 0 where nothing was recorded. */
  get min(): number {
    return this.#count === 0 ? 0 : this.#min;
  }

  /** The longest; 0 where nothing was recorded. */
  get max(): number {
    return this.#max;
  }

  /** The arithmetic mean; 0 where nothing was recorded. */
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /**
   * The nearest-rank percentile: the middle of the bucket of the shortest duration that at least `p` percent do not
   * exceed, never outside of what was recorded. 0 where nothing was recorded.
   * @param p 0 to 100, fractions allowed (99.9)
   * @throws InvalidArgumentError for any other `p`
   */
  percentile(p: number): number {
    number('p', p, 0, 100);
    if (this.#count === 0) return 0;
    // 99.9 % of 1,000 may come out as 999.0000000000001, and must not become rank 1,000.
    const rank = Math.max(1, Math.ceil(((p * this.#count) / 100) * (1 - 4 * Number.EPSILON)));
    if (rank === this.#count) return this.#max;
    let seen = 0;
    let bucket = -1;
    while (seen < rank) seen += this.#counts[++bucket]!;
    if (bucket === BUCKETS - 1) return this.#max;
    return Math.min(this.#max, Math.max(this.#min, middleOf(bucket)));
  }

  /** The usual percentiles at once. */
  summary(): LatencySummary {
    return this.#summary(1);
  }

  /** The same in seconds. */
  summaryInSeconds(): LatencySummary {
    return this.#summary(1000);
  }

  #summary(unit: number): LatencySummary {
    const summary = {
      count: this.#count,
      p50: this.percentile(50) / unit,
      p90: this.percentile(90) / unit,
      p99: this.percentile(99) / unit,
      p999: this.percentile(99.9) / unit,
      max: this.#max / unit,
      mean: this.mean / unit,
    };
    sources.set(summary, this);
    return summary;
  }

  /** The sum of all. */
  get sum(): number {
    return this.#sum;
  }

  /**
   * How many were no longer than each of some durations in ascending order; a bucket that a duration falls within counts as a
   * whole where its middle is no longer.
   */
  countsUpTo(durations: readonly number[]): number[] {
    let [bucket, seen] = [0, 0];
    return durations.map((duration) => {
      while (bucket < BUCKETS && middleOf(bucket) <= duration) seen += this.#counts[bucket++]!;
      return seen;
    });
  }

  /** Forgets everything. */
  reset(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#sum = 0;
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = 0;
  }
}

function bucketOf(milliseconds: number): number {
  const exact = milliseconds * MICROSECONDS;
  const value = exact < LAST_MICROSECOND ? exact | 0 : LAST_MICROSECOND;
  if (value < SUB_BUCKETS) return value;
  const shift = 31 - Math.clz32(value) - SUB_BITS;
  // The top bit of the shifted value is set, and moves on to the next power's buckets.
  return (shift << SUB_BITS) + (value >>> shift);
}

function middleOf(bucket: number): number {
  if (bucket < SUB_BUCKETS) return (bucket + 0.5) / MICROSECONDS;
  const shift = (bucket >> SUB_BITS) - 1;
  const lower = (SUB_BUCKETS + (bucket & (SUB_BUCKETS - 1))) * 2 ** shift;
  return (lower + 2 ** shift / 2) / MICROSECONDS;
}
