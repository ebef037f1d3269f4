/** Codes of the errors that keelson makes. They are part of the public interface and never change meaning. */
export type KeelsonErrorCode =
  | 'ERR_KEELSON_BINDING_MISSING'
  | 'ERR_KEELSON_DESTROYED'
  | 'ERR_KEELSON_INVALID_ARGUMENT'
  | 'ERR_KEELSON_MALFORMED_PATH'
  | 'ERR_KEELSON_ROUTE_CONFLICT'
  | 'ERR_KEELSON_ROUTE_TIMEOUT'
  | 'ERR_KEELSON_TIMER_LIMIT';

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

/** An argument or option of the wrong type, out of its range, or of an unknown name. Nothing was changed. */
export class InvalidArgumentError extends KeelsonError {
  constructor(message: string) {
    super('ERR_KEELSON_INVALID_ARGUMENT', message);
  }

  override get name(): string {
    return 'InvalidArgumentError';
  }
}

/** The object was used after its `destroy()` or `close()`. */
export class DestroyedError extends KeelsonError {
  constructor(message: string) {
    super('ERR_KEELSON_DESTROYED', message);
  }

  override get name(): string {
    return 'DestroyedError';
  }
}

/** A request path with a broken percent escape in a parameter: the client's mistake, answered with 400. */
export class MalformedPathError extends KeelsonError {
  readonly status = 400;
  readonly statusCode = 400;

  constructor(path: string) {
    super('ERR_KEELSON_MALFORMED_PATH', `The path has an escape that is not UTF-8: ${path.slice(0, 200)}`);
  }

  override get name(): string {
    return 'MalformedPathError';
  }
}

/** A handler took longer than its route's `timeout`; answered with 504 where nothing was sent. */
export class RouteTimeoutError extends KeelsonError {
  readonly status = 504;
  readonly statusCode = 504;
  /** The `id` of the route. */
  readonly id: string;
  /** Milliseconds that it had. */
  readonly timeout: number;

  constructor(id: string, timeout: number) {
    super('ERR_KEELSON_ROUTE_TIMEOUT', `The handler of route "${id}" did not answer within ${timeout} ms`);
    this.id = id;
    this.timeout = timeout;
  }

  override get name(): string {
    return 'RouteTimeoutError';
  }
}
