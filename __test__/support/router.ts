import { EventEmitter } from 'node:events';
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OptimizedRouter, RouteHandler } from 'keelson';

/** What handlers and middleware of the tests fail with. */
export const boom = new Error('boom');

/** Ways to fail. */
export function failuresWith(error: unknown): [string, () => any][] {
  return [
    [
      'throws',
      () => {
        throw error;
      },
    ],
    [
      'rejects',
      async () => {
        throw error;
      },
    ],
  ];
}

/** A response of a test with nothing but `status` and `json`; what was sent is in `sent`, each answer once. */
export function bareMock() {
  let status = 200;
  const sent: { status: number; body: any }[] = [];
  const res = {
    status(code: number) {
      status = code;
      return res;
    },
    json(body: any) {
      sent.push({ status, body });
      return res;
    },
  };
  return { res, sent };
}

/** A response that tells what node:http's tells, without a socket. */
export class TellingResponse extends EventEmitter {
  statusCode = 200;
  headersSent = false;
  writableEnded = false;
  writableFinished = false;
  destroyed = false;
  readonly sent: string[] = [];
  #headers: Record<string, string> = {};

  setHeader(name: string, value: string) {
    if (this.headersSent) throw new Error('ERR_HTTP_HEADERS_SENT');
    this.#headers[name.toLowerCase()] = value;
  }
  removeHeader(name: string) {
    delete this.#headers[name.toLowerCase()];
  }
  getHeaders() {
    return this.#headers;
  }
  write(text: string) {
    this.headersSent = true;
    this.sent.push(text);
  }
  end(text = '') {
    if (this.writableEnded) throw new Error('ERR_STREAM_WRITE_AFTER_END');
    this.write(`${this.statusCode} ${text}`);
    this.writableEnded = true;
    this.writableFinished = true;
    this.emit('finish');
    this.emit('close');
  }
  destroy() {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }
}

/** What a router answered a request with that has only a path and a method. */
export function ask(router: OptimizedRouter, path: string, method = 'GET', extra: object = {}) {
  const { res, sent } = bareMock();
  const req: any = { path, method, ...extra };
  expect(router.handle(req, res as any, undefined)).toBeUndefined();
  return { req, res, sent };
}

/** A GET route that answers with its id. */
export function naming(id: string, extra: Partial<RouteHandler> = {}): RouteHandler {
  return { id, method: 'GET', handler: (_req, res) => res.json(id), ...extra };
}

export interface Reply {
  status: number;
  /** The phrase beside it. */
  message: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A server at a free port; `ask` sends it a request and resolves with the whole reply. */
export async function serve(listener: (req: any, res: any) => void) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, ...client(server) };
}

export function client(server: Server) {
  const { port } = server.address() as AddressInfo;
  const askServer = (method: string, path: string, headers: Record<string, string> = {}, agent?: any) =>
    new Promise<Reply>((resolve, reject) => {
      const options = { host: '127.0.0.1', port, method, path, headers, agent };
      const sent = request(options, (res) => {
        let body = '';
        res.setEncoding('utf8');
        res.on('data', (chunk) => {
          body += chunk;
        });
        res.on('error', reject);
        res.on('end', () =>
          resolve({ status: res.statusCode!, message: res.statusMessage!, headers: res.headers, body }),
        );
      });
      sent.on('error', reject);
      sent.end();
    });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { port, ask: askServer, close };
}

/** The route of an id in the metrics. */
export function metricsOf(router: OptimizedRouter, id: string) {
  return router.metrics().routes.find((route) => route.id === id)!;
}

/** Fake timers for each test of a file, none of which may be left over. */
export function useManualTimers() {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => {
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });
}

/** Lets what waits for promises run. */
export async function flush() {
  for (let n = 0; n < 5; n++) await Promise.resolve();
}

/** Sends a request for `/a` through a router, with a response that tells its end. */
export function send(router: OptimizedRouter, method = 'GET', next?: (error?: unknown) => void) {
  const res = new TellingResponse();
  const req: any = { path: '/a', method };
  router.handle(req, res, next);
  return { req, res };
}

/** A handler that never ends. */
export const never = () => new Promise(() => {});

/** What a TellingResponse is sent then. */
export const TIMED_OUT = '504 {"error":"Gateway timeout"}';
