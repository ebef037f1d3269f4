/**
 * How the native encoder told the values of one shape; `crates/core/src/json/encode` has the table of what each part
 * stands for.
 */
export type Signature =
  | Letter
  | { readonly o: readonly (readonly [key: string, value: Signature])[] }
  | { readonly m: readonly Relative[] }
  | { readonly l: Signature }
  | { readonly t: readonly Signature[] };

/** A member that each object of a family has, or some of them. It is not `__proto__`. */
export type Relative = readonly [key: string, value: Signature, optional: 0 | 1];

/** Members of a family whose presence one integer tells. */
export const MASK_BITS = 30;

/** Null, int, float, boolean, string or null, anything, rows. */
type Letter = 'n' | 'i' | 'f' | 'b' | 's' | 'a' | 'r';

/** Tags of strings and of anything, below the lengths of short strings. */
export const Tag = {
  RAW: -1,
  NULL: -2,
  TRUE: -3,
  FALSE: -4,
  INT: -5,
  DOUBLE: -6,
  OBJECT: -7,
  ROWS: -8,
  /** A word: this less its place in `raw`. */
  WORD: -16,
} as const;
