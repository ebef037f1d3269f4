import { KeelsonError } from './base.js';

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

/** Something that only the main thread can do was asked for in a worker thread. */
export class MainThreadError extends KeelsonError {
  constructor(message: string) {
    super('ERR_KEELSON_MAIN_THREAD', message);
  }

  override get name(): string {
    return 'MainThreadError';
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
