import {
  keyPrefix,
  type RedisClient,
  type RedisOptions,
  type RedisSource,
  redisSource,
} from '../redis/options.js';
import { integer, invalid, number, options } from '../validate.js';

/** Breakers that share a state through Redis: those of the same `prefix` and `name`. Names that are unknown are refused. */
export interface CircuitBreakerSharedOptions {
  /** Redis 6.2 or later: a URL, options, or a client that the service has. */
  redis: string | RedisOptions | RedisClient;
  /** Of the names of keys. It has no `{}`. @default 'cb:' */
  prefix?: string | undefined;
  /**
   * Votes that open all: below 1 the share of the members that are alive, above 0; else how many, a whole number.
   * @default 0.5
   */
  quorum?: number | undefined;
  /**
   * Milliseconds between two syncs, 10 to 600,000: how late a member hears of the others at most. One that is silent for
   * three of them does not count, and after three without an answer of Redis a member goes by itself. @default 1,000
   */
  interval?: number | undefined;
  /** Milliseconds that Redis has for an answer, 1 to 600,000. No call waits for it. @default 50 */
  timeout?: number | undefined;
}

/** How to share, checked. */
export interface SharedSettings {
  readonly redis: RedisSource;
  /** What the names of all keys begin with, the hash tag included. */
  readonly key: string;
  readonly quorum: number;
  readonly interval: number;
  /** For how long a member, a vote and a lease count without being renewed. */
  readonly life: number;
  readonly timeout: number;
}

/** Intervals of silence after which a member does not count. */
const LIVES = 3;
const NAMES = ['redis', 'prefix', 'quorum', 'interval', 'timeout'] as const;

/**
 * Checks the option `shared` of a breaker; `breaker` is its name.
 *
 * @throws InvalidArgumentError, whose message never shows a password
 */
export function sharedSettings(given: CircuitBreakerSharedOptions, breaker: string): SharedSettings {
  const chosen = options<CircuitBreakerSharedOptions>('shared', given, NAMES);
  const { redis, prefix = 'cb:', quorum = 0.5, interval = 1_000, timeout = 50 } = chosen;
  keyPrefix('shared.prefix', prefix);
  if (breaker === '' || breaker.startsWith('}')) {
    invalid('name', 'a name that is not empty and does not begin with "}", where "shared" is set', breaker);
  }
  return {
    redis: redisSource(redis),
    key: `${prefix}{${breaker}}`,
    quorum: quorum >= 1 ? integer('shared.quorum', quorum, 1, 1_000_000) : share(quorum),
    interval: integer('shared.interval', interval, 10, 600_000),
    life: LIVES * interval,
    timeout: integer('shared.timeout', timeout, 1, 600_000),
  };
}

/** Of no votes at all there would always be enough. */
function share(quorum: number): number {
  return number('shared.quorum', quorum, Number.MIN_VALUE, 1);
}
