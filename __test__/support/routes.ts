import { type RouteConstraints, type RouteHandler, RouteTrie, type RouteTrieOptions } from 'keelson';

export const NOOP = (): void => {};

/** A route whose id says what it is. */
export function route(
  id: string,
  method: string | string[] = 'GET',
  constraints?: RouteConstraints,
): RouteHandler {
  return { id, method, handler: NOOP, ...(constraints && { constraints }) };
}

/** A trie of GET routes, each with its own pattern as id. */
export function trieOf(patterns: readonly string[], options?: RouteTrieOptions): RouteTrie {
  const trie = new RouteTrie(options);
  for (const pattern of patterns) trie.insert(pattern, route(pattern));
  return trie;
}

/** The id of what serves the request, or null. */
export function served(
  trie: RouteTrie,
  path: string,
  method = 'GET',
  asked?: RouteConstraints,
): string | null {
  return trie.search(path, method, asked)?.handler.id ?? null;
}

/** The parameters of the match, or null. */
export function paramsOf(trie: RouteTrie, path: string, method = 'GET'): Record<string, string> | null {
  return trie.search(path, method)?.params ?? null;
}

/** What a call throws, or undefined. */
export function thrownBy(call: () => unknown): (Error & { code?: string }) | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return error as Error & { code?: string };
  }
}
