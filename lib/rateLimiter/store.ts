import type { CacheStats } from '../cache/types.js';
import { RedisClientLimits } from '../redis/client.js';
import { RedisLimits } from '../redis/limits.js';
import { RedisLink } from '../redis/link.js';
import type { RateLimitCounts, RateLimitStoreMetrics } from './figures.js';
import type { HealthHooks } from './health.js';
import { MemoryEngine, MemoryLimits } from './memory.js';
import type { Settings } from './options.js';
import { type Remote, RemoteEngine } from './remote.js';
import type { Verdicts } from './verdicts.js';

/** Where a limiter's counts are: in memory, or in Redis over a link or a client. */
export interface Store {
  readonly engine: MemoryEngine | RemoteEngine;
  metrics(): RateLimitStoreMetrics;
  /** Of the keys in memory. */
  keys(): CacheStats;
}

export function openStore(
  settings: Settings,
  verdicts: Verdicts,
  counts: RateLimitCounts,
  hooks: HealthHooks,
): Store {
  const { redis, redisClient } = settings;
  const remote = (over: Remote): RemoteEngine => new RemoteEngine(settings, over, verdicts, counts, hooks);
  if (redisClient !== undefined) {
    const engine = remote(new RedisClientLimits(redisClient, settings));
    return { engine, metrics: () => metricsOf('client', engine), keys: () => keysOf(engine, settings) };
  }
  if (redis !== undefined) {
    const link = RedisLink.open(redis);
    const engine = remote(new Linked(link, settings));
    return {
      engine,
      metrics: () => ({ ...metricsOf('redis', engine), link: link.counts() }),
      keys: () => keysOf(engine, settings),
    };
  }
  const { limits, blockDuration, maxKeys } = settings;
  const engine = new MemoryEngine(new MemoryLimits(limits, blockDuration, maxKeys), verdicts);
  return {
    engine,
    metrics: () => ({ kind: 'memory', state: 'up', outages: 0 }),
    keys: () => engine.memory.stats(),
  };
}

function metricsOf(kind: 'redis' | 'client', { health }: RemoteEngine): RateLimitStoreMetrics {
  return { kind, state: health.isDown ? 'down' : 'up', outages: health.outages };
}

/** Of the limits that stand in for Redis. */
function keysOf({ standIn }: RemoteEngine, { maxKeys: maxSize }: Settings): CacheStats {
  const none = { hits: 0, misses: 0, evictions: 0, expirations: 0, hitRate: 0, currentSize: 0, maxSize };
  return standIn.known?.stats() ?? none;
}

/** Limits over a link that is theirs to close. */
class Linked extends RedisLimits {
  constructor(link: RedisLink, { keyPrefix, numbers, storeTimeout }: Settings) {
    super(link, keyPrefix, numbers, storeTimeout);
  }

  override close(): void {
    super.close();
    this.link.close();
  }
}
