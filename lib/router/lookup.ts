import { type Constraint, satisfies, UNCONSTRAINED } from './constraints.js';
import type { RouterIndex } from './native.js';
import type { Builder } from './params.js';
import type { RouteConstraints } from './types.js';
import { sparseChild, Walker } from './walk.js';

const SLASH = 47;
const QUERY = /[?;]/;

/** A value at one place: a shape, a method, a constraint. */
export interface Entry<V> {
  readonly value: V;
  /** The pattern as the index normalised it. */
  readonly pattern: string;
  readonly params: Builder;
  /** Whether the pattern has a `*` segment or a catch-all. */
  readonly wildcard: boolean;
  /** Whether the path's rest is found behind the parameters' offsets. */
  readonly rest: boolean;
  /** Whether the last parameter is a catch-all. */
  readonly namedRest: boolean;
  readonly constraint: Constraint;
}

/** The entries at one leaf of a compiled table. */
export class Leaf<V> {
  /** The entry that serves every request: the first, if it has no constraint. */
  readonly free: Entry<V> | undefined;

  /**
   * @param text what a static path is compared with
   * @param entries the ones to try first come first
   */
  constructor(
    readonly text: string,
    readonly entries: readonly Entry<V>[],
  ) {
    this.free = entries[0]?.constraint === UNCONSTRAINED ? entries[0] : undefined;
  }

  choose(asked: RouteConstraints | undefined): Entry<V> | undefined {
    return this.free ?? this.entries.find(({ constraint }) => satisfies(constraint, asked));
  }
}

export interface LookupOptions {
  readonly caseSensitive: boolean;
  readonly ignoreTrailingSlash: boolean;
  readonly ignoreDuplicateSlashes: boolean;
  readonly semicolonDelimiter: boolean;
}

/**
 * The compiled routes of one method: static ones in a decision tree over length and single units, all others in a
 * radix trie. Nothing here crosses into Rust but regexes among several parameters of one segment.
 */
export class LookupTable<V> {
  /** What the offsets of the latest match refer to: the path without query, cleaned where it had to be. */
  path = '';
  private readonly table: Int32Array;
  private readonly statics: number;
  private readonly leaves: readonly Leaf<V>[];
  private readonly walker: Walker;
  private readonly folds: boolean;
  private readonly options: LookupOptions;

  constructor(
    table: Int32Array,
    index: RouterIndex,
    leaves: readonly Leaf<V>[],
    bounds: { params: number; length: number },
    options: LookupOptions,
  ) {
    this.table = table;
    this.statics = table[2]!;
    this.leaves = leaves;
    this.walker = new Walker(table, index, bounds.params, bounds.length);
    this.folds = !options.caseSensitive;
    this.options = options;
  }

  /** Start and end of each parameter of the latest match in `path`, then of its rest. */
  get offsets(): Int32Array {
    return this.walker.offsets;
  }

  get bytes(): number {
    return this.table.byteLength;
  }

  /** The entry that serves `path`, which may have a query. */
  find(path: string, asked: RouteConstraints | undefined): Entry<V> | undefined {
    const leaf = this.findStatic(this.folds ? foldCase(path) : path);
    const entry = leaf === undefined ? undefined : (leaf.free ?? leaf.choose(asked));
    if (entry === undefined) return this.findDynamic(path, asked);
    this.path = path;
    return entry;
  }

  /** The leaf of the static route that is `path`: one look at its length, then at the units that tell apart. */
  private findStatic(path: string): Leaf<V> | undefined {
    const { table, statics } = this;
    if (path.length >= table[statics]!) return undefined;
    let node = table[statics + 1 + path.length]!;
    while (node > 0) {
      const unit = path.charCodeAt(table[node]!);
      const range = table[node + 2]!;
      const place = unit - table[node + 1]!;
      if (range < 0) node = sparseChild(table, node + 3, -range, unit);
      else if (place >= 0 && place < range) node = table[node + 3 + place]!;
      else return undefined;
    }
    if (node === 0) return undefined;
    const leaf = this.leaves[~node]!;
    return leaf.text === path ? leaf : undefined;
  }

  private findDynamic(path: string, asked: RouteConstraints | undefined): Entry<V> | undefined {
    const text = this.isCut(path) ? path : this.cut(path);
    if (text !== path) {
      const leaf = this.findStatic(this.folds ? foldCase(text) : text);
      const entry = leaf?.choose(asked);
      if (entry !== undefined) {
        this.path = text;
        return entry;
      }
    }
    const entry = this.walk(this.folds ? foldCase(text) : text, asked);
    // Only a rest can have taken doubled slashes, and a miss may be due to them.
    if (entry === undefined || entry.rest || entry.namedRest) {
      if (this.options.ignoreDuplicateSlashes && hasDoubledSlash(text)) {
        return this.find(text.replace(/\/{2,}/g, '/'), asked);
      }
    }
    this.path = text;
    return entry;
  }

  private walk(path: string, asked: RouteConstraints | undefined): Entry<V> | undefined {
    let leaf = this.walker.find(path);
    while (leaf >= 0) {
      const entry = this.leaves[leaf]!.free ?? this.leaves[leaf]!.choose(asked);
      if (entry !== undefined) return entry;
      leaf = this.walker.findNext(path);
    }
    return undefined;
  }

  /** Whether `path` needs no `cut()`. */
  private isCut(path: string): boolean {
    return (
      path.indexOf('?') === -1 &&
      path.charCodeAt(0) === SLASH &&
      (path.charCodeAt(path.length - 1) !== SLASH || path.length === 1) &&
      !this.options.semicolonDelimiter
    );
  }

  /** The path with a leading slash, without query and, unless they matter, trailing slashes. */
  private cut(path: string): string {
    let end = this.options.semicolonDelimiter ? path.search(QUERY) : path.indexOf('?');
    if (end < 0) end = path.length;
    if (this.options.ignoreTrailingSlash) while (end > 1 && path.charCodeAt(end - 1) === SLASH) end--;
    const text = path.slice(0, end);
    return text.charCodeAt(0) === SLASH ? text : `/${text}`;
  }
}

function hasDoubledSlash(path: string): boolean {
  // `indexOf('//')` takes ten times as long on a path without.
  let slash = path.indexOf('/');
  while (slash >= 0) {
    if (path.charCodeAt(slash + 1) === SLASH) return true;
    slash = path.indexOf('/', slash + 1);
  }
  return false;
}

/** A to Z as a to z, and nothing else: the length stays, and offsets with it. */
export function foldCase(path: string): string {
  return /[A-Z]/.test(path) ? path.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : path;
}
