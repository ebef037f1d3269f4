import { InvalidArgumentError } from '../errors.js';
import { callable, invalid } from '../validate.js';
import { isAnswered, tellsItsEnd } from './respond.js';
import { asError, isFailure } from './thrown.js';

/**
 * Runs before handlers, and calls `next` for the request to go on: with an error it goes to the error handler and
 * to no handler. A promise that it returns is watched for a rejection and not waited for: only `next` goes on.
 */
export type Middleware = (req: any, res: any, next: (error?: any) => void) => any;

/** Where a chain leads. Exactly one of the first three is called, if any. */
export interface ChainEnd {
  /** Each one called `next()`. */
  done(): void;
  failed(error: unknown): void;
  /** One called `next('router')`, or a route's one `next('route')`: the router is left. */
  left(): void;
  /** One failed after it had called `next`; `passed` is whether it called `next` again, with the error. */
  late(error: unknown, passed: boolean): void;
}

/** Synchronous steps in a row; each takes some of the stack. */
const STEPS_IN_A_ROW = 500;

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

/** Runs middleware in order. A response that is over ends the chain. */
export function runChain(
  list: readonly Middleware[],
  req: unknown,
  res: unknown,
  ofRoute: boolean,
  end: ChainEnd,
): void {
  const step = (at: number): void => {
    if (at === list.length) end.done();
    else
      runOne(list[at]!, req, res, end, (to) => {
        if (to === 'router' || (to === 'route' && ofRoute)) end.left();
        else if (isFailure(to)) end.failed(to);
        else if (!isAnswered(res)) goOn(at + 1);
      });
  };
  // No loop, which would run what follows outside of the context that a middleware calls `next` in.
  const goOn = (at: number): void => {
    if (at % STEPS_IN_A_ROW === 0) Promise.resolve(at).then(step);
    else step(at);
  };
  step(0);
}

/** Calls one of them; `go` is called at most once, and not after a failure. */
function runOne(
  middleware: Middleware,
  req: unknown,
  res: unknown,
  end: Pick<ChainEnd, 'failed' | 'late'>,
  go: (to: unknown) => void,
): void {
  let over = false;
  const failed = (thrown: unknown): void => {
    if (over) {
      end.late(asError(thrown), false);
      return;
    }
    over = true;
    end.failed(asError(thrown));
  };
  const next = (to?: unknown): void => {
    if (!over) {
      over = true;
      go(to);
    } else if (isFailure(to)) end.late(to, true);
  };
  try {
    const result = middleware(req, res, next);
    if (isThenable(result)) result.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

/** A list of middleware, given as a function or a list that may hold lists. */
export function middlewareList(name: string, given: unknown): Middleware[] {
  const list = Array.isArray(given) ? given.flat(Number.POSITIVE_INFINITY) : [given];
  for (const [at, one] of list.entries()) {
    const called = Array.isArray(given) ? `${name}[${at}]` : name;
    if (callable(called, one).length > 3) {
      throw new InvalidArgumentError(
        `"${called}" takes four arguments, as error handlers of Express do; errors go to the option onError`,
      );
    }
  }
  return list as Middleware[];
}

/**
 * Runs independent middleware at the same time, as one: it goes on when each has called `next`. The first error
 * (or `'route'` or `'router'`) wins, and is passed on when all the others are through as well, or the response is
 * over. One that answers instead of calling `next` ends the chain, as it would alone.
 *
 * @throws InvalidArgumentError unless it is a list of functions
 */
export function concurrent(list: readonly Middleware[]): Middleware {
  if (!Array.isArray(list)) invalid('list', 'a list of functions', list);
  const all = middlewareList('list', list);
  // The promise tells the chain of failures that come when it has gone on.
  return (req, res, next) =>
    new Promise<never>((_, reject) => {
      let pending = all.length;
      let gone = false;
      let first: unknown;
      const go = (): void => {
        if (gone) return;
        gone = true;
        next(first);
      };
      const note = (to: unknown): void => {
        if (to && !first && tellsItsEnd(res)) res.once('close', go);
        first ||= to;
        if (first && isAnswered(res)) go();
      };
      const finish = (to: unknown): void => {
        pending--;
        note(to);
        if (pending === 0) go();
      };
      const late = (error: unknown, passed: boolean): void => {
        if (!gone) note(error);
        else if (passed) next(error);
        else reject(error);
      };
      if (pending === 0) go();
      for (const middleware of all) runOne(middleware, req, res, { failed: finish, late }, finish);
    });
}
