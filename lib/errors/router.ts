import { KeelsonError } from './base.js';

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
