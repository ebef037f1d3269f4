import { RouteConflictError } from '../errors.js';
import { binding } from '../native.js';
import { bySpecificity, type Constraint, constraintOf } from './constraints.js';
import { type Entry, foldCase, type LookupOptions, LookupTable } from './lookup.js';
import {
  describePattern,
  NAMED_REST,
  REST,
  type RouterIndex,
  STATIC,
  type Variant,
  WILDCARD,
} from './native.js';
import { ParamsBuilders } from './params.js';
import type { RouteConstraints } from './types.js';

/** What a value is registered for: one pattern, some methods. */
export interface Registration<V> {
  readonly path: string;
  /** Several where parameters are optional. */
  readonly variants: readonly Variant[];
  readonly methods: readonly string[];
  readonly value: V;
  /** In how many places it is; it is forgotten with the last. */
  places: number;
}

/** A place of a registration that no other has taken. */
export interface Live<V> {
  readonly registration: Registration<V>;
  readonly variant: Variant;
  readonly method: string;
}

interface RegisteredEntry<V> extends Entry<V> {
  readonly registration: Registration<V>;
}

/** The entries of one shape and method, the most specific constraint first. */
interface Place<V> {
  /** Places made earlier come first where patterns rank alike. */
  readonly serial: number;
  readonly variant: Variant;
  entries: RegisteredEntry<V>[];
}

export interface TableOptions extends LookupOptions {
  readonly strict: boolean;
}

/** Stands for every method. */
export const ANY = '*';

/**
 * Routes by pattern, method and constraint. A change is made here at once; the lookup table of a method is compiled
 * in Rust when it is asked for after a change.
 */
export class RouteTable<V> {
  compilations = 0;
  private readonly options: TableOptions;
  private readonly index: RouterIndex;
  /** By method, then by shape. */
  private readonly places = new Map<string, Map<number, Place<V>>>();
  /** How many places a shape has: the index keeps it as long as there is one. */
  private readonly uses = new Map<number, number>();
  private readonly registered = new Set<Registration<V>>();
  private readonly builders = new ParamsBuilders();
  private serial = 0;
  private readonly tables = new Map<string, LookupTable<V>>();
  /** The methods that are asked for most, out of `tables`: comparing costs less than hashing. */
  private get: LookupTable<V> | undefined;
  private post: LookupTable<V> | undefined;
  private put: LookupTable<V> | undefined;
  private patch: LookupTable<V> | undefined;
  private delete: LookupTable<V> | undefined;

  constructor(options: TableOptions) {
    this.options = options;
    const { caseSensitive, ignoreTrailingSlash, ignoreDuplicateSlashes } = options;
    this.index = binding.createRouter(
      (caseSensitive ? 0 : 1) | (ignoreTrailingSlash ? 0 : 2) | (ignoreDuplicateSlashes ? 0 : 4),
    );
  }

  get registrations(): ReadonlySet<Registration<V>> {
    return this.registered;
  }

  /** Methods that something is registered for, `'*'` included. */
  get methods(): readonly string[] {
    return [...this.places.keys()];
  }

  /** What is registered, place by place, in the order of insertion. */
  *live(): Generator<Live<V>> {
    for (const registration of this.registered) {
      for (const variant of registration.variants) {
        for (const method of registration.methods) {
          const entries = this.places.get(method)?.get(variant.shape)?.entries ?? [];
          if (entries.some((entry) => entry.registration === registration)) {
            yield { registration, variant, method };
          }
        }
      }
    }
  }

  get tableBytes(): number {
    let bytes = 0;
    for (const table of this.tables.values()) bytes += table.bytes;
    return bytes;
  }

