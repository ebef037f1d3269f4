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

/** An argument or option of the wrong type, out of its range, or of an unknown name. Nothing was changed. */
export class InvalidArgumentError extends KeelsonError {
  constructor(message: string) {
    super('ERR_KEELSON_INVALID_ARGUMENT', message);
  }

  override get name(): string {
    return 'InvalidArgumentError';
  }
}

/** What is wrong with an environment variable. */
export interface ConfigurationProblem {
  readonly variable: string;
  /** What it is, without the password of a URL. */
  readonly value: string;
  /** What it may be. */
  readonly accepted: string;
}

/** For people. */
export function describeProblem({ variable, value, accepted }: ConfigurationProblem): string {
  return `${variable} must be ${accepted}, but it is '${value}'`;
}

/** Environment variables of keelson are of the wrong type or out of range. Nothing was changed. */
export class ConfigurationError extends KeelsonError {
  /** The first of them. */
  readonly variable: string;

  /** @param problems all of them, of which there is one at least */
  constructor(readonly problems: readonly ConfigurationProblem[]) {
    super('ERR_KEELSON_CONFIGURATION', problems.map(describeProblem).join('; '));
    this.variable = problems[0]!.variable;
  }

  override get name(): string {
    return 'ConfigurationError';
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

/** A request's path has a percent escape that is not UTF-8 where a parameter is. The client's fault: HTTP 400. */
export class MalformedPathError extends KeelsonError {
  readonly status = 400;
  readonly statusCode = 400;

  /** @param text the part of the path that cannot be decoded */
  constructor(text: string) {
    const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
    super('ERR_KEELSON_MALFORMED_PATH', `The path has an escape that is not UTF-8: '${shown}'`);
  }

  override get name(): string {
    return 'MalformedPathError';
  }
}

/** A strict table has a route for this path and method already. Nothing was changed. */
export class RouteConflictError extends KeelsonError {
  /**
   * @param path the pattern to insert
   * @param taken the pattern of the same shape that is there
   */
  constructor(
    readonly method: string,
    readonly path: string,
    readonly taken: string,
  ) {
    super(
      'ERR_KEELSON_ROUTE_CONFLICT',
      `${method} '${path}' is taken by '${taken}': remove that route first, or give one of them another path, method or constraint`,
    );
  }

  override get name(): string {
    return 'RouteConflictError';
  }
}

/** A handler took longer than its route's `timeout`. Answered with status 504 where nothing was sent. */
export class RouteTimeoutError extends KeelsonError {
  readonly status = 504;
  readonly statusCode = 504;

  /**
   * @param id of the route
   * @param timeout milliseconds that it had
   */
  constructor(
    readonly id: string,
    readonly timeout: number,
  ) {
    super('ERR_KEELSON_ROUTE_TIMEOUT', `The handler of route '${id}' did not answer within ${timeout} ms`);
  }

  override get name(): string {
    return 'RouteTimeoutError';
  }
}

/** A call did not settle within its `timeout`. What it did was stopped. */
export class TimeoutError extends KeelsonError {
  /** @param timeout milliseconds that it had */
  constructor(
    what: string,
    readonly timeout: number,
    options?: ErrorOptions,
  ) {
    super('ERR_KEELSON_TIMEOUT', `${what} took longer than its timeout of ${timeout} ms`, options);
  }

  override get name(): string {
    return 'TimeoutError';
  }
}

/** A bounded queue has no room. Nothing was taken in. */
export class QueueFullError extends KeelsonError {
  /** @param limit how many tasks may wait */
  constructor(
    readonly limit: number,
    message = `The queue holds its ${limit} tasks: send fewer at once, raise "maxQueue", or set "onFull" to 'wait'`,
  ) {
    super('ERR_KEELSON_QUEUE_FULL', message);
  }

  override get name(): string {
    return 'QueueFullError';
  }
}

/** A value was being loaded by another thread, or for a tiered cache another process, whose loader failed. */
export class LoadError extends KeelsonError {
  /**
   * @param key whose value it was to be
   * @param reason the message of what the loader threw, which stays in its thread
   */
  constructor(
    readonly key: string,
    reason: string,
  ) {
    super('ERR_KEELSON_LOAD', `The loader of '${key}' failed in another thread or process: ${reason}`);
  }

  override get name(): string {
    return 'LoadError';
  }
}

/** A snapshot cannot be written or read, or is damaged or of another version. The cache is as it was. */
export class SnapshotError extends KeelsonError {
  constructor(message: string) {
    super('ERR_KEELSON_SNAPSHOT', message);
  }

  override get name(): string {
    return 'SnapshotError';
  }
}

/** A log's file cannot be written. Its lines are kept, and it is tried again. */
export class LogError extends KeelsonError {
  /** @param errno the system's number of the error, if it has one */
  constructor(
    message: string,
    readonly errno?: number,
  ) {
    super('ERR_KEELSON_LOG', message);
  }

  override get name(): string {
    return 'LogError';
  }
}

/** A circuit breaker lets no call through for now. The action was not called. */
export class BreakerOpenError extends KeelsonError {
  /**
   * @param breaker its name
   * @param retryAfter milliseconds until it lets a probe through; 0 while probes are out, Infinity if it is open by force
   */
  constructor(
    readonly breaker: string,
    readonly retryAfter: number,
  ) {
    super('ERR_KEELSON_BREAKER_OPEN', `Breaker '${breaker}' is open: what it calls has failed too often`);
  }

  override get name(): string {
    return 'BreakerOpenError';
  }
}

/**
 * A pool's factory gave no connection: `create` threw, which is the `cause` then, took too long, or gave what cannot
 * be pooled.
 */
export class ConnectionError extends KeelsonError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_KEELSON_POOL_CONNECTION', message, options);
  }

