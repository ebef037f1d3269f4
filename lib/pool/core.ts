import type { ConnectionPoolEvents } from './events.js';
import type { Figures } from './figures.js';
import type { NativeConnectionPool } from './native.js';
import type { ConnectionFactory, Settings } from './options.js';
import type { Lender, Pooled } from './pooled.js';
import type { PoolTime } from './time.js';

/** What the parts of a pool share. */
export interface Core<T> extends Lender<T> {
  readonly settings: Settings;
  readonly factory: ConnectionFactory<T>;
  readonly native: NativeConnectionPool;
  readonly time: PoolTime;
  readonly figures: Figures;
  /** The open connection of each slot. */
  readonly places: (Pooled<T> | undefined)[];
  /** Connections that are open, or closing. */
  readonly known: Set<T>;
  /** Whether `close()` was called. */
  readonly closed: boolean;
  /** Whether its time is up. */
  readonly forced: boolean;
  /** Attempts to open a connection that failed in a row. */
  readonly failures: number;
  emit<Name extends keyof ConnectionPoolEvents & string>(
    name: Name,
    payload: ConnectionPoolEvents[Name],
  ): void;
  /** Asks the factory whether a connection is fit for use. */
  alive(pooled: Pooled<T>): boolean;
  /** Tells the factory that a connection is to keep the process alive. */
  ref(pooled: Pooled<T>): void;
  /** Hands a connection to the ticket that the native core has for it; with -1 it idles. */
  rest(pooled: Pooled<T>, ticket: number, now: number): void;
  /** Makes a lent connection ready for others. */
  takeBack(pooled: Pooled<T>): void;
  /** To be called after each call of the native core: carries out what it wants. */
  after(): void;
}
