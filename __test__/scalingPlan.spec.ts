import { Planner } from '../dist/scaling/plan';
import { Series } from '../dist/scaling/series';
import { generator } from './support/random';
import { settings } from './support/scaling';

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
