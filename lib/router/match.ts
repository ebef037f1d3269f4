import { decodeParameter, decodeRest } from './decode.js';
import type { Entry } from './lookup.js';
import { BARE, NAMED_REST, REST, WILDCARD } from './native.js';
import type { RouteHandler, RouteMatch } from './types.js';

/** What `search()` returns, with everything in it the caller's own. */
export function matchOf(entry: Entry<RouteHandler>, path: string, offsets: Int32Array): RouteMatch {
  const { flags } = entry;
  const wildcard = (flags & WILDCARD) !== 0;
  const params = (flags & BARE) === 0 ? paramsOf(entry, path, offsets) : {};
  const match = { handler: entry.value, params, wildcard };
  return (flags & REST) === 0 ? match : withRest(match, entry, path, offsets);
}

function withRest(match: RouteMatch, entry: Entry<unknown>, path: string, offsets: Int32Array): RouteMatch {
  const rest = path.slice(offsets[2 * entry.params.names.length]);
  // To those who compare matches it is an extra that nobody has to expect.
  return Object.defineProperty(match, 'rest', { value: rest });
}

/** A fresh object of decoded parameters. @throws MalformedPathError */
export function paramsOf(entry: Entry<unknown>, path: string, offsets: Int32Array): Record<string, string> {
  if (path.indexOf('%') === -1) return entry.params.build(path, offsets);
  const decodeLast = (entry.flags & NAMED_REST) === 0 ? decodeParameter : decodeRest;
  return entry.params.buildDecoded(path, offsets, decodeLast);
}
