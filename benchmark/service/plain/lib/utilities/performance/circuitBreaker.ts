import { EventEmitter } from 'node:events';

/**
 * Not among the originals: what a service writes by hand, with a list of the outcomes of the last ten seconds and a timer for each
 * call.
 */
export interface CallContext {
  signal: AbortSignal;
}

export class TimeoutError extends Error {}

export class BreakerOpenError extends Error {
  constructor(readonly retryAfter: number) {
    super('The breaker is open');
  }
}

interface Options {
  name: string;
  timeout: number;
  resetTimeout: number;
  signal?: boolean;
}

const WINDOW = 10_000;
const VOLUME = 10;
const THRESHOLD = 0.5;

export class CircuitBreaker<Args extends unknown[], R> extends EventEmitter {
  private outcomes: Array<{ at: number; failed: boolean }> = [];
  private openedAt: number | undefined;
  private fallbackOf: ((...args: [...Args, Error]) => Promise<R>) | undefined;
  private readonly totals = { successes: 0, failures: 0, rejects: 0 };

  constructor(
    private readonly action: (...args: [...Args, CallContext]) => Promise<R>,
    private readonly options: Options,
  ) {
    super();
  }

  get state(): 'closed' | 'open' | 'halfOpen' {
    if (this.openedAt === undefined) return 'closed';
    return Date.now() - this.openedAt < this.options.resetTimeout ? 'open' : 'halfOpen';
  }

  get stats() {
    return { ...this.totals };
  }

  metrics() {
    return { state: this.state, ...this.totals };
  }

  fallback(fallback: (...args: [...Args, Error]) => Promise<R>): void {
    this.fallbackOf = fallback;
  }

  async fire(...args: Args): Promise<R> {
    try {
      return await this.attempt(args);
    } catch (error) {
      if (this.fallbackOf === undefined) throw error;
      return this.fallbackOf(...args, error as Error);
    }
  }

  shutdown(): void {
    this.removeAllListeners();
  }

  private async attempt(args: Args): Promise<R> {
    if (this.state === 'open') {
      this.totals.rejects++;
      throw new BreakerOpenError(this.openedAt! + this.options.resetTimeout - Date.now());
    }
    try {
      const result = await this.inTime(args);
      this.note(false);
      this.openedAt = undefined;
      return result;
    } catch (error) {
      this.note(true);
      this.emit('failure', error);
      this.openIfFailing();
      throw error;
    }
  }

  private inTime(args: Args): Promise<R> {
    const { timeout } = this.options;
    const controller = new AbortController();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        controller.abort();
        reject(new TimeoutError(`No answer within ${timeout} ms`));
      }, timeout);
      this.action(...args, { signal: controller.signal })
        .then(resolve, reject)
        .finally(() => clearTimeout(timer));
    });
  }

  private note(failed: boolean): void {
    if (failed) this.totals.failures++;
    else this.totals.successes++;
    const at = Date.now();
    this.outcomes.push({ at, failed });
    while (at - this.outcomes[0]!.at > WINDOW) this.outcomes.shift();
  }

  private openIfFailing(): void {
    const failures = this.outcomes.filter(({ failed }) => failed).length;
    if (this.outcomes.length < VOLUME || failures / this.outcomes.length < THRESHOLD) return;
    this.openedAt = Date.now();
    this.emit('open');
  }
}
