import { EventEmitter } from 'node:events';
import type { Product } from '../data/products';
import type { Articles, StoredProduct } from '../database/articles';
import { BoundedLRUCache } from '../lib/utilities/performance/boundedCache';

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

/** What a listing is selected and cut by. A structural key of the search cache, so always built in this order. */
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
 * All of it is the database's, of which this is a copy for reading: it serves while the database is away. The source
 * owns everything about a product but its stock, unless the product was imported.
 */
export class Catalogue extends EventEmitter<{ stock: [id: string, stock: number] }> {
  readonly views = new BoundedLRUCache<string, ProductView>(500, 60_000);
  readonly searches = new BoundedLRUCache<Query, Page>(200, 30_000);
  #products = new Map<string, StoredProduct>();
  #isSetUp = false;
  #refreshedAt: Date | undefined;
  #loading: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(
    private readonly source: ProductSource,
    private readonly articles: Articles,
  ) {
    super();
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

  get(id: string): ProductView | undefined {
    const cached = this.views.get(id);
    if (cached !== undefined) return cached;
    const product = this.#products.get(id);
    if (product === undefined) return undefined;
    const view = toView(product);
    this.views.set(id, view);
    return view;
  }

  /** The page of products that a query asks for; an empty text or category selects all. */
  find(query: Query): Page {
    const cached = this.searches.get(query);
    if (cached !== undefined) return cached;
    const words = folded(query.text).split(/\s+/).filter(Boolean);
    const found = [...this.#products.values()]
      .filter(({ category }) => query.category === '' || category === query.category)
      .filter((product) => matches(product, words))
      .sort(comparison(query.sort));
    const start = (query.page - 1) * query.pageSize;
    const items = found.slice(start, start + query.pageSize).map(({ id }) => this.get(id)!);
    const page: Page = { items, total: found.length, page: query.page, pageSize: query.pageSize };
    this.searches.set(query, page);
    return page;
  }

  categories(): { name: string; products: number }[] {
    const counts = new Map<string, number>();
    for (const { category } of this.#products.values()) counts.set(category, (counts.get(category) ?? 0) + 1);
    return [...counts].map(([name, products]) => ({ name, products }));
  }

  /**
   * Adds to a product's stock and resolves to the new one; to undefined, and nothing changed, if it would be negative.
   * What other instances do at the same time counts too.
   */
  async adjustStock(id: string, delta: number): Promise<number | undefined> {
    const changed = await this.articles.adjustStock(id, delta);
    const product = this.#products.get(id);
    if (changed !== undefined && product !== undefined && changed.version > product.version) {
      this.#products.set(id, { ...product, ...changed });
      this.views.delete(id);
      this.searches.clear();
      if (changed.stock !== product.stock) this.emit('stock', id, changed.stock);
    }
    return changed?.stock;
  }

  clearCaches(): void {
    this.views.clear();
    this.searches.clear();
  }

  destroy(): void {
    this.views.destroy();
    this.searches.destroy();
    this.removeAllListeners();
  }

  async #load(): Promise<void> {
    if (!this.#isSetUp) await this.articles.setUp(await this.source());
    this.#isSetUp = true;
    const loaded = await this.articles.products();
    const before = this.#products;
    this.#products = new Map(loaded.map((product) => [product.id, newer(product, before.get(product.id))]));
    this.#refreshedAt = new Date();
    this.clearCaches();
    for (const { id, stock } of this.#products.values()) {
      if ((before.get(id)?.stock ?? stock) !== stock) this.emit('stock', id, stock);
    }
  }
}

/** A change that was made since a load began has come back before it. */
function newer(loaded: StoredProduct, known: StoredProduct | undefined): StoredProduct {
  return known !== undefined && known.version > loaded.version ? known : loaded;
}

function toView({ version: _, ...product }: StoredProduct): ProductView {
  const availability = product.stock === 0 ? 'sold out' : product.stock < 10 ? 'few left' : 'in stock';
  return { ...product, priceText: EUROS.format(product.price / 100), availability };
}

function matches(product: Product, words: string[]): boolean {
  const text = folded(`${product.name} ${product.category} ${product.description}`);
  return words.every((word) => text.includes(word));
}

function comparison(sort: SortOrder): (a: Product, b: Product) => number {
  if (sort === 'price') return (a, b) => a.price - b.price;
  if (sort === '-price') return (a, b) => b.price - a.price;
  return (a, b) => BY_NAME.compare(a.name, b.name);
}
