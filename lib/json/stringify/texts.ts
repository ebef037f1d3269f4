import { type Priority, schedule, unschedule, type Work } from '../scheduler.js';
import { readFormat } from './format.js';
import { type WriteOptions, withoutJSON } from './options.js';
import { open, type Source } from './source.js';

/** Units of one text at least, but for the last. */
const TEXT_UNITS = 65_536;
/** Texts that are made before someone asks for them: enough for a turn of the event loop. */
const AHEAD = 4;

interface Waiting {
  readonly resolve: (text: string | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Hands out a JSON text in parts, and works only as far ahead as they are taken. */
export class Texts implements Work {
  spent = 0;
  readonly #open: () => Source;
  #source: Source | undefined;
  #text = '';
  readonly #ready: string[] = [];
  readonly #waiting: Waiting[] = [];
  #ended = false;
  #failed = false;
  #error: unknown;

  /** @param open called at the first `take` */
  constructor(
    open: () => Source,
    readonly priority: Priority,
  ) {
    this.#open = open;
  }

  /** The next text; undefined after the last one. An error comes once, and the end after it. */
  take(): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#settle();
      if (!this.#ended) schedule(this);
    });
  }

  /** Stops the work and lets go of the value. */
  end(): void {
    unschedule(this);
    this.#finish();
    this.#ready.length = 0;
    this.#failed = false;
    this.#error = undefined;
    this.#settle();
  }

  step(): boolean {
    try {
      this.#source ??= this.#open();
      this.#work(this.#source);
    } catch (error) {
      // What is ready was written before it went wrong, and is handed out first.
      this.#finish();
      this.#failed = true;
      this.#error = error;
    }
    this.#settle();
    return !this.#ended && this.#ready.length < AHEAD;
  }

  #work(source: Source): void {
    const piece = source.next();
    if (piece === undefined) throw withoutJSON();
    this.#text += piece;
    if (!source.done && this.#text.length < TEXT_UNITS) return;
    this.#ready.push(this.#text);
    this.#text = '';
    if (source.done) this.#finish();
  }

  #finish(): void {
    this.#ended = true;
    this.#source = undefined;
    this.#text = '';
  }

  #settle(): void {
    while (this.#waiting.length > 0) {
      if (this.#ready.length > 0) this.#waiting.shift()!.resolve(this.#ready.shift());
      else if (this.#failed) {
        this.#failed = false;
        this.#waiting.shift()!.reject(this.#error);
        this.#error = undefined;
      } else if (this.#ended) this.#waiting.shift()!.resolve(undefined);
      else return;
    }
  }
}

/** What to write: the value, or a copy of it. */
export function subjectOf(value: unknown, { snapshot }: WriteOptions): unknown {
  return snapshot === true ? structuredClone(value) : value;
}

/** The JSON of a value in texts of about 64 Ki units, made as they are taken. */
export function textsOf(value: unknown, options: WriteOptions): Texts {
  const subject = subjectOf(value, options);
  const format = readFormat(options.replacer, options.space);
  return new Texts(() => open(subject, format), options.priority ?? 'normal');
}
