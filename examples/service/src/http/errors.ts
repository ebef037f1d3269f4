import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { DatabaseAwayError } from '../database/away';
import { CarrierAwayError } from '../services/delivery';

/** Seconds after which a database that is away may be back. */
const RETRY_AFTER = 1;

/** An answer other than success; `code` is for programs, the message for people. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Seconds after which what is not there now may be back. */
    readonly retryAfter = RETRY_AFTER,
  ) {
    super(message);
  }
}

export const badRequest = (message: string) => new HttpError(400, 'BAD_REQUEST', message);
export const notFound = (what: string) => new HttpError(404, 'NOT_FOUND', `There is no ${what}`);

const CODES: Record<number, string> = { 404: 'NOT_FOUND', 413: 'TOO_LARGE', 415: 'UNSUPPORTED' };

/** What Express and its body parser throw for requests that cannot be read; their messages are safe to show. */
function ofRequest(error: unknown): HttpError | undefined {
  if (!(error instanceof Error) || !('status' in error)) return undefined;
  const { status } = error;
  if (typeof status !== 'number' || status < 400 || status > 499) return undefined;
  return new HttpError(status, CODES[status] ?? 'BAD_REQUEST', error.message);
}

/** What is told of a mistake of the client's, or of a database or carrier that is away, which was reported already. */
function known(error: unknown): HttpError | undefined {
  if (error instanceof HttpError) return error;
  if (error instanceof DatabaseAwayError)
    return new HttpError(503, 'UNAVAILABLE', 'The database is away; try again soon');
  if (error instanceof CarrierAwayError) {
    if (error.retryAfter === undefined) return new HttpError(504, 'TIMEOUT', error.message);
    return new HttpError(503, 'UNAVAILABLE', error.message, error.retryAfter);
  }
  return ofRequest(error);
}

export const unknownRoute: RequestHandler = (req) => {
  throw notFound(`${req.method} ${req.path}`);
};

export function sendError(res: Response, { status, code, message, retryAfter }: HttpError): void {
  if (status === 503) res.set('Retry-After', String(retryAfter));
  res.status(status).json({ error: { code, message } });
}

/** Turns whatever was thrown into JSON. What the client did not cause is reported and not shown. */
export function errorHandler(report: (error: unknown) => void): ErrorRequestHandler {
  return (error, _req, res, next) => {
    let shown = known(error);
    if (res.headersSent) {
      // Timed out or sent in part: there is nobody left to tell.
      if (!res.writableEnded) next(error);
      else if (shown === undefined) report(error);
      return;
    }
    if (shown === undefined) {
      report(error);
      shown = new HttpError(500, 'INTERNAL', 'Something went wrong here');
    }
    sendError(res, shown);
  };
}
