import { isRequest, isResponse, requestOf, responseOf } from './http.js';
import { isPlainObject } from './plain.js';

/** Levels of nested objects that are written. */
const MAX_DEPTH = 64;
/** Units of one string that are written. */
export const MAX_STRING: number = 8 * 2 ** 20;
/** Causes of an error that are written. */
const MAX_CAUSES = 16;

type Parents = Set<object>;

/**
 * A copy of a value that JSON has all of: what JSON has no form for is told in brackets, such as `[BigInt: 12]`, and so is
 * what throws. It never throws itself, whatever the value does.
 */
export function careful(value: unknown): unknown {
  return copy(value, new Set(), 0);
}

/** The text of something that is to be a text. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value.length > MAX_STRING ? cut(value) : value;
  try {
    return cut(String(value));
  } catch (error) {
    return thrown(error);
  }
}

function copy(value: unknown, parents: Parents, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return cut(value);
    case 'bigint':
      return `[BigInt: ${value}]`;
    case 'symbol':
      return `[Symbol: ${value.description ?? ''}]`;
    case 'function':
      return named(value);
    case 'object':
      return value === null ? null : copyObject(value, parents, depth);
    default:
      return value;
  }
}

function named(value: object): string {
  try {
    return `[Function: ${cut(String((value as { name: unknown }).name))}]`;
  } catch (error) {
    return thrown(error);
  }
}

function copyObject(value: object, parents: Parents, depth: number): unknown {
  if (parents.has(value)) return '[Circular]';
  if (depth >= MAX_DEPTH) return '[Too deep]';
  parents.add(value);
  try {
    return copyKind(value, parents, depth + 1);
  } catch (error) {
    return thrown(error);
  } finally {
    parents.delete(value);
  }
}

function copyKind(value: any, parents: Parents, depth: number): unknown {
  if (value instanceof Error) return copyError(value, parents, depth);
  if (!isPlainObject(value)) {
    if (isRequest(value)) return copyMembers(requestOf(value), parents, depth);
    if (isResponse(value)) return copyMembers(responseOf(value), parents, depth);
  }
  if (typeof value.toJSON === 'function') {
    const given: unknown = value.toJSON();
    return given === value ? copyMembers(value, parents, depth) : copy(given, parents, depth);
  }
  if (Array.isArray(value)) return Array.from(value, (item) => copy(item, parents, depth));
  if (value instanceof Map) return { '[Map]': copy([...value], parents, depth) };
  if (value instanceof Set) return { '[Set]': copy([...value], parents, depth) };
  if (ArrayBuffer.isView(value)) return `[${value.constructor.name}: ${value.byteLength} bytes]`;
  // Numbers, strings and booleans in objects.
  const plain: unknown = value.valueOf?.();
  if (typeof plain !== 'object' && typeof plain !== 'function') return copy(plain, parents, depth);
  return copyMembers(value, parents, depth);
}

function copyMembers(value: object, parents: Parents, depth: number): object {
  const members: Record<string, unknown> = {};
  for (const name of Object.keys(value)) set(members, name, member(value, name, parents, depth));
  return members;
}

/** Also where the name is `__proto__`. */
function set(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

function member(value: any, name: string, parents: Parents, depth: number): unknown {
  try {
    return copy(value[name], parents, depth);
  } catch (error) {
    return thrown(error);
  }
}

/** An error with what does not enumerate, and its causes. */
function copyError(error: Error, parents: Parents, depth: number): object {
  const members: Record<string, unknown> = {};
  for (const name of ['name', 'message', 'stack']) set(members, name, member(error, name, parents, depth));
  for (const name of Object.keys(error)) set(members, name, member(error, name, parents, depth));
  for (const name of ['cause', 'errors']) {
    if (name in error && !(name in members) && depth < MAX_CAUSES) {
      set(members, name, member(error, name, parents, depth));
    }
  }
  return members;
}

function cut(text: string): string {
  if (text.length <= MAX_STRING) return text;
  return `${text.slice(0, MAX_STRING)} [${text.length - MAX_STRING} more units]`;
}

/** What stands where something was thrown. */
export function thrown(error: unknown): string {
  try {
    return `[Throws: ${cut(String((error as any)?.message ?? error))}]`;
  } catch {
    return '[Throws]';
  }
}
