import fc from 'fast-check';
import { CircularBuffer, InvalidArgumentError } from 'keelson';

/** A buffer over numbers, filled with them in order. */
function filled(capacity: number, samples: readonly number[]): CircularBuffer<number> {
  const buffer = new CircularBuffer<number>(capacity, { storage: 'float64' });
  for (const sample of samples) buffer.push(sample);
  return buffer;
}

describe('construction', () => {
  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32, 2 ** 53, '3', null, undefined, {}])(
    'capacity %p is refused',
    (capacity) => {
      expect(() => new CircularBuffer(capacity as number)).toThrow(
        expect.objectContaining({
          code: 'ERR_KEELSON_INVALID_ARGUMENT',
          message: expect.stringContaining('"capacity"'),
        }) as Error,
      );
    },
  );

  test('the longest array is an accepted capacity, and costs nothing until it fills', () => {
    const buffer = new CircularBuffer<number>(2 ** 32 - 1);
    buffer.push(1);
    expect(buffer.capacity).toBe(4_294_967_295);
    expect(buffer.isFull()).toBe(false);
  });

  test('options of an unknown name or value are refused', () => {
    const make = (options: unknown) => () => new CircularBuffer<number>(1, options as object);
    expect(make({ store: 'float64' })).toThrow('"options.store" is not an option');
    expect(make({ storage: 'float32' })).toThrow('"options.storage"');
    expect(make(null)).toThrow(InvalidArgumentError);
    expect(make([])).toThrow(InvalidArgumentError);
  });
});

/** The plainest model there is: an array, a limit and a count. */
class Model<T> {
  items: T[] = [];
  overwritten = 0;

  constructor(readonly capacity: number) {}

  push(item: T): void {
    this.items.push(item);
    if (this.items.length > this.capacity) {
      this.items.shift();
      this.overwritten++;
    }
  }
}

type Step = { op: 'push'; value: number } | { op: 'shift' } | { op: 'clear' } | { op: 'ask' };

const steps = (value: fc.Arbitrary<number>) =>
  fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.record({ op: fc.constant('push' as const), value }) },
      { weight: 3, arbitrary: fc.constant<Step>({ op: 'shift' }) },
      { weight: 2, arbitrary: fc.constant<Step>({ op: 'ask' }) },
      { weight: 1, arbitrary: fc.constant<Step>({ op: 'clear' }) },
    ),
    { maxLength: 120 },
  );

/** Runs the steps on both; `check` is called at each 'ask' and at the end. */
function replay(
  buffer: CircularBuffer<number>,
  taken: readonly Step[],
  check: (model: Model<number>) => void,
): void {
  const model = new Model<number>(buffer.capacity);
  for (const step of taken) {
    if (step.op === 'push') {
      buffer.push(step.value);
      model.push(step.value);
    } else if (step.op === 'shift') {
      expect(buffer.shift()).toBe(model.items.shift());
    } else if (step.op === 'clear') {
      buffer.clear();
      model.items = [];
      model.overwritten = 0;
    } else {
      check(model);
    }
  }
  check(model);
}

describe.each(['array', 'float64'] as const)('%s storage against an array', (storage) => {
  test('any sequence of operations', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), steps(fc.double()), (capacity, taken) => {
        const buffer = new CircularBuffer<number>(capacity, { storage });
        replay(buffer, taken, ({ items, overwritten }) => {
          expect(buffer.getAll()).toStrictEqual(items);
          expect(buffer.toArray()).toStrictEqual(items);
          expect([...buffer]).toStrictEqual(items);
          expect(buffer.getLength()).toBe(items.length);
          expect(buffer.isFull()).toBe(items.length === capacity);
          expect(buffer.peek()).toBe(items[0]);
          expect(buffer.overwritten).toBe(overwritten);
          for (let index = -capacity - 1; index <= capacity + 1; index += 0.5) {
            expect(buffer.at(index)).toBe(items.at(index));
          }
          expect(buffer.at(Number.NaN)).toBe(items.at(Number.NaN));
          expect(buffer.at(Number.POSITIVE_INFINITY)).toBeUndefined();
        });
      }),
    );
  });

  test('a mutation in the middle of an iteration never repeats, loses or invents an element', () => {
    const actions = fc.array(fc.array(fc.constantFrom('push', 'shift', 'clear'), { maxLength: 4 }));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(10), actions, (capacity, before, script) => {
        const buffer = new CircularBuffer<number>(capacity, { storage });
        let next = 0;
        for (; next < before; next++) buffer.push(next);
        const present = buffer.getAll();
        const visited: number[] = [];
        let turn = 0;
        for (const item of buffer) {
          visited.push(item);
          for (const action of script[turn++] ?? []) {
            if (action === 'push') buffer.push(next++);
            else if (action === 'shift') buffer.shift();
            else buffer.clear();
          }
          // What comes next is the oldest of those present at the start that is neither gone nor visited.
          const rest = buffer.getAll().filter((left) => left > item && present.includes(left));
          expect(present.slice(present.indexOf(item) + 1)).toEqual(expect.arrayContaining(rest));
        }
        expect(visited).toEqual([...new Set(visited)].sort((a, b) => a - b));
        expect(present).toEqual(expect.arrayContaining(visited));
        for (const left of buffer.getAll()) expect(visited.includes(left)).toBe(present.includes(left));
      }),
    );
  });
});

