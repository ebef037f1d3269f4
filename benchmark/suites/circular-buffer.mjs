import { timed } from '../harness/timed.mjs';

const SIZES = { '1k': 1000, '100k': 100_000 };
/** Fewer on the large one, where shift() of a plain array moves all that is left in it. */
const OPERATIONS = { '1k': 1_000_000, '100k': 50_000 };

/** A plain array held to a bound by hand. */
class ShiftedArray {
  #items = [];
  #capacity;

  constructor(capacity) {
    this.#capacity = capacity;
  }

  push(item) {
    if (this.#items.length === this.#capacity) {
      this.#items.shift();
    }
    this.#items.push(item);
  }

  shift() {
    return this.#items.shift();
  }
}

const overwrite = (operations, capacity) => (buffer) => {
  for (let i = 0; i < capacity; i++) {
    buffer.push(i);
  }
  return timed({
    operations,
    run() {
      for (let i = 0; i < operations; i++) {
        buffer.push(i);
      }
    },
    // The oldest one left; put back at the other end, the buffer stays full.
    check() {
      const oldest = buffer.shift();
      buffer.push(oldest);
      return oldest;
    },
  });
};

export const benchmarks = Object.keys(SIZES).map((size) => {
  const capacity = SIZES[size];
  const measure = overwrite(OPERATIONS[size], capacity);
  return {
    name: `circular-buffer/push-${size}`,
    question: `What does a push that overwrites the oldest item cost with a capacity of ${size}?`,
    metrics: { time: { unit: 'ns/op', better: 'lower' } },
    contestants: {
      keelson: async () => {
        const { CircularBuffer } = await import('keelson');
        return measure(new CircularBuffer(capacity));
      },
      'mnemonist CircularBuffer': async () => {
        const { CircularBuffer } = await import('mnemonist');
        return measure(new CircularBuffer(Array, capacity));
      },
      'array push and shift': () => measure(new ShiftedArray(capacity)),
    },
  };
});
