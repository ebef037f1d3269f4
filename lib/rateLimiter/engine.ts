import type { Answer, RateLimitResult, RateLimitSource } from './result.js';

/** Where a limiter's counts are, and how it gets at them. */
export interface Engine {
  /** Keys that are known to be blocked. */
  readonly blockedCount: number;
  /** Counts a check, or denies it, and tells so. It never rejects but after `close`. */
  check(key: string, cost: number): Promise<RateLimitResult>;
  /**
   * The same, with what it takes to undo it.
   *
   * @param lease the id of the permit, where there are permits
   */
  inspect(key: string, cost: number, lease: number): Promise<Answer>;
  /** Carries out an operation, one of `OP`, and tells nobody else. It never rejects but after `close`. */
  ask(op: number, key: string, amount: number, extra: number): Promise<Answer>;
  /** Carries out an operation where a check was counted, if that is anywhere. */
  follow(source: RateLimitSource, op: number, key: string, amount: number, extra: number): Promise<Answer>;
  close(): void;
}