  /**
   * Registers `value`; what was in one of its places is replaced.
   *
   * @param methods upper case, or `'*'`
   * @throws InvalidArgumentError for a bad pattern or constraint
   * @throws RouteConflictError if the table is strict and one of its places taken; nothing is changed then
   */
  add(path: string, methods: readonly string[], constraints: RouteConstraints | undefined, value: V): void {
    const constraint = constraintOf(constraints);
    const variants = describePattern(this.index, path);
    const known = new Set(variants.map(({ shape }) => shape).filter((shape) => this.uses.has(shape)));
    try {
      if (this.options.strict) this.refuseTaken(path, methods, variants, constraint);
      const registration = { path: shownPath(path, variants), variants, methods, value, places: 0 };
      this.registered.add(registration);
      for (const variant of variants) {
        const entry = this.entryOf(variant, registration, constraint);
        for (const method of methods) this.place(method, variant, entry);
      }
    } finally {
      // The index counts each description; what came into use keeps the one.
      for (const { shape } of variants) {
        if (known.has(shape) || !this.uses.has(shape)) this.index.release(shape);
      }
    }
    for (const method of methods) this.changed(method);
  }

  /** The value that is registered under the very pattern. @throws InvalidArgumentError for a bad pattern */
  valueAt(path: string, method: string, constraints: RouteConstraints | undefined): V | undefined {
    const { key } = constraintOf(constraints);
    const [variant] = this.shapesOf(path);
    const place = this.places.get(method)?.get(variant!.shape);
    return place?.entries.find(({ constraint }) => constraint.key === key)?.value;
  }

  /** Whether something is registered under the very pattern, for `method` or for any at all. */
  has(path: string, method: string | undefined): boolean {
    const [variant] = this.shapesOf(path);
    const methods = method === undefined ? this.places.keys() : [method];
    for (const name of methods) if (this.places.get(name)?.has(variant!.shape)) return true;
    return false;
  }

  /**
   * Takes away what is registered under the very pattern.
   *
   * @param method all of them if undefined
   * @param constraints of any if undefined
   * @returns whether there was something
   */
  remove(path: string, method: string | undefined, constraints: RouteConstraints | undefined): boolean {
    const key = constraints && constraintOf(constraints).key;
    let removed = false;
    for (const { shape } of this.shapesOf(path)) {
      for (const name of method === undefined ? this.methods : [method]) {
        const place = this.places.get(name)?.get(shape);
        for (const entry of place?.entries ?? []) {
          if (key !== undefined && entry.constraint.key !== key) continue;
          this.takeOut(name, place!, entry);
          removed = true;
        }
      }
    }
    return removed;
  }

  clear(): void {
    for (const shape of this.uses.keys()) this.index.release(shape);
    this.uses.clear();
    this.places.clear();
    this.registered.clear();
    this.builders.clear();
    this.changed(ANY);
  }

  /** The compiled table that serves `method`. */
  lookup(method: string): LookupTable<V> {
    let table: LookupTable<V> | undefined;
    if (method === 'GET') table = this.get;
    else if (method === 'POST') table = this.post;
    else if (method === 'PUT') table = this.put;
    else if (method === 'DELETE') table = this.delete;
    else if (method === 'PATCH') table = this.patch;
    return table ?? this.lookupAnew(method);
  }

  private lookupAnew(method: string): LookupTable<V> {
    const known = this.tables.get(method);
    if (known !== undefined) return known;
    let name = method;
    if (!this.places.has(name)) name = method.toUpperCase();
    if (!this.places.has(name)) name = ANY;
    let table = this.tables.get(name);
    if (table === undefined) {
      table = this.compile(name);
      this.tables.set(name, table);
    }
    this.promote();
    return table;
  }

  private compile(method: string): LookupTable<V> {
    const any = this.places.get(ANY) ?? new Map<number, Place<V>>();
    const own = method === ANY ? any : (this.places.get(method) ?? any);
    const shared = [...any.values()].filter(({ variant }) => !own.has(variant.shape));
    const places = own === any ? [...own.values()] : [...own.values(), ...shared].sort(bySerial);
    const pairs = new Int32Array(2 * places.length);
    const bounds = { params: 0, length: 0 };
    const leaves = places.map(({ variant, entries }, leaf) => {
      pairs[2 * leaf] = variant.shape;
      pairs[2 * leaf + 1] = leaf;
      bounds.params = Math.max(bounds.params, variant.names.length);
      bounds.length = Math.max(bounds.length, variant.text.length);
      const others = own === any ? undefined : any.get(variant.shape)?.entries;
      const all = others === undefined || others === entries ? entries : [...entries, ...others];
      return { text: intern(this.requestOf(variant)), entries: all };
    });
    const table = new Int32Array(this.index.compile(pairs));
    this.index.take(table);
    this.compilations++;
    return new LookupTable<V>(table, this.index, leaves, bounds, this.options);
  }

