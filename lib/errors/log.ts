import { KeelsonError } from './base.js';

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
