import diagnosticsChannel from 'node:diagnostics_channel';
import { dispose } from '../dispose.js';
import { InvalidArgumentError, RemoteStoreError } from '../errors.js';
import { ObservableEmitter } from '../events.js';
import { type Abortable, unwatch, watch } from '../signals.js';
import { integer } from '../validate.js';
import {
  type AcquireOptions,
  type CheckOptions,
  checkCost,
  checkOptions,
  costOf,
  type KeyCheck,
  keyOf,
  type PeekOptions,
  peekOptions,
  unitsOf,
  type WaitOptions,
  waitOptions,
} from './calls.js';
import { connectMiddleware, type RateLimitMiddleware } from './connect.js';
import type { Engine } from './engine.js';
import type { RateLimiterEvents } from './events.js';
import { fastifyHook, type RateLimitHook } from './fastify.js';
import { type FetchHandler, type FetchInfo, fetchGuard, limitedFetch } from './fetch.js';
import { newCounts, type RateLimiterMetrics, type RateLimiterStats } from './figures.js';
import type { RateLimitDecision } from './httpOptions.js';
import type { ConcurrencyLease } from './lease.js';
import { Leases } from './leases.js';
import { destroyed, MemoryEngine } from './memory.js';
import { MAX_WINDOW, OP } from './native.js';
import { type RateLimiterConfig, type Settings, settingsOf } from './options.js';
import { WaitingLines } from './queue.js';
import type { Answer, RateLimitResult } from './result.js';
import { openStore, type Store } from './store.js';
import { Verdicts } from './verdicts.js';
import { type Gate, Visits } from './visits.js';

const deniedChannel = diagnosticsChannel.channel('keelson:rate-limiter:rate-limit');

/** What a call that waits got, and the id of its permit. */
interface Taken extends Answer {
  readonly id: number;
}

/** What users know as DistributedRateLimiter. Its fields are hidden from logs too: how to connect has a password in it. */
export class RateLimiter<Decision = RateLimitDecision> extends ObservableEmitter<RateLimiterEvents> {
  readonly #settings: Settings;
  readonly #counts = newCounts();
  readonly #verdicts: Verdicts;
  readonly #store: Store;
  readonly #engine: Engine;
  /** The limits in memory, if the counts are there. */
  readonly #memory: MemoryEngine | undefined;
  readonly #leases: Leases;
  readonly #lines: WaitingLines<Taken>;
  readonly #visits: Visits;
  #isDestroyed = false;

