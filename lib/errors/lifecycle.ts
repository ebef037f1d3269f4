import { KeelsonError } from './base.js';

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
