import { availableParallelism } from 'node:os';
import { bytes, choice, count, flag, milliseconds, number } from './kinds.js';
import { define, type Setting, variableOf } from './setting.js';

const NEVER = Number.POSITIVE_INFINITY;
const LONGEST = 2 ** 31 - 1;
const MIB = 2 ** 20;

/** All settings. A path is that of the option whose default it is, below the utility's name. */
export const SCHEMA = {
  'timer.maxTimers': define(
    count(1, NEVER),
    1_000,
    'Pending timers of a manager above which `onLimit` applies',
  ),
  'timer.onLimit': define(choice('warn', 'throw', 'evict-oldest'), 'warn', 'What a timer above that causes'),
  'timer.captureStacks': define(flag(), false, 'Whether `list()` tells where each timer was made', {
    development: true,
  }),
  'cache.ttl': define(milliseconds(1, NEVER), 300_000, 'How long an entry of a BoundedLRUCache lives'),
  'cache.memoryPressure': define(
    flag(),
    false,
    'Whether a cache shrinks when the process runs short of memory',
  ),
  'sharedCache.maxBytes': define(bytes(MIB, 2 ** 50), 64 * MIB, 'What a SharedCache takes at most'),
  'sharedCache.compressFrom': define(bytes(1, NEVER), NEVER, 'Values of this size and above are compressed'),
  'tieredCache.loadTimeout': define(milliseconds(1, 600_000), 30_000, 'How long a load may take'),
  'tieredCache.l3.timeout': define(milliseconds(1, 600_000), 1_000, 'What Redis has for an answer'),
  'tieredCache.l3.staleness': define(
    milliseconds(10, 30_000),
    1_000,
    'How late a change of another process is heard of at most',
  ),
  'json.maxWorkers': define(count(1, 1_024), halfTheCores, 'Native threads of a JSON pool'),
  'json.maxQueue': define(count(0, NEVER), 65_536, 'Tasks that may wait for their turn'),
  'json.onFull': define(choice('reject', 'wait'), 'reject', 'What a task gets that finds the queue full'),
  'pool.max': define(count(1, 65_536), 10, 'Connections of a ConnectionPool at most'),
  'pool.min': define(count(0, 65_536), 0, 'Connections that are kept open, `max` at most'),
  'pool.maxQueue': define(count(0, NEVER), NEVER, 'Acquires that may wait; one beyond them fails'),
  'pool.acquireTimeout': define(milliseconds(0, NEVER), 10_000, 'From an acquire to its connection'),
  'pool.createTimeout': define(milliseconds(1, NEVER), 10_000, 'For opening a connection'),
  'pool.idleTimeout': define(
    milliseconds(0, NEVER),
    30_000,
    'After which an idle connection beyond `min` is closed',
  ),
  'pool.maxLifetime': define(milliseconds(1, NEVER), 1_800_000, 'After which a connection is closed'),
  'pool.leakAfter': define(milliseconds(1, NEVER), NEVER, 'After which a connection still lent is reported', {
    development: 60_000,
  }),
  'pool.onOutage': define(
    choice('wait', 'fail'),
    'wait',
    'What acquires do while no connection can be opened',
  ),
  'database.maxConnections': define(
    count(1, 65_536),
    10,
    'Connections at most; with SQLite the default stays 1',
  ),
  'database.minConnections': define(count(0, 65_536), 2, 'Kept open, `maxConnections` at most'),
  'database.connectionTimeout': define(
    milliseconds(1, NEVER),
    10_000,
    'For opening a connection, and waiting for one',
  ),
  'database.queryTimeout': define(milliseconds(1, NEVER), 30_000, 'For a call in all, its retries included'),
  'redis.connectTimeout': define(milliseconds(1, 600_000), 5_000, 'For one attempt to connect to Redis'),
  'rateLimiter.maxKeys': define(count(1, 2 ** 30), 10_000, 'Keys that are known at once, in memory'),
  'rateLimiter.storeTimeout': define(milliseconds(1, 600_000), 50, 'What Redis has for an answer'),
  'rateLimiter.onStoreError': define(
    choice('local', 'open', 'closed'),
    'local',
    'What decides while Redis does not',
  ),
  'rateLimiter.localShare': define(number(0, 1), 1, 'The share of each quota that `local` has'),
  'rateLimiter.blockCache': define(
    milliseconds(0, LONGEST),
    1_000,
    'For which a denial by Redis may be repeated',
  ),
  'rateLimiter.shadow': define(flag(), false, 'Whether limiters only count, and deny nothing'),
  'breaker.timeout': define(milliseconds(1, NEVER), 10_000, 'After which a call is given up'),
  'breaker.failureRateThreshold': define(
    number(0.001, 100, '%'),
    50,
    'Failures of the calls that open a breaker',
  ),
  'breaker.slowCallDuration': define(milliseconds(0, NEVER), NEVER, 'From which on a call counts as slow'),
  'breaker.volumeThreshold': define(count(0, 1_000_000), 10, 'Fewer calls in the window open nothing'),
  'breaker.resetTimeout': define(
    milliseconds(0, NEVER),
    30_000,
    'How long a breaker stays open before it probes',
  ),
  'breaker.halfOpenCalls': define(count(1, 1_000), 1, 'Probes that decide whether it closes'),
  'log.level': define(
    choice('trace', 'debug', 'info', 'warn', 'error', 'fatal'),
    'trace',
    'Lines below it are not made',
  ),
  'log.pretty': define(flag('auto'), false, 'Whether streams get lines for a reader', {
    development: 'auto',
  }),
  'log.durability': define(
    choice('buffer', 'write', 'fsync'),
    'buffer',
    'What is true of a line when its call returns',
  ),
  'log.timestamp': define(choice('epoch', 'iso'), 'epoch', 'Milliseconds since 1970, or ISO 8601 in UTC'),
  'log.maxBuffer': define(count(1, 2 ** 30), 10_000, 'Lines that may wait to be written'),
  'log.maxBufferBytes': define(
    bytes(1_024, 2 ** 40),
    64 * MIB,
    'Their bytes; 8 MiB stay the default of `mmap`',
  ),
  'log.onFull': define(
    choice('drop-oldest', 'drop-newest', 'block'),
    'drop-oldest',
    'What becomes of a line for which there is no room',
  ),
  'log.flushInterval': define(
    milliseconds(0, LONGEST),
    100,
    'How long a line waits for others to be written with',
  ),
  'log.timeout': define(milliseconds(1, LONGEST), 5_000, 'How long a flush waits for what cannot be written'),
  'log.maxFileSize': define(bytes(1, NEVER), 100 * MIB, 'At which a file is rotated'),
  'lifecycle.readinessDelay': define(
    milliseconds(0, 600_000),
    0,
    'From readiness being false until servers stop accepting',
    { production: 5_000 },
  ),
  'lifecycle.timeout': define(milliseconds(1, LONGEST), 25_000, 'For a shutdown, with that delay', {
    development: 5_000,
  }),
  'lifecycle.grace': define(
    milliseconds(0, 600_000),
    1_000,
    'For connections without a request to end by themselves',
  ),
  'lifecycle.budgets.requests': define(milliseconds(1, LONGEST), 10_000, 'For requests under way'),
  'lifecycle.budgets.queues': define(milliseconds(1, LONGEST), 5_000, 'For queues to drain'),
  'health.eventLoopLag.max': define(
    milliseconds(1, 600_000),
    1_000,
    'Lateness of the event loop that is unready',
  ),
  'health.memory.heap.fail': define(number(0.01, 1), 0.95, 'Share of the heap in use that is unready'),
  'health.memory.rss.fail': define(
    number(0.01, 1),
    0.95,
    'Share of the memory that the process may have, likewise',
  ),
  'health.memory.cgroup.fail': define(number(0.01, 1), 0.97, "Share of the container's memory, likewise"),
  'health.checks.timeout': define(milliseconds(1, 600_000), 1_000, 'How long a check may take'),
  'health.checks.cache': define(milliseconds(0, 3_600_000), 1_000, 'For which its result is used again', {
    test: 0,
  }),
  'scaling.interval': define(milliseconds(50, 3_600_000), 10_000, 'From one measurement to the next'),
  'scaling.target': define(number(0.01, 1), 0.7, 'Share of the capacity that is to be used'),
  'scaling.min': define(count(0, 1_000_000), 1, 'Replicas at least, `max` at most'),
} as const;

