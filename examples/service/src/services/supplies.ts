import type { Articles, Supply } from '../database/articles';
import type { Catalogue } from './catalogue';

/** What a supplier sends: an id, and whatever else there is to say, which is kept as it came. */
export interface Item {
  id: string | number;
  [member: string]: unknown;
}

/** The form of documents that are imported and exported. */
export interface SupplyDocument {
  version: typeof SUPPLY_VERSION;
  items: Item[];
  /** Comes last, and so tells that nothing was cut off where the document was made. */
  complete: true;
}

export const SUPPLY_VERSION = 3;

/** What an import did. */
export interface SupplyCounts {
  items: number;
  created: number;
  updated: number;
  /** Those of the items that went into the catalogue. */
  products: number;
}

/** All that suppliers have sent, by id, in the order in which ids were first seen. */
export class Supplies {
  /** The import that came last: they go one after another, so that one of them does not take all connections. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly articles: Articles,
    private readonly catalogue: Catalogue,
  ) {}

  /** Adds articles, or replaces those with the same id; all of them or, if the signal aborts before, none. */
  async take(supplies: readonly Supply[], signal: AbortSignal): Promise<SupplyCounts> {
    const taking = this.#last.then(() => this.articles.take(supplies, signal));
    this.#last = taking.catch(() => {});
    const created = await taking;
    const items = supplies.length;
    const products = supplies.filter(({ product }) => product !== undefined).length;
    if (products > 0) await this.catalogue.refreshAll();
    return { items, created, updated: items - created, products };
  }

  /** Everything as it is now: an import that comes later changes nothing in it. */
  async document(signal: AbortSignal): Promise<SupplyDocument> {
    const items: Item[] = [];
    for await (const json of this.articles.documents(signal)) items.push(JSON.parse(json) as Item);
    return { version: SUPPLY_VERSION, items, complete: true };
  }
}
