import { integer, invalid, options as named, number } from '../validate.js';
import { DEFAULTS, fittest, type LoadForecastParameters } from './fit.js';

export interface LoadForecastOptions extends Partial<LoadForecastParameters> {
  /** Intervals after which the load repeats itself, 2 to 20,000. @default none */
  season?: number | undefined;
}

/** What is to be expected of one interval. */
export interface LoadOutlook {
  mean: number;
  /** The standard deviation of what comes from the mean. */
  deviation: number;
}

export const LONGEST_SEASON = 20_000;
const NAMES = ['alpha', 'beta', 'gamma', 'phi'] as const;
const MOST_STEPS = 100_000;
/** Of the errors' spread: those that it is the mean of, those before any is clipped, and the deviations that they are clipped to. */
const [MEMORY, FEWEST_ERRORS, CLIPPED] = [120, 10, 3];

/**
 * Holt-Winters: exponential smoothing with a damped additive trend and an additive season, fed with a value each interval.
 *
 *     level  l[t] = α (y[t] − s[t−m]) + (1 − α) (l[t−1] + φ b[t−1])
 *     trend  b[t] = β (l[t] − l[t−1]) + (1 − β) φ b[t−1]
 *     season s[t] = γ (y[t] − l[t]) + (1 − γ) s[t−m]
 *     ahead  y[t+h] = l[t] + (φ + φ² + … + φʰ) b[t] + s[t+h−m⌈h/m⌉]
 *
 * C. C. Holt, "Forecasting seasonals and trends by exponentially weighted moving averages" (1957); P. R. Winters, "Forecasting
 * sales by exponentially weighted moving averages" (1960); the damping: E. S. Gardner and E. McKenzie, "Forecasting trends in
 * time series" (1985). How the errors add up ahead is of R. J. Hyndman et al., "Forecasting with Exponential Smoothing" (2008).
 *
 * It begins with the first value as the level; with a season, with the mean of the first one, and what each value differs from it.
 */
export class LoadForecast {
  readonly parameters: Readonly<LoadForecastParameters>;
  readonly season: number | undefined;
  #level = Number.NaN;
  #trend = 0;
  readonly #seasonal: Float64Array;
  /** Intervals so far. */
  #time = 0;
  #known = 0;
  #errors = 0;
  #squares = 0;
  #variance = 0;

  /** @throws InvalidArgumentError for an option that is unknown, of the wrong type or out of range */
  constructor(options: LoadForecastOptions = {}) {
    named<LoadForecastOptions>('options', options, [...NAMES, 'season']);
    const parameters = { ...DEFAULTS };
    for (const name of NAMES) {
      const value = options[name];
      if (value !== undefined) parameters[name] = number(name, value, 0, 1);
    }
    this.parameters = parameters;
    const { season } = options;
    this.season = season === undefined ? undefined : integer('season', season, 2, LONGEST_SEASON);
    this.#seasonal = new Float64Array(this.season ?? 1).fill(season === undefined ? 0 : Number.NaN);
  }

  /**
   * A forecast that knows these values, with the parameters that would have forecast each of them from those before with the least
   * squared error. It takes some tens of milliseconds at most, and the same values always give the same.
   *
   * @param values at least one, NaN for gaps
   * @throws InvalidArgumentError
   */
  static fit(
    values: ArrayLike<number>,
    { season, ...more }: Pick<LoadForecastOptions, 'season'> = {},
  ): LoadForecast {
    named<LoadForecastOptions>('options', more, ['season']);
    if (typeof values?.length !== 'number' || values.length === 0)
      invalid('values', 'an array of loads', values);
    const fed = (parameters: LoadForecastParameters): LoadForecast => {
      const forecast = new LoadForecast({ ...parameters, season });
      for (let index = 0; index < values.length; index++) forecast.add(values[index]!);
      return forecast;
    };
    const names = (['alpha', 'beta', 'phi', 'gamma'] as const).slice(0, season === undefined ? 3 : 4);
    return fed(fittest(names, values.length, (parameters) => fed(parameters).squaredError));
  }

  /** One that goes on from here by itself. */
  clone(): LoadForecast {
    const clone = new LoadForecast({ ...this.parameters, season: this.season });
    clone.#level = this.#level;
    clone.#trend = this.#trend;
    clone.#seasonal.set(this.#seasonal);
    clone.#time = this.#time;
    clone.#known = this.#known;
    clone.#errors = this.#errors;
    clone.#squares = this.#squares;
    clone.#variance = this.#variance;
    return clone;
  }

  /** Values so far, without gaps. */
  get count(): number {
    return this.#known;
  }

