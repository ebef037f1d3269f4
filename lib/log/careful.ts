import { types } from 'node:util';
import { openHeaders, toldOfHttp } from './http.js';
import { isObject, isPlainObject, setMember } from './plain.js';
import { cut, thrown } from './text.js';

/** Levels of nested objects that are written. */
const MAX_DEPTH = 64;
/** Causes of an error that are written. */
const MAX_CAUSES = 16;
/** Units of text in one line's metadata, and for how many of them a member counts beside its name and its text. */
export const BUDGET: number = 32 * 2 ** 20;
export const MEMBER = 256;
/** Bytes of what would be told as a list of them. */
const MAX_BYTES = 2 ** 16;
/** Bits of an integer that is told: the time for its digits grows with their square. */
const MAX_BITS = 2 ** 14;

const TOO_LARGE = '[Too large]';

/**
 * A copy of a value that JSON has all of: what JSON has no form for is told in brackets, such as `[BigInt: 12]`, and so is
 * what throws, or is too deep or too much. It never throws itself, whatever the value does; each getter is read once. The copy
 * is a tree of nothing but data, in which nothing is shared.
 */
export function careful(value: unknown): unknown {
  return new Copier().copy(value, 0);
}

/** Who copies one value. */
class Copier {
  readonly #parents = new Set<object>();
  /** Of {@link BUDGET}. */
  #left = BUDGET;
  /** Errors that what is copied hangs on. */
  #errors = 0;

  copy(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        return this.#text(value);
      case 'bigint':
        return BigInt.asIntN(MAX_BITS, value) === value ? `[BigInt: ${value}]` : '[BigInt: too large]';
      case 'symbol':
        return this.#text(`[Symbol: ${cut(value.description ?? '')}]`);
      case 'function':
        return this.#text(`[Function: ${cut(String(attempt(() => value.name) ?? ''))}]`);
      case 'object':
        return value === null ? null : this.#object(value, depth);
      default:
        return value;
    }
  }

  #text(text: string): string {
    const told = cut(text);
    this.#left -= told.length;
    return told;
  }

  /** Whether there is room for one more member. */
  #has(name: string): boolean {
    this.#left -= MEMBER + name.length;
    return this.#left >= 0;
  }

  #object(value: object, depth: number): unknown {
    if (this.#parents.has(value)) return '[Circular]';
    if (depth >= MAX_DEPTH) return '[Too deep]';
    this.#parents.add(value);
    try {
      return this.#kind(value, depth + 1);
    } catch (error) {
      return thrown(error);
    } finally {
      this.#parents.delete(value);
    }
  }

  #kind(value: any, depth: number): unknown {
    if (isError(value)) return this.#error(value, depth);
    if (!isPlainObject(value)) {
      const told = attempt(() => toldOfHttp(value));
      if (told !== undefined) return this.#members(told, depth);
      if (isBytes(value) && value.byteLength > MAX_BYTES) return bytes(value);
    }
    if (typeof attempt(() => value.toJSON) === 'function') {
      const given: unknown = value.toJSON();
      return given === value ? this.#members(value, depth) : this.copy(given, depth);
    }
    if (Array.isArray(value)) return this.#list(value, depth);
    if (types.isMap(value)) return this.#map(value, depth);
    if (types.isSet(value)) return { '[Set]': this.#list([...Set.prototype.values.call(value)], depth) };
    if (isBytes(value)) return bytes(value);
    if (types.isRegExp(value)) return this.#text(String(value));
    if (types.isBoxedPrimitive(value)) return this.copy(value.valueOf(), depth);
    // A promise, or whatever else has all of its state where no program gets at it.
    if (Object.keys(value).length === 0 && tagOf(value) !== 'Object') return `[${tagOf(value)}]`;
    return this.#members(value, depth);
  }

  #list(list: readonly unknown[], depth: number): unknown[] {
    const copies: unknown[] = [];
    for (let index = 0; index < list.length; index++) {
      if (!this.#has('')) {
        copies.push(`[Too large: ${list.length - index} more]`);
        break;
      }
      copies.push(this.#member('', () => list[index], depth));
    }
    return copies;
  }

  /** By its keys where they are texts, as paths of what is redacted need it, all else as pairs. */
  #map(map: ReadonlyMap<unknown, unknown>, depth: number): object {
    const members: Record<string, unknown> = {};
    const others: unknown[] = [];
    for (const [key, value] of Map.prototype.entries.call(map)) {
      if (typeof key !== 'string') others.push([key, value]);
      else if (!this.#add(members, key, () => value, depth)) break;
    }
    if (others.length > 0) setMember(members, '[Map]', this.#list(others, depth));
    return members;
  }

  #members(value: any, depth: number): object {
    const members: Record<string, unknown> = {};
    for (const name of Object.keys(value)) if (!this.#add(members, name, () => value[name], depth)) break;
    return members;
  }

  /** An error with what does not enumerate, and its causes. */
  #error(error: any, depth: number): object {
    const members: Record<string, unknown> = {};
    const names = new Set(['name', 'message', 'stack', ...Object.keys(error)]);
    if (depth < MAX_CAUSES) for (const name of ['cause', 'errors']) if (name in error) names.add(name);
    this.#errors++;
    for (const name of names) if (!this.#add(members, name, () => error[name], depth)) break;
    this.#errors--;
    return members;
  }

  /** Copies a member. false: there is no room for it, nor for any other. */
  #add(members: Record<string, unknown>, name: string, read: () => unknown, depth: number): boolean {
    if (!this.#has(name)) {
      setMember(members, TOO_LARGE, true);
      return false;
    }
    setMember(members, cut(name), this.#member(name, read, depth));
    return true;
  }

  #member(name: string, read: () => unknown, depth: number): unknown {
    try {
      const value = read();
      // Clients let their errors have all of the request, of which nobody thinks who logs an error.
      const isRequest = this.#errors > 0 && name === 'headers' && isObject(value);
      return this.copy(isRequest ? openHeaders(value) : value, depth);
    } catch (error) {
      return thrown(error);
    }
  }
}

/** Of any realm. @throws what a proxy throws */
export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error;
}

function isBytes(value: unknown): value is ArrayBufferLike | ArrayBufferView {
  return ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value);
}

function bytes(value: ArrayBufferLike | ArrayBufferView): string {
  return `[${attempt(() => value.constructor.name) ?? tagOf(value)}: ${value.byteLength} bytes]`;
}

/** What of a kind an object says that it is. */
function tagOf(value: object): string {
  return cut(attempt(() => Object.prototype.toString.call(value).slice('[object '.length, -1)) ?? 'Object');
}

/** What cannot be read is as what is not there. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
