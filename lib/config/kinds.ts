/** What a setting may be, and how a text says it. */
export interface Kind<T> {
  /** Of its numbers. */
  readonly unit: 'ms' | 'bytes' | '%' | undefined;
  /** For people: 'a whole number from 1 to 10'. */
  readonly accepted: string;
  has(value: unknown): value is T;
  /** What a text means, which `has` may refuse. */
  read(text: string): unknown;
}

const NEVER = Number.POSITIVE_INFINITY;
const TIMES: Readonly<Record<string, number>> = {
  ...{ '': 1, ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 },
};
const SIZES: Readonly<Record<string, number>> = {
  ...{ '': 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 },
};
const PLAIN: Readonly<Record<string, number>> = { '': 1 };

function readNumber(text: string, factors: Readonly<Record<string, number>>): number {
  if (text === 'Infinity') return NEVER;
  const [, digits, suffix = ''] = /^(-?\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(text) ?? [];
  if (digits === undefined || !Object.hasOwn(factors, suffix)) return Number.NaN;
  const factor = factors[suffix]!;
  // 1.1 * 60,000 is not quite 66,000.
  return factor === 1 ? Number(digits) : Math.round(Number(digits) * factor);
}

function whole(
  unit: Kind<number>['unit'],
  what: string,
  factors: Readonly<Record<string, number>>,
  min: number,
  max: number,
): Kind<number> {
  const most = max === NEVER ? Number.MAX_SAFE_INTEGER : max;
  return {
    unit,
    accepted: max === NEVER ? `${what} from ${min}, or Infinity` : `${what} from ${min} to ${max}`,
    has: (value): value is number =>
      value === max || (Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= most),
    read: (text) => readNumber(text, factors),
  };
}

/** A whole number; Infinity only where that is the most. */
export function count(min: number, max: number): Kind<number> {
  return whole(undefined, 'a whole number', PLAIN, min, max);
}

/** A time, in text also as `250ms`, `5s`, `2m`, `1h` or `1d`. */
export function milliseconds(min: number, max: number): Kind<number> {
  return whole('ms', 'whole milliseconds', TIMES, min, max);
}

/** A size, in text also as `64MiB`, `10KB` and the like. */
export function bytes(min: number, max: number): Kind<number> {
  return whole('bytes', 'whole bytes', SIZES, min, max);
}

/** Any number in [min, max]. */
export function number(min: number, max: number, unit?: '%'): Kind<number> {
  return {
    unit,
    accepted: `a number from ${min} to ${max}`,
    has: (value): value is number => typeof value === 'number' && value >= min && value <= max,
    read: (text) => readNumber(text, PLAIN),
  };
}

/** One of a few words. */
export function choice<const T extends string>(...words: readonly T[]): Kind<T> {
  return {
    unit: undefined,
    accepted: `one of ${words.map((word) => `'${word}'`).join(', ')}`,
    has: (value): value is T => words.includes(value as T),
    read: (text) => text,
  };
}

const FLAGS: Readonly<Record<string, boolean>> = { true: true, 1: true, false: false, 0: false };

/** A boolean, or one of a few words; in text also 1 or 0. */
export function flag<const T extends string = never>(...words: readonly T[]): Kind<boolean | T> {
  return {
    unit: undefined,
    accepted: ['true', 'false', ...words.map((word) => `'${word}'`)].join(' or '),
    has: (value): value is boolean | T => typeof value === 'boolean' || words.includes(value as T),
    read: (text) => (Object.hasOwn(FLAGS, text) ? FLAGS[text] : text),
  };
}
