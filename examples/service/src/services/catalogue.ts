import { EventEmitter } from 'node:events';
import type { ProductCache } from '../data/productCache';
import type { Product } from '../data/products';
import type { Articles, StoredProduct } from '../database/articles';
import { DatabaseAwayError } from '../database/away';
import type { Shared } from '../threads/shared';

/** Where the products come from that the database begins with: another service, or the embedded data set. */
export type ProductSource = () => Promise<readonly Product[]>;

/** A product as clients see it. */
export interface ProductView extends Product {
  /** For people: `34,90 €`. */
  priceText: string;
  availability: 'in stock' | 'few left' | 'sold out';
}

export const SORT_ORDERS = ['name', 'price', '-price'] as const;
export type SortOrder = (typeof SORT_ORDERS)[number];

/** What a listing is selected and cut by. As JSON a key of the search cache, so always built in this order. */
export interface Query {
  text: string;
  category: string;
  sort: SortOrder;
  /** From 1. */
  page: number;
  pageSize: number;
}

export interface Page {
  items: ProductView[];
  total: number;
  page: number;
  pageSize: number;
}

const EUROS = new Intl.NumberFormat('de-DE', { style: 'currency', currency: 'EUR' });
const BY_NAME = new Intl.Collator('en', { numeric: true });

/** With more changes at once than these, caches are emptied instead. */
const MANY = 100;

/** Letters without case and accents, so that "creme" finds "Crème". */
function folded(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase();
}

/**
 * The products, their stock and two caches over them. Emits `stock` with the product's id and its new stock, whoever
 * has changed it.
 *
 * All of it is the database's, of which this is a copy for reading: it serves while the database is away. Each thread has
 * its copy; the caches are of all threads, and so is the number of the last change, which tells whether a copy is behind.
 * The source owns everything about a product but its stock, unless the product was imported.
 */
