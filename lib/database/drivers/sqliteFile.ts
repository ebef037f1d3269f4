import { InvalidArgumentError } from '../../errors.js';
import { loaded } from './load.js';

type Values = readonly unknown[];

/** A prepared statement, as both clients have it. */
interface Prepared {
  all(...params: Values): Record<string, unknown>[];
  run(...params: Values): { changes: number | bigint; lastInsertRowid: number | bigint };
  iterate(...params: Values): IterableIterator<Record<string, unknown>>;
  /** better-sqlite3: whether it gives rows. */
  readonly reader?: boolean;
  /** node:sqlite: the columns of its rows. */
  columns?(): unknown[];
}

/** An open file, as both clients have it. */
interface Client {
  prepare(sql: string): Prepared;
  exec(sql: string): unknown;
  close(): unknown;
  readonly open?: boolean;
  readonly isOpen?: boolean;
  readonly inTransaction?: boolean;
  readonly isTransaction?: boolean;
}

/** What a statement gives, much as with pg. */
export interface SqliteResult {
  rows: Record<string, unknown>[];
  /** Rows that were read or changed. */
  rowCount: number;
  /** Of the row inserted last, where nothing was read. */
  lastInsertRowid?: number | bigint;
}

/** Statements that are kept prepared. */
const KEPT = 100;

/** Strings, quoted names and comments, in which placeholders and semicolons mean nothing. */
const QUOTED = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\//g;

interface Kept {
  readonly statement: Prepared;
  readonly reads: boolean;
  readonly numbered: boolean;
}

type ClientClass = new (file: string, options: { timeout: number }) => Client;

/** Node's own client from 22.16 on, which has what is needed here, else better-sqlite3. */
export function loadSqlite(): ClientClass {
  const builtin = process.getBuiltinModule as ((name: string) => any) | undefined;
  const { DatabaseSync, StatementSync } = builtin?.('node:sqlite') ?? {};
  if (StatementSync?.prototype.columns !== undefined) return DatabaseSync;
  return loaded<ClientClass>('sqlite', 'better-sqlite3', () => require('better-sqlite3'));
}

/** A value as SQLite can keep it, as far as pg would take it too. */
function bindable(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === 'boolean') return Number(value);
  return value instanceof Date ? value.toISOString() : value;
}

/** `$1` and `?1` are names to both clients, to be given in an object. */
function bound(params: Values, numbered: boolean): Values {
  const values = params.map(bindable);
  if (!numbered || values.length === 0) return values;
  return [Object.fromEntries(values.map((value, index) => [index + 1, value]))];
}

/** An SQLite file with one face for both clients. All of it is synchronous. */
export class SqliteFile {
  readonly client: Client;
  readonly #kept = new Map<string, Kept>();

  constructor(file: string) {
    const Client = loadSqlite();
    // A lock of another connection is not waited for: that would stop this thread, and with it who holds the lock.
    this.client = new Client(file, { timeout: 0 });
  }

  get isOpen(): boolean {
    return this.client.isOpen ?? this.client.open ?? true;
  }

  get isInTransaction(): boolean {
    return this.client.isTransaction ?? this.client.inTransaction ?? false;
  }

  /** Runs a statement, or several without parameters. */
  run(sql: string, params: Values = []): SqliteResult {
    const { statement, reads, numbered } = this.#prepare(sql) ?? {};
    if (statement === undefined) {
      // Clients would leave them out, and SQLite take null for each.
      if (params.length > 0) {
        throw new InvalidArgumentError('Several statements in one text take no parameters with SQLite');
      }
      this.client.exec(sql);
      return { rows: [], rowCount: 0 };
    }
    const values = bound(params, numbered!);
    if (reads) {
      const rows = Array.from(statement.all(...values), (row) => ({ ...row }));
      return { rows, rowCount: rows.length };
    }
    const { changes, lastInsertRowid } = statement.run(...values);
    // What changes tables changes what was prepared.
    if (/^\s*(create|alter|drop|attach|detach|pragma|vacuum)/i.test(sql)) this.#kept.clear();
    return { rows: [], rowCount: Number(changes), lastInsertRowid };
  }

  /** Rows as they are asked for. */
  iterate(sql: string, params: Values = []): IterableIterator<Record<string, unknown>> {
    const statement = this.client.prepare(sql);
    return statement.iterate(...bound(params, isNumbered(sql.replace(QUOTED, ''))));
  }

  /** Undefined for several statements in one: clients refuse them, or run the first alone. */
  #prepare(sql: string): Kept | undefined {
    const known = this.#kept.get(sql);
    if (known !== undefined) return known;
    const bare = sql.replace(QUOTED, ' ');
    if (/;\s*\S/.test(bare)) return undefined;
    const statement = this.client.prepare(sql);
    const reads = statement.reader ?? statement.columns!().length > 0;
    const kept = { statement, reads, numbered: isNumbered(bare) };
    if (this.#kept.size >= KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(sql, kept);
    return kept;
  }

  close(): void {
    if (this.isOpen) this.client.close();
  }
}

const isNumbered = (bare: string): boolean => /[$?]\d/.test(bare);
