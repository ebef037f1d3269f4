import type { Config } from './config';
import { destroyJsonWorkerPool } from './lib/utilities/performance/jsonWorkerPool';
import { TimerManager, timerManager } from './lib/utilities/performance/timerManager';
import { Service, type ServiceOptions } from './service';

/** Where requests and errors are logged usually. */
export const LOG_FILE = './logs/application.log';
/** Two a request in flight; a service with more than half as many requests is stuck, and a warning says so. */
const MAX_REQUEST_TIMERS = 50_000;

/** The service of this thread, with what lives as long as the thread. */
export function running(config: Config, thread?: ServiceOptions['thread']): Service {
  const {
    requestTimeout,
    database,
    logFile,
    cacheRedisUrl,
    replicaCapacity,
    dashboardToken,
    metricsToken,
    ...limits
  } = config;
  const requestTimers = new TimerManager({ maxTimers: MAX_REQUEST_TIMERS });
  const service = new Service({
    jobTimers: timerManager,
    requestTimers,
    requestTimeout,
    limits,
    logFile: logFile ?? LOG_FILE,
    ...(database !== undefined && { database }),
    ...(cacheRedisUrl !== undefined && { cacheRedisUrl }),
    ...(replicaCapacity !== undefined && { replicaCapacity }),
    ...(dashboardToken !== undefined && { dashboardToken }),
    ...(metricsToken !== undefined && { metricsToken }),
    ...(thread !== undefined && { thread }),
  });
  // Last of all, as the others may still need them.
  service.lifecycle.register('JSON', { phase: 'loggers', stop: destroyJsonWorkerPool });
  service.lifecycle.register('request timers', requestTimers, { phase: 'loggers' });
  service.lifecycle.register('timers', timerManager, { phase: 'loggers' });
  return service;
}
