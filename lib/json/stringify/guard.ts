/**
 * Estimated length of JSON, in UTF-16 units, that goes to `JSON.stringify` at once; what is longer is opened and
 * goes in groups of about this length, a fraction of a millisecond each.
 *
 * Measured with 50 and 100 MB: groups of 16 to 64 Ki cost the same within a few per cent; smaller ones and those of
 * 128 Ki, whose text no longer fits a page of V8's young generation, cost up to half as much again.
 */
export const GROUP_UNITS = 32_768;
/** Nesting that goes to `JSON.stringify` at once, so that neither it nor the guard can overflow the stack. */
const DEPTH = 64;
/** What a number, a literal, or any object costs in the estimate beyond its members. */
const SCALAR = 6;
/** A date in quotes. */
const DATE = 26;
/** What a toJSON makes cannot be known before it is called: few of them share a group. */
const CONVERTED_SHARE = 16;
/** Lengths from this share of the limit are worth remembering. */
const KNOWN_SHARE = 16;
const OVER = -1;

const { toJSON: dateToJSON } = Date.prototype;

/**
 * Tells whether a value's JSON is short, by a walk that ends as soon as it is not.
 *
 * The walk is a `for…in`, which reads V8's cached keys: about 0.1x of JSON.stringify's time for records and 0.2x for
 * a tree of tiny objects, where Object.keys takes half as much again. To walk one element in 16 and to trust the rest
 * costs next to nothing, but then a single large element among small ones blocks for as long as it takes.
 */
export class Guard {
  readonly #limit: number;
  readonly #list: readonly string[] | undefined;
  /**
   * Containers at least half as long as the limit, found on the way to an overflow and not yet asked for.
   * Without them a chain of nested containers would be walked again from each of its links.
   */
  readonly #large = new Set<object>();
  /**
   * Lengths found before an overflow, of the outermost containers that are worth it, and not yet asked for: what
   * is opened has its children measured next.
   */
  readonly #known = new Map<object, number>();
  /** The same, of the walk that goes on. */
  readonly #found: { readonly value: object; readonly units: number; readonly left: number }[] = [];

  /** @param list the only members that count, if not all do */
  constructor(limit: number, list?: readonly string[]) {
    this.#limit = limit;
    this.#list = list;
  }

  /**
   * The estimated length of the value's JSON, or Infinity if it is above the limit. Reads accessors; one that
   * throws counts as long, so that it throws again where JSON.stringify would read it.
   */
  measure(value: object): number {
    if (this.#large.delete(value)) return Number.POSITIVE_INFINITY;
    const known = this.#known.get(value);
    if (known !== undefined) {
      this.#known.delete(value);
      return known;
    }
    let left: number;
    try {
      left = this.#walk(value, this.#limit, 0);
    } catch {
      left = OVER;
    }
    if (left < 0) for (const { value, units } of this.#found) this.#known.set(value, units);
    this.#found.length = 0;
    return left < 0 ? Number.POSITIVE_INFINITY : this.#limit - left;
  }

  /** What `value` leaves of `left` units, negative if it takes more. */
  #walk(value: object, left: number, depth: number): number {
    if (depth === DEPTH) return OVER;
    const rest = Array.isArray(value) ? this.#array(value, left, depth) : this.#object(value, left, depth);
    if (rest < 0) {
      if (depth > 0 && depth <= DEPTH / 2 && left >= this.#limit / 2) this.#large.add(value);
    } else if (left - rest >= this.#limit / KNOWN_SHARE) this.#note(value, left, left - rest);
    return rest;
  }

  #note(value: object, left: number, units: number): void {
    // What was entered later lies inside.
    while (this.#found.length > 0 && this.#found.at(-1)!.left <= left) this.#found.pop();
    this.#found.push({ value, units, left });
  }

  #array(array: readonly unknown[], left: number, depth: number): number {
    const { length } = array;
    let rest = left - SCALAR - length;
    for (let index = 0; index < length && rest >= 0; index++) {
      const element = array[index];
      if (typeof element === 'string') rest -= element.length + 2;
      else if (typeof element === 'object' && element !== null) rest = this.#walk(element, rest, depth + 1);
      else rest -= SCALAR;
    }
    return rest;
  }

  #object(object: object, left: number, depth: number): number {
    // The toJSON of a Buffer makes an array of it; other views have a member for each element.
    if (ArrayBuffer.isView(object)) return left - SCALAR - object.byteLength * 4;
    const members = object as Record<string, unknown>;
    let rest = left - SCALAR;
    if (typeof members.toJSON === 'function') {
      rest -= members.toJSON === dateToJSON ? DATE : this.#limit / CONVERTED_SHARE;
    }
    if (this.#list !== undefined) {
      for (const key of this.#list) {
        rest = this.#member(key, members[key], rest, depth);
        if (rest < 0) break;
      }
      return rest;
    }
    for (const key in members) {
      const member = members[key];
      rest -= key.length + 4;
      if (typeof member === 'string') rest -= member.length + 2;
      else if (typeof member === 'object' && member !== null) rest = this.#walk(member, rest, depth + 1);
      else rest -= SCALAR;
      if (rest < 0) break;
    }
    return rest;
  }

  #member(key: string, member: unknown, left: number, depth: number): number {
    if (member === undefined) return left;
    const rest = left - key.length - 4;
    if (typeof member === 'string') return rest - member.length - 2;
    if (typeof member !== 'object' || member === null) return rest - SCALAR;
    return this.#walk(member, rest, depth + 1);
  }
}
