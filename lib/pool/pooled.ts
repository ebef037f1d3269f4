import type { Lease } from './lease.js';

/** Who takes connections back. */
export interface Lender<T> {
  readonly name: string;
  giveBack(pooled: Pooled<T>): void | Promise<void>;
  discard(pooled: Pooled<T>, error: unknown): void;
}

/** A connection in its place. */
export class Pooled<T> {
  /** The lending that is on; another one's lease has no say. */
  lease: Lease<T> | undefined;
  lentAt = Number.NaN;
  /** Holds the stack of the acquire, where leaks are looked for. */
  trace: { stack?: string } | undefined;
  /** Stops the validation that is on. */
  check: AbortController | undefined;
  /** What it was discarded with. */
  error: unknown;

  constructor(
    readonly lender: Lender<T>,
    readonly slot: number,
    readonly connection: T,
    private readonly number: number,
  ) {}

  get id(): string {
    return `${this.lender.name}:${this.number}`;
  }
}
