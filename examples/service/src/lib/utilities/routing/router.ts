export type { RouteHandler, RouteMatch, TrieNode } from 'keelson';
export { MalformedPathError, OptimizedRouter, RouteTrie } from 'keelson';
