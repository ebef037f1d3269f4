import { type Config, readConfig } from './config';
import { WorkerAsyncLogger } from './lib/utilities/logging/asyncLogger';
import { LOG_FILE, Running } from './running';
import { Threads } from './threads/threads';

interface Process {
  /** Resolves the base URL. */
  start(port: number, host: string): Promise<string>;
  stop(): Promise<void>;
}

/** The service in the main thread. */
function alone(config: Config): Process {
  const running = new Running(config);
  return { start: (port, host) => running.service.start(port, host), stop: () => running.stop() };
}

/** The service in worker threads. */
function together(config: Config, count: number): Process {
  const logger = new WorkerAsyncLogger(config.logFile ?? LOG_FILE);
  logger.on('error', (error) => console.error(error));
  const threads = new Threads(count, (error) => {
    logger.error('error', { error, service: 'catalogue' });
    console.error(error.message);
  });
  return {
    start: async (port, host) => {
      const url = await threads.start(port, host).catch(async (error: unknown) => {
        await logger.destroy();
        throw error;
      });
      if (config.redisUrl === undefined)
        console.log(`Each of ${count} threads counts limits for itself; with REDIS_URL all count together`);
      return url;
    },
    stop: async () => {
      await threads.stop();
      await logger.destroy();
    },
  };
}

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const { threads = 1 } = config;
  const service = threads === 1 ? alone(config) : together(config, threads);

  let stopping = false;
  const stop = async (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    console.log(`${signal}: answering what is in flight, then closing`);
    await service.stop();
    console.log('closed');
  };
  // A second signal changes nothing: npm passes on the one that the terminal has sent already.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, (name) => void stop(name));

  console.log(`Catalogue at ${await service.start(config.port, config.host)}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
