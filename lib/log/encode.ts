import { careful, MAX_STRING } from './careful.js';

/** Nested objects that are looked through ahead; what is deeper gets the careful copy. */
const DEPTH = 8;

/** Members of the metadata that are told beside it too. */
const LIFTED = ['requestId', 'userId', 'service'] as const;

/**
 * The JSON of metadata, whatever that is: what JSON.stringify would leave out, change without a word, or throw at is written as
 * {@link careful} has it, all else by JSON.stringify itself. `undefined` has none.
 */
export function jsonOf(metadata: unknown): string | undefined {
  if (metadata === undefined) return undefined;
  try {
    if (isPlain(metadata, DEPTH)) return JSON.stringify(metadata);
  } catch {
    // A proxy, or a getter that throws: the copy tells which.
  }
  return JSON.stringify(careful(metadata));
}

/** What JSON has all of: the value itself, or a careful copy. */
export function plainOf(metadata: unknown): unknown {
  try {
    if (isPlain(metadata, DEPTH)) return metadata;
  } catch {
    // As above.
  }
  return careful(metadata);
}

/** Which members of the metadata are told beside it too: a bit for each of them, in their order. */
export function liftsOf(metadata: any): number {
  if (typeof metadata !== 'object' || metadata === null) return 0;
  try {
    const { requestId, userId, service } = metadata;
    return (
      (requestId === undefined ? 0 : 1) | (userId === undefined ? 0 : 2) | (service === undefined ? 0 : 4)
    );
  } catch {
    // They are in the copy, which says what was thrown.
    return 7;
  }
}

/**
 * A line of the log without its end: as native code makes it, for what it does not make.
 *
 * @param json of the metadata
 * @param more members with a comma before each
 */
export function lineOf(
  timestamp: number | string,
  level: string,
  message: string,
  metadata: unknown,
  json: string | undefined,
  more: string,
): string {
  const head = JSON.stringify({ timestamp, level, message }).slice(0, -1);
  return json === undefined ? `${head}${more}}` : `${head},"metadata":${json}${lifted(metadata)}${more}}`;
}

function lifted(metadata: any): string {
  if (liftsOf(metadata) === 0) return '';
  let members = '';
  for (const name of LIFTED) {
    const json = jsonOf(plainMember(metadata, name));
    if (json !== undefined) members += `,"${name}":${json}`;
  }
  return members;
}

function plainMember(metadata: any, name: string): unknown {
  try {
    return metadata[name];
  } catch {
    // As it is in the copy, which says what was thrown.
    return (careful(metadata) as any)?.[name];
  }
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
