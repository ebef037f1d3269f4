import { invalid } from '../validate.js';
import { comparable } from './keys.js';
import type { DumpedEntry } from './types.js';

/** An entry to be stored anew. */
export interface Restored<K, V> {
  readonly key: K;
  readonly value: V;
  readonly expires: number;
  /** What a hit gives it, where the dump says so. */
  readonly ttl: number | undefined;
  readonly weight: number;
}

/** Checks the whole of a dump, and returns what is live at `now`. */
export function checkDump<K, V>(
  dumped: unknown,
  now: number,
  weigh: (key: K, value: V) => number,
): Restored<K, V>[] {
  const iterator = (dumped as Iterable<unknown> | null | undefined)?.[Symbol.iterator];
  if (typeof iterator !== 'function') invalid('dumped', 'an iterable of what dump() returns', dumped);
  const entries: Restored<K, V>[] = [];
  for (const entry of dumped as Iterable<unknown>) {
    if (!Array.isArray(entry)) invalid('dumped', 'an iterable of [key, { value, expires }]', entry);
    const [key, stored] = entry as [K, DumpedEntry<V>];
    if (typeof stored !== 'object' || stored === null)
      invalid('dumped', 'an iterable of [key, { value }]', stored);
    const { value, expires = Number.POSITIVE_INFINITY, ttl } = stored;
    if (typeof expires !== 'number' || Number.isNaN(expires)) invalid('expires', 'a number', expires);
    if (ttl !== undefined && !(typeof ttl === 'number' && ttl > 0)) invalid('ttl', 'a number above 0', ttl);
    // A key that cannot be written shows here.
    if (typeof key !== 'string') comparable(key);
    if (now <= expires) entries.push({ key, value, expires, ttl, weight: weigh(key, value) });
  }
  return entries;
}
