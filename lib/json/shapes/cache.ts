import { generate } from './generate.js';
import type { CompiledShape } from './group.js';
import type { Signature } from './signature.js';

/** Most shapes that are kept: some hundred kilobytes of code at the very worst of usual documents. */
const MAX_KEPT = 256;

/** Shapes of all jobs by signature, the least recently asked for first. */
const kept = new Map<string, CompiledShape>();

/** The function for rows of `signature`, which is the native encoder's text. */
export function compiledShape(signature: string): CompiledShape {
  const known = kept.get(signature);
  if (known !== undefined) {
    kept.delete(signature);
    kept.set(signature, known);
    return known;
  }
  const made = generate(JSON.parse(signature) as Signature);
  kept.set(signature, made);
  for (const [oldest] of kept) {
    if (kept.size <= MAX_KEPT) break;
    kept.delete(oldest);
  }
  return made;
}
