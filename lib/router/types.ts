/** What a request must also have for a route to serve it. */
export interface RouteConstraints {
  /** A host name without port, compared without regard to case: exact, or `*.example.com` for all below it. */
  host?: string;
  /**
   * With a route: its version, three numbers (`1.2.0`). With a request: what it asks for, as the `Accept-Version`
   * header has it: `1.2.0`, `1.2.x`, `1.2`, `1.x`, `1` or `*`.
   */
  version?: string;
}

/** A route as the service describes it. The very object comes back in the match. */
export interface RouteHandler {
  /** A name. Handlers of one path may share it: `setWeight()` and `removeRoute()` then mean all of them. */
  id: string;
  /** Methods in any case; `'*'` stands for any. */
  method: string | string[];
  handler: (req: any, res: any, next: any, context?: any) => any;
  /** Run before the handler, in order. `OptimizedRouter` only. */
  middleware?: Array<(req: any, res: any, next: any) => any>;
  /** Share of the requests among the handlers of one path and method. `OptimizedRouter` only. @default 1 */
  weight?: number;
  /**
   * Milliseconds that one attempt may take. Of a response that does not tell its end (a test's mock) only a promise
   * can be late. `OptimizedRouter` only. @default none
   */
  timeout?: number;
  /** How often a failed attempt is repeated. `OptimizedRouter` only. @default 0 */
  retries?: number;
  constraints?: RouteConstraints;
}

/** What a search found. */
export interface RouteMatch {
  /** The object that was inserted. */
  handler: RouteHandler;
  /** Decoded parameters by name, in an object of the caller's own. */
  params: Record<string, string>;
  /** Whether the pattern has a `*` segment or a named catch-all. */
  wildcard: boolean;
  /** What a `*` in last place took, as it stands in the path; undefined for other routes. Not enumerable. */
  readonly rest?: string;
}

/** A line of `prettyPrint()`: one segment of the table, and what hangs below it. */
export interface TrieNode {
  /** The segment as the pattern has it. */
  segment: string;
  /** Methods of the routes that end here, each with its constraints if it has some, and their handlers. */
  handlers: Map<string, RouteHandler>;
  /** By segment. */
  children: Map<string, TrieNode>;
}

export interface RouteTrieOptions {
  /** Whether static text is compared as it is; otherwise A to Z equal a to z. @default true */
  caseSensitive?: boolean;
  /** Whether `/a/` is the same as `/a`. @default true */
  ignoreTrailingSlash?: boolean;
  /** Whether `//a///b` is the same as `/a/b`. @default true */
  ignoreDuplicateSlashes?: boolean;
  /** Whether a `;` ends the path as a `?` does. @default false */
  semicolonDelimiter?: boolean;
  /** Whether inserting the same path and method again is an error instead of a replacement. @default false */
  strict?: boolean;
  /**
   * Remembers what paths matched: `true` for 1,000 of them. A path enters when it is seen again soon, so that
   * paths which never come back cannot push out others. Measure before you turn it on: a lookup is about as fast.
   * @default false
   */
  cache?: boolean | { maxSize?: number };
}

/** Live counters of a `RouteTrie`. */
export interface RouteTrieMetrics {
  /** Registered (path, handler) pairs. */
  routes: number;
  /** Methods with a table of their own. */
  methods: number;
  /** Lookup tables compiled since the trie was made: one for each method that is asked for after a change. */
  compilations: number;
  /** Bytes of the compiled tables. */
  tableBytes: number;
  cache: { size: number; maxSize: number; hits: number; misses: number; hitRate: number };
}
