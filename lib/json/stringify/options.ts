import { constants } from 'node:buffer';
import { InvalidArgumentError, JSONLimitError } from '../../errors.js';
import type { TaskOptions } from '../tasks.js';

/** What `stringify` may return. */
export const FORMS = ['string', 'buffer', 'chunks'] as const;
export type StringifyForm = (typeof FORMS)[number];

/** Options of all that writes JSON. */
export interface WriteOptions extends TaskOptions {
  /**
   * As the second argument of JSON.stringify. A list of names is free; a function makes it one call of
   * JSON.stringify, which blocks for as long as that takes, since its holder, key and order are the engine's own.
   */
  replacer?: ((this: any, key: string, value: any) => any) | readonly (string | number)[] | null | undefined;
  /** As the third argument of JSON.stringify: 0 to 10 spaces, or a string of which 10 units count. */
  space?: string | number | null | undefined;
  /**
   * Writes the value as it is at the call: `structuredClone` copies it first, in one go, which blocks for
   * as long as it takes. It drops prototypes and with them most toJSON methods, and throws a DataCloneError for
   * functions and symbols. @default false: what changes while the work goes on may or may not show
   */
  snapshot?: boolean | undefined;
}

/** Options of `stringify`. */
export interface StringifyOptions extends WriteOptions {
  /**
   * 'string', 'buffer' for UTF-8 in one Buffer, or 'chunks' for UTF-8 in an async iterable of Buffers, whose `timeout`
   * begins when the first is asked for. @default 'string'
   */
  as?: StringifyForm | undefined;
}

/** The error for a value without JSON where a text must come out. */
export function withoutJSON(): InvalidArgumentError {
  return new InvalidArgumentError(
    '"value" must have JSON: JSON.stringify gives undefined for undefined, functions and symbols, and so for what a toJSON or replacer turns into one',
  );
}

/** Units that a string may have. */
export const LONGEST_STRING = constants.MAX_STRING_LENGTH;

/** The error for a text that no string can hold. */
export function tooLong(): JSONLimitError {
  return new JSONLimitError(
    'maxStringLength',
    LONGEST_STRING,
    `The JSON is longer than a string can be, which is ${LONGEST_STRING} units: ask for it as 'chunks', or write it with stringifyToFile`,
  );
}
