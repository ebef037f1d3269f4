import { boolean, callable, integer, invalid, options as named, number, oneOf } from '../validate.js';
import type { Balancer } from './balancer/balancer.js';
import { LeastLoaded } from './balancer/leastLoaded.js';
import { WeightedRandom } from './balancer/random.js';
import { Rendezvous } from './balancer/rendezvous.js';
import { SmoothRoundRobin } from './balancer/roundRobin.js';
import type { OutlierOptions, OutlierSettings } from './health.js';
import type { RouteTrieOptions } from './types.js';

/** How requests are shared out among the handlers of one path and method. */
export type BalancerName = 'round-robin' | 'random' | 'least-loaded' | 'consistent-hash';

/** The host framework's `next`; a listener of a bare server gets one that ends in the router's own answers. */
export type Next = (error?: any) => void;

/** Options of {@link OptimizedRouter}. */
export interface OptimizedRouterOptions extends Omit<RouteTrieOptions, 'strict'> {
  /** Whether HEAD is served by the GET route where no route names HEAD itself. @default false */
  autoHead?: boolean;
  /** Whether OPTIONS is answered with 204 and `Allow` where no route serves it. @default false */
  autoOptions?: boolean;
  /**
   * Answers a request without a route instead of the 404. In a router that is mounted among others,
   * `(req, res, next) => next()` leaves it to them.
   */
  onNotFound?: (req: any, res: any, next: Next) => unknown;
  /**
   * Answers a request for whose path there are other methods, sorted in `allow`, instead of the 405. A 405 of its
   * own should have them in its `Allow` header.
   */
  onMethodNotAllowed?: (req: any, res: any, next: Next, allow: string[]) => unknown;
  /** Gets every error: of middleware, handlers, timeouts and malformed paths. It answers, or calls `next(error)`. */
  onError?: (error: any, req: any, res: any, next: Next) => unknown;
  /**
   * Smooth weighted round-robin; weighted chance; the less loaded of two drawn by weight; or weighted rendezvous
   * hashing of `hashKey`. @default 'round-robin'
   */
  balancer?: BalancerName;
  /**
   * The key that keeps a request with its handler, for `'consistent-hash'`, which needs it. It is compared as text;
   * without a key (undefined or null) a request goes to any handler, by weight.
   */
  hashKey?: (req: any) => unknown;
  /** Makes the hash another one; processes with the same seed agree. 0 to 2^32 - 1. @default 0 */
  hashSeed?: number;
  /**
   * Milliseconds in which the weight of a handler grows from a tenth to all of it, after it was added, restored or
   * given a weight again. @default 0
   */
  slowStart?: number;
  /** Takes handlers that fail out of service for a time. @default off */
  outlier?: OutlierOptions;
  /** Whether attempts of methods such as POST are repeated too. @default false */
  retryNonIdempotent?: boolean;
  /** A number from 0 to below 1, for the balancers. @default Math.random */
  random?: () => number;
  /** Milliseconds that never go back, for all but timeouts. @default performance.now, as it is at each call */
  clock?: () => number;
}

const TRIE_OPTIONS = [
  'caseSensitive',
  'ignoreTrailingSlash',
  'ignoreDuplicateSlashes',
  'semicolonDelimiter',
  'cache',
] as const;
const NAMES = [
  ...TRIE_OPTIONS,
  'autoHead',
  'autoOptions',
  'onNotFound',
  'onMethodNotAllowed',
  'onError',
  'balancer',
  'hashKey',
  'hashSeed',
  'slowStart',
  'outlier',
  'retryNonIdempotent',
  'random',
  'clock',
] as const;
const BALANCERS = ['round-robin', 'random', 'least-loaded', 'consistent-hash'] as const;
const OUTLIER_NAMES = ['failures', 'ejectFor', 'maxEjectedPercent'] as const;
const LARGEST_SEED = 2 ** 32 - 1;

/** Options that passed their checks, with the defaults filled in. */
export interface RouterSettings {
  readonly trie: RouteTrieOptions;
  readonly autoHead: boolean;
  readonly autoOptions: boolean;
  readonly onNotFound: OptimizedRouterOptions['onNotFound'];
  readonly onMethodNotAllowed: OptimizedRouterOptions['onMethodNotAllowed'];
  readonly onError: OptimizedRouterOptions['onError'];
  readonly makeBalancer: () => Balancer;
  readonly hashSeed: number;
  readonly slowStart: number;
  readonly outlier: OutlierSettings | undefined;
  readonly retryNonIdempotent: boolean;
  readonly clock: () => number;
}

/** Checks the constructor's options; those of the trie are checked by the trie. */
export function routerSettings(given: OptimizedRouterOptions): RouterSettings {
  const checked = named<OptimizedRouterOptions>('options', given, NAMES);
  const { autoHead = false, autoOptions = false, retryNonIdempotent = false } = checked;
  const { slowStart = 0, hashSeed = 0 } = checked;
  const seed = integer('hashSeed', hashSeed, 0, LARGEST_SEED);
  return {
    trie: trieOptions(checked),
    autoHead: boolean('autoHead', autoHead),
    autoOptions: boolean('autoOptions', autoOptions),
    onNotFound: hook('onNotFound', checked.onNotFound),
    onMethodNotAllowed: hook('onMethodNotAllowed', checked.onMethodNotAllowed),
    onError: hook('onError', checked.onError),
    makeBalancer: balancerMaker(checked, seed),
    hashSeed: seed,
    slowStart: number('slowStart', slowStart, 0, Number.MAX_SAFE_INTEGER),
    outlier: checked.outlier === undefined ? undefined : outlierSettings(checked.outlier),
    retryNonIdempotent: boolean('retryNonIdempotent', retryNonIdempotent),
    // Looked up at each call, so that fake clocks rule.
    clock: hook('clock', checked.clock) ?? (() => performance.now()),
  };
}

function hook<T extends (...args: any[]) => unknown>(name: string, value: T | undefined): T | undefined {
  return value === undefined ? undefined : callable<T>(name, value);
}

function trieOptions(given: OptimizedRouterOptions): RouteTrieOptions {
  const chosen: Record<string, unknown> = {};
  for (const name of TRIE_OPTIONS) if (given[name] !== undefined) chosen[name] = given[name];
  return chosen;
}

function balancerMaker(given: OptimizedRouterOptions, seed: number): () => Balancer {
  const { balancer = 'round-robin' } = given;
  const name = oneOf('balancer', balancer, BALANCERS);
  const random = hook('random', given.random) ?? (() => Math.random());
  const hashKey = hook('hashKey', given.hashKey);
  if (name === 'random') return () => new WeightedRandom(random);
  if (name === 'least-loaded') return () => new LeastLoaded(random);
  if (name === 'round-robin') return () => new SmoothRoundRobin();
  if (hashKey === undefined) invalid('hashKey', "a function where balancer is 'consistent-hash'", hashKey);
  return () => new Rendezvous(hashKey, seed, random);
}

function outlierSettings(given: OutlierOptions): OutlierSettings {
  const checked = named<OutlierOptions>('outlier', given, OUTLIER_NAMES);
  const { failures = 5, ejectFor = 30_000, maxEjectedPercent = 50 } = checked;
  return {
    failures: integer('outlier.failures', failures, 1),
    ejectFor: number('outlier.ejectFor', ejectFor, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER),
    maxEjectedPercent: number('outlier.maxEjectedPercent', maxEjectedPercent, 0, 100),
  };
}
