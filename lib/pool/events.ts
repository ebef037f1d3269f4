/** Why a connection was closed. */
export type CloseReason = 'idle' | 'lifetime' | 'uses' | 'broken' | 'invalid' | 'evicted' | 'closing';

/** By their numbers in the native core, from 1. */
export const CLOSE_REASONS: readonly CloseReason[] = [
  'idle',
  'lifetime',
  'uses',
  'broken',
  'invalid',
  'evicted',
  'closing',
];

/** Events of `ConnectionPool`, also on `node:diagnostics_channel` as `keelson:pool:<event>`. */
export interface ConnectionPoolEvents extends Record<string, unknown> {
  /** A connection was opened, in so many milliseconds. */
  open: { pool: string; id: string; ms: number };
  /** A connection was taken out of the pool; `error` is what it was discarded with, if anything. */
  close: { pool: string; id: string; reason: CloseReason; error: unknown };
  /** Opening a connection failed; so many attempts in a row have by now. */
  openError: { pool: string; error: Error; failures: number };
  /** `failureThreshold` attempts in a row have failed. */
  outage: { pool: string; error: Error; failures: number };
  /** A connection was opened again, so many milliseconds after the `outage`. */
  recovered: { pool: string; ms: number };
  /** A connection has been lent for longer than `leakAfter`; `stack` is where it was acquired. */
  leak: { pool: string; id: string; ms: number; stack: string };
  /** An acquire was given up at its deadline, after so many milliseconds. */
  timeout: { pool: string; ms: number };
  /**
   * An error that nobody else is told of: what `destroy`, `reset`, `ref` or `unref` threw, or a `destroy` that took
   * longer than `closeTimeout`. Without a listener there is one process warning.
   */
  error: unknown;
}
