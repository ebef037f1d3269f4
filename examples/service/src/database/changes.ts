import type { EventEmitter } from 'node:events';
import type {
  DatabaseConnectionPool,
  DriverConnection,
  Lease,
} from '../lib/utilities/database/connectionPool';
import type { TimerManager } from '../lib/utilities/performance/timerManager';
import { telling } from './away';
import { CHANNEL } from './dialects';

/** What is done about changes. */
export interface ChangeHandler {
  /** Whether this version of an article, or a later one, is known here: then the change was made here. */
  knows(id: string, version: number): boolean;
  refresh(): Promise<void>;
}

/** Milliseconds in which many changes become one refresh, and between two attempts to listen again. */
const GATHERING = 50;
const AGAIN = 250;
/** The connection is asked for a sign of life this often, and given up if none comes in time. */
const PULSE = 2000;
const PATIENCE = 1500;

/**
 * Hears on a connection of its own what other instances change in PostgreSQL. That connection also tells at once when
 * the database goes away; it listens again by itself.
 */
export class ChangeListener {
  #lease: Lease<DriverConnection> | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #isStopped = false;
  #refresh: NodeJS.Timeout | undefined;
  #pulse: NodeJS.Timeout | undefined;

  constructor(
    private readonly pool: DatabaseConnectionPool,
    private readonly timers: TimerManager,
    private readonly handler: ChangeHandler,
  ) {}

  get isListening(): boolean {
    return this.#lease !== undefined;
  }

  /** Rejects if the database is away. */
  async start(): Promise<void> {
    await telling(this.#listen());
    this.#pulse = this.timers.setInterval(() => void this.#check(), PULSE);
    void this.#keepListening();
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#pulse !== undefined) this.timers.clearInterval(this.#pulse);
    if (this.#refresh !== undefined) this.timers.clearTimeout(this.#refresh);
    // It listens, and so it is of no use to anyone else.
    this.#lease?.discard();
    this.#lease = undefined;
  }

  async #listen(): Promise<void> {
    const lease = await this.pool.acquire();
    const client = lease.connection.native as EventEmitter;
    this.#ended = new Promise((resolve) => client.once('end', resolve));
    client.on('notification', ({ payload }: { payload: string }) => this.#hear(payload));
    try {
      await this.#ask(lease, `LISTEN ${CHANNEL}`);
    } catch (error) {
      lease.discard(error);
      throw error;
    }
    if (this.#isStopped) lease.discard();
    else this.#lease = lease;
  }

  async #keepListening(): Promise<void> {
    for (;;) {
      await this.#ended;
      if (this.#isStopped) return;
      this.#lease?.discard();
      this.#lease = undefined;
      while (!this.#isStopped && !this.isListening) await this.#tryAgain();
      // Of what has changed meanwhile, nobody has told.
      this.#refreshSoon();
    }
  }

  async #tryAgain(): Promise<void> {
    try {
      await this.#listen();
    } catch {
      if (this.#isStopped) return;
      // The pool tells of outages.
      await new Promise((resolve) => this.timers.setTimeout(() => resolve(undefined), AGAIN));
    }
  }

  async #check(): Promise<void> {
    // Whatever goes wrong ends the connection.
    if (this.#lease !== undefined) await this.#ask(this.#lease, 'SELECT 1').catch(() => {});
  }

  /** Asks over a connection, which is given up if no answer comes. */
  async #ask(lease: Lease<DriverConnection>, sql: string): Promise<void> {
    const late = this.timers.setTimeout(() => lease.discard(), PATIENCE);
    try {
      await lease.connection.query(sql);
    } finally {
      this.timers.clearTimeout(late);
    }
  }

  #hear(payload: string): void {
    const end = payload.indexOf(' ');
    const version = Number(payload.slice(0, end));
    if (!this.handler.knows(JSON.parse(payload.slice(end + 1)), version)) this.#refreshSoon();
  }

  #refreshSoon(): void {
    if (this.#isStopped) return;
    this.#refresh ??= this.timers.setTimeout(() => {
      this.#refresh = undefined;
      // If the database goes away again, the next time that it is back will do.
      this.handler.refresh().catch(() => {});
    }, GATHERING);
  }
}
