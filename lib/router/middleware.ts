import { InvalidArgumentError } from '../errors.js';
import { callable, invalid } from '../validate.js';
import { hasBegun } from './respond.js';

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
  /** One failed after it had called `next`. */
  late(error: unknown): void;
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

/** What was thrown, as an error that `next` does not take for none, nor for the name of a place to go to. */
export function asError(thrown: unknown): unknown {
  if (thrown && thrown !== 'route' && thrown !== 'router') return thrown;
  return new Error(`A handler or middleware failed with ${String(thrown)}`, { cause: thrown });
}

/** Runs middleware in order. A response that was begun ends the chain. */
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
        else if (to && to !== 'route') end.failed(to);
        else if (!hasBegun(res)) step(at + 1);
      });
  };
  step(0);
}

/** Calls one of them; `go` is called at most once, and not after a failure. */
function runOne(
  middleware: Middleware,
  req: unknown,
  res: unknown,
  end: ChainEnd,
  go: (to: unknown) => void,
): void {
  let over = false;
  const failed = (thrown: unknown): void => {
    if (over) {
      end.late(thrown);
      return;
    }
    over = true;
    end.failed(asError(thrown));
  };
  const next = (to?: unknown): void => {
    if (over) return;
    over = true;
    go(to);
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
 * (or `'route'` or `'router'`) wins, and is passed on when all the others are through as well. One that answers
 * instead of calling `next` ends the chain, as it would alone.
 *
 * @throws InvalidArgumentError unless it is a list of functions
 */
export function concurrent(list: readonly Middleware[]): Middleware {
  if (!Array.isArray(list)) invalid('list', 'a list of functions', list);
  const all = middlewareList('list', list);
  return (req, res, next) => {
    let pending = all.length;
    let stopped = false;
    let first: unknown;
    const finish = (to: unknown): void => {
      first ||= to;
      pending--;
      if (pending === 0 && (first || !stopped)) next(first);
    };
    if (pending === 0) next();
    for (const middleware of all) {
      runAside(middleware, req, res, finish, () => {
        stopped = true;
        finish(undefined);
      });
    }
  };
}

/** Calls one of them; `finish` or, where its promise ends without a `next`, `stop` is called once. */
function runAside(
  middleware: Middleware,
  req: unknown,
  res: unknown,
  finish: (to: unknown) => void,
  stop: () => void,
): void {
  let over = false;
  const once = (act: () => void): void => {
    if (over) return;
    over = true;
    act();
  };
  const failed = (error: unknown) => once(() => finish(asError(error)));
  try {
    const result = middleware(req, res, (to?: unknown) => once(() => finish(to)));
    if (isThenable(result)) result.then(() => once(stop), failed);
  } catch (error) {
    failed(error);
  }
}
