import { EventEmitter } from 'node:events';
import { BoundedLRUCache } from '../performance/boundedCache';

/**
 * Counts requests of a key in a bounded cache.
 *
 * As the original: the window is fixed whatever was asked for; redis and skipSuccessfulRequests are never used; the cache holds
 * 10,000 keys and evicts as it does, blocked ones too; those that are blocked are kept in a Set until an interval of a minute, which
 * keeps the process alive, empties it; Reset slides with every request.
 */
export interface RateLimitResult {
  allowed: boolean;
  remaining: number;
  resetTime?: number;
  retryAfter?: number;
}

export type TrustProxy = boolean | number | string | string[];

interface Config {
  windowMs: number;
  maxRequests: number;
  keyGenerator?: (req: any) => unknown;
  onLimitReached?: (req: any, res: any, result: RateLimitResult, config: Config) => void;
  /** Not of the original, as the next one: what its users write around the middleware. */
  handler?: (req: any, res: any, next: any, result: RateLimitResult) => void;
  skip?: (req: any) => boolean;
  /** Of no effect. */
  requestWasSuccessful?: (req: any, res: any) => boolean;
  [other: string]: unknown;
}

interface Entry {
  count: number;
  windowStart: number;
}

const MAX_KEYS = 10_000;
const CLEAN_UP = 60_000;

export class DistributedRateLimiter extends EventEmitter {
  destroyed = false;
  private readonly cache: BoundedLRUCache<string, Entry>;
  private readonly blocked = new Set<string>();
  private readonly cleanUp: NodeJS.Timeout;
  private denied = 0;
  private held = 0;
  private readonly waiting: Array<() => void> = [];

  constructor(private readonly config: Config) {
    super();
    this.cache = new BoundedLRUCache(MAX_KEYS, config.windowMs);
    this.cleanUp = setInterval(() => this.blocked.clear(), CLEAN_UP);
  }

  async keyOf(req: any): Promise<string> {
    return req.ip ?? req.socket?.remoteAddress ?? 'unknown';
  }

  async checkLimit(req: any, res: any): Promise<RateLimitResult> {
    const { windowMs, maxRequests, keyGenerator, onLimitReached } = this.config;
    const key = String(keyGenerator ? await keyGenerator(req) : await this.keyOf(req));
    const now = Date.now();
    const known = this.cache.get(key);
    const entry = known && now - known.windowStart < windowMs ? known : { count: 0, windowStart: now };
    entry.count++;
    this.cache.set(key, entry);
    if (entry.count <= maxRequests) return { allowed: true, remaining: maxRequests - entry.count };
    this.blocked.add(key);
    this.denied++;
    const retryAfter = Math.ceil((entry.windowStart + windowMs - now) / 1000);
    const result = { allowed: false, remaining: 0, retryAfter };
    onLimitReached?.(req, res, result, this.config);
    return result;
  }

  middleware(): (req: any, res: any, next: any) => Promise<any> {
    const { windowMs, maxRequests, handler, skip } = this.config;
    return async (req, res, next) => {
      if (skip?.(req)) return next();
      let result: RateLimitResult;
      try {
        result = await this.checkLimit(req, res);
      } catch {
        return next();
      }
      res.setHeader('X-RateLimit-Limit', String(maxRequests));
      res.setHeader('X-RateLimit-Remaining', String(result.remaining));
      res.setHeader('X-RateLimit-Reset', new Date(Date.now() + windowMs).toISOString());
      if (result.allowed) return next();
      const { retryAfter } = result;
      res.setHeader('Retry-After', String(retryAfter));
      if (handler) return handler(req, res, next, result);
      res.status(429).json({ error: 'Rate limit exceeded', message: 'Too many requests', retryAfter });
    };
  }

  getStats() {
    return { cacheStats: this.cache.getStats(), blockedCount: this.blocked.size };
  }

  /** Not of the original, as the next one: what the service shows and asks. */
  metrics() {
    return { denied: this.denied, ...this.getStats() };
  }

  /** Not of the original, whose users count what is under way, and let who comes later wait. */
  async acquire(_key: string, _options: { signal: AbortSignal }): Promise<{ release(): Promise<boolean> }> {
    if (this.held >= this.config.maxRequests) await new Promise<void>((go) => this.waiting.push(go));
    else this.held++;
    const release = async () => {
      const next = this.waiting.shift();
      if (next) next();
      else this.held--;
      return true;
    };
    return { release };
  }

  async peek(_key: string): Promise<void> {}

  destroy(): void {
    this.destroyed = true;
    clearInterval(this.cleanUp);
    this.cache.destroy();
    this.removeAllListeners();
  }
}
