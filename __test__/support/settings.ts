import { BoundedLRUCache, type Configuration, configure, type SettingPath } from 'keelson';

const from = <T>(name: string): T => require(`../../dist/${name}.js`) as T;

const breaker = from<typeof import('../../lib/breaker/options')>('breaker/options');
const cache = from<typeof import('../../lib/cache/options')>('cache/options');
const database = from<typeof import('../../lib/database/config')>('database/config');
const health = from<typeof import('../../lib/health/options')>('health/options');
const memory = from<typeof import('../../lib/health/memory')>('health/memory');
const json = from<typeof import('../../lib/json/options')>('json/options');
const lifecycle = from<typeof import('../../lib/lifecycle/options')>('lifecycle/options');
const log = from<typeof import('../../lib/log/options')>('log/options');
const limiter = from<typeof import('../../lib/rateLimiter/options')>('rateLimiter/options');
const pool = from<typeof import('../../lib/pool/options')>('pool/options');
const redis = from<typeof import('../../lib/redis/options')>('redis/options');
const scaling = from<typeof import('../../lib/scaling/options')>('scaling/options');
const shared = from<typeof import('../../lib/sharedCache/options')>('sharedCache/options');
const tiered = from<typeof import('../../lib/tieredCache/options')>('tieredCache/options');
const timer = from<typeof import('../../lib/timer/options')>('timer/options');

const MOST = 65_536;
const client = { eval: () => null };
const factory = { create: () => ({}), validate: () => true };
const stream = () => log.logSettings({ destinations: [{ stream: 'stdout' }] });
const queue = () => stream().destinations[0]!.numbers;
const poolNative = () => pool.poolSettings({}, factory).native;
const breakerOf = () => breaker.breakerSettings({}, { name: 'x' });
const limits = () => limiter.settingsOf({ windowMs: 1_000, maxRequests: 1 }, false);
const databaseOf = () => database.databaseSettings({ database: 'd', driver: 'pg' });
const tiers = () => tiered.settingsOf({ l1: new BoundedLRUCache(1) as any, l3: { redis: client } });
const scale = () => scaling.settingsOf({ name: 'x', capacity: 1, max: 1_000_000 });

