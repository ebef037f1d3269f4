import { careful, MAX_STRING, textOf } from './careful.js';

/** A line of the log, as JSON has it. */
interface LogEntry {
  /** Milliseconds since 1970. */
  timestamp: number;
  level: string;
  message: string;
  metadata?: unknown;
  /** Members of the metadata that are told beside it too. */
  requestId?: unknown;
  userId?: unknown;
  service?: unknown;
}

/** Nested objects that are looked through ahead; what is deeper gets the careful copy. */
const DEPTH = 8;

/**
 * The line of an entry, without its end, which is JSON whatever the entry has in it. What JSON.stringify would leave out,
 * change without a word, or throw at is written as {@link careful} has it; all else by JSON.stringify itself.
 */
export function encode(timestamp: number, level: string, message: string, metadata: unknown): string {
  try {
    if (message.length <= MAX_STRING && isPlain(metadata, DEPTH)) {
      return JSON.stringify(entryOf(timestamp, level, message, metadata));
    }
  } catch {
    // A proxy, or a getter that throws: the copy tells which.
  }
  return JSON.stringify(entryOf(timestamp, level, textOf(message), careful(metadata)));
}

/** Of metadata that is an object some members are told beside it too. */
function entryOf(timestamp: number, level: string, message: string, metadata: any): LogEntry {
  if (typeof metadata !== 'object' || metadata === null) return { timestamp, level, message, metadata };
  const { requestId, userId, service } = metadata;
  return { timestamp, level, message, metadata, requestId, userId, service };
}

/** Whether JSON has all of a value. */
function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
      return value.length <= MAX_STRING;
    case 'object':
      return value === null || (depth > 0 && isPlainObject(value, depth - 1));
    case 'number':
    case 'boolean':
    case 'undefined':
      return true;
    default:
      return false;
  }
}

function isPlainObject(value: object, depth: number): boolean {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) if (!isPlain(value[index], depth)) return false;
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  // Of another realm, or of a class, it may be anything.
  if (prototype !== Object.prototype && prototype !== null) return value instanceof Date;
  for (const name in value) if (!isPlain((value as any)[name], depth)) return false;
  return true;
}
