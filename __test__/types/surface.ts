// The type surface that services swap keelson in for, line by line as they use it. Compiled in strict mode by
// `npm run lint`, and against the packed tarball in each module resolution by package/tarballs.spec.ts; never run.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type {
  CacheItem,
  CircuitBreakerFleet,
  CircuitBreakerSharedOptions,
  ConcurrencyLease,
  JSONParseOptions,
  JSONStringifyOptions,
  JSONWorkerPoolMetrics,
  KeelsonErrorCode,
  LogDestination,
  OlderRateLimitDecision,
  RateLimitDecision,
  RateLimiterConfig,
  RateLimitResult,
  RouteHandler,
  RouteMatch,
  TrieNode,
  WorkerAsyncLoggerOptions,
} from 'keelson';
import {
  BoundedLRUCache,
  CircuitBreaker,
  CircularBuffer,
  CostAboveQuotaError,
  DestroyedError,
  DistributedRateLimiter,
  destroyJsonWorkerPool,
  getJsonWorkerPool,
  InvalidArgumentError,
  type JSONDocument,
  JSONLimitError,
  JSONSyntaxError,
  JSONWorkerPool,
  json,
  KeelsonError,
  type LogError,
  MalformedPathError,
  OptimizedRouter,
  parseJSONAsync,
  QueueFullError,
  RedisError,
  RouteConflictError,
  RouteTimeoutError,
  RouteTrie,
  stringifyJSONAsync,
  TimerManager,
  timerManager,
  WorkerAsyncLogger,
} from 'keelson';

export function timers(): void {
  const manager: TimerManager = timerManager;
  const timeout: NodeJS.Timeout = manager.setTimeout(() => {}, 1);
  const interval: NodeJS.Timeout = new TimerManager().setInterval(() => {}, 1);
  manager.clearTimeout(timeout);
  manager.clearInterval(interval);
  timeout.unref();
  clearTimeout(timeout);
  const stats: { timeouts: number; intervals: number; total: number } = manager.getStats();
  const destroy: () => void = () => manager.destroy();
  void [stats, destroy];
}

export function cache(): void {
  const cache = new BoundedLRUCache<string, { n: number }>(10);
  const loose: BoundedLRUCache<string, any> = new BoundedLRUCache(1000);
  const structural = new BoundedLRUCache<{ a: number }, number>(10, 5);
  cache.set('a', { n: 1 });
  cache.set('a', { n: 1 }, 5);
  const got: { n: number } | undefined = cache.get('a');
  const there: boolean = cache.has('a') && cache.delete('a');
  cache.clear();
  const size: number = cache.size;
  const stats: {
    hits: number;
    misses: number;
    evictions: number;
    expirations: number;
    hitRate: number;
    currentSize: number;
    maxSize: number;
  } = cache.getStats();
  cache.resetStats();
  cache.destroy();
  const values: { n: number }[] = cache.values();
  const entries: Array<[string, { n: number }]> = cache.entries();
  const keys: string[] = cache.keys();
  for (const [key, value] of cache.entries()) void [key.length, value.n];
  structural.set({ a: 1 }, 2);
  const item: CacheItem<number> = { value: 1, timestamp: 1, ttl: 1, accessCount: 1, lastAccessed: 1 };
  void [loose, got, there, size, stats, values, entries, keys, item];
}

export function buffer(): void {
  const buffer = new CircularBuffer<string>(3);
  buffer.push('x');
  const first: string | undefined = buffer.shift();
  const all: string[] = buffer.getAll();
  const length: number = buffer.getLength();
  const full: boolean = buffer.isFull();
  buffer.clear();
  void [first, all, length, full];
}

const route: RouteHandler = {
  id: 'x',
  method: ['GET'],
  handler: (_req, _res, next) => {
    next();
  },
  middleware: [
    (_req, _res, next) => {
      next();
    },
  ],
  weight: 1,
  timeout: 1,
  retries: 1,
};

