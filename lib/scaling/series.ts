/** Loads by the number of their interval, of the latest `size` intervals. What is not known is NaN. */
export class Series {
  readonly #values: Float64Array;
  /** One beyond the latest. */
  #end = Number.NEGATIVE_INFINITY;

  constructor(readonly size: number) {
    this.#values = new Float64Array(size).fill(Number.NaN);
  }

  get(interval: number): number {
    const isKept = interval < this.#end && interval >= Math.max(0, this.#end - this.size);
    return isKept ? this.#values[interval % this.size]! : Number.NaN;
  }

  set(interval: number, load: number): void {
    if (interval < this.#end - this.size) return;
    // What was passed over is not known.
    const from = Math.max(this.#end, interval - this.size + 1, 0);
    for (let passed = from; passed < interval; passed++) this.#values[passed % this.size] = Number.NaN;
    this.#end = Math.max(this.#end, interval + 1);
    this.#values[interval % this.size] = load;
  }

  /** Forgets what is from an interval on: a clock was set back. */
  cut(interval: number): void {
    for (let gone = Math.max(interval, this.#end - this.size, 0); gone < this.#end; gone++) {
      this.#values[gone % this.size] = Number.NaN;
    }
    this.#end = Math.min(this.#end, interval);
  }

  /** The values of [from, to). */
  slice(from: number, to: number): Float64Array {
    return Float64Array.from({ length: Math.max(0, to - from) }, (_, index) => this.get(from + index));
  }
}
