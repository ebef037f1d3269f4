// What a user's ESM module does; only names that Node's lexer finds can be imported so.
import {
  BoundedLRUCache,
  CircuitBreaker,
  CircularBuffer,
  ConnectionPool,
  DistributedRateLimiter,
  Health,
  InvalidArgumentError,
  JSONWorkerPool,
  json,
  KeelsonError,
  Lifecycle,
  OptimizedRouter,
  RouteTrie,
  SharedCache,
  TieredCache,
  TimerManager,
  timerManager,
  WorkerAsyncLogger,
} from 'keelson';
import useEverything from './everything.js';

const named = {
  BoundedLRUCache,
  CircuitBreaker,
  CircularBuffer,
  ConnectionPool,
  DistributedRateLimiter,
  Health,
  InvalidArgumentError,
  JSONWorkerPool,
  json,
  KeelsonError,
  Lifecycle,
  OptimizedRouter,
  RouteTrie,
  SharedCache,
  TieredCache,
  TimerManager,
  timerManager,
  WorkerAsyncLogger,
};
console.log(JSON.stringify(await useEverything(named)));
