import { OPTION, RETURN_WIDTH, STATE } from './native.js';
import type { Settings } from './options.js';
import type { Pooled } from './pooled.js';

/** Returns that are kept at most; one more is reported at once, and with it all of them. */
const ROOM = 64;

/**
 * Connections that have come back, of which the native core has not heard: it takes them for lent. Who comes next gets
 * the one that came back last, and the core is not asked either. So a connection that goes from hand to hand costs no
 * call of the core.
 *
 * The invariant: to report these returns now, in their order and with their times, brings the core to where it would be
 * had each been reported when it came, but for how often a connection was lent. It holds because
 * - every function of the core first takes note of them, so whatever it decides or tells is of now, and there are none
 *   left after it. Until then nothing can begin to wait, to pause, to close, or to change what is due;
 * - a return is kept only where the core would do nothing but let the connection idle: `state[leave]` is below 0 where
 *   anything waits, and where loans are counted or timed; the connection is neither too old nor evicted;
 * - and where that makes nothing due before `state[due]`, for which the timer is armed;
 * - one is lent only where the core would lend it as it is: before anything is due, and while it needs no validation.
 *   The core lends the one used last too; with another order `state[leave]` is below 0.
 */
export class Returns {
  /** Pairs of a slot and a time, as the core reads them. */
  readonly pairs: Float64Array;
  private readonly state: Float64Array;
  private readonly validateAfter: number;
  private readonly room: number;

  constructor({ max, native }: Settings, state: Float64Array) {
    this.state = state;
    this.room = Math.min(max, ROOM);
    this.pairs = new Float64Array(this.room * RETURN_WIDTH);
    this.validateAfter = native[OPTION.validateAfter]!;
  }

  /** Keeps a return to itself, if it may. */
  keep(pooled: Pooled<unknown>, now: number): boolean {
    const { state } = this;
    const due = state[STATE.due]!;
    // Whatever is compared with NaN is false, and reported.
    if (!(now < due && due <= now + state[STATE.leave]! && due <= pooled.expires)) return false;
    const count = state[STATE.returns]!;
    if (count === this.room) return false;
    this.pairs[count * RETURN_WIDTH] = pooled.slot;
    this.pairs[count * RETURN_WIDTH + 1] = now;
    state[STATE.returns] = count + 1;
    state[STATE.idle]!++;
    state[STATE.lent]!--;
    return true;
  }

  /** The slot of the one that came back last, lent again; -1 where the core is to be asked. */
  lend(now: number): number {
    const { state } = this;
    const last = state[STATE.returns]! - 1;
    if (last < 0 || now >= state[STATE.due]!) return -1;
    if (now - this.pairs[last * RETURN_WIDTH + 1]! >= this.validateAfter) return -1;
    state[STATE.returns] = last;
    state[STATE.idle]!--;
    state[STATE.lent]!++;
    return this.pairs[last * RETURN_WIDTH]!;
  }
}
