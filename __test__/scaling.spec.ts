import { Scaling, type ScalingOptions } from 'keelson';
import { refused } from './support/errors';
import { evaluate } from './support/process';
import { GIVEN } from './support/scaling';

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
      connected: undefined,
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
