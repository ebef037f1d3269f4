/** The part of hdr-histogram-js that is used here. */
export interface Hdr {
  build(options: {
    lowestDiscernibleValue: number;
    highestTrackableValue: number;
    numberOfSignificantValueDigits: number;
  }): HdrHistogram;
  encodeIntoCompressedBase64(histogram: HdrHistogram): string;
  decodeFromCompressedBase64(text: string): HdrHistogram;
}

interface HdrHistogram {
  readonly totalCount: number;
  readonly maxValue: number;
  recordValue(value: number): void;
  getValueAtPercentile(percentile: number): number;
  add(other: HdrHistogram): void;
}

/** Milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Of microseconds, up to an hour, with three significant digits. */
const RANGE = {
  lowestDiscernibleValue: 1,
  highestTrackableValue: 3_600_000_000,
  numberOfSignificantValueDigits: 3,
};

/** An HDR histogram of milliseconds. */
export class Latencies {
  readonly #hdr: Hdr;
  readonly #histogram: HdrHistogram;

  constructor(hdr: Hdr) {
    this.#hdr = hdr;
    this.#histogram = hdr.build(RANGE);
  }

  record(milliseconds: number): void {
    const value = Math.round(milliseconds * 1000);
    this.#histogram.recordValue(Math.min(RANGE.highestTrackableValue, Math.max(1, value)));
  }

  /** Adds what another process has recorded. */
  merge(encoded: string): void {
    this.#histogram.add(this.#hdr.decodeFromCompressedBase64(encoded));
  }

  encode(): string {
    return this.#hdr.encodeIntoCompressedBase64(this.#histogram);
  }

  /** Null if nothing was recorded. */
  percentiles(): Percentiles | null {
    if (this.#histogram.totalCount === 0) return null;
    const at = (percentile: number) => this.#histogram.getValueAtPercentile(percentile) / 1000;
    return { p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: this.#histogram.maxValue / 1000 };
  }
}
