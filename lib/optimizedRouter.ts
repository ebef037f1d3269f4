import { MalformedPathError } from './errors.js';
import { ObservableEmitter } from './events.js';
import { observe } from './metrics/member.js';
import { readRouter } from './metrics/readers/router.js';
import { spans } from './openTelemetry/spans.js';
import { Answers, type UnansweredTotals } from './router/answers.js';
import { Attempt } from './router/attempt.js';
import type { Core } from './router/call.js';
import type { RouterEvents } from './router/events.js';
import { GROUP, type Group, type Place } from './router/group.js';
import { type Middleware, middlewareList, runChain } from './router/middleware.js';
import { type Next, type OptimizedRouterOptions, routerSettings } from './router/options.js';
import { Registry } from './router/registry.js';
import { askedOf, pathOf } from './router/request.js';
import type { RouteMetrics } from './router/route.js';
import { ANY } from './router/table.js';
import { asError, isKind } from './router/thrown.js';
import type { RouteConstraints, RouteHandler, RouteMatch } from './router/types.js';
import type { RouteTrie } from './routeTrie.js';
import { string } from './validate.js';

/** Live counters of a router. */
export interface RouterStats {
  /** Registered (path, handler) pairs. */
  routes: number;
  /** Paths that the trie's cache holds; 0 unless it is on. */
  cacheSize: number;
  /** Groups of one path, method and constraints, those of a single handler too. */
  loadBalancers: number;
}

/** What {@link OptimizedRouter.metrics} tells. */
export interface RouterMetrics {
  /** One for each `addRoute()`, in the order of insertion. */
  routes: RouteMetrics[];
  totals: UnansweredTotals & { requests: number };
}

/**
 * A router for Express, Connect, Fastify (with @fastify/middie) and bare servers of node:http, with middleware, load
 * balancing, timeouts, retries and metrics. What matches what is told at {@link RouteTrie}.
 *
 * **Errors.** What a handler or middleware throws, rejects with or passes to `next` goes to `onError`; without that to
 * the host's `next`; in a bare server it is answered with the error's `status` or 500, and the message stays inside.
 * Malformed paths (400) and timeouts (504) are answered by the router itself unless there is an `onError`. No route
 * and no method are answered with 404 and 405 even where there is a `next`: see `onNotFound`.
 *
 * **Retries** follow a throw, a rejection, a `next(error)` or a timeout, as long as no response has begun and the
 * method is idempotent, at another handler of the group where there is one. The route that was chosen first says how
 * many. A request body that a handler has read is gone: let middleware read it. A handler that was given up should
 * look at its `signal`; what it writes later can spoil the answer of another attempt, as anything can that writes to
 * a response. What it writes when the router has answered for it with 504 does nothing, and is an `error` event.
 *
 * On a route with a `timeout` or `retries` a handler's `next` is the router's: the first call ends the attempt, and
 * one that was given up has no call left. On any other route, and with mocks, it is the very `next` of the host.
 *
 * A thrown error that has a `status` or `statusCode` from 400 to 499 is an answer, not a failure of its handler: it is
 * not repeated and ejects nobody.
 *
 * **Load** of a handler is its number of attempts, from their choice, that have neither failed nor ended their
 * response. A response that does not tell its end, as those of many tests, ends with the handler or its promise.
 */
export class OptimizedRouter extends ObservableEmitter<RouterEvents> {
  readonly #registry: Registry;
  readonly #core: Core;
  readonly #autoHead: boolean;
  readonly #autoOptions: boolean;
  #middleware: readonly Middleware[] = [];
  #requests = 0;

