import { EventEmitter } from 'node:events';
import type { Product } from '../data/products';
import { BoundedLRUCache } from '../lib/utilities/performance/boundedCache';

/** Where products come from: a database or another service; here the embedded data set. */
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
 * The products, their stock and two caches over them. Emits `stock` with the product's id and its new stock.
 *
 * The source owns everything about a product but its stock, which is the service's own from the first load on. What
 * was imported goes before what the source has.
 */
export class Catalogue extends EventEmitter<{ stock: [id: string, stock: number] }> {
  readonly views = new BoundedLRUCache<string, ProductView>(500, 60_000);
  readonly searches = new BoundedLRUCache<Query, Page>(200, 30_000);
  readonly #imported = new Map<string, Product>();
  #products = new Map<string, Product>();
  #refreshedAt: Date | undefined;
  #loading: Promise<void> | undefined;

  constructor(private readonly source: ProductSource) {
    super();
  }

  /** When the products were last loaded; undefined before the first time. */
  get refreshedAt(): Date | undefined {
    return this.#refreshedAt;
  }

  get size(): number {
    return this.#products.size;
  }

  /** Loads the products anew; while one load is under way, later callers wait for that one. */
  refresh(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
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

  /** Adds to a product's stock and returns the new one; undefined, and nothing changed, if it would be negative. */
  adjustStock(id: string, delta: number): number | undefined {
    const product = this.#products.get(id);
    if (product === undefined || product.stock + delta < 0) return undefined;
    product.stock += delta;
    this.views.delete(id);
    this.searches.clear();
    this.emit('stock', id, product.stock);
    return product.stock;
  }

  /** Adds products, or replaces everything about them but their stock. */
  upsert(products: readonly Product[]): void {
    if (products.length === 0) return;
    for (const product of products) {
      this.#imported.set(product.id, product);
      this.#put(product);
    }
    this.clearCaches();
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
    const loaded = await this.source();
    const before = this.#products;
    this.#products = new Map();
    for (const product of [...loaded, ...this.#imported.values()]) this.#put(product, before);
    this.#refreshedAt = new Date();
    this.clearCaches();
  }

  /** With the stock that it has had, if it was there before. */
  #put(product: Product, before = this.#products): void {
    this.#products.set(product.id, { ...product, stock: before.get(product.id)?.stock ?? product.stock });
  }
}

function toView(product: Product): ProductView {
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
