import { EventEmitter } from 'node:events';

/**
 * A trie of Maps over split paths, and a router that awaits one middleware after the other.
 *
 * As the original: no backtracking; an unregistered method gets another method's handler; one parameter name for each place; what is
 * found is cached for 1,000 paths, its `params` shared by all requests; `next(error)` of a middleware goes on to the handler;
 * weights, timeouts and retries are ignored. It knows no HEAD, OPTIONS or 405 of its own.
 */
export interface RouteHandler {
  id: string;
  method: string | string[];
  handler: (req: any, res: any, next: any) => unknown;
  middleware?: Array<(req: any, res: any, next: any) => unknown>;
  weight?: number;
  timeout?: number;
  retries?: number;
}

export interface RouteMatch {
  handler: RouteHandler;
  params: Record<string, string>;
  wildcard: boolean;
}

export interface TrieNode {
  children: Map<string, TrieNode>;
  handlers: Map<string, RouteHandler>;
  paramChild?: TrieNode;
  wildcardChild?: TrieNode;
  paramName?: string;
}

/** Not of the original, whose decodeURIComponent throws what it throws. */
export class MalformedPathError extends Error {}

const CACHE_SIZE = 1000;

const newNode = (): TrieNode => ({ children: new Map(), handlers: new Map() });
const segmentsOf = (path: string): string[] => path.split('/').filter((segment) => segment !== '');

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new MalformedPathError('The path has a malformed escape');
  }
}

export class RouteTrie {
  private root = newNode();
  private readonly cache = new Map<string, RouteMatch>();

  insert(path: string, handler: RouteHandler): void {
    let node = this.root;
    for (const segment of segmentsOf(path)) node = this.child(node, segment);
    for (const method of [handler.method].flat()) node.handlers.set(method, handler);
    this.cache.clear();
  }

  search(path: string, method: string): RouteMatch | null {
    const key = `${method}:${path}`;
    const cached = this.cache.get(key);
    if (cached !== undefined) return cached;
    const match = this.find(path, method);
    if (match !== null) {
      if (this.cache.size >= CACHE_SIZE) this.cache.delete(this.cache.keys().next().value!);
      this.cache.set(key, match);
    }
    return match;
  }

  getAllRoutes(): Array<{ path: string; handler: RouteHandler }> {
    const routes: Array<{ path: string; handler: RouteHandler }> = [];
    const visit = (node: TrieNode, path: string): void => {
      for (const handler of node.handlers.values()) routes.push({ path: path || '/', handler });
      for (const [segment, child] of node.children) visit(child, `${path}/${segment}`);
      if (node.paramChild) visit(node.paramChild, `${path}/:${node.paramChild.paramName}`);
      if (node.wildcardChild) visit(node.wildcardChild, `${path}/*`);
    };
    visit(this.root, '');
    return routes;
  }

  clear(): void {
    this.root = newNode();
    this.cache.clear();
  }

  getCacheStats(): { size: number; maxSize: number } {
    return { size: this.cache.size, maxSize: CACHE_SIZE };
  }

  private child(node: TrieNode, segment: string): TrieNode {
    if (segment === '*') {
      node.wildcardChild ??= newNode();
      return node.wildcardChild;
    }
    if (segment.startsWith(':')) {
      node.paramChild ??= newNode();
      node.paramChild.paramName = segment.slice(1);
      return node.paramChild;
    }
    const found = node.children.get(segment) ?? newNode();
    node.children.set(segment, found);
    return found;
  }

  private find(path: string, method: string): RouteMatch | null {
    let node = this.root;
    let wildcard = false;
    const params: Record<string, string> = {};
    for (const segment of segmentsOf(path)) {
      const fixed = node.children.get(segment);
      if (fixed !== undefined) {
        node = fixed;
      } else if (node.paramChild !== undefined) {
        node = node.paramChild;
        params[node.paramName!] = decoded(segment);
      } else if (node.wildcardChild !== undefined) {
        node = node.wildcardChild;
        wildcard = true;
      } else {
        return null;
      }
    }
    const handler = node.handlers.get(method) ?? node.handlers.get('*') ?? [...node.handlers.values()][0];
    return handler === undefined ? null : { handler, params, wildcard };
  }
}

interface Options {
  onNotFound?: (req: any, res: any, next: any) => unknown;
  onMethodNotAllowed?: (req: any, res: any, next: any, allow: string[]) => unknown;
  onError?: (error: any, req: any, res: any, next: any) => unknown;
  autoHead?: boolean;
  autoOptions?: boolean;
}

/** What the service reads of a route's numbers, which this router does not have. */
interface RouteNumbers {
  methods: string[];
  path: string;
  requests: number;
  inFlight: number;
  byStatusClass: Record<string, number>;
  latency: { p50: number; p99: number; max: number };
}

export class OptimizedRouter extends EventEmitter {
  private readonly trie = new RouteTrie();
  private readonly middleware: Array<(req: any, res: any, next: any) => unknown> = [];
  private routes = 0;

  constructor(private readonly options: Options = {}) {
    super();
    this.handle = this.handle.bind(this);
  }

  addRoute(path: string, handler: RouteHandler): void {
    this.trie.insert(path, handler);
    this.routes++;
  }

  use(...middleware: Array<(req: any, res: any, next: any) => unknown>): void {
    this.middleware.push(...middleware);
  }

  handle(req: any, res: any, next: any): void {
    this.route(req, res, next).catch((error: unknown) => {
      if (this.options.onError) this.options.onError(error, req, res, next);
      else next(error);
    });
  }

  getStats() {
    return { routes: this.routes, cacheSize: this.trie.getCacheStats().size, loadBalancers: 0 };
  }

  metrics(): { routes: RouteNumbers[] } {
    return { routes: [] };
  }

  private async route(req: any, res: any, next: any): Promise<void> {
    await this.run(this.middleware, req, res);
    const match = this.trie.search(req.path, req.method);
    if (match === null) {
      if (this.options.onNotFound) this.options.onNotFound(req, res, next);
      else res.status(404).json({ error: 'Route not found' });
      return;
    }
    req.params = { ...req.params, ...match.params };
    await this.run(match.handler.middleware ?? [], req, res);
    await match.handler.handler(req, res, next);
  }

  private async run(
    list: Array<(req: any, res: any, next: any) => unknown>,
    req: any,
    res: any,
  ): Promise<void> {
    for (const middleware of list) {
      await new Promise<unknown>((resolve, reject) => {
        try {
          const running = middleware(req, res, resolve);
          if (running instanceof Promise) running.catch(reject);
        } catch (error) {
          reject(error);
        }
      });
    }
  }
}
