import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';

/**
 * Not among the originals: what a service writes by hand. Parts start in the order in which they were registered, and stop in the
 * other; probes and metrics are middleware that looks at the path; nobody counts replicas.
 */
interface Part {
  phase?: string;
  dependsOn?: string[];
  start?(): unknown;
  stop?(given: { timeout: number }): unknown;
  destroy?(): unknown;
}

/** Milliseconds that a part has to stop. */
const PATIENCE = 10_000;

interface Events {
  shutdown: [{ reason: string }];
  finished: [{ isClean: boolean; cutOff: string[] }];
}

export class Lifecycle extends EventEmitter<Events> {
  isReady = false;
  private readonly parts: Part[] = [];
  private stopped: Promise<void> | undefined;

  /** It knows no options. */
  constructor(_options?: object) {
    super();
  }

  register(_name: string, part: Part, _options?: object): void {
    this.parts.push(part);
  }

  server(server: Server, _options?: object): void {
    this.register('server', {
      stop: () => {
        server.closeIdleConnections();
        return new Promise((resolve) => server.close(resolve));
      },
    });
  }

  async ready(): Promise<void> {
    for (const part of this.parts) await part.start?.();
    this.isReady = true;
  }

  shutdown({ reason = 'shutdown' }: { reason?: string } = {}): Promise<void> {
    this.stopped ??= this.stopAll(reason);
    return this.stopped;
  }

  handleSignals(): void {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => void this.shutdown({ reason: signal }));
  }

  private async stopAll(reason: string): Promise<void> {
    this.isReady = false;
    this.emit('shutdown', { reason });
    for (const part of this.parts.toReversed()) {
      await part.stop?.({ timeout: PATIENCE });
      await part.destroy?.();
    }
    this.emit('finished', { isClean: true, cutOff: [] });
  }
}

type Middleware = (req: any, res: any, next: any) => unknown;

interface Check {
  kind?: string;
  cache?: number;
  check: () => unknown;
}

const PROBES = ['/livez', '/readyz', '/startupz'];

export class Health {
  private readonly checks = new Map<string, Check>();

  constructor(private readonly options: { lifecycle: Lifecycle; description: string }) {}

  addCheck(name: string, check: Check): void {
    this.checks.set(name, check);
  }

  middleware(_options?: object): Middleware {
    return async (req, res, next) => {
      if (!PROBES.includes(req.path)) return next();
      const failure = req.path === '/livez' ? undefined : await this.failure();
      res.status(failure === undefined ? 200 : 503).json({ status: failure === undefined ? 'pass' : 'fail' });
    };
  }

  destroy(): void {
    this.checks.clear();
  }

  private async failure(): Promise<unknown> {
    if (!this.options.lifecycle.isReady) return new Error('not ready');
    try {
      for (const { check } of this.checks.values()) await check();
      return undefined;
    } catch (error) {
      return error;
    }
  }
}

export interface Metrics {
  handler(options?: { token?: string }): Middleware;
}

export const metrics: Metrics = {
  handler:
    ({ token } = {}) =>
    (req, res) => {
      if (token !== undefined && req.get('authorization') !== `Bearer ${token}`) return res.status(401).end();
      const lines = Object.entries(process.memoryUsage()).map(([name, bytes]) => `process_${name} ${bytes}`);
      return res.type('text/plain').send(`${lines.join('\n')}\n`);
    },
};

export class Scaling extends EventEmitter {
  /** Nobody counts here. */
  constructor(_options: object) {
    super();
  }

  record(): void {}

  destroy(): void {}

  handler(): Middleware {
    return (_req, res) => res.status(404).end();
  }
}

export class Dashboard {
  readonly token = 'none';

  /** There is none. */
  // biome-ignore lint/complexity/noUselessConstructor: it takes what the other one takes
  constructor(_options?: object) {}

  middleware(): Middleware {
    return (_req, _res, next) => next();
  }

  url(origin: string): string {
    return origin;
  }

  destroy(): void {}
}