test('pushing for every element visited ends', () => {
  const buffer = new CircularBuffer<number>(4);
  for (const item of [1, 2, 3]) buffer.push(item);
  const visited: number[] = [];
  for (const item of buffer) {
    visited.push(item);
    buffer.push(item * 10);
  }
  // The second push found the buffer full and overwrote 1, the third 2; both had had their turn.
  expect(visited).toEqual([1, 2, 3]);
  expect(buffer.getAll()).toEqual([3, 10, 20, 30]);
});

test('undefined, null and NaN are elements like any other', () => {
  const buffer = new CircularBuffer<unknown>(3);
  for (const item of [undefined, null, Number.NaN]) buffer.push(item);
  expect(buffer.getAll()).toStrictEqual([undefined, null, Number.NaN]);
  expect(buffer.shift()).toBeUndefined();
  expect(buffer.getLength()).toBe(2);
});

test('values come back by reference, arrays unflattened', () => {
  const value = [1, [2]];
  const buffer = new CircularBuffer<typeof value>(1);
  buffer.push(value);
  expect(buffer.getAll()[0]).toBe(value);
  expect(buffer.shift()).toBe(value);
});

/**
 * A queue of the greatest capacity that was always short took a slot further for every element that went through,
 * as its ring was as long as its capacity: a service that pushed and shifted for days ran out of memory.
 */
describe('memory goes by what is held at once, not by what goes through', () => {
  test.each([
    ['drains', 0],
    ['never drains', 3],
  ])('in a queue that %s', async (_name, standing) => {
    const { setFlagsFromString } = await import('node:v8');
    const { runInNewContext } = await import('node:vm');
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const buffer = new CircularBuffer<number>(2 ** 32 - 1);
    for (let count = 0; count < standing; count++) buffer.push(count);
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let count = 0; count < 3e6; count++) {
      buffer.push(count);
      buffer.shift();
    }
    collect();
    // A slot for each would be 24 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(6e6);
    expect(buffer.getLength()).toBe(standing);
  });

  test('and growing at any turn of the ring keeps the order', () => {
    const moves = fc.array(fc.tuple(fc.integer({ min: 0, max: 90 }), fc.integer({ min: 0, max: 90 })), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 150 }), moves, (capacity, taken) => {
        const [buffer, model] = [new CircularBuffer<number>(capacity), new Model<number>(capacity)];
        let next = 0;
        for (const [pushes, shifts] of taken) {
          for (let count = 0; count < pushes; count++) {
            buffer.push(next);
            model.push(next++);
          }
          for (let count = 0; count < shifts; count++) expect(buffer.shift()).toBe(model.items.shift());
          expect(buffer.getAll()).toStrictEqual(model.items);
          expect(buffer.overwritten).toBe(model.overwritten);
          expect(buffer.isFull()).toBe(model.items.length === capacity);
        }
      }),
    );
  });
});

/** Whether a value that only `keep` could still hold is gone after a garbage collection. */
async function isCollected(make: (value: object) => unknown): Promise<boolean> {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let keep: unknown;
  const watch = (() => {
    const value = { payload: 'x'.repeat(100) };
    keep = make(value);
    return new WeakRef(value);
  })();
  // A WeakRef keeps its target until the current job is over.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  return watch.deref() === undefined && keep !== undefined;
}

describe('a slot that is given up keeps nothing alive', () => {
  test.each<[string, (buffer: CircularBuffer<object>) => void]>([
    ['shift', (buffer) => buffer.shift()],
    [
      'overwriting',
      (buffer) => {
        for (let count = 0; count < 3; count++) buffer.push({});
      },
    ],
    ['clear', (buffer) => buffer.clear()],
  ])('%s', async (_name, release) => {
    const fill = (value: object) => {
      const buffer = new CircularBuffer<object>(3);
      buffer.push(value);
      return buffer;
    };
    expect(await isCollected((value) => fill(value))).toBe(false);
    const released = (value: object) => {
      const buffer = fill(value);
      release(buffer);
      return buffer;
    };
    expect(await isCollected(released)).toBe(true);
  });
});

/** Two passes and a sort: what the statistics must agree with. */
function naive(items: readonly number[]) {
  const mean = items.reduce((sum, item) => sum + item, 0) / items.length;
  const variance = items.reduce((sum, item) => sum + (item - mean) ** 2, 0) / items.length;
  const sorted = [...items].sort((a, b) => a - b);
  const rank = (p: number) => sorted.findIndex((_, index) => (index + 1) * 100 >= p * items.length);
  return { mean, variance, percentile: (p: number) => sorted[rank(p)] };
}

