import { setImmediate as nextTurn } from 'node:timers/promises';

/** Hands out a long list in parts of `size`, so that other requests are answered between them. */
export async function* slices<T>(list: Iterable<T>, size: number): AsyncGenerator<T[]> {
  let slice: T[] = [];
  for (const item of list) {
    if (slice.length === size) {
      yield slice;
      slice = [];
      await nextTurn();
    }
    slice.push(item);
  }
  if (slice.length > 0) yield slice;
}
