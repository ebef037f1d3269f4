import { dispose } from '../dispose.js';
import { DestroyedError, JSONPointerError } from '../errors.js';
import { string } from '../validate.js';
import { checkCall, NAMES } from './options.js';
import type { TaskOptions } from './tasks.js';

/** What `find` and `checkPattern` of a {@link NativeDocument} answer; src/json_document.rs has the same numbers. */
const FOUND = {
  missing: -1,
  noSlash: -2,
  badEscape: -3,
  null: 0,
  false: 1,
  true: 2,
  number: 3,
  string: 4,
  array: 5,
  object: 6,
} as const;

/** About how much text is parsed at once while a container is iterated, in bytes. */
const BATCH_BYTES = 16_384;

/** The native part of a document: see src/json_document.rs. Offsets are in bytes of its text. */
export interface NativeDocument {
  /** What its pool knows it by. */
  id(): number;
  /** Finds a value, of which all that follows tells, and returns what it is: a number of {@link FOUND}. */
  find(pointer: string): number;
  /** Returns 0, or what is wrong with a pattern. */
  checkPattern(pattern: string): number;
  /** Where the value begins. */
  start(): number;
  end(): number;
  /** The number; NaN where its text is so long that JavaScript has to read it. */
  number(): number;
  string(): string;
  /** The value's text. */
  raw(): string;
  /** How many elements or members it has; -1 for a scalar. */
  length(): number;
  /** The names of an object, as a JSON array. */
  keys(): string;
  /** Writes where the values of the members begin whose names `keys` returned last. */
  starts(out: Float64Array): void;
  /** A JSON array of values that begin at `starts`, number `from` on, until they make `limit` bytes. */
  values(starts: Float64Array, from: number, limit: number): string;
  /** Where the first element of an array begins; 0 if it is empty. */
  first(): number;
  /** Elements with commas between them, from the one that begins at `first` on, until they make `limit` bytes. */
  elements(first: number, limit: number): string;
  /** Where the element after those begins; 0 if they were the last. */
  next(): number;
  /** Bytes of memory; 0 once closed. */
  bytes(): number;
  close(): void;
}

/** What a document has its pool do, of which it is known by a number. */
export interface DocumentBuilder {
  /** Builds the value whose text is from `start` to `end`, a little at a time. */
  build(document: number, start: number, end: number, options: TaskOptions): Promise<unknown>;
  /** Builds an array of what a well-formed pattern finds. */
  column(document: number, pattern: string, options: TaskOptions): Promise<unknown[]>;
}

/** What a value in a document is. */
export type JSONType = 'array' | 'boolean' | 'null' | 'number' | 'object' | 'string';

const TYPES: readonly JSONType[] = ['null', 'boolean', 'boolean', 'number', 'string', 'array', 'object'];

/**
 * A JSON document that stays text, outside of the JavaScript heap, and of which single values are read.
 *
 * Values are named by JSON pointers (RFC 6901): `''` is the whole document, `/items/0/name` a name in it, `~1`
 * stands for `/` and `~0` for `~`. All values are what JSON.parse gives for that part of the text: of several members
 * of one name the last counts. A malformed pointer throws a {@link JSONPointerError}, and any use after `close()` a
 * {@link DestroyedError}. What is nowhere to be found is `undefined`, which no JSON value is.
 */
export class JSONDocument {
  #native: NativeDocument | undefined;
  readonly #builder: DocumentBuilder;

  /** Documents come from `openDocument`. */
  constructor(native: NativeDocument, builder: DocumentBuilder) {
    this.#native = native;
    this.#builder = builder;
  }

  /** Bytes of memory outside of the JavaScript heap, text and index; 0 after `close()`. */
  get bytes(): number {
    return this.#native?.bytes() ?? 0;
  }

  /**
   * The value at `pointer`. Arrays and objects are built at once: for large ones there is `toJS`.
   * @param pointer @default the whole document
   */
  get<T = any>(pointer = ''): T | undefined {
    const native = this.#open();
    return currentValue(native, find(native, pointer)) as T | undefined;
  }

  /** The values at several pointers, in their order. */
  pick(pointers: Iterable<string>): unknown[] {
    this.#open();
    return Array.from(pointers, (pointer) => this.get(pointer));
  }

