/** Whether a response has been begun, as far as it tells: from then on nobody else may answer. */
export function hasBegun(res: any): boolean {
  return res.headersSent === true || res.writableEnded === true;
}

/** Whether nothing can be sent any more: the response was ended, or its client is gone. */
export function isOver(res: any): boolean {
  return res.writableEnded === true || res.destroyed === true;
}

/** Whether a response that is not over will tell when it is. */
export function tellsItsEnd(res: any): boolean {
  return res.writableEnded === false && typeof res.once === 'function';
}

/** Headers that describe what a failed handler was about to send, and not the answer that is sent instead. */
const OF_THE_CONTENT = [
  'cache-control',
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'etag',
  'last-modified',
  'transfer-encoding',
];

/**
 * Answers with JSON, unless an answer has begun. Uses `status` and `json` where the response has them (Express, and
 * mocks that have nothing else), else what node:http has.
 *
 * @param headers are left out where the response has no way to set them
 */
export function sendJson(
  res: any,
  status: number,
  body: object | undefined,
  headers?: Record<string, string>,
): void {
  if (hasBegun(res) || isOver(res)) return;
  if (typeof res.removeHeader === 'function') for (const name of OF_THE_CONTENT) res.removeHeader(name);
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (typeof res.setHeader === 'function') res.setHeader(name, value);
    else res.set?.(name, value);
  }
  const isPlain = typeof res.status !== 'function' || typeof res.json !== 'function';
  if (!isPlain && (body !== undefined || typeof res.end !== 'function')) {
    res.status(status);
    res.json(body);
    return;
  }
  res.statusCode = status;
  if (body === undefined) {
    res.end();
    return;
  }
  const text = JSON.stringify(body);
  res.setHeader?.('Content-Type', 'application/json; charset=utf-8');
  res.setHeader?.('Content-Length', String(Buffer.byteLength(text)));
  res.end(text);
}

/** What a response had set before an attempt, for the next one to begin with the same. */
export class ResponseState {
  readonly #status: unknown;
  readonly #headers: Record<string, unknown> | undefined;

  constructor(res: any) {
    this.#status = res.statusCode;
    this.#headers = typeof res.getHeaders === 'function' ? { ...res.getHeaders() } : undefined;
  }

  restore(res: any): void {
    if (this.#status !== undefined) res.statusCode = this.#status;
    if (this.#headers === undefined) return;
    for (const name of Object.keys(res.getHeaders())) {
      if (!(name in this.#headers)) res.removeHeader(name);
    }
    for (const [name, value] of Object.entries(this.#headers)) res.setHeader(name, value);
  }
}

const ANSWERING = ['json', 'send', 'end'] as const;

/**
 * Sees whether a response was answered that does not tell, such as a test's mock with only `status` and `json`:
 * until `stop()`, its answering methods are wrapped. Without that a timeout would answer a second time.
 */
export class AnswerWatch {
  answered = false;
  readonly #res: any;
  readonly #original = new Map<string, unknown>();

  /** @param onAnswer is called once, after the answer */
  constructor(res: any, onAnswer: () => void) {
    this.#res = res;
    const watch = this;
    for (const name of ANSWERING) {
      const method = res[name];
      if (typeof method !== 'function' || Object.isFrozen(res)) continue;
      this.#original.set(name, method);
      res[name] = function (this: any, ...args: unknown[]) {
        const first = !watch.answered;
        watch.answered = true;
        watch.stop();
        const result = method.apply(this, args);
        if (first) onAnswer();
        return result;
      };
    }
  }

  /** Whether a response needs it. */
  static isNeeded(res: any): boolean {
    return res.headersSent === undefined && res.writableEnded === undefined;
  }

  stop(): void {
    for (const [name, method] of this.#original) this.#res[name] = method;
    this.#original.clear();
  }
}
