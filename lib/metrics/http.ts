import { createHash, timingSafeEqual } from 'node:crypto';

/** A listener of node:http, or a handler of a framework on top of it. */
export type MetricsHandler = (req: any, res: any) => void;

/** What is served, and as what. */
export interface Page {
  readonly contentType: string;
  readonly text: string;
}

/** Whether a request has `Authorization: Bearer` and the token; true for all where there is none. */
export function isAllowed(token: string | undefined, req: any): boolean {
  if (token === undefined) return true;
  const given = /^Bearer +(.+)$/i.exec(String(req.headers?.authorization ?? ''))?.[1];
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

/** Of the same length, whatever is compared. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Answers GET and HEAD with a page. */
export function handlerOf(page: () => Promise<Page>, token: string | undefined): MetricsHandler {
  return (req, res) => void answer(page, token, req, res);
}

async function answer(
  page: () => Promise<Page>,
  token: string | undefined,
  req: any,
  res: any,
): Promise<void> {
  res.setHeader('Cache-Control', 'no-store');
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    res.statusCode = 405;
    res.setHeader('Allow', 'GET, HEAD');
    res.end();
    return;
  }
  if (!isAllowed(token, req)) {
    res.statusCode = 401;
    res.setHeader('WWW-Authenticate', 'Bearer');
    res.end();
    return;
  }
  try {
    const { contentType, text } = await page();
    const body = Buffer.from(text);
    res.statusCode = 200;
    res.setHeader('Content-Type', contentType);
    res.setHeader('Content-Length', body.length);
    // Of an answer to HEAD Node sends no more than the headers.
    res.end(body);
  } catch {
    // A metric of the service's own that throws, in the registry of prom-client.
    res.statusCode = 500;
    res.end();
  }
}
