import { inspect } from 'node:util';
import { InvalidArgumentError } from '../errors.js';

/** The constructor that `candidate` is the prototype of, if it is a prototype. */
function constructorOf(candidate: object): unknown {
  const made = Object.getOwnPropertyDescriptor(candidate, 'constructor')?.value as unknown;
  return typeof made === 'function' && made.prototype === candidate ? made : undefined;
}

/** Whether `prototype` is the Object.prototype of some realm. */
function isObjectPrototype(prototype: object): boolean {
  if (prototype === Object.prototype) return true;
  if (Object.getPrototypeOf(prototype) !== null) return false;
  const made = constructorOf(prototype);
  return made !== undefined && Function.prototype.toString.call(made) === OBJECT_SOURCE;
}

const OBJECT_SOURCE = Function.prototype.toString.call(Object);

/**
 * Arrays, and objects that come from a literal, `JSON.parse` or `Object.create(null)`, of any realm. Not what
 * only looks so: Math, JSON, a module's namespace (all tagged), `arguments`, and the prototypes of classes.
 */
function isStructural(key: object): boolean {
  try {
    if (Array.isArray(key)) return true;
    const prototype = Object.getPrototypeOf(key) as object | null;
    if (prototype !== null && !isObjectPrototype(prototype)) return false;
    return Object.prototype.toString.call(key) === '[object Object]' && constructorOf(key) === undefined;
  } catch {
    // A revoked proxy tells nothing, and is still itself.
    return false;
  }
}

function write(key: object): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(key);
  } catch (cause) {
    const error = new InvalidArgumentError(
      `"key" must be an object that JSON.stringify can write, but it is ${inspect(key, { depth: 0 })}`,
    );
    throw Object.assign(error, { cause });
  }
  // A toJSON that answers undefined leaves nothing to compare.
  return text ?? 'undefined';
}

/**
 * What a Map has to use for a key that is not a string: the JSON of a plain object or array, which no other
 * such key can be mistaken for, and anything else as it is.
 */
export function comparable(key: unknown): unknown {
  return typeof key === 'object' && key !== null && isStructural(key) ? write(key) : key;
}

/** As `comparable`, for a Map that holds strings too. */
export function comparableAny(key: unknown): unknown {
  if (typeof key === 'string') return `s${key}`;
  const other = comparable(key);
  return typeof other === 'string' ? `j${other}` : other;
}

/** The keys that are not strings: they stay in JavaScript, and the native index knows them by slot. */
export class ForeignKeys {
  readonly #slots = new Map<unknown, number>();
  /** By slot, as given. */
  readonly #given: unknown[] = [];
  readonly #comparables: unknown[] = [];
  /** By slot, the last live millisecond. */
  readonly expires: number[] = [];

  get size(): number {
    return this.#slots.size;
  }

  /** The slot of a key, as `comparable` made it, or -1. */
  find(own: unknown): number {
    return this.#slots.get(own) ?? -1;
  }

  add(key: unknown, own: unknown, slot: number, expires: number): void {
    // Slots are filled without gaps, so that these stay plain arrays and never become dictionaries.
    while (this.#given.length <= slot) {
      this.#given.push(undefined);
      this.#comparables.push(undefined);
      this.expires.push(0);
    }
    this.#slots.set(own, slot);
    this.#given[slot] = key;
    this.#comparables[slot] = own;
    this.expires[slot] = expires;
  }

  /** The key at `slot` as it was given; only for a slot whose key has no text. */
  at(slot: number): unknown {
    return this.#given[slot];
  }

  /** Forgets the key of `slot`, if it is one of these. */
  drop(slot: number): void {
    const own = this.#comparables[slot];
    if (this.#slots.get(own) !== slot) return;
    this.#slots.delete(own);
    this.#given[slot] = undefined;
    this.#comparables[slot] = undefined;
  }

  clear(): void {
    this.#slots.clear();
    this.#given.length = 0;
    this.#comparables.length = 0;
    this.expires.length = 0;
  }
}
