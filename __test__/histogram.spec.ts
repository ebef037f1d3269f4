import * as fc from 'fast-check';
import { Histogram } from '../dist/histogram';

/** The plainest percentile: nearest rank in a sorted list. */
function exact(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(Number(((p * values.length) / 100).toPrecision(12)))) - 1]!;
}

function filled(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

test('says 0 of nothing', () => {
  expect(new Histogram().summary()).toStrictEqual({
    count: 0,
    p50: 0,
    p90: 0,
    p99: 0,
    p999: 0,
    max: 0,
    mean: 0,
  });
  expect(new Histogram().min).toBe(0);
});

test('percentiles are within 1/32, or 1 us, of those of a sorted list', () => {
  const duration = fc.oneof(
    fc.double({ min: 0, max: 0.02, noNaN: true }),
    fc.double({ min: 0, max: 50, noNaN: true }),
    fc.double({ min: 0, max: 268_000, noNaN: true }),
  );
  const property = fc.property(fc.array(duration, { minLength: 1, maxLength: 300 }), (values) => {
    const histogram = filled(values);
    for (const p of [0, 1, 25, 50, 90, 99, 99.9, 100]) {
      const wanted = exact(values, p);
      expect(Math.abs(histogram.percentile(p) - wanted)).toBeLessThanOrEqual(
        Math.max(wanted / 32, 0.001) * 1.0001,
      );
    }
    expect(histogram.max).toBe(Math.max(...values));
    expect(histogram.min).toBe(Math.min(...values));
    expect(histogram.count).toBe(values.length);
    const sum = values.reduce((total, value) => total + value, 0);
    expect(histogram.mean).toBeCloseTo(sum / values.length, 6);
  });
  fc.assert(property, { numRuns: 300 });
});

test('every power of two and its neighbours lie in a bucket of their own size', () => {
  for (let bits = 0; bits < 28; bits++) {
    for (const microseconds of [2 ** bits - 1, 2 ** bits, 2 ** bits + 1]) {
      const histogram = filled([microseconds / 1000, microseconds / 1000, 1e9]);
      const error = Math.abs(histogram.percentile(50) * 1000 - microseconds);
      expect(error).toBeLessThanOrEqual(Math.max(1, microseconds / 32));
    }
  }
});

test('what is longer than 268 s counts, and its percentile is the maximum', () => {
  const histogram = filled([1, 300_000, 400_000, Number.MAX_VALUE]);
  expect(histogram.percentile(50)).toBe(Number.MAX_VALUE);
  expect(histogram.percentile(25)).toBeCloseTo(1, 1);
  expect(filled([Number.POSITIVE_INFINITY]).percentile(99)).toBe(Number.POSITIVE_INFINITY);
});

test('a clock that was set back counts as no time, and NaN not at all', () => {
  const histogram = filled([-5, Number.NaN, -0]);
  expect(histogram.summary()).toMatchObject({ count: 2, max: 0, p50: 0, mean: 0 });
});

test('a rank that rounding puts above itself stays where it is', () => {
  // 99.9 % of 41,000 come out as 40,959.00000000001.
  const histogram = filled(Array.from({ length: 41_000 }, (_, n) => (n < 40_959 ? 1 : 1000)));
  expect(histogram.percentile(99.9)).toBeCloseTo(1, 1);
});

test('reset forgets everything', () => {
  const histogram = filled([1, 2, 3]);
  histogram.reset();
  expect(histogram.summary()).toStrictEqual(new Histogram().summary());
  histogram.record(5);
  expect(histogram.min).toBe(5);
  expect(histogram.percentile(50)).toBe(5);
});

test('a percentile is a number from 0 to 100', () => {
  for (const p of [-1, 100.1, Number.NaN, '50', undefined]) {
    expect(() => new Histogram().percentile(p as number)).toThrow(
      expect.objectContaining({ code: 'ERR_KEELSON_INVALID_ARGUMENT' }),
    );
  }
});
