import { InvalidArgumentError } from '../errors.js';
import { warnOfUnknown } from '../unknown.js';
import { integer, invalid, oneOf, string } from '../validate.js';
import { ALGORITHM, LIMIT, MAX_FILL, MAX_LIMITS, MAX_UNITS, MAX_WINDOW } from './native.js';

/**
 * How requests are counted: `sliding-window` by a log, exactly in every window; `sliding-window-counter` by two
 * counters, of which the older fades out; `fixed-window` by one, from the first request on; `token-bucket` and `gcra` by
 * a bucket into which the quota flows evenly; `concurrency` by permits that are given back.
 */
export type RateLimitAlgorithm =
  | 'sliding-window'
  | 'sliding-window-counter'
  | 'fixed-window'
  | 'token-bucket'
  | 'gcra'
  | 'concurrency';

/** So much in so much time. */
export interface RateLimit {
  /** In headers and results; printable ASCII, and each limit has its own. @default 'limit-1', 'limit-2' … */
  name?: string | undefined;
  /** Milliseconds, whole, 1 to 407 days. With `concurrency`: how long a permit lasts that is not renewed. */
  windowMs: number;
  /** Units a window, 0, which denies everything, to 10^12. With `concurrency`: permits. */
  maxRequests: number;
  /** @default the limiter's */
  algorithm?: RateLimitAlgorithm | undefined;
  /** Units that may pass at once, 1 to 10^12, of a `token-bucket` or `gcra`. @default maxRequests */
  burst?: number | undefined;
}

/** A limit that was checked. */
export interface LimitSettings {
  readonly name: string;
  readonly algorithm: RateLimitAlgorithm;
  readonly windowMs: number;
  readonly quota: number;
  readonly burst: number;
  /** Units that may be in use at once. */
  readonly capacity: number;
}

/** By the names that users know. */
const NUMBERS: Record<RateLimitAlgorithm, number> = {
  'sliding-window': ALGORITHM.slidingWindow,
  'sliding-window-counter': ALGORITHM.slidingWindowCounter,
  'fixed-window': ALGORITHM.fixedWindow,
  'token-bucket': ALGORITHM.tokenBucket,
  gcra: ALGORITHM.gcra,
  concurrency: ALGORITHM.concurrency,
};

export const ALGORITHMS = Object.keys(NUMBERS) as RateLimitAlgorithm[];

const NAMES = ['name', 'windowMs', 'maxRequests', 'algorithm', 'burst'];
const MICROSECONDS = 1000;

/** Checks one limit. `path` goes before the names of its options in messages, `label` is its name if it has none. */
export function limitSettings(
  path: string,
  given: RateLimit,
  label: string,
  usual: RateLimitAlgorithm,
): LimitSettings {
  const algorithm = oneOf(`${path}algorithm`, given.algorithm ?? usual, ALGORITHMS);
  const windowMs = integer(`${path}windowMs`, given.windowMs, 1, Math.floor(MAX_WINDOW / MICROSECONDS));
  const quota = integer(`${path}maxRequests`, given.maxRequests, 0, MAX_UNITS);
  const burst = burstOf(path, given, algorithm, quota, windowMs);
  return {
    name: nameOf(`${path}name`, given.name ?? label),
    algorithm,
    windowMs,
    quota,
    burst,
    capacity: quota === 0 ? 0 : burst,
  };
}

function burstOf(
  path: string,
  { burst }: RateLimit,
  algorithm: RateLimitAlgorithm,
  quota: number,
  windowMs: number,
): number {
  if (burst === undefined) return quota;
  if (algorithm !== 'token-bucket' && algorithm !== 'gcra') {
    throw new InvalidArgumentError(`"${path}burst" needs the algorithm 'token-bucket' or 'gcra'`);
  }
  const units = integer(`${path}burst`, burst, 1, MAX_UNITS);
  if (quota > 0 && (units * windowMs * MICROSECONDS) / quota > MAX_FILL) {
    invalid(`${path}burst`, 'a number that flows in within 35 years', burst);
  }
  return units;
}

/** A name that fits into a structured field: RFC 9651, section 3.3.3. */
function nameOf(path: string, given: unknown): string {
  const name = string(path, given);
  return /^[ -~]+$/.test(name) ? name : invalid(path, 'printable ASCII', given);
}

/** Checks the list `limits`. */
export function limitList(given: unknown, usual: RateLimitAlgorithm): LimitSettings[] {
  if (!Array.isArray(given)) return invalid('limits', 'an array of limits', given);
  return given.map((one, index) => {
    const path = `limits[${index}]`;
    if (typeof one !== 'object' || one === null) invalid(path, 'an object', one);
    warnOfUnknown('limits', one, NAMES);
    return limitSettings(`${path}.`, one, `limit-${index + 1}`, usual);
  });
}

/** Checks what limits have to do with each other. */
export function checkTogether(limits: readonly LimitSettings[]): void {
  if (limits.length === 0 || limits.length > MAX_LIMITS) {
    throw new InvalidArgumentError(
      `A rate limiter has "windowMs" and "maxRequests", or 1 to ${MAX_LIMITS} "limits", or both`,
    );
  }
  const names = limits.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new InvalidArgumentError(`Two limits have the name '${twice}'`);
}

/** The most that a check can take from all limits at once. Where one admits nothing at all, no cost is too high. */
export function highestCost(limits: readonly LimitSettings[]): number {
  const capacities = limits.map(({ capacity }) => capacity);
  return capacities.includes(0) ? Number.POSITIVE_INFINITY : Math.min(...capacities);
}

/** A part of a quota, of which at least one is left. */
const part = (units: number, share: number): number =>
  share === 1 || units === 0 ? units : Math.max(Math.floor(units * share), share > 0 ? 1 : 0);

/** A part of each limit. */
export function shareOf(limits: readonly LimitSettings[], share: number): LimitSettings[] {
  return limits.map((limit) => ({
    ...limit,
    quota: part(limit.quota, share),
    burst: Math.max(1, part(limit.burst, share)),
    capacity: part(limit.capacity, share),
  }));
}

/** Limits as native code reads them: for how long a denial blocks, then {@link LIMIT} numbers each. */
export function limitNumbers(limits: readonly LimitSettings[], blockMs: number): Float64Array {
  const numbers = new Float64Array(1 + limits.length * LIMIT);
  numbers[0] = blockMs * MICROSECONDS;
  for (const [index, { algorithm, windowMs, quota, burst }] of limits.entries()) {
    numbers.set([NUMBERS[algorithm], windowMs * MICROSECONDS, quota, Math.max(1, burst)], 1 + index * LIMIT);
  }
  return numbers;
}
