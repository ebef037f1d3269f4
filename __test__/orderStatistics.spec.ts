import fc from 'fast-check';
import { OrderStatistics } from '../dist/orderStatistics';

/** What it must agree with. */
const sorted = (samples: readonly number[]) => Float64Array.from(samples).sort();

const SIZE = 5_000;
const numbers = (sample: (index: number) => number) =>
  Array.from({ length: SIZE }, (_, index) => sample(index));

/** What a median of three divides worst (Musser, "Introspective Sorting and Selection Algorithms", 1997). */
function killer(): number[] {
  const half = SIZE / 2;
  return numbers((index) => {
    if (index >= half) return 2 * (index - half + 1);
    return index % 2 === 0 ? index + 1 : half + index + 1;
  });
}

describe('order statistics', () => {
  const RANKS = [0, 1, SIZE / 2, SIZE - 2, SIZE - 1];

  test.each<[string, number[]]>([
    ['in order', numbers((index) => index)],
    ['in order, backwards', numbers((index) => -index)],
    ['all the same', numbers(() => 7)],
    ['of two kinds', numbers((index) => index % 2)],
    ['up and down', numbers((index) => Math.min(index, SIZE - index))],
    ['in a saw', numbers((index) => index % 71)],
    ['that a median of three divides worst', killer()],
    ['zeros of both signs', numbers((index) => [0, -0, 1, -1][(index * 7) % 4]!)],
    ['infinite', numbers((index) => [Infinity, -Infinity, 0][index % 3]!)],
  ])('of samples %s', (_, samples) => {
    const expected = sorted(samples);
    const order = new OrderStatistics(Float64Array.from(samples));
    for (const rank of RANKS) expect(order.at(rank)).toBe(expected[rank]);
    for (let rank = 0; rank < SIZE; rank++) {
      if (!Object.is(order.at(rank), expected[rank])) throw new Error(`rank ${rank}: ${order.at(rank)}`);
    }
  });

  test('of any samples, asked for in any order', () => {
    const sample = fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: -3, max: 3 }), fc.constant(-0));
    const samples = fc.array(sample, { minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(samples, fc.array(fc.nat(), { minLength: 1 }), (all, asked) => {
        const expected = sorted(all);
        const order = new OrderStatistics(Float64Array.from(all));
        for (const number of asked) {
          const rank = number % all.length;
          expect(order.at(rank)).toBe(expected[rank]);
        }
      }),
    );
  });

  test('a NaN is all that is told', () => {
    const order = new OrderStatistics(Float64Array.of(3, Number.NaN, 1));
    expect([order.at(0), order.at(2)]).toEqual([Number.NaN, Number.NaN]);
  });
});
