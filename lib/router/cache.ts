import { BoundedLRUCache } from '../boundedLRUCache.js';
import type { Entry } from './lookup.js';
import { matchOf } from './match.js';
import type { RouteTable } from './table.js';
import type { RouteHandler, RouteMatch } from './types.js';

/** Longer ones are not remembered: they would take the memory of many. */
const LONGEST = 512;

interface Remembered {
  readonly entry: Entry<RouteHandler>;
  readonly path: string;
  readonly offsets: Int32Array;
}

/**
 * What paths matched, least recently used first to go. A path is admitted when it is seen again soon (S3-FIFO), and
 * misses are not kept at all, so that a stream of made-up paths pushes nothing out.
 */
export class MatchCache {
  hits = 0;
  misses = 0;
  readonly #matches: BoundedLRUCache<string, Remembered>;

  constructor(maxSize: number) {
    this.#matches = new BoundedLRUCache({ maxSize, ttl: Number.POSITIVE_INFINITY, policy: 's3-fifo' });
  }

  get size(): number {
    return this.#matches.size;
  }

  clear(): void {
    if (this.#matches.size > 0) this.#matches.clear();
  }

  find(path: string, method: string, table: RouteTable<RouteHandler>): RouteMatch | null {
    // A short piece of a long path would keep all of it.
    const isShort = path.length <= LONGEST && method.length <= LONGEST;
    const query = path.indexOf('?');
    const asked = query < 0 ? path : path.slice(0, query);
    const key = isShort ? `${method.length} ${method}${asked}` : '';
    const known = isShort ? this.#matches.get(key) : undefined;
    if (known !== undefined) {
      this.hits++;
      return matchOf(known.entry, known.path, known.offsets);
    }
    this.misses++;
    const lookup = table.lookup(method);
    lookup.forget();
    const entry = lookup.find(asked, undefined);
    if (entry === undefined) {
      lookup.refuseMalformed(asked);
      return null;
    }
    const found = lookup.lookedUp(asked);
    if (isShort) this.#matches.set(key, { entry, path: found, offsets: lookup.offsets.slice() });
    return matchOf(entry, found, lookup.offsets);
  }
}
