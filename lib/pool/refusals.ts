import { DestroyedError, PoolUnavailableError, QueueFullError, TimeoutError } from '../errors.js';
import type { Core } from './core.js';
import { CAUSE } from './native.js';

/** Counts an acquire that gets no connection, and makes the error for it; `failure` is why none could be opened. */
export function refusal(
  core: Core<any>,
  cause: number,
  timeout: number,
  since: number,
  failure: Error | undefined,
): Error {
  const { name, settings } = core;
  const { errors } = core.figures;
  const options = failure === undefined ? undefined : { cause: failure };
  switch (cause) {
    case CAUSE.timeout:
      errors.timeout++;
      core.emit('timeout', { pool: name, ms: core.time.now() - since });
      return new TimeoutError(`Acquiring a connection of pool '${name}'`, timeout, options);
    case CAUSE.full:
      errors.full++;
      return full(name, settings.maxQueue);
    case CAUSE.unavailable:
      errors.unavailable++;
      return new PoolUnavailableError(`Pool '${name}' can open no connection`, options);
    case CAUSE.closed:
      errors.closed++;
      return closedError(name);
    default:
      errors.draining++;
      return new PoolUnavailableError(`Pool '${name}' is draining`);
  }
}

export function closedError(name: string): DestroyedError {
  return new DestroyedError(`Connection pool '${name}' has been closed`);
}

function full(name: string, limit: number): QueueFullError {
  return new QueueFullError(
    limit,
    `Pool '${name}' has its ${limit} waiting acquires: raise "max" or "maxQueue", or send fewer at once`,
  );
}