  override get name(): string {
    return 'ConnectionError';
  }
}

/** A pool gives no connection for now: connections cannot be opened, why is the `cause` then, or it is draining. */
export class PoolUnavailableError extends KeelsonError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_KEELSON_POOL_UNAVAILABLE', message, options);
  }

  override get name(): string {
    return 'PoolUnavailableError';
  }
}

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

/** A check costs more than its limit ever admits at once. Nothing was counted, and trying again does not help. */
export class CostAboveQuotaError extends KeelsonError {
  readonly status = 429;
  readonly statusCode = 429;

  /**
   * @param cost units that were asked for
   * @param quota units that the limit admits at once
   */
  constructor(
    readonly cost: number,
    readonly quota: number,
  ) {
    super(
      'ERR_KEELSON_COST_ABOVE_QUOTA',
      `A cost of ${cost} can never pass a limit that admits ${quota} at once: lower the cost, or raise "maxRequests" or "burst"`,
    );
  }

  override get name(): string {
    return 'CostAboveQuotaError';
  }
}

/** A limiter whose counts are in Redis was to decide at once. */
export class RemoteStoreError extends KeelsonError {
  constructor(message: string) {
    super('ERR_KEELSON_STORE_REMOTE', message);
  }

  override get name(): string {
    return 'RemoteStoreError';
  }
}

/** The client that a database driver stands on is not installed, or does not load, why is the `cause`. */
export class DriverMissingError extends KeelsonError {
  /** @param packages the npm packages that it takes */
  constructor(driver: string, packages: string, options?: ErrorOptions) {
    super(
      'ERR_KEELSON_DRIVER_MISSING',
      `The database driver '${driver}' needs a client that keelson does not bring. Run: npm install ${packages}`,
      options,
    );
  }

  override get name(): string {
    return 'DriverMissingError';
  }
}

/** A package is not installed that something asked for needs. */
export class PeerMissingError extends KeelsonError {
  /** @param packages the npm packages that it takes */
  constructor(what: string, packages: string, options?: ErrorOptions) {
    super(
      'ERR_KEELSON_PEER_MISSING',
      `${what} needs a package that keelson does not bring. Run: npm install ${packages}`,
      options,
    );
  }

  override get name(): string {
    return 'PeerMissingError';
  }
}

/** A transaction was used after its end, or after the end of its savepoint. The statement was not sent. */
export class TransactionEndedError extends KeelsonError {
  /** @param options its `cause` is why the transaction ended, where it did not end well */
  constructor(options?: ErrorOptions) {
    super(
      'ERR_KEELSON_TRANSACTION_ENDED',
      'The transaction has ended: await each of its statements inside of the function that it was given to',
      options,
    );
  }

  override get name(): string {
    return 'TransactionEndedError';
  }
}

/** A row of `queryMany` failed, why is the `cause`. Its transaction was rolled back, so that no row had an effect. */
export class BatchError extends KeelsonError {
  /** @param index of the row, from 0 */
  constructor(
    readonly index: number,
    options: ErrorOptions,
  ) {
    const { cause } = options;
    const reason = cause instanceof Error ? cause.message : String(cause);
    super('ERR_KEELSON_BATCH', `Row ${index} failed, and all were rolled back: ${reason}`, options);
  }

