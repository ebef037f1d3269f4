import { constants } from 'node:buffer';
import { InvalidArgumentError, JSONLimitError, TimeoutError } from '../../errors.js';
import { abortSignal, boolean, number, oneOf, options as optionsObject } from '../../validate.js';
import { now, PRIORITIES, type Priority } from '../scheduler.js';
import { type Format, readFormat } from './format.js';

/** What {@link stringify} may return. */
export const FORMS = ['string', 'buffer', 'chunks'] as const;
export type StringifyForm = (typeof FORMS)[number];

/** Options of all that writes JSON. */
export interface WriteOptions {
  /**
   * As the second argument of JSON.stringify. A list of names is free; a function makes it one call of
   * JSON.stringify, which blocks for as long as that takes, since its holder, key and order are the engine's own.
   */
  replacer?: ((this: any, key: string, value: any) => any) | readonly (string | number)[] | null;
  /** As the third argument of JSON.stringify: 0 to 10 spaces, or a string of which 10 units count. */
  space?: string | number | null;
  /** Stops the work at the next slice; the call rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Milliseconds, above 0, after which the work stops and the call rejects with a TimeoutError. Default: none. */
  timeout?: number;
  /** Which work goes first, among all that waits for the main thread. Default: 'normal'. */
  priority?: Priority;
  /**
   * Writes the value as it is at the call: `structuredClone` copies it first, in one go, which blocks for
   * as long as it takes. It drops prototypes and with them most toJSON methods, and throws a DataCloneError for
   * functions and symbols. Default: false, and what changes while the work goes on may or may not show.
   */
  snapshot?: boolean;
}

/** Options of {@link stringify}. */
export interface StringifyOptions extends WriteOptions {
  /** 'string' (default), 'buffer' for UTF-8 in one Buffer, or 'chunks' for UTF-8 in an async iterable of Buffers. */
  as?: StringifyForm;
}

/** Options that were checked. */
export interface Checked {
  readonly format: Format;
  readonly as: StringifyForm;
  readonly priority: Priority;
  readonly snapshot: boolean;
  readonly limits: Limits;
}

const WRITE = ['replacer', 'space', 'signal', 'timeout', 'priority', 'snapshot'] as const;

/** Checks the options of a call, whose time begins now. */
export function check(
  what: string,
  given: StringifyOptions | undefined,
  hasForm: boolean,
  host?: Host,
): Checked {
  const known = hasForm ? [...WRITE, 'as' as const] : WRITE;
  const { as, priority, signal, snapshot, timeout, replacer, space } =
    given === undefined ? ({} as StringifyOptions) : optionsObject<StringifyOptions>('options', given, known);
  return {
    format: readFormat(replacer, space),
    as: as === undefined ? 'string' : oneOf('as', as, FORMS),
    priority: priority === undefined ? 'normal' : oneOf('priority', priority, PRIORITIES),
    snapshot: snapshot === undefined ? false : boolean('snapshot', snapshot),
    limits: new Limits(
      what,
      signal === undefined ? undefined : abortSignal('signal', signal),
      timeout === undefined
        ? undefined
        : number('timeout', timeout, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER),
      host,
    ),
  };
}

/** Whoever lets long work have its turn. */
export interface Host {
  /** Why nothing is done any more. */
  readonly closed: Error | undefined;
  /** Calls `begin` when it is the work's turn. */
  turn<T>(options: WriteOptions, begin: () => Promise<T>): Promise<T>;
}

/** What ends work before its time. */
export class Limits {
  readonly #what: string;
  readonly #signal: AbortSignal | undefined;
  readonly #timeout: number | undefined;
  readonly #end: number;
  readonly #host: Host | undefined;

  constructor(what: string, signal: AbortSignal | undefined, timeout: number | undefined, host?: Host) {
    this.#host = host;
    this.#what = what;
    this.#signal = signal;
    this.#timeout = timeout;
    this.#end = timeout === undefined ? Number.POSITIVE_INFINITY : now() + timeout;
  }

  /** Throws the signal's reason, a TimeoutError, or why the host is closed. */
  check(): void {
    if (this.#host?.closed !== undefined) throw this.#host.closed;
    if (this.#signal?.aborted) throw this.#signal.reason;
    if (this.#timeout !== undefined && now() >= this.#end) throw new TimeoutError(this.#what, this.#timeout);
  }
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
    'maxBytes',
    LONGEST_STRING,
    `The JSON is longer than a string can be, which is ${LONGEST_STRING} units: ask for it as 'chunks', or write it with stringifyToFile`,
  );
}
