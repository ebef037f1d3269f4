import { types } from 'node:util';

const { isNumberObject, isStringObject } = types;
/** How much white space JSON.stringify takes for one level at most. */
const LONGEST_GAP = 10;

/** What the second and third argument of JSON.stringify amount to. */
export interface Format {
  /** A replacer function, for JSON.stringify itself. */
  readonly replacer: ((this: any, key: string, value: any) => any) | undefined;
  /** The only members of objects to write, in this order. */
  readonly list: string[] | undefined;
  /** The white space of one level; empty for none. */
  readonly gap: string;
}

/** Reads a replacer and a space by JSON.stringify's rules, which ignore what they do not know. */
export function readFormat(replacer: unknown, space: unknown): Format {
  return {
    replacer: typeof replacer === 'function' ? (replacer as Format['replacer']) : undefined,
    list: Array.isArray(replacer) ? readList(replacer) : undefined,
    gap: readGap(space),
  };
}

function readList(replacer: readonly unknown[]): string[] {
  const names = new Set<string>();
  for (let index = 0; index < replacer.length; index++) {
    const item = replacer[index];
    if (typeof item === 'string') names.add(item);
    else if (typeof item === 'number' || isNumberObject(item) || isStringObject(item)) {
      names.add(String(item));
    }
  }
  return [...names];
}

function readGap(space: unknown): string {
  let value = space;
  if (isNumberObject(value)) value = Number(value);
  else if (isStringObject(value)) value = String(value);
  if (typeof value === 'number')
    return ' '.repeat(Math.max(0, Math.min(LONGEST_GAP, Math.trunc(value) || 0)));
  return typeof value === 'string' ? value.slice(0, LONGEST_GAP) : '';
}
