export { BoundedLRUCache } from './boundedLRUCache.js';
export type { CallContext } from './breaker/call.js';
export type { CircuitBreakerEvents } from './breaker/events.js';
export type { CircuitBreakerSharedOptions } from './breaker/fleetOptions.js';
export type {
  CircuitBreakerOptions,
  CircuitBreakerRetryOptions,
  CircuitBreakerWindow,
  ErrorVerdict,
} from './breaker/options.js';
export type { CircuitBreakerSnapshot } from './breaker/snapshot.js';
export type {
  CircuitBreakerFleet,
  CircuitBreakerMetrics,
  CircuitBreakerState,
  CircuitBreakerStats,
  CircuitBreakerWindowStats,
} from './breaker/stats.js';
export type { MemoryPressureOptions } from './cache/memoryPressure.js';
export type { BoundedLRUCacheOptions, EvictionReason } from './cache/options.js';
export type { LoadContext, Loader, LoadOptions } from './cache/singleFlight.js';
export type { CacheItem, CacheMetrics, CacheStats, DumpedEntry } from './cache/types.js';
export type { CircuitBreakerFallback, CircuitBreakerStatus } from './circuitBreaker.js';
export { CircuitBreaker } from './circuitBreaker.js';
export type { CircularBufferOptions } from './circularBuffer.js';
export { CircularBuffer } from './circularBuffer.js';
export type { ConfigurationEntry } from './config/entries.js';
export type { ConfigurationSource } from './config/lookup.js';
export type { SettingPath, SettingValue } from './config/schema.js';
export type { Profile } from './config/setting.js';
export type { Configuration } from './configure.js';
export { configuration, configure } from './configure.js';
export type { ConnectionPoolStats } from './connectionPool.js';
export { ConnectionPool } from './connectionPool.js';
export type { DashboardHandler, DashboardMiddleware } from './dashboard/http.js';
export type { DashboardOptions } from './dashboard/options.js';
export type { DashboardStats } from './dashboard.js';
export { Dashboard } from './dashboard.js';
export type { CustomConnection, DatabaseConfig, DatabaseSettings, DriverName } from './database/config.js';
export type {
  Driver,
  DriverConnection,
  IsolationLevel,
  RowReader,
  Statement,
  TransactionMode,
} from './database/driver.js';
export type { Rows } from './database/many.js';
export type {
  QueryManyOptions,
  QueryOptions,
  QueryResult,
  StreamOptions,
  TransactionOptions,
  TransactionQuery,
} from './database/options.js';
export type { RetryBudgetOptions } from './database/retry.js';
export type { RowStream } from './database/stream.js';
export type { Transaction } from './database/transaction.js';
export { DatabaseConnectionPool } from './databaseConnectionPool.js';
export { DistributedRateLimiter } from './distributedRateLimiter.js';
export type { ConfigurationProblem, JSONFaultPlace, KeelsonErrorCode, RedisFailure } from './errors.js';
export {
  BatchError,
  BreakerOpenError,
  CircularReferenceError,
  ConfigurationError,
  ConnectionError,
  CostAboveQuotaError,
  DependencyError,
  DestroyedError,
  DriverMissingError,
  InvalidArgumentError,
  JSONLimitError,
  JSONPointerError,
  JSONSyntaxError,
  KeelsonError,
  LoadError,
  LogError,
  MainThreadError,
  MalformedPathError,
  PeerMissingError,
  PoolUnavailableError,
  QueueFullError,
  RedisError,
  RemoteStoreError,
  RouteConflictError,
  RouteTimeoutError,
  ShuttingDownError,
  SnapshotError,
  TimeoutError,
  TransactionEndedError,
} from './errors.js';
export type { HealthDetail, HealthDocument, HealthStatus } from './health/document.js';
export type { HealthHandler, HealthMiddleware, Question as HealthQuestion } from './health/http.js';
export type {
  EventLoopLagOptions,
  HealthCheckOptions,
  HealthHandlerOptions,
  HealthKind,
  HealthMiddlewareOptions,
  HealthOptions,
  HealthResult,
  MemoryOptions as HealthMemoryOptions,
  Thresholds as HealthThresholds,
} from './health/options.js';
export type { HealthStats } from './health.js';
export { Health } from './health.js';
export type { LatencySummary } from './histogram.js';
export type { JSONType } from './json/document.js';
export { JSONDocument } from './json/document.js';
export type { TaskErrors as JSONTaskErrors } from './json/figures.js';
export type { Mode as JSONMode } from './json/jobs.js';
export type {
  JSONLimits,
  JSONParseOptions,
  JSONStreamOptions,
  JSONWorkerPoolOptions,
  NDJSONOptions,
  OpenDocumentOptions,
  Reviver as JSONReviver,
} from './json/options.js';
export type { Priority as JSONPriority } from './json/scheduler.js';
export {
  destroyJsonWorkerPool,
  getJsonWorkerPool,
  json,
  parseJSONAsync,
  stringifyJSONAsync,
} from './json/shared.js';
export type {
  StringifyForm as JSONStringifyForm,
  StringifyOptions as JSONStringifyOptions,
  WriteOptions as JSONWriteOptions,
} from './json/stringify/options.js';
export type { TaskOptions as JSONTaskOptions } from './json/tasks.js';
export type { JSONWorkerPoolMetrics, JSONWorkerPoolStats } from './jsonWorkerPool.js';
export { JSONWorkerPool } from './jsonWorkerPool.js';
export type {
  CutOff,
  LifecycleOptions,
  LifecyclePhase,
  PlaceOptions as LifecyclePlaceOptions,
  ResourceOptions as LifecycleResourceOptions,
  ServerOptions as LifecycleServerOptions,
  ShutdownOptions,
  SignalOptions as LifecycleSignalOptions,
  StartContext,
  StopContext,
} from './lifecycle/options.js';
export type { ResourceReport, ShutdownReport } from './lifecycle/report.js';
export type { LifecycleEvents, LifecycleState, LifecycleStats, Stoppable } from './lifecycle.js';
export { Lifecycle, lifecycle } from './lifecycle.js';
export type { ChildLogger } from './log/child.js';
export type { LogDestinationMetrics } from './log/destination.js';
export type {
  LogDestination,
  LogFileDestination,
  LogQueueOptions,
  LogStreamDestination,
} from './log/destinationOptions.js';
export type { LogFileOptions, LogKeep } from './log/fileOptions.js';
export type { LogLevel } from './log/levels.js';
export type { LogMixin, LogSerializer } from './log/metadata.js';
export type { LogDurability, LogRedaction, WorkerAsyncLoggerOptions } from './log/options.js';
export type { MetricDefinition, MetricType } from './metrics/family.js';
export type { MetricsHandler } from './metrics/http.js';
export type { MetricDistribution, MetricFamily, MetricValue } from './metrics/points.js';
export type { PromRegistry } from './metrics/promClient.js';
export type {
  Metrics,
  MetricsCollectOptions,
  MetricsHandlerOptions,
  MetricsOpenTelemetryOptions,
} from './metrics.js';
export { metrics } from './metrics.js';
export type { OpenTelemetryMeterProvider, OpenTelemetryTracerProvider } from './openTelemetry/api.js';
export type { OpenTelemetryMetricProducer } from './openTelemetry/producer.js';
export type { RouterMetrics, RouterStats } from './optimizedRouter.js';
export { OptimizedRouter } from './optimizedRouter.js';
export type { CloseReason, ConnectionPoolEvents } from './pool/events.js';
export type { AcquireErrors, ConnectionPoolMetrics } from './pool/figures.js';
export type { Lease } from './pool/lease.js';
export type {
  AcquireOptions,
  AcquirePriority,
  CloseOptions,
  ConnectionFactory,
  ConnectionPoolOptions,
  ReadyOptions,
} from './pool/options.js';
export type {
  AcquireOptions as AcquirePermitOptions,
  CheckOptions,
  KeyCheck,
  PeekOptions,
  WaitOptions,
} from './rateLimiter/calls.js';
export type { RateLimitMiddleware } from './rateLimiter/connect.js';
export type { RateLimiterEvents } from './rateLimiter/events.js';
export type { RateLimitHook } from './rateLimiter/fastify.js';
export type { FetchHandler, FetchInfo } from './rateLimiter/fetch.js';
export type {
  RateLimitCounts,
  RateLimiterMetrics,
  RateLimiterStats,
  RateLimitStoreMetrics,
} from './rateLimiter/figures.js';
export type { RateLimitDecision } from './rateLimiter/httpOptions.js';
export type { ConcurrencyLease } from './rateLimiter/lease.js';
export type { RateLimit, RateLimitAlgorithm } from './rateLimiter/limits.js';
export type {
  OlderRateLimiterConfig,
  PermitBlockOptions,
  RateLimiterConfig,
  StoreBreakerOptions,
} from './rateLimiter/options.js';
export type { TrustProxy } from './rateLimiter/proxies.js';
export type { RateLimitResult, RateLimitSource } from './rateLimiter/result.js';
export type { OlderRateLimitDecision } from './rateLimiter/visits.js';
export type { RedisLinkCounts } from './redis/link.js';
export type { RedisAddress, RedisClient, RedisOptions, RedisTLSOptions } from './redis/options.js';
export type { RequestContext } from './router/call.js';
export type { RouteCursor } from './router/cursor.js';
export type { RouteEvent, RouterEvents } from './router/events.js';
export type { OutlierOptions } from './router/health.js';
export type { Middleware } from './router/middleware.js';
export { concurrent } from './router/middleware.js';
export type {
  OpenAPIDocument,
  OpenAPIOperation,
  OpenAPIOptions,
  OpenAPIParameter,
} from './router/openapi.js';
export type { BalancerName, OptimizedRouterOptions } from './router/options.js';
export type { RouteErrors, RouteMetrics, StatusClasses } from './router/route.js';
export type {
  RouteConstraints,
  RouteHandler,
  RouteMatch,
  RouteTrieMetrics,
  RouteTrieOptions,
  TrieNode,
} from './router/types.js';
export { RouteTrie } from './routeTrie.js';
export type { LoadForecastParameters } from './scaling/fit.js';
export type { LoadForecastOptions, LoadOutlook } from './scaling/forecast.js';
export { LoadForecast } from './scaling/forecast.js';
export type { ScalingHandler } from './scaling/http.js';
export type { ScalingOptions } from './scaling/options.js';
export type {
  ScalingEvents,
  ScalingMetrics,
  ScalingRecommendation,
  ScalingSource,
} from './scaling.js';
export { Scaling } from './scaling.js';
export type { SharedCacheLoader, SharedCacheLoadOptions } from './sharedCache/loads.js';
export type { SharedCacheOptions, SharedCacheSetOptions } from './sharedCache/options.js';
export type { SharedCacheCounters, SharedCacheMetrics } from './sharedCache.js';
export { SharedCache } from './sharedCache.js';
export type {
  TieredCacheGetOptions,
  TieredCacheLoader,
  TieredCacheLoadOptions,
  TieredCacheOptions,
  TieredCacheRedisOptions,
  TieredCacheSetOptions,
  TieredCacheWrite,
} from './tieredCache/options.js';
export type {
  TieredCacheCloseOptions,
  TieredCacheEvents,
  TieredCacheMetrics,
} from './tieredCache.js';
export { TieredCache } from './tieredCache.js';
export type {
  DelayOptions,
  EveryOptions,
  ScheduleOptions,
  TimerEvents,
  TimerInfo,
  TimerManagerOptions,
  TimerMetrics,
} from './timer/options.js';
export { TimerManager, timerManager } from './timerManager.js';
export type { Tracing, TracingOptions } from './tracing.js';
export { tracing } from './tracing.js';
export type {
  WorkerAsyncLoggerEvents,
  WorkerAsyncLoggerMetrics,
  WorkerAsyncLoggerStats,
} from './workerAsyncLogger.js';
export { WorkerAsyncLogger } from './workerAsyncLogger.js';
