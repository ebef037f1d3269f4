const PARTS = 5;
/** Sizes below which nothing can be said. */
const LEAST_SIZES = 6;

const mean = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0) / sizes.length;

/**
 * Whether sizes keep growing, by `least` in all: in each fifth of the time they are higher than in the one before, by a
 * tenth of the whole growth at least, for which one that is not the last may make an exception; and the last fifth lies
 * above the first one. So entries may go in between, and what grows once, or until it is full, is not meant.
 */
export function grows(sizes: readonly number[], least: number): boolean {
  if (sizes.length < LEAST_SIZES || sizes.at(-1)! - sizes[0]! < least) return false;
  const cut = (part: number) => Math.floor((part * sizes.length) / PARTS);
  const parts = Array.from({ length: PARTS }, (_, part) => sizes.slice(cut(part), cut(part + 1)));
  const [first, ...later] = parts.map(mean);
  const growth = later.at(-1)! - first!;
  const steps = later.map((value, index) => (value - (later[index - 1] ?? first!)) / growth);
  const clear = steps.filter((step) => step >= 0.1).length;
  if (growth <= 0 || clear < PARTS - 2 || steps.at(-1)! < 0.1) return false;
  return Math.max(...parts[0]!) <= Math.min(...parts.at(-1)!);
}
