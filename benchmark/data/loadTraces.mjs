import { random } from '../harness/zipf.mjs';

// Traces of a service's load, requests a second in each interval, made from a seed: none of them was recorded. The shape of the
// day is that of published ones, such as those of the World Cup's site of 1998 (M. Arlitt and T. Jin, HPL-1999-35): a low in
// the night of a fraction of the peak in the evening.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A normal variable, by the method of Box and Muller. */
function normal(uniform) {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** From 0 in the early morning to 1 in the evening. */
function dayShape(time) {
  const angle = (2 * Math.PI * ((time % DAY) - 19 * HOUR)) / DAY;
  return Math.max(0, (1 + Math.cos(angle) + 0.25 * Math.cos(2 * angle + 0.8)) / 2.2);
}

/** What a load of `mean` requests a second is in one interval: it wanders, and the requests come by chance. */
function noisy(seed, interval, share = 0.04) {
  const uniform = random(seed);
  let wander = 0;
  return (mean) => {
    wander = 0.9 * wander + share * Math.sqrt(1 - 0.81) * normal(uniform);
    const expected = Math.max(0, mean * (1 + wander));
    const seconds = interval / 1000;
    return Math.max(0, expected + Math.sqrt(expected / seconds) * normal(uniform));
  };
}

const trace = (shape, { interval, length, season, warmup = 30 }) => ({
  interval,
  season,
  /** Intervals that no figure counts. */
  warmup,
  loads(round) {
    const noise = noisy(round + 1, interval);
    const meanAt = shape(random(round + 101));
    return Float64Array.from({ length }, (_, index) => noise(meanAt(index * interval)));
  },
});

const days = (shape, { count, season = DAY, warmup }) =>
  trace(shape, {
    interval: MINUTE,
    length: (count * DAY) / MINUTE,
    season,
    warmup: (warmup * DAY) / MINUTE,
  });
const hours = (shape, count) => trace(shape, { interval: 10_000, length: (count * HOUR) / 10_000 });

export const traces = {
  'day with noise': days(() => (time) => 200 + 1800 * dayShape(time), { count: 7, warmup: 2 }),
  'day with an opening': days(
    () => (time) =>
      300 +
      700 * dayShape(time) +
      1400 * Math.min(1, Math.max(0, ((time % DAY) - 9 * HOUR) / (4 * MINUTE))) * (time % DAY < 17 * HOUR),
    { count: 7, warmup: 2 },
  ),
  'weekend at half the load': days(
    () => (time) => (200 + 1800 * dayShape(time)) * (Math.floor(time / DAY) % 7 >= 5 ? 0.5 : 1),
    { count: 14, warmup: 2 },
  ),
  'weekend, the season a week': days(
    () => (time) => (200 + 1800 * dayShape(time)) * (Math.floor(time / DAY) % 7 >= 5 ? 0.5 : 1),
    { count: 28, season: 7 * DAY, warmup: 14 },
  ),
  ramp: hours(() => (time) => 200 + 1800 * Math.min(1, Math.max(0, time / HOUR - 1)), 3),
  sawtooth: hours(() => (time) => 300 + 1200 * ((time % (20 * MINUTE)) / (20 * MINUTE)), 4),
  step: hours(() => (time) => (time % HOUR < 30 * MINUTE ? 400 : 1600), 4),
  'flash crowd': hours((uniform) => {
    const begins = HOUR + 30 * MINUTE * uniform();
    return (time) => {
      const since = time - begins;
      if (since < 0) return 300;
      const rise = Math.min(1, since / (3 * MINUTE));
      return 300 + 2200 * rise * Math.exp(-Math.max(0, since - 10 * MINUTE) / (15 * MINUTE));
    };
  }, 3),
};
