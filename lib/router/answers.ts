import { STATUS_CODES } from 'node:http';
import { MalformedPathError, RouteTimeoutError } from '../errors.js';
import { isThenable } from './middleware.js';
import type { Next, RouterSettings } from './options.js';
import { cut, hasBegun, isAnswered, isOver, sendJson, silence, tellsItsEnd } from './respond.js';
import { headersOf, isKind, statusOf } from './thrown.js';

/** Requests that no route answered. */
export interface UnansweredTotals {
  notFound: number;
  methodNotAllowed: number;
  /** Paths with a broken escape. */
  malformed: number;
  /** OPTIONS that were answered by `autoOptions`. */
  automaticOptions: number;
}

/** What a request is answered with when no handler does it: by the service's hooks, or plainly. */
export class Answers {
  readonly totals: UnansweredTotals = { notFound: 0, methodNotAllowed: 0, malformed: 0, automaticOptions: 0 };
  readonly #settings: RouterSettings;
  readonly #report: (error: unknown) => void;
  /** Responses that are somebody's to end with an error. Not those of mocks, which may serve again. */
  readonly #failed = new WeakSet<object>();

  /** @param report gets the errors that nobody else is told of */
  constructor(settings: RouterSettings, report: (error: unknown) => void) {
    this.#settings = settings;
    this.#report = report;
  }

  notFound(req: any, res: any, next: Next | undefined): void {
    this.totals.notFound++;
    const plain = () => sendJson(res, 404, { error: 'Route not found' });
    const { onNotFound } = this.#settings;
    if (onNotFound === undefined) plain();
    else this.#hook(req, res, next, plain, (onward) => onNotFound(req, res, onward));
  }

  methodNotAllowed(req: any, res: any, next: Next | undefined, allow: string[]): void {
    this.totals.methodNotAllowed++;
    const headers = { Allow: allow.join(', ') };
    const plain = () => sendJson(res, 405, { error: 'Method not allowed' }, headers);
    const { onMethodNotAllowed } = this.#settings;
    if (onMethodNotAllowed === undefined) plain();
    else this.#hook(req, res, next, plain, (onward) => onMethodNotAllowed(req, res, onward, allow));
  }

  options(res: any, allow: string[]): void {
    this.totals.automaticOptions++;
    sendJson(res, 204, undefined, { Allow: allow.join(', ') });
  }

  /** The request leaves the router: to what comes after it, or to the 404 where nothing does. */
  leave(req: any, res: any, next: Next | undefined): void {
    if (next !== undefined) next();
    else if (!isAnswered(res)) this.notFound(req, res, next);
  }

  /** A request failed. */
  failed(error: any, req: any, res: any, next: Next | undefined): void {
    if (isOver(res) || this.#failed.has(res)) {
      // Nobody can be told any more, not even a framework, which would cut the connection.
      this.report(error);
      return;
    }
    if (tellsItsEnd(res)) this.#failed.add(res);
    const { onError } = this.#settings;
    if (onError === undefined) {
      this.#plainly(error, res, next);
      return;
    }
    const onward = next ?? ((other?: any) => this.#plainly(other ?? error, res, undefined));
    const again = (thrown: unknown): void => {
      if (isOver(res)) {
        this.report(thrown);
        return;
      }
      // Nobody has dealt with what failed first.
      if (thrown !== error) this.report(error);
      this.#plainly(thrown, res, next);
    };
    guarded(() => onError(error, req, res, onward), again);
  }

  /** Middleware failed after it had gone on. If it `passed` an error, as timeouts do, that can be the answer yet. */
  late(error: unknown, passed: boolean, req: any, res: any, next: Next | undefined): void {
    if (passed && tellsItsEnd(res) && !hasBegun(res)) this.failed(error, req, res, next);
    else this.report(error);
  }

  /** An error that changes no answer. */
  report(error: unknown): void {
    this.#report(error);
  }

  #plainly(error: any, res: any, next: Next | undefined): void {
    const isTimeout = isKind(error, RouteTimeoutError);
    const own = isTimeout || isKind(error, MalformedPathError);
    if (next !== undefined && !(own && !hasBegun(res))) {
      next(error);
      return;
    }
    const status = statusOf(error) ?? 500;
    if (status >= 500 && !own) this.report(error);
    if (hasBegun(res)) {
      cut(res);
      return;
    }
    const tells = tellsItsEnd(res);
    sendJson(res, status, { error: textOf(error, status) }, headersOf(error));
    if (isTimeout && tells) silence(res, () => this.report(error));
  }

  #hook(
    req: any,
    res: any,
    next: Next | undefined,
    plain: () => void,
    call: (onward: Next) => unknown,
  ): void {
    const failed = (error: unknown) => this.failed(error, req, res, next);
    const onward = next ?? ((error?: any) => (error ? failed(error) : plain()));
    guarded(() => call(onward), failed);
  }
}

function guarded(call: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = call();
    if (isThenable(result)) result.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

/** No message of an error: it may hold what is none of the client's business. */
function textOf(error: unknown, status: number): string {
  if (isKind(error, MalformedPathError)) return 'Malformed path';
  const phrase = STATUS_CODES[status] ?? 'Error';
  return phrase[0]! + phrase.slice(1).toLowerCase();
}
