import { RouteConflictError } from '../errors.js';
import { binding } from '../native.js';
import { invalid } from '../validate.js';
import { bySpecificity, type Constraint, constraintOf, UNCONSTRAINED } from './constraints.js';
import { foldCase } from './fold.js';
import { type Entry, type LookupOptions, LookupTable } from './lookup.js';
import { isToken } from './methods.js';
import { BARE, describePattern, REST, type RouterIndex, STATIC, type Variant } from './native.js';
import { ParamsBuilders } from './params.js';
import type { RouteConstraints } from './types.js';

/** What a value is registered for: one pattern, some methods. */
export interface Registration<V> {
  readonly path: string;
  readonly value: V;
  /** One for each variant of the pattern. */
  readonly entries: readonly RegisteredEntry<V>[];
  readonly methods: readonly string[];
  /** In how many places it is; it is forgotten with the last. */
  places: number;
}

interface RegisteredEntry<V> extends Entry<V> {
  readonly registration: Registration<V>;
  readonly shape: number;
}

/** A place of a registration that no other has taken. */
export interface Live<V> {
  readonly entry: RegisteredEntry<V>;
  readonly method: string;
}

/** What is registered for one shape and method. */
interface Place<V> {
  readonly shape: number;
  /** Places made earlier come first where patterns rank alike. */
  readonly serial: number;
  /** The most specific constraint first. */
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
  /** By method, then by shape. Each place is one use of its shape to the index. */
  private readonly places = new Map<string, Map<number, Place<V>>>();
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
    for (const { entries, methods } of this.registered) {
      for (const entry of entries) {
        for (const method of methods) {
          if (this.places.get(method)?.get(entry.shape)?.entries.includes(entry)) yield { entry, method };
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
    if (this.options.semicolonDelimiter && path.includes(';')) {
      this.release(variants);
      invalid('path', 'a pattern without ";", which ends paths with semicolonDelimiter', path);
    }
    if (this.options.strict) this.refuseTaken(path, methods, variants, constraint);
    const entries: RegisteredEntry<V>[] = [];
    const shown = variants.length === 1 ? variants[0]!.text : this.listed(path);
    const registration: Registration<V> = { path: shown, value, entries, methods, places: 0 };
    this.registered.add(registration);
    for (const variant of variants) {
      const entry = this.entryOf(variant, registration, constraint);
      entries.push(entry);
      // The description was counted as a use, which the first new place has.
      let unused = true;
      for (const method of methods) {
        const isNew = this.place(method, entry);
        if (isNew && !unused) this.index.retain(entry.shape);
        if (isNew) unused = false;
      }
      if (unused) this.index.release(entry.shape);
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

  /** The normalised texts of a pattern's variants. @throws InvalidArgumentError for a bad pattern */
  variantsOf(path: string): string[] {
    return this.shapesOf(path).map(({ text }) => text);
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
    const key = constraints === undefined ? undefined : constraintOf(constraints).key;
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
    for (const places of this.places.values()) {
      for (const shape of places.keys()) this.index.release(shape);
    }
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
    // Only of a token: other letters can have those of a method as their upper case.
    if (!this.places.has(name) && isToken(method)) name = method.toUpperCase();
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
    const any = this.places.get(ANY);
    const own = method === ANY ? undefined : this.places.get(method);
    const places = mergePlaces(own, any);
    const pairs = new Int32Array(2 * places.length);
    const bounds = { maxParams: 0, maxLength: 0 };
    const texts: string[] = [];
    const entries: (readonly Entry<V>[])[] = [];
    const free: (Entry<V> | undefined)[] = [];
    for (const [leaf, place] of places.entries()) {
      pairs[2 * leaf] = place.shape;
      pairs[2 * leaf + 1] = leaf;
      const shared = own === undefined ? undefined : any?.get(place.shape);
      const all =
        shared === undefined || shared === place ? place.entries : [...place.entries, ...shared.entries];
      const { pattern, flags, params, constraint } = all[0]!;
      bounds.maxParams = Math.max(bounds.maxParams, params.names.length);
      bounds.maxLength = Math.max(bounds.maxLength, pattern.length);
      texts.push((flags & STATIC) === 0 ? '' : intern(this.requestOf(pattern)));
      entries.push(all);
      free.push(constraint === UNCONSTRAINED ? all[0] : undefined);
    }
    const table = new Int32Array(this.index.compile(pairs));
    this.index.take(table);
    this.compilations++;
    return new LookupTable<V>(table, this.index, { texts, entries, free }, bounds, this.options);
  }

  /** What a request's path must be to match a pattern without parameters: a colon of the text stands there once. */
  private requestOf(pattern: string): string {
    const path = pattern.replaceAll('::', ':');
    return this.options.caseSensitive ? path : foldCase(path);
  }

  /** A pattern with optional parameters as it is listed: all of it, without the outer slashes that do not matter. */
  private listed(path: string): string {
    const { ignoreTrailingSlash, ignoreDuplicateSlashes } = this.options;
    const text = ignoreDuplicateSlashes ? path.replace(/^\/+/, '') : path.replace(/^\//, '');
    let end = text.length;
    if (ignoreTrailingSlash) while (text[end - 1] === '/') end--;
    return `/${text.slice(0, end)}`;
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
    { shape, flags, text, names }: Variant,
    registration: Registration<V>,
    constraint: Constraint,
  ): RegisteredEntry<V> {
    const isBare = names === '' && (flags & REST) === 0;
    return {
      value: registration.value,
      flags: isBare ? flags | BARE : flags,
      params: this.builders.acquire(names),
      pattern: text,
      constraint,
      registration,
      shape,
    };
  }

  /** @throws RouteConflictError, with what the variants use given back */
  private refuseTaken(
    path: string,
    methods: readonly string[],
    variants: readonly Variant[],
    { key }: Constraint,
  ): void {
    for (const method of methods) {
      for (const { shape } of variants) {
        const entries = this.places.get(method)?.get(shape)?.entries;
        const taken = entries?.find(({ constraint }) => constraint.key === key);
        if (taken === undefined) continue;
        this.release(variants);
        throw new RouteConflictError(method, path, taken.registration.path);
      }
    }
  }

  /** Puts an entry where it belongs; returns whether the place is new. */
  private place(method: string, entry: RegisteredEntry<V>): boolean {
    entry.registration.places++;
    let places = this.places.get(method);
    if (places === undefined) {
      places = new Map();
      this.places.set(method, places);
    }
    const place = places.get(entry.shape);
    if (place === undefined) {
      places.set(entry.shape, { shape: entry.shape, serial: this.serial++, entries: [entry] });
      return true;
    }
    const replaced = place.entries.find(({ constraint }) => constraint.key === entry.constraint.key);
    const others = place.entries.filter((other) => other !== replaced);
    place.entries = [...others, entry].sort((a, b) => bySpecificity(a.constraint, b.constraint));
    if (replaced !== undefined) this.leave(replaced.registration);
    return false;
  }

  private takeOut(method: string, place: Place<V>, entry: RegisteredEntry<V>): void {
    place.entries = place.entries.filter((other) => other !== entry);
    if (place.entries.length === 0) {
      const places = this.places.get(method)!;
      places.delete(place.shape);
      if (places.size === 0) this.places.delete(method);
      this.index.release(place.shape);
    }
    this.leave(entry.registration);
    this.changed(method);
  }

  private leave(registration: Registration<V>): void {
    if (--registration.places > 0) return;
    this.registered.delete(registration);
    for (const { params } of registration.entries) this.builders.release(params);
  }

  /** The variants of a pattern, of which nothing is kept. */
  private shapesOf(path: string): Variant[] {
    const variants = describePattern(this.index, path);
    this.release(variants);
    return variants;
  }

  private release(variants: readonly Variant[]): void {
    for (const { shape } of variants) this.index.release(shape);
  }
}

/** The places that serve a method, in the order of insertion: its own, and those for any method beside them. */
function mergePlaces<V>(
  own: ReadonlyMap<number, Place<V>> | undefined,
  any: ReadonlyMap<number, Place<V>> | undefined,
): Place<V>[] {
  if (own === undefined || any === undefined)
    return [...(own ?? any ?? new Map<number, Place<V>>()).values()];
  const shared = [...any.values()].filter(({ shape }) => !own.has(shape));
  return [...own.values(), ...shared].sort((a, b) => a.serial - b.serial);
}

/** The same string in the form that V8 compares with others fastest: a key of its table of strings. */
function intern(text: string): string {
  return Object.keys({ [text]: 0 })[0]!;
}
