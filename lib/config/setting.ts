import type { Kind } from './kinds.js';

/** What the defaults are made for. */
export type Profile = 'development' | 'production' | 'test';

/** A default that an operator may set. */
export interface Setting<T> {
  readonly kind: Kind<T>;
  /** For people. */
  readonly description: string;
  /** What it is where nobody says otherwise. */
  readonly preset: T | (() => T);
  /** What it is instead in a profile. */
  readonly profiles: { readonly [Name in Profile]?: T };
}

export function define<T>(
  kind: Kind<T>,
  preset: NoInfer<T | (() => T)>,
  description: string,
  profiles: { readonly [Name in Profile]?: NoInfer<T> } = {},
): Setting<T> {
  return { kind, description, preset, profiles };
}

/** `KEELSON_RATE_LIMITER_STORE_TIMEOUT` for `rateLimiter.storeTimeout`. */
export function variableOf(path: string): string {
  return `KEELSON_${path.replace(/[A-Z]/g, '_$&').replaceAll('.', '_').toUpperCase()}`;
}