  constructor(config: RateLimiterConfig, isOlder: boolean) {
    super('rate-limiter');
    const settings = settingsOf(config, isOlder);
    this.#settings = settings;
    this.#verdicts = new Verdicts(settings, this.#counts, (key, result) => this.denied(key, result));
    this.#store = openStore(settings, this.#verdicts, this.#counts, {
      failed: (error) => this.announceSoon('redis-error', error),
      recovered: (downMs) => this.announceSoon('recovered', { downMs }),
    });
    const { engine } = this.#store;
    this.#engine = engine;
    this.#memory = engine instanceof MemoryEngine ? engine : undefined;
    this.#leases = new Leases(engine, permitWindow(settings), (key) => this.#lines.hurry(key));
    this.#lines = new WaitingLines({
      attempt: (key, cost) => this.attempt(key, cost),
      undo: (key, taken) => void this.undo(key, taken).catch(() => {}),
    });
    this.#visits = new Visits(this.gate(config, isOlder));
  }

  /** Whether `destroy()` was called. */
  get destroyed(): boolean {
    return this.#isDestroyed;
  }

  /** Where it counts: here, or in Redis. */
  get storeKind(): 'memory' | 'redis' {
    return this.#memory === undefined ? 'redis' : 'memory';
  }

  /**
   * Counts units of a key, if all limits admit them. Of several checks that are made in one turn of the event loop, Redis
   * gets one batch.
   *
   * Rejects with InvalidArgumentError, CostAboveQuotaError, the signal's reason, and with DestroyedError; never because of
   * Redis.
   */
  check(key: string, options?: CheckOptions): Promise<RateLimitResult> {
    if (options === undefined && typeof key === 'string' && !this.#settings.hasLeases) {
      return this.#engine.check(key, 1);
    }
    return this.checkWith(key, options);
  }

  private async checkWith(key: string, given: CheckOptions = {}): Promise<RateLimitResult> {
    const { cost: asked, signal } = checkOptions(given);
    const cost = costOf(asked, this.#settings.highestCost);
    keyOf(key);
    signal?.throwIfAborted();
    const result = this.#settings.hasLeases ? this.checkHeld(key, cost) : this.#engine.check(key, cost);
    if (signal === undefined || this.#memory !== undefined) return result;
    return until(result, signal, ({ lease }) => void lease?.release());
  }

  /** A check that takes permits. */
  private async checkHeld(key: string, cost: number): Promise<RateLimitResult> {
    const id = this.#leases.newId();
    const { result } = await this.#engine.inspect(key, cost, id);
    return this.#verdicts.isCounted(result)
      ? { ...result, lease: this.#leases.of(key, result, id, true) }
      : result;
  }

  /**
   * Decides at once, where the counts are in memory.
   *
   * @throws RemoteStoreError if they are in Redis
   * @throws InvalidArgumentError, CostAboveQuotaError, DestroyedError
   */
  checkSync(key: string, options?: Pick<CheckOptions, 'cost'>): RateLimitResult {
    const memory = this.#memory;
    if (memory === undefined) {
      throw new RemoteStoreError('checkSync() is for counts in memory, and these are in Redis: use check()');
    }
    if (options === undefined && typeof key === 'string' && !this.#settings.hasLeases) {
      return memory.checkSync(key, 1, 0);
    }
    const cost = costOf(checkOptions(options ?? {}).cost, this.#settings.highestCost);
    keyOf(key);
    if (!this.#settings.hasLeases) return memory.checkSync(key, cost, 0);
    const id = this.#leases.newId();
    const result = memory.checkSync(key, cost, id);
    return this.#verdicts.isCounted(result)
      ? { ...result, lease: this.#leases.of(key, result, id, true) }
      : result;
  }

  /** Checks several keys, each by itself and in their order; results are in that order. Rejects as `check` does. */
  async checkMany(checks: readonly (string | KeyCheck)[]): Promise<RateLimitResult[]> {
    if (!Array.isArray(checks)) throw new InvalidArgumentError('"checks" must be an array');
    const { highestCost, hasLeases } = this.#settings;
    const wanted = checks.map((one): [string, number] =>
      typeof one === 'string' ? [one, 1] : [keyOf(one?.key), costOf(one.cost, highestCost)],
    );
    return Promise.all(
      wanted.map(([key, cost]) => (hasLeases ? this.checkHeld(key, cost) : this.#engine.check(key, cost))),
    );
  }

  /** What a check would come to; it counts nothing. */
  async peek(key: string, options: PeekOptions = {}): Promise<RateLimitResult> {
    const cost = costOf(peekOptions(options).cost, this.#settings.highestCost, 0);
    return (await this.#engine.ask(OP.peek, keyOf(key), cost, 0)).result;
  }

  /** Forgets a key: what it used, its blocks and its permits. The result tells how it stands then. */
  reset(key: string): Promise<RateLimitResult> {
    return this.change(OP.reset, key, 0, 0);
  }

  /** Counts units of a key in any case, up to twice the quota. */
  async penalty(key: string, units = 1): Promise<RateLimitResult> {
    return this.change(OP.adjust, key, unitsOf(units), units);
  }

  /** Gives back units of a key, those counted last. */
  async reward(key: string, units = 1): Promise<RateLimitResult> {
    return this.change(OP.adjust, key, -unitsOf(units), units);
  }

  /** Denies everything of a key for so many milliseconds from now on, instead of any block before; 0 ends that. */
  async block(key: string, ms: number): Promise<RateLimitResult> {
    return this.change(OP.block, key, integer('ms', ms, 0, Math.floor(MAX_WINDOW / 1000)) * 1000, 0);
  }

  private async change(op: number, key: string, amount: number, cost: number): Promise<RateLimitResult> {
    const { result } = await this.#engine.ask(op, keyOf(key), amount, 0);
    this.#lines.hurry(key);
    return { ...result, cost };
  }

  /**
   * Waits until a check passes, and counts it then. Calls of one key go in their order, here; other processes may come
   * between.
   *
   * Rejects as `check` does, with TimeoutError, and with QueueFullError.
   */
  async waitFor(key: string, options: WaitOptions = {}): Promise<RateLimitResult> {
    const wish = waitOptions(options, ['cost', 'signal', 'timeout', 'maxWaiting']);
    const taken = await this.wait(key, wish);
    return this.#settings.hasLeases ? { ...taken.result, lease: this.leaseOf(key, taken) } : taken.result;
  }

  /**
   * Waits for permits of a `concurrency` limit. They are renewed until they are released, or the process ends.
   *
   * Rejects as `waitFor` does.
   */
  async acquire(key: string, options: AcquireOptions = {}): Promise<ConcurrencyLease> {
    if (!this.#settings.hasLeases) {
      throw new InvalidArgumentError(`acquire() needs a limit whose algorithm is 'concurrency'`);
    }
    const wish = waitOptions(options, ['cost', 'signal', 'timeout', 'maxWaiting', 'renew']);
    const lease = this.leaseOf(key, await this.wait(key, wish));
    if (wish.renew) this.#leases.keep(lease);
    return lease;
  }

  private leaseOf(key: string, { result, id }: Taken): ConcurrencyLease {
    return this.#leases.of(key, result, id, this.#verdicts.isCounted(result));
  }

  private async wait(key: string, wish: ReturnType<typeof waitOptions>): Promise<Taken> {
    if (this.#isDestroyed) throw destroyed();
    const { highestCost, limits, shadow } = this.#settings;
    const cost = costOf(wish.cost, highestCost);
    // It would wait for ever.
    if (limits.some(({ capacity }) => capacity === 0)) checkCost(cost, 0);
    const wait = { ...wish, key: keyOf(key), cost };
    if (!shadow) {
      const taken = await this.#lines.join(wait);
      return { ...taken, result: this.#verdicts.judge(key, taken.result) };
    }
    const id = this.#leases.newId();
    return { ...(await this.#engine.inspect(key, cost, id)), id };
  }

  private async attempt(key: string, cost: number): Promise<Taken> {
    const { blockDuration, hasLeases } = this.#settings;
    if (blockDuration > 0) {
      // Who waits is not to be blocked for trying.
      const look = await this.#engine.ask(OP.peek, key, cost, 0);
      if (!look.result.allowed) return { ...look, id: 0 };
    }
    const id = hasLeases ? this.#leases.newId() : 0;
    return { ...(await this.#engine.ask(OP.check, key, cost, id)), id };
  }

  private undo(key: string, { result: { source, cost }, at, id }: Taken): Promise<unknown> {
    return this.#settings.hasLeases
      ? this.#engine.follow(source, OP.release, key, cost, id)
      : this.#engine.follow(source, OP.adjust, key, -cost, at);
  }

  /**
   * Counts a request, and calls `onLimitReached` if it is denied. What is given back, by `skipSuccessfulRequests` and such,
   * is so when `res` is over.
   *
   * Rejects with CostAboveQuotaError and DestroyedError.
   */
  checkLimit(req: any, res?: any): Promise<Decision> {
    return this.#visits.checkLimit(req, res) as Promise<Decision>;
  }

  /** The key that a request is counted by. Rejects if its generator does, or gives none. */
  keyOf(req: any): Promise<string> {
    return this.#visits.keyOf(req);
  }

  /** Middleware for Express, Connect and the like. */
  middleware(): RateLimitMiddleware {
    return connectMiddleware(this.#visits, this.#settings.http);
  }

  /** A hook for Fastify: `fastify.addHook('onRequest', limiter.fastifyHook())`. */
  fastifyHook(): RateLimitHook {
    return fastifyHook(this.#visits, this.#settings.http);
  }

  /**
   * For handlers that speak `fetch`: resolves to the answer if a request is denied, and to undefined if it passes. It does
   * not learn what became of that: nothing is given back, and a permit ends by itself.
   */
  guard(request: Request, info?: FetchInfo): Promise<Response | undefined> {
    return fetchGuard(this.#visits, this.#settings.http, request, info);
  }

  /**
   * Puts the limiter before a handler that speaks `fetch`. The responses tell of the limits. A request is over, and its
   * permit given back, when the handler has given its response: the body may still be on its way.
   *
   * @param infoOf the client's address, from what the server gives beside the request
   */
  limitFetch<Rest extends unknown[]>(
    handler: FetchHandler<Rest>,
    infoOf?: (request: Request, ...rest: Rest) => FetchInfo,
  ): (request: Request, ...rest: Rest) => Promise<Response> {
    return limitedFetch(this.#visits, this.#settings.http, handler, infoOf);
  }

  getStats(): RateLimiterStats {
    return { cacheStats: this.#store.keys(), blockedCount: this.#engine.blockedCount };
  }

  /** Counters by cause, and how the store is. */
  metrics(): RateLimiterMetrics {
    const { fallbacks, errors } = this.#counts;
    return {
      ...this.#counts,
      fallbacks: { ...fallbacks },
      errors: { ...errors },
      waiting: this.#lines.size,
      renewedLeases: this.#leases.size,
      store: this.#store.metrics(),
      keys: this.#store.keys(),
      blockedCount: this.#engine.blockedCount,
    };
  }

  /** Forgets what is counted in memory, and leaves Redis. Calls that wait, and calls from now on, reject with DestroyedError. */
  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#lines.close();
    this.#leases.close();
    this.#engine.close();
  }

  [dispose](): void {
    this.destroy();
  }

  private gate(config: RateLimiterConfig, isOlder: boolean): Gate {
    const settings = this.#settings;
    return {
      ...{ config, settings, isOlder, engine: this.#engine, verdicts: this.#verdicts },
      ...{ leases: this.#leases, counts: this.#counts },
      checkCost: (cost) => checkCost(cost, settings.highestCost),
      report: (error) => this.announce('error', error),
    };
  }

  private denied(key: string, result: RateLimitResult): void {
    if (this.listenerCount('rate-limit') === 0 && !deniedChannel.hasSubscribers) return;
    if (this.#memory === undefined) this.announceSoon('rate-limit', { key, result });
    else this.announce('rate-limit', { key, result });
  }

  /** Announces something when the answers that have come are dealt with: a listener may ask on, in the same memory. */
  private announceSoon<Name extends keyof RateLimiterEvents & string>(
    event: Name,
    payload: RateLimiterEvents[Name],
  ): void {
    void Promise.resolve().then(() => this.announce(event, payload));
  }
}

/** How long a permit lasts: the shortest window of those that have permits. */
function permitWindow({ limits }: Settings): number {
  const windows = limits.map(({ algorithm, windowMs }) =>
    algorithm === 'concurrency' ? windowMs : Number.POSITIVE_INFINITY,
  );
  return Math.min(...windows);
}

/** What a promise comes to, or a signal's reason if that is sooner; what comes later is `dropped`. */
function until<T>(promise: Promise<T>, signal: AbortSignal, dropped: (value: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const abortable: Abortable = {
      cancel: (reason) => {
        isOver = true;
        reject(reason);
      },
    };
    const end = (): void => unwatch(signal, abortable);
    watch(signal, abortable);
    promise.then(
      (value) => {
        end();
        if (isOver) dropped(value);
        else resolve(value);
      },
      (error) => {
        end();
        reject(error);
      },
    );
  });
}
