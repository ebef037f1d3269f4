/**
 * Whether sizes keep growing, by `least` in all: whatever they do in between, each third of the time lies above the one
 * before. So neither a cache that is full nor one that fills up and stays so is meant.
 */
export function grows(sizes: readonly number[], least: number): boolean {
  if (sizes.length < 6 || sizes.at(-1)! - sizes[0]! < least) return false;
  const third = Math.floor(sizes.length / 3);
  const thirds = [sizes.slice(0, third), sizes.slice(third, -third), sizes.slice(-third)];
  return [0, 1].every((index) => {
    const [before, after] = [thirds[index]!, thirds[index + 1]!];
    return Math.max(...before) <= Math.min(...after) && Math.max(...before) < Math.max(...after);
  });
}
