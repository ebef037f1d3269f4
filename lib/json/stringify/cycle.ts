import { CircularReferenceError } from '../../errors.js';

/** Whether the engine says so that a value holds itself. */
export function isCycle(error: unknown): boolean {
  // The message is all that tells it from a TypeError of the user's toJSON; whoever relies on this looks again.
  try {
    return error instanceof TypeError && `${error.message}`.startsWith('Converting circular structure');
  } catch {
    // Whatever the user threw, it is not the engine's.
    return false;
  }
}

/** The error for a value that is its own ancestor. */
export function cycleError(path: readonly string[], depth: number): CircularReferenceError {
  return new CircularReferenceError(pointer(path), pointer(path.slice(0, depth)));
}

function pointer(names: readonly string[]): string {
  return names.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

interface Step {
  readonly key: string;
  readonly value: unknown;
}

/**
 * JSON.stringify with a replacer function: holder, key and order are its own. The replacer's calls tell the path,
 * so that a cycle can be named without calling it again.
 */
export function stringifyWith(
  value: unknown,
  replacer: (this: any, key: string, value: any) => any,
  gap: string,
): string | undefined {
  const steps: Step[] = [];
  function track(this: unknown, key: string, member: unknown): unknown {
    const result: unknown = replacer.call(this, key, member);
    while (steps.length > 0 && steps.at(-1)!.value !== this) steps.pop();
    steps.push({ key, value: result });
    return result;
  }
  try {
    return JSON.stringify(value, track, gap);
  } catch (error) {
    if (!isCycle(error)) throw error;
    const depth = steps.findIndex((step) => step.value === steps.at(-1)?.value);
    if (depth < 0 || depth === steps.length - 1) throw error;
    // The root's own key is '', and no part of the path.
    throw cycleError(
      steps.slice(1).map((step) => step.key),
      depth,
    );
  }
}