export function trie(): void {
  const trie = new RouteTrie();
  trie.insert('/', route);
  const match: RouteMatch | null = trie.search('/', 'GET');
  if (match) {
    const params: Record<string, string> = match.params;
    const wildcard: boolean = match.wildcard;
    const id: string = match.handler.id;
    void [params, wildcard, id];
  }
  const routes: Array<{ path: string; handler: RouteHandler }> = trie.getAllRoutes();
  trie.clear();
  const stats: { size: number; maxSize: number } = trie.getCacheStats();
  let node: TrieNode | undefined;
  void [routes, stats, node];
}

export function router(): void {
  const router = new OptimizedRouter();
  router.addRoute('/', route);
  router.handle({} as any, {} as any, () => {});
  const stats: { routes: number; cacheSize: number; loadBalancers: number } = router.getStats();
  // As a listener of a server, and with a handler whose request and response have types of their own.
  const listener: (req: IncomingMessage, res: ServerResponse) => void = router.handle;
  const handler = (req: IncomingMessage, res: ServerResponse) => void res.end(req.url);
  router.addRoute('/typed', { id: 'typed', method: 'GET', handler });
  void [stats, listener];
}

export async function jsonPool(): Promise<void> {
  const pool = new JSONWorkerPool();
  new JSONWorkerPool(2);
  const parsed: Promise<{ q: 1 }> = pool.enqueueTask<{ q: 1 }>(
    'parse',
    '{}',
    { reviver: (_key: string, value: any) => value },
    'high',
  );
  const written: Promise<string> = pool.enqueueTask(
    'stringify',
    { a: 1 },
    { replacer: (_key, value) => value, space: 2 },
    'low',
  );
  const stats: {
    totalProcessed: number;
    errorCount: number;
    avgProcessingTime: number;
    activeWorkers: number;
    queueSize: number;
    memoryUsage: NodeJS.MemoryUsage;
  } = pool.getStats();
  const flushed: Promise<void> = pool.flush();
  const destroyed: Promise<void> = pool.destroy();
  const one: Promise<any> = parseJSONAsync('1');
  const list: Promise<number[]> = parseJSONAsync<number[]>('[]', (_key, value) => value);
  const text: Promise<string> = stringifyJSONAsync({}, (_key, value) => value, 2);
  const shared: JSONWorkerPool = getJsonWorkerPool();
  const gone: Promise<void> = destroyJsonWorkerPool();
  const options: JSONParseOptions = {
    signal: AbortSignal.timeout(1),
    maxBytes: 1,
    priority: 'high',
    mode: 'sliced',
  };
  const bytes: Promise<Buffer> = pool.stringify([1], { as: 'buffer' });
  const chunks: AsyncIterable<Buffer> = pool.stringify([1], { as: 'chunks' });
  const nextChunk: Promise<IteratorResult<Buffer>> = pool.stringify([1], { as: 'chunks' }).next();
  const form: 'string' | 'buffer' = Date.now() > 0 ? 'string' : 'buffer';
  const either: Promise<string | Buffer> = pool.stringify([1], { as: form, signal: undefined });
  const given: JSONStringifyOptions = { timeout: undefined, priority: undefined, space: undefined };
  const any: Promise<string | Buffer> | AsyncIterable<Buffer> = pool.stringify([1], given);
  const none: [Promise<string>, Promise<number>] = [pool.stringify([1], null), pool.parse<number>('1', null)];
  const metrics: JSONWorkerPoolMetrics = pool.metrics();
  const counted: number = metrics.bytes.parsed + metrics.bytes.written;
  void [nextChunk, either, any, none, counted];
  const document: JSONDocument = await json.openDocument({ path: '/x' }, { maxDepth: 2 });
  const response: ReadableStream<Uint8Array> = new Blob([]).stream();
  const streamed: Promise<{ a: 1 }> = json.parseStream<{ a: 1 }>(response, { timeout: 5 });
  for await (const batch of json.ndjson<{ a: number }>('/x', { maxLineBytes: 1, onBadLine: () => {} })) {
    const total: number = batch.length + batch[0]!.a;
    void total;
  }
  const column: Promise<number[]> = document.column<number>('/*', { signal: undefined, priority: 'low' });
  const whole: Promise<number | undefined> = document.toJS<number>('', { timeout: 5 });
  for await (const batch of json.ndjson<number>({ path: '/x' }, { onBadLine: (error) => error.line })) {
    void [batch, column, whole];
  }
  const fromFile: Promise<any> = pool.parseFile(new URL('file:///x'), options);
  void [parsed, written, stats, flushed, destroyed, one, list, text, shared, gone, bytes, chunks, metrics];
  void [document, streamed, fromFile];
}

