import type { Product } from '../data/products';
import type { DatabaseConnectionPool } from '../lib/utilities/database/connectionPool';
import { slices } from '../services/slices';
import { telling } from './away';
import type { Columns, Dialect } from './dialects';

/** A product as it is in the database. */
export interface StoredProduct extends Product {
  /** Grows with each change of it. */
  version: number;
}

/** What a supplier sent of one article. */
export interface Supply {
  id: string | number;
  /** As JSON. */
  document: string;
  /** If it is for sale. */
  product?: Product | undefined;
}

/** 7 and '7' are two ids. */
export const keyOf = (id: string | number): string => JSON.stringify(id);

const COLUMNS: Columns = {
  key: 'text',
  document: 'text',
  name: 'text',
  category: 'text',
  price: 'bigint',
  stock: 'bigint',
  description: 'text',
};
const OF_PRODUCT = 'name, category, price, stock, description';

/** More than this nobody has of anything. */
export const MAX_STOCK = 1_000_000_000;

/** Articles that are made rows at once. */
const BATCH = 100;
/** Articles that are read at once. */
const READ = 500;
/** The file may be locked by another instance that starts. */
const SETUP_RETRIES = 10;

/** The statements, of which one row of `given` each is a product or an article. */
function statements({ given, alone }: Dialect) {
  const table = given(COLUMNS);
  return {
    products: `SELECT key, version, ${OF_PRODUCT} FROM articles WHERE price IS NOT NULL ORDER BY position`,

    /** Adds products that nobody has sent, or what is new about them, but for their stock. */
    seed: `
      INSERT INTO articles (key, imports, version, ${OF_PRODUCT})
      SELECT key, 0, 1, ${OF_PRODUCT} FROM ${table} WHERE ${alone}
      ON CONFLICT (key) DO UPDATE SET
        name = excluded.name, category = excluded.category, price = excluded.price,
        description = excluded.description, version = articles.version + 1
      WHERE articles.imports = 0 AND (
        articles.name <> excluded.name OR articles.category <> excluded.category
        OR articles.price <> excluded.price OR articles.description <> excluded.description)`,

    /** The stock stays what it is, and a product remains one. */
    take: `
      INSERT INTO articles (key, document, imports, version, ${OF_PRODUCT})
      SELECT key, document, 1, 1, ${OF_PRODUCT} FROM ${table} WHERE ${alone}
      ON CONFLICT (key) DO UPDATE SET
        document = excluded.document, imports = articles.imports + 1, version = articles.version + 1,
        name = COALESCE(excluded.name, articles.name), category = COALESCE(excluded.category, articles.category),
        price = COALESCE(excluded.price, articles.price), stock = COALESCE(articles.stock, excluded.stock),
        description = COALESCE(excluded.description, articles.description)
      RETURNING imports`,

    adjust: `
      UPDATE articles SET stock = stock + $2, version = version + 1
      WHERE key = $1 AND stock + $2 BETWEEN 0 AND ${MAX_STOCK}
      RETURNING stock, version`,

    documents: 'SELECT document FROM articles WHERE imports > 0 ORDER BY position',
  };
}

type Rows<Row> = { rows: Row[] };
/** PostgreSQL's BIGINT comes as a string. */
type Whole = number | string;
type ProductRow = Record<'key' | 'name' | 'category' | 'description', string> &
  Record<'price' | 'stock' | 'version', Whole>;

/** The table of articles. What it asks rejects with DatabaseAwayError while the database is away. */
export class Articles {
  readonly #sql;

  constructor(
    private readonly pool: DatabaseConnectionPool,
    private readonly dialect: Dialect,
    /** Milliseconds that a request has. */
    private readonly patience: number,
  ) {
    this.#sql = statements(dialect);
  }

  /** Makes the table if it is not there, and puts products into it; any number of instances may do so at once. */
  setUp(products: readonly Product[]): Promise<void> {
    const given = products.map(({ id, ...product }) => ({ key: keyOf(id), ...product }));
    const work = this.pool.transaction(
      async (tx) => {
        for (const sql of this.dialect.schema) await tx.run(sql);
        for (const params of this.dialect.parameters(given, COLUMNS)) await tx.run(this.#sql.seed, params);
      },
      { retries: SETUP_RETRIES },
    );
    return telling(work);
  }

  /** All products, in the order in which they came. */
  async products(): Promise<StoredProduct[]> {
    const { rows } = await telling(this.pool.run<Rows<ProductRow>>(this.#sql.products));
    return rows.map(({ key, price, stock, version, ...texts }) => ({
      ...texts,
      id: JSON.parse(key) as string,
      price: Number(price),
      stock: Number(stock),
      version: Number(version),
    }));
  }

  /** Adds to a product's stock, whoever else does so; undefined, and nothing changed, if it would be negative. */
  async adjustStock(id: string, delta: number): Promise<{ stock: number; version: number } | undefined> {
    const work = this.pool.run<Rows<Record<'stock' | 'version', Whole>>>(
      this.#sql.adjust,
      [keyOf(id), delta],
      { timeout: this.patience },
    );
    const [row] = (await telling(work)).rows;
    return row && { stock: Number(row.stock), version: Number(row.version) };
  }

  /** Adds articles or replaces what was known of them, all or none; returns how many are new. */
  async take(supplies: readonly Supply[], signal?: AbortSignal): Promise<number> {
    const { statements: batchSize } = this.dialect;
    const rows = parameters(supplies, this.dialect);
    const work = this.pool.queryMany<Rows<{ imports: Whole }>>(this.#sql.take, rows, { batchSize, signal });
    let created = 0;
    for (const { data } of await telling(work))
      for (const { imports } of data!.rows) if (Number(imports) === 1) created++;
    return created;
  }

  /** What suppliers sent, as JSON, in the order in which ids were first seen. */
  async *documents(signal?: AbortSignal): AsyncGenerator<string> {
    const rows = this.pool.stream<{ document: string }>(this.#sql.documents, [], { batchSize: READ, signal });
    try {
      for (;;) {
        const next = await telling(rows.next());
        if (next.done) return;
        yield next.value.document;
      }
    } finally {
      await rows.return();
    }
  }
}

/** Parameters of `take`, a little at a time. */
async function* parameters(supplies: readonly Supply[], dialect: Dialect): AsyncGenerator<unknown[]> {
  for await (const slice of slices(supplies, BATCH)) {
    // PostgreSQL takes a key only once a statement; the last one counts.
    const given = new Map(slice.map((supply) => [keyOf(supply.id), supply]));
    const rows = Array.from(given, ([key, { document, product }]) => ({
      ...product,
      id: undefined,
      key,
      document,
    }));
    yield* dialect.parameters(rows, COLUMNS);
  }
}
