import { LoadForecast, type LoadForecastOptions } from 'keelson';
import { refused } from './support/errors';
import { generator } from './support/random';

/** Holt-Winters as the books write it, every state kept, without gaps. */
function reference(values: number[], { alpha, beta, gamma, phi, season }: Required<LoadForecastOptions>) {
  const m = season ?? 0;
  const first = season === undefined ? values.slice(0, 1) : values.slice(0, m);
  const level = [first.reduce((sum, value) => sum + value) / first.length];
  const trend = [0];
  const seasonal = season === undefined ? [] : first.map((value) => value - level[0]!);
  const errors: number[] = [];
  for (const y of values.slice(first.length)) {
    const [l, b] = [level.at(-1)!, trend.at(-1)!];
    const s = season === undefined ? 0 : seasonal.at(-m)!;
    errors.push(y - (l + phi * b + s));
    level.push(alpha * (y - s) + (1 - alpha) * (l + phi * b));
    trend.push(beta * (level.at(-1)! - l) + (1 - beta) * phi * b);
    if (season !== undefined) seasonal.push(gamma * (y - level.at(-1)!) + (1 - gamma) * s);
  }
  const forecast = (h: number): number => {
    let sum = level.at(-1)!;
    for (let j = 1; j <= h; j++) sum += phi ** j * trend.at(-1)!;
    return sum + (season === undefined ? 0 : seasonal[seasonal.length - m + ((h - 1) % m)]!);
  };
  /** Of Hyndman et al.'s table for this class of models, for an error of deviation 1. */
  const spread = (h: number): number => {
    let sum = 1;
    for (let j = 1; j < h; j++) {
      let damping = 0;
      for (let i = 1; i <= j; i++) damping += phi ** i;
      const again = season !== undefined && j % m === 0 ? gamma * (1 - alpha) : 0;
      sum += (alpha + alpha * beta * damping + again) ** 2;
    }
    return Math.sqrt(sum);
  };
  return { forecast, spread, errors };
}

function feed(forecast: LoadForecast, values: Iterable<number>): LoadForecast {
  for (const value of values) forecast.add(value);
  return forecast;
}

const near = (value: number) => expect.closeTo(value, 6);

