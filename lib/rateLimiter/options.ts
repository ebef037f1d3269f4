import { setting } from '../config/current.js';
import type { RedisOptions } from '../redis/options.js';
import { redisSpec } from '../redis/options.js';
import { warnOfUnknown } from '../unknown.js';
import { boolean, integer, invalid, number, oneOf, string } from '../validate.js';
import { HTTP_NAMES, type HttpOptions, type HttpSettings, httpSettings } from './httpOptions.js';
import {
  ALGORITHMS,
  checkTogether,
  highestCost,
  type LimitSettings,
  limitList,
  limitNumbers,
  limitSettings,
  type RateLimit,
  type RateLimitAlgorithm,
} from './limits.js';
import { MAX_WINDOW } from './native.js';

/** When a limiter stops asking a store that fails, and when it tries again. */
export interface StoreBreakerOptions {
  /** Failures in a row, 1 or more: from then on the store is only tried now and then. @default 3 */
  failures?: number | undefined;
  /** Milliseconds until the first try, 1 or more. It doubles with each that fails, and is random below. @default 100 */
  backoffMin?: number | undefined;
  /** The longest of these. @default 5,000 */
  backoffMax?: number | undefined;
}

/**
 * Permits that are taken from Redis in blocks and handed out here without asking. Each process can hold `size` unused
 * units of a key for `ttl`, so that a window can see up to `size` units a process more than its quota.
 */
export interface PermitBlockOptions {
  /** Units of a block, 2 or more. */
  size: number;
  /** Milliseconds for which a block can be used, 1 or more; no longer than the shortest window. @default 1,000 */
  ttl?: number | undefined;
}

/** Configuration of a rate limiter. Names that are unknown are ignored, with a warning. */
export interface RateLimiterConfig extends HttpOptions {
  /** The window in milliseconds: see {@link RateLimit.windowMs}. */
  windowMs?: number | undefined;
  /** The quota: see {@link RateLimit.maxRequests}. */
  maxRequests?: number | undefined;
  /** How requests are counted. @default 'sliding-window' */
  algorithm?: RateLimitAlgorithm | undefined;
  /** See {@link RateLimit.burst}. */
  burst?: number | undefined;
  /** More limits of each key, of which all have to admit a request, or none of them counts it. */
  limits?: readonly RateLimit[] | undefined;
  /** The name of the limit that `windowMs` and `maxRequests` make. @default 'default' */
  name?: string | undefined;
  /** A denial blocks its key for so many milliseconds; 0: it does not. @default 0 */
  blockDuration?: number | undefined;
  /** Keys that are known at once, in memory; 1 to 2^30. @default 10,000 */
  maxKeys?: number | undefined;
  /** A Redis that the counts are in: a URL, or options. @default none: they are in memory */
  redis?: string | RedisOptions | null | undefined;
  /** A client of Redis that the service has, such as ioredis or node-redis, whose `eval` is called. It goes before `redis`. */
  redisClient?: unknown;
  /** Limiters with the same prefix and limits share their counts. It has no `{}`. @default 'rl:' */
  keyPrefix?: string | undefined;
  /** Milliseconds that Redis has for an answer, 1 to 600,000. @default 50 */
  storeTimeout?: number | undefined;
  /**
   * What decides while Redis does not: `local`, limits in memory; `open`, all pass; `closed`, none do.
   * @default 'local'
   */
  onStoreError?: 'local' | 'open' | 'closed' | undefined;
  /** The share of each quota that `local` has, 0 to 1. @default 1 */
  localShare?: number | undefined;
  /** Milliseconds for which a denial by Redis may be repeated without asking it; 0: never. @default 1,000 */
  blockCache?: number | undefined;
  breaker?: StoreBreakerOptions | undefined;
  /** @default none: Redis is asked each time */
  leases?: PermitBlockOptions | undefined;
  /** Counts, and tells of denials by events, but denies nothing. @default false */
  shadow?: boolean | undefined;
}

/** The older form's. */
export interface OlderRateLimiterConfig extends RateLimiterConfig {
  /** What `algorithm` is called there. */
  strategy?: RateLimitAlgorithm | undefined;
}

/** A configuration that was checked. */
export interface Settings {
  readonly limits: readonly LimitSettings[];
  /** As native code reads them. */
  readonly numbers: Float64Array;
  readonly highestCost: number;
  /** Whether units are permits that are given back. */
  readonly hasLeases: boolean;
  readonly blockDuration: number;
  readonly maxKeys: number;
  /** How to connect, if to Redis. */
  readonly redis: string | undefined;
  readonly redisClient: unknown;
  readonly keyPrefix: string;
  readonly storeTimeout: number;
  readonly onStoreError: 'local' | 'open' | 'closed';
  readonly localShare: number;
  readonly blockCache: number;
  readonly breaker: Required<{ [Name in keyof StoreBreakerOptions]: number }>;
  readonly permits: { readonly size: number; readonly ttl: number } | undefined;
  readonly shadow: boolean;
  readonly http: HttpSettings;
}

