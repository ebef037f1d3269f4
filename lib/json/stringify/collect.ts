import { Buffer } from 'node:buffer';
import { binding } from '../../native.js';
import { type Priority, schedule, type Work } from '../scheduler.js';
import { type Limits, LONGEST_STRING, tooLong, withoutJSON } from './options.js';
import type { Source } from './source.js';

type Done<T> = (result: T) => void;

/**
 * Takes all pieces of a source, slice by slice. None becomes a Buffer on the way: a hundred megabytes of those
 * count as external memory, and have V8 mark its whole heap, which costs as much as the work itself.
 */
abstract class Collector<T> implements Work {
  spent = 0;
  protected readonly source: Source;
  readonly #limits: Limits;
  readonly #resolve: Done<T>;
  readonly #reject: Done<unknown>;

  constructor(
    source: Source,
    readonly priority: Priority,
    limits: Limits,
    resolve: Done<T>,
    reject: Done<unknown>,
  ) {
    this.source = source;
    this.#limits = limits;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  step(): boolean {
    try {
      this.#limits.check();
      if (!this.source.done) {
        this.take(this.source.next());
        return true;
      }
      const result = this.finish();
      if (result === undefined) return true;
      this.#resolve(result.value);
    } catch (error) {
      this.#reject(error);
    }
    return false;
  }

  protected abstract take(piece: string | undefined): void;

  /** Does a part of what is left; undefined while there is more. */
  protected abstract finish(): { readonly value: T } | undefined;
}

class StringCollector extends Collector<string | undefined> {
  /**
   * Pieces that stayed in V8's heap would be copied there twice, and once more, in one go, to one flat string; as a
   * chain of concatenations at its first use, in the user's time.
   */
  readonly #text = binding.createJsonText();
  #length = 0;
  #without = false;

  protected take(piece: string | undefined): void {
    if (piece === undefined) {
      this.#without = true;
      return;
    }
    this.#length += piece.length;
    if (this.#length > LONGEST_STRING) throw tooLong();
    this.#text.push(piece);
  }

  protected finish(): { readonly value: string | undefined } {
    return { value: this.#without ? undefined : this.#text.finish() };
  }
}

class BufferCollector extends Collector<Buffer> {
  readonly #pieces: string[] = [];
  #bytes = 0;
  #buffer: Buffer | undefined;
  #written = 0;
  #at = 0;

  protected take(piece: string | undefined): void {
    if (piece === undefined) throw withoutJSON();
    this.#bytes += Buffer.byteLength(piece);
    this.#pieces.push(piece);
  }

  protected finish(): { readonly value: Buffer } | undefined {
    // Not zeroed, and not touched before it is written: the pages come slice by slice.
    this.#buffer ??= Buffer.allocUnsafeSlow(this.#bytes);
    if (this.#at === this.#pieces.length) return { value: this.#buffer };
    const piece = this.#pieces[this.#at]!;
    this.#pieces[this.#at++] = '';
    this.#written += this.#buffer.write(piece, this.#written);
    return undefined;
  }
}

/** Collects a source into one string. */
export function collectString(
  source: Source,
  priority: Priority,
  limits: Limits,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    schedule(new StringCollector(source, priority, limits, resolve, reject));
  });
}

/** Collects a source into one Buffer of UTF-8. */
export function collectBuffer(source: Source, priority: Priority, limits: Limits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    schedule(new BufferCollector(source, priority, limits, resolve, reject));
  });
}
