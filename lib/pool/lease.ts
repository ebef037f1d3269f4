import { asyncDispose, dispose } from '../dispose.js';
import type { Pooled } from './pooled.js';

/** A connection on loan. To give it back twice, or after the pool took it back by force, does nothing. */
export class Lease<T> {
  private readonly pooled: Pooled<T>;
  private readonly loan: number;

  /** @internal */
  constructor(pooled: Pooled<T>) {
    this.pooled = pooled;
    this.loan = pooled.loan;
  }

  get connection(): T {
    return this.pooled.connection;
  }

  /** The connection's name, unique within the pool. */
  get id(): string {
    return this.pooled.id;
  }

  /** Whether the connection is still on loan. */
  get active(): boolean {
    return this.pooled.loan === this.loan;
  }

  /**
   * Gives the connection back. Returns a promise only where the factory's `reset` does; it resolves when the connection
   * is ready for others, or discarded, and never rejects.
   */
  release(): void | Promise<void> {
    const { pooled } = this;
    return pooled.loan === this.loan ? pooled.lender.giveBack(pooled) : undefined;
  }

  /** Gives a broken connection back: it is destroyed and never lent again. `error` goes to the `close` event. */
  discard(error?: unknown): void {
    const { pooled } = this;
    if (pooled.loan === this.loan) pooled.lender.discard(pooled, error);
  }

  [dispose](): void {
    void this.release();
  }

  async [asyncDispose](): Promise<void> {
    await this.release();
  }
}
