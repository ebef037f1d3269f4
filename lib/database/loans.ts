import type { Attributes } from '../openTelemetry/api.js';
import type { Lease } from '../pool/lease.js';
import type { AcquireOptions } from '../pool/options.js';
import { Deadline } from './deadline.js';
import type { DriverConnection } from './driver.js';
import { kindOf } from './kinds.js';

/** A connection on loan. */
export type Loan = Lease<DriverConnection>;

/** What the parts of a database pool need of the pool. */
export interface Lender {
  acquire(options?: AcquireOptions): Promise<Loan>;
  /** Replaces all connections. */
  evict(): void;
}

/** How long a statement may take to stop, in milliseconds, before its connection is closed. */
const STOPPING = 2_000;
/** Milliseconds in which one answer "read-only" stands for all of them. */
const EVICTED = 1_000;

const nothing = (): void => {};

/** A driver's call as a promise, whether it returns one, returns a value, or throws. */
export function started<T>(call: () => T | PromiseLike<T>): Promise<T> {
  try {
    return Promise.resolve(call());
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Stops what runs, and resolves once the connection is fit for another statement. Rejects if that cannot be had. */
export async function interrupt(connection: DriverConnection, running: PromiseLike<unknown>): Promise<void> {
  const stop = new AbortController();
  const deadline = new Deadline('Cancelling a statement', STOPPING, undefined);
  if (connection.cancel === undefined) throw new Error('The driver cannot cancel a statement');
  await deadline.guard(connection.cancel(running, { signal: stop.signal }), {
    gaveUp: (reason) => stop.abort(reason),
  });
}

/** Lends connections for statements, and decides what becomes of them afterwards. */
export class Loans {
  #evicted = Number.NEGATIVE_INFINITY;

  /**
   * @param acquireTimeout milliseconds that an acquire has where nothing shorter is said
   * @param target what spans say of the database
   */
  constructor(
    readonly lender: Lender,
    readonly acquireTimeout: number,
    readonly target: Attributes,
  ) {}

  /** A connection for a call that has `deadline`. */
  acquire({ affinity, priority }: AcquireOptions, { left, signal }: Deadline): Promise<Loan> {
    const usual = left >= this.acquireTimeout;
    if (usual && signal === undefined && affinity === undefined && priority === undefined) {
      return this.lender.acquire();
    }
    const timeout = usual ? this.acquireTimeout : left;
    return this.lender.acquire({ timeout, signal, affinity, priority });
  }

  /** Takes a connection back that answered, if only with an error. */
  giveBack(loan: Loan, error?: unknown): void {
    const kind = error === undefined ? 'other' : kindOf(error);
    if (kind === 'connection') loan.discard(error);
    else if (kind === 'readOnly') this.#replace(loan, error);
    else void loan.release();
  }

  /** Takes a connection back on which something still runs that nobody waits for any more. */
  async stop(loan: Loan, running: PromiseLike<unknown>, reason: unknown): Promise<void> {
    running.then(nothing, nothing);
    try {
      await interrupt(loan.connection, running);
      await loan.release();
    } catch {
      loan.discard(reason);
    }
  }

  /** After a failover a server takes no writes any more: all connections to it are of no use, not this one alone. */
  #replace(loan: Loan, error: unknown): void {
    loan.discard(error);
    const now = performance.now();
    if (now - this.#evicted < EVICTED) return;
    this.#evicted = now;
    this.lender.evict();
  }
}