  /** @throws InvalidArgumentError for an option that is unknown, of the wrong type or out of range */
  constructor(options: OptimizedRouterOptions = {}) {
    super('router');
    const settings = routerSettings(options);
    this.#autoHead = settings.autoHead;
    this.#autoOptions = settings.autoOptions;
    this.#registry = new Registry(settings);
    this.#core = {
      settings,
      answers: new Answers(settings, (error) => this.announce('error', error)),
      announce: (event, payload) => this.announce(event, payload),
    };
    this.handle = this.handle.bind(this);
    observe(this, readRouter);
  }

  /**
   * Serves a request: a listener for `http.createServer`, middleware for `app.use`. It is bound, returns undefined,
   * and is synchronous as long as nothing that it calls is asynchronous, with fewer than 500 middlewares.
   */
  handle(req: any, res: any, next?: any): void {
    const onward: Next | undefined = typeof next === 'function' ? next : undefined;
    this.#requests++;
    if (this.#middleware.length === 0) {
      this.#dispatch(req, res, onward);
      return;
    }
    const { answers } = this.#core;
    runChain(this.#middleware, req, res, false, {
      done: () => this.#dispatch(req, res, onward),
      failed: (error) => answers.failed(error, req, res, onward),
      left: () => answers.leave(req, res, onward),
      late: (error, passed) => answers.late(error, passed, req, res, onward),
    });
  }

  /**
   * Adds a handler for a path. Handlers of one path, method and constraints share its requests. Members that a
   * RouteHandler does not have are ignored, with one process warning for each name.
   *
   * @throws InvalidArgumentError if anything about the route is wrong; then nothing of it was added
   */
  addRoute(path: string, handler: RouteHandler): void {
    this.#registry.add(path, handler);
  }

  /**
   * Removes the handlers of a path, written as it was added, or those with an id. What they have begun goes on.
   * @returns whether there was one
   */
  removeRoute(path: string, id?: string): boolean {
    return this.#registry.remove(string('path', path), id === undefined ? undefined : string('id', id));
  }

  /**
   * Gives a handler another weight, 0 to 1,000,000. With 0 it gets no more requests as long as another handler of its
   * group has any weight.
   * @returns whether there was one with this path, written as it was added, and this id
   * @throws InvalidArgumentError for any other weight
   */
  setWeight(path: string, id: string, weight: number): boolean {
    return this.#registry.setWeight(string('path', path), string('id', id), weight);
  }

  /**
   * Adds middleware, functions or lists, that runs for every request, in order, before its route is looked up: it
   * may rewrite the URL, and runs before the 404 too. `next('router')` leaves the router.
   * @throws InvalidArgumentError for anything that is no function, and for error handlers, whose place is `onError`
   */
  use(...middleware: Array<Middleware | readonly Middleware[]>): void {
    const given = middleware.length > 1 ? middleware : middleware[0];
    this.#middleware = [...this.#middleware, ...middlewareList('middleware', given)];
  }

  getStats(): RouterStats {
    const { size, groups, trie } = this.#registry;
    return { routes: size, cacheSize: trie.getCacheStats().size, loadBalancers: groups.size };
  }

  /** Counters by route and cause since the router was made, and latencies. */
  metrics(): RouterMetrics {
    return {
      routes: this.#registry.metrics(),
      totals: { requests: this.#requests, ...this.#core.answers.totals },
    };
  }

  /** All routes, in the order of insertion. */
  getAllRoutes(): Array<{ path: string; handler: RouteHandler }> {
    return this.#registry.all();
  }

  /** The trie as text. Of handlers that share a path and method it names the first. */
  prettyPrint(): string {
    return this.#registry.trie.prettyPrint();
  }

  /** The routes as an OpenAPI 3.1 document. */
  toOpenAPI(document: Parameters<RouteTrie['toOpenAPI']>[0]): ReturnType<RouteTrie['toOpenAPI']> {
    return this.#registry.trie.toOpenAPI(document);
  }

  #dispatch(req: any, res: any, next: Next | undefined): void {
    const core = this.#core;
    let path: string;
    let method: string;
    let asked: RouteConstraints | undefined;
    let match: RouteMatch | null;
    let given: unknown;
    try {
      path = pathOf(req);
      method = typeof req.method === 'string' ? req.method : '';
      asked = this.#registry.constrained > 0 ? askedOf(req) : undefined;
      match = this.#search(path, method, asked);
      given = req.params;
    } catch (error) {
      if (isKind(error, MalformedPathError)) core.answers.totals.malformed++;
      core.answers.failed(asError(error), req, res, next);
      return;
    }
    if (match === null) {
      this.#unmatched(path, method, asked, req, res, next);
      return;
    }
    const group: Group = (match.handler as Place)[GROUP];
    spans?.route(req, group.path);
    Attempt.first({ core, req, res, next, group, match, path, given });
  }

  /** HEAD is served by a route that names it, else by GET's, else by one for any method. */
  #search(path: string, method: string, asked: RouteConstraints | undefined): RouteMatch | null {
    const { trie } = this.#registry;
    const match = trie.search(path, method, asked);
    if (!this.#autoHead || (match !== null && match.handler.method !== ANY)) return match;
    if (method.toUpperCase() !== 'HEAD') return match;
    return trie.search(path, 'GET', asked) ?? match;
  }

  #unmatched(
    path: string,
    method: string,
    asked: RouteConstraints | undefined,
    req: any,
    res: any,
    next: Next | undefined,
  ): void {
    const { answers } = this.#core;
    const methods = new Set(this.#registry.trie.allowedMethods(path, asked));
    if (methods.size === 0) {
      answers.notFound(req, res, next);
      return;
    }
    if (this.#autoHead && methods.has('GET')) methods.add('HEAD');
    if (this.#autoOptions) methods.add('OPTIONS');
    const allow = [...methods].sort();
    if (this.#autoOptions && method.toUpperCase() === 'OPTIONS') answers.options(res, allow);
    else answers.methodNotAllowed(req, res, next, allow);
  }
}
