import type { Config } from './config';
import { destroyJsonWorkerPool } from './lib/utilities/performance/jsonWorkerPool';
import { TimerManager, timerManager } from './lib/utilities/performance/timerManager';
import { Service, type ServiceOptions } from './service';

/** Where requests and errors are logged usually. */
export const LOG_FILE = './logs/application.log';
/** Two a request in flight; a service with more than half as many requests is stuck, and a warning says so. */
const MAX_REQUEST_TIMERS = 50_000;

/** The service of this thread, with what lives as long as the thread. */
export class Running {
  readonly service: Service;
  readonly #requestTimers = new TimerManager({ maxTimers: MAX_REQUEST_TIMERS });

  constructor(config: Config, thread?: ServiceOptions['thread']) {
    const { requestTimeout, database, logFile, ...limits } = config;
    this.service = new Service({
      jobTimers: timerManager,
      requestTimers: this.#requestTimers,
      requestTimeout,
      limits,
      logFile: logFile ?? LOG_FILE,
      ...(database !== undefined && { database }),
      ...(thread !== undefined && { thread }),
    });
  }

  async stop(): Promise<void> {
    await this.service.stop();
    // After the last answer: what is pending in the pool is rejected.
    await destroyJsonWorkerPool();
    this.#requestTimers.destroy();
    timerManager.destroy();
  }
}
