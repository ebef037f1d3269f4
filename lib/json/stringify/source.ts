import { stringifyWith } from './cycle.js';
import type { Format } from './format.js';
import { cut, Serializer } from './serializer.js';

/** Where the pieces of a JSON text come from. */
export interface Source {
  /** Whether there is no further piece. */
  readonly done: boolean;
  /** The next piece; undefined if the value has no JSON. */
  next(): string | undefined;
}

/** Units of one piece of a text that is there already. */
const PIECE_UNITS = 65_536;

/** A text that is there already. */
export class Whole implements Source {
  done = false;
  #at = 0;

  constructor(readonly text: string | undefined) {}

  next(): string | undefined {
    const { text } = this;
    if (text === undefined || text.length <= PIECE_UNITS) {
      this.done = true;
      return text;
    }
    const end = cut(text, this.#at + PIECE_UNITS);
    const piece = text.slice(this.#at, end);
    this.#at = end;
    this.done = end === text.length;
    return piece;
  }
}

/** The JSON of a value: at once where it is short, or where a replacer function asks for it, else in pieces. */
export function open(value: unknown, format: Format): Whole | Serializer {
  if (format.replacer !== undefined) return new Whole(stringifyWith(value, format.replacer, format.gap));
  const serializer = new Serializer(value, format);
  const whole = serializer.atOnce();
  return whole === undefined ? serializer : new Whole(whole.text);
}
