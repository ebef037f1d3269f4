import { LoadForecast, type LoadForecastOptions, Scaling, type ScalingOptions } from 'keelson';
import { type PlanSettings, settingsOf } from '../dist/scaling/options';
import { Planner } from '../dist/scaling/plan';
import { Series } from '../dist/scaling/series';
import { refused } from './support/errors';
import { evaluate } from './support/process';
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

const GIVEN = { name: 'x', capacity: 10, target: 0.5, max: 100, interval: 1000, horizon: 3000 };
const settings = (more: Partial<ScalingOptions> = {}): PlanSettings =>
  settingsOf({ ...GIVEN, stabilization: 5000, ...more }).plan;

/** The plans after each load. */
function plans(loads: number[], planSettings = settings(), begin = 1_000_000) {
  const planner = new Planner(planSettings);
  const series = new Series(planner.reach);
  return loads.map((load, index) => {
    if (!Number.isNaN(load)) series.set(begin + index, load);
    return planner.plan(series, begin + index + 1);
  });
}
const replicas = (found: ReturnType<typeof plans>) => found.map((plan) => plan?.replicas);
const constant = (load: number, count: number) => Array<number>(count).fill(load);

describe('a plan', () => {
  test('is what the load needs before there is history, between min and max', () => {
    const found = plans([0, 4.9, 5, 5.1, 26, 9999], settings({ min: 1, max: 50, stabilization: 0 }));
    expect(replicas(found)).toEqual([1, 1, 1, 2, 6, 50]);
    expect(found[3]).toEqual({ replicas: 2, load: 5.1, forecast: 5.1, quantile: 5.1, isWarm: false });
    expect(replicas(plans([0, 1], settings({ min: 0 })))).toEqual([0, 1]);
  });

  test('goes down only after the stabilization', () => {
    const found = replicas(plans([50, 5, 5, 5, 5, 5, 5, 5]));
    expect(found).toEqual([10, 10, 10, 10, 10, 10, 1, 1]);
    // Each plan that is higher begins it anew.
    expect(replicas(plans([50, 5, 5, 30, 5, 5, 5, 5, 5, 5]))).toEqual([10, 10, 10, 10, 10, 10, 6, 6, 6, 1]);
  });

  test('nothing is below the stabilization, nor what the load needs, whatever comes, across fits too', () => {
    for (let seed = 0; seed < 3; seed++) {
      const random = generator(seed);
      let load = 100;
      const loads = Array.from({ length: 250 }, () => {
        load = Math.max(0, load + 60 * (random() - 0.5) + (random() < 0.02 ? 200 : 0) - load * 0.02);
        return random() < 0.05 ? Number.NaN : load;
      });
      const found = plans(loads, settings({ max: 1000 }));
      let known = 0;
      for (const [index, plan] of found.entries()) {
        if (!Number.isNaN(loads[index]!)) known = loads[index]!;
        expect(plan!.replicas).toBeGreaterThanOrEqual(Math.max(1, Math.ceil(known / 5 - 1e-9)));
        const before = found[index - 1]?.replicas ?? 0;
        // What falls has not been asked for in any interval of the stabilization.
        if (plan!.replicas < before) {
          const since = found.slice(Math.max(0, index - 5), index).map((one) => one!.replicas);
          expect(Math.min(...since)).toBeGreaterThanOrEqual(before);
        }
      }
    }
  });

  test('sees a ramp coming', () => {
    const loads = [...constant(100, 60), ...Array.from({ length: 30 }, (_, n) => 100 + 10 * n)];
    const found = plans(loads, settings({ max: 1000 }));
    const last = found.at(-1)!;
    expect(last.isWarm).toBe(true);
    // It is read at the end of the 90th interval; the replicas are of use three later.
    expect(last.forecast).toBeGreaterThan(390 + 20);
    expect(last.quantile).toBeGreaterThanOrEqual(last.forecast);
    expect(last.replicas).toBeGreaterThan(Math.ceil(390 / 5));
    expect(last.replicas).toBeLessThan(Math.ceil(600 / 5));
  });

  test('knows from the season before what comes, which the load does not show yet', () => {
    const season = 20;
    const shape = (n: number) => (n % season < 10 ? 50 : 200);
    const loads = Array.from({ length: 5 * season + 9 }, (_, n) => shape(n));
    const found = plans(loads, settings({ season: season * 1000, stabilization: 0 }));
    // Two intervals before the load goes up, three before a replica is of use.
    expect(found[4 * season + 7]).toMatchObject({ load: 50, isWarm: true, replicas: 40 });
    expect(found[4 * season + 2]!.replicas).toBe(10);
    expect(found[season + 7]).toMatchObject({ isWarm: false, replicas: 10 });
  });

  test('a load is the present one for three intervals, and then unknown', () => {
    const gap = Number.NaN;
    expect(replicas(plans([50, gap, gap, gap, gap, 5], settings({ stabilization: 0 })))).toEqual([
      10,
      10,
      10,
      undefined,
      undefined,
      1,
    ]);
  });

  test('is the same for who was there from the beginning and for who comes late', () => {
    for (const season of [undefined, 50_000]) {
      const random = generator(11);
      const loads = Array.from({ length: 700 }, (_, n) => 200 + 100 * Math.sin(n / 8) + 30 * random());
      const planSettings = settings({ season, max: 1000 });
      const found = plans(loads, planSettings);
      for (const end of [500, 601, 700]) {
        const planner = new Planner(planSettings);
        const series = new Series(planner.reach);
        for (let n = Math.max(0, end - planner.reach); n < end; n++) series.set(1_000_000 + n, loads[n]!);
        expect(planner.plan(series, 1_000_000 + end)).toEqual(found[end - 1]);
      }
    }
  });

  test('a clock that is set back has its loads anew', () => {
    const planner = new Planner(settings({ stabilization: 0 }));
    const series = new Series(planner.reach);
    for (let n = 0; n < 100; n++) series.set(5000 + n, 100);
    expect(planner.plan(series, 5100)!.replicas).toBe(20);
    series.cut(4000);
    expect(planner.plan(series, 5100)).toBeUndefined();
    series.set(4000, 10);
    expect(planner.plan(series, 4001)!.replicas).toBe(2);
  });

  test('a clock that is set back a little leaves nothing of the loads that were', () => {
    const planner = new Planner(settings({ stabilization: 0, max: 1000 }));
    const other = new Planner(settings({ stabilization: 0, max: 1000 }));
    const series = new Series(planner.reach);
    // All within one epoch, whose forecast goes on from where it was.
    for (let n = 0; n < 95; n++) series.set(5000 + n, 100 + n);
    planner.plan(series, 5095);
    series.cut(5060);
    for (let n = 5060; n < 5080; n++) series.set(n, 300 - (n % 7));
    expect(planner.plan(series, 5080)).toEqual(other.plan(series, 5080));
  });
});

