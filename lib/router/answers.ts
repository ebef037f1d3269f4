import { STATUS_CODES } from 'node:http';
import { MalformedPathError, RouteTimeoutError } from '../errors.js';
import { isThenable } from './middleware.js';
import type { Next, RouterSettings } from './options.js';
import { hasBegun, isOver, sendJson } from './respond.js';

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
    else if (!hasBegun(res)) this.notFound(req, res, next);
  }

  /** A request failed. */
  failed(error: any, req: any, res: any, next: Next | undefined): void {
    if (isOver(res)) {
      // Nobody can be told any more, not even a framework, which would cut the connection.
      this.report(error);
      return;
    }
    const { onError } = this.#settings;
    if (onError === undefined) {
      this.#plainly(error, res, next);
      return;
    }
    const onward = next ?? ((other?: any) => this.#plainly(other ?? error, res, undefined));
    const again = (thrown: unknown) => this.#plainly(thrown, res, next);
    guarded(() => onError(error, req, res, onward), again);
  }

  /** An error that changes no answer. */
  report(error: unknown): void {
    this.#report(error);
  }

  #plainly(error: any, res: any, next: Next | undefined): void {
    const own = error instanceof MalformedPathError || error instanceof RouteTimeoutError;
    if (next !== undefined && !(own && !hasBegun(res))) {
      next(error);
      return;
    }
    const status = statusOf(error);
    if (status >= 500 && !own) this.report(error);
    if (hasBegun(res)) res.destroy?.();
    else sendJson(res, status, { error: textOf(error, status) });
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

/** The status that an error asks for, as http-errors and body parsers set it; 500 otherwise. */
function statusOf(error: any): number {
  const status = error?.status ?? error?.statusCode;
  return Number.isInteger(status) && status >= 400 && status < 600 ? status : 500;
}

/** No message of an error: it may hold what is none of the client's business. */
function textOf(error: unknown, status: number): string {
  if (error instanceof MalformedPathError) return 'Malformed path';
  const phrase = STATUS_CODES[status] ?? 'Error';
  return phrase[0]! + phrase.slice(1).toLowerCase();
}
