import { validateHeaderName, validateHeaderValue } from 'node:http';
import { Stop } from '../command.js';

/** What is sent, over and over. */
export interface Request {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** Not HEAD: autocannon waits for the body that its answers announce and do not have. */
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** autocannon writes these by itself. */
const OWN_HEADERS = ['connection', 'content-length', 'transfer-encoding'];

export function requestOf(
  url: URL,
  method: string | undefined,
  headers: readonly string[],
  body: Buffer | undefined,
): Request {
  const name = (method ?? (body === undefined ? 'GET' : 'POST')).toUpperCase();
  if (!METHODS.includes(name)) {
    throw new Stop(2, `--method has to be one of ${METHODS.join(', ')}, not '${method}'`);
  }
  return { url: url.href, method: name, headers: headersOf(headers), body };
}

function headersOf(lines: readonly string[]): Record<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([^:]+):\s*(.*)$/s.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      throw new Stop(2, `--header has to be 'name: value', not '${line}'`);
    }
    const key = name.toLowerCase();
    if (OWN_HEADERS.includes(key)) throw new Stop(2, `--header ${name} is written by itself: leave it out`);
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      throw new Stop(2, `--header ${JSON.stringify(line)} has characters that a header cannot have`);
    }
    if (headers.has(key)) throw new Stop(2, `--header ${name} is there twice: give it once, with all values`);
    headers.set(key, value);
  }
  return Object.fromEntries(headers);
}
