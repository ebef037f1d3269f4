import type { Database } from './database/database';
import type { WorkerAsyncLogger } from './lib/utilities/logging/asyncLogger';
import type { Dashboard, Health, Scaling } from './lib/utilities/operations/operations';
import type { TimerManager } from './lib/utilities/performance/timerManager';
import type { TrustProxy } from './lib/utilities/security/rateLimiter';
import type { Limits } from './limits/limits';
import type { Catalogue } from './services/catalogue';
import type { Delivery } from './services/delivery';
import type { Jobs } from './services/jobs';
import type { RequestMetrics } from './services/metrics';
import type { Sessions } from './services/sessions';
import type { StockWatch } from './services/stockWatch';
import type { Supplies } from './services/supplies';

/** What the routes work with. */
export interface Context {
  /** Timers of background jobs. */
  jobTimers: TimerManager;
  /** Timers of requests; there are as many as requests in flight. */
  requestTimers: TimerManager;
  /** After this many milliseconds a request that was not answered gets a 504. */
  requestTimeout: number;
  database: Database;
  limits: Limits;
  /** Proxies whose word is taken for who the client is, and how it came. */
  trustedProxies: TrustProxy;
  catalogue: Catalogue;
  supplies: Supplies;
  sessions: Sessions;
  metrics: RequestMetrics;
  stockWatch: StockWatch;
  delivery: Delivery;
  jobs: Jobs;
  health: Health;
  /** Undefined: what an instance bears is not known. */
  scaling: Scaling | undefined;
  dashboard: Dashboard;
  /** What who asks for metrics is to have. Undefined: nothing. */
  metricsToken: string | undefined;
  /** Of requests and errors, if there is a file for them. */
  logger: WorkerAsyncLogger | undefined;
  /** Which of several threads this is, from 1 on. Undefined: the only one. */
  thread: number | undefined;
  /** Set while other threads of the service do not listen yet; it is not ready until then. */
  starting: boolean;
  /** Set when the service begins to stop; it is not ready from then on. */
  stopping: boolean;
  /** Told about errors that clients did not cause. */
  report: (error: unknown) => void;
}
