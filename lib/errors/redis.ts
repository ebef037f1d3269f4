import { KeelsonError } from './base.js';

/**
 * Why Redis gave no answer: none came within the timeout; there is no connection; the account may not do what was asked; it
 * answered with an error; too much was in flight; or the connection was closed here. After `timeout` and `connection`
 * Redis may have done what it was asked for.
 */
export type RedisFailure = 'timeout' | 'connection' | 'permission' | 'server' | 'overloaded' | 'closed';

/** Redis gave no answer. */
export class RedisError extends KeelsonError {
  constructor(
    readonly failure: RedisFailure,
    message: string,
    options?: ErrorOptions,
  ) {
    super('ERR_KEELSON_REDIS', message, options);
  }

  override get name(): string {
    return 'RedisError';
  }
}
