/** The longest delay that such clocks take, as Node's. */
const MAX_DELAY = 2 ** 31 - 1;

/**
 * One timer of a clock that stands in for Node's: jest's fake timers, or a browser-like test environment.
 *
 * Everything is looked up in the globals at the call, and cleared with what was there when it was set. A global
 * clearTimeout ends it as well, but such a clock tells nobody: the manager counts it until it is destroyed.
 */
export class ForeignTimer {
  readonly #fire: () => void;
  #handle: NodeJS.Timeout | undefined;
  #clear: typeof clearTimeout = clearTimeout;
  #due = 0;
  /** When it fires: before it is due where its delay is longer than one timer takes. */
  #armed = 0;
  #ref = true;
  /** While stopped: how long it still is to wait, and since when. */
  #remaining = 0;
  #stoppedAt = 0;
  /** The time that it is at least, since it has fired then: some clocks stand in for timers only. */
  #reached = 0;

  constructor(fire: () => void) {
    this.#fire = () => {
      this.#reached = Math.max(this.#armed, performance.now());
      if (this.#reached < this.#due) this.#arm();
      else fire();
    };
  }

  /** Milliseconds on that clock. */
  get now(): number {
    return Math.max(performance.now(), this.#reached);
  }

  /** Its id on that clock, so that a global clearTimeout finds it. */
  get number(): number {
    return Number(this.#handle);
  }

  /** Milliseconds until it is due. */
  get remaining(): number {
    return this.#handle === undefined ? this.#remaining : this.#due - this.now;
  }

  /** Arms it, or arms it again. */
  start(delay: number, ref: boolean): void {
    this.stop();
    this.#due = this.now + delay;
    this.#ref = ref;
    this.#arm();
  }

  #arm(): void {
    const wait = Math.min(this.#due - this.now, MAX_DELAY);
    this.#armed = this.now + wait;
    this.#clear = clearTimeout;
    // Fake timers cut fractions off, and would be early; but not for what only an addition left behind.
    this.#handle = setTimeout(this.#fire, Math.ceil(wait - 1e-6));
    if (!this.#ref) this.#handle?.unref?.();
  }

  stop(): void {
    if (this.#handle === undefined) return;
    this.hold(this.remaining);
  }

  /** Stops it, to wait for `delay` once it is resumed. */
  hold(delay: number): void {
    if (this.#handle !== undefined) this.#clear(this.#handle);
    this.#handle = undefined;
    this.#remaining = delay;
    this.#stoppedAt = this.now;
  }

  /** Lets a stopped timer wait for the rest, and returns how long it was stopped. */
  resume(ref: boolean): number {
    const stopped = this.now - this.#stoppedAt;
    this.start(this.#remaining, ref);
    return stopped;
  }

  setRef(ref: boolean): void {
    this.#ref = ref;
    // A browser's timer is a number and has neither.
    if (ref) this.#handle?.ref?.();
    else this.#handle?.unref?.();
  }
}
