/**
 * One timer of a clock that stands in for Node's: jest's fake timers, or a browser-like test environment.
 *
 * Everything is looked up in the globals at the call, and cleared with what was there when it was set.
 */
export class ForeignTimer {
  readonly #fire: () => void;
  #handle: NodeJS.Timeout | undefined;
  #clear: typeof clearTimeout = clearTimeout;
  #due = 0;
  #remaining = 0;

  constructor(fire: () => void) {
    this.#fire = fire;
  }

  /** Its id on that clock, so that a global clearTimeout finds it. */
  get number(): number {
    return Number(this.#handle);
  }

  /** Milliseconds until it is due. */
  get remaining(): number {
    return this.#handle === undefined ? this.#remaining : this.#due - performance.now();
  }

  /** Arms it, or arms it again. */
  start(delay: number, ref: boolean): void {
    this.stop();
    this.#clear = clearTimeout;
    this.#due = performance.now() + delay;
    // Fake timers cut fractions off, and would be early.
    this.#handle = setTimeout(this.#fire, Math.ceil(delay));
    if (!ref) this.setRef(false);
  }

  stop(): void {
    if (this.#handle === undefined) return;
    this.#remaining = this.remaining;
    this.#clear(this.#handle);
    this.#handle = undefined;
  }

  /** Sets how long a stopped timer is to wait. */
  hold(delay: number): void {
    this.stop();
    this.#remaining = delay;
  }

  setRef(ref: boolean): void {
    // A browser's timer is a number and has neither.
    if (ref) this.#handle?.ref?.();
    else this.#handle?.unref?.();
  }
}
