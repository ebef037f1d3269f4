import type { Tell, Told } from './told.js';

/** Tells what an instance of a utility has counted. */
export type Reader<T extends object> = (instance: T, tell: Tell) => void;

/** So many are looked through before some of them were collected. */
const FEW = 64;
/** Distinct names that instances of this thread may have; further ones share a name. */
const MOST_NAMES = 1000;
const OTHER = 'other';

/** One instance, for as long as somebody else holds it. */
class Entry {
  readonly #instance: WeakRef<object>;
  readonly #read: Reader<object>;
  /** What counters had when they were told last. */
  readonly #told = new Map<string, number>();

  constructor(instance: object, read: Reader<object>) {
    this.#instance = new WeakRef(instance);
    this.#read = read;
  }

  get isGone(): boolean {
    return this.#instance.deref() === undefined;
  }

  /** false: it is gone, or closed and tells nothing any more. */
  tell(told: Told): boolean {
    const instance = this.#instance.deref();
    if (instance === undefined) return false;
    told.begin(this.#told, nameOf(instance));
    try {
      this.#read(instance, told.tell);
      return true;
    } catch {
      return false;
    }
  }
}

let entries: Entry[] = [];
/** How many there were of them once, when those that were gone had been removed. */
let living = 0;
const names = new WeakMap<object, string>();
const given = new Set<string>();

/** Takes an instance in, without holding it. */
export function take<T extends object>(instance: T, read: Reader<T>): void {
  entries.push(new Entry(instance, read as Reader<object>));
  if (entries.length > 2 * living + FEW) {
    entries = entries.filter((entry) => !entry.isGone);
    living = entries.length;
  }
}

/** Gives an instance the name that its metrics are told under. */
export function rename(instance: object, name: string): void {
  const isOne = given.has(name) || given.size < MOST_NAMES;
  if (isOne) given.add(name);
  names.set(instance, isOne ? name : OTHER);
}

function nameOf(instance: object): string | undefined {
  return names.get(instance);
}

/** What all instances of this thread tell now. */
export function tellAll(told: Told): void {
  entries = entries.filter((entry) => entry.tell(told));
  living = entries.length;
}
