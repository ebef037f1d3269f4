import type { RedisError } from '../errors.js';
import type { Settings } from './options.js';

/** Milliseconds that pass at least between two announcements of errors which nothing came in between of. */
const QUIET = 1000;

export interface HealthHooks {
  failed(error: RedisError): void;
  recovered(downMs: number): void;
}

/**
 * Whether the store is worth asking. After `failures` batches in a row that failed it is down: from then on one check is
 * let through to it now and then, and the others are decided without it. There is no timer: checks bring the time.
 *
 * What was asked before the store went down or came back has another epoch, and changes nothing when it lands.
 */
export class StoreHealth {
  /** Asked with; counts how often the store went down or came back. */
  epoch = 0;
  isDown = false;
  outages = 0;
  /** Failures in a row. */
  failures = 0;
  private backoff: number;
  private retryAt = 0;
  private isProbed = false;
  /** When the trouble began that was announced and is not over. */
  private since: number | undefined;
  private latest = 0;
  private announced = Number.NEGATIVE_INFINITY;
  /** Whether a failure of the batch that lands now has been counted. */
  private isCounted = false;

  constructor(
    private readonly options: Settings['breaker'],
    private readonly hooks: HealthHooks,
  ) {
    this.backoff = options.backoffMin;
  }

  /** Whether the store may be asked now. While it is down, who gets true is the one that tries it. */
  admits(): boolean {
    if (!this.isDown) return true;
    if (this.isProbed || performance.now() < this.retryAt) return false;
    this.isProbed = true;
    return true;
  }

  /** Milliseconds until the store is tried again. */
  get wait(): number {
    return this.isDown ? Math.max(0, this.retryAt - performance.now()) : 0;
  }

  /** To be called when an answer came, at least if there are {@link failures} or there is {@link isTroubled}. */
  succeeded(epoch: number): void {
    if (epoch !== this.epoch) return;
    const now = performance.now();
    this.failures = 0;
    if (this.isDown) {
      this.epoch++;
      this.isDown = false;
      this.backoff = this.options.backoffMin;
    } else if (now - this.latest < this.options.backoffMin) {
      // Some answers come and some do not, as from a Cluster that lacks a node: that is not over yet.
      return;
    }
    if (this.since === undefined) return;
    const { since } = this;
    this.since = undefined;
    this.announced = Number.NEGATIVE_INFINITY;
    this.hooks.recovered(now - since);
  }

  /** Whether an error was announced, and no recovery since. */
  get isTroubled(): boolean {
    return this.since !== undefined;
  }

  failed(epoch: number, error: RedisError): void {
    if (epoch !== this.epoch || this.isCounted) return;
    this.isCounted = true;
    // The failures of a batch land in one run.
    void Promise.resolve().then(() => {
      this.isCounted = false;
    });
    const now = performance.now();
    this.latest = now;
    this.since ??= now;
    this.failures++;
    const wasDown = this.isDown;
    if (wasDown || this.failures >= this.options.failures) this.goDown(now);
    if (!wasDown && now - this.announced < QUIET) return;
    this.announced = now;
    this.hooks.failed(error);
  }

  private goDown(now: number): void {
    const { backoffMin, backoffMax } = this.options;
    if (this.isDown) this.backoff = Math.min(2 * this.backoff, backoffMax);
    else this.outages++;
    this.epoch++;
    this.isDown = true;
    this.isProbed = false;
    // At random, so that the processes of a service do not come all at once.
    this.retryAt = now + backoffMin + Math.random() * (this.backoff - backoffMin);
  }
}