  override get name(): string {
    return 'BatchError';
  }
}

/** A resource of a lifecycle depends on one that is not registered, or on itself by way of others. Nothing was registered. */
export class DependencyError extends KeelsonError {
  /**
   * @param resource that was to be registered
   * @param path names from it to the one that is not there, or back to itself
   */
  constructor(
    readonly resource: string,
    readonly path: readonly string[],
  ) {
    const last = path[path.length - 1];
    super(
      'ERR_KEELSON_DEPENDENCY',
      last === resource
        ? `'${resource}' would depend on itself: ${path.join(' -> ')}`
        : `'${resource}' depends on '${last}', which is not registered: register that first`,
    );
  }

  override get name(): string {
    return 'DependencyError';
  }
}

/** A lifecycle is shutting down, and too far for what was asked. */
export class ShuttingDownError extends KeelsonError {
  constructor(message: string) {
    super('ERR_KEELSON_SHUTTING_DOWN', message);
  }

  override get name(): string {
    return 'ShuttingDownError';
  }
}

/** Something that only the main thread can do was asked for in a worker thread. */
export class MainThreadError extends KeelsonError {
  constructor(message: string) {
    super('ERR_KEELSON_MAIN_THREAD', message);
  }

  override get name(): string {
    return 'MainThreadError';
  }
}

/** Where the text of a JSON document is wrong. */
export interface JSONFaultPlace {
  /** UTF-16 units before the fault. */
  readonly position: number;
  /** From 1. */
  readonly line: number;
  /** In UTF-16 units, from 1. */
  readonly column: number;
  /** About 40 units of the text around the fault, control characters shown as escapes. */
  readonly excerpt: string;
}

/** The text is not JSON. A SyntaxError, as JSON.parse throws, and therefore not a {@link KeelsonError}. */
export class JSONSyntaxError extends SyntaxError implements JSONFaultPlace {
  readonly code = 'ERR_KEELSON_JSON_SYNTAX';
  readonly position: number;
  readonly line: number;
  readonly column: number;
  readonly excerpt: string;

  constructor(message: string, place: JSONFaultPlace) {
    super(message);
    const { position, line, column, excerpt } = place;
    this.position = position;
    this.line = line;
    this.column = column;
    this.excerpt = excerpt;
  }
}

/** A text goes beyond a limit that the call set, or beyond what a string can hold. No value comes of it. */
export class JSONLimitError extends KeelsonError {
  /** Undefined, like the rest of the place, where a text that is written is too long. */
  readonly position: number | undefined;
  readonly line: number | undefined;
  readonly column: number | undefined;
  readonly excerpt: string | undefined;

  /**
   * @param limit the option, or `maxStringLength`, which no option sets: the UTF-16 units that a string can have
   * @param maximum what it is set to
   * @param place where what is read goes beyond it
   */
  constructor(
    readonly limit: 'maxBytes' | 'maxDepth' | 'maxKeys' | 'maxLineBytes' | 'maxStringLength',
    readonly maximum: number,
    message: string,
    place?: JSONFaultPlace,
  ) {
    super('ERR_KEELSON_JSON_LIMIT', message);
    this.position = place?.position;
    this.line = place?.line;
    this.column = place?.column;
    this.excerpt = place?.excerpt;
  }

  override get name(): string {
    return 'JSONLimitError';
  }
}

/** A value holds itself, and has therefore no JSON. */
export class CircularReferenceError extends KeelsonError {
  /**
   * @param path JSON pointer of the member that leads back
   * @param target JSON pointer of what it leads to
   */
  constructor(
    readonly path: string,
    readonly target: string,
  ) {
    super(
      'ERR_KEELSON_JSON_CYCLE',
      `The value at '${path}' is its own ancestor at '${target}', which has no JSON: leave that member out with a replacer or a toJSON`,
    );
  }

  override get name(): string {
    return 'CircularReferenceError';
  }
}

/** A JSON pointer that is malformed (RFC 6901). */
export class JSONPointerError extends KeelsonError {
  constructor(message: string) {
    super('ERR_KEELSON_JSON_POINTER', message);
  }

  override get name(): string {
    return 'JSONPointerError';
  }
}
