import { KeelsonError } from '../errors.js';

/** Share of the limit at which the pressure is announced. */
const PRESSURE = 0.8;

/** What a timer above the limit causes. */
export type OnLimit = 'warn' | 'throw' | 'evict-oldest';

/** What a limit asks of its manager. */
export interface LimitHooks {
  /** Pending timers. */
  count(): number;
  evictOldest(): void;
  announce(event: 'limit' | 'pressure', payload: { timers: number; max: number }): void;
}

/** The most timers that a manager holds, and what happens at that point and at 80 % of it. */
export class TimerLimit {
  /** From this many pending timers on, one more has to pass `admit`. */
  readonly watch: number;
  /** How often the limit, and 80 % of it, was crossed. */
  crossed = 0;
  pressureCrossed = 0;
  readonly #max: number;
  readonly #onLimit: OnLimit;
  readonly #pressureAt: number;
  readonly #hooks: LimitHooks;
  /** Whether the process has been warned since the timers were last below 80 %. */
  #warned = false;
  /** Whether a limit that holds has been reached, which has been announced. */
  #full = false;

  constructor(max: number, onLimit: OnLimit, hooks: LimitHooks) {
    this.#max = max;
    this.#onLimit = onLimit;
    this.#hooks = hooks;
    this.#pressureAt = Math.ceil(max * PRESSURE);
    this.watch = this.#pressureAt - 1;
  }

  /**
   * Adds a timer, and announces what that crosses: when it is there, for a listener may add more.
   *
   * @throws KeelsonError `ERR_KEELSON_TIMER_LIMIT` with `'throw'`, and adds nothing
   */
  admit<T>(add: () => T): T {
    const before = this.#hooks.count();
    if (before < this.watch) return add();
    this.#makeRoom(before);
    const added = add();
    const timers = this.#hooks.count();
    if (before < this.#pressureAt && timers >= this.#pressureAt) {
      this.#warned = false;
      this.pressureCrossed++;
      this.#hooks.announce('pressure', { timers, max: this.#max });
    }
    if (before <= this.#max && timers > this.#max) {
      this.#warn(timers);
      this.#cross(timers);
    }
    return added;
  }

  /** With a limit that holds: makes room for one more, or throws. */
  #makeRoom(timers: number): void {
    if (timers < this.#max) this.#full = false;
    if (timers < this.#max || this.#onLimit === 'warn') return;
    if (!this.#full) {
      this.#full = true;
      this.#cross(timers + 1);
    }
    if (this.#onLimit === 'evict-oldest') {
      this.#hooks.evictOldest();
      return;
    }
    throw new KeelsonError(
      'ERR_KEELSON_TIMER_LIMIT',
      `TimerManager holds ${timers} timers, as many as "maxTimers" allows. Clear some (list() shows them), or raise it`,
    );
  }

  #cross(timers: number): void {
    this.crossed++;
    this.#hooks.announce('limit', { timers, max: this.#max });
  }

  #warn(timers: number): void {
    if (this.#warned) return;
    this.#warned = true;
    process.emitWarning(
      `TimerManager: ${timers} timers are pending, more than "maxTimers" (${this.#max}). list() shows where they come from`,
      { type: 'KeelsonWarning', code: 'KEELSON_TIMER_LIMIT' },
    );
  }
}
