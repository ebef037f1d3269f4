import type { RedisError } from '../errors.js';
import type { Asker } from '../redis/limits.js';
import type { Answer, RateLimitResult } from './result.js';

type Resolve = (value: any) => void;
type Reject = (error: unknown) => void;

let resolveOf: Resolve | undefined;
let rejectOf: Reject | undefined;
/** One for all promises, so that none of them needs a closure. */
const capture = (resolve: Resolve, reject: Reject): void => {
  resolveOf = resolve;
  rejectOf = reject;
};

/** Who makes something of what comes back. */
export interface Landing {
  /** A check was answered. */
  landed(check: Check, numbers: Float64Array, place: number): RateLimitResult;
  /** Another operation was. */
  replied(inquiry: Inquiry, numbers: Float64Array, place: number): Answer;
  /** It was not. What is returned is the answer all the same. @throws DestroyedError */
  lost(question: Check | Inquiry, error: RedisError): RateLimitResult | Answer;
}

/** What is asked of Redis, and who waits for it. */
class Question<R> {
  readonly promise: Promise<R>;
  protected readonly resolve: (answer: R) => void;
  protected readonly reject: (error: unknown) => void;

  /**
   * @param epoch of the store's health when it was asked
   * @param asked when, by `performance.now`, or a little earlier
   */
  constructor(
    protected readonly landing: Landing,
    readonly op: number,
    readonly key: string,
    readonly amount: number,
    readonly extra: number,
    readonly epoch: number,
    readonly asked: number,
  ) {
    this.promise = new Promise<R>(capture);
    this.resolve = resolveOf!;
    this.reject = rejectOf!;
  }
}

/** A check that is told of. */
export class Check extends Question<RateLimitResult> implements Asker {
  answered(numbers: Float64Array, place: number): void {
    this.resolve(this.landing.landed(this, numbers, place));
  }

  failed(error: RedisError): void {
    try {
      this.resolve(this.landing.lost(this, error) as RateLimitResult);
    } catch (gone) {
      this.reject(gone);
    }
  }
}

/** Any operation. */
export class Inquiry extends Question<Answer> implements Asker {
  answered(numbers: Float64Array, place: number): void {
    this.resolve(this.landing.replied(this, numbers, place));
  }

  failed(error: RedisError): void {
    try {
      this.resolve(this.landing.lost(this, error) as Answer);
    } catch (gone) {
      this.reject(gone);
    }
  }
}
