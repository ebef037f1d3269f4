import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Server as ListeningServer } from 'node:net';
import { createApp } from './app';
import type { Context } from './context';
import { PRODUCTS } from './data/products';
import { quoteCache } from './data/quoteCache';
import { USERS } from './data/users';
import { Database } from './database/database';
import { type DatabaseSettings, IN_MEMORY } from './database/settings';
import { WorkerAsyncLogger } from './lib/utilities/logging/asyncLogger';
import type { TimerManager } from './lib/utilities/performance/timerManager';
import { Limits } from './limits/limits';
import { type LimitOptions, limitSettings } from './limits/settings';
import { Catalogue, type ProductSource } from './services/catalogue';
import { type Carrier, Delivery, embeddedCarrier } from './services/delivery';
import { type Job, Jobs } from './services/jobs';
import { RequestMetrics } from './services/metrics';
import { Sessions } from './services/sessions';
import { StockWatch } from './services/stockWatch';
import { Supplies } from './services/supplies';
import { Shared } from './threads/shared';

export interface ServiceOptions {
  /** For background jobs. It belongs to the caller, who destroys it. */
  jobTimers: TimerManager;
  /** For requests: two at most for each one in flight. It belongs to the caller, who destroys it. */
  requestTimers: TimerManager;
  /** Milliseconds. @default 5000 */
  requestTimeout?: number;
  /** Where the catalogue is kept. @default in memory */
  database?: DatabaseSettings;
  /** How much clients may do. @default see the README */
  limits?: LimitOptions;
  /** A Redis in which instances keep what they have in common. @default none */
  cacheRedisUrl?: string;
  /** Where requests and errors are logged. @default nowhere */
  logFile?: string;
  /** Which of the threads of a service this is, from 1 on. @default the only one */
  thread?: { number: number; service: string };
  source?: ProductSource;
  carrier?: Carrier;
  report?: (error: unknown) => void;
}

/** How long stop() waits for requests in flight, in milliseconds. */
const STOP_PATIENCE = 10_000;
const IDLE_CHECK = 50;
/** How long a connection may be idle, in milliseconds. */
const KEEP_ALIVE = 75_000;
/** What of it the database has at least, for what runs after the last answer. */
const DATABASE_PATIENCE = 1000;

/** The whole service: state, background jobs and the HTTP server. */
export class Service {
  readonly context: Context;
  readonly server: Server;
  readonly #shared: Shared;
  #stopped: Promise<void> | undefined;

  constructor(options: ServiceOptions) {
    const { jobTimers, requestTimers } = options;
    const logger = options.logFile === undefined ? undefined : new WorkerAsyncLogger(options.logFile);
    const tell = options.report ?? ((error) => console.error(error));
    const report = (error: unknown) => {
      logger?.error('error', { error, service: 'catalogue' });
      tell(error);
    };
    logger?.on('error', tell);
    const requestTimeout = options.requestTimeout ?? 5000;
    const database = new Database(options.database ?? IN_MEMORY, requestTimeout, report);
    const { thread } = options;
    this.#shared = new Shared(thread?.service ?? `catalogue ${randomUUID()}`);
    const source = options.source ?? (async () => PRODUCTS);
    const catalogue = new Catalogue(source, database.articles, this.#shared);
    const sessions = new Sessions(USERS, this.#shared.sessions);
    const metrics = new RequestMetrics();
    const limits = limitSettings(options.limits ?? {});
    const carrier = options.carrier ?? embeddedCarrier(requestTimers);
    this.context = {
      jobTimers,
      requestTimers,
      requestTimeout,
      database,
      limits: new Limits(limits, report),
      trustedProxies: limits.trustedProxies,
      catalogue,
      supplies: new Supplies(database.articles, catalogue),
      sessions,
      metrics,
      stockWatch: new StockWatch(catalogue, requestTimers),
      delivery: new Delivery(
        carrier,
        quoteCache(this.#shared.quotes, options.cacheRedisUrl),
        requestTimeout,
        report,
      ),
      jobs: new Jobs(jobTimers, backgroundJobs(catalogue, sessions, metrics)),
      logger,
      thread: thread?.number,
      starting: thread !== undefined,
      stopping: false,
      report,
    };
    this.server = createServer(createApp(this.context));
    // Longer than proxies keep idle connections, so that none sends a request into one that ends.
    this.server.keepAliveTimeout = KEEP_ALIVE;
  }

  /** Sets up the database, loads the catalogue, starts the jobs and listens; resolves the base URL. */
  start(port: number, host: string): Promise<string> {
    return this.#start(async () => this.server.listen(port, host));
  }

  /** As start, but on the socket of another server, which is taken last: from then on it accepts what must be answered. */
  startOn(receive: () => Promise<ListeningServer>): Promise<string> {
    return this.#start(async () => this.server.listen(await receive()));
  }

  async #start(listen: () => Promise<Server>): Promise<string> {
    try {
      return await this.#listen(listen);
    } catch (error) {
      // What its pool still tries would keep the process.
      await this.context.database.close(0);
      await this.context.limits.close();
      await this.context.delivery.close();
      this.#shared.close();
      await this.context.logger?.destroy();
      throw error;
    }
  }

  async #listen(listen: () => Promise<Server>): Promise<string> {
    const { catalogue, database, jobTimers } = this.context;
    // First, so that it misses nothing.
    await database.listen(jobTimers, catalogue);
    await catalogue.refresh();
    const listening = once(this.server, 'listening');
    await listen();
    await listening;
    this.context.jobs.start();
    return urlOf(this.server.address() as AddressInfo);
  }

  /**
   * Answers what is in flight, takes nothing new, gives up on connections after ten seconds, and closes the database and Redis.
   * Idempotent.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const { context, server } = this;
    context.stopping = true;
    context.jobs.stop();
    const began = performance.now();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    context.stockWatch.releaseAll();
    // A connection that is kept alive becomes idle when its last answer is out, and nobody else closes it then.
    const idle = context.jobTimers.setInterval(() => server.closeIdleConnections(), IDLE_CHECK);
    const deadline = context.jobTimers.setTimeout(() => server.closeAllConnections(), STOP_PATIENCE);
    await closed;
    context.jobTimers.clearInterval(idle);
    context.jobTimers.clearTimeout(deadline);
    const left = STOP_PATIENCE - (performance.now() - began);
    await context.database.close(Math.max(left, DATABASE_PATIENCE));
    await context.limits.close();
    await context.delivery.close();
    context.catalogue.destroy();
    this.#shared.close();
    await context.logger?.destroy();
  }
}

/** The base URL of what listens there. */
export function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

function backgroundJobs(catalogue: Catalogue, sessions: Sessions, metrics: RequestMetrics): Job[] {
  return [
    { name: 'catalogue refresh', interval: 60_000, run: () => catalogue.refresh() },
    { name: 'session sweep', interval: 30_000, run: () => void sessions.sweep() },
    { name: 'metric roll-up', interval: 10_000, run: () => metrics.rollUp() },
  ];
}
