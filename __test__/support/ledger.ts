import type { DatabaseConnectionPool, QueryOptions } from 'keelson';
import { ask } from './postgres';
import type { ServerProcess } from './servers';

/**
 * Callers that write numbers into a table through a pool, each number once. The table tells whether what they were told
 * is true: it lets a number in twice, so that a statement that was sent twice shows.
 */
export class Ledger {
  /** Numbers that the pool said were written. */
  readonly written: number[] = [];
  /** Numbers of which it said that they were not, or perhaps not; with the error. */
  readonly failed = new Map<number, Error>();
  #next = 0;

  constructor(
    readonly pool: DatabaseConnectionPool,
    readonly server: ServerProcess,
  ) {}

  /** Makes the table anew. */
  async open(): Promise<void> {
    await ask(this.server, 'DROP TABLE IF EXISTS ledger');
    await ask(this.server, 'CREATE TABLE ledger (number int NOT NULL)');
    await ask(this.server, 'GRANT INSERT ON ledger TO public');
  }

  /** Writes the next number: 0, 1, 2, and so on. */
  async write(options?: QueryOptions): Promise<void> {
    const number = this.#next++;
    const { success, error } = await this.pool.query('INSERT INTO ledger VALUES ($1)', [number], options);
    if (success) this.written.push(number);
    else this.failed.set(number, error!);
  }

  /** Lets so many callers write, one number after the other; the function that it gives ends that. */
  keepWriting(callers: number): () => Promise<void> {
    let over = false;
    const caller = async () => {
      while (!over) await this.write();
    };
    const running = Promise.all(Array.from({ length: callers }, caller));
    return async () => {
      over = true;
      await running;
    };
  }

  /**
   * Everything that was said to be written is there once; what is there beside that failed, and is there once. Resolves
   * to how many those are.
   */
  async verify(): Promise<number> {
    const rows = await ask<{ number: number }>(this.server, 'SELECT number FROM ledger');
    const numbers = rows.map(({ number }) => number);
    const there = new Set(numbers);
    expect(numbers).toHaveLength(there.size);
    expect(this.written.filter((number) => !there.has(number))).toEqual([]);
    expect(this.written.length + this.failed.size).toBe(this.#next);
    for (const number of this.written) there.delete(number);
    expect([...there].filter((number) => !this.failed.has(number))).toEqual([]);
    return there.size;
  }
}
