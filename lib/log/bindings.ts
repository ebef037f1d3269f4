import { careful } from './careful.js';
import { isPlainObject } from './plain.js';

/** Metadata with members that go behind its own. What is no plain object becomes the member `metadata`. */
export function bound(bindings: object, metadata: unknown): object {
  if (metadata === undefined) return bindings;
  try {
    if (isPlainObject(metadata)) return { ...bindings, ...metadata };
  } catch {
    // A getter that throws, or a proxy: the copy tells which.
    const copy = careful(metadata);
    return isPlainObject(copy) ? { ...bindings, ...copy } : { ...bindings, metadata: copy };
  }
  return { ...bindings, metadata };
}
