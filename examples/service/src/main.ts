import { readConfig } from './config';
import { destroyJsonWorkerPool } from './lib/utilities/performance/jsonWorkerPool';
import { TimerManager, timerManager } from './lib/utilities/performance/timerManager';
import { Service } from './service';

const LOG_FILE = './logs/application.log';
/** Two a request in flight; a service with more than half as many requests is stuck, and a warning says so. */
const MAX_REQUEST_TIMERS = 50_000;

async function main(): Promise<void> {
  const { port, host, requestTimeout, database, logFile, ...limits } = readConfig(process.env);
  const requestTimers = new TimerManager({ maxTimers: MAX_REQUEST_TIMERS });
  const service = new Service({
    jobTimers: timerManager,
    requestTimers,
    requestTimeout,
    limits,
    logFile: logFile ?? LOG_FILE,
    ...(database !== undefined && { database }),
  });

  let stopping = false;
  const stop = async (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    console.log(`${signal}: answering what is in flight, then closing`);
    await service.stop();
    // After the last answer: what is pending in the pool is rejected.
    await destroyJsonWorkerPool();
    requestTimers.destroy();
    timerManager.destroy();
    console.log('closed');
  };
  // A second signal changes nothing: npm passes on the one that the terminal has sent already.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, (name) => void stop(name));

  console.log(`Catalogue at ${await service.start(port, host)}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