export function jsonErrors(error: unknown): string | number {
  if (error instanceof JSONSyntaxError) {
    const usual: SyntaxError = error;
    return usual === error ? error.position + error.line + error.column : error.excerpt;
  }
  if (error instanceof JSONLimitError) return error.limit === 'maxBytes' ? error.maximum : error.code;
  return error instanceof QueueFullError ? error.code : 0;
}

export async function limiter(): Promise<void> {
  const limiter = new DistributedRateLimiter({
    windowMs: 1,
    maxRequests: 1,
    keyGenerator: (req: any) => req.ip,
    onLimitReached: (_req: any, _res: any, result, config) => {
      void [result.allowed, result.remaining, result.retryAfter, config.maxRequests];
    },
    skipSuccessfulRequests: true,
    redis: { host: 'h', port: 1, password: 'p', db: 0 },
    redisClient: {},
  });
  const emitter: EventEmitter = limiter;
  const decision: Promise<{ allowed: boolean; remaining: number; resetTime?: number; retryAfter?: number }> =
    limiter.checkLimit({}, {});
  const same: RateLimitDecision = await decision;
  const middleware: (req: any, res: any, next: any) => Promise<any> = limiter.middleware();
  const blocked: number = limiter.getStats().blockedCount;
  const hitRate: number = limiter.getStats().cacheStats.hitRate;
  const result: RateLimitResult = await limiter.check('key', { cost: 1 });
  const lease: ConcurrencyLease | undefined = result.lease ?? (await limiter.acquire('key'));
  const limited: (request: Request, env: { ip: string }) => Promise<Response> = limiter.limitFetch(
    (request: Request, env: { ip: string }) => new Response(request.url + env.ip),
    (_, { ip }) => ({ ip }),
  );
  limiter.destroy();
  const config: RateLimiterConfig = {
    limits: [{ windowMs: 1, maxRequests: 2, algorithm: 'gcra', burst: 3 }],
  };
  class Mine extends DistributedRateLimiter {
    readonly more = 1;
  }
  const mine: InstanceType<typeof DistributedRateLimiter> = new Mine(config);
  void [emitter, same, middleware, blocked, hitRate, lease, limited, mine];
}

export async function olderLimiter(client: unknown): Promise<number> {
  const limiter = new DistributedRateLimiter(client, {
    windowMs: 1,
    maxRequests: 1,
    strategy: 'token-bucket',
    keyGenerator: (req: any) => req.ip,
  });
  const decision: {
    allowed: boolean;
    totalHits: number;
    remainingHits: number;
    resetTime: Date;
    retryAfter?: number;
  } = await limiter.checkLimit({}, {});
  const same: OlderRateLimitDecision = decision;
  return same.resetTime.getTime();
}

export function limiterErrors(error: unknown): unknown {
  if (error instanceof RedisError) return error.failure === 'timeout';
  return error instanceof CostAboveQuotaError ? error.quota : undefined;
}

export function errors(error: unknown): KeelsonErrorCode | undefined {
  if (error instanceof InvalidArgumentError || error instanceof DestroyedError) {
    const base: KeelsonError = error;
    const usual: Error = base;
    return usual === base ? base.code : undefined;
  }
  if (error instanceof MalformedPathError || error instanceof RouteTimeoutError) {
    const status: 400 | 504 = error.status;
    return status === error.statusCode ? error.code : undefined;
  }
  if (error instanceof RouteConflictError) {
    const taken: string = error.taken;
    return taken === '' ? undefined : error.code;
  }
  return error instanceof KeelsonError ? error.code : undefined;
}

