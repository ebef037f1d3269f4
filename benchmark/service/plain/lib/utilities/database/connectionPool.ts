import { EventEmitter } from 'node:events';

/**
 * The original compiles with no driver, and no query of it succeeds. This is the least that serves a service whose database is an
 * SQLite: one connection, which one of the callers has at a time, and a timer for each that waits. The client is the one that
 * keelson takes too, and statements are kept prepared as there.
 */
export interface DriverConnection {
  readonly native: unknown;
  query(sql: string, params?: readonly unknown[]): unknown;
}

export interface Lease<C> {
  readonly connection: C;
  discard(error?: unknown): void;
}

export interface DatabaseConfig {
  driver: string;
  database: string;
  connectionTimeout?: number;
  [other: string]: unknown;
}

interface Statement {
  all(...params: unknown[]): Record<string, unknown>[];
  iterate(...params: unknown[]): IterableIterator<Record<string, unknown>>;
  run(...params: unknown[]): unknown;
  columns?(): unknown[];
  readonly reader?: boolean;
}

interface Client {
  prepare(sql: string): Statement;
  close(): void;
}

type Params = readonly unknown[];
type Rows = { rows: Record<string, unknown>[] };

interface Transaction {
  run<T>(sql: string, params?: Params): Promise<T>;
}

function open(file: string): Client {
  const builtin = process.getBuiltinModule as ((name: string) => any) | undefined;
  const { DatabaseSync, StatementSync } = builtin?.('node:sqlite') ?? {};
  const Class = StatementSync?.prototype.columns === undefined ? require('better-sqlite3') : DatabaseSync;
  return new Class(file);
}

export class DatabaseConnectionPool extends EventEmitter {
  private readonly client: Client;
  private readonly statements = new Map<string, Statement>();
  private readonly waiting: Array<() => void> = [];
  private readonly connectionTimeout: number;
  private busy = false;
  private closed = false;

  constructor({ driver, database, connectionTimeout = 10_000 }: DatabaseConfig) {
    super();
    if (driver !== 'sqlite') throw new Error(`There is no driver for ${driver} here`);
    this.client = open(database);
    this.connectionTimeout = connectionTimeout;
  }

  run<T>(sql: string, params: Params = [], _options?: object): Promise<T> {
    return this.exclusively(async () => this.execute(sql, params) as T);
  }

  transaction<T>(work: (tx: Transaction) => Promise<T>, _options?: object): Promise<T> {
    const tx: Transaction = { run: async (sql, params = []) => this.execute(sql, params) as never };
    return this.exclusively(() => this.inTransaction(() => work(tx)));
  }

  queryMany<T>(
    sql: string,
    rows: Iterable<Params> | AsyncIterable<Params>,
    _options?: object,
  ): Promise<Array<{ data: T }>> {
    const all = async () => {
      const results: Array<{ data: T }> = [];
      for await (const params of rows) results.push({ data: this.execute(sql, params) as T });
      return results;
    };
    return this.exclusively(() => this.inTransaction(all));
  }

  async *stream<T>(sql: string, params: Params = [], _options?: object): AsyncGenerator<T, void> {
    const { rows } = await this.run<Rows>(sql, params);
    yield* rows as T[];
  }

  async acquire(): Promise<Lease<DriverConnection>> {
    throw new Error('An SQLite is lent to nobody');
  }

  getStats() {
    return { total: this.closed ? 0 : 1, idle: this.busy ? 0 : 1, waiting: this.waiting.length };
  }

  metrics() {
    return this.getStats();
  }

  async close(_options?: object): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.client.close();
  }

  private execute(sql: string, params: Params): Rows {
    const statement = this.statements.get(sql) ?? this.client.prepare(sql);
    this.statements.set(sql, statement);
    // By its numbers, since $1 may be there twice.
    const values = params.length === 0 ? [] : [Object.fromEntries(params.map((value, i) => [i + 1, value]))];
    if (statement.reader ?? statement.columns!().length > 0) return { rows: statement.all(...values) };
    statement.run(...values);
    return { rows: [] };
  }

  private async inTransaction<T>(work: () => Promise<T>): Promise<T> {
    this.execute('BEGIN IMMEDIATE', []);
    try {
      const result = await work();
      this.execute('COMMIT', []);
      return result;
    } catch (error) {
      this.execute('ROLLBACK', []);
      throw error;
    }
  }

  private async exclusively<T>(work: () => Promise<T>): Promise<T> {
    if (this.busy) await this.turn();
    this.busy = true;
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.busy = false;
    }
  }

  private turn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const mine = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(mine), 1);
        reject(new Error(`No connection within ${this.connectionTimeout} ms`));
      }, this.connectionTimeout);
      this.waiting.push(mine);
    });
  }
}

export default DatabaseConnectionPool;