  /** Whether there is a value at `pointer`, be it null. */
  has(pointer: string): boolean {
    return find(this.#open(), pointer) !== FOUND.missing;
  }

  /** What the value at `pointer` is. */
  typeOf(pointer = ''): JSONType | undefined {
    return TYPES[find(this.#open(), pointer)];
  }

  /** How many elements the array, or how many members the object at `pointer` has; undefined for anything else. */
  length(pointer = ''): number | undefined {
    const native = this.#open();
    return find(native, pointer) < FOUND.array ? undefined : native.length();
  }

  /** The names of the object at `pointer`, in the order of Object.keys; undefined for anything else. */
  keys(pointer = ''): string[] | undefined {
    const native = this.#open();
    return find(native, pointer) === FOUND.object ? (JSON.parse(native.keys()) as string[]) : undefined;
  }

  /** The text of the value at `pointer` as it stands in the document. */
  slice(pointer = ''): string | undefined {
    const native = this.#open();
    return find(native, pointer) === FOUND.missing ? undefined : native.raw();
  }

  /**
   * The value at `pointer` like `get`, built a little at a time, so that the event loop is never held up. To close
   * the document meanwhile makes no difference.
   *
   * Rejects with the signal's reason, TimeoutError, QueueFullError, and DestroyedError once the document is closed or
   * its pool destroyed. Scalars are there at once.
   */
  async toJS<T = any>(pointer = '', options?: TaskOptions): Promise<T | undefined> {
    const checked = checkCall<TaskOptions>(options, NAMES.task);
    const native = this.#open();
    const found = find(native, pointer);
    if (found < FOUND.array) return currentValue(native, found) as T | undefined;
    return (await this.#builder.build(native.id(), native.start(), native.end(), checked)) as T;
  }

  /**
   * All values that a pattern finds, in the order of the document: a pointer in which each segment `*` stands for all
   * elements of an array, or the values of all members of an object, and for nothing where there is neither. Each
   * thing that the last `*` stands for gives one value, `null` where the rest of the pattern leads nowhere.
   *
   * Built a little at a time, and rejects, like `toJS`.
   */
  async column<T = any>(pattern: string, options?: TaskOptions): Promise<T[]> {
    const checked = checkCall<TaskOptions>(options, NAMES.task);
    const native = this.#open();
    check(native.checkPattern(string('pattern', pattern)), pattern);
    return (await this.#builder.column(native.id(), pattern, checked)) as T[];
  }

  /**
   * The elements of the array, or the entries `[name, value]` of the object at `pointer`; none where there is another
   * value, or none. They are built a few at a time, while one iterates.
   */
  iterate<T = any>(pointer = ''): Generator<T, undefined> {
    const native = this.#open();
    const found = find(native, pointer);
    if (found === FOUND.object) return this.#entries(native) as Generator<T, undefined>;
    return this.#elements(found === FOUND.array ? native.first() : 0) as Generator<T, undefined>;
  }

  /**
   * The texts of the elements of the array at `pointer`, as they stand in the document, which are made one by one while one
   * iterates: what is only passed on need not become values. None where there is another value, or none.
   */
  slices(pointer = ''): Generator<string, undefined> {
    const native = this.#open();
    return this.#texts(find(native, pointer) === FOUND.array ? native.first() : 0, 1);
  }

  *#elements(first: number): Generator<unknown, undefined> {
    for (const text of this.#texts(first, BATCH_BYTES)) yield* JSON.parse(`[${text}]`) as unknown[];
  }

  /** Elements with commas between them, as many as make `limit` bytes at a time. */
  *#texts(first: number, limit: number): Generator<string, undefined> {
    let next = first;
    while (next > 0) {
      const native = this.#open();
      const text = native.elements(next, limit);
      next = native.next();
      yield text;
    }
  }

  #entries(native: NativeDocument): Generator<[string, unknown], undefined> {
    const names = JSON.parse(native.keys()) as string[];
    const starts = new Float64Array(names.length);
    native.starts(starts);
    return this.#members(names, starts);
  }

  *#members(names: string[], starts: Float64Array): Generator<[string, unknown], undefined> {
    let next = 0;
    while (next < names.length) {
      const values = JSON.parse(this.#open().values(starts, next, BATCH_BYTES)) as unknown[];
      for (const value of values) yield [names[next++]!, value];
    }
  }

  /** Like `iterate` of the whole document. */
  [Symbol.iterator](): Generator<any, undefined> {
    return this.iterate('');
  }

  /** Frees the memory. What `toJS` and `column` have begun is finished. Nothing happens the second time. */
  close(): void {
    this.#native?.close();
    this.#native = undefined;
  }

  [dispose](): void {
    this.close();
  }

  #open(): NativeDocument {
    if (this.#native === undefined) throw new DestroyedError('This JSONDocument is closed');
    return this.#native;
  }
}

/** Finds the value at `pointer`, or throws where that is no pointer. */
function find(native: NativeDocument, pointer: string): number {
  return check(native.find(string('pointer', pointer)), pointer);
}

function check(found: number, pointer: string): number {
  if (found > FOUND.noSlash) return found;
  const shown = pointer.length > 60 ? `${pointer.slice(0, 60)}…` : pointer;
  const rule =
    found === FOUND.noSlash
      ? "a pointer is empty or begins with '/'"
      : "'~' is written '~0', and '/' inside of a name '~1'";
  throw new JSONPointerError(`'${shown}' is not a JSON pointer: ${rule}`);
}

/** The value found last. */
function currentValue(native: NativeDocument, found: number): unknown {
  switch (found) {
    case FOUND.missing:
      return undefined;
    case FOUND.null:
      return null;
    case FOUND.number: {
      const value = native.number();
      return Number.isNaN(value) ? Number(native.raw()) : value;
    }
    case FOUND.string:
      return native.string();
    case FOUND.array:
    case FOUND.object:
      return JSON.parse(native.raw());
    default:
      return found === FOUND.true;
  }
}
