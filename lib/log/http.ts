import { isObject } from './plain.js';

/** Headers that carry secrets. */
const SECRET: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'set-cookie',
  'x-api-key',
]);

type Headers = Record<string, unknown>;

/**
 * What is worth telling of a request or a response, of a server or a client: it reaches half of the process, which no line should.
 * undefined: it is neither.
 */
export function toldOfHttp(value: any): object | undefined {
  if (isRequest(value)) return requestOf(value);
  if (isClientRequest(value)) return clientRequestOf(value);
  return isResponse(value) ? responseOf(value) : undefined;
}

/** Headers as an object, without secrets. A list stays one. */
export function openHeaders(headers: any): object {
  if (Array.isArray(headers)) return headers;
  const told: Headers = {};
  const pairs: Iterable<[string, unknown]> =
    typeof headers[Symbol.iterator] === 'function' ? headers : Object.entries(headers);
  for (const [name, value] of pairs) {
    told[name] = SECRET.has(name.toLowerCase()) ? '[Redacted]' : value;
  }
  return told;
}

/** As Node, Express or Fastify have it, or fetch. */
function isRequest({ method, url, headers }: any): boolean {
  return typeof method === 'string' && typeof url === 'string' && isObject(headers);
}

function requestOf({ id, method, url, originalUrl, headers, socket }: any): object {
  return {
    ...(isText(id) && { id }),
    ...{ method, url: originalUrl ?? url, headers: openHeaders(headers) },
    ...(socket && { remoteAddress: socket.remoteAddress, remotePort: socket.remotePort }),
  };
}

/** As `http.request` returns it. */
function isClientRequest({ method, path, getHeaders }: any): boolean {
  return typeof method === 'string' && typeof path === 'string' && typeof getHeaders === 'function';
}

function clientRequestOf(value: any): object {
  const { method, protocol, host, path } = value;
  return { method, url: `${protocol}//${host}${path}`, headers: openHeaders(value.getHeaders()) };
}

/** One that is made, or one that came. */
function isResponse({ statusCode, status, getHeaders, headers, rawHeaders, clone }: any): boolean {
  if (typeof statusCode === 'number') return typeof getHeaders === 'function' || Array.isArray(rawHeaders);
  return typeof status === 'number' && isObject(headers) && typeof clone === 'function';
}

function responseOf(value: any): object {
  const { statusCode, status, url } = value;
  const headers = typeof value.getHeaders === 'function' ? value.getHeaders() : value.headers;
  return { statusCode: statusCode ?? status, ...(url && { url }), headers: openHeaders(headers) };
}

function isText(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number';
}