function halfTheCores(): number {
  return Math.max(2, Math.min(1_024, Math.floor(availableParallelism() / 2)));
}

type Schema = typeof SCHEMA;

export type SettingPath = keyof Schema;

export type SettingValue<Path extends SettingPath> = Schema[Path] extends Setting<infer T> ? T : never;

type Head<Path> = Path extends `${infer First}.${string}` ? First : Path;
type Below<Settings, Name extends string> = {
  [Path in keyof Settings as Path extends `${Name}.${infer Rest}` ? Rest : never]: Settings[Path];
};

/** Settings by their paths, as objects inside of each other. */
export type Nested<Settings> = {
  [Name in Head<keyof Settings> & string]?:
    | (Name extends keyof Settings
        ? Settings[Name] extends Setting<infer T>
          ? T
          : never
        : Nested<Below<Settings, Name>>)
    | undefined;
};

/** What `configure` takes. */
export type NestedSettings = Nested<Schema>;

/** The same table, for paths of which nothing is known. */
export const SETTINGS: ReadonlyMap<string, Setting<unknown>> = new Map(Object.entries(SCHEMA));

/** Environment variables by path. */
export const VARIABLES: ReadonlyMap<string, string> = new Map(
  Object.keys(SCHEMA).map((path) => [path, variableOf(path)]),
);
