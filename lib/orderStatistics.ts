/** A block of no more samples than these is sorted: that is as fast as to divide it further. */
const FEW = 64;
/** What a question may look at, in multiples of all samples, before it sorts what is left: no order of samples makes it slow. */
const PATIENCE = 6;

/**
 * Answers which sample has a rank, without sorting all: quickselect (Hoare, "Algorithm 65: Find", CACM 1961), with the median of
 * three as pivot. What a question has divided stays so for the next ones, so that many questions cost no more than to sort.
 */
export class OrderStatistics {
  /** In blocks, none of which has a sample above one of the next block. */
  readonly #samples: Float64Array;
  /** Where blocks begin, in order. */
  readonly #starts = [0];
  /** Which blocks are in order inside, too; by number. */
  readonly #sorted = [false];
  readonly #hasNaN: boolean;

  /** @param samples are moved about, and belong to this from now on; not empty */
  constructor(samples: Float64Array) {
    this.#samples = samples;
    this.#hasNaN = hasNaN(samples);
  }

  /**
   * The sample that `rank` others precede in ascending order; NaN if there is one among the samples.
   * @param rank from 0 to one less than the number of samples
   */
  at(rank: number): number {
    if (this.#hasNaN) return Number.NaN;
    let left = PATIENCE * this.#samples.length;
    for (;;) {
      const block = this.#blockOf(rank);
      const [start, end] = [this.#starts[block]!, this.#starts[block + 1] ?? this.#samples.length];
      if (this.#sorted[block]) break;
      left -= end - start;
      if (end - start <= FEW || left < 0) {
        this.#samples.subarray(start, end).sort();
        this.#sorted[block] = true;
      } else {
        this.#starts.splice(block + 1, 0, this.#divide(start, end));
        this.#sorted.splice(block + 1, 0, false);
      }
    }
    const sample = this.#samples[rank]!;
    return sample === 0 ? this.#zero(rank) : sample;
  }

  /** The number of the block that a rank falls into. */
  #blockOf(rank: number): number {
    let [low, high] = [0, this.#starts.length];
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle]! <= rank) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Hoare's partition of a block; returns where the second part begins, which neither part is empty without. */
  #divide(start: number, end: number): number {
    const samples = this.#samples;
    const pivot = median(samples[start]!, samples[(start + end) >>> 1]!, samples[end - 1]!);
    let [low, high] = [start - 1, end];
    for (;;) {
      do low++;
      while (samples[low]! < pivot);
      do high--;
      while (samples[high]! > pivot);
      if (low >= high) break;
      const higher = samples[low]!;
      samples[low] = samples[high]!;
      samples[high] = higher;
    }
    // All the same to the end of the block: the last one is a part of its own.
    return Math.min(high + 1, end - 1);
  }

  /** Sorting puts -0 before 0, which no comparison tells apart. */
  #zero(rank: number): number {
    const before = this.#samples.reduce(
      (count, one) => (one < 0 || Object.is(one, -0) ? count + 1 : count),
      0,
    );
    return rank < before ? -0 : 0;
  }
}

/** A loop: `some` would call a function for each. */
function hasNaN(samples: Float64Array): boolean {
  for (let index = 0; index < samples.length; index++) if (Number.isNaN(samples[index])) return true;
  return false;
}

function median(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
