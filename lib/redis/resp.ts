/** What Redis answered: integers of a list, or a line with its sign, as `+OK` and `-ERR what is wrong`. */
export type Answer = number[] | string;

const COLON = 58;
const STAR = 42;

/** A command as it goes over a connection. */
export function command(words: readonly string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join('')}`;
}

/** Reads answers from what arrives, in pieces of any size. Of the protocol it knows what {@link Answer} has. */
export class Answers {
  #text = '';
  #place = 0;

  /** Takes in a piece. @throws Error at what it does not know */
  push(piece: Buffer): void {
    this.#text = this.#text.slice(this.#place) + piece.toString('latin1');
    this.#place = 0;
  }

  /** The next answer; undefined if it has not all arrived. */
  next(): Answer | undefined {
    const start = this.#place;
    const head = this.#line();
    if (head === undefined || head.charCodeAt(0) !== STAR) return head;
    const items: number[] = [];
    for (let left = wholeNumber(head); left > 0; left--) {
      const line = this.#line();
      if (line === undefined) {
        this.#place = start;
        return undefined;
      }
      if (line.charCodeAt(0) !== COLON)
        throw new Error(`Redis answered '${line.slice(0, 60)}' within a list`);
      items.push(wholeNumber(line));
    }
    return items;
  }

  #line(): string | undefined {
    const end = this.#text.indexOf('\r\n', this.#place);
    if (end < 0) return undefined;
    const line = this.#text.slice(this.#place, end);
    this.#place = end + 2;
    return line;
  }
}

function wholeNumber(line: string): number {
  const number = Number(line.slice(1));
  if (Number.isSafeInteger(number)) return number;
  throw new Error(`Redis answered '${line.slice(0, 60)}' where a number is due`);
}
