import { setting } from '../config/current.js';
import { duration } from '../pool/options.js';
import { boolean, callable, integer, invalid, number, options, string } from '../validate.js';
import { type CircuitBreakerSharedOptions, type SharedSettings, sharedSettings } from './fleetOptions.js';
import { OPTION } from './native.js';

/** Which calls a breaker judges by. */
export type CircuitBreakerWindow =
  /** The latest `size` calls, 1 to 1,000,000. */
  | { type: 'count'; size?: number | undefined }
  /** The calls of the latest `ms` milliseconds, forgotten in so many steps, 1 to 100. */
  | { type: 'time'; ms?: number | undefined; buckets?: number | undefined };

/** Repeats a call that failed or was late, each time after a random wait below a bound that doubles. */
export interface CircuitBreakerRetryOptions {
  /** Calls in all, the first included, 1 to 100. Each has its own timeout and counts. @default 3 */
  attempts?: number | undefined;
  /** Bounds of the wait in milliseconds, 0 or more. @default 50 to 1,000 */
  backoff?: { min?: number | undefined; max?: number | undefined } | undefined;
  /** Whether to call again after an error; asked before attempt number `attempt`, 2 or more. @default always */
  retryIf?: ((error: unknown, attempt: number) => boolean) | undefined;
}

/** What `errorFilter` makes of an error: false is a failure, true is none, 'ignore' counts as no call at all. */
export type ErrorVerdict = boolean | 'ignore';

/** Options of a {@link CircuitBreaker}. Times are in milliseconds; Infinity means never. */
export interface CircuitBreakerOptions<Args extends unknown[] = any[]> {
  /** A call that takes longer is given up, its signal aborted; waiting for room is included. `false`: never. @default 10,000 */
  timeout?: number | false | undefined;
  /** @default the latest 10,000 ms in 10 steps; 'count' has 100 calls */
  window?: CircuitBreakerWindow | undefined;
  /** Opens when so many percent of the calls in the window have failed, above 0 to 100. @default 50 */
  failureRateThreshold?: number | undefined;
  /** A call that takes so long counts as slow, whether or not it fails. @default Infinity */
  slowCallDuration?: number | undefined;
  /** Opens when so many percent of the calls in the window were slow, above 0 to 100. @default 100 */
  slowCallRateThreshold?: number | undefined;
  /** Fewer calls in the window open nothing, 0 or more, at most a count window's size. @default 10, or that size */
  volumeThreshold?: number | undefined;
  /** How long it stays open before probes are let through. @default 30,000 */
  resetTimeout?: number | undefined;
  /** Probes that decide whether it closes, 1 to 1,000. @default 1 */
  halfOpenCalls?: number | undefined;
  /** Calls that may run at once, 1 or more. @default Infinity */
  capacity?: number | undefined;
  /** Calls beyond `capacity` that may wait for room, 0 or more. @default 0 */
  queue?: number | undefined;
  /** Off unless set. */
  retry?: CircuitBreakerRetryOptions | undefined;
  /** Whether an error says that the call was well answered, as a 404 does: it counts as success. @default none does */
  errorFilter?: ((error: any, ...args: Args) => ErrorVerdict) | undefined;
  /** Whether the action gets one more argument, `{ signal }`, that aborts when the call is given up. @default false */
  signal?: boolean | undefined;
  /** For errors, events and metrics. @default the action's name, or 'breaker-' and a number */
  name?: string | undefined;
  /** Whether it begins enabled: see `disable()`. @default true */
  enabled?: boolean | undefined;
  /** Breakers of the same name that share their state through Redis. @default none: the state is of this one alone */
  shared?: CircuitBreakerSharedOptions | undefined;
}

/** Retries with their defaults. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly min: number;
  readonly max: number;
  readonly retryIf: ((error: unknown, attempt: number) => boolean) | undefined;
}

/** A breaker's options with their defaults. */
export interface Settings {
  readonly name: string;
  readonly timeout: number;
  readonly resetTimeout: number;
  readonly slowCallDuration: number;
  readonly capacity: number;
  readonly queue: number;
  readonly retry: RetryPolicy | undefined;
  readonly errorFilter: ((error: unknown, ...args: any[]) => unknown) | undefined;
  readonly signal: boolean;
  readonly enabled: boolean;
  readonly shared: SharedSettings | undefined;
  /** Whether the window is of calls, not of a time. */
  readonly counts: boolean;
  /** As the native core wants them. */
  readonly native: Float64Array;
}

const NAMES = [
  ...['timeout', 'window', 'failureRateThreshold', 'slowCallDuration', 'slowCallRateThreshold'],
  ...['volumeThreshold', 'resetTimeout', 'halfOpenCalls', 'capacity', 'queue', 'retry', 'errorFilter'],
  ...['signal', 'name', 'enabled', 'shared'],
] as (keyof CircuitBreakerOptions)[];