export async function breakers(client: {
  eval(...args: unknown[]): Promise<unknown>;
}): Promise<CircuitBreakerFleet | undefined> {
  const shared: CircuitBreakerSharedOptions = { redis: 'redis://localhost', prefix: 'svc:', quorum: 0.5 };
  const quote = new CircuitBreaker(async (order: string) => order.length, { name: 'carrier', shared });
  const others = [client, { host: 'redis', port: 6379, tls: true }].map(
    (redis) =>
      new CircuitBreaker(async () => 1, { name: 'other', shared: { redis, interval: 500, timeout: 20 } }),
  );
  quote.on('redis-error', (error: Error) => void error).on('recovered', (downMs: number) => void downMs);
  const length: number = await quote.fire('order');
  void length;
  for (const one of others) one.shutdown();
  const { fleet } = quote.metrics();
  return fleet?.connected ? quote.fleet : undefined;
}

export async function loggers(): Promise<void> {
  new WorkerAsyncLogger();
  const w = new WorkerAsyncLogger('x', 1, 2);
  w.log('debug', 'm', { a: 1 });
  w.debug('m');
  w.info('m', {});
  w.warn('m');
  w.error('m');
  const wf: Promise<void> = w.flush();
  const wr: Promise<void> = w.rotate();
  const wd: Promise<void> = w.destroy();
  const ws: Promise<{
    totalLogs: number;
    errorCount: number;
    warnCount: number;
    avgProcessingTime: number;
    bufferSize: number;
    workerUptime: number;
    sentLogs: number;
    droppedLogs: number;
    avgLatency: number;
  }> = w.getStats();
  await Promise.all([wf, wr, wd, ws]);
  const options: WorkerAsyncLoggerOptions = {
    logFile: 'x',
    onFull: 'block',
    level: 'warn',
    flushInterval: 0,
  };
  const other = new WorkerAsyncLogger(options);
  other.on('error', (error: LogError) => void error.errno).on('rotated', ({ file }) => void file);
  other.level = 'info';
  await other.flush({ durable: true });
  const destinations: LogDestination[] = [
    { file: 'x', level: 'info', rotation: 'daily', keep: { count: 3 }, compression: 'zstd', mode: 'mmap' },
    { stream: 'stdout', pretty: 'auto' },
  ];
  const several = new WorkerAsyncLogger({
    destinations,
    durability: { fatal: 'fsync' },
    mixin: new AsyncLocalStorage<{ requestId: string }>(),
    serializers: { user: ({ id }: { id: number }) => id },
    redact: { paths: ['*.password'], censor: (value, path) => `${typeof value} at ${path.join('.')}` },
    timestamp: () => new Date().toISOString(),
  });
  const [first] = several.metrics().destinations;
  void (first?.latency.p99 ?? 0);
}

/** What must not compile. */
export function refused(): void {
  // @ts-expect-error a cache needs a bound
  new BoundedLRUCache();
  // @ts-expect-error a value of another type
  new BoundedLRUCache<string, number>(1).set('a', 'b');
  // @ts-expect-error a callback is a function
  timerManager.setTimeout('code', 1);
  // @ts-expect-error a buffer of strings takes no number
  new CircularBuffer<string>(1).push(1);
  // @ts-expect-error a route without a handler
  new RouteTrie().insert('/', { id: 'x', method: 'GET' });
  // @ts-expect-error strict is of the trie: in a router handlers share a path
  new OptimizedRouter({ strict: true });
  // @ts-expect-error a task is 'parse' or 'stringify'
  new JSONWorkerPool().enqueueTask('clone', 1);
  // @ts-expect-error a reviver needs the whole text
  json.parseFile('/x', { reviver: (_key: string, value: unknown) => value });
  // @ts-expect-error no such option
  new JSONWorkerPool({ workers: 2 });
  // @ts-expect-error no such algorithm
  new DistributedRateLimiter({ windowMs: 1, maxRequests: 1, algorithm: 'leaky-bucket' });
  // @ts-expect-error the older form has other results
  new DistributedRateLimiter({}, { windowMs: 1, maxRequests: 1 }).checkLimit({}).then((one) => one.remaining);
  // @ts-expect-error no such level
  new WorkerAsyncLogger().log('verbose', 'm');
  // @ts-expect-error no such stream
  new WorkerAsyncLogger({ destinations: [{ stream: 'stdlog' }] });
  // @ts-expect-error shared needs to know its Redis
  new CircuitBreaker(async () => 1, { name: 'x', shared: { quorum: 2 } });
  // @ts-expect-error not a code of keelson
  const code: KeelsonErrorCode = 'ERR_OTHER';
  void code;
}
