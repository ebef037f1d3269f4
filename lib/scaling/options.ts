import { setting } from '../config/current.js';
import {
  keyPrefix,
  type RedisClient,
  type RedisOptions,
  type RedisSource,
  redisSource,
} from '../redis/options.js';
import { integer, invalid, options as named, number, string } from '../validate.js';
import { LONGEST_SEASON, normalQuantile } from './forecast.js';

export interface ScalingOptions {
  /** Load that one replica bears, above 0: requests a second, or what the gauge tells. */
  capacity: number;
  /** Of the service, in the names of keys. */
  name: string;
  /** Share of the capacity that is to be used, above 0 and up to 1. @default 0.7 */
  target?: number | undefined;
  /** Replicas at least. @default 1 */
  min?: number | undefined;
  /** Replicas at most. */
  max: number;
  /** Milliseconds from one measurement to the next, 50 to 3,600,000. @default 10,000 */
  interval?: number | undefined;
  /** Milliseconds after which the load repeats itself: a day, a week. 2 to 20,000 intervals, of which all are whole. @default none */
  season?: number | undefined;
  /** Milliseconds until a new replica is of use; 360 intervals at most. @default 60,000 */
  horizon?: number | undefined;
  /** Probability that the planned replicas suffice, above 0 and below 1. @default 0.95 */
  quantile?: number | undefined;
  /** Milliseconds for which nothing goes below a recommendation; 360 intervals at most. @default 300,000 */
  stabilization?: number | undefined;
  /** Redis 6.2 or later, for the load of the fleet: a URL, options, or a client that the service has. @default none */
  redis?: string | RedisOptions | RedisClient | undefined;
  /** Of the names of keys. It has no `{}`. @default 'scale:' */
  prefix?: string | undefined;
  /** Milliseconds that Redis has for an answer, 1 to 600,000. Nobody waits for it. @default 1,000 */
  timeout?: number | undefined;
}

/** What a plan goes by. Times are intervals. */
export interface PlanSettings {
  readonly capacity: number;
  readonly target: number;
  readonly min: number;
  readonly max: number;
  readonly season: number | undefined;
  readonly horizon: number;
  readonly stabilization: number;
  /** How many deviations above the mean are planned for. */
  readonly z: number;
}

export interface ScalingSettings {
  readonly name: string;
  readonly plan: PlanSettings;
  /** Milliseconds. */
  readonly interval: number;
  readonly timeout: number;
  /** Undefined: the process is alone. */
  readonly redis: RedisSource | undefined;
  /** What the names of all keys begin with, the hash tag included. */
  readonly key: string;
}

const NAMES = [
  ...(['capacity', 'name', 'target', 'min', 'max', 'interval', 'season', 'horizon'] as const),
  ...(['quantile', 'stabilization', 'redis', 'prefix', 'timeout'] as const),
];
const MOST_REPLICAS = 1_000_000;
const MOST_INTERVALS = 360;

/** @throws InvalidArgumentError, whose message never shows a password */
export function settingsOf(given: ScalingOptions): ScalingSettings {
  named<ScalingOptions>('options', given, NAMES);
  const { redis, prefix = 'scale:', interval = setting('scaling.interval'), timeout = 1_000 } = given;
  integer('interval', interval, 50, 3_600_000);
  keyPrefix('prefix', prefix);
  const name = string('name', given.name);
  if (name === '' || name.startsWith('}')) {
    invalid('name', 'a name that is not empty and does not begin with "}"', name);
  }
  return {
    name,
    plan: planOf(given, interval),
    interval,
    timeout: integer('timeout', timeout, 1, 600_000),
    redis: redis === undefined ? undefined : redisSource(redis),
    key: `${prefix}{${name}}`,
  };
}

function planOf(given: ScalingOptions, interval: number): PlanSettings {
  const longest = MOST_INTERVALS * interval;
  const { target = setting('scaling.target'), season, quantile = 0.95 } = given;
  const { min = Math.min(setting('scaling.min'), given.max) } = given;
  const { horizon = Math.min(60_000, longest), stabilization = Math.min(300_000, longest) } = given;
  if (given.capacity === Number.POSITIVE_INFINITY) invalid('capacity', 'a finite number', given.capacity);
  return {
    capacity: number('capacity', given.capacity, Number.MIN_VALUE, Number.MAX_VALUE),
    target: number('target', target, 0.01, 1),
    max: integer('max', given.max, 1, MOST_REPLICAS),
    min: integer('min', min, 0, given.max),
    season: season === undefined ? undefined : intervalsOf(season, interval),
    horizon: Math.ceil(number('horizon', horizon, 0, longest) / interval),
    stabilization: Math.ceil(number('stabilization', stabilization, 0, longest) / interval),
    z: normalQuantile(quantile),
  };
}

function intervalsOf(season: number, interval: number): number {
  integer('season', season, 2 * interval, LONGEST_SEASON * interval);
  if (season % interval !== 0) invalid('season', `a multiple of the interval, ${interval} ms`, season);
  return season / interval;
}
