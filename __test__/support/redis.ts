import { DistributedRateLimiter } from 'keelson';
import { eventually, useServer } from './server';
import { createRedis, type RedisServer, type Settings } from './servers';

type Config = ConstructorParameters<typeof DistributedRateLimiter>[0];

/** A store may take that many milliseconds where a test is not about time: the machine may be busy. */
export const PATIENCE = 20_000;
/** What is over at once, or at a deadline, is over so many milliseconds later on a busy machine too. */
export const SLACK = 1500;
/** A window in which nothing is refilled while a test runs: 30 days, in milliseconds. */
export const LONG = 30 * 24 * 3600 * 1000;

export const ALGORITHMS = [
  'sliding-window',
  'sliding-window-counter',
  'fixed-window',
  'token-bucket',
  'gcra',
  'concurrency',
] as const;

/** A Redis of their own for the tests of a file, or of a describe block; `settings` are those of redis.conf. */
export const useRedis = (settings?: Settings): RedisServer => useServer(createRedis(settings));

/** How many clients have a connection to a server, but for the one that asks. */
export async function connections(server: RedisServer): Promise<number> {
  const clients: string = await server.command('CLIENT', 'LIST', 'TYPE', 'NORMAL');
  return clients.trim().split('\n').length - 1;
}

/** Destroys the limiters of a test after it, and waits until they have left no connection at the server. */
export function useLimiters(server?: RedisServer) {
  const limiters: DistributedRateLimiter[] = [];
  afterEach(async () => {
    for (const limiter of limiters.splice(0)) limiter.destroy();
    if (server?.isRunning) await eventually(async () => (await connections(server)) === 0);
  });
  return (config: Config): DistributedRateLimiter => {
    const limiter = new DistributedRateLimiter({
      windowMs: LONG,
      maxRequests: 100,
      storeTimeout: PATIENCE,
      onStoreError: 'closed',
      ...config,
    });
    limiters.push(limiter);
    return limiter;
  };
}

/** What a limiter tells about its store, in order. */
export function storeEvents(limiter: DistributedRateLimiter): string[] {
  const events: string[] = [];
  limiter.on('redis-error', () => events.push('redis-error'));
  limiter.on('recovered', () => events.push('recovered'));
  return events;
}

/** So many calls at once. */
export const times = <T>(count: number, call: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => call(index)));
