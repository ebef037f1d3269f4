import { invalid } from '../validate.js';
import { decodeParameter, decodeRest } from './decode.js';
import type { Entry } from './lookup.js';
import { paramsOf } from './match.js';
import { NAMED_REST, REST, WILDCARD } from './native.js';
import type { RouteHandler } from './types.js';

const NOWHERE = new Int32Array(0);

/** Where the latest `match()` of a trie stands. It tells of nothing else once that trie is used again. */
export class RouteCursor {
  /** The path that `start()` and `end()` refer to: without query, and cleaned where it had to be. */
  path = '';
  private entry: Entry<RouteHandler> | undefined;
  private offsets: Int32Array = NOWHERE;

  /** @internal */
  moveTo(entry: Entry<RouteHandler>, path: string, offsets: Int32Array): this {
    this.entry = entry;
    this.path = path;
    this.offsets = offsets;
    return this;
  }

  /** The object that was inserted. */
  get handler(): RouteHandler {
    return this.entry!.value;
  }

  /** The pattern that matched; of one with optional parameters, the variant. */
  get pattern(): string {
    return this.entry!.pattern;
  }

  /** Whether the pattern has a `*` segment or a named catch-all. */
  get wildcard(): boolean {
    return (this.entry!.flags & WILDCARD) !== 0;
  }

  /** How many parameters there are. */
  get length(): number {
    return this.entry!.params.names.length;
  }

  /** What a `*` in last place took, as it stands in the path. */
  get rest(): string | undefined {
    const isRest = (this.entry!.flags & REST) !== 0;
    return isRest ? this.path.slice(this.offsets[2 * this.length]) : undefined;
  }

  /** The name of parameter `index`, from 0 to `length` - 1; undefined beyond. */
  name(index: number): string | undefined {
    return this.entry!.params.names[index];
  }

  /** Where parameter `index` begins in `path`. */
  start(index: number): number {
    return this.offsets[2 * index]!;
  }

  /** Where parameter `index` ends in `path`. */
  end(index: number): number {
    return this.offsets[2 * index + 1]!;
  }

  /**
   * A parameter, decoded; undefined if the route has none of the name.
   *
   * @throws MalformedPathError if it has an escape that is not UTF-8
   */
  param(name: string): string | undefined {
    if (typeof name !== 'string') invalid('name', 'a string', name);
    const index = this.entry!.params.names.indexOf(name);
    if (index < 0) return undefined;
    const text = this.path.slice(this.start(index), this.end(index));
    const isRest = (this.entry!.flags & NAMED_REST) !== 0 && index === this.length - 1;
    return isRest ? decodeRest(text) : decodeParameter(text);
  }

  /** All parameters, decoded, in a fresh object. @throws MalformedPathError */
  params(): Record<string, string> {
    return paramsOf(this.entry!, this.path, this.offsets);
  }
}
