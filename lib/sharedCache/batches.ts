import { decode, type Encoded } from './codec.js';
import { BATCH, type Crossing, KIND, type NativeSharedCache } from './native.js';

/** Fewer keys than these cost less one by one. */
export const FEW = 6;

/** A longer key is the last one of its batch, so that all of them together are no longer than a text may be. */
const LONG = 2 ** 16;

/** What a native call fills a list with, which is faster than to do that from there. */
const list = (...values: Crossing[]): Crossing[] => values;

/** The values of keys, in their order. */
export function getMany(
  native: NativeSharedCache,
  numbers: Float64Array,
  keys: readonly string[],
): unknown[] {
  const values: unknown[] = [];
  for (let start = 0; start < keys.length; ) {
    const end = endOfBatch(keys, start, numbers);
    const found = native.getMany(list, end - start, keys.slice(start, end).join(''));
    for (let index = 0; index < found.length; index++) {
      const crossing = found[index];
      // The kind of what is not there is that of what was there before.
      values.push(crossing === undefined ? undefined : decode(numbers[index]!, crossing));
    }
    start = end;
  }
  return values;
}

/** Stores values, each under the key in its place; how many were not too large. */
export function setMany(
  native: NativeSharedCache,
  numbers: Float64Array,
  keys: readonly string[],
  values: readonly Encoded[],
  ttl: number,
  tags: readonly string[],
): number {
  let stored = 0;
  for (let start = 0; start < keys.length; ) {
    const end = endOfBatch(keys, start, numbers);
    const crossings = values.slice(start, end).map(({ crossing, kind }, index) => {
      numbers[index] = typeof crossing === 'string' ? KIND.text : kind;
      return crossing;
    });
    for (const tag of tags) native.tag(tag);
    stored += native.setMany(end - start, ttl, keys.slice(start, end).join(''), ...crossings);
    start = end;
  }
  return stored;
}

/** Up to where keys cross at once; tells their lengths. */
function endOfBatch(keys: readonly string[], start: number, numbers: Float64Array): number {
  const last = Math.min(start + BATCH, keys.length);
  let end = start;
  for (let isLong = false; end < last && !isLong; end++) {
    const { length } = keys[end]!;
    numbers[BATCH + end - start] = length;
    isLong = length > LONG;
  }
  return end;
}
