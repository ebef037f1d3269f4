import { traces } from '../data/loadTraces.mjs';
import { recorded } from '../data/recordedLoads.mjs';
import { backtest, CAPACITY, reactive, STABILIZATION, START, TARGET } from '../harness/backtest.mjs';

/** Plans after each interval as a process of a fleet does. */
async function forecasting({ interval, season }) {
  const { settingsOf } = await import('../../dist/scaling/options.js');
  const { Planner } = await import('../../dist/scaling/plan.js');
  const { Series } = await import('../../dist/scaling/series.js');
  const options = { name: 'x', capacity: CAPACITY, target: TARGET, max: 1000, interval, season };
  const settings = settingsOf({ ...options, horizon: START, stabilization: STABILIZATION });
  const planner = new Planner(settings.plan);
  const series = new Series(planner.reach);
  return (load, index) => {
    series.set(index, load);
    return planner.plan(series, index + 1).replicas;
  };
}

/** As many replicas all the time as keelson had on average, a number that nobody knows beforehand. */
async function constant(trace, loads) {
  const { values } = backtest(trace, loads, await forecasting(trace));
  const replicas = Math.round(values.replicas);
  return () => replicas;
}

const contestant = (trace, ruleOf) => async () => ({
  async sample(round) {
    const loads = trace.loads(round);
    return backtest(trace, loads, await ruleOf(trace, loads));
  },
});

const difference = (unit, differenceUnit) => ({
  unit,
  better: 'lower',
  compare: 'difference',
  differenceUnit,
});

const SYNTHETIC = 'A backtest on a synthetic trace, made from the round’s seed.';
const RECORDED =
  'A backtest on a recorded trace, the same in each round: data/README.md tells where it is from. It is scaled to 1,000 requests a second on average.';
const RULES =
  'The reactive rule is the HorizontalPodAutoscaler’s: load / (capacity × target), and the most of the latest 300 s. All aim at a target of 0.7 but for one, which buys more replicas instead of a forecast, and the last, which always has as many as keelson on average: nobody knows that number beforehand.';

const backtestOf =
  (about) =>
  ([name, trace]) => ({
    name: `scaling/${name}`,
    question: `How well do replicas of ${CAPACITY} requests a second, which take ${START / 1000} s to start, follow the load?`,
    rounds: 5,
    fresh: true,
    metrics: {
      under: difference('% of intervals beyond capacity', 'points'),
      unserved: difference('% of requests beyond capacity', 'points'),
      replicas: { unit: 'replicas on average', better: 'lower', compare: 'ratio' },
      flaps: difference('turns of direction a day', 'a day'),
    },
    contestants: {
      keelson: contestant(trace, forecasting),
      'reactive rule': contestant(trace, (one) => reactive(one)),
      'reactive rule, target 0.5': contestant(trace, (one) => reactive(one, 0.5)),
      'as many, always': contestant(trace, constant),
    },
    notes: [`${about} ${RULES}`],
  });

export const benchmarks = [
  ...Object.entries(traces).map(backtestOf(SYNTHETIC)),
  ...Object.entries(recorded).map(backtestOf(RECORDED)),
];
