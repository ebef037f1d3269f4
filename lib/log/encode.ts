import { BUDGET, careful, MEMBER } from './careful.js';
import { isPlainObject } from './plain.js';
import { MAX_STRING } from './text.js';

/** Nested objects that are looked through ahead; what is deeper gets the careful copy. */
const DEPTH = 8;

/** Members of the metadata that are told beside it too. */
const LIFTED = ['requestId', 'userId', 'service'] as const;

/**
 * Metadata as JSON has all of it: the value itself where JSON.stringify would not leave out, change without a word, or throw at
 * anything in it, or else a careful copy.
 */
export function plainOf(metadata: unknown): unknown {
  try {
    left = BUDGET;
    if (isPlain(metadata, DEPTH)) return metadata;
  } catch {
    // A proxy, or a getter that throws: the copy tells which.
  }
  return careful(metadata);
}

/** The JSON of what {@link plainOf} gave. `undefined` has none. */
export function jsonOf(plain: unknown): string | undefined {
  try {
    return JSON.stringify(plain);
  } catch {
    // A getter that throws only now and then. The copy has none.
    return JSON.stringify(careful(plain));
  }
}

/** Which members of what {@link plainOf} gave are told beside it too: a bit for each of them, in their order. */
export function liftsOf(plain: any): number {
  if (typeof plain !== 'object' || plain === null) return 0;
  try {
    const { requestId, userId, service } = plain;
    return (
      (requestId === undefined ? 0 : 1) | (userId === undefined ? 0 : 2) | (service === undefined ? 0 : 4)
    );
  } catch {
    // The JSON tells what there is of them.
    return 7;
  }
}

/**
 * A line of the log without its end: as native code makes it, for what it does not make.
 *
 * @param json of the metadata
 * @param lifts see {@link liftsOf}
 * @param more members with a comma before each
 */
export function lineOf(
  timestamp: number | string,
  level: string,
  message: string,
  json: string | undefined,
  lifts: number,
  more: string,
): string {
  const head = JSON.stringify({ timestamp, level, message }).slice(0, -1);
  if (json === undefined) return `${head}${more}}`;
  return `${head},"metadata":${json}${lifts === 0 ? '' : lifted(JSON.parse(json))}${more}}`;
}

function lifted(metadata: any): string {
  let members = '';
  for (const name of LIFTED) {
    if (Object.hasOwn(metadata, name)) members += `,"${name}":${JSON.stringify(metadata[name])}`;
  }
  return members;
}

/** What is left of the {@link BUDGET} of the metadata that is looked through. */
let left = 0;

/** Whether JSON has all of a value. */
function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
      left -= value.length;
      return value.length <= MAX_STRING;
    case 'object':
      return value === null || (depth > 0 && isPlainInside(value, depth - 1));
    case 'number':
    case 'boolean':
    case 'undefined':
      return true;
    default:
      return false;
  }
}

function isPlainInside(value: object, depth: number): boolean {
  if (typeof (value as any).toJSON === 'function') return isDate(value);
  if (Array.isArray(value)) {
    left -= MEMBER * value.length;
    if (left < 0) return false;
    for (let index = 0; index < value.length; index++) if (!isPlain(value[index], depth)) return false;
    return true;
  }
  if (!isPlainObject(value)) return false;
  for (const name in value) {
    left -= MEMBER + name.length;
    if (left < 0 || !isPlain(value[name], depth)) return false;
  }
  return true;
}

/** Whether it is a date of no class of its own: others may be anything. */
function isDate(value: object): boolean {
  return Object.getPrototypeOf(value) === Date.prototype && Object.keys(value).length === 0;
}
