import { inspect } from 'node:util';
import { InvalidArgumentError } from './errors.js';

/** Throws `ERR_KEELSON_INVALID_ARGUMENT` with the option's name, what it accepts, and what came. */
export function invalid(name: string, accepted: string, value: unknown): never {
  const shown = inspect(value, { depth: 0, maxStringLength: 60, breakLength: Number.POSITIVE_INFINITY });
  throw new InvalidArgumentError(`"${name}" must be ${accepted}, but it is ${shown}`);
}

/** A whole number in [min, max]. */
export function integer(name: string, value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  return invalid(name, `a whole number from ${min} to ${max}`, value);
}

/** A number in [min, max]; `Infinity` passes only where max is `Infinity`. */
export function number(name: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && value >= min && value <= max) return value;
  return invalid(name, `a number from ${min} to ${max}`, value);
}

/** One of a few strings. */
export function oneOf<T extends string>(name: string, value: unknown, choices: readonly T[]): T {
  if (choices.includes(value as T)) return value as T;
  return invalid(name, `one of ${choices.map((choice) => `'${choice}'`).join(', ')}`, value);
}

/** A boolean. */
export function boolean(name: string, value: unknown): boolean {
  return typeof value === 'boolean' ? value : invalid(name, 'a boolean', value);
}

/** A string. */
export function string(name: string, value: unknown): string {
  return typeof value === 'string' ? value : invalid(name, 'a string', value);
}

/** The path of a file. */
export function path(name: string, value: unknown): string {
  const given = string(name, value);
  return given === '' || given.includes('\0') ? invalid(name, 'the path of a file', value) : given;
}

/** A function. */
export function callable<T extends (...args: any[]) => unknown>(name: string, value: unknown): T {
  return typeof value === 'function' ? (value as T) : invalid(name, 'a function', value);
}

/** An AbortSignal, by its shape, since a signal of another realm is as good. */
export function abortSignal(name: string, value: unknown): AbortSignal {
  const signal = value as AbortSignal | null;
  if (typeof signal === 'object' && signal !== null && typeof signal.aborted === 'boolean') {
    const { addEventListener, removeEventListener } = signal;
    if (typeof addEventListener === 'function' && typeof removeEventListener === 'function') return signal;
  }
  return invalid(name, 'an AbortSignal', value);
}

/** An options object without names that nobody reads: a misspelt option must not pass silently. */
export function options<T extends object>(
  name: string,
  value: unknown,
  known: readonly (keyof T & string)[],
): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) invalid(name, 'an object', value);
  for (const key of Object.keys(value)) {
    if (!known.includes(key as keyof T & string)) {
      throw new InvalidArgumentError(
        `"${name}.${key}" is not an option; the options are ${known.join(', ')}`,
      );
    }
  }
  return value as T;
}
