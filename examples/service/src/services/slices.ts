import { setImmediate as nextTurn } from 'node:timers/promises';

/** Milliseconds after which other requests have their turn of the event loop. */
const TURN = 4;

/**
 * Hands out a long list in parts of `size`, so that other requests are answered between them. Where the event loop is busy each
 * turn of it takes long, so that no more of them are taken than it needs.
 */
export async function* slices<T>(list: Iterable<T>, size: number): AsyncGenerator<T[]> {
  let began = performance.now();
  let slice: T[] = [];
  for (const item of list) {
    if (slice.length === size) {
      yield slice;
      slice = [];
      if (performance.now() - began > TURN) {
        await nextTurn();
        began = performance.now();
      }
    }
    slice.push(item);
  }
  if (slice.length > 0) yield slice;
}
