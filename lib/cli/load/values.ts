import { Stop } from '../command.js';

/** The number of a flag, from `min` to `max`. */
export function number(
  flag: string,
  text: string | undefined,
  otherwise: number,
  min: number,
  max: number,
): number {
  if (text === undefined) return otherwise;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= min && value <= max)) {
    throw new Stop(2, `${flag} has to be a number from ${min} to ${max}, not '${text}'`);
  }
  return value;
}

/** As number(), without a fraction. */
export function integer(...[flag, text, ...rest]: Parameters<typeof number>): number {
  const value = number(flag, text, ...rest);
  if (!Number.isInteger(value)) throw new Stop(2, `${flag} has to be a whole number, not '${text}'`);
  return value;
}

export function webAddress(what: string, text: string): URL {
  const url = parsed(text);
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new Stop(2, `${what} has to begin with http:// or https://, not '${text}'`);
  }
  return url;
}

function parsed(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/** For people and files: a URL may carry a password. */
export function withoutPassword(text: string): string {
  const url = new URL(text);
  url.username = '';
  url.password = '';
  return url.href;
}
