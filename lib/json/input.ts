import { invalid } from '../validate.js';
import type { NativePool } from './native.js';

/** Units and bytes that are copied at once: some 50 us. */
const TEXT_PIECE = 131_072;
const BYTES_PIECE = 262_144;

/** The text of a job on its way to the thread that works on it. */
export interface Input {
  /** Whether there is something to push. */
  readonly pending: boolean;
  /** Bytes and units that were pushed. */
  readonly pushed: number;
  /**
   * Pushes what is there, but at most a piece.
   * @returns whether another piece can be pushed at once
   */
  push(native: NativePool, job: number): boolean;
}

/** A string or bytes, copied a piece at a time. */
class Pieces {
  #at = 0;
  readonly #length: number;

  readonly #data: string | Uint8Array;

  constructor(data: string | Uint8Array) {
    this.#data = data;
    this.#length = data.length;
  }

  /** @throws TypeError if the bytes are not as many as they were */
  get data(): string | Uint8Array {
    if (this.#data.length === this.#length) return this.#data;
    throw new TypeError('The bytes were detached or resized before they were parsed: pass a copy of them');
  }

  get done(): boolean {
    return this.#at >= this.#length;
  }

  /** What of it was pushed. */
  get pushed(): number {
    return this.#at;
  }

  /** Pushes the next piece. @returns whether there is room for more */
  push(native: NativePool, job: number): boolean {
    const { data } = this;
    const start = this.#at;
    if (typeof data === 'string') {
      // A piece may cut a surrogate pair in two: the job puts it together again.
      this.#at = Math.min(start + TEXT_PIECE, this.#length);
      return native.pushText(job, data.slice(start, this.#at));
    }
    this.#at = Math.min(start + BYTES_PIECE, this.#length);
    return native.pushBytes(job, data, start, this.#at);
  }
}

/** Text that is all there. Bytes must not change before the call that they were given to has settled. */
export class WholeInput implements Input {
  readonly #pieces: Pieces;
  #ended = false;

  constructor(data: string | Uint8Array) {
    this.#pieces = new Pieces(data);
  }

  /** All of it. @throws TypeError if the bytes are not as many as they were */
  get data(): string | Uint8Array {
    return this.#pieces.data;
  }

  get pending(): boolean {
    return !this.#ended;
  }

  get pushed(): number {
    return this.#pieces.pushed;
  }

  push(native: NativePool, job: number): boolean {
    if (this.#ended) return false;
    const room = this.#pieces.done || this.#pieces.push(native, job);
    if (!this.#pieces.done) return room;
    this.#ended = true;
    native.end(job);
    return false;
  }
}

/** Text that comes as a stream, and is read no faster than it is worked on. */
export class StreamInput implements Input {
  pushed = 0;
  #pieces: Pieces | undefined;
  #taken: (() => void) | undefined;
  #finished = false;
  #ended = false;

  get pending(): boolean {
    return this.#pieces !== undefined || (this.#finished && !this.#ended);
  }

  push(native: NativePool, job: number): boolean {
    const pieces = this.#pieces;
    if (pieces !== undefined) {
      if (!pieces.done) {
        const before = pieces.pushed;
        const room = pieces.push(native, job);
        this.pushed += pieces.pushed - before;
        return room && !pieces.done;
      }
      this.#pieces = undefined;
      this.#taken?.();
    } else if (this.#finished && !this.#ended) {
      this.#ended = true;
      native.end(job);
    }
    return false;
  }

  /**
   * Reads all that `source` gives, and calls `ready` whenever there is something to push.
   * @param stopped whether to leave the rest unread
   */
  async read(source: AsyncIterator<unknown>, ready: () => void, stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      const { done, value } = await source.next();
      if (stopped()) return;
      if (done === true) {
        this.#finished = true;
        ready();
        return;
      }
      this.#pieces = new Pieces(chunkOf(value));
      const taken = new Promise<void>((resolve) => {
        this.#taken = resolve;
      });
      ready();
      await taken;
    }
  }

  /** Lets `read` notice that it is stopped. */
  stop(): void {
    this.#taken?.();
  }
}

function chunkOf(chunk: unknown): string | Uint8Array {
  if (typeof chunk === 'string' || chunk instanceof Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return invalid('a chunk of the stream', 'a string or a Uint8Array', chunk);
}
