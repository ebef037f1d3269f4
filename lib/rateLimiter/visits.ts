import { DestroyedError, InvalidArgumentError } from '../errors.js';
import { isThenable } from '../router/middleware.js';
import { hasBegun } from '../router/respond.js';
import { setHeader, watchAnswer, whenOver } from './answering.js';
import type { Engine } from './engine.js';
import type { RateLimitCounts } from './figures.js';
import { RateLimitHeaders } from './headers.js';
import type { RateLimitDecision } from './httpOptions.js';
import type { ConcurrencyLease } from './lease.js';
import type { Leases } from './leases.js';
import { OP } from './native.js';
import type { RateLimiterConfig, Settings } from './options.js';
import type { RateLimitResult } from './result.js';
import type { Verdicts } from './verdicts.js';

/** The older form's decision. */
export interface OlderRateLimitDecision {
  allowed: boolean;
  /** Units that count now. */
  totalHits: number;
  remainingHits: number;
  resetTime: Date;
  /** Whole seconds, 1 or more. Of a denial only. */
  retryAfter?: number;
}

/** What came of a request. */
export interface Visit {
  readonly key: string;
  readonly result: RateLimitResult;
  /** The store's time of it. */
  readonly at: number;
  readonly used: number;
  readonly lease: ConcurrencyLease | undefined;
}

/** What HTTP requests need of a limiter. */
export interface Gate {
  readonly config: RateLimiterConfig;
  readonly settings: Settings;
  readonly isOlder: boolean;
  readonly engine: Engine;
  readonly verdicts: Verdicts;
  readonly leases: Leases;
  readonly counts: RateLimitCounts;
  /** @throws CostAboveQuotaError */
  checkCost(cost: number): void;
  report(error: unknown): void;
}

function keyFrom(given: unknown): string {
  if (typeof given === 'string') return given;
  if (typeof given === 'number' || typeof given === 'bigint') return String(given);
  throw new InvalidArgumentError(`"keyGenerator" must return a string, but it returned a ${typeof given}`);
}

/** Requests at a limiter: from the request to a result, and what follows from that. */
export class Visits {
  readonly headers: RateLimitHeaders;
  private readonly needsAnswer: boolean;
  private readonly refunds: boolean;

  constructor(private readonly gate: Gate) {
    const { limits, http, hasLeases } = gate.settings;
    this.headers = new RateLimitHeaders(limits, http);
    this.refunds = http.skipSuccessful || http.skipFailed;
    this.needsAnswer = this.refunds || hasLeases || gate.isOlder;
  }

  /**
   * Counts a request; undefined if it passes uncounted: by `skip`, or since it is not known whom to count it for.
   *
   * @param ip of the client, where the request does not tell
   * @throws CostAboveQuotaError, DestroyedError
   */
  async admit(req: any, ip?: string): Promise<Visit | undefined> {
    const { gate } = this;
    const { http } = gate.settings;
    if (http.skip !== undefined && (await this.isSkipped(req))) {
      gate.counts.skipped++;
      return undefined;
    }
    let key: string;
    try {
      const given = http.keyOf(req, ip);
      key = keyFrom(isThenable(given) ? await given : given);
    } catch (error) {
      gate.counts.unidentified++;
      gate.report(error);
      return undefined;
    }
    const cost = typeof http.cost === 'number' ? http.cost : await this.costOf(http.cost, req);
    if (cost === 0) {
      gate.counts.skipped++;
      return undefined;
    }
    gate.checkCost(cost);
    if (this.needsAnswer) return this.inspect(key, cost);
    const result = await gate.engine.check(key, cost);
    return { key, result, at: 0, used: 0, lease: undefined };
  }

  /** The key of a request. Rejects with whatever its generator throws, and if that gives no key. */
  async keyOf(req: any): Promise<string> {
    return keyFrom(await this.gate.settings.http.keyOf(req));
  }

  private async isSkipped(req: any): Promise<boolean> {
    try {
      return Boolean(await this.gate.settings.http.skip!(req));
    } catch (error) {
      this.gate.report(error);
      return false;
    }
  }

  /** A cost that cannot be told is 1. */
  private async costOf(given: (req: any) => unknown, req: any): Promise<number> {
    try {
      const cost = await given(req);
      if (Number.isSafeInteger(cost) && (cost as number) >= 0) return cost as number;
      throw new InvalidArgumentError(
        `"cost" must return a whole number from 0, but it returned ${String(cost)}`,
      );
    } catch (error) {
      this.gate.report(error);
      return 1;
    }
  }

  private async inspect(key: string, cost: number): Promise<Visit> {
    const { engine, leases, settings, verdicts } = this.gate;
    const id = settings.hasLeases ? leases.newId() : 0;
    const { result, at, used } = await engine.inspect(key, cost, id);
    const isHeld = settings.hasLeases && verdicts.isCounted(result);
    return { key, result, at, used, lease: isHeld ? leases.of(key, result, id, true) : undefined };
  }