/** What each setting has come to where a utility is made without the option, as its native or JavaScript side gets it. */
export const EFFECTIVE: Readonly<Record<SettingPath, () => unknown>> = {
  'timer.maxTimers': () => timer.managerSettings({}).maxTimers,
  'timer.onLimit': () => timer.managerSettings({}).onLimit,
  'timer.captureStacks': () => timer.managerSettings({}).captureStacks,
  'cache.ttl': () => cache.settings(1).ttl,
  'cache.memoryPressure': () => cache.settings(1).pressure !== undefined,
  'sharedCache.maxBytes': () => shared.settingsOf({ name: 'x' }).numbers[0],
  'sharedCache.compressFrom': () => shared.settingsOf({ name: 'x' }).numbers[4],
  'tieredCache.loadTimeout': () => tiers().loadTimeout,
  'tieredCache.l3.timeout': () => tiers().l3!.timeout,
  'tieredCache.l3.staleness': () => tiers().l3!.staleness,
  'json.maxWorkers': () => json.poolOptions(undefined).maxWorkers,
  'json.maxQueue': () => json.poolOptions(undefined).maxQueue,
  'json.onFull': () => json.poolOptions(undefined).onFull,
  'pool.max': () => poolNative()[0],
  'pool.min': () => pool.poolSettings({ max: MOST }, factory).native[1],
  'pool.maxQueue': () => pool.poolSettings({}, factory).maxQueue,
  'pool.acquireTimeout': () => pool.poolSettings({}, factory).acquireTimeout,
  'pool.createTimeout': () => pool.poolSettings({}, factory).createTimeout,
  'pool.idleTimeout': () => poolNative()[2],
  'pool.maxLifetime': () => poolNative()[3],
  'pool.leakAfter': () => pool.poolSettings({}, factory).leakAfter,
  'pool.onOutage': () => ['wait', 'fail'][poolNative()[16]!],
  'database.maxConnections': () => databaseOf().pool.max,
  'database.minConnections': () =>
    database.databaseSettings({ database: 'd', maxConnections: MOST }).pool.min,
  'database.connectionTimeout': () => databaseOf().pool.acquireTimeout,
  'database.queryTimeout': () => databaseOf().queryTimeout,
  'redis.connectTimeout': () => Number(/connectTimeout\0(\d+)/.exec(redis.redisSpec('redis://x'))![1]),
  'rateLimiter.maxKeys': () => limits().maxKeys,
  'rateLimiter.storeTimeout': () => limits().storeTimeout,
  'rateLimiter.onStoreError': () => limits().onStoreError,
  'rateLimiter.localShare': () => limits().localShare,
  'rateLimiter.blockCache': () => limits().blockCache,
  'rateLimiter.shadow': () => limits().shadow,
  'breaker.timeout': () => breakerOf().timeout,
  'breaker.failureRateThreshold': () => breakerOf().native[3],
  'breaker.slowCallDuration': () => breakerOf().native[4],
  'breaker.volumeThreshold': () => breakerOf().native[6],
  'breaker.resetTimeout': () => breakerOf().native[7],
  'breaker.halfOpenCalls': () => breakerOf().native[8],
  'log.level': () => ['trace', 'debug', 'info', 'warn', 'error', 'fatal'][stream().severity],
  'log.pretty': () => stream().destinations[0]!.pretty,
  'log.durability': () => ['buffer', 'soon', 'write', 'fsync'][stream().urgencies[0]!],
  'log.timestamp': () => stream().timestamp,
  'log.maxBuffer': () => queue().maxLines,
  'log.maxBufferBytes': () => queue().maxBytes,
  'log.onFull': () => ['drop-oldest', 'drop-newest', 'block'][queue().onFull],
  'log.flushInterval': () => queue().flushInterval,
  'log.timeout': () => queue().timeout,
  // 0 is never.
  'log.maxFileSize': () => log.logSettings({}).destinations[0]!.numbers.maxSize || Number.POSITIVE_INFINITY,
  'lifecycle.readinessDelay': () => lifecycle.settingsOf({}).readinessDelay,
  'lifecycle.timeout': () => lifecycle.settingsOf({}).timeout,
  'lifecycle.grace': () => lifecycle.settingsOf({}).grace,
  'lifecycle.budgets.requests': () => lifecycle.settingsOf({}).budgets.requests,
  'lifecycle.budgets.queues': () => lifecycle.settingsOf({}).budgets.queues,
  'health.eventLoopLag.max': () => health.lagOf({}).fail,
  'health.memory.heap.fail': () => memory.levelsOf('heap', {}).fail,
  'health.memory.rss.fail': () => memory.levelsOf('rss', {}).fail,
  'health.memory.cgroup.fail': () => memory.levelsOf('cgroup', {}).fail,
  'health.checks.timeout': () => health.checkSettingsOf(() => {}).timeout,
  'health.checks.cache': () => health.checkSettingsOf(() => {}).cache,
  'scaling.interval': () => scale().interval,
  'scaling.target': () => scale().plan.target,
  'scaling.min': () => scale().plan.min,
};

/** The object that `configure` takes for one path. */
export function nested(path: string, value: unknown): Configuration {
  return path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Configuration;
}

/** Gives each test of a file an environment without what others have set, and no configuration. */
export function useCleanSettings(): void {
  const before = { ...process.env };
  const clean = () => {
    for (const name of Object.keys(process.env)) {
      if (name.startsWith('KEELSON_') || name === 'NODE_ENV') delete process.env[name];
    }
    configure();
  };
  beforeEach(clean);
  afterEach(() => {
    clean();
    Object.assign(process.env, before);
  });
}
