import { InvalidArgumentError } from '../errors.js';
import type { RouterIndex } from '../native.js';
import { string } from '../validate.js';

export type { RouterIndex };

/** Bits of the description of a pattern's variant: see crates/core/src/router. */
export const WILDCARD = 1;
export const REST = 2;
export const NAMED_REST = 4;
export const STATIC = 8;

/** Kinds of alternatives in a compiled table. */
export const KIND_REGEX = 1;
export const KIND_MIXED_REGEX = 2;
export const KIND_MIXED = 3;
export const KIND_PARAM = 4;
export const KIND_STAR = 5;
export const KIND_REST = 6;

/** One of the shapes that a pattern stands for; a pattern with optional parameters has several. */
export interface Variant {
  shape: number;
  flags: number;
  /** The pattern with a leading slash, without doubled and trailing ones. */
  text: string;
  /** Parameters in order. */
  names: string[];
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
    if (error instanceof InvalidArgumentError) throw error;
    throw new InvalidArgumentError((error as Error).message);
  }
  return description.split('\n').map((line) => {
    const [shape, flags, text, ...names] = line.split('\0');
    return { shape: Number(shape), flags: Number(flags), text: text!, names };
  });
}
