import { PRODUCTS, type Product } from '../src/data/products';
import { TimerManager } from '../src/lib/utilities/performance/timerManager';
import { Service, type ServiceOptions } from '../src/service';

export const ADMIN = { name: 'ada', password: 'analytical engine' };
export const CUSTOMER = { name: 'grace', password: 'eleven inches of wire' };

/** Timers that tests may start at once; beyond it the manager would warn. */
const MAX_TIMERS = 50_000;

/** A running service on a free port, and a client for it. */
export class TestService {
  readonly jobTimers = new TimerManager();
  readonly requestTimers = new TimerManager({ maxTimers: MAX_TIMERS });
  readonly errors: unknown[] = [];
  readonly service: Service;
  url = '';

  constructor(options: Partial<ServiceOptions> = {}) {
    this.service = new Service({
      jobTimers: this.jobTimers,
      requestTimers: this.requestTimers,
      report: (error) => this.errors.push(error),
      // Many times what a client may ask usually: the tests are one client.
      limits: { requestLimit: 1_000_000, loginLimit: 1000 },
      // Copies, since the catalogue's stock is its own.
      source: async () => PRODUCTS.map((product): Product => ({ ...product })),
      ...options,
    });
  }

  get context() {
    return this.service.context;
  }

  async start(): Promise<this> {
    this.url = await this.service.start(0, '127.0.0.1');
    return this;
  }

  async stop(): Promise<void> {
    await this.service.stop();
    this.requestTimers.destroy();
    this.jobTimers.destroy();
  }

  /** A request; `body` is sent as JSON, `cookie` is what login() gave. */
  async request(
    method: string,
    path: string,
    options: { body?: unknown; cookie?: string; signal?: AbortSignal } = {},
  ) {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(options.body !== undefined && { 'content-type': 'application/json' }),
        ...(options.cookie !== undefined && { cookie: options.cookie }),
      },
      ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
      ...(options.signal !== undefined && { signal: options.signal }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? (JSON.parse(text) as any) : undefined,
    };
  }

  get(path: string, cookie?: string) {
    return this.request('GET', path, cookie === undefined ? {} : { cookie });
  }

  /** Logs in and returns the cookie to send. */
  async login(credentials: { name: string; password: string }): Promise<string> {
    const { status, headers } = await this.request('POST', '/api/session', { body: credentials });
    if (status !== 201) throw new Error(`Login answered ${status}`);
    return headers.get('set-cookie')!.split(';')[0]!;
  }
}

/** Waits, without a timer, until something holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** Asks every few milliseconds until an answer is as it should be. */
export async function eventually(ask: () => Promise<boolean>, limit = 60_000): Promise<void> {
  const deadline = performance.now() + limit;
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`Waited ${limit} ms in vain for ${ask}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
