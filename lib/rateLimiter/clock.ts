import { isEngineClock } from '../cache/clock.js';

/** Readings in a row that gave the same millisecond make a burst, in which so many calls share one. */
const DENSE = 16;
const SHARED = 16;

let read: (() => number) | undefined;
let isReal = false;
let last = 0;
let same = 0;
/** Calls that may still share the latest reading. */
let left = 0;
let isClosing = false;

const settled = Promise.resolve();

function close(): void {
  isClosing = false;
  left = 0;
  same = 0;
}

/**
 * Milliseconds by `Date.now`, looked up at each call, so that fake clocks rule. A reading takes as long as half of all else
 * that a check does, so in a dense burst of synchronous calls 16 share one; never over a faked clock, nor beyond the
 * run of code that they are made in.
 */
export function now(): number {
  if (left > 0 && Date.now === read) {
    left--;
    return last;
  }
  return reading();
}

function reading(): number {
  const time = Date.now();
  if (Date.now !== read) {
    read = Date.now;
    isReal = isEngineClock(read);
    same = 0;
  }
  if (time !== last || !isReal) {
    last = time;
    same = 0;
    left = 0;
  } else if (++same >= DENSE) {
    left = SHARED - 1;
    if (!isClosing) {
      isClosing = true;
      // A promise and not queueMicrotask, which fake timers replace.
      void settled.then(close);
    }
  }
  return time;
}
