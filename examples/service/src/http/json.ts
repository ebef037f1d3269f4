import { pipeline } from 'node:stream/promises';
import express, { type Request, type RequestHandler, type Response } from 'express';
import { getJsonWorkerPool, JSONLimitError } from '../lib/utilities/performance/jsonWorkerPool';
import { badRequest, HttpError } from './errors';

/** What of a body to refuse, before any value of it is built. */
export interface BodyLimits {
  /** Of the text, uncompressed. */
  maxBytes: number;
  /** Containers inside each other. */
  maxDepth: number;
}

/** Aborts when the response is over, be it because the client has left or because it was answered 504. */
export function endOf(res: Response): AbortSignal {
  const ended = new AbortController();
  if (res.closed) ended.abort();
  res.once('close', () => ended.abort());
  return ended.signal;
}

// RFC 8259 knows no other, and bytes of another would be read as the wrong letters.
function requireUtf8(req: Request): void {
  const charset = /;\s*charset="?([^\s;"]*)/i.exec(req.headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw new HttpError(415, 'UNSUPPORTED', `JSON is sent as UTF-8, not as ${charset}`);
}

function refusal(error: unknown): unknown {
  if (error instanceof SyntaxError) return badRequest(`The body is not JSON: ${error.message}`);
  if (error instanceof JSONLimitError) return new HttpError(413, 'TOO_LARGE', error.message);
  return error;
}

type Read = (bytes: Buffer, options: BodyLimits & { signal: AbortSignal }) => Promise<unknown>;

/** Puts what `read` makes of a body that is sent as application/json into `req.body`, and leaves that undefined for others. */
function jsonBody(limits: BodyLimits, read: Read): RequestHandler {
  const readBytes = express.raw({ type: 'application/json', limit: limits.maxBytes });
  const take = async (bytes: Buffer, req: Request, res: Response): Promise<void> => {
    requireUtf8(req);
    req.body = await read(bytes, { ...limits, signal: endOf(res) });
  };
  return (req, res, next) => {
    readBytes(req, res, (failure?: unknown) => {
      const bytes: unknown = req.body;
      if (failure !== undefined || !Buffer.isBuffer(bytes)) return next(failure);
      take(bytes, req, res).then(next, (error) => {
        // Of a response that is over already, nobody wants to hear.
        if (!res.closed) next(refusal(error));
      });
    });
  };
}

/** For routes that take a value. A large one is parsed a little at a time while other requests are answered. */
export function readJson(limits: BodyLimits): RequestHandler {
  return jsonBody(limits, (bytes, options) => getJsonWorkerPool().parse(bytes, options));
}

/** For routes that read little of what they take: a JSONDocument, which is theirs to close. */
export function readJsonDocument(limits: BodyLimits): RequestHandler {
  return jsonBody(limits, (bytes, options) => getJsonWorkerPool().openDocument(bytes, options));
}

/** For the routes whose bodies have a few members. */
export const readSmallJson = readJson({ maxBytes: 16 * 1024, maxDepth: 10 });

/** Answers with a value of any size, no faster than the client takes it, and stops when the client leaves. */
export async function sendJson(res: Response, value: unknown): Promise<void> {
  res.type('json');
  try {
    await pipeline(getJsonWorkerPool().stringify(value, { as: 'chunks' }), res);
  } catch (error) {
    // Nobody is there to be told.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}
