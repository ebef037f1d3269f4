import { boolean, callable, integer, invalid, oneOf } from '../validate.js';
import type { RateLimiterConfig } from './options.js';
import { clientAddress, type TrustProxy, trustedBy } from './proxies.js';
import type { RateLimitResult } from './result.js';
import { subnetOf } from './subnet.js';

type Awaitable<T> = T | PromiseLike<T>;

/** What `checkLimit` resolves to. */
export interface RateLimitDecision {
  allowed: boolean;
  remaining: number;
  /** When the quota is whole again if nobody asks, in milliseconds since 1970. Missing where nothing was counted. */
  resetTime?: number;
  /** Whole seconds, 1 or more, until the same may pass. Of a denial only. */
  retryAfter?: number;
}

/** Options that are about HTTP requests. */
export interface HttpOptions {
  /**
   * Whom a request is counted for. If it fails the request passes, and an `error` event tells.
   * @default the client's address: by `trustProxy`, else `req.ip`, else `req.socket.remoteAddress`, else 'unknown'
   */
  keyGenerator?: ((req: any) => Awaitable<string | number | bigint>) | undefined;
  /** IPv6 addresses that have so many leading bits in common are one client, 32 to 128; false: none are. @default 56 */
  ipv6Subnet?: number | false | undefined;
  /**
   * Proxies whose `X-Forwarded-For` is believed: so many of them, or those of these addresses and networks. false: as
   * the framework has it in `req.ip`. @default false
   */
  trustProxy?: TrustProxy | undefined;
  /** Units that a request costs. @default 1 */
  cost?: number | ((req: any) => Awaitable<number>) | undefined;
  /** Requests that are let through and not counted. */
  skip?: ((req: any) => Awaitable<boolean>) | undefined;
  /** Gives back what a request was counted, once it was answered with success. @default false */
  skipSuccessfulRequests?: boolean | undefined;
  /** Gives back what a request was counted, once it has failed, or its client has gone. @default false */
  skipFailedRequests?: boolean | undefined;
  /** @default a status below 400 */
  requestWasSuccessful?: ((req: any, res: any) => Awaitable<boolean>) | undefined;
  /** Called once a denial, and may answer. What it throws is an `error` event, and the request is denied all the same. */
  onLimitReached?:
    | ((req: any, res: any, result: RateLimitDecision, config: RateLimiterConfig) => unknown)
    | undefined;
  /** Answers what is denied, instead of `statusCode` and `message`. */
  handler?: ((req: any, res: any, next: any, result: RateLimitResult) => unknown) | undefined;
  /** The text in the answer to what is denied, or all of its body. @default 'Too many requests' */
  message?: string | object | undefined;
  /** Of the answer to what is denied, 400 to 599. @default 429 */
  statusCode?: number | undefined;
  /** `legacy`: X-RateLimit-*; `draft-11`: the RateLimit fields of the IETF. A denial has Retry-After unless false. @default 'both' */
  headers?: 'both' | 'draft-11' | 'legacy' | false | undefined;
  /**
   * Whether the RateLimit fields have a partition key, for clients with several quotas: true, a part of the key's
   * SHA-256; or what a function makes of the key. @default false
   */
  partitionKey?: boolean | ((key: string) => string | Uint8Array) | undefined;
}

/** The same, checked. */
export interface HttpSettings {
  /** `ip` is the client's address, where the request does not tell. */
  readonly keyOf: (req: any, ip?: string) => Awaitable<unknown>;
  readonly cost: number | ((req: any) => Awaitable<number>);
  readonly skip: HttpOptions['skip'];
  readonly skipSuccessful: boolean;
  readonly skipFailed: boolean;
  readonly wasSuccessful: (req: any, res: any) => Awaitable<boolean>;
  readonly onLimitReached:
    | ((req: any, res: any, result: any, config: RateLimiterConfig) => unknown)
    | undefined;
  readonly handler: HttpOptions['handler'];
  readonly message: string | object;
  readonly statusCode: number;
  readonly legacyHeaders: boolean;
  readonly draftHeaders: boolean;
  readonly partitionKey: boolean | ((key: string) => string | Uint8Array);
}

export const HTTP_NAMES: readonly (keyof HttpOptions)[] = [
  ...(['keyGenerator', 'ipv6Subnet', 'trustProxy', 'cost', 'skip', 'skipSuccessfulRequests'] as const),
  ...(['skipFailedRequests', 'requestWasSuccessful', 'onLimitReached', 'handler', 'message'] as const),
  ...(['statusCode', 'headers', 'partitionKey'] as const),
];

/** A function, or undefined. */
function hook<T extends ((...args: any[]) => unknown) | undefined>(name: string, given: T): T {
  return given === undefined ? given : (callable(name, given) as T);
}

/** @param highestCost units that a request can cost */
export function httpSettings(given: HttpOptions, highestCost: number, isOlder: boolean): HttpSettings {
  const { cost = 1, message = 'Too many requests', statusCode = 429, headers = 'both' } = given;
  const { skipSuccessfulRequests = false, skipFailedRequests = false, partitionKey = false } = given;
  const fields = headers === false ? undefined : oneOf('headers', headers, ['both', 'draft-11', 'legacy']);
  const isText = typeof message === 'string' || (typeof message === 'object' && message !== null);
  return {
    keyOf: keyGeneratorOf(given, isOlder),
    cost:
      typeof cost === 'function'
        ? cost
        : integer('cost', cost, 1, Math.min(highestCost, Number.MAX_SAFE_INTEGER)),
    skip: hook('skip', given.skip),
    skipSuccessful: boolean('skipSuccessfulRequests', skipSuccessfulRequests),
    skipFailed: boolean('skipFailedRequests', skipFailedRequests),
    wasSuccessful:
      hook('requestWasSuccessful', given.requestWasSuccessful) ??
      ((_, res) => (res.statusCode ?? res.status) < 400),
    onLimitReached: hook('onLimitReached', given.onLimitReached),
    handler: hook('handler', given.handler),
    message: isText ? message : invalid('message', 'a string or an object', message),
    statusCode: integer('statusCode', statusCode, 400, 599),
    legacyHeaders: fields === 'both' || fields === 'legacy',
    draftHeaders: fields === 'both' || fields === 'draft-11',
    partitionKey: typeof partitionKey === 'function' ? partitionKey : boolean('partitionKey', partitionKey),
  };
}

function keyGeneratorOf(given: HttpOptions, isOlder: boolean): HttpSettings['keyOf'] {
  const { keyGenerator, ipv6Subnet = 56, trustProxy = false } = given;
  const bits = ipv6Subnet === false ? 128 : integer('ipv6Subnet', ipv6Subnet, 32, 128);
  const trusted = trustedBy('trustProxy', trustProxy);
  const own = hook('keyGenerator', keyGenerator);
  if (own !== undefined) return own;
  const address = (req: any, ip?: string): string =>
    subnetOf(clientAddress(ip === undefined ? req : { headers: req.headers, ip }, trusted), bits);
  if (!isOlder) return address;
  return (req) => `rate_limit:${address(req)}:${req.user?.id ?? 'anonymous'}`;
}
