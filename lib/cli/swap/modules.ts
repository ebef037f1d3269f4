/** One of the modules that keelson stands in for. */
export interface KnownModule {
  readonly title: string;
  /** File names without extension, in lower case and without dashes; an index file goes by its folder's name. */
  readonly stems: readonly string[];
  /** Values, of which a file exports one if it is this module. */
  readonly values: readonly string[];
}

export const KNOWN_MODULES: readonly KnownModule[] = [
  {
    title: 'timer manager',
    stems: ['timermanager', 'timermanagers', 'timers'],
    values: ['TimerManager', 'timerManager'],
  },
  {
    title: 'cache and buffer',
    stems: ['boundedcache', 'boundedlrucache', 'boundedlru', 'lrucache', 'circularbuffer', 'ringbuffer'],
    values: ['BoundedLRUCache', 'CircularBuffer'],
  },
  {
    title: 'JSON pool',
    stems: ['jsonworkerpool', 'jsonpool', 'jsonworker', 'asyncjson'],
    values: [
      'JSONWorkerPool',
      'parseJSONAsync',
      'stringifyJSONAsync',
      'getJsonWorkerPool',
      'destroyJsonWorkerPool',
    ],
  },
  {
    title: 'router',
    stems: ['router', 'routetrie', 'optimizedrouter', 'routing'],
    values: ['RouteTrie', 'OptimizedRouter'],
  },
  {
    title: 'rate limiter',
    stems: ['ratelimiter', 'distributedratelimiter', 'ratelimit', 'ratelimiting'],
    values: ['DistributedRateLimiter'],
  },
  {
    title: 'file logger',
    stems: ['asynclogger', 'workerasynclogger', 'workerlogger'],
    values: ['WorkerAsyncLogger'],
  },
  {
    title: 'database pool',
    stems: ['connectionpool', 'databaseconnectionpool', 'databasepool', 'dbpool'],
    values: ['DatabaseConnectionPool'],
  },
];

/** Every value that one of the modules exports. */
export const KNOWN_VALUES: ReadonlySet<string> = new Set(KNOWN_MODULES.flatMap(({ values }) => values));

/** A file's or folder's name as {@link KnownModule.stems} writes it. */
export function stemOf(name: string): string {
  return name.toLowerCase().replace(/[-_. ]/g, '');
}

/** The module that a file's path speaks for, with `/` between its parts. */
export function moduleOf(path: string): KnownModule | undefined {
  const stem = pathStem(path);
  return KNOWN_MODULES.find(({ stems }) => stems.includes(stem));
}

/** What a path is known by: its file's name, or its folder's if the file is an index. */
export function pathStem(path: string): string {
  const parts = path.split('/');
  const file = stemOf(parts.at(-1)!.replace(/\.[cm]?[jt]s$/, ''));
  return file === 'index' && parts.length > 1 ? stemOf(parts.at(-2)!) : file;
}