const NEVER = Number.POSITIVE_INFINITY;
/** A rate of 0 would be reached by anything. */
const LOWEST_RATE = 0.001;

let unnamed = 0;

/** Checks a breaker's options. */
export function breakerSettings(given: CircuitBreakerOptions, action: { name: string }): Settings {
  const chosen = options<CircuitBreakerOptions>('options', given, NAMES);
  const { timeout = setting('breaker.timeout'), resetTimeout = setting('breaker.resetTimeout') } = chosen;
  const { slowCallDuration = setting('breaker.slowCallDuration') } = chosen;
  const { capacity = NEVER, queue = 0, signal = false, enabled = true, errorFilter } = chosen;
  const name = chosen.name === undefined ? action.name : string('name', chosen.name);
  const settings = {
    name: chosen.name ?? (name || `breaker-${++unnamed}`),
    timeout: timeout === false ? NEVER : duration('timeout', timeout, 1),
    resetTimeout: duration('resetTimeout', resetTimeout),
    slowCallDuration: duration('slowCallDuration', slowCallDuration),
    capacity: capacity === NEVER ? capacity : integer('capacity', capacity, 1),
    queue: queue === NEVER ? queue : integer('queue', queue, 0),
    retry: chosen.retry === undefined ? undefined : retryPolicy(chosen.retry),
    errorFilter:
      errorFilter === undefined ? undefined : callable<(error: any) => unknown>('errorFilter', errorFilter),
    signal: boolean('signal', signal),
    enabled: boolean('enabled', enabled),
    // A number would be another breaker's in the next process.
    shared: chosen.shared === undefined ? undefined : sharedSettings(chosen.shared, name),
  };
  const native = nativeOptions(settings, chosen);
  return { ...settings, counts: native[OPTION.calls]! > 0, native };
}

/** In the order that the native core reads them: see native.ts. */
function nativeOptions(
  { resetTimeout, slowCallDuration }: Pick<Settings, 'resetTimeout' | 'slowCallDuration'>,
  chosen: CircuitBreakerOptions,
): Float64Array {
  const { failureRateThreshold = setting('breaker.failureRateThreshold') } = chosen;
  const { slowCallRateThreshold = 100, halfOpenCalls = setting('breaker.halfOpenCalls') } = chosen;
  const { size, ms, buckets } = windowOf(chosen.window ?? { type: 'time' });
  const { volumeThreshold = Math.min(setting('breaker.volumeThreshold'), size || NEVER) } = chosen;
  return Float64Array.of(
    size,
    ms,
    buckets,
    number('failureRateThreshold', failureRateThreshold, LOWEST_RATE, 100),
    slowCallDuration,
    number('slowCallRateThreshold', slowCallRateThreshold, LOWEST_RATE, 100),
    integer('volumeThreshold', volumeThreshold, 0, size > 0 ? size : Number.MAX_SAFE_INTEGER),
    resetTimeout,
    integer('halfOpenCalls', halfOpenCalls, 1, 1_000),
    ms,
    buckets,
  );
}

/** What a window has besides its own are the defaults, by which the figures are kept. */
function windowOf(given: CircuitBreakerWindow): { size: number; ms: number; buckets: number } {
  const isObject = typeof given === 'object' && given !== null;
  if (isObject && given.type === 'count') {
    const { size = 100 } = options<typeof given>('window', given, ['type', 'size']);
    return { size: integer('window.size', size, 1, 1_000_000), ms: 10_000, buckets: 10 };
  }
  if (isObject && given.type === 'time') {
    const { ms = 10_000, buckets = 10 } = options<typeof given>('window', given, ['type', 'ms', 'buckets']);
    number('window.ms', ms, 1, Number.MAX_SAFE_INTEGER);
    return { size: 0, ms, buckets: integer('window.buckets', buckets, 1, 100) };
  }
  return invalid('window', "an object whose type is 'count' or 'time'", given);
}

function retryPolicy(given: CircuitBreakerRetryOptions): RetryPolicy {
  const chosen = options<CircuitBreakerRetryOptions>('retry', given, ['attempts', 'backoff', 'retryIf']);
  const { attempts = 3, backoff = {}, retryIf } = chosen;
  const { min = 50, max = Math.max(1_000, min) } = options<
    NonNullable<CircuitBreakerRetryOptions['backoff']>
  >('retry.backoff', backoff, ['min', 'max']);
  number('retry.backoff.min', min, 0, 2 ** 31 - 1);
  return {
    attempts: integer('retry.attempts', attempts, 1, 100),
    min,
    max: number('retry.backoff.max', max, min, 2 ** 31 - 1),
    retryIf:
      retryIf === undefined ? undefined : callable<NonNullable<typeof retryIf>>('retry.retryIf', retryIf),
  };
}
