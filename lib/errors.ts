/** Codes of the errors that keelson makes. They are part of the public interface and never change meaning. */
export type KeelsonErrorCode =
  | 'ERR_KEELSON_BINDING_MISSING'
  | 'ERR_KEELSON_DESTROYED'
  | 'ERR_KEELSON_INVALID_ARGUMENT'
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
