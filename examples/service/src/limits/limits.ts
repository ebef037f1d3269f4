import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Request, RequestHandler, Response } from 'express';
import { HttpError } from '../http/errors';
import { endOf } from '../http/json';
import { credentials } from '../http/session';
import { DistributedRateLimiter, type RateLimitResult } from '../lib/utilities/security/rateLimiter';
import type { LimitSettings } from './settings';

const MINUTE = 60_000;
const QUARTER_HOUR = 15 * MINUTE;
/** Imports whose bodies are in memory at a time, of megabytes each. */
const IMPORTS = 32;

/** Of orchestrators, who must get an answer when everybody else asks too much. */
const EXEMPT = new Set(['/health', '/ready']);

/** The error goes the way of all errors here, and is told in their form. */
function refuse(
  _req: Request,
  _res: Response,
  next: (error: Error) => void,
  { retryAfter }: RateLimitResult,
) {
  next(new HttpError(429, 'TOO_MANY_REQUESTS', `Too many requests; try again in ${retryAfter} s`));
}

/**
 * What clients may do: counted here, or with all other instances in one Redis. While that is away each instance counts
 * for itself, and nobody waits.
 */
export class Limits {
  readonly requests: DistributedRateLimiter;
  readonly logins: DistributedRateLimiter;
  /** Of this thread alone, whose memory they take. */
  readonly imports: DistributedRateLimiter;
  /** Those of the two that Redis gives no answer to. */
  readonly #troubled = new Set<DistributedRateLimiter>();
  readonly #store: 'memory' | 'redis';

  /** @param report is told of a Redis that is away, once an outage */
  constructor(
    settings: LimitSettings,
    private readonly report: (error: unknown) => void,
  ) {
    this.#store = settings.redisUrl === undefined ? 'memory' : 'redis';
    const common = {
      redis: settings.redisUrl,
      storeTimeout: settings.redisTimeout,
      onStoreError: 'local',
      handler: refuse,
    } as const;
    this.requests = this.#watched({
      ...common,
      ...{ name: 'requests', keyPrefix: 'catalogue:requests:' },
      ...{ windowMs: MINUTE, maxRequests: settings.requestLimit, algorithm: 'sliding-window-counter' },
      trustProxy: settings.trustedProxies,
      skip: (req: Request) => EXEMPT.has(req.path),
    });
    this.logins = this.#watched({
      ...common,
      ...{ name: 'logins', keyPrefix: 'catalogue:logins:' },
      ...{ windowMs: QUARTER_HOUR, maxRequests: settings.loginLimit },
      // By both: nobody is locked out by what others try, and a proxy's many clients do not share one quota.
      keyGenerator: async (req: Request) => `${await this.requests.keyOf(req)} ${credentials(req).name}`,
      skipSuccessfulRequests: true,
      // What was tried and was not wrong is no guess. Whoever leaves before the answer may have guessed.
      requestWasSuccessful: (_req, res: Response) => res.statusCode !== 401,
    });
    const atOnce = { maxRequests: IMPORTS, windowMs: MINUTE, algorithm: 'concurrency' } as const;
    this.imports = new DistributedRateLimiter({ name: 'imports', ...atOnce });
  }

  #watched(config: ConstructorParameters<typeof DistributedRateLimiter>[0]): DistributedRateLimiter {
    const limiter = new DistributedRateLimiter(config);
    limiter.on('redis-error', (error) => {
      if (this.#troubled.size === 0) this.report(error);
      this.#troubled.add(limiter);
    });
    limiter.on('recovered', () => this.#troubled.delete(limiter));
    limiter.on('error', this.report);
    return limiter;
  }

  /** For all requests. */
  get ofRequests(): RequestHandler {
    return this.requests.middleware();
  }

  /** For logins whose body was read and is in order. */
  get ofLogins(): RequestHandler {
    return this.logins.middleware();
  }

  /** For imports whose body was not read: those for which there is no room wait for it, and for no longer than they have. */
  get ofImports(): RequestHandler {
    return async (_req, res, next) => {
      const signal = endOf(res);
      try {
        const permit = await this.imports.acquire('all', { signal });
        const release = () => void permit.release();
        if (signal.aborted) return release();
        signal.addEventListener('abort', release);
        next();
      } catch (error) {
        if (!signal.aborted) next(error);
      }
    };
  }

  /** Who decides; `local` is this instance, while Redis is away. */
  get source(): 'memory' | 'redis' | 'local' {
    return this.#troubled.size > 0 ? 'local' : this.#store;
  }

  // Only questions find out whether Redis is back, and nobody may log in for long.
  #look(): void {
    for (const limiter of this.#troubled) void limiter.peek('').catch(() => {});
  }

  /** For everybody. While Redis is away it has Redis asked again, now and then. */
  state() {
    this.#look();
    const [requests, logins] = [this.requests.metrics().denied, this.logins.metrics().denied];
    return { source: this.source, denied: { requests, logins } };
  }

  /** For admins; it does so too. */
  details() {
    this.#look();
    return { source: this.source, requests: this.requests.metrics(), logins: this.logins.metrics() };
  }

  /** What was told last, such as that a login was right, goes out; nobody waits for that longer than for any answer. Idempotent. */
  async close(): Promise<void> {
    if (this.requests.destroyed) return;
    await nextTurn();
    await Promise.all([this.requests.peek(''), this.logins.peek('')]);
    this.requests.destroy();
    this.logins.destroy();
    this.imports.destroy();
  }
}
