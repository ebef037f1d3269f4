import { TimeoutError } from '../errors.js';

/** The longest delay that a Node timer has. */
const LONGEST = 2 ** 31 - 1;

/** How work ended that a {@link Deadline} bounds: it settled, or nobody waits for it any more. */
export interface Endings {
  /** `error` is undefined where it resolved. Called before the caller is told. */
  settled?(error: unknown): void;
  /** The caller has its answer. */
  gaveUp?(reason: unknown): void;
}

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
  guard<T>(work: PromiseLike<T>, endings: Endings = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const { signal } = this;
      let timer: NodeJS.Timeout | undefined;
      let open = true;
      const close = (): boolean => {
        if (!open) return false;
        open = false;
        if (timer !== undefined) clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        return true;
      };
      const giveUp = (reason: unknown): void => {
        if (!close()) return;
        reject(reason);
        endings.gaveUp?.(reason);
      };
      const onAbort = (): void => giveUp(signal!.reason);
      if (this.timeout <= LONGEST) timer = setTimeout(() => giveUp(this.expired()), this.left);
      signal?.addEventListener('abort', onAbort, { once: true });
      work.then(
        (value) => {
          if (!close()) return;
          endings.settled?.(undefined);
          resolve(value);
        },
        (error) => {
          if (!close()) return;
          endings.settled?.(error);
          reject(error);
        },
      );
      if (signal?.aborted) onAbort();
    });
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
