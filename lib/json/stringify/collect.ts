import { Buffer } from 'node:buffer';
import { binding } from '../../native.js';
import { type Priority, schedule, unschedule, type Work } from '../scheduler.js';
import type { Task } from '../tasks.js';
import { LONGEST_STRING, tooLong, withoutJSON } from './options.js';
import { type Source, Whole } from './source.js';

/**
 * Takes all pieces of a source, slice by slice. None becomes a Buffer on the way: a hundred megabytes of those
 * count as external memory, and have V8 mark its whole heap, which costs as much as the work itself.
 */
abstract class Collector<T> implements Work {
  spent = 0;
  readonly priority: Priority;
  readonly #task: Task;
  readonly #open: () => Source;
  #source: Source | undefined;

  constructor(task: Task, open: () => Source) {
    this.#task = task;
    this.#open = open;
    this.priority = task.priority;
    task.stop = () => {
      unschedule(this);
      this.#task.figures.mainTime.record(this.spent);
    };
    schedule(this);
  }

  step(): boolean {
    try {
      this.#source ??= this.#open();
      if (this.#source instanceof Whole) return this.#end(this.whole(this.#source.text));
      if (!this.#source.done) {
        this.take(this.#source.next());
        return true;
      }
      const result = this.finish();
      return result === undefined || this.#end(result);
    } catch (error) {
      // What it read may have ended the task.
      if (!this.#task.settled) this.#task.figures.mainTime.record(this.spent);
      this.#task.fail(error);
      return false;
    }
  }

  #end({ value, units }: Result<T>): false {
    if (this.#task.settled) return false;
    const { figures } = this.#task;
    figures.mainTime.record(this.spent);
    figures.written += units;
    this.#task.succeed(value);
    return false;
  }

  /** The result of a text that is there already, undefined for a value without JSON. */
  protected abstract whole(text: string | undefined): Result<T>;

  protected abstract take(piece: string | undefined): void;

  /** Does a part of what is left; undefined while there is more. */
  protected abstract finish(): Result<T> | undefined;
}

interface Result<T> {
  readonly value: T;
  /** Its length. */
  readonly units: number;
}

class StringCollector extends Collector<string | undefined> {
  /**
   * Pieces that stayed in V8's heap would be copied there twice, and once more, in one go, to one flat string; as a
   * chain of concatenations at its first use, in the user's time.
   */
  readonly #text = binding.createJsonText();
  #length = 0;
  #without = false;

  protected whole(text: string | undefined): Result<string | undefined> {
    return { value: text, units: text?.length ?? 0 };
  }

  protected take(piece: string | undefined): void {
    if (piece === undefined) {
      this.#without = true;
      return;
    }
    this.#length += piece.length;
    if (this.#length > LONGEST_STRING) throw tooLong();
    this.#text.push(piece);
  }

  protected finish(): Result<string | undefined> {
    return { value: this.#without ? undefined : this.#text.finish(), units: this.#length };
  }
}

class BufferCollector extends Collector<Buffer> {
  readonly #pieces: string[] = [];
  #bytes = 0;
  #buffer: Buffer | undefined;
  #written = 0;
  #at = 0;

  protected whole(text: string | undefined): Result<Buffer> {
    const value = bufferOf(text);
    return { value, units: value.length };
  }

  protected take(piece: string | undefined): void {
    if (piece === undefined) throw withoutJSON();
    this.#bytes += Buffer.byteLength(piece);
    this.#pieces.push(piece);
  }

  protected finish(): Result<Buffer> | undefined {
    // Not zeroed, and not touched before it is written: the pages come slice by slice.
    this.#buffer ??= Buffer.allocUnsafeSlow(this.#bytes);
    if (this.#at === this.#pieces.length) return { value: this.#buffer, units: this.#bytes };
    const piece = this.#pieces[this.#at]!;
    this.#pieces[this.#at++] = '';
    this.#written += this.#buffer.write(piece, this.#written);
    return undefined;
  }
}

/** The UTF-8 of a text that is there. @throws InvalidArgumentError if there is none */
export function bufferOf(text: string | undefined): Buffer {
  if (text === undefined) throw withoutJSON();
  return Buffer.from(text);
}

/** Collects the source that `open` gives in its turn: into one string, or one Buffer of UTF-8, for `task`. */
export function startCollecting(task: Task, open: () => Source, as: 'string' | 'buffer'): void {
  if (as === 'buffer') new BufferCollector(task, open);
  else new StringCollector(task, open);
}
