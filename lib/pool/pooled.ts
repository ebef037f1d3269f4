/** Who takes connections back. */
export interface Lender<T> {
  readonly name: string;
  giveBack(pooled: Pooled<T>): void | Promise<void>;
  discard(pooled: Pooled<T>, error: unknown): void;
}

/** A connection in its place. */
export class Pooled<T> {
  /**
   * The number of the loan that is on, or comes next; another one's lease has no say. A number and not the lease: to
   * point from an old object to a new one costs the garbage collector's write barrier.
   */
  loan = 0;
  lentAt = Number.NaN;
  /** When it is too old to be lent: at once, if it was evicted. */
  expires = Number.NEGATIVE_INFINITY;
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

  /** Ends the loan that is on, whatever its lease does later. */
  endLoan(): void {
    this.loan = (this.loan + 1) | 0;
  }

  get id(): string {
    return `${this.lender.name}:${this.number}`;
  }
}
