import { types } from 'node:util';
import { cycleError, isCycle } from './cycle.js';
import type { Format } from './format.js';
import { GROUP_UNITS, Guard } from './guard.js';

const { isBigIntObject, isBooleanObject, isNumberObject, isStringObject } = types;
const { toISOString, toJSON: dateToJSON } = Date.prototype;
const { valueOf: booleanOf } = Boolean.prototype;
const isRawJSON = (JSON as { isRawJSON?: (value: unknown) => value is { rawJSON: string } }).isRawJSON;
/** Containers open around a group that has to be indented; deeper ones are written by hand. */
const INDENTED_DEPTH = 32;
/** A number, a literal, or a hole. */
const SCALAR = 6;
/** What a member written by hand costs beyond its text. */
const BY_HAND = 16;

/** An object with more members than these is not looked at for large objects among them. */
const FEW_MEMBERS = 64;
/** To find that a value is long takes a fraction of the time of writing a group. */
const OVERFLOW_SHARE = 8;

/** An open container. */
interface Frame {
  readonly container: object;
  /** Its name in its parent. */
  readonly key: string;
  /** The members of an object; undefined for an array. */
  readonly keys: readonly string[] | undefined;
  readonly length: number;
  /** A line break and the white space before its children. */
  readonly indent: string;
  at: number;
  empty: boolean;
}

interface Convertible {
  readonly toJSON?: unknown;
  readonly toISOString?: unknown;
}

/**
 * The JSON of a value, a piece at a time. What the guard calls short goes to JSON.stringify, the children of an
 * array in groups; what is long is opened on a stack of its own, so that no depth overflows.
 *
 * At the borders it does what JSON.stringify does with a property: reads it once, calls toJSON once and with the
 * key, and tells what has no JSON. Whatever has a toJSON of its own is written alone, after all that comes before
 * it, so that the order of the calls is JSON.stringify's.
 */
export class Serializer {
  readonly #format: Format;
  readonly #limit: number;
  readonly #guard: Guard;
  readonly #frames: Frame[] = [];
  readonly #open = new Map<object, number>();
  /** A text that is longer than a group, and how much of it is written. */
  #long: string | undefined;
  #longAt = 0;
  /** An object that is about to be opened, with its names. */
  #named: { readonly object: object; readonly keys: readonly string[] } | undefined;
  #out = '';
  #spent = 0;
  /** Opens everything: once JSON.stringify found a cycle, and its path is wanted. */
  #byHand = false;
  #begun = false;
  #done = false;

  /**
   * @param value to write
   * @param format without a replacer function
   * @param limit units of a group
   */
  constructor(
    readonly value: unknown,
    format: Format,
    limit = GROUP_UNITS,
  ) {
    this.#format = format;
    this.#limit = limit;
    this.#guard = new Guard(limit, format.list);
  }

  /** Whether all is written. */
  get done(): boolean {
    return this.#done;
  }

  /**
   * The whole JSON if the value is short: one call of JSON.stringify.
   * @returns undefined if it is not; a value without JSON is `{ text: undefined }`
   */
  atOnce(): { readonly text: string | undefined } | undefined {
    const { value } = this;
    if (
      typeof value === 'string'
        ? value.length > this.#limit
        : isObject(value) && this.#measure(value, 0) > this.#limit
    ) {
      return undefined;
    }
    try {
      const { list, gap } = this.#format;
      return { text: JSON.stringify(value, list, gap) };
    } catch (error) {
      if (!isCycle(error)) throw error;
      this.#byHand = true;
      return undefined;
    }
  }

  /**
   * The next piece, about as long as a group, possibly empty.
   * @returns undefined if the value has no JSON
   * @throws what JSON.stringify would, but a CircularReferenceError for a cycle
   */
  next(): string | undefined {
    this.#out = '';
    this.#spent = 0;
    if (!this.#begun) {
      this.#begun = true;
      const converted = convert(this.value, '');
      if (!hasJSON(converted)) {
        this.#done = true;
        return undefined;
      }
      this.#write(converted, '');
    }
    while (this.#spent < this.#limit) {
      if (this.#long !== undefined) this.#part();
      else if (this.#frames.length === 0) {
        this.#done = true;
        break;
      } else this.#advance(this.#frames.at(-1)!);
    }
    return this.#out;
  }

  #advance(frame: Frame): void {
    if (frame.at >= frame.length) this.#close(frame);
    else if (frame.keys === undefined) this.#elements(frame);
    else this.#member(frame, frame.keys[frame.at++]!);
  }

