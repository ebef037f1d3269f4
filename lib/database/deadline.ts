import { TimeoutError } from '../errors.js';
import { type Abortable, unwatch, watch } from '../signals.js';

/** The longest delay that a Node timer has. */
const LONGEST = 2 ** 31 - 1;

/** How work ended that a {@link Deadline} bounds: it settled, or nobody waits for it any more. */
export interface Endings {
  /** `error` is undefined where it resolved. Called before the caller is told. */
  settled?(error: unknown): void;
  /** The caller has its answer. */
  gaveUp?(reason: unknown): void;
}

/** Work that a {@link Deadline} bounds. */
class Guard<T> implements Abortable {
  readonly promise: Promise<T>;
  private resolve!: (value: T) => void;
  private reject!: (error: unknown) => void;
  private timer: NodeJS.Timeout | undefined;
  private open = true;

  constructor(
    private readonly deadline: Deadline,
    work: PromiseLike<T>,
    private readonly endings: Endings | undefined,
    left: number,
  ) {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    const { signal, timeout } = deadline;
    if (timeout <= LONGEST) this.timer = setTimeout(late, left, this);
    work.then(
      (value) => this.settle(this.resolve, value, undefined),
      (error) => this.settle(this.reject, error, error),
    );
    if (signal === undefined) return;
    if (signal.aborted) this.cancel(signal.reason);
    else watch(signal, this);
  }

  private settle<V>(tell: (value: V) => void, value: V, error: unknown): void {
    if (!this.close()) return;
    try {
      this.endings?.settled?.(error);
      tell(value);
    } catch (cause) {
      this.reject(cause);
    }
  }

  /** The time is over, or the signal has aborted. */
  cancel(reason: unknown): void {
    if (!this.close()) return;
    this.reject(reason);
    this.endings?.gaveUp?.(reason);
  }

  expire(): void {
    this.cancel(this.deadline.expired());
  }

  private close(): boolean {
    if (!this.open) return false;
    this.open = false;
    const { signal } = this.deadline;
    if (this.timer !== undefined) clearTimeout(this.timer);
    if (signal !== undefined) unwatch(signal, this);
    return true;
  }
}

const late = (guard: Guard<any>): void => guard.expire();

/** The time that a call has in all, however many attempts it takes, and its signal. */
export class Deadline {
  readonly started = performance.now();

  /** @param what begins the message of the TimeoutError */
  constructor(
    readonly what: string,
    readonly timeout: number,
    readonly signal: AbortSignal | undefined,
  ) {}

  /** Milliseconds since the call. */
  get elapsed(): number {
    return performance.now() - this.started;
  }

  /** Milliseconds that are left, Infinity where there is no bound. */
  get left(): number {
    return Math.max(0, this.timeout - this.elapsed);
  }

  /** Likewise; none is left once the signal has aborted. */
  remaining(): number {
    return this.signal?.aborted ? 0 : this.left;
  }

  /** Why a call that is given up rejects. */
  expired(): TimeoutError {
    return new TimeoutError(this.what, this.timeout);
  }

  /** Throws if the time is over, or the signal has aborted. */
  check(): void {
    if (this.signal?.aborted) throw this.signal.reason;
    if (this.left === 0) throw this.expired();
  }

  /** Settles as `work` does, or rejects once the time is over or the signal aborts. */
  guard<T>(work: PromiseLike<T>, endings?: Endings, left = this.left): Promise<T> {
    return new Guard(this, work, endings, left).promise;
  }

  /** Waits for `ms`, less where less time is left. */
  sleep(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const nap = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.min(ms, LONGEST));
    });
    return this.guard(nap, { gaveUp: () => clearTimeout(timer) });
  }
}
