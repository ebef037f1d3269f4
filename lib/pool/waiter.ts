import { spans } from '../openTelemetry/spans.js';
import type { Abortable } from '../signals.js';
import type { Lease } from './lease.js';

type Resolve = (value: any) => void;
type Reject = (error: unknown) => void;

let resolveOf: Resolve | undefined;
let rejectOf: Reject | undefined;
/** One for all promises, so that none of them needs a closure. */
const capture = (resolve: Resolve, reject: Reject): void => {
  resolveOf = resolve;
  rejectOf = reject;
};

/** What an acquire asks for. */
export interface Wish {
  /** Milliseconds that it has. */
  readonly timeout: number;
  /** As the native core numbers them. */
  readonly priority: number;
  readonly affinity: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Holds the stack of the call, where leaks are looked for. */
  readonly trace: { stack?: string } | undefined;
}

/** An acquire that waits. */
export class Waiter<T> {
  readonly promise: Promise<Lease<T>>;
  readonly resolve: (lease: Lease<T>) => void;
  readonly reject: (error: unknown) => void;
  readonly wish: Wish;
  /** What its signal ends. */
  abortable: Abortable | undefined;

  constructor(wish: Wish) {
    this.promise = new Promise<Lease<T>>(capture);
    this.resolve = resolveOf!;
    this.reject = rejectOf!;
    // They know the promise, and by that its lease and the pool.
    resolveOf = undefined;
    rejectOf = undefined;
    this.wish = wish;
    this.abortable = undefined;
  }

  /** What its caller gets. */
  answer(pool: string): Promise<Lease<T>> {
    return spans === undefined ? this.promise : spans.wait(pool, this.promise);
  }
}
