import { setImmediate } from 'node:timers/promises';
import type { Driver, DriverConnection, RowReader, TransactionMode } from '../driver.js';
import { loadSqlite, SqliteFile } from './sqliteFile.js';

const READ_ONLY = 'PRAGMA query_only = 1';

/** A connection to an SQLite file. Each statement is over when its call returns, so that there is nothing to cancel. */
class SqliteConnection implements DriverConnection {
  #shared = false;
  #readOnly = false;

  constructor(readonly file: SqliteFile) {}

  get native(): unknown {
    this.#shared = true;
    return this.file.client;
  }

  query(sql: string, params?: readonly unknown[]): unknown {
    if (sql === READ_ONLY) this.#readOnly = true;
    return this.file.run(sql, params);
  }

  read(sql: string, params: readonly unknown[] | undefined): RowReader {
    let rows: IterableIterator<Record<string, unknown>> | undefined;
    return {
      read: async (count) => {
        // Others have their turn between two batches.
        if (rows !== undefined) await setImmediate();
        rows ??= this.file.iterate(sql, params);
        const batch: unknown[] = [];
        while (batch.length < count) {
          const { done, value } = rows.next();
          if (done) break;
          batch.push({ ...value });
        }
        return batch;
      },
      close: async () => {
        rows?.return?.();
      },
    };
  }

  async cancel(running: PromiseLike<unknown>): Promise<void> {
    await Promise.allSettled([running]);
  }

  alive(): boolean {
    return this.file.isOpen;
  }

  reset(): void {
    if (this.file.isInTransaction) this.file.run('ROLLBACK');
    if (this.#readOnly || this.#shared) this.file.run('PRAGMA query_only = 0');
    this.#readOnly = false;
    this.#shared = false;
  }

  transactionState(): 'none' | 'open' {
    return this.file.isInTransaction ? 'open' : 'none';
  }

  close(): void {
    this.file.close();
  }
}

/**
 * Every level is serializable in SQLite. A transaction that writes takes the lock for it at once: one that has read
 * before cannot wait for that lock, but has to begin anew.
 */
function begin({ readOnly }: TransactionMode): readonly string[] {
  return readOnly ? [READ_ONLY, 'BEGIN'] : ['BEGIN IMMEDIATE'];
}

/** SQLite, over Node's own client or better-sqlite3. `settings.database` is the file. */
export const sqliteDriver = (): Driver => ({
  name: 'sqlite',
  load: loadSqlite,
  connect: ({ database }) => new SqliteConnection(new SqliteFile(database)),
  begin,
});
