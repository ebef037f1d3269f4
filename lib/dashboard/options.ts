import { randomBytes } from 'node:crypto';
import { boolean, integer, invalid, options as named } from '../validate.js';

export interface DashboardOptions {
  /** Where {@link Dashboard.middleware} answers: a path without a slash at its end. @default '/_keelson' */
  path?: string | undefined;
  /**
   * What a viewer has to know before he sees figures, 16 characters or more; false: nothing.
   * @default one of 256 random bits, which `url()` and `token` tell
   */
  token?: string | false | undefined;
  /**
   * Whether others than this machine are answered: requests from other addresses, for other host names than localhost, or
   * through a proxy. @default false
   */
  remote?: boolean | undefined;
  /** Milliseconds between two updates, 250 to 60,000. @default 1000 */
  interval?: number | undefined;
  /** How many may look at once, 1 to 1000; others get 503. @default 10 */
  maxViewers?: number | undefined;
}

/** A dashboard's options with their defaults. */
export interface DashboardSettings {
  readonly path: string;
  readonly token: string | undefined;
  readonly remote: boolean;
  readonly interval: number;
  readonly maxViewers: number;
}

const NAMES = ['path', 'token', 'remote', 'interval', 'maxViewers'] as const;

export function settingsOf(given: DashboardOptions): DashboardSettings {
  named<DashboardOptions>('options', given, NAMES);
  const { path = '/_keelson', token = randomToken(), remote = false } = given;
  const { interval = 1_000, maxViewers = 10 } = given;
  if (typeof path !== 'string' || !/^(?:\/[^/?#\s]+)+$/.test(path))
    invalid('path', "a path as '/_keelson', without a slash at its end", path);
  if (token !== false && (typeof token !== 'string' || !/^[\x21-\x7e]{16,}$/.test(token))) {
    // The message has no part of it: it may be a secret that is only too short.
    const what = typeof token === 'string' ? `a string of ${token.length} characters` : token;
    invalid('token', '16 visible ASCII characters or more, or false for none', what);
  }
  return {
    path,
    token: token === false ? undefined : token,
    remote: boolean('remote', remote),
    interval: integer('interval', interval, 250, 60_000),
    maxViewers: integer('maxViewers', maxViewers, 1, 1_000),
  };
}

function randomToken(): string {
  return randomBytes(32).toString('base64url');
}
