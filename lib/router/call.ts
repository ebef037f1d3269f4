import type { Answers } from './answers.js';
import type { RouterEvents } from './events.js';
import type { Group } from './group.js';
import type { Next, RouterSettings } from './options.js';
import type { RouteHandler, RouteMatch } from './types.js';

/** What a handler gets as its fourth argument. */
export interface RequestContext {
  /**
   * Aborts when the attempt has used up its `timeout`, with a `RouteTimeoutError` as its reason, and when the client
   * goes away before the response is complete. Made when it is first asked for.
   */
  readonly signal: AbortSignal;
  /** The path's parameters, decoded. */
  readonly params: Record<string, string>;
  /** What a `*` in last place took. */
  readonly rest: string | undefined;
  /** The route, as it was added. */
  readonly route: RouteHandler;
  /** 1 for the first attempt, 2 for the first repetition. */
  readonly attempt: number;
}

/** What attempts need from their router. */
export interface Core {
  readonly settings: RouterSettings;
  readonly answers: Answers;
  announce<Name extends keyof RouterEvents & string>(event: Name, payload: RouterEvents[Name]): void;
}

/** A request that found its group. */
export interface Call {
  readonly core: Core;
  readonly req: any;
  readonly res: any;
  readonly next: Next | undefined;
  readonly group: Group;
  readonly match: RouteMatch;
  readonly path: string;
  /** The parameters that a host framework, or a mount point, has found. */
  readonly given: unknown;
}

/** Gives a request the path's parameters, beside those that it came with, in an object of this attempt's own. */
export function setParams({ req, given }: Call, found: Record<string, string>): void {
  // Spreading defines own properties, even one with the name `__proto__`.
  const params = typeof given === 'object' && given !== null ? { ...given, ...found } : found;
  try {
    req.params = params;
  } catch {
    // Its class has a getter only. If it is frozen, this does nothing either, and the context still has them.
    Reflect.defineProperty(req, 'params', {
      value: params,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
}
