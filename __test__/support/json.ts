import { readFormat } from '../../dist/json/stringify/format';
import { Serializer } from '../../dist/json/stringify/serializer';

/** The JSON of a value, in groups of about `units`, without the direct way for short ones. */
export function inPieces(
  value: unknown,
  units: number,
  replacer?: unknown,
  space?: unknown,
): string | undefined {
  const serializer = new Serializer(value, readFormat(replacer, space), units);
  let text: string | undefined = '';
  while (!serializer.done) {
    const piece = serializer.next();
    if (piece === undefined) text = undefined;
    else text += piece;
  }
  return text;
}

/** What a call gives or throws, to compare. */
export function outcome(call: () => unknown): unknown {
  try {
    return { result: call() };
  } catch (error) {
    return { thrown: error };
  }
}

/** Group sizes from everything by hand to nothing by hand. */
export const UNITS = [1, 8, 30, 200, 1e9];