export class Catalogue extends EventEmitter<{ stock: [id: string, stock: number] }> {
  readonly views: ProductCache<ProductView | undefined>;
  readonly searches: ProductCache<Page>;
  readonly #revision: Shared['revision'];
  /** The change up to which the copy has all. */
  #known = -1;
  #products = new Map<string, StoredProduct>();
  /** What is searched of each product, by its id. */
  #texts = new Map<string, string>();
  #isSetUp = false;
  #refreshedAt: Date | undefined;
  #loading: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(
    private readonly source: ProductSource,
    private readonly articles: Articles,
    { views, searches, revision }: Shared,
  ) {
    super();
    this.views = views;
    this.searches = searches;
    this.#revision = revision;
    // If the database is away, whoever asks next tries again.
    revision.listen(() => void this.#catchUp().catch(() => {}));
  }

  /** When the products were last loaded; undefined before the first time. */
  get refreshedAt(): Date | undefined {
    return this.#refreshedAt;
  }

  get size(): number {
    return this.#products.size;
  }

  /**
   * Loads the products anew, the first time after setting the database up. While one load is under way, later callers
   * wait for one that begins after it, and so sees what they have written.
   */
  refresh(): Promise<void> {
    const begin = () => {
      this.#next = undefined;
      this.#loading = this.#load();
      return this.#loading;
    };
    this.#next ??= this.#loading.then(begin, begin);
    return this.#next;
  }

  /** Whether this version of a product, or a later one, is here. */
  knows(id: string, version: number): boolean {
    return (this.#products.get(id)?.version ?? 0) >= version;
  }

  /** A product as all threads have it: what one of them has changed is seen here. */
  view(id: string): Promise<ProductView | undefined> {
    return this.#current(this.views, id, () => this.get(id), [tagOf(id)]);
  }

  /** The page that a query asks for, as all threads have it. */
  search(query: Query): Promise<Page> {
    const key = JSON.stringify(query);
    return this.#current(this.searches, key, () => this.find(query), [tagOfPages(query.category)]);
  }

  /** A product of this thread's copy. */
  get(id: string): ProductView | undefined {
    const product = this.#products.get(id);
    return product && toView(product);
  }

  /** The page of this thread's products that a query asks for; an empty text or category selects all. */
  find(query: Query): Page {
    const words = folded(query.text).split(/\s+/).filter(Boolean);
    const found = [...this.#products.values()]
      .filter(({ category }) => query.category === '' || category === query.category)
      .filter(({ id }) => words.every((word) => this.#texts.get(id)!.includes(word)))
      .sort(comparison(query.sort));
    const start = (query.page - 1) * query.pageSize;
    const items = found.slice(start, start + query.pageSize).map(toView);
    return { items, total: found.length, page: query.page, pageSize: query.pageSize };
  }

  async categories(): Promise<{ name: string; products: number }[]> {
    await this.#catchUp();
    const counts = new Map<string, number>();
    for (const { category } of this.#products.values()) counts.set(category, (counts.get(category) ?? 0) + 1);
    return [...counts].map(([name, products]) => ({ name, products }));
  }

  /**
   * Adds to a product's stock and resolves to the new one; to undefined, and nothing changed, if it would be negative.
   * What other instances and threads do at the same time counts too.
   */
  async adjustStock(id: string, delta: number): Promise<number | undefined> {
    const changed = await this.articles.adjustStock(id, delta);
    const product = this.#products.get(id);
    if (changed === undefined) return undefined;
    if (product === undefined || changed.version <= product.version) {
      // A refresh was faster, or has yet to bring the product itself.
      await this.refreshAll();
    } else {
      this.#products.set(id, { ...product, ...changed });
      this.#announce();
      this.#forget([product]);
      if (changed.stock !== product.stock) this.emit('stock', id, changed.stock);
    }
    return changed.stock;
  }

  /** Products were written to the database: loads them, and has the other threads do so. */
  refreshAll(): Promise<void> {
    this.#revision.next();
    return this.refresh();
  }

  clearCaches(): void {
    this.views.clear();
    this.searches.clear();
  }

  destroy(): void {
    this.removeAllListeners();
  }

  /** What a cache has for a key, or what the copy gives when it is not behind. */
  async #current<V>(cache: ProductCache<V>, key: string, look: () => V, tags: string[]): Promise<V> {
    await this.#catchUp();
    // Again, since only what changes once the load has begun is invalidated for it too.
    const load = async () => {
      await this.#catchUp();
      return look();
    };
    return cache.getOrLoad(key, load, tags);
  }

  /** The copy has a change that the other threads do not have. */
  #announce(): void {
    const number = this.#revision.next();
    // Unless another thread was faster with a change that is yet to come.
    if (number === this.#known + 1) this.#known = number;
  }

  /** Loads what other threads have changed so far. While the database is away the copy does as it is. */
  async #catchUp(): Promise<void> {
    try {
      if (this.#known < this.#revision.current) await this.refresh();
    } catch (error) {
      if (!(error instanceof DatabaseAwayError)) throw error;
    }
  }

  /** What is cached of products goes, in all threads. */
  #forget(products: readonly StoredProduct[]): void {
    if (products.length > MANY) {
      this.clearCaches();
      return;
    }
    this.views.invalidate(products.map(({ id }) => tagOf(id)));
    // Pages of all categories show them too.
    this.searches.invalidate(new Set(['', ...products.map(({ category }) => category)].map(tagOfPages)));
  }

  async #load(): Promise<void> {
    if (!this.#isSetUp) await this.articles.setUp(await this.source());
    this.#isSetUp = true;
    const last = this.#revision.current;
    const wasBehind = this.#known < last;
    const loaded = await this.articles.products();
    const before = this.#products;
    this.#products = new Map(loaded.map((product) => [product.id, newer(product, before.get(product.id))]));
    this.#texts = new Map(loaded.map((product) => [product.id, textOf(product)]));
    this.#known = Math.max(this.#known, last);
    const isFirst = this.#refreshedAt === undefined;
    this.#refreshedAt = new Date();
    const changed = differences(before, this.#products);
    if (changed.length > 0 && !isFirst) {
      // Another instance's: the other threads of this one have not heard.
      if (!wasBehind) this.#announce();
      this.#forget(changed);
    }
    for (const { id, stock } of this.#products.values()) {
      if ((before.get(id)?.stock ?? stock) !== stock) this.emit('stock', id, stock);
    }
  }
}

/** A change that was made since a load began has come back before it. */
function newer(loaded: StoredProduct, known: StoredProduct | undefined): StoredProduct {
  return known !== undefined && known.version > loaded.version ? known : loaded;
}

const tagOf = (id: string): string => `product ${id}`;
const tagOfPages = (category: string): string => `category ${category}`;

type Products = ReadonlyMap<string, StoredProduct>;

/** Products that one of the maps does not have in this version, as they were and as they are. */
function differences(before: Products, after: Products): StoredProduct[] {
  const missing = (from: Products, to: Products) =>
    [...from.values()].filter(({ id, version }) => to.get(id)?.version !== version);
  return [...missing(before, after), ...missing(after, before)];
}

function toView({ version: _, ...product }: StoredProduct): ProductView {
  const availability = product.stock === 0 ? 'sold out' : product.stock < 10 ? 'few left' : 'in stock';
  return { ...product, priceText: EUROS.format(product.price / 100), availability };
}

const textOf = ({ name, category, description }: Product) => folded(`${name} ${category} ${description}`);

function comparison(sort: SortOrder): (a: Product, b: Product) => number {
  if (sort === 'price') return (a, b) => a.price - b.price;
  if (sort === '-price') return (a, b) => b.price - a.price;
  return (a, b) => BY_NAME.compare(a.name, b.name);
}
