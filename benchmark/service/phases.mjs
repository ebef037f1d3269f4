import { setTimeout as pause } from 'node:timers/promises';
import { percentile } from '../harness/stats.mjs';
import { buildVariants } from './build.mjs';
import { startSession } from './session.mjs';

const isQuick = process.env.BENCHMARK_QUICK === '1';
/** In seconds. */
const WARM_UP = isQuick ? 5 : 15;
const SHORT = isQuick ? 6 : 20;
export const SOAK = isQuick ? 40 : 300;
/** What of a soak tells whether memory grows: the last three of five minutes. */
const LATER = 0.6;
/** Of what a service can do, where that is asked for. */
const [MODERATE, HEAVY, HALF] = [0.6, 0.8, 0.5];
/** What is told of a server that has ended or stands still, in milliseconds. */
const STANDSTILL = 60_000;

export const VARIANTS = ['keelson', 'plain'];

/** A floor answers whatever is asked, and logs nobody in. */
const isService = (name) => VARIANTS.includes(name);

/** Megabytes of a server, each second until the signal. */
async function watch(server, signal) {
  const seen = [];
  while (!signal.aborted) {
    await pause(1000, undefined, { signal }).catch(() => {});
    const resident = server.resident();
    if (resident !== undefined) seen.push(resident);
  }
  return seen;
}

/** What a load does to a server that was warmed up by the same. */
async function sampleOf(name, load, { seconds, rate, execPath, round = 0 }) {
  const session = await startSession(name, { isService: isService(name), execPath });
  const { server } = session;
  try {
    await session.run({ load, rate, seconds: WARM_UP, seed: 2 * round });
    await server.inside();
    const end = new AbortController();
    const watching = watch(server, end.signal);
    const tally = await session.run({ load, rate, seconds, seed: 2 * round + 1 });
    end.abort();
    const residents = await watching;
    return { ...tally, seconds, rate, residents, inside: await server.inside(), answers: session.answers };
  } finally {
    await session.end();
  }
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const mean = (numbers) => sum(numbers) / numbers.length;

/** How much of their mean the numbers grow from the first to the last, by the straight line that fits them best; in percent. */
function growthOf(numbers) {
  const middle = (numbers.length - 1) / 2;
  const slope =
    sum(numbers.map((number, index) => (index - middle) * number)) /
    sum(numbers.map((_, index) => (index - middle) ** 2));
  return (100 * slope * (numbers.length - 1)) / mean(numbers);
}

/** All that can be told of a sample; a benchmark takes what it asks for. */
function valuesOf({ times, statuses, served, seconds, rate, residents, inside, lateness = 0, busy }) {
  const all = sum(Object.values(statuses));
  const [limited, refused] = [statuses[429] ?? 0, all - (statuses[200] ?? 0)];
  const later = residents.slice(-Math.ceil(residents.length * LATER));
  return {
    throughput: served / seconds,
    offered: rate ?? 0,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    errors: (100 * (refused - limited)) / all,
    limited: (100 * limited) / all,
    processor: inside === undefined ? 0 : inside.processor / all,
    'delay p99': inside?.delay.p99 ?? STANDSTILL,
    'delay max': inside?.delay.max ?? STANDSTILL,
    resident: mean(residents.slice(-10)),
    growth: growthOf(later),
    'generator late': lateness,
    'generator busy': busy,
  };
}

const rates = new Map();

/** What the two can do under a Node.js: the rates for all that is measured at an equal one. */
async function findRates(execPath) {
  const most = async (name, load) => {
    const { served, seconds } = await sampleOf(name, load, { seconds: SHORT, execPath });
    return served / seconds;
  };
  const mixed = [await most('keelson', 'mixed'), await most('plain', 'mixed')];
  const cached = await most('keelson', 'cached');
  const rounded = (rate) => Math.max(10, Math.round(rate / 10) * 10);
  return {
    moderate: rounded(MODERATE * Math.min(...mixed)),
    heavy: rounded(HEAVY * Math.max(...mixed)),
    cached: rounded(HALF * cached),
  };
}

/** For benchmarks that need no rate. */
export function prepareVariants() {
  buildVariants();
}

/** For those that need one. */
export async function prepareRates(execPath) {
  if (!rates.has(execPath)) {
    buildVariants();
    rates.set(execPath, await findRates(execPath));
  }
  return rates.get(execPath);
}

/** A contestant that is sampled under a load, at one of the rates or as fast as it can, for the given metrics. */
export const under =
  (name, metrics, { load = 'mixed', at, seconds = SHORT } = {}) =>
  async (given) => ({
    async sample(round) {
      const sample = await sampleOf(name, load, { seconds, rate: at && given[at], round });
      const values = valuesOf(sample);
      return {
        values: Object.fromEntries(metrics.map((metric) => [metric, values[metric]])),
        check: sample.answers,
      };
    },
  });