test('a series keeps the latest, and knows what it does not know', () => {
  const series = new Series(4);
  for (const [interval, load] of [
    [10, 1],
    [11, 2],
    [13, 4],
  ] as const)
    series.set(interval, load);
  expect([...series.slice(9, 15)]).toEqual([Number.NaN, 1, 2, Number.NaN, 4, Number.NaN]);
  series.set(12, 3);
  series.set(14, 5);
  series.set(5, 9);
  expect([...series.slice(10, 15)]).toEqual([Number.NaN, 2, 3, 4, 5]);
  series.cut(13);
  expect([...series.slice(11, 15)]).toEqual([2, 3, Number.NaN, Number.NaN]);
  series.set(1e9, 1);
  expect([...series.slice(11, 15)]).toEqual(constant(Number.NaN, 4));
});

describe('a process by itself', () => {
  let scaling: Scaling;
  beforeEach(() => {
    jest.useFakeTimers({ now: 1_700_000_000_500 });
  });
  afterEach(async () => {
    await scaling.close();
    jest.useRealTimers();
  });
  const make = (more: Partial<ScalingOptions> = {}) => {
    scaling = new Scaling({ ...GIVEN, stabilization: 0, ...more });
    return scaling;
  };

  test('counts requests a second', () => {
    make();
    expect(scaling.recommendation()).toBeUndefined();
    scaling.record();
    scaling.record(13);
    scaling.record(0);
    jest.advanceTimersByTime(1000);
    const found = scaling.recommendation()!;
    // 14 within 500 to 600 ms, as far as the first interval was still to go and the phase goes.
    expect(found.load).toBeGreaterThanOrEqual(14 / 0.602);
    expect(found.load).toBeLessThanOrEqual(14 / 0.5);
    expect(found).toEqual({
      replicas: Math.ceil(found.load / 5),
      load: found.load,
      forecast: found.load,
      quantile: found.load,
      isWarm: false,
      capacity: 10,
      at: 1_700_000_001_000,
      source: 'own',
    });
    jest.advanceTimersByTime(1000);
    expect(scaling.recommendation()).toMatchObject({ load: 0, replicas: 1, at: 1_700_000_002_000 });
  });

  test('a wall clock that is set anew changes nothing', () => {
    make();
    scaling.gauge(() => 50);
    jest.advanceTimersByTime(2000);
    expect(scaling.recommendation()!.replicas).toBe(10);
    for (const jump of [-86_400_000, 86_400_000 * 300]) {
      jest.setSystemTime(1_700_000_002_500 + jump);
      jest.advanceTimersByTime(1000);
      expect(scaling.recommendation()).toMatchObject({ replicas: 10 });
    }
    expect(scaling.recommendation()!.at).toBe(1_700_000_004_000);
  });

  test('a gauge that throws or gives no load leaves a gap, and is counted', () => {
    make();
    const gauge = jest.fn<number, []>(() => 25);
    scaling.gauge(gauge);
    jest.advanceTimersByTime(1000);
    expect(scaling.metrics()).toMatchObject({ replicas: 5, load: 25, gaugeErrors: 0 });
    gauge.mockImplementation(() => {
      throw new Error('gauge');
    });
    jest.advanceTimersByTime(1000);
    for (const value of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      gauge.mockImplementation(() => value);
      jest.advanceTimersByTime(1000);
    }
    expect(scaling.metrics()).toMatchObject({ replicas: undefined, load: undefined, gaugeErrors: 4 });
    expect(scaling.recommendation()).toBeUndefined();
    gauge.mockImplementation(() => 5);
    jest.advanceTimersByTime(1000);
    expect(scaling.recommendation()).toMatchObject({ load: 5, replicas: 1 });
  });

  test('forecasts once it has history', () => {
    make();
    let load = 100;
    scaling.gauge(() => load);
    jest.advanceTimersByTime(40_000);
    for (let n = 0; n < 20; n++) {
      load += 5;
      jest.advanceTimersByTime(1000);
    }
    const found = scaling.recommendation()!;
    expect(found).toMatchObject({ load: 200, isWarm: true });
    expect(found.forecast).toBeGreaterThan(205);
    expect(found.replicas).toBeGreaterThan(40);
    expect(scaling.metrics()).toEqual({
      replicas: found.replicas,
      load: 200,
      forecast: found.forecast,
      quantile: found.quantile,
      capacity: 10,
      isWarm: true,
      source: 'own',
      connected: false,
      members: 1,
      redisErrors: { timeout: 0, connection: 0, permission: 0, server: 0, overloaded: 0, closed: 0 },
      gaugeErrors: 0,
    });
  });

  test('is over with close(), which may be called again', async () => {
    make();
    scaling.gauge(() => 5);
    jest.advanceTimersByTime(1000);
    expect(scaling.recommendation()).toBeDefined();
    const closing = scaling.close();
    expect(scaling.close()).toBe(closing);
    await closing;
    expect(jest.getTimerCount()).toBe(0);
    expect(scaling.recommendation()).toBeUndefined();
    scaling.record();
    await scaling[Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')]();
  });
});

test('refuses what is wrong at once', async () => {
  const made = (more: object) => () => new Scaling({ ...GIVEN, ...more });
  for (const [more, told] of [
    [{ targt: 1 }, 'targt'],
    [{ name: '' }, 'name'],
    [{ name: '}x' }, 'name'],
    [{ name: undefined }, 'name'],
    [{ capacity: 0 }, 'capacity'],
    [{ capacity: Number.NaN }, 'capacity'],
    [{ capacity: Number.POSITIVE_INFINITY }, 'capacity'],
    [{ target: 0 }, 'target'],
    [{ target: 1.1 }, 'target'],
    [{ max: undefined }, 'max'],
    [{ min: 101 }, 'min'],
    [{ min: -1 }, 'min'],
    [{ interval: 10 }, 'interval'],
    [{ season: 2500 }, 'season'],
    [{ season: 1000 }, 'season'],
    [{ horizon: -1 }, 'horizon'],
    [{ horizon: 361_000 }, 'horizon'],
    [{ stabilization: 361_000 }, 'stabilization'],
    [{ quantile: 1 }, 'quantile'],
    [{ quantile: 0 }, 'quantile'],
    [{ timeout: 0 }, 'timeout'],
    [{ prefix: '{}' }, 'prefix'],
    [{ redis: 'http://x' }, 'redis'],
  ] as const) {
    expect(made(more)).toThrow(refused(told));
  }
  const scaling = made({})();
  for (const count of [Number.NaN, -1, Number.POSITIVE_INFINITY, '1' as any]) {
    expect(() => scaling.record(count)).toThrow(refused('count'));
  }
  expect(() => scaling.gauge(5 as any)).toThrow(refused('gauge'));
  await scaling.close();
});

test('holds no process, with Redis or without', async () => {
  const source = `
    const { Scaling } = require('keelson');
    const options = { name: 'x', capacity: 1, max: 2, interval: 50 };
    const all = [new Scaling(options), new Scaling({ ...options, redis: 'redis://127.0.0.1:1' })];
    all[1].on('redis-error', () => {});
    console.log(JSON.stringify(all.map((one) => one.recommendation() ?? null)));`;
  expect(await evaluate(source)).toEqual([null, null]);
});
