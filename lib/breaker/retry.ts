import { KeelsonError, type KeelsonErrorCode } from '../errors.js';
import { delayOf } from '../pool/settle.js';
import type { Recovery } from './call.js';
import type { Engine } from './engine.js';
import { GATE, STATE } from './native.js';
import type { RetryPolicy } from './options.js';

/** What our own errors say that stop a call before it is made: asking again at once is no use. */
const NOT_MADE = new Set<KeelsonErrorCode>([
  'ERR_KEELSON_BREAKER_OPEN',
  'ERR_KEELSON_DESTROYED',
  'ERR_KEELSON_QUEUE_FULL',
]);

/** One call and its repetitions. Its failures go to `fallback` when no attempt is left. */
export class Retrying {
  private attempt = 1;

  constructor(
    private readonly engine: Engine,
    private readonly policy: RetryPolicy,
    private readonly thisArg: unknown,
    private readonly args: readonly unknown[],
    private readonly fallback: Recovery | undefined,
  ) {}

  run(): Promise<any> {
    return this.engine.start(this.thisArg, this.args, this.recover);
  }

  private readonly recover: Recovery = (error) => {
    if (this.again(error)) return this.later(error);
    if (this.fallback !== undefined) return this.fallback(error);
    throw error;
  };

  /** Whether there is to be another attempt. A breaker that has opened meanwhile would refuse it. */
  private again(error: unknown): boolean {
    const { engine, policy } = this;
    if (this.attempt >= policy.attempts || engine.shut || engine.state[STATE.gate] !== GATE.closed)
      return false;
    if (error instanceof KeelsonError && NOT_MADE.has(error.code)) return false;
    try {
      return policy.retryIf === undefined || policy.retryIf(error, this.attempt + 1);
    } catch (mistake) {
      engine.say('error', mistake);
      return false;
    }
  }

  private async later(error: unknown): Promise<unknown> {
    const { engine, policy } = this;
    // "Full jitter": Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    const delay = Math.random() * Math.min(policy.max, policy.min * 2 ** (this.attempt - 1));
    const attempt = ++this.attempt;
    engine.counts.retries++;
    engine.say('retry', { breaker: engine.settings.name, error, attempt, delay }, error, attempt, delay);
    await new Promise((resolve) => setTimeout(resolve, delayOf(delay)));
    return this.run();
  }
}
