import { isCycle } from './cycle.js';

/** Estimated units of JSON that are written without asking for more: less than a tenth of a millisecond. */
const SHORT_UNITS = 8192;
/** What a number or a literal costs in the estimate, and what a container or a name costs beyond its text. */
const SCALAR = 6;
/** Nesting that is looked at. */
const DEPTH = 16;

/**
 * The JSON of a short value, at the cost of JSON.stringify and little more: most values that a service writes are
 * short, and for them the machinery of slices would cost as much again as the text.
 *
 * @returns undefined for what is not short or has a cycle or no JSON: then the long way tells
 * @throws what a toJSON throws, and a TypeError for a BigInt
 */
export function shortText(value: unknown): string | undefined {
  if (typeof value === 'string' ? value.length > SHORT_UNITS : isObject(value) && !isShort(value)) {
    return undefined;
  }
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (isCycle(error)) return undefined;
    throw error;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isShort(value: object): boolean {
  try {
    return rest(value, SHORT_UNITS, 0) >= 0;
  } catch {
    // An accessor threw, and throws again where JSON.stringify reads it.
    return false;
  }
}

/** What `value` leaves of `left` units; negative if it takes more, or if one cannot know before a toJSON is called. */
function rest(value: object, left: number, depth: number): number {
  if (depth === DEPTH || ArrayBuffer.isView(value)) return -1;
  let units = left - SCALAR;
  if (Array.isArray(value)) {
    const { length } = value;
    if (length > units) return -1;
    for (let index = 0; index < length && units >= 0; index++) units = member(value[index], units, depth);
    return units;
  }
  const members = value as Record<string, unknown>;
  if (typeof members.toJSON === 'function' && !(value instanceof Date)) return -1;
  for (const key in members) {
    units = member(members[key], units - key.length - SCALAR, depth);
    if (units < 0) break;
  }
  return units;
}

function member(value: unknown, left: number, depth: number): number {
  if (typeof value === 'string') return left - value.length - SCALAR;
  if (typeof value === 'object' && value !== null) return rest(value, left, depth + 1);
  return left - SCALAR;
}
