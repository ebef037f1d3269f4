import { type Config, readConfig } from './config';
import { WorkerAsyncLogger } from './lib/utilities/logging/asyncLogger';
import { Dashboard, Lifecycle } from './lib/utilities/operations/operations';
import { LOG_FILE, running } from './running';
import { Threads } from './threads/threads';

interface Process {
  dashboard: Dashboard;
  lifecycle: Lifecycle;
  /** Resolves the base URL. */
  start(port: number, host: string): Promise<string>;
}

/** The service in the main thread. */
function alone(config: Config): Process {
  const service = running(config);
  const { dashboard } = service.context;
  return { dashboard, lifecycle: service.lifecycle, start: (port, host) => service.start(port, host) };
}

/** In milliseconds: more than threads take. */
const AROUND_THREADS = { readinessDelay: 0, timeout: 32_000, budgets: { requests: 28_000 } };

/** The service in worker threads. */
function together(config: Config, count: number): Process {
  // Only of use for its address: the threads answer.
  const dashboard = new Dashboard({ token: config.dashboardToken });
  const logger = new WorkerAsyncLogger(config.logFile ?? LOG_FILE);
  logger.on('error', (error) => console.error(error));
  const threads = new Threads(count, dashboard.token!, (error) => {
    logger.error('error', { error, service: 'catalogue' });
    console.error(error.message);
  });
  // Each thread has a lifecycle of its own, with all of its phases and delays.
  const lifecycle = new Lifecycle(AROUND_THREADS);
  lifecycle.register('log', logger);
  lifecycle.register('threads', { phase: 'requests', dependsOn: ['log'], stop: () => threads.stop() });
  return {
    dashboard,
    lifecycle,
    start: async (port, host) => {
      const url = await threads.start(port, host).catch(async (error: unknown) => {
        await lifecycle.shutdown();
        throw error;
      });
      await lifecycle.ready();
      if (config.redisUrl === undefined)
        console.log(`Each of ${count} threads counts limits for itself; with REDIS_URL all count together`);
      return url;
    },
  };
}

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const { threads = 1 } = config;
  const service = threads === 1 ? alone(config) : together(config, threads);
  service.lifecycle.handleSignals();
  const url = await service.start(config.port, config.host);
  console.log(`Catalogue at ${url}`);
  console.log(`Dashboard at ${service.dashboard.url(url)}`);
  service.lifecycle.on('shutdown', ({ reason }) =>
    console.log(`${reason}: answering what is in flight, then closing`),
  );
  service.lifecycle.on('finished', ({ isClean, cutOff }) =>
    console.log(isClean ? 'closed' : `closed, but cut off ${JSON.stringify(cutOff)}`),
  );
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
