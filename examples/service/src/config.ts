import { type DatabaseSettings, IN_MEMORY, POOL_MAX, readDatabaseUrl } from './database/settings';
import { type LimitOptions, readRedisUrl, readTrustedProxies } from './limits/settings';
import { readThreads, requireShareable } from './threads/settings';

const MAX_LIMIT = 999_999_999;

/** What the environment decides. Of limits, what it leaves open is undefined. */
export interface Config extends LimitOptions {
  /** 0 lets the system choose a free port. */
  port: number;
  host: string;
  /** How many answer requests. Undefined: one, the main thread. */
  threads: number | undefined;
  /** After this many milliseconds a request that was not answered gets a 504. */
  requestTimeout: number;
  /** Undefined: one in memory. */
  database: DatabaseSettings | undefined;
  /** A Redis in which instances keep what they have in common. Undefined: each has its own. */
  cacheRedisUrl: string | undefined;
  /** Requests a second that one instance bears. Undefined: not known. */
  replicaCapacity: number | undefined;
  /** What who looks at the dashboard has to know. Undefined: one that is made up. */
  dashboardToken: string | undefined;
  /** What who asks for metrics is to have. Undefined: nothing. */
  metricsToken: string | undefined;
  /** Where requests and errors are logged. Undefined: where the service usually does. */
  logFile: string | undefined;
}

function integer<F>(env: NodeJS.ProcessEnv, name: string, fallback: F, min: number, max: number): number | F {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new RangeError(
    `${name} must be a whole number from ${min} to ${max}, but it is ${JSON.stringify(text)}`,
  );
}

/**
 * Reads PORT (default 3000), HOST (default 127.0.0.1), REQUEST_TIMEOUT_MS (default 5000), DATABASE_URL (default: in
 * memory), DATABASE_POOL_MAX (default 10), and what there is of THREADS, LOG_FILE, REQUEST_LIMIT, LOGIN_LIMIT, TRUSTED_PROXIES, REDIS_URL,
 * REDIS_TIMEOUT_MS, CACHE_REDIS_URL, REPLICA_CAPACITY, DASHBOARD_TOKEN and METRICS_TOKEN.
 * @throws {RangeError} for a value that is not of its form, or not a whole number in its range
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const { min, max } = POOL_MAX;
  const poolMax = integer(env, 'DATABASE_POOL_MAX', POOL_MAX.default, min, max);
  const database = env.DATABASE_URL ? readDatabaseUrl(env.DATABASE_URL, poolMax) : undefined;
  const threads = env.THREADS ? readThreads(env.THREADS) : undefined;
  if (threads !== undefined) requireShareable(threads, database ?? IN_MEMORY, process.platform);
  return {
    port: integer(env, 'PORT', 3000, 0, 65_535),
    host: env.HOST || '127.0.0.1',
    threads,
    requestTimeout: integer(env, 'REQUEST_TIMEOUT_MS', 5000, 1, 600_000),
    database,
    cacheRedisUrl: env.CACHE_REDIS_URL ? readRedisUrl('CACHE_REDIS_URL', env.CACHE_REDIS_URL) : undefined,
    replicaCapacity: integer(env, 'REPLICA_CAPACITY', undefined, 1, MAX_LIMIT),
    dashboardToken: env.DASHBOARD_TOKEN || undefined,
    metricsToken: env.METRICS_TOKEN || undefined,
    logFile: env.LOG_FILE || undefined,
    requestLimit: integer(env, 'REQUEST_LIMIT', undefined, 1, MAX_LIMIT),
    loginLimit: integer(env, 'LOGIN_LIMIT', undefined, 1, MAX_LIMIT),
    trustedProxies: env.TRUSTED_PROXIES ? readTrustedProxies(env.TRUSTED_PROXIES) : undefined,
    redisUrl: env.REDIS_URL ? readRedisUrl('REDIS_URL', env.REDIS_URL) : undefined,
    redisTimeout: integer(env, 'REDIS_TIMEOUT_MS', undefined, 1, 600_000),
  };
}