  /** Writes elements of an array up to one that has to be written alone, and that one. */
  #elements(frame: Frame): void {
    const array = frame.container as readonly unknown[];
    const first = frame.at;
    const depth = this.#frames.length;
    const group: unknown[] = [];
    while (frame.at < frame.length && this.#spent < this.#limit) {
      const element = array[frame.at];
      if (this.#joins(element, depth)) {
        group.push(element);
        frame.at++;
        continue;
      }
      if (!this.#group(frame, group, first)) return;
      const key = String(frame.at++);
      const converted = convert(element, key);
      this.#separate(frame);
      if (hasJSON(converted)) this.#write(converted, key);
      else this.#put('null');
      return;
    }
    this.#group(frame, group, first);
  }

  /** Whether JSON.stringify may have the element together with its neighbours; counts what it costs. */
  #joins(element: unknown, depth: number): boolean {
    if (typeof element === 'string') {
      this.#spent += element.length + 2;
      return element.length <= this.#limit;
    }
    if (typeof element === 'bigint') return false;
    if (element === null || (typeof element !== 'object' && typeof element !== 'function')) {
      this.#spent += SCALAR;
      return true;
    }
    if (converts(element)) return false;
    if (typeof element === 'function') return true;
    const size = this.#measure(element, depth);
    if (size > this.#limit) return false;
    this.#spent += size;
    return true;
  }