describe('a forecast', () => {
  test.each([undefined, 2, 7])('is that of the recurrences, with a season of %p', (season) => {
    for (let seed = 0; seed < 200; seed++) {
      const random = generator(seed);
      const [alpha, beta, gamma, phi] = [random(), random(), random(), random()];
      const options = { alpha, beta, gamma, phi, season } as Required<LoadForecastOptions>;
      // Far from zero, where a forecast would be cut.
      const values = Array.from({ length: (season ?? 1) + Math.floor(9 * random()) }, () => 1e4 + random());
      const model = feed(new LoadForecast(options), values);
      const expected = reference(values, options);
      const deviation = Math.sqrt(
        expected.errors.reduce((sum, error) => sum + error ** 2, 0) / Math.max(1, expected.errors.length),
      );
      expect(model.ahead(15)).toEqual(
        Array.from({ length: 15 }, (_, step) => ({
          mean: near(expected.forecast(step + 1)),
          deviation: near(deviation * expected.spread(step + 1)),
        })),
      );
      expect(model.squaredError).toBeCloseTo(
        expected.errors.reduce((sum, error) => sum + error ** 2, 0),
        6,
      );
    }
  });

  test('knows nothing before a value, or a whole season', () => {
    const plain = new LoadForecast();
    expect([plain.ahead(3), plain.forecast(), plain.quantile(1, 0.5)]).toEqual([[], undefined, undefined]);
    expect(feed(plain, [5]).forecast(3)).toEqual({ mean: 5, deviation: 0 });
    const seasonal = feed(new LoadForecast({ season: 3 }), [1, 2]);
    expect(seasonal.forecast()).toBeUndefined();
    expect(feed(seasonal, [3]).ahead(4)).toEqual([1, 2, 3, 1].map((mean) => ({ mean, deviation: 0 })));
  });

  test('goes on over gaps as it was, and a gap is no value', () => {
    const model = feed(new LoadForecast({ season: 2 }), [10, 20, 12, 23, 13, 26]);
    const [, , third, fourth] = model.ahead(4);
    feed(model, [Number.NaN, Number.NaN]);
    expect(model.count).toBe(6);
    expect(model.ahead(2).map(({ mean }) => mean)).toEqual([near(third!.mean), near(fourth!.mean)]);
    // In the first season what is not known is its mean.
    const gappy = feed(new LoadForecast({ season: 3 }), [10, Number.NaN, 20]);
    expect(gappy.ahead(3).map(({ mean }) => mean)).toEqual([10, 15, 20]);
    expect(feed(new LoadForecast(), [Number.NaN, 7]).forecast()!.mean).toBe(7);
  });

  test('is never below nothing', () => {
    const falling = feed(new LoadForecast({ alpha: 1, beta: 1, phi: 1 }), [30, 20, 10]);
    expect(falling.ahead(3).map(({ mean }) => mean)).toEqual([0, 0, 0]);
    expect(falling.quantile(2, 0.01)).toBe(0);
  });

  test('its quantiles are those of the normal distribution', () => {
    const model = feed(new LoadForecast(), [100, 102, 99, 101, 100]);
    const { mean, deviation } = model.forecast()!;
    // From the tables.
    for (const [probability, z] of [
      [0.5, 0],
      [0.9, 1.2816],
      [0.95, 1.6449],
      [0.975, 1.96],
      [0.05, -1.6449],
      [0.999, 3.0902],
    ] as const) {
      const found = (model.quantile(1, probability)! - mean) / deviation;
      expect(Math.abs(found - z)).toBeLessThan(0.0006);
    }
  });

  test('of noise holds its promise: so many values are below the quantile', () => {
    const random = generator(3);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const model = new LoadForecast({ alpha: 0.05, beta: 0.01 });
    let [below, all] = [0, 0];
    for (let n = 0; n < 4000; n++) {
      const value = 1000 + 50 * normal();
      if (n > 500) {
        all++;
        below += value <= model.quantile(1, 0.9)! ? 1 : 0;
      }
      model.add(value);
    }
    expect(below / all).toBeGreaterThan(0.87);
    expect(below / all).toBeLessThan(0.93);
  });

  test('one jump does not count as what is usual', () => {
    const random = generator(4);
    const calm = feed(
      new LoadForecast(),
      Array.from({ length: 60 }, () => 100 + random()),
    );
    const before = calm.forecast()!.deviation;
    calm.add(5000);
    expect(calm.forecast()!.deviation).toBeLessThan(1.1 * before);
  });

  test('a clone goes on by itself', () => {
    const model = feed(new LoadForecast({ season: 2 }), [1, 2, 3, 5]);
    const clone = model.clone();
    expect(clone.ahead(5)).toEqual(model.ahead(5));
    clone.add(50);
    expect(clone.forecast()).not.toEqual(model.forecast());
    expect(feed(model, [50]).ahead(5)).toEqual(clone.ahead(5));
  });

  test('a fit has less error than what it could have been given, and is always the same', () => {
    for (const season of [undefined, 12]) {
      const random = generator(7);
      const values = Array.from(
        { length: 240 },
        (_, n) => 500 + n + (season ? 100 * Math.sin((n * Math.PI) / 6) : 0) + 20 * random(),
      );
      const fitted = LoadForecast.fit(values, { season });
      expect(LoadForecast.fit(values, { season }).parameters).toEqual(fitted.parameters);
      expect(fitted.count).toBe(240);
      for (let n = 0; n < 30; n++) {
        const other = {
          alpha: 0.2 + 0.79 * random(),
          beta: 0.02 + 0.58 * random(),
          gamma: 0.6 * random(),
          phi: 0.8 + 0.18 * random(),
        };
        const given = feed(new LoadForecast({ ...other, season }), values);
        expect(fitted.squaredError).toBeLessThanOrEqual(1.02 * given.squaredError);
      }
    }
  });

  test.each<[string, () => unknown, string]>([
    ['a name', () => new LoadForecast({ delta: 1 } as any), 'delta'],
    ['a parameter', () => new LoadForecast({ alpha: 1.5 }), 'alpha'],
    ['a season', () => new LoadForecast({ season: 1 }), 'season'],
    ['a negative load', () => new LoadForecast().add(-1), 'value'],
    ['an endless load', () => new LoadForecast().add(Number.POSITIVE_INFINITY), 'value'],
    ['no number', () => new LoadForecast().add('1' as any), 'value'],
    ['steps', () => new LoadForecast().ahead(0), 'steps'],
    ['a quantile', () => new LoadForecast().quantile(1, 1), 'quantile'],
    ['no values', () => LoadForecast.fit([]), 'values'],
    ['values with a bad one', () => LoadForecast.fit([1, -1]), 'value'],
  ])('refuses %s', (_what, call, told) => {
    expect(call).toThrow(refused(told));
  });
});
