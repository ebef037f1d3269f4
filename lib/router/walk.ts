import { branch } from './branch.js';
import { acceptsSegment } from './dfa.js';
import { matchMixed, matchMixedRegex } from './mixed.js';
import {
  KIND_MIXED,
  KIND_MIXED_REGEX,
  KIND_PARAM,
  KIND_REST,
  KIND_STAR,
  ROOT,
  type RouterIndex,
} from './native.js';

const SLASH = 47;

/** Kinds of dead ends. */
export const EMPTY_SEGMENT = 1;
export const REFUSED_BY_REGEX = 2;

/** What the routes of a table have at most. */
export interface Bounds {
  /** Parameters of a route. */
  maxParams: number;
  /** Units of a pattern, which bound the depth of the trie. */
  maxLength: number;
}

/**
 * Finds paths in a compiled radix trie without leaving JavaScript. The layout of the trie is described in
 * crates/core/src/router/flatten.rs.
 *
 * What was passed by is kept on a stack, since a static branch can turn out to be a dead end. A trie has one way to
 * each node, so that no node is visited twice for a path, however hostile.
 */
export class Walker {
  /** Start and end of each parameter in the path, then of what a `*` in last place took. */
  readonly offsets: Int32Array;
  /** What the dead ends of the latest `find()` were, of `EMPTY_SEGMENT` and `REFUSED_BY_REGEX`. */
  met = 0;
  /** The path as it was before its letters were lowered, if they were: regexes are about that. */
  unfolded = '';
  private readonly trie: Int32Array;
  private readonly index: RouterIndex;
  /** Where to go on: frames of [parameter node or ~alternative, position, offsets in use, alternatives left]. */
  private readonly stack: Int32Array;
  private depth = 0;
  /** Where `resume()` says to go on: a node, or -1 when `leaf` is the answer. */
  private node = 0;
  private at = 0;
  private used = 0;
  private leaf = -1;

  constructor(trie: Int32Array, index: RouterIndex, { maxParams, maxLength }: Bounds) {
    this.trie = trie;
    this.index = index;
    this.offsets = new Int32Array(2 * (maxParams + 1));
    this.stack = new Int32Array(4 * (maxLength + 2));
  }

  /** The leaf for `path`, which begins with a slash and is cut and folded as the options ask, or -1. */
  find(path: string): number {
    this.depth = 0;
    this.met = 0;
    return this.walk(path, this.trie[ROOT]!, 1, 0);
  }

  /** The next best leaf for the same path. */
  findNext(path: string): number {
    this.resume(path);
    return this.node < 0 ? this.leaf : this.walk(path, this.node, this.at, this.used);
  }

  /** Goes down from `node`, whose text begins at `at`. */
  private walk(path: string, node: number, at: number, used: number): number {
    const { trie, offsets } = this;
    const end = path.length;
    for (;;) {
      // biome-ignore lint/suspicious/noConfusingLabels: a dead end is left from five places, in the hottest loop
      descent: {
        let text = node + 1;
        const stop = text + trie[node]!;
        if (at + stop - text > end) break descent;
        while (text < stop) {
          if (path.charCodeAt(at) !== trie[text]) break descent;
          text++;
          at++;
        }
        if (at === end) {
          const leaf = trie[text]!;
          if (leaf < 0) break descent;
          return leaf;
        }
        const unit = path.charCodeAt(at);
        const parameter = trie[text + 1]!;
        const list = trie[text + 2]!;
        const child = branch(trie, text + 3, unit);
        if (list !== 0) this.passBy(~(list + 1), at, used, trie[list]!);
        if (child !== 0) {
          if (parameter !== 0) this.passBy(parameter, at, used, 0);
          node = child;
          at++;
          continue;
        }
        if (parameter === 0 || unit === SLASH) break descent;
        const slash = path.indexOf('/', at);
        offsets[used] = at;
        at = slash < 0 ? end : slash;
        offsets[used + 1] = at;
        used += 2;
        node = parameter;
        continue;
      }
      if (path.charCodeAt(at) === SLASH && path.charCodeAt(at - 1) === SLASH) this.met |= EMPTY_SEGMENT;
      if (this.depth === 0) return -1;
      this.resume(path);
      node = this.node;
      if (node < 0) return this.leaf;
      at = this.at;
      used = this.used;
    }
  }

  private passBy(target: number, at: number, used: number, left: number): void {
    const { stack, depth } = this;
    stack[depth] = target;
    stack[depth + 1] = at;
    stack[depth + 2] = used;
    stack[depth + 3] = left;
    this.depth = depth + 4;
  }

  /** Takes the next alternative of those that were passed by, the latest first. */
  private resume(path: string): void {
    const { offsets, stack } = this;
    while (this.depth > 0) {
      const frame = this.depth - 4;
      const at = stack[frame + 1]!;
      const used = stack[frame + 2]!;
      const slash = path.indexOf('/', at);
      const end = slash < 0 ? path.length : slash;
      let kind = KIND_PARAM;
      let data = 0;
      let target = stack[frame]!;
      if (target >= 0) {
        this.depth = frame;
      } else {
        const alternative = ~target;
        kind = this.trie[alternative]!;
        data = this.trie[alternative + 1]!;
        target = this.trie[alternative + 2]!;
        stack[frame] = ~(alternative + 3);
        if (--stack[frame + 3]! === 0) this.depth = frame;
      }
      if (kind >= KIND_REST) {
        offsets[used] = at;
        offsets[used + 1] = path.length;
        this.node = -1;
        this.leaf = target;
        return;
      }
      const taken = end > at ? this.take(kind, data, path, at, end, used) : -1;
      if (taken >= 0) {
        this.node = target;
        this.at = end;
        this.used = taken;
        return;
      }
    }
    this.node = -1;
    this.leaf = -1;
  }

  /** Matches the segment's rest, from `at` to `end`, against an alternative; returns the offsets in use, or -1. */
  private take(kind: number, data: number, path: string, at: number, end: number, used: number): number {
    const { trie, offsets } = this;
    if (kind === KIND_STAR) return used;
    if (kind === KIND_MIXED) return matchMixed(trie, data, path, at, end, offsets, used);
    if (kind !== KIND_PARAM) {
      const taken = this.takeRegex(kind, data, this.unfolded === '' ? path : this.unfolded, at, end, used);
      if (taken < 0) this.met |= REFUSED_BY_REGEX;
      return taken;
    }
    offsets[used] = at;
    offsets[used + 1] = end;
    return used + 2;
  }

  private takeRegex(kind: number, data: number, path: string, at: number, end: number, used: number): number {
    const { trie, offsets } = this;
    if (kind === KIND_MIXED_REGEX) {
      return matchMixedRegex(this.index, trie, data, path.slice(at, end), at, offsets, used);
    }
    if (!acceptsSegment(trie, data, path, at, end)) return -1;
    offsets[used] = at;
    offsets[used + 1] = end;
    return used + 2;
  }
}
