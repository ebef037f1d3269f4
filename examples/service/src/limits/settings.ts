import { isIP } from 'node:net';
import type { TrustProxy } from '../lib/utilities/security/rateLimiter';

/** How much clients may do, and where that is counted. */
export interface LimitSettings {
  /** Requests of a client in a minute. */
  requestLimit: number;
  /** Wrong passwords for a name, of a client, in a quarter of an hour. */
  loginLimit: number;
  /** Proxies whose word is taken for who the client is. */
  trustedProxies: TrustProxy;
  /** A Redis that all instances count in; undefined: each counts for itself. */
  redisUrl: string | undefined;
  /** Milliseconds that a request waits for it at most. */
  redisTimeout: number;
}

/** What may be told of it. */
export type LimitOptions = { [Name in keyof LimitSettings]?: LimitSettings[Name] | undefined };

/** Fifty requests a second are a lot for one client, and not for an office behind one address. */
const DEFAULTS: LimitSettings = {
  requestLimit: 3000,
  loginLimit: 10,
  trustedProxies: false,
  redisUrl: undefined,
  redisTimeout: 50,
};

export function limitSettings(options: LimitOptions): LimitSettings {
  const told = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...DEFAULTS, ...(Object.fromEntries(told) as Partial<LimitSettings>) };
}

/**
 * Checks `redis://user:password@host:port/database`, or `rediss://` for TLS.
 * @throws {RangeError} for anything else; the message does not show it, since there may be a password in it
 */
export function readRedisUrl(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isRedis = url !== undefined && /^rediss?:$/.test(url.protocol) && url.hostname !== '';
  if (isRedis && /^\/?\d*$/.test(url.pathname)) return text;
  throw new RangeError(`${name} must be redis://user:password@host:port/database, or rediss:// for TLS`);
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)]!;
  if (bits === undefined) return most > 0;
  return more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most;
}

/**
 * Reads how many proxies stand before the service, 0 to 32, or their addresses and networks, separated by commas.
 * @throws {RangeError} for anything else
 */
export function readTrustedProxies(text: string): TrustProxy {
  if (/^\d{1,2}$/.test(text) && Number(text) <= 32) return Number(text) || false;
  const networks = text.split(',').map((network) => network.trim());
  if (networks.every(isNetwork)) return networks;
  throw new RangeError(
    `TRUSTED_PROXIES must be a number from 0 to 32, or addresses and networks such as 10.0.0.0/8, but it is ${JSON.stringify(text)}`,
  );
}
