import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { DatabaseAwayError } from '../database/away';

/** An answer other than success; `code` is for programs, the message for people. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
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

/** What is told of a mistake of the client's, or of a database that is away: the pool has reported that. */
function known(error: unknown): HttpError | undefined {
  if (error instanceof HttpError) return error;
  if (error instanceof DatabaseAwayError)
    return new HttpError(503, 'UNAVAILABLE', 'The database is away; try again soon');
  return ofRequest(error);
}

export const unknownRoute: RequestHandler = (req) => {
  throw notFound(`${req.method} ${req.path}`);
};

/** Seconds after which a database that is away may be back. */
const RETRY_AFTER = '1';

export function sendError(res: Response, { status, code, message }: HttpError): void {
  if (status === 503) res.set('Retry-After', RETRY_AFTER);
  res.status(status).json({ error: { code, message } });
}

/** Turns whatever was thrown into JSON. What the client did not cause is reported and not shown. */
export function errorHandler(report: (error: unknown) => void): ErrorRequestHandler {
  return (error, _req, res, next) => {
    if (res.headersSent) {
      // Timed out or sent in part: there is nobody left to tell.
      if (!res.writableEnded) next(error);
      else report(error);
      return;
    }
    let shown = known(error);
    if (shown === undefined) {
      report(error);
      shown = new HttpError(500, 'INTERNAL', 'Something went wrong here');
    }
    sendError(res, shown);
  };
}
