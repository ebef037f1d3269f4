import { type DashboardHandler, DashboardHttp, type DashboardMiddleware } from './dashboard/http.js';
import { type DashboardOptions, type DashboardSettings, settingsOf } from './dashboard/options.js';
import { Viewers } from './dashboard/viewers.js';
import { dispose } from './dispose.js';
import { invalid } from './validate.js';

/** What {@link Dashboard.getStats} tells. */
export interface DashboardStats {
  /** Pages that are being updated. */
  viewers: number;
}

/**
 * A page with charts of what {@link metrics} tells, which updates itself; for reading only.
 *
 * The page asks nobody else for anything, and is the same for everybody; figures get only those who know the token. It is collected
 * and sent while somebody looks, once for all who do, which holds no process.
 */
export class Dashboard {
  readonly #settings: DashboardSettings;
  readonly #viewers: Viewers;
  readonly #http: DashboardHttp;

  /** @throws InvalidArgumentError for an option that is unknown, of the wrong type or out of range */
  constructor(options: DashboardOptions = {}) {
    this.#settings = settingsOf(options);
    this.#viewers = new Viewers(this.#settings.interval);
    this.#http = new DashboardHttp(this.#settings, this.#viewers);
  }

  /** What viewers have to know; undefined where they need not. */
  get token(): string | undefined {
    return this.#settings.token;
  }

  /**
   * Where {@link middleware} shows it, with the token in the fragment, which browsers send to nobody.
   *
   * @param origin of the service, with the prefix of a proxy if there is one: `'http://localhost:3000'`
   * @throws InvalidArgumentError
   */
  url(origin: string): string {
    if (typeof origin !== 'string' || !/^https?:\/\/[^/?#\s]+(?:\/[^?#\s]*)?$/.test(origin))
      invalid('origin', "an address as 'http://localhost:3000'", origin);
    const { path, token } = this.#settings;
    const fragment = token === undefined ? '' : `#token=${encodeURIComponent(token)}`;
    return `${origin.replace(/\/+$/, '')}${path}/${fragment}`;
  }

  /** A listener for `http.createServer`, or for what a framework mounts at a path, whichever that is. */
  handler(): DashboardHandler {
    return this.#http.handler;
  }

  /** Middleware for Express, Connect, Fastify's middie and the OptimizedRouter that answers `path`, and leaves the others. */
  middleware(): DashboardMiddleware {
    return this.#http.middleware;
  }

  getStats(): DashboardStats {
    return { viewers: this.#viewers.count };
  }

  /** Ends all streams; requests get 503 from now on. Calling it again does nothing. */
  close(): void {
    this.#http.close();
  }

  /** `close()` at the end of a `using` block. */
  [dispose](): void {
    this.close();
  }
}
