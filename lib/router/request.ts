import type { RouteConstraints } from './types.js';

/** The path of a request: `req.path` where a framework or a mock has set it, else that of `req.url`. */
export function pathOf(req: any): string {
  const { path } = req;
  if (typeof path === 'string') return path;
  const { url } = req;
  if (typeof url !== 'string') return '/';
  return url.charCodeAt(0) === 47 ? url : pathOfUrl(url);
}

/** The path of a request line that does not begin with a slash: `http://host/path`, `*`, or a mock's. */
function pathOfUrl(url: string): string {
  const origin = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i.exec(url);
  return origin === null ? url : url.slice(origin[0].length) || '/';
}

/** What a request asks of a route's constraints. */
export function askedOf(req: any): RouteConstraints {
  const { headers } = req;
  const asked: RouteConstraints = {};
  const host: unknown = headers?.host ?? headers?.[':authority'];
  const version: unknown = headers?.['accept-version'];
  if (typeof host === 'string') asked.host = host;
  if (typeof version === 'string') asked.version = version;
  return asked;
}
