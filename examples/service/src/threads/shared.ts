import { ProductCache } from '../data/productCache';
import { QUOTES } from '../data/quoteCache';
import { SharedCache } from '../lib/utilities/performance/sharedCache';
import type { Page, ProductView } from '../services/catalogue';
import { MAX_SESSIONS, SESSION_LIFETIME, type Session } from '../services/sessions';
import { Revision } from './revision';

/** What all threads of a service share: those that open it by one name. It is there until the last of them has closed it. */
export class Shared {
  readonly views: ProductCache<ProductView | undefined>;
  readonly searches: ProductCache<Page>;
  readonly sessions: SharedCache<Session>;
  /** The carrier's, as they are stored. */
  readonly quotes: SharedCache;
  /** Of the products. */
  readonly revision: Revision;

  constructor(name: string) {
    this.views = new ProductCache(`${name} products`, 500, 60_000);
    this.searches = new ProductCache(`${name} searches`, 200, 30_000);
    this.sessions = new SharedCache({
      ...{ name: `${name} sessions`, maxEntries: MAX_SESSIONS, ttl: SESSION_LIFETIME },
      // When there are too many, the least recently used one ends.
      ...{ policy: 'lru', shards: 1 },
    });
    this.quotes = new SharedCache({ name: `${name} quotes`, maxEntries: QUOTES.maxEntries + 1, shards: 1 });
    this.revision = new Revision(`${name} revision`);
  }

  close(): void {
    this.views.close();
    this.searches.close();
    this.sessions.close();
    this.quotes.close();
    this.revision.close();
  }
}
