import { setImmediate as nextTurn } from 'node:timers/promises';

/** What is worked on in one turn of the event loop: some tenths of a millisecond for a little work on each item. */
const SLICE = 1000;

/** Hands out a long list in parts, so that other requests are answered between them. */
export async function* slices<T>(list: readonly T[], size = SLICE): AsyncGenerator<T[]> {
  for (let start = 0; start < list.length; start += size) {
    if (start > 0) await nextTurn();
    yield list.slice(start, start + size);
  }
}
