import { branch } from './branch.js';
import { type Constraint, satisfies } from './constraints.js';
import { decodeParameter } from './decode.js';
import { foldCase } from './fold.js';
import { NAMED_REST, REST, type RouterIndex, STATICS } from './native.js';
import type { Builder } from './params.js';
import type { RouteConstraints } from './types.js';
import { type Bounds, EMPTY_SEGMENT, REFUSED_BY_REGEX, Walker } from './walk.js';

const SLASH = 47;
const QUERY = /[?;]/;
const TAKES_REST = REST | NAMED_REST;

/** A value at one place: a shape, a method, a constraint. */
export interface Entry<V> {
  readonly value: V;
  /** Of its variant: see native.ts. */
  readonly flags: number;
  readonly params: Builder;
  /** The pattern as the index normalised it. */
  readonly pattern: string;
  readonly constraint: Constraint;
}

/** What the leaves of a compiled table stand for, each array by leaf. */
export interface Leaves<V> {
  /** What a static path is compared with. */
  readonly texts: readonly string[];
  /** The entries to try first come first. */
  readonly entries: readonly (readonly Entry<V>[])[];
  /** The entry that serves every request: the first, if it has no constraint. */
  readonly free: readonly (Entry<V> | undefined)[];
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
  /** Start and end of each parameter of the latest match in `path`, then of its rest. */
  readonly offsets: Int32Array;
  /** The path of the latest `find()` as it was looked up, if not as it came. */
  private path = '';
  private isCut = false;
  private readonly table: Int32Array;
  private readonly statics: number;
  private readonly texts: readonly string[];
  private readonly leaves: readonly (readonly Entry<V>[])[];
  private readonly free: readonly (Entry<V> | undefined)[];
  private readonly walker: Walker;
  private readonly options: LookupOptions;
  /** Whether most paths can be looked up as they are. */
  private readonly isPlain: boolean;

  constructor(
    table: Int32Array,
    index: RouterIndex,
    leaves: Leaves<V>,
    bounds: Bounds,
    options: LookupOptions,
  ) {
    this.table = table;
    this.statics = table[STATICS]!;
    this.texts = leaves.texts;
    this.leaves = leaves.entries;
    this.free = leaves.free;
    this.walker = new Walker(table, index, bounds);
    this.offsets = this.walker.offsets;
    this.options = options;
    this.isPlain = options.caseSensitive && !options.semicolonDelimiter;
  }

  get bytes(): number {
    return this.table.byteLength;
  }

  /** The entry that serves `path`, which may have a query. Kept short, so that it is inlined. */
  find(path: string, asked: RouteConstraints | undefined): Entry<V> | undefined {
    const leaf = this.findStatic(path);
    const entry = leaf < 0 ? undefined : this.free[leaf];
    return entry === undefined ? this.findDynamic(path, asked) : entry;
  }

  /**
   * What the offsets refer to: `path`, for which an entry was just found, without query and cleaned where it had to
   * be. It is not kept where it is as it came: to note a new string in an old object costs V8 more than the rest of
   * this. Of a static path that is found as it is, nothing is noted; `forget()` before a `find()` minds that.
   */
  lookedUp(path: string): string {
    return this.isCut ? this.path : path;
  }

  /**
   * Says why `path`, for which nothing was just found, may be no path at all: a regex, which is about decoded text,
   * refused something, and the path cannot be decoded.
   *
   * @throws MalformedPathError
   */
  refuseMalformed(path: string): void {
    if ((this.walker.met & REFUSED_BY_REGEX) !== 0) decodeParameter(this.lookedUp(path));
  }

  /** Forgets the path of the latest `find()`. */
  forget(): void {
    this.isCut = false;
  }

  /** The leaf that `path` is the static route of: one look at its length, then at the units that tell apart. */
  private findStatic(path: string): number {
    const { table, statics } = this;
    const length = path.length;
    if (length >= table[statics]!) return -1;
    let node = table[statics + 1 + length]!;
    while (node > 0) node = branch(table, node + 1, path.charCodeAt(table[node]!));
    return node !== 0 && this.texts[~node] === path ? ~node : -1;
  }

  private findDynamic(path: string, asked: RouteConstraints | undefined): Entry<V> | undefined {
    this.isCut = false;
    if (this.isPlain && path.indexOf('?') === -1 && path.charCodeAt(0) === SLASH) {
      const leaf = this.walker.find(path);
      if (leaf < 0) {
        if ((this.walker.met & EMPTY_SEGMENT) === 0 && !this.hasTrailingSlash(path)) return undefined;
      } else {
        const entry = this.free[leaf];
        if (entry !== undefined && ((entry.flags & TAKES_REST) === 0 || this.isClean(path))) return entry;
      }
    }
    return this.findCut(this.cut(path), asked);
  }

  /** The same as `find()` with every option and constraint minded. */
  private findCut(path: string, asked: RouteConstraints | undefined): Entry<V> | undefined {
    const text = this.options.caseSensitive ? path : foldCase(path);
    this.walker.unfolded = this.options.caseSensitive ? '' : path;
    const exact = this.findStatic(text);
    const entry = (exact < 0 ? undefined : this.choose(exact, asked)) ?? this.walk(text, asked);
    // Only a rest takes doubled slashes. Any other match has none, and a miss is due to them only if it met them.
    const doubled =
      entry === undefined
        ? (this.walker.met & EMPTY_SEGMENT) !== 0
        : (entry.flags & TAKES_REST) !== 0 && hasDoubledSlash(path);
    if (doubled && this.options.ignoreDuplicateSlashes) {
      return this.findCut(path.replace(/\/{2,}/g, '/'), asked);
    }
    this.path = path;
    this.isCut = true;
    return entry;
  }

  private walk(path: string, asked: RouteConstraints | undefined): Entry<V> | undefined {
    let leaf = this.walker.find(path);
    while (leaf >= 0) {
      const entry = this.choose(leaf, asked);
      if (entry !== undefined) return entry;
      leaf = this.walker.findNext(path);
    }
    return undefined;
  }

  private choose(leaf: number, asked: RouteConstraints | undefined): Entry<V> | undefined {
    return this.leaves[leaf]!.find(({ constraint }) => satisfies(constraint, asked));
  }

  /** Whether a path that begins with a slash has none that could be left out. */
  private isClean(path: string): boolean {
    return !this.hasTrailingSlash(path) && !(this.options.ignoreDuplicateSlashes && hasDoubledSlash(path));
  }

  private hasTrailingSlash(path: string): boolean {
    return path.charCodeAt(path.length - 1) === SLASH && path.length > 1 && this.options.ignoreTrailingSlash;
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
