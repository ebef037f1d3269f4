/** Codes of the errors that keelson makes. They are part of the public interface and never change meaning. */
export type KeelsonErrorCode =
  | 'ERR_KEELSON_BATCH'
  | 'ERR_KEELSON_BINDING_MISSING'
  | 'ERR_KEELSON_BREAKER_OPEN'
  | 'ERR_KEELSON_CONFIGURATION'
  | 'ERR_KEELSON_COST_ABOVE_QUOTA'
  | 'ERR_KEELSON_DEPENDENCY'
  | 'ERR_KEELSON_DESTROYED'
  | 'ERR_KEELSON_DRIVER_MISSING'
  | 'ERR_KEELSON_INTERNAL'
  | 'ERR_KEELSON_INVALID_ARGUMENT'
  | 'ERR_KEELSON_JSON_COMPRESSION'
  | 'ERR_KEELSON_JSON_CYCLE'
  | 'ERR_KEELSON_JSON_LIMIT'
  | 'ERR_KEELSON_JSON_POINTER'
  | 'ERR_KEELSON_JSON_SYNTAX'
  | 'ERR_KEELSON_LOAD'
  | 'ERR_KEELSON_LOG'
  | 'ERR_KEELSON_MAIN_THREAD'
  | 'ERR_KEELSON_MALFORMED_PATH'
  | 'ERR_KEELSON_NO_THREADS'
  | 'ERR_KEELSON_PEER_MISSING'
  | 'ERR_KEELSON_POOL_CONNECTION'
  | 'ERR_KEELSON_POOL_UNAVAILABLE'
  | 'ERR_KEELSON_QUEUE_FULL'
  | 'ERR_KEELSON_REDIS'
  | 'ERR_KEELSON_ROUTE_CONFLICT'
  | 'ERR_KEELSON_ROUTE_TIMEOUT'
  | 'ERR_KEELSON_SHUTTING_DOWN'
  | 'ERR_KEELSON_SNAPSHOT'
  | 'ERR_KEELSON_STORE_REMOTE'
  | 'ERR_KEELSON_TIMEOUT'
  | 'ERR_KEELSON_TIMER_LIMIT'
  | 'ERR_KEELSON_TRANSACTION_ENDED';

/**
 * Base class of every error that keelson makes. It is made here and not in Rust, so that it belongs to the
 * caller's realm: `instanceof Error` and jest's `toThrow(Error)` hold in a vm context too.
 */
export class KeelsonError extends Error {
  /** Stable, for programs to compare; the message is for people and may change. */
  readonly code: KeelsonErrorCode;

  constructor(code: KeelsonErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  override get name(): string {
    return 'KeelsonError';
  }
}
