/** Headers that carry secrets. */
const SECRET: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'set-cookie',
  'x-api-key',
]);

type Headers = Record<string, unknown>;

/** Whether it is a request as Node, Express or Fastify have it: it reaches half of the process, which no line should. */
export function isRequest(value: any): boolean {
  const { method, url, headers } = value;
  return typeof method === 'string' && typeof url === 'string' && isObject(headers);
}

/** Whether it is a response, likewise. */
export function isResponse(value: any): boolean {
  return typeof value.statusCode === 'number' && typeof value.getHeaders === 'function';
}

/** What is worth telling of a request. */
export function requestOf(value: any): object {
  const { id, method, url, originalUrl, headers, socket } = value;
  return {
    ...(isText(id) && { id }),
    ...{ method, url: originalUrl ?? url, headers: open(headers) },
    ...(socket && { remoteAddress: socket.remoteAddress, remotePort: socket.remotePort }),
  };
}

/** What is worth telling of a response. */
export function responseOf(value: any): object {
  return { statusCode: value.statusCode, headers: open(value.getHeaders()) };
}

function open(headers: Headers): Headers {
  const told: Headers = {};
  for (const [name, value] of Object.entries(headers)) {
    told[name] = SECRET.has(name.toLowerCase()) ? '[Redacted]' : value;
  }
  return told;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number';
}
