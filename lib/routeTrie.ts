import { MatchCache } from './router/cache.js';
import { RouteCursor } from './router/cursor.js';
import { matchOf } from './router/match.js';
import { methodsOf, oneMethod } from './router/methods.js';
import { type OpenAPIDocument, type OpenAPIOptions, openAPI } from './router/openapi.js';
import { ANY, RouteTable } from './router/table.js';
import { drawTree } from './router/tree.js';
import type {
  RouteConstraints,
  RouteHandler,
  RouteMatch,
  RouteTrieMetrics,
  RouteTrieOptions,
} from './router/types.js';
import { boolean, callable, integer, invalid, options as named, string } from './validate.js';

const OPTIONS = [
  'caseSensitive',
  'ignoreTrailingSlash',
  'ignoreDuplicateSlashes',
  'semicolonDelimiter',
  'strict',
  'cache',
] as const;

/** What the cache holds at most unless told otherwise. */
const CACHE_SIZE = 1000;

/**
 * Finds the handler for a path and a method.
 *
 * Patterns are segments between slashes: static text, `:name`, `:id(\\d+)` with a regex of linear time, several in
 * one segment (`:from-:to`, `v:major.:minor`), optional ones (`:page?`), `*` for one segment or, in last place, for
 * all the rest, and `*name` for the rest as a parameter. A colon of the text is written `::`. Leading, trailing and
 * doubled slashes do not matter unless the options say so.
 *
 * Where several routes fit, static text goes before a parameter with a regex, that before several parameters, those
 * before one parameter, that before `*`, segment by segment from the left; dead ends are left again. A route for the
 * method itself goes before one for `'*'` of the same path.
 *
 * Parameters are never empty, and are percent-decoded; the path itself is compared as it stands, `%2F` never parts
 * segments, and `.` and `..` are segments like any other. Only in a segment that mixes a regex with text is that text
 * compared decoded too. A parameter takes the shortest text that lets the rest of its segment match, one with a regex
 * as much as that says. A regex that takes a whole segment costs a step a byte; one beside text a step a byte for each
 * state of it, at most 256.
 */
export class RouteTrie {
  private readonly table: RouteTable<RouteHandler>;
  private readonly cache: MatchCache | undefined;
  private readonly cacheSize: number;
  private readonly cursor = new RouteCursor();

  /** @throws InvalidArgumentError for an option that is unknown or of the wrong type */
  constructor(options: RouteTrieOptions = {}) {
    named<RouteTrieOptions>('options', options, OPTIONS);
    const { caseSensitive = true, ignoreTrailingSlash = true, ignoreDuplicateSlashes = true } = options;
    const { semicolonDelimiter = false, strict = false, cache = false } = options;
    this.table = new RouteTable<RouteHandler>({
      caseSensitive: boolean('caseSensitive', caseSensitive),
      ignoreTrailingSlash: boolean('ignoreTrailingSlash', ignoreTrailingSlash),
      ignoreDuplicateSlashes: boolean('ignoreDuplicateSlashes', ignoreDuplicateSlashes),
      semicolonDelimiter: boolean('semicolonDelimiter', semicolonDelimiter),
      strict: boolean('strict', strict),
    });
    this.cacheSize = CACHE_SIZE;
    if (cache === false) return;
    if (cache !== true) {
      const { maxSize = CACHE_SIZE } = named<{ maxSize?: number }>('cache', cache, ['maxSize']);
      this.cacheSize = integer('cache.maxSize', maxSize, 1);
    }
    this.cache = new MatchCache(this.cacheSize);
  }

  /**
   * Adds a route. The same path (names of parameters apart), method and constraints again replace what was there.
   * The next search compiles the tables of its methods anew: about 5 ms for 10,000 routes.
   *
   * @throws InvalidArgumentError for a pattern, method or constraint that is none; the message says where and why
   * @throws RouteConflictError with `strict`, if it would replace something
   */
  insert(path: string, handler: RouteHandler): void {
    if (typeof handler !== 'object' || handler === null) invalid('handler', 'an object', handler);
    callable('handler.handler', handler.handler);
    string('handler.id', handler.id);
    this.table.add(path, methodsOf(handler.method), handler.constraints, handler);
    this.cache?.clear();
  }