describe('statistics', () => {
  test('agree with a naive oracle after any sequence of operations', () => {
    const value = fc.integer({ min: -1e6, max: 1e6 }).map((n) => n / 64);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), steps(value), (capacity, taken) => {
        const buffer = filled(capacity, []);
        replay(buffer, taken, ({ items }) => {
          if (items.length === 0) {
            const all = [buffer.min(), buffer.max(), buffer.mean(), buffer.variance(), buffer.stddev()];
            expect([...all, buffer.percentile(50)]).toEqual(Array(6).fill(undefined));
            return;
          }
          const oracle = naive(items);
          expect(buffer.min()).toBe(Math.min(...items));
          expect(buffer.max()).toBe(Math.max(...items));
          // Multiples of 1/64 add up without rounding, so these must be the same to the last bit.
          expect(buffer.mean()).toBe(oracle.mean);
          expect(buffer.variance()! - oracle.variance).toBeLessThanOrEqual(1e-12 * (1 + oracle.variance));
          expect(oracle.variance - buffer.variance()!).toBeLessThanOrEqual(1e-12 * (1 + oracle.variance));
          expect(buffer.stddev()).toBe(Math.sqrt(buffer.variance()!));
          for (const p of [0, 1, 7, 25, 50, 75, 90, 99, 100]) {
            expect(buffer.percentile(p)).toBe(oracle.percentile(p));
          }
        });
      }),
    );
  });

  test('do not drift over two million samples, some of them 1e15 times larger', () => {
    const buffer = filled(1_000, []);
    let state = 1;
    for (let index = 0; index < 2_000_000; index++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      buffer.push(index % 4_999 === 0 && index < 1_998_000 ? 1e15 : state / 0x7fffffff);
      // Often enough that summaries go on from one another, and seldom enough that they start afresh.
      if (index % 6_000 < 900 && index % 300 === 0) buffer.mean();
    }
    const oracle = naive(buffer.getAll());
    expect(buffer.mean()).toBeCloseTo(oracle.mean, 13);
    expect(buffer.variance()).toBeCloseTo(oracle.variance, 13);
  });

  test('a large offset does not swallow the variance', () => {
    const buffer = filled(4, [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]);
    expect(buffer.mean()).toBe(1e9 + 10);
    expect(buffer.variance()).toBe(22.5);
  });

  test('a NaN shows in every statistic until it leaves', () => {
    const buffer = filled(2, [1, Number.NaN]);
    const all = () => [buffer.min(), buffer.max(), buffer.mean(), buffer.variance(), buffer.percentile(0)];
    expect(all()).toEqual(Array(5).fill(Number.NaN));
    buffer.push(3);
    expect(all()).toEqual(Array(5).fill(Number.NaN));
    buffer.push(5);
    expect(all()).toEqual([3, 5, 4, 1, 3]);
  });

  test('infinities leave no trace either', () => {
    const buffer = filled(2, [Number.POSITIVE_INFINITY, 1]);
    expect([buffer.mean(), buffer.max(), buffer.min()]).toEqual([Infinity, Infinity, 1]);
    expect(buffer.variance()).toBeNaN();
    buffer.push(3);
    expect([buffer.mean(), buffer.variance()]).toEqual([2, 1]);
  });

  test('a rank that is whole does not slip by a rounding error', () => {
    const buffer = filled(
      1_000,
      Array.from({ length: 1_000 }, (_, index) => index + 1),
    );
    for (let tenth = 1; tenth <= 1_000; tenth++) expect(buffer.percentile(tenth / 10)).toBe(tenth);
  });

  test.each([-0.1, 100.1, Number.NaN, '50', undefined, null])('percentile(%p) is refused', (p) => {
    expect(() => filled(3, [1]).percentile(p as number)).toThrow(InvalidArgumentError);
  });

  test('need float64 storage, which takes numbers alone', () => {
    const plain = new CircularBuffer<number>(2);
    for (const ask of ['min', 'max', 'mean', 'variance', 'stddev'] as const) {
      expect(() => plain[ask]()).toThrow("{ storage: 'float64' }");
    }
    expect(() => plain.percentile(50)).toThrow(InvalidArgumentError);
    const typed = filled(2, [1]);
    expect(() => typed.push('2' as unknown as number)).toThrow(InvalidArgumentError);
    expect(typed.getAll()).toEqual([1]);
  });
});

test('the types know which buffers have statistics', () => {
  const check = (words: CircularBuffer<string>) => {
    // @ts-expect-error words have no mean
    words.mean();
    // @ts-expect-error a Float64Array holds no words
    new CircularBuffer<string>(1, { storage: 'float64' });
  };
  expect(() => check(new CircularBuffer<string>(1))).toThrow(InvalidArgumentError);
});
