import { OrderStatistics } from './orderStatistics.js';

/** What is known of one run of samples; two runs side by side combine into one without looking at the samples. */
export interface WindowSummary {
  count: number;
  min: number;
  max: number;
  sum: number;
  /** What rounding took from `sum` (Neumaier's compensation). */
  carry: number;
  /** Sum of the squared distances to the mean. */
  squares: number;
}

function empty(): WindowSummary {
  return {
    count: 0,
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
    sum: 0,
    carry: 0,
    squares: 0,
  };
}

/** The part of `a + b` that `sum` could not hold (Knuth's TwoSum, in Neumaier's form). */
function roundingError(a: number, b: number, sum: number): number {
  return Math.abs(a) >= Math.abs(b) ? a - sum + b : b - sum + a;
}

/** The arithmetic mean. Where the plain sum overflows or meets infinities, what plain division gives. */
export function meanOf({ count, sum, carry }: WindowSummary): number {
  return (Number.isFinite(sum) ? sum + carry : sum) / count;
}

/** Welford's step: takes in one sample. */
function add(summary: WindowSummary, sample: number): void {
  const { count, sum } = summary;
  if (count > 0) {
    const distance = sample - meanOf(summary);
    summary.squares += distance * distance * (count / (count + 1));
  }
  summary.count = count + 1;
  summary.min = Math.min(summary.min, sample);
  summary.max = Math.max(summary.max, sample);
  summary.sum = sum + sample;
  summary.carry += roundingError(sum, sample, summary.sum);
}

/** Chan's combination of two runs; neither may be empty. */
function combine(a: WindowSummary, b: WindowSummary): WindowSummary {
  const count = a.count + b.count;
  const sum = a.sum + b.sum;
  const distance = meanOf(b) - meanOf(a);
  return {
    count,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    sum,
    carry: a.carry + b.carry + roundingError(a.sum, b.sum, sum),
    squares: a.squares + b.squares + distance * distance * ((a.count / count) * b.count),
  };
}

/**
 * Statistics of a sliding window over a ring of samples: the two-stack queue of summaries (Tangwongsan, Hirzel,
 * Schneider, "Low-Latency Sliding-Window Aggregation in Worst-Case Constant Time", DEBS 2017).
 *
 * The window is cut at a sequence number. For the older part, a summary of everything from a sample up to the cut
 * is kept by slot; the younger part has one running summary. An answer combines one of each. Nothing is ever
 * subtracted, so that an error cannot outlive the samples that caused it, however many came and went. The work is
 * done when somebody asks: each sample is taken in at most twice, and a push costs nothing here.
 */
export class WindowStatistics {
  readonly #samples: Float64Array;
  readonly #min: Float64Array;
  readonly #max: Float64Array;
  readonly #sum: Float64Array;
  readonly #carry: Float64Array;
  readonly #squares: Float64Array;
  /** Sequence number of the first sample of the younger part. */
  #cut = 0;
  /** Sequence number of the first sample that no summary knows yet. */
  #next = 0;
  #younger = empty();
  #copy: Float64Array | undefined;
  #order: OrderStatistics | undefined;
  #orderFrom = 0;
  #orderTo = 0;

  constructor(samples: Float64Array) {
    this.#samples = samples;
    this.#min = new Float64Array(samples.length);
    this.#max = new Float64Array(samples.length);
    this.#sum = new Float64Array(samples.length);
    this.#carry = new Float64Array(samples.length);
    this.#squares = new Float64Array(samples.length);
  }

  /** Summary of the samples [from, to), numbered since the start, the first of them in slot `head`; not empty. */
  summary(head: number, from: number, to: number): WindowSummary {
    if (from >= this.#cut) this.#moveCut(head, from, to);
    for (; this.#next < to; this.#next++)
      add(this.#younger, this.#samples[this.#slot(head, this.#next - from)]!);
    const older = {
      count: this.#cut - from,
      min: this.#min[head]!,
      max: this.#max[head]!,
      sum: this.#sum[head]!,
      carry: this.#carry[head]!,
      squares: this.#squares[head]!,
    };
    return this.#younger.count === 0 ? older : combine(older, this.#younger);
  }

  /** The order of the samples [from, to), not empty; valid until the next call. */
  order(head: number, from: number, to: number): OrderStatistics {
    if (this.#order !== undefined && this.#orderFrom === from && this.#orderTo === to) return this.#order;
    const count = to - from;
    this.#copy ??= new Float64Array(this.#samples.length);
    const straight = Math.min(count, this.#samples.length - head);
    this.#copy.set(this.#samples.subarray(head, head + straight));
    this.#copy.set(this.#samples.subarray(0, count - straight), straight);
    this.#order = new OrderStatistics(this.#copy.subarray(0, count));
    this.#orderFrom = from;
    this.#orderTo = to;
    return this.#order;
  }

  #slot(head: number, offset: number): number {
    const slot = head + offset;
    return slot < this.#samples.length ? slot : slot - this.#samples.length;
  }

  #moveCut(head: number, from: number, to: number): void {
    const running = empty();
    for (let offset = to - from - 1; offset >= 0; offset--) {
      const slot = this.#slot(head, offset);
      add(running, this.#samples[slot]!);
      this.#min[slot] = running.min;
      this.#max[slot] = running.max;
      this.#sum[slot] = running.sum;
      this.#carry[slot] = running.carry;
      this.#squares[slot] = running.squares;
    }
    this.#cut = to;
    this.#next = to;
    this.#younger = empty();
  }
}
