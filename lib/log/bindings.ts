import { careful, isError } from './careful.js';
import { isPlainObject, merged } from './plain.js';

/**
 * What of an object is told beside bindings: itself where it is plain, else what the careful copy has of it. undefined: it is an
 * error, whose members would be taken for bindings, or it is told as a list or a text.
 */
export function membersOf(value: unknown): object | undefined {
  try {
    if (isPlainObject(value) && typeof value.toJSON !== 'function') return value;
    if (isError(value)) return undefined;
  } catch {
    // A getter that throws, or a proxy: the copy tells which.
  }
  return copied(value);
}

/** Metadata with members that go behind its own. What is an error, a list or a text becomes the member `metadata`. */
export function bound(bindings: object, metadata: unknown): object {
  if (metadata === undefined) return bindings;
  let members = membersOf(metadata);
  try {
    if (members !== undefined) return merged(bindings, members);
  } catch {
    members = copied(metadata);
  }
  return merged(bindings, members ?? { metadata });
}

function copied(value: unknown): object | undefined {
  const copy = careful(value);
  return isPlainObject(copy) ? copy : undefined;
}
