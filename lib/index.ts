export { BoundedLRUCache } from './boundedLRUCache.js';
export type { MemoryPressureOptions } from './cache/memoryPressure.js';
export type { BoundedLRUCacheOptions, EvictionReason } from './cache/options.js';
export type { LoadContext, Loader, LoadOptions } from './cache/singleFlight.js';
export type { CacheItem, CacheMetrics, CacheStats, DumpedEntry } from './cache/types.js';
export type { CircularBufferOptions } from './circularBuffer.js';
export { CircularBuffer } from './circularBuffer.js';
export type { KeelsonErrorCode } from './errors.js';
export {
  DestroyedError,
  InvalidArgumentError,
  KeelsonError,
  MalformedPathError,
  RouteConflictError,
} from './errors.js';
export type { RouteCursor } from './router/cursor.js';
export type {
  OpenAPIDocument,
  OpenAPIOperation,
  OpenAPIOptions,
  OpenAPIParameter,
} from './router/openapi.js';
export type {
  RouteConstraints,
  RouteHandler,
  RouteMatch,
  RouteTrieMetrics,
  RouteTrieOptions,
  TrieNode,
} from './router/types.js';
export { RouteTrie } from './routeTrie.js';
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
