/** Whether a response has been begun, as far as it tells: from then on nobody else may answer. */
export function hasBegun(res: any): boolean {
  return res.headersSent === true || res.writableEnded === true;
}

/** Whether nothing can be sent any more: the response was ended, or its client is gone. */
export function isOver(res: any): boolean {
  return res.writableEnded === true || isGone(res);
}

/** Whether the client went away, or the response was destroyed, before it was ended. */
export function isLost(res: any): boolean {
  return res.writableEnded !== true && isGone(res);
}

/** A response of HTTP/2 says so by its stream alone. */
function isGone(res: any): boolean {
  return res.destroyed === true || res.stream?.destroyed === true || res.stream?.aborted === true;
}

/** Whether a response that is not over will tell when it is: those of node:http do, mocks do not. */
export function tellsItsEnd(res: any): boolean {
  return (
    res.writableEnded === false &&
    typeof res.end === 'function' &&
    typeof res.once === 'function' &&
    typeof res.removeListener === 'function'
  );
}

/** Whether nobody has anything to add to a response. Of one that does not tell its end, that it was begun is all. */
export function isAnswered(res: any): boolean {
  return isOver(res) || (hasBegun(res) && !tellsItsEnd(res));
}

/** RFC 9113, section 7. */
const INTERNAL_ERROR = 2;

/** Cuts off a response that nobody will end, so that its client neither waits nor takes it for complete. */
export function cut(res: any): void {
  if (typeof res.stream?.close === 'function') res.stream.close(INTERNAL_ERROR);
  else res.destroy?.();
}

/** Headers that describe what a failed handler was about to send, and not the answer that is sent instead. */
const OF_THE_CONTENT = [
  'accept-ranges',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-range',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'transfer-encoding',
];

/**
 * Answers with JSON; a response that somebody has begun and not ended is cut off. Uses `status` and `json` where the
 * response has them (Express, and mocks that have nothing else), else what node:http has.
 *
 * @param headers are left out where the response has no way to set them, and where they describe the content
 */
export function sendJson(
  res: any,
  status: number,
  body: object | undefined,
  headers: Record<string, string> = {},
): void {
  if (isAnswered(res)) return;
  if (hasBegun(res)) {
    cut(res);
    return;
  }
  setHeaders(res, headers);
  if (typeof res.status === 'function' && (body !== undefined || typeof res.end !== 'function')) {
    const chained = res.status(status);
    const to = typeof chained?.json === 'function' ? chained : res;
    if (typeof to.json === 'function') {
      to.json(body);
      return;
    }
  }
  res.statusCode = status;
  if (body === undefined) {
    res.end?.();
    return;
  }
  const text = JSON.stringify(body);
  res.setHeader?.('Content-Type', 'application/json; charset=utf-8');
  res.setHeader?.('Content-Length', String(Buffer.byteLength(text)));
  res.end?.(text);
}

function setHeaders(res: any, headers: Record<string, string>): void {
  if (typeof res.removeHeader === 'function') for (const name of OF_THE_CONTENT) res.removeHeader(name);
  // Where it was set; HTTP/2 has none, and warns who looks.
  if (Object.hasOwn(res, 'statusMessage')) res.statusMessage = undefined;
  for (const [name, value] of Object.entries(headers)) {
    if (OF_THE_CONTENT.includes(name.toLowerCase())) continue;
    if (typeof res.setHeader === 'function') res.setHeader(name, value);
    else res.set?.(name, value);
  }
}

/** What a response had set before an attempt, for the next one to begin with the same. */
export class ResponseState {
  readonly #status: unknown;
  readonly #message: unknown;
  readonly #headers: Record<string, unknown> | undefined;
  readonly #sources: any[] = [];
  readonly #note = (source: unknown) => this.#sources.push(source);

  constructor(res: any) {
    this.#status = res.statusCode;
    this.#message = Object.hasOwn(res, 'statusMessage') ? res.statusMessage : undefined;
    this.#headers = typeof res.getHeaders === 'function' ? { ...res.getHeaders() } : undefined;
    if (tellsItsEnd(res)) res.on('pipe', this.#note);
  }

  restore(res: any): void {
    res.removeListener?.('pipe', this.#note);
    for (const source of this.#sources) source.unpipe?.(res);
    if (this.#status !== undefined) res.statusCode = this.#status;
    if (Object.hasOwn(res, 'statusMessage')) res.statusMessage = this.#message;
    if (this.#headers === undefined) return;
    for (const name of Object.keys(res.getHeaders() ?? {})) {
      if (!Object.hasOwn(this.#headers, name)) res.removeHeader?.(name);
    }
    for (const [name, value] of Object.entries(this.#headers)) res.setHeader?.(name, value);
  }
}

const WRITING = [
  'setHeader',
  'setHeaders',
  'appendHeader',
  'removeHeader',
  'writeHead',
  'flushHeaders',
  'write',
  'end',
] as const;

/**
 * Makes what is written to a response do nothing, once it is complete: a handler that was given up answers from a
 * callback, and what throws there ends the process.
 *
 * @param onWrite is called at the first try
 */
export function silence(res: any, onWrite: () => void): void {
  if (res.writableEnded !== true) {
    // A session is saved first, and such.
    res.once('finish', () => silence(res, onWrite));
    return;
  }
  let first = true;
  for (const name of WRITING) {
    if (typeof res[name] !== 'function') continue;
    res[name] = (...args: unknown[]) => {
      if (first) onWrite();
      first = false;
      const written = args.at(-1);
      if (typeof written === 'function') process.nextTick(written);
      return name === 'write' ? true : res;
    };
  }
}
