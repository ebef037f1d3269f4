import { decodeParameter, decodeRest } from './decode.js';
import type { Entry } from './lookup.js';
import { BARE, NAMED_REST, REST, WILDCARD } from './native.js';
import type { RouteHandler, RouteMatch } from './types.js';

/** A match whose pattern ends in `*`. What that took is cut out only when somebody asks. */
class RestMatch implements RouteMatch {
  readonly handler: RouteHandler;
  readonly params: Record<string, string>;
  readonly wildcard = true;
  readonly #path: string;
  readonly #start: number;

  constructor(handler: RouteHandler, params: Record<string, string>, path: string, start: number) {
    this.handler = handler;
    this.params = params;
    this.#path = path;
    this.#start = start;
  }

  get rest(): string {
    return this.#path.slice(this.#start);
  }
}
// To those who compare, it is as plain an object as any other match: `rest` is an extra that nobody has to expect.
Object.defineProperty(RestMatch.prototype, 'constructor', {
  value: Object,
  configurable: true,
  writable: true,
});

/** What `search()` returns, with everything in it the caller's own. */
export function matchOf(entry: Entry<RouteHandler>, path: string, offsets: Int32Array): RouteMatch {
  const { value, flags } = entry;
  const wildcard = (flags & WILDCARD) !== 0;
  if ((flags & BARE) !== 0) return { handler: value, params: {}, wildcard };
  const params = paramsOf(entry, path, offsets);
  if ((flags & REST) !== 0) {
    return new RestMatch(value, params, path, offsets[2 * entry.params.names.length]!);
  }
  return { handler: value, params, wildcard };
}

/** A fresh object of decoded parameters. @throws MalformedPathError */
export function paramsOf(entry: Entry<unknown>, path: string, offsets: Int32Array): Record<string, string> {
  const { params } = entry;
  if (path.indexOf('%') === -1) return params.build(path, offsets);
  const decodeLast = (entry.flags & NAMED_REST) === 0 ? decodeParameter : decodeRest;
  return params.buildDecoded(path, offsets, decodeLast);
}