  /** The sum of the squared errors of all forecasts for the next interval. */
  get squaredError(): number {
    return this.#squares;
  }

  /**
   * The next interval had this value. NaN: it is not known, and taken to be as it was forecast.
   *
   * @throws InvalidArgumentError for anything that is no load
   */
  add(value: number): void {
    if (typeof value !== 'number' || value < 0 || value === Number.POSITIVE_INFINITY) {
      invalid('value', 'a finite number from 0 on, or NaN for a gap', value);
    }
    const place = this.#time++ % this.#seasonal.length;
    const isGap = Number.isNaN(value);
    if (!isGap) this.#known++;
    if (!Number.isNaN(this.#level)) this.#follow(value, place);
    else if (this.season === undefined) this.#level = value;
    else this.#collect(value, place);
  }

  /** In the form that corrects by the error, which comes to the same. */
  #follow(value: number, place: number): void {
    const { alpha, beta, gamma, phi } = this.parameters;
    const trend = phi * this.#trend;
    const level = this.#level + trend;
    const error = value - level - this.#seasonal[place]!;
    if (Number.isNaN(error)) {
      this.#level = level;
      this.#trend = trend;
      return;
    }
    this.#level = level + alpha * error;
    this.#trend = trend + alpha * beta * error;
    if (this.season !== undefined) this.#seasonal[place]! += gamma * (1 - alpha) * error;
    this.#spread(error * error);
  }

  /** Of the latest errors. A jump of the load is no measure of what is usual, and counts as three deviations. */
  #spread(square: number): void {
    const variance = this.#variance;
    const isFirst = this.#errors < FEWEST_ERRORS || variance === 0;
    const counted = isFirst ? square : Math.min(square, CLIPPED ** 2 * variance);
    this.#errors++;
    this.#squares += square;
    this.#variance += (counted - variance) / Math.min(this.#errors, MEMORY);
  }

  /** The first season. What is not known of it is like its mean. */
  #collect(value: number, place: number): void {
    const seasonal = this.#seasonal;
    seasonal[place] = value;
    if (place < seasonal.length - 1 || this.#known === 0) return;
    const values = seasonal.filter((one) => !Number.isNaN(one));
    this.#level = values.reduce((sum, one) => sum + one, 0) / values.length;
    for (const [index, one] of seasonal.entries())
      seasonal[index] = Number.isNaN(one) ? 0 : one - this.#level;
  }

  /**
   * What the intervals ahead will bring, the next one first; none as long as nothing is known, or not a whole season.
   *
   * @param steps how many intervals, 1 to 100,000
   */
  ahead(steps: number): LoadOutlook[] {
    integer('steps', steps, 1, MOST_STEPS);
    if (Number.isNaN(this.#level)) return [];
    const { alpha, beta, gamma, phi } = this.parameters;
    const length = this.#seasonal.length;
    const variance = this.#variance;
    const outlooks: LoadOutlook[] = [];
    let [damping, power, spread] = [0, 1, 1];
    for (let step = 1; step <= steps; step++) {
      power *= phi;
      damping += power;
      const mean = this.#level + damping * this.#trend + this.#seasonal[(this.#time + step - 1) % length]!;
      // There are no loads below nothing.
      outlooks.push({ mean: Math.max(0, mean), deviation: Math.sqrt(variance * spread) });
      const seasonal = this.season !== undefined && step % length === 0 ? gamma * (1 - alpha) : 0;
      spread += (alpha + alpha * beta * damping + seasonal) ** 2;
    }
    return outlooks;
  }

  /** What the interval so many steps ahead will bring. */
  forecast(steps = 1): LoadOutlook | undefined {
    return this.ahead(steps)[steps - 1];
  }

  /**
   * The load that the interval so many steps ahead stays below with a probability, as far as errors are normal.
   *
   * @param probability above 0 and below 1
   */
  quantile(steps: number, probability: number): number | undefined {
    const z = normalQuantile(probability);
    const outlook = this.forecast(steps);
    return outlook && Math.max(0, outlook.mean + z * outlook.deviation);
  }
}

/**
 * How many standard deviations above its mean a normal variable stays below with a probability. M. Abramowitz and I. A. Stegun,
 * "Handbook of Mathematical Functions", 26.2.23, whose error is below 0.00045.
 */
export function normalQuantile(probability: number): number {
  if (!(probability > 0 && probability < 1)) invalid('quantile', 'a number between 0 and 1', probability);
  const tail = Math.min(probability, 1 - probability);
  const t = Math.sqrt(-2 * Math.log(tail));
  const above = 2.515517 + t * (0.802853 + t * 0.010328);
  const below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  const z = t - above / below;
  return probability < 0.5 ? -z : z;
}