  /** Writes a group of elements; false if it holds a cycle, and is to be walked by hand. */
  #group(frame: Frame, group: readonly unknown[], first: number): boolean {
    if (group.length === 0) return true;
    const text = this.#native(group, this.#frames.length);
    if (text === undefined) {
      frame.at = first;
      return false;
    }
    this.#separate(frame);
    this.#out += text;
    return true;
  }

  #member(frame: Frame, key: string): void {
    const value = convert((frame.container as Record<string, unknown>)[key], key);
    this.#spent += BY_HAND;
    if (!hasJSON(value)) return;
    this.#separate(frame);
    this.#put(`${JSON.stringify(key)}:${this.#format.gap === '' ? '' : ' '}`);
    this.#write(value, key);
  }

  /** Writes a value that has JSON and whose toJSON has been called. */
  #write(value: unknown, key: string): void {
    if (typeof value === 'string') this.#text(value);
    else if (isObject(value)) this.#object(value, key);
    else if (typeof value === 'bigint') throw new TypeError('Do not know how to serialize a BigInt');
    else this.#put(typeof value === 'number' && !Number.isFinite(value) ? 'null' : String(value));
  }

  #object(object: object, key: string): void {
    const depth = this.#frames.length;
    // JSON.stringify would call a toJSON of what toJSON returned.
    if (typeof (object as Convertible).toJSON !== 'function') {
      const size = this.#measure(object, depth);
      if (size <= this.#limit) {
        this.#spent += size;
        const text = this.#native([object], this.#format.gap === '' ? 0 : depth);
        if (text !== undefined) {
          this.#out += text;
          return;
        }
      }
    }
    if (isNumberObject(object)) this.#write(Number(object), key);
    else if (isStringObject(object)) this.#write(String(object), key);
    else if (isBooleanObject(object)) this.#write(booleanOf.call(object), key);
    else if (isBigIntObject(object)) this.#write(0n, key);
    else if (isRawJSON?.(object)) this.#put(object.rawJSON);
    else this.#enter(object, key);
  }

  #enter(container: object, key: string): void {
    const known = this.#open.get(container);
    if (known !== undefined) {
      const path = this.#frames.slice(1).map((frame) => frame.key);
      throw cycleError([...path, key], known);
    }
    const { list, gap } = this.#format;
    const isArray = Array.isArray(container);
    const named = this.#named?.object === container ? this.#named.keys : undefined;
    this.#named = undefined;
    const keys = isArray ? undefined : (list ?? named ?? Object.keys(container));
    this.#open.set(container, this.#frames.length);
    const indent = gap === '' ? '' : `\n${gap.repeat(this.#frames.length + 1)}`;
    const length = isArray ? container.length : keys!.length;
    this.#frames.push({ container, key, keys, length, indent, at: 0, empty: true });
    this.#put(isArray ? '[' : '{');
  }

  #close(frame: Frame): void {
    this.#frames.pop();
    this.#open.delete(frame.container);
    if (!frame.empty && frame.indent !== '') this.#put(`\n${this.#format.gap.repeat(this.#frames.length)}`);
    this.#put(frame.keys === undefined ? ']' : '}');
  }

  #separate(frame: Frame): void {
    this.#put(frame.empty ? frame.indent : `,${frame.indent}`);
    frame.empty = false;
  }

  #put(text: string): void {
    this.#out += text;
    this.#spent += text.length;
  }

  #text(text: string): void {
    if (text.length <= this.#limit) {
      this.#put(JSON.stringify(text));
      return;
    }
    this.#put('"');
    this.#long = text;
    this.#longAt = 0;
  }

  /** The next part of a long text. */
  #part(): void {
    const text = this.#long!;
    const end = cut(text, this.#longAt + Math.max(this.#limit, 2));
    this.#put(JSON.stringify(text.slice(this.#longAt, end)).slice(1, -1));
    this.#longAt = end;
    if (end < text.length) return;
    this.#long = undefined;
    this.#put('"');
  }

  /**
   * Whether the object alone makes more than a group by its names. They are kept for when it is opened: V8 lists
   * and sorts those of a large object anew each time, before a `for…in` has its first one too. Elements, and members
   * of an object with many, are not asked, since listing costs more than the guard's walk of a short value.
   */
  #hasManyNames(value: object): boolean {
    if (this.#named?.object === value) return true;
    const parent = this.#frames.at(-1);
    if (parent !== undefined && (parent.keys === undefined || parent.keys.length > FEW_MEMBERS)) return false;
    if (this.#format.list !== undefined) return false;
    if (Array.isArray(value) || ArrayBuffer.isView(value)) return false;
    const keys = Object.keys(value);
    if (keys.length * BY_HAND <= this.#limit) return false;
    this.#named = { object: value, keys };
    return true;
  }

  #measure(value: object, depth: number): number {
    if (this.#byHand || (this.#format.gap !== '' && depth > INDENTED_DEPTH)) return Number.POSITIVE_INFINITY;
    if (this.#hasManyNames(value)) return Number.POSITIVE_INFINITY;
    const size = this.#guard.measure(value);
    if (size > this.#limit) this.#spent += this.#limit / OVERFLOW_SHARE;
    return size;
  }

  /**
   * JSON.stringify of values inside `depth` open containers, without what surrounds them; undefined if it found a
   * cycle. Arrays around them make it indent them right; they are cut off again. At depth 0 there is one value.
   */
  #native(values: readonly unknown[], depth: number): string | undefined {
    const { list, gap } = this.#format;
    // Without white space the depth does not show.
    const levels = gap === '' ? Math.min(depth, 1) : depth;
    let wrapped: unknown = levels === 0 ? values[0] : values;
    for (let level = 1; level < levels; level++) wrapped = [wrapped];
    let text: string;
    try {
      text = JSON.stringify(wrapped, list, gap);
    } catch (error) {
      if (!isCycle(error)) throw error;
      this.#byHand = true;
      return undefined;
    }
    if (levels === 0) return text;
    if (gap === '') return text.slice(1, -1);
    // Before: '[', a line break and the gaps of each level; after: a line break, the gaps and ']'.
    const before = levels * 2 + (gap.length * levels * (levels + 1)) / 2;
    const after = levels * 2 + (gap.length * levels * (levels - 1)) / 2;
    return text.slice(before, text.length - after);
  }
}

/** `end`, or the unit before it where it would part a surrogate pair, or the text's length. */
export function cut(text: string, end: number): number {
  if (end >= text.length) return text.length;
  return (text.charCodeAt(end - 1) & 0xfc00) === 0xd800 ? end - 1 : end;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Whether a value whose toJSON has been called has JSON. */
function hasJSON(value: unknown): boolean {
  return value !== undefined && typeof value !== 'function' && typeof value !== 'symbol';
}

/** Whether the object has a toJSON that has to be called with the right key: a Date's own looks at none. */
function converts(object: object): boolean {
  const { toJSON } = object as Convertible;
  if (typeof toJSON !== 'function') return false;
  return toJSON !== dateToJSON || (object as Convertible).toISOString !== toISOString;
}

/** What JSON.stringify makes of a property before it looks at its type. */
function convert(value: unknown, key: string): unknown {
  const type = typeof value;
  if ((type !== 'object' && type !== 'function' && type !== 'bigint') || value === null) return value;
  const { toJSON } = value as Convertible;
  return typeof toJSON === 'function' ? toJSON.call(value, key) : value;
}