  /** Sets headers that tell of the limits. */
  tell({ key, result }: Visit, set: (name: string, value: string) => void): void {
    let partition: string;
    try {
      partition = this.headers.partition(key);
    } catch (error) {
      // It is made by a function of the user's.
      this.gate.report(error);
      return;
    }
    this.headers.tell(result, partition, set);
  }

  setHeaders(visit: Visit, res: any): void {
    // One that has been begun takes no more of them.
    if (!hasBegun(res)) this.tell(visit, (name, value) => setHeader(res, name, value));
  }

  /** Sees to what is to be done when a response is over. `raw` tells when, the user's functions get `res`. */
  follow(visit: Visit, req: any, res: any, raw: any): void {
    if (visit.lease === undefined && !this.isRefundable(visit)) return;
    // A permit whose end nobody would tell of is not renewed, and ends by itself.
    if (whenOver(raw, (isSent) => void this.end(visit, isSent, req, res))) this.keep(visit);
  }

  /** Renews the permit of a request until that is over. */
  keep({ lease }: Visit): void {
    if (lease !== undefined) this.gate.leases.keep(lease);
  }

  /** A request is over. Nothing that goes wrong here changes its answer. */
  async end(visit: Visit, isSent: boolean, req: any, res: any): Promise<void> {
    const { engine, settings, counts } = this.gate;
    const { http } = settings;
    try {
      await visit.lease?.release();
      if (!this.isRefundable(visit)) return;
      const isSuccess = isSent && Boolean(await http.wasSuccessful(req, res));
      if (!(isSuccess ? http.skipSuccessful : http.skipFailed)) return;
      counts.refunded++;
      const { key, result, at } = visit;
      await engine.follow(result.source, OP.adjust, key, -result.cost, at);
    } catch (error) {
      // With the limiter its counts are gone.
      if (!(error instanceof DestroyedError)) this.gate.report(error);
    }
  }

  private isRefundable({ result }: Visit): boolean {
    return this.refunds && this.gate.verdicts.isCounted(result);
  }

  /** Calls `onLimitReached`; whatever that does, the request is denied. Returns what it returned, if it did. */
  async denied(visit: Visit, req: any, res: any): Promise<unknown> {
    const { onLimitReached } = this.gate.settings.http;
    if (onLimitReached === undefined) return undefined;
    try {
      return await onLimitReached(req, res, this.decision(visit), this.gate.config);
    } catch (error) {
      this.gate.report(error);
      return undefined;
    }
  }

  /** The same; tells whether the response was answered. */
  async deniedAndAnswered(visit: Visit, req: any, res: any): Promise<boolean> {
    const isAnswered = watchAnswer(res);
    await this.denied(visit, req, res);
    return isAnswered();
  }

  /** The body of a denial. */
  body({ result }: Visit): object {
    const { message } = this.gate.settings.http;
    return typeof message === 'string'
      ? { error: 'Rate limit exceeded', message, retryAfter: result.retryAfter }
      : message;
  }

  /** What `checkLimit` resolves to. */
  decision(visit: Visit | undefined): RateLimitDecision | OlderRateLimitDecision {
    if (this.gate.isOlder) return this.olderDecision(visit);
    if (visit === undefined) return { allowed: true, remaining: this.most };
    const { allowed, remaining, resetTime, retryAfter } = visit.result;
    return retryAfter === undefined
      ? { allowed, remaining, resetTime }
      : { allowed, remaining, resetTime, retryAfter };
  }

  private olderDecision(visit: Visit | undefined): OlderRateLimitDecision {
    if (visit === undefined) {
      return { allowed: true, totalHits: 0, remainingHits: this.most, resetTime: new Date(Date.now()) };
    }
    const { allowed, remaining, resetTime, retryAfter } = visit.result;
    const decision = {
      allowed,
      totalHits: visit.used,
      remainingHits: remaining,
      resetTime: new Date(resetTime),
    };
    return retryAfter === undefined ? decision : { ...decision, retryAfter };
  }

  /** What is left of limits that nothing was counted by. */
  private get most(): number {
    return Math.min(...this.gate.settings.limits.map(({ capacity }) => capacity));
  }

  /** Decides about a request, and tells `onLimitReached` of a denial. */
  async checkLimit(req: any, res: any): Promise<RateLimitDecision | OlderRateLimitDecision> {
    const visit = await this.admit(req);
    if (visit === undefined) return this.decision(undefined);
    this.follow(visit, req, res, res);
    if (!visit.result.allowed) await this.denied(visit, req, res);
    return this.decision(visit);
  }
}
