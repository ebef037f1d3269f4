/**
 * A choice by one unit in a compiled table: see crates/core/src/router/branch.rs.
 *
 * @param at where the choice is in the table
 * @returns the entry for `unit`; 0 where there is none
 */
export function branch(table: Int32Array, at: number, unit: number): number {
  const range = table[at + 1]!;
  const place = unit - table[at]!;
  if (place >= 0 && place < range) return table[at + 2 + place]!;
  return range < 0 ? search(table, at + 2, -range, unit) : 0;
}

/** What stands beside `unit` in `count` sorted pairs; 0 if it is not there. */
function search(table: Int32Array, pairs: number, count: number, unit: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const found = table[pairs + 2 * middle]!;
    if (found === unit) return table[pairs + 2 * middle + 1]!;
    if (found < unit) low = middle + 1;
    else high = middle;
  }
  return 0;
}
