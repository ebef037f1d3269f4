import { Buffer } from 'node:buffer';
import { collectBuffer, collectString } from './collect.js';
import { type Checked, check, type Host, type StringifyOptions, withoutJSON } from './options.js';
import { open, Whole } from './source.js';
import { Texts } from './texts.js';

/**
 * The JSON of a value, as JSON.stringify makes it, without blocking the event loop: what is longer than about
 * 32 KB is written in slices of a fraction of a millisecond, all work of the process together taking about 2 ms a
 * turn. A short value takes one call of JSON.stringify and no turn.
 *
 * It is not a snapshot: what changes between two slices may or may not show; see the option `snapshot`. An own
 * accessor is read once more than JSON.stringify reads it, to estimate its length. Three things still block: a
 * replacer function; listing the names of an object with very many members, about 0.3 s a million; and a toJSON
 * inside a short value that makes a long one.
 *
 * `as: 'chunks'` returns an async iterable, works only as far ahead as it is read, and stops with an early `return`.
 * Nothing is read before the first chunk is asked for.
 *
 * @param host lets long work wait for its turn; without one it begins at once
 * @returns for 'string' a promise of the text, undefined where JSON.stringify returns undefined
 * @throws CircularReferenceError with the path of a value that holds itself
 * @throws InvalidArgumentError for an option, or where 'buffer' or 'chunks' is asked of a value without JSON
 * @throws JSONLimitError if the text is longer than a string can be
 * @throws TimeoutError, the signal's reason, and whatever a toJSON, accessor, or replacer throws
 */
export function stringify(
  value: unknown,
  options: StringifyOptions & { as: 'chunks' },
  host?: Host,
): AsyncIterableIterator<Buffer>;
export function stringify(
  value: unknown,
  options: StringifyOptions & { as: 'buffer' },
  host?: Host,
): Promise<Buffer>;
export function stringify(
  value: unknown,
  options?: StringifyOptions & { as?: 'string' },
  host?: Host,
): Promise<string>;
export function stringify(
  value: unknown,
  options?: StringifyOptions,
  host?: Host,
): AsyncIterableIterator<Buffer> | Promise<Buffer | string | undefined>;
export function stringify(
  value: unknown,
  options?: StringifyOptions,
  host?: Host,
): AsyncIterableIterator<Buffer> | Promise<Buffer | string | undefined> {
  if (options?.as !== 'chunks') return collect(value, options, host);
  const checked = check('stringify()', options, true, host);
  return new Chunks(textsOf(value, checked));
}

/** The JSON of a value in texts of about 64 Ki units, made as they are taken. */
export function textsOf(value: unknown, checked: Checked): Texts {
  const { format, limits, priority, snapshot } = checked;
  const subject = snapshot ? structuredClone(value) : value;
  return new Texts(() => open(subject, format), priority, limits);
}

async function collect(
  value: unknown,
  options: StringifyOptions | undefined,
  host: Host | undefined,
): Promise<Buffer | string | undefined> {
  const { as, format, limits, priority, snapshot } = check('stringify()', options, true, host);
  limits.check();
  const source = open(snapshot ? structuredClone(value) : value, format);
  if (source instanceof Whole) {
    if (as !== 'buffer') return source.text;
    if (source.text === undefined) throw withoutJSON();
    return Buffer.from(source.text);
  }
  const begin = () =>
    as === 'buffer' ? collectBuffer(source, priority, limits) : collectString(source, priority, limits);
  return host === undefined ? begin() : host.turn<Buffer | string | undefined>(options ?? {}, begin);
}

class Chunks implements AsyncIterableIterator<Buffer> {
  readonly #texts: Texts;

  constructor(texts: Texts) {
    this.#texts = texts;
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    const text = await this.#texts.take();
    return text === undefined ? { done: true, value: undefined } : { done: false, value: Buffer.from(text) };
  }

  async return(): Promise<IteratorResult<Buffer, undefined>> {
    this.#texts.end();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<Buffer, undefined>> {
    this.#texts.end();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
