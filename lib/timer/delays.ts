import type { Details } from './task.js';

/** The longest delay, about 280 years; Infinity is taken as this. */
const MAX_DELAY = 2 ** 43;

/** Node's rule: what is not a number from 1 up is 1. Beyond Node's, any longer delay works, Infinity too. */
export function toDelay(ms: unknown): number {
  const delay = Number(ms);
  if (!(delay >= 1)) return 1;
  return Math.min(delay, MAX_DELAY);
}

/** A wait with what chance adds to it. */
export function withJitter(wait: number, { jitter, period }: Details): number {
  if (jitter === 0) return wait;
  return wait + Math.random() * jitter * (period > 0 ? period : wait);
}