  /**
   * What serves a request, or null. The query, if there is one, is left out.
   *
   * @param path a request's path
   * @param asked host and version of the request, for routes with constraints
   * @throws MalformedPathError if a parameter has an escape that is not UTF-8, be it one that a regex refused
   */
  search(path: string, method: string, asked?: RouteConstraints): RouteMatch | null {
    if (typeof path !== 'string' || typeof method !== 'string') refuse(path, method);
    if (this.cache !== undefined && asked === undefined) {
      return this.cache.find(path, method, this.table);
    }
    const lookup = this.table.lookup(method);
    const entry = lookup.find(path, asked);
    if (entry !== undefined) return matchOf(entry, lookup.lookedUp(path), lookup.offsets);
    lookup.refuseMalformed(path);
    return null;
  }

  /**
   * The same without making objects: a cursor that is used again by the next `match()` of this trie. Parameters are
   * not decoded until they are read. The cache is not used. Nothing is allocated unless the path has a query or
   * slashes that do not matter, or the route mixes a regex with text in one segment.
   *
   * @throws MalformedPathError if a regex refused an escape that is not UTF-8, and no other route took it
   */
  match(path: string, method: string, asked?: RouteConstraints): RouteCursor | null {
    if (typeof path !== 'string' || typeof method !== 'string') refuse(path, method);
    const lookup = this.table.lookup(method);
    lookup.forget();
    const entry = lookup.find(path, asked);
    if (entry !== undefined) return this.cursor.moveTo(entry, lookup.lookedUp(path), lookup.offsets);
    lookup.refuseMalformed(path);
    return null;
  }

  /** The handler that was inserted under the very pattern. @throws InvalidArgumentError for what is no pattern */
  get(path: string, method: string, constraints?: RouteConstraints): RouteHandler | undefined {
    return this.table.valueAt(path, oneMethod(method), constraints);
  }

  /**
   * What a pattern stands for, normalised: itself or, with optional parameters, each form of it.
   * @throws InvalidArgumentError for what is no pattern
   * @internal
   */
  expand(path: string): string[] {
    return this.table.variantsOf(path);
  }

  /** Whether there is a route of the very pattern, for `method` or for any. */
  has(path: string, method?: string): boolean {
    return this.table.has(path, method === undefined ? undefined : oneMethod(method));
  }

  /**
   * Removes the routes of the very pattern. The next search compiles the tables of their methods anew.
   *
   * @param method of all methods if left out
   * @param constraints whatever they are if left out
   * @returns whether there was one
   */
  remove(path: string, method?: string, constraints?: RouteConstraints): boolean {
    const removed = this.table.remove(
      path,
      method === undefined ? undefined : oneMethod(method),
      constraints,
    );
    if (removed) this.cache?.clear();
    return removed;
  }

  /** The methods for which a request's path has a route, sorted: for 405 and OPTIONS. `['*']` if any has. */
  allowedMethods(path: string, asked?: RouteConstraints): string[] {
    string('path', path);
    const serves = (method: string) => this.table.lookup(method).find(path, asked) !== undefined;
    const methods = this.table.methods;
    if (methods.includes(ANY) && serves(ANY)) return [ANY];
    return methods.filter((method) => method !== ANY && serves(method)).sort();
  }

  /** Every path and handler, in the order of insertion. */
  getAllRoutes(): Array<{ path: string; handler: RouteHandler }> {
    return Array.from(this.table.registrations, ({ path, value }) => ({ path, handler: value }));
  }

  /** Takes out all routes. */
  clear(): void {
    this.table.clear();
    this.cache?.clear();
  }

  /** How many paths the cache holds, and may hold. */
  getCacheStats(): { size: number; maxSize: number } {
    return { size: this.cache?.size ?? 0, maxSize: this.cacheSize };
  }

  /** Live counters. */
  metrics(): RouteTrieMetrics {
    const { hits = 0, misses = 0 } = this.cache ?? {};
    return {
      routes: this.table.registrations.size,
      methods: this.table.methods.length,
      compilations: this.table.compilations,
      tableBytes: this.table.tableBytes,
      cache: {
        ...this.getCacheStats(),
        hits,
        misses,
        hitRate: hits + misses === 0 ? 0 : hits / (hits + misses),
      },
    };
  }

  /** The routes as a tree of segments, for people to read. */
  prettyPrint(): string {
    return drawTree(this.table.live());
  }

  /** An OpenAPI 3.1 document with all paths, their parameters and operation ids. */
  toOpenAPI(options: OpenAPIOptions): OpenAPIDocument {
    return openAPI(this.table.live(), options);
  }
}

function refuse(path: unknown, method: unknown): never {
  if (typeof path !== 'string') invalid('path', 'a string', path);
  invalid('method', 'a string', method);
}
