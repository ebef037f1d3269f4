import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo, Server as ListeningServer } from 'node:net';
import { createApp } from './app';
import type { Context } from './context';
import { PRODUCTS } from './data/products';
import { quoteCache } from './data/quoteCache';
import { USERS } from './data/users';
import { Database } from './database/database';
import { type DatabaseSettings, IN_MEMORY } from './database/settings';
import { createAppServer } from './http/server';
import { WorkerAsyncLogger } from './lib/utilities/logging/asyncLogger';
import { Dashboard, Lifecycle } from './lib/utilities/operations/operations';
import type { TimerManager } from './lib/utilities/performance/timerManager';
import { Limits } from './limits/limits';
import { type LimitOptions, limitSettings } from './limits/settings';
import { healthOf } from './operations/health';
import { registerParts } from './operations/parts';
import { scalingOf } from './operations/scaling';
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
  /** Requests a second that one instance bears. @default not known, and no replicas are recommended */
  replicaCapacity?: number;
  /** What who looks at the dashboard has to know. @default one that is made up */
  dashboardToken?: string;
  /** What who asks for metrics is to have as a Bearer token. @default everybody may */
  metricsToken?: string;
  source?: ProductSource;
  carrier?: Carrier;
  report?: (error: unknown) => void;
}

/** How long a connection may be idle, in milliseconds. */
const KEEP_ALIVE = 75_000;

/** The whole service: state, background jobs and the HTTP server. */
export class Service {
  readonly context: Context;
  readonly server: Server;
  readonly lifecycle = new Lifecycle();
  #listen!: () => Promise<Server>;

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
    const shared = new Shared(thread?.service ?? `catalogue ${randomUUID()}`);
    const source = options.source ?? (async () => PRODUCTS);
    const catalogue = new Catalogue(source, database.articles, shared);
    const sessions = new Sessions(USERS, shared.sessions);
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
        quoteCache(shared.quotes, options.cacheRedisUrl),
        requestTimeout,
        report,
      ),
      jobs: new Jobs(jobTimers, backgroundJobs(catalogue, sessions, metrics)),
      health: healthOf(this.lifecycle, database, () => this.context.starting),
      scaling: scalingOf(options.replicaCapacity, options.cacheRedisUrl),
      metricsToken: options.metricsToken,
      dashboard: new Dashboard({ token: options.dashboardToken }),
      logger,
      thread: thread?.number,
      starting: thread !== undefined,
      stopping: false,
      report,
    };
    this.server = createAppServer(createApp(this.context));
    // Longer than proxies keep idle connections, so that none sends a request into one that ends.
    this.server.keepAliveTimeout = KEEP_ALIVE;
    const { context, server } = this;
    const listen = async () => {
      const listening = once(server, 'listening');
      await this.#listen();
      await listening;
    };
    registerParts(this.lifecycle, { context, server, shared, listen });
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
    this.#listen = listen;
    try {
      await this.lifecycle.ready();
    } catch (error) {
      // What its pool still tries would keep the process.
      await this.lifecycle.shutdown({ reason: 'it did not start' });
      throw error;
    }
    return urlOf(this.server.address() as AddressInfo);
  }

  /**
   * Answers what is in flight, takes nothing new, gives up on connections after ten seconds, and closes the database and Redis.
   * Idempotent.
   */
  async stop(): Promise<void> {
    await this.lifecycle.shutdown();
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
