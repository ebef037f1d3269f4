import { CostAboveQuotaError } from '../errors.js';
import { abortSignal, integer, invalid, options } from '../validate.js';
import { MAX_UNITS } from './native.js';

/** Options of a check. */
export interface CheckOptions {
  /** Units, 1 or more. @default 1 */
  cost?: number | undefined;
  /** Ends the wait for Redis; the check rejects with its reason. What was sent may count. */
  signal?: AbortSignal | undefined;
}

/** A check of several. */
export interface KeyCheck {
  key: string;
  /** Units, 1 or more. @default 1 */
  cost?: number | undefined;
}

/** Options of a look. */
export interface PeekOptions {
  /** Units, 0 or more: whether so many would pass. @default 1 */
  cost?: number | undefined;
}

/** Options of a call that waits. */
export interface WaitOptions extends CheckOptions {
  /** Milliseconds, then TimeoutError. @default Infinity */
  timeout?: number | undefined;
  /** Calls that may wait for the key before this one; beyond them it rejects with QueueFullError. @default Infinity */
  maxWaiting?: number | undefined;
}

/** Options of a permit. */
export interface AcquireOptions extends WaitOptions {
  /** Whether it is renewed until it is released, as long as the process lives. @default true */
  renew?: boolean | undefined;
}

const NEVER = Number.POSITIVE_INFINITY;

export function keyOf(key: unknown): string {
  return typeof key === 'string' ? key : invalid('key', 'a string', key);
}

/** @throws CostAboveQuotaError */
export function checkCost(cost: number, highest: number): void {
  if (cost > highest) throw new CostAboveQuotaError(cost, highest);
}

export function costOf(given: unknown, highest: number, least = 1): number {
  if (given === undefined) return 1;
  const cost = integer('cost', given, least);
  checkCost(cost, highest);
  return cost;
}

/** Units to add or to give back. */
export function unitsOf(given: unknown): number {
  return integer('units', given, 1, MAX_UNITS);
}

export function checkOptions(given: CheckOptions): CheckOptions {
  const chosen = options<CheckOptions>('options', given, ['cost', 'signal']);
  if (chosen.signal !== undefined) abortSignal('signal', chosen.signal);
  return chosen;
}

export function peekOptions(given: PeekOptions): PeekOptions {
  return options<PeekOptions>('options', given, ['cost']);
}

export function waitOptions(given: AcquireOptions, names: readonly (keyof AcquireOptions)[]) {
  const {
    cost,
    signal,
    timeout = NEVER,
    maxWaiting = NEVER,
    renew = true,
  } = options<AcquireOptions>('options', given, names);
  if (signal !== undefined) abortSignal('signal', signal);
  if (!(typeof timeout === 'number' && timeout >= 0))
    invalid('timeout', 'a number of milliseconds from 0', timeout);
  if (maxWaiting !== NEVER) integer('maxWaiting', maxWaiting, 0);
  if (typeof renew !== 'boolean') invalid('renew', 'a boolean', renew);
  return { cost, signal, timeout, maxWaiting, renew };
}
