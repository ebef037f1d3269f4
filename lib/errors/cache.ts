import { KeelsonError } from './base.js';

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
