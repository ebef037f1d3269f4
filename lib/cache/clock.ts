import { invalid } from '../validate.js';

/**
 * Time for the caches: `Date.now()`, looked up at each call, so that fake clocks rule.
 *
 * A reading costs as much as the rest of a hit. So in a dense burst of synchronous calls, once the real clock
 * has given the same millisecond DENSE times in a row, a window opens: for at most WINDOW calls an entry with
 * more than FAR_MS to live needs no new reading. The window closes before the next macrotask, and counts for
 * nothing as soon as `Date.now` is another function than the one that was read. It never opens over a faked
 * clock. What remains is a thread that blocks for more than FAR_MS in the middle of such a burst: for the rest of the
 * window it takes the time for what it was before.
 */

/** An entry with more than this to live is live throughout a window. */
export const FAR_MS = 60_000;
const DENSE = 16;
const WINDOW = 1024;

const CLOSED = Number.POSITIVE_INFINITY;
/** The expiry beyond which an entry is far away while the window is open. In an array, so that no box is made. */
const horizon = new Float64Array([CLOSED]);
const reading = new Float64Array(1);
let same = 0;
let left = 0;
let closing = false;
let read: (() => number) | undefined;
let real = false;

const settled = Promise.resolve();

/** A mock, a spy or a fake clock is a function with a source; the engine's own has none. */
export function isEngineClock(candidate: () => number): boolean {
  return Function.prototype.toString.call(candidate) === 'function now() { [native code] }';
}

function close(): void {
  closing = false;
  left = 0;
  horizon[0] = CLOSED;
}

function open(now: number): void {
  if (!real) return;
  left = WINDOW;
  horizon[0] = now + FAR_MS;
  if (!closing) {
    closing = true;
    // A promise and not queueMicrotask, which fake timers replace.
    void settled.then(close);
  }
}

/** A reading as the index counts: whole milliseconds from 0. */
export function whole(name: string, now: unknown): number {
  if (typeof now === 'number' && now >= 0 && now < Number.POSITIVE_INFINITY) return Math.floor(now);
  return invalid(name, 'a function that returns a finite number of milliseconds from 0', now);
}

/** The time now, exactly. */
export function systemNow(): number {
  const now = Date.now();
  if (Date.now !== read) {
    read = Date.now;
    real = isEngineClock(read);
    same = 0;
    close();
  }
  if (!real) return whole('Date.now', now);
  if (now === reading[0]) {
    if (++same >= DENSE) open(now);
  } else {
    same = 0;
    left = 0;
    horizon[0] = CLOSED;
    reading[0] = now;
  }
  return now;
}

/** The time now, or the window's reading; for an expiry that is far away. */
export function roughNow(): number {
  return --left > 0 && Date.now === read ? reading[0]! : systemNow();
}

/** Whether an entry that expires then is live without looking at the clock. */
export function isFarAway(expires: number): boolean {
  return expires > horizon[0]! && --left > 0 && Date.now === read;
}