  /** What a request's path must be to match a variant without parameters: a colon of the text stands there once. */
  private requestOf({ text, flags }: Variant): string {
    const path = (flags & STATIC) === 0 ? text : text.replaceAll('::', ':');
    return this.options.caseSensitive ? path : foldCase(path);
  }

  /** Forgets the tables that `method` has a part in. */
  private changed(method: string): void {
    if (method === ANY) this.tables.clear();
    else this.tables.delete(method);
    this.promote();
  }

  private promote(): void {
    this.get = this.tables.get('GET');
    this.post = this.tables.get('POST');
    this.put = this.tables.get('PUT');
    this.patch = this.tables.get('PATCH');
    this.delete = this.tables.get('DELETE');
  }

  private entryOf(
    variant: Variant,
    registration: Registration<V>,
    constraint: Constraint,
  ): RegisteredEntry<V> {
    return {
      registration,
      value: registration.value,
      pattern: variant.text,
      params: this.builders.for(variant.names),
      wildcard: (variant.flags & WILDCARD) !== 0,
      isBare: variant.names.length === 0 && (variant.flags & REST) === 0,
      takesRest: (variant.flags & (REST | NAMED_REST)) !== 0,
      namedRest: (variant.flags & NAMED_REST) !== 0,
      constraint,
    };
  }

  private refuseTaken(
    path: string,
    methods: readonly string[],
    variants: readonly Variant[],
    { key }: Constraint,
  ): void {
    for (const method of methods) {
      for (const { shape } of variants) {
        const taken = this.places
          .get(method)
          ?.get(shape)
          ?.entries.find(({ constraint }) => constraint.key === key);
        if (taken !== undefined) throw new RouteConflictError(method, path, taken.registration.path);
      }
    }
  }

  private place(method: string, variant: Variant, entry: RegisteredEntry<V>): void {
    let places = this.places.get(method);
    if (places === undefined) {
      places = new Map();
      this.places.set(method, places);
    }
    let place = places.get(variant.shape);
    if (place === undefined) {
      place = { serial: this.serial++, variant, entries: [] };
      places.set(variant.shape, place);
      this.uses.set(variant.shape, (this.uses.get(variant.shape) ?? 0) + 1);
    }
    const replaced = place.entries.find(({ constraint }) => constraint.key === entry.constraint.key);
    const others = place.entries.filter((other) => other !== replaced);
    place.entries = [...others, entry].sort((a, b) => bySpecificity(a.constraint, b.constraint));
    entry.registration.places++;
    if (replaced !== undefined) this.leave(replaced.registration);
  }

  private takeOut(method: string, place: Place<V>, entry: RegisteredEntry<V>): void {
    const { shape } = place.variant;
    place.entries = place.entries.filter((other) => other !== entry);
    if (place.entries.length === 0) {
      const places = this.places.get(method)!;
      places.delete(shape);
      if (places.size === 0) this.places.delete(method);
      const uses = this.uses.get(shape)! - 1;
      if (uses === 0) {
        this.uses.delete(shape);
        this.index.release(shape);
      } else {
        this.uses.set(shape, uses);
      }
    }
    this.leave(entry.registration);
    this.changed(method);
  }

  private leave(registration: Registration<V>): void {
    if (--registration.places === 0) this.registered.delete(registration);
  }

  /** The variants of a pattern, of which nothing is kept. */
  private shapesOf(path: string): Variant[] {
    const variants = describePattern(this.index, path);
    for (const { shape } of variants) this.index.release(shape);
    return variants;
  }
}

/** The same string in the form that V8 compares with others fastest: a key of its table of strings. */
function intern(text: string): string {
  return Object.keys({ [text]: 0 })[0]!;
}

function bySerial<V>(a: Place<V>, b: Place<V>): number {
  return a.serial - b.serial;
}

/** The pattern as it is listed: of one with optional parameters, all of it. */
function shownPath(path: string, variants: readonly Variant[]): string {
  return variants.length === 1 ? variants[0]!.text : `/${path.replace(/^\/+|\/+$/g, '')}`;
}
