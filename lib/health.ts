import { dispose } from './dispose.js';
import { Check, type HealthCounts } from './health/check.js';
import {
  documentOf,
  type Finding,
  type HealthDocument,
  type Identity,
  withoutDetails,
} from './health/document.js';
import { EventLoopLag } from './health/eventLoop.js';
import {
  type HealthHandler,
  type HealthMiddleware,
  handlerOf,
  middlewareOf,
  QUESTIONS,
  type Question,
} from './health/http.js';
import { memoryChecks } from './health/memory.js';
import {
  checkHealthOptions,
  checkSettingsOf,
  type HealthCheckOptions,
  type HealthHandlerOptions,
  type HealthKind,
  type HealthMiddlewareOptions,
  type HealthOptions,
  identityOf,
  lagOf,
} from './health/options.js';
import type { Lifecycle } from './lifecycle.js';
import { observe } from './metrics/member.js';
import { readHealth } from './metrics/readers/operations.js';
import { invalid, oneOf, string } from './validate.js';

/** What {@link Health.getStats} tells. */
export interface HealthStats extends HealthCounts {
  /** Checks that there are, with those of the event loop and memory. */
  checks: number;
}

/**
 * Says whether a service lives, has started, and is ready, in documents of draft-inadarei-api-health-check.
 *
 * It lives as long as it answers, and its checks of that kind pass. It has started once its startup checks have passed, and, with
 * a lifecycle, that is ready; which stays so. It is ready then, unless a check fails, the event loop is late, memory runs out, or
 * the lifecycle is shutting down.
 *
 * As long as it is not closed it samples the event loop's delay, which holds no process.
 */
export class Health {
  readonly #lifecycle: Lifecycle | undefined;
  readonly #identity: Identity;
  readonly #checks = new Map<string, Check>();
  readonly #counts: HealthCounts = { runs: 0, shared: 0, failures: 0, timeouts: 0 };
  readonly #lag: EventLoopLag | undefined;
  #hasStarted = false;

  /** @throws InvalidArgumentError for an option that is unknown, of the wrong type or out of range */
  constructor(options: HealthOptions = {}) {
    checkHealthOptions(options);
    const { lifecycle, checks = {}, eventLoopLag = true, memory = true } = options;
    this.#lifecycle = lifecycle;
    this.#identity = identityOf(options);
    for (const [name, check] of Object.entries(checks)) this.addCheck(name, check);
    if (memory !== false) {
      for (const [key, check] of memoryChecks(memory === true ? {} : memory)) this.#addSignal(key, check);
    }
    observe(this, readHealth);
    if (eventLoopLag === false) return;
    this.#lag = new EventLoopLag(lagOf(eventLoopLag === true ? {} : eventLoopLag));
    this.#addSignal('eventLoop:delay', this.#lag.check);
  }

  /**
   * Adds a check. It is called when somebody asks, once for all who ask meanwhile, and its result is used for a while.
   *
   * @param name `component:measurement`, as `'database:connections'`; without a measurement it is `responseTime`
   * @returns takes it off again; whether it was there
   * @throws InvalidArgumentError for a name that is taken, and for options as the constructor's
   */
  addCheck(name: string, check: HealthCheckOptions | HealthCheckOptions['check']): () => boolean {
    const parts = string('name', name).split(':');
    if (parts.includes('')) invalid('name', "'component' or 'component:measurement'", name);
    const key = parts.length > 1 ? name : `${name}:responseTime`;
    if (this.#checks.has(key)) invalid('name', 'a name that no other check has', name);
    const added = new Check(key, checkSettingsOf(check), this.#counts);
    this.#checks.set(key, added);
    return () => this.#checks.get(key) === added && this.#checks.delete(key);
  }

  /** Whether the process should go on: otherwise it is restarted. */
  live(): Promise<HealthDocument> {
    return this.#ask('live', true);
  }

  /** Whether it should get requests. */
  ready(): Promise<HealthDocument> {
    return this.#ask('ready', true);
  }

  /** Whether it has started. */
  startup(): Promise<HealthDocument> {
    return this.#ask('startup', true);
  }

  /** All of it: as bad as the worst of the three. */
  health(): Promise<HealthDocument> {
    return this.#ask('health', true);
  }

  /**
   * A listener for `http.createServer`, or a route's handler, that answers GET and HEAD: 200 for 'pass' and 'warn', 503 for 'fail'.
   *
   * @throws InvalidArgumentError
   */
  handler(question: Question, options: HealthHandlerOptions = {}): HealthHandler {
    return handlerOf(this.#ask.bind(this), oneOf('question', question, QUESTIONS), options);
  }

  /**
   * Middleware for Express, Connect and the OptimizedRouter that answers its paths as {@link handler} does, and leaves the others.
   *
   * @throws InvalidArgumentError
   */
  middleware(options: HealthMiddlewareOptions = {}): HealthMiddleware {
    return middlewareOf(this.#ask.bind(this), options);
  }

  getStats(): HealthStats {
    return { checks: this.#checks.size, ...this.#counts };
  }

  /** Samples the event loop no more; the rest goes on. Calling it again does nothing. */
  close(): void {
    this.#lag?.close();
    this.#checks.delete('eventLoop:delay');
  }

  /** `close()` at the end of a `using` block. */
  [dispose](): void {
    this.close();
  }

  #addSignal(key: string, check: HealthCheckOptions['check']): void {
    this.addCheck(key, { check, componentType: 'system' });
  }

  async #ask(question: Question, withDetails: boolean): Promise<HealthDocument> {
    const findings = await this.#find(question);
    // Looked at last: a shutdown may have begun meanwhile.
    const standing = question === 'live' ? undefined : this.#standing(question);
    const document = documentOf(this.#identity, findings, standing);
    return withDetails ? document : withoutDetails(document, standing);
  }

  async #find(question: Question): Promise<Finding[]> {
    const [live, startup, ready] = await Promise.all([
      question === 'live' || question === 'health' ? this.#run('live') : [],
      question === 'live' ? [] : this.#start(),
      question === 'ready' || question === 'health' ? this.#run('ready') : [],
    ]);
    return [...live, ...startup, ...ready];
  }

  /** What the startup checks find, until they have passed. */
  async #start(): Promise<Finding[]> {
    if (this.#hasStarted) return [];
    const findings = await this.#run('startup');
    const { status } = documentOf({}, findings, undefined);
    if (status !== 'fail' && this.#lifecycle?.state !== 'starting') this.#hasStarted = true;
    return findings;
  }

  #run(kind: HealthKind): Promise<Finding[]> {
    return Promise.all(
      [...this.#checks.values()].filter((check) => check.kind === kind).map((check) => check.run()),
    );
  }

  /** What the lifecycle has against it. */
  #standing(question: Question): string | undefined {
    const state = this.#lifecycle?.state ?? 'ready';
    if (state === 'ready' || (question === 'startup' && state !== 'starting')) return undefined;
    return state;
  }
}
