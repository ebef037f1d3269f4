import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { DistributedRateLimiter, type RateLimiterConfig } from 'keelson';

const limiters: { destroy(): void }[] = [];

/** A limiter that the test's end destroys: three in a minute, unless told otherwise. */
export function makeLimiter(config: RateLimiterConfig = {}): DistributedRateLimiter {
  const usual = config.limits === undefined ? { windowMs: 60_000, maxRequests: 3 } : {};
  return keepLimiter(new DistributedRateLimiter({ ...usual, ...config }));
}

export function keepLimiter<T extends { destroy(): void }>(limiter: T): T {
  limiters.push(limiter);
  return limiter;
}

/** Destroys what the tests of a file have made, after each. */
export function destroyLimiters(): void {
  afterEach(() => {
    for (const limiter of limiters.splice(0)) limiter.destroy();
  });
}

/** The same, and each test has fake timers. */
export function onFakeTime(): void {
  beforeEach(() => {
    jest.useFakeTimers();
    jest.setSystemTime(1_700_000_000_000);
  });
  afterEach(() => {
    for (const limiter of limiters.splice(0)) limiter.destroy();
    jest.useRealTimers();
  });
}

/** What a limiter tells of errors, in order. */
export function errorsOf(limiter: DistributedRateLimiter<any>): any[] {
  const errors: any[] = [];
  limiter.on('error', (error) => errors.push(error));
  return errors;
}

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Something that listens, and how to ask it. */
export interface Host {
  ask(headers?: Record<string, string>, path?: string): Promise<Reply>;
  port: number;
  close(): Promise<unknown>;
}

const hosts: Host[] = [];

/** Closes the hosts of a test after it. */
export function closeHosts(): void {
  afterEach(async () => {
    for (const host of hosts.splice(0)) await host.close();
  });
}

function hostAt(port: number, close: () => Promise<unknown>): Host {
  const ask = (headers: Record<string, string> = {}, path = '/') =>
    new Promise<Reply>((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path, headers, agent: false }, async (res) => {
        let body = '';
        for await (const chunk of res) body += chunk;
        resolve({ status: res.statusCode!, headers: res.headers, body });
      });
      asked.on('error', reject).end();
    });
  const host = { ask, port, close };
  hosts.push(host);
  return host;
}

/** Serves a listener of node:http. */
export async function serveListener(
  listener: (req: IncomingMessage, res: ServerResponse) => unknown,
): Promise<Host> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return hostAt((server.address() as AddressInfo).port, () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
}

/** Serves an application of Fastify. */
export async function serveFastify(app: any): Promise<Host> {
  await app.listen({ port: 0, host: '127.0.0.1' });
  return hostAt(app.server.address().port, () => app.close());
}
