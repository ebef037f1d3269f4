import { finished, type Writable } from 'node:stream';
import { BoundedLRUCache } from '../boundedLRUCache.js';
import { CircuitBreaker } from '../circuitBreaker.js';
import { ConnectionPool } from '../connectionPool.js';
import { Dashboard } from '../dashboard.js';
import { asyncDispose, dispose } from '../dispose.js';
import { DistributedRateLimiter } from '../distributedRateLimiter.js';
import { JSONWorkerPool } from '../jsonWorkerPool.js';
import { SharedCache } from '../sharedCache.js';
import { TieredCache } from '../tieredCache.js';
import { TimerManager } from '../timerManager.js';
import { invalid } from '../validate.js';
import { WorkerAsyncLogger } from '../workerAsyncLogger.js';
import type { Step } from './graph.js';
import type { LifecyclePhase, StopContext } from './options.js';

type Stop = (context: StopContext) => unknown;

/** How something that has no `stop` of ours stops, and when where nothing else is said. */
interface Manner {
  readonly phase: LifecyclePhase;
  readonly stop: Stop;
}

/** In this order: the symbols say what ends a resource, where `close` may close a circuit and `destroy` cut off. */
const WAYS = [asyncDispose, dispose, 'shutdown', 'close', 'end', 'destroy'] as const;
/** `TieredCache.close` takes no more. */
const LONGEST_CLOSE = 600_000;

/** The step of a resource that says itself how it ends. */
export function stepOf(resource: object, phase: LifecyclePhase | undefined): Step {
  const manner = mannerOf(resource);
  return { phase: phase ?? manner.phase, stop: manner.stop };
}

function mannerOf(resource: object): Manner {
  // Its streams are requests, which would keep servers waiting in the next phase.
  if (resource instanceof Dashboard) return { phase: 'accept', stop: () => resource.close() };
  if (resource instanceof TimerManager) return { phase: 'timers', stop: () => resource.destroy() };
  if (resource instanceof JSONWorkerPool) return { phase: 'queues', stop: drainJSON(resource) };
  if (resource instanceof ConnectionPool) return { phase: 'pools', stop: drainPool(resource) };
  if (resource instanceof TieredCache) return { phase: 'pools', stop: closeTiers(resource) };
  if (resource instanceof WorkerAsyncLogger) return { phase: 'loggers', stop: () => resource.destroy() };
  for (const kind of [BoundedLRUCache, CircuitBreaker, DistributedRateLimiter, SharedCache]) {
    if (resource instanceof kind) return { phase: 'pools', stop: () => resource[dispose]() };
  }
  if (isWritable(resource)) return { phase: 'pools', stop: () => ended(resource) };
  for (const way of WAYS) {
    const call = (resource as Record<PropertyKey, unknown>)[way];
    if (typeof call === 'function') return { phase: 'pools', stop: () => call.call(resource) };
  }
  const accepted = 'something with stop(), close(), end(), destroy(), shutdown() or a disposal symbol';
  return invalid('resource', accepted, resource);
}

/** Whoever waits for a document gets it, unless the time is over. */
function drainJSON(pool: JSONWorkerPool): Stop {
  return async ({ signal }) => {
    signal.addEventListener('abort', () => void pool.destroy());
    await pool.flush();
    await pool.destroy();
  };
}

/** Lent connections come back, or are closed by force when the time is over. */
function drainPool(pool: ConnectionPool<unknown>): Stop {
  return ({ signal, cutOff }) => {
    signal.addEventListener('abort', () => {
      cutOff('connections', pool.getStats().active);
      void pool.close({ timeout: 0 });
    });
    return pool.close();
  };
}

function closeTiers(cache: TieredCache): Stop {
  return ({ timeout }) => cache.close({ timeout: Math.min(timeout, LONGEST_CLOSE) });
}

function isWritable(resource: object): resource is Writable {
  const { write, end, writableEnded } = resource as Partial<Writable>;
  return typeof write === 'function' && typeof end === 'function' && typeof writableEnded === 'boolean';
}

/** Writes what a stream holds; `destroy`, which its disposal is, would drop it. */
function ended(stream: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    finished(stream, { readable: false }, (error) => (error ? reject(error) : resolve()));
    stream.end();
  });
}
