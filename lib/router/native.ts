import { InvalidArgumentError } from '../errors.js';
import type { RouterIndex } from '../native.js';
import { string } from '../validate.js';

export type { RouterIndex };

/** Bits of the description of a pattern's variant: see crates/core/src/router. */
export const WILDCARD = 1;
export const REST = 2;
export const NAMED_REST = 4;
export const STATIC = 8;
/** Not of the index: there is nothing to cut out of a path, neither a parameter nor an unnamed rest. */
export const BARE = 16;

/** Where, in a compiled table, the offsets of its two parts are: see crates/core/src/router/flatten.rs. */
export const ROOT = 0;
export const STATICS = 1;

/** Kinds of alternatives in a compiled table; what is none of these is a regex of a whole parameter. */
export const KIND_MIXED_REGEX = 2;
export const KIND_MIXED = 3;
export const KIND_PARAM = 4;
export const KIND_STAR = 5;
export const KIND_REST = 6;

/** One of the shapes that a pattern stands for; a pattern with optional parameters has several. */
export interface Variant {
  readonly shape: number;
  readonly flags: number;
  /** The pattern with a leading slash, without doubled and trailing ones. */
  readonly text: string;
  /** The parameters in order, with a NUL between them. */
  readonly names: string;
}

/**
 * Parses a pattern; the index counts one use of each variant's shape, which the caller gives back by `release()`.
 *
 * @throws InvalidArgumentError that says what is wrong with the pattern, and where
 */
export function describePattern(index: RouterIndex, pattern: string): Variant[] {
  let description: string;
  try {
    description = index.declare(string('path', pattern));
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (error instanceof InvalidArgumentError || code !== 'ERR_KEELSON_INVALID_ARGUMENT') throw error;
    throw new InvalidArgumentError(message);
  }
  return description.includes('\n') ? description.split('\n').map(variantOf) : [variantOf(description)];
}

function variantOf(line: string): Variant {
  // By hand, since tables of ten thousand routes are made of these.
  const flags = line.indexOf('\0') + 1;
  const text = line.indexOf('\0', flags) + 1;
  const names = line.indexOf('\0', text);
  return {
    shape: Number(line.slice(0, flags - 1)),
    flags: Number(line.slice(flags, text - 1)),
    text: names < 0 ? line.slice(text) : line.slice(text, names),
    names: names < 0 ? '' : line.slice(names + 1),
  };
}
