import { KeelsonError } from './base.js';

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
