import { KeelsonError } from './base.js';

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
