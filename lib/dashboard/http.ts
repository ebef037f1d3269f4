import { isAllowed } from '../metrics/http.js';
import { pathOf } from '../router/request.js';
import { strangerOf } from './access.js';
import { fileOf, PAGE, type PageFile } from './files.js';
import type { DashboardSettings } from './options.js';
import type { Viewers } from './viewers.js';

/** A listener of node:http, or a handler of a framework on top of it. */
export type DashboardHandler = (req: any, res: any) => void;
/** Middleware of Express, Connect, Fastify's middie and the OptimizedRouter. */
export type DashboardMiddleware = (req: any, res: any, next: (error?: any) => void) => void;

type Headers = Readonly<Record<string, string>>;

/** Without a body it is a stream. */
interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body?: Buffer;
}

const EVENTS = '/events';
const HEADERS: Headers = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};
const STREAM: Headers = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  // Nobody on the way compresses it, nor does nginx hold it back.
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
};

/** Answers requests for the dashboard. */
export class DashboardHttp {
  readonly #settings: DashboardSettings;
  readonly #viewers: Viewers;
  #isClosed = false;

  constructor(settings: DashboardSettings, viewers: Viewers) {
    this.#settings = settings;
    this.#viewers = viewers;
  }

  close(): void {
    this.#isClosed = true;
    this.#viewers.close();
  }

  readonly handler: DashboardHandler = (req, res) => this.#answer(ownPath(req), req, res);

  readonly middleware: DashboardMiddleware = (req, res, next) => {
    const { path } = this.#settings;
    const own = ownPath(req);
    if (own === path || own.startsWith(`${path}/`)) this.#answer(own.slice(path.length), req, res);
    else next();
  };

  #answer(path: string, req: any, res: any): void {
    const { status, headers, body } = this.#replyTo(path, req);
    res.statusCode = status;
    for (const [name, value] of Object.entries({ ...HEADERS, ...headers })) res.setHeader(name, value);
    if (body !== undefined) res.setHeader('Content-Length', body.length);
    if (body === undefined && req.method === 'GET') this.#viewers.add(res);
    // Of an answer to HEAD Node sends no more than the headers.
    else res.end(body);
  }

  #replyTo(path: string, req: any): Reply {
    if (req.method !== 'GET' && req.method !== 'HEAD')
      return text(405, 'The dashboard is for reading only.', { Allow: 'GET, HEAD' });
    const stranger = this.#settings.remote ? undefined : strangerOf(req);
    if (stranger !== undefined) return text(403, stranger);
    if (this.#isClosed) return text(503, 'The dashboard is closed.');
    if (path === EVENTS) return this.#stream(req);
    if (path === '' || path === '/') return page(original(req));
    const file = fileOf(path.slice(1));
    return file === undefined ? text(404, 'There is no such file.') : ofFile(file);
  }

  #stream(req: any): Reply {
    if (!isAllowed(this.#settings.token, req))
      return text(401, 'The token is missing or wrong.', { 'WWW-Authenticate': 'Bearer' });
    if (this.#viewers.count >= this.#settings.maxViewers)
      return text(503, 'As many are looking as may.', { 'Retry-After': '10' });
    return { status: 200, headers: STREAM };
  }
}

function ownPath(req: any): string {
  return pathOf(req).split('?', 1)[0]!;
}

/** The path before a framework took off where it has mounted the dashboard. */
function original(req: any): string {
  return ownPath({ url: req.originalUrl ?? req.url });
}

/** The page, whose relative addresses want a slash at the end of its own. */
function page(path: string): Reply {
  if (path.endsWith('/')) return ofFile(fileOf(PAGE)!);
  // Relative too, as a proxy may have taken off a prefix.
  const Location = `./${path.slice(path.lastIndexOf('/') + 1)}/`;
  return text(302, 'The dashboard has a slash at its end.', { Location });
}

function ofFile({ type, content }: PageFile): Reply {
  return { status: 200, headers: { 'Content-Type': type }, body: content };
}

function text(status: number, sentence: string, headers: Headers = {}): Reply {
  const type = 'text/plain; charset=utf-8';
  return { status, headers: { 'Content-Type': type, ...headers }, body: Buffer.from(`${sentence}\n`) };
}