const NAMES = [
  ...['windowMs', 'maxRequests', 'algorithm', 'burst', 'limits', 'name', 'blockDuration', 'maxKeys'],
  ...['redis', 'redisClient', 'keyPrefix', 'storeTimeout', 'onStoreError', 'localShare', 'blockCache'],
  ...['breaker', 'leases', 'shadow', ...HTTP_NAMES],
];

/** Milliseconds of a timer at most. */
const LONGEST = 2 ** 31 - 1;

/**
 * Checks a configuration. Messages never show a password.
 *
 * @param isOlder whether it is of the older form
 * @throws InvalidArgumentError
 */
export function settingsOf(given: RateLimiterConfig, isOlder: boolean): Settings {
  if (typeof given !== 'object' || given === null) invalid('config', 'an object', given);
  warnOfUnknown('config', given, isOlder ? [...NAMES, 'strategy'] : NAMES);
  const limits = limitsOf(given, isOlder ? (given as OlderRateLimiterConfig).strategy : undefined);
  const cost = highestCost(limits);
  const { maxKeys = setting('rateLimiter.maxKeys'), blockDuration = 0, redis, redisClient } = given;
  const { shadow = setting('rateLimiter.shadow') } = given;
  const block = integer('blockDuration', blockDuration, 0, Math.floor(MAX_WINDOW / 1000));
  return {
    limits,
    numbers: limitNumbers(limits, block),
    highestCost: cost,
    hasLeases: limits.some(({ algorithm }) => algorithm === 'concurrency'),
    blockDuration: block,
    maxKeys: integer('maxKeys', maxKeys, 1, 2 ** 30),
    redis: redis === undefined || redis === null ? undefined : redisSpec(redis),
    redisClient: redisClient ?? undefined,
    shadow: boolean('shadow', shadow),
    permits: permitsOf(given.leases, limits, cost),
    http: httpSettings(given, cost, isOlder),
    ...storeSettings(given),
  };
}

function limitsOf(given: RateLimiterConfig, strategy: RateLimitAlgorithm | undefined): LimitSettings[] {
  const { windowMs, maxRequests, name = 'default', limits: more, algorithm, burst } = given;
  const usual = oneOf('algorithm', algorithm ?? strategy ?? 'sliding-window', ALGORITHMS);
  const listed = more === undefined ? [] : limitList(more, usual);
  const isNone = windowMs === undefined && maxRequests === undefined && burst === undefined;
  const first = { windowMs, maxRequests, burst } as RateLimit;
  const limits = isNone && listed.length > 0 ? listed : [limitSettings('', first, name, usual), ...listed];
  checkTogether(limits);
  return limits;
}

function permitsOf(
  given: PermitBlockOptions | undefined,
  limits: readonly LimitSettings[],
  highest: number,
): Settings['permits'] {
  if (given === undefined) return undefined;
  if (typeof given !== 'object' || given === null) invalid('leases', 'an object', given);
  warnOfUnknown('leases', given, ['size', 'ttl']);
  if (limits.some(({ algorithm }) => algorithm === 'concurrency')) {
    invalid('leases', `left out with 'concurrency', whose permits are leased anyway`, given);
  }
  const window = Math.min(...limits.map(({ windowMs }) => windowMs));
  const { size, ttl = Math.min(1000, window) } = given;
  return {
    size: integer('leases.size', size, 2, Math.min(highest, Number.MAX_SAFE_INTEGER)),
    ttl: integer('leases.ttl', ttl, 1, window),
  };
}

function storeSettings(given: RateLimiterConfig) {
  const { keyPrefix = 'rl:', storeTimeout = setting('rateLimiter.storeTimeout'), breaker = {} } = given;
  const { onStoreError = setting('rateLimiter.onStoreError') } = given;
  const { localShare = setting('rateLimiter.localShare') } = given;
  const { blockCache = setting('rateLimiter.blockCache') } = given;
  if (string('keyPrefix', keyPrefix).includes('{}')) {
    invalid('keyPrefix', 'without "{}", which would take the hash tags of the keys out of use', keyPrefix);
  }
  return {
    keyPrefix,
    storeTimeout: integer('storeTimeout', storeTimeout, 1, 600_000),
    onStoreError: oneOf('onStoreError', onStoreError, ['local', 'open', 'closed']),
    localShare: number('localShare', localShare, 0, 1),
    blockCache: integer('blockCache', blockCache, 0, LONGEST),
    breaker: breakerSettings(breaker),
  };
}

function breakerSettings(given: StoreBreakerOptions): Settings['breaker'] {
  if (typeof given !== 'object' || given === null) invalid('breaker', 'an object', given);
  warnOfUnknown('breaker', given, ['failures', 'backoffMin', 'backoffMax']);
  const { failures = 3, backoffMin = 100 } = given;
  integer('breaker.backoffMin', backoffMin, 1, LONGEST);
  const { backoffMax = Math.max(5000, backoffMin) } = given;
  return {
    failures: integer('breaker.failures', failures, 1),
    backoffMin,
    backoffMax: integer('breaker.backoffMax', backoffMax, backoffMin, LONGEST),
  };
}
