const PARTS = 5;
/** Sizes below which nothing can be said. */
const LEAST_SIZES = 6;

const mean = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0) / sizes.length;

/**
 * Whether sizes keep growing, by `least` in all: in each fifth of the time they are higher than in the one before, by a
 * tenth of the whole growth at least, and the last fifth lies above the first one. So entries may go in between, and what
 * grows once, or until it is full, is not meant.
 */
export function grows(sizes: readonly number[], least: number): boolean {
  if (sizes.length < LEAST_SIZES || sizes.at(-1)! - sizes[0]! < least) return false;
  const cut = (part: number) => Math.floor((part * sizes.length) / PARTS);
  const parts = Array.from({ length: PARTS }, (_, part) => sizes.slice(cut(part), cut(part + 1)));
  const means = parts.map(mean);
  const step = (means.at(-1)! - means[0]!) / 10;
  const higher = means.every((value, part) => part === 0 || value - means[part - 1]! >= step);
  return step > 0 && higher && Math.max(...parts[0]!) <= Math.min(...parts.at(-1)!);
}
