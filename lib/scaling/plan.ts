import { DEFAULTS } from './fit.js';
import { LoadForecast } from './forecast.js';
import type { PlanSettings } from './options.js';
import type { Series } from './series.js';

/** How many replicas there should be, and why. */
export interface Plan {
  readonly replicas: number;
  /** The latest that is known. */
  readonly load: number;
  /** What is expected once a replica that starts now is of use: its mean. Before there is enough history it is the load. */
  readonly forecast: number;
  /** The most that is planned for until then. */
  readonly quantile: number;
  /** Whether there is enough history to forecast. */
  readonly isWarm: boolean;
}

/** Intervals for which a load that is not renewed counts as the present one. */
export const LIVES = 3;
/** Intervals that have to be known before anything is forecast, and those that are looked back, without a season. */
const [FEWEST, WINDOW] = [30, 360];
/** Seasons likewise: the first one is what the forecast begins with, the second one tests it. */
const [FEWEST_SEASONS, SEASONS] = [2, 3];
/** Intervals between two fits at least, and of a season. */
const [EPOCH, EPOCHS_OF_SEASON] = [60, 4];
/** What somebody was late to tell is known after so many intervals, and a fit is the same for all. */
const SETTLED = 3;
/** Of a replica: rounding is no reason for one more. */
const ROUNDING = 1e-9;

/** What the forecasts of an epoch begin with. */
interface Beginning {
  readonly model: LoadForecast;
  /** The first interval that the model does not know yet. */
  next: number;
}

interface Outlook {
  readonly replicas: number;
  readonly forecast: number;
  readonly quantile: number;
  readonly isWarm: boolean;
}

/**
 * Plans replicas by a series of loads: a pure function of it, so that all who know the same loads plan the same.
 *
 * Parameters are fitted anew each epoch, on the window before it. A plan is the most of what each interval of the stabilization
 * asked for, by the fit of its time, which therefore is no longer than an epoch.
 */
export class Planner {
  readonly #settings: PlanSettings;
  readonly #window: number;
  readonly #epoch: number;
  readonly #fewest: number;
  /** Of the latest epochs, as far as their loads are settled. */
  readonly #beginnings = new Map<number, Beginning>();
  #latest = Number.NEGATIVE_INFINITY;

  constructor(settings: PlanSettings) {
    this.#settings = settings;
    const { season, stabilization } = settings;
    this.#window = season === undefined ? WINDOW : SEASONS * season;
    this.#fewest = season === undefined ? FEWEST : FEWEST_SEASONS * season;
    this.#epoch = Math.max(EPOCH, stabilization, Math.ceil((season ?? 0) / EPOCHS_OF_SEASON));
  }

  /** Intervals that a plan can depend on. */
  get reach(): number {
    return this.#window + 2 * this.#epoch + SETTLED;
  }

  /** The plan at the beginning of an interval; undefined where the load is not known. */
  plan(series: Series, now: number): Plan | undefined {
    const load = presentLoad(series, now);
    if (load === undefined) return undefined;
    const from = now - this.#settings.stabilization;
    const [first, last] = [this.#epochOf(from), this.#epochOf(now)];
    // Of a clock that was set back other loads are known.
    if (now < this.#latest) this.#beginnings.clear();
    this.#latest = now;
    for (const epoch of this.#beginnings.keys()) if (epoch < first) this.#beginnings.delete(epoch);
    let latest: Outlook | undefined;
    let replicas = 0;
    for (let epoch = first; epoch <= last; epoch += this.#epoch) {
      for (const outlook of this.#outlooks(series, epoch, from, now)) {
        replicas = Math.max(replicas, outlook.replicas);
        latest = outlook;
      }
    }
    const { forecast, quantile, isWarm } = latest!;
    return { replicas, load, forecast, quantile, isWarm };
  }

  #epochOf(interval: number): number {
    return Math.floor(interval / this.#epoch) * this.#epoch;
  }

  /** What the intervals of an epoch, from one to another, ask for. */
  *#outlooks(series: Series, epoch: number, from: number, to: number): Generator<Outlook> {
    const beginning = this.#beginning(series, epoch);
    const end = Math.min(to, epoch + this.#epoch - 1);
    const settled = Math.min(end, from - SETTLED);
    for (; beginning.next < settled; beginning.next++) follow(beginning.model, series.get(beginning.next));
    const model = beginning.model.clone();
    for (let interval = beginning.next; interval <= end; interval++) {
      if (interval >= from && interval >= epoch) {
        const load = presentLoad(series, interval);
        if (load !== undefined) yield this.#outlook(model, load);
      }
      follow(model, series.get(interval));
    }
  }

  /** With the parameters that the window before the epoch is fitted by. */
  #beginning(series: Series, epoch: number): Beginning {
    let beginning = this.#beginnings.get(epoch);
    if (beginning === undefined) {
      const { season } = this.#settings;
      const next = epoch - this.#window;
      const values = series.slice(next, epoch - SETTLED);
      const first = values.findIndex((value) => !Number.isNaN(value));
      const known = values.filter((value) => !Number.isNaN(value)).length;
      const isEnough = known >= this.#fewest;
      const fitted = isEnough ? LoadForecast.fit(values.subarray(first), { season }).parameters : DEFAULTS;
      beginning = { model: new LoadForecast({ ...fitted, season }), next };
      this.#beginnings.set(epoch, beginning);
    }
    return beginning;
  }

  #outlook(model: LoadForecast, load: number): Outlook {
    const { horizon, z, min, max } = this.#settings;
    const isWarm = model.count >= this.#fewest;
    // The first one ahead is the interval that has just begun.
    const ahead = isWarm ? model.ahead(horizon + 1) : [];
    const forecast = ahead.at(-1)?.mean ?? load;
    const quantile = ahead.reduce((most, { mean, deviation }) => Math.max(most, mean + z * deviation), 0);
    // A forecast only ever adds to what the load needs by itself.
    const needed = Math.max(this.#replicasFor(load), this.#replicasFor(quantile));
    const replicas = Math.min(max, Math.max(min, needed));
    return { replicas, forecast, quantile: isWarm ? quantile : load, isWarm };
  }

  #replicasFor(load: number): number {
    return Math.ceil(load / (this.#settings.capacity * this.#settings.target) - ROUNDING);
  }
}

/** A forecast begins with the first load that is known. */
function follow(model: LoadForecast, load: number): void {
  if (model.count > 0 || !Number.isNaN(load)) model.add(load);
}

/** The latest load before an interval, unless it is old. */
function presentLoad(series: Series, interval: number): number | undefined {
  for (let back = 1; back <= LIVES; back++) {
    const load = series.get(interval - back);
    if (!Number.isNaN(load)) return load;
  }
  return undefined;
}
