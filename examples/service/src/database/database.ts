import { DatabaseConnectionPool } from '../lib/utilities/database/connectionPool';
import type { TimerManager } from '../lib/utilities/performance/timerManager';
import { Articles } from './articles';
import { type ChangeHandler, ChangeListener } from './changes';
import { postgres, sqlite } from './dialects';
import { type DatabaseSettings, poolConfig } from './settings';

/** What of its time a request waits for the database, so that it can still tell that this is away. */
const SHARE = 0.8;

/** The database: its pool, its table, and the news of what others change in it. */
export class Database {
  readonly pool: DatabaseConnectionPool;
  readonly articles: Articles;
  #listener: ChangeListener | undefined;

  constructor(
    private readonly settings: DatabaseSettings,
    requestTimeout: number,
    report: (error: unknown) => void,
  ) {
    const patience = Math.ceil(SHARE * requestTimeout);
    this.pool = new DatabaseConnectionPool(poolConfig(settings, patience));
    // Once an outage, and not once a request.
    this.pool.on('outage', ({ error }) => report(error));
    this.pool.on('error', report);
    this.articles = new Articles(this.pool, settings.kind === 'sqlite' ? sqlite : postgres, patience);
  }

  /** Whether the database was there when last heard of. One that is embedded always is. */
  get isAway(): boolean {
    return this.#listener?.isListening === false;
  }

  /** Learns of changes from now on, where there is somebody else to make them. */
  async listen(timers: TimerManager, handler: ChangeHandler): Promise<void> {
    if (this.settings.kind === 'sqlite') return;
    const listener = new ChangeListener(this.pool, timers, handler);
    await listener.start();
    this.#listener = listener;
  }

  /** Which one it is, whether it is there, and the numbers of its connections. */
  state() {
    return { kind: this.settings.kind, away: this.isAway, ...this.pool.getStats() };
  }

  /** Waits up to `timeout` milliseconds for what is under way. Idempotent. */
  async close(timeout: number): Promise<void> {
    this.#listener?.stop();
    await this.pool.close({ timeout });
  }
}
