import { readConfig } from './config';
import { TimerManager, timerManager } from './lib/utilities/performance/timerManager';
import { Service } from './service';

async function main(): Promise<void> {
  const { port, host, requestTimeout } = readConfig(process.env);
  const requestTimers = new TimerManager();
  const service = new Service({ jobTimers: timerManager, requestTimers, requestTimeout });

  const stop = async (signal: NodeJS.Signals) => {
    console.log(`${signal}: answering what is in flight, then closing`);
    await service.stop();
    requestTimers.destroy();
    timerManager.destroy();
    console.log('closed');
  };
  // Once: a second signal ends the process at once.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, (name) => void stop(name));

  console.log(`Catalogue at ${await service.start(port, host)}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
