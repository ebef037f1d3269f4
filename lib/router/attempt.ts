import { RouteTimeoutError } from '../errors.js';
import { type Call, type RequestContext, setParams } from './call.js';
import type { Member } from './group.js';
import type { Admission, Verdict } from './health.js';
import { isThenable, runChain } from './middleware.js';
import type { Next } from './options.js';
import { hasBegun, isLost, isOver, ResponseState, tellsItsEnd } from './respond.js';
import type { RouteErrors } from './route.js';
import { asError, isAbort, isClientError, isFailure } from './thrown.js';
import type { RouteHandler } from './types.js';

/** Methods of which RFC 9110 says that a second request does no more than the first. */
const IDEMPOTENT: readonly unknown[] = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'];
const NONE: readonly Member[] = [];

/** One call of a handler for a request, from its choice to the end of its response. */
export class Attempt implements RequestContext {
  readonly params: Record<string, string>;
  readonly route: RouteHandler;
  readonly attempt: number;
  private readonly call: Call;
  private readonly member: Member;
  /** Those that have tried before. */
  private readonly tried: readonly Member[];
  /** Repetitions that are left. */
  private readonly left: number;
  /** When the handler was called. */
  private began: number | undefined;
  private over = false;
  /** Whether it counts as load. */
  private loads = false;
  private timer: NodeJS.Timeout | undefined;
  private controller: AbortController | undefined;
  /** Why the signal aborted, or would have. */
  private reason: unknown;
  private admission: Admission | undefined;
  private before: ResponseState | undefined;
  private unlisten: (() => void) | undefined;
  /** It timed out with a response that it had begun, and that is its own to end. */
  private owesTheRest = false;

  private constructor(call: Call, member: Member, tried: readonly Member[], left: number) {
    this.call = call;
    this.member = member;
    this.tried = tried;
    this.left = left;
    this.attempt = tried.length + 1;
    this.route = member.route.definition;
    const params = member.params(call.match, call.path);
    // What an attempt does to its parameters is nothing to the next one.
    this.params = left > 0 || tried.length > 0 ? { ...params } : params;
  }

  /** Chooses a handler for a request and lets it try. */
  static first(call: Call): void {
    const { core, req, res, next, group } = call;
    let attempt: Attempt;
    try {
      const member = group.choose(req, NONE);
      member.route.requests++;
      attempt = new Attempt(call, member, NONE, member.route.retries);
      setParams(call, attempt.params);
    } catch (error) {
      // A hashKey that throws, a request that bears no parameters.
      core.answers.failed(asError(error), req, res, next);
      return;
    }
    attempt.start();
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.reason !== undefined) this.controller.abort(this.reason);
      else if (isLost(this.call.res)) this.clientLeft();
      else this.listen();
    }
    return this.controller.signal;
  }

  get rest(): string | undefined {
    return this.call.match.rest;
  }

  /** Middleware of a handler runs once a request, before its first attempt. */
  private start(): void {
    const { member, call } = this;
    const { core, req, res, next } = call;
    if (member.health !== undefined) this.admission = member.health.admit(core.settings.clock());
    const { middleware } = member.route;
    if (middleware.length === 0 || this.tried.includes(member)) {
      this.run();
      return;
    }
    // Middleware may answer, now or later, and say nothing.
    if (tellsItsEnd(res)) {
      this.load();
      this.listen();
    }
    runChain(middleware, req, res, true, {
      done: () => this.run(),
      failed: (error) => {
        member.route.errors.middleware++;
        this.handOver(() => core.answers.failed(error, req, res, next));
      },
      left: () => this.handOver(() => core.answers.leave(req, res, next)),
      late: (error, passed) => core.answers.late(error, passed, req, res, next),
    });
  }

  /** Its middleware has others answer, if the response is not over. */
  private handOver(act: () => void): void {
    const isCounted = this.over;
    if (!isCounted) this.end('unknown');
    act();
    if (!isCounted) this.countAnswer();
  }

  private run(): void {
    const { req, res, core } = this.call;
    const { route } = this.member;
    if (this.over) return;
    this.load();
    if (isLost(res)) {
      this.ended(true);
      return;
    }
    this.began = core.settings.clock();
    try {
      if (this.left > 0) this.before = new ResponseState(res);
      if (route.timeout > 0) this.arm(route.timeout);
      const result: unknown = this.route.handler(req, res, this.nextOfHandler(), this);
      if (isThenable(result)) {
        result.then(
          () => this.settled(),
          (error) => this.failed('rejected', asError(error)),
        );
        // Of a response that does not tell its end, the promise is all there is to know.
        if (!isOver(res) && !tellsItsEnd(res)) return;
      }
    } catch (error) {
      this.failed('thrown', asError(error));
      return;
    }
    this.settled();
  }

  /**
   * The host's own `next`, or one that sees what it is called with: in a bare server, and where an attempt that was
   * given up, or passed the request on, must have no second say.
   */
  private nextOfHandler(): Next {
    const { res, next } = this.call;
    const isOneOfMany = this.member.route.timeout > 0 || this.left > 0;
    if (next !== undefined && !(isOneOfMany && tellsItsEnd(res))) return next;
    return (to) => {
      if (isFailure(to)) this.failed('passed', to);
      else if (!this.over) this.passOn(to);
    };
  }

  private passOn(to: unknown): void {
    const { core, req, res, next } = this.call;
    this.end('success');
    if (next === undefined) core.answers.leave(req, res, undefined);
    else if (to) next(to);
    else next();
    this.countAnswer();
  }

  /** The handler returned, or its promise is fulfilled: what is left is the response. */
  private settled(): void {
    const { res } = this.call;
    if (this.over) return;
    if (isOver(res) || !tellsItsEnd(res)) this.ended(isLost(res));
    else this.listen();
  }

  /** Waits for the end of the response. */
  private listen(): void {
    const { res } = this.call;
    if (this.unlisten !== undefined || typeof res.once !== 'function') return;
    // HTTP/2 says 'finish' of a response that its client gave up, too.
    const finished = () => this.responseOver(res.writableEnded === false);
    const closed = () => this.responseOver(res.writableEnded !== true);
    res.once('finish', finished);
    res.once('close', closed);
    this.unlisten = () => {
      res.removeListener?.('finish', finished);
      res.removeListener?.('close', closed);
    };
  }

  private responseOver(lost: boolean): void {
    if (lost) this.clientLeft();
    this.ended(lost);
  }

  /** The response is complete, or `lost`: it can never be. */
  private ended(lost: boolean): void {
    if (this.over) return;
    const { route } = this.member;
    const { statusCode } = this.call.res;
    if (lost) route.errors.disconnected++;
    else route.countStatus(statusCode);
    const isKnown = !lost && this.began !== undefined;
    this.end(isKnown ? (statusCode >= 500 ? 'failure' : 'success') : 'unknown');
  }

  private failed(cause: keyof RouteErrors, error: unknown): void {
    if (this.over) {
      this.failedLate(error);
      return;
    }
    const { core, req, res, next } = this.call;
    const { errors } = this.member.route;
    if (isLost(res)) {
      errors.disconnected++;
      this.end('unknown');
      this.failedLate(error);
      return;
    }
    errors[cause]++;
    const isAnswer = isClientError(error);
    this.end(isAnswer ? 'success' : 'failure');
    // Only now: whoever listens may answer, throw or call next.
    if (cause === 'timeout') this.abort(error);
    const begun = hasBegun(res);
    if (!begun && !isAnswer && this.repeat(error)) return;
    if (cause === 'timeout' && begun) this.owesTheRest = true;
    else core.answers.failed(error, req, res, next);
    this.countAnswer();
  }

  /** It failed when its part was over. */
  private failedLate(error: unknown): void {
    const { core, req, res, next } = this.call;
    if (this.owesTheRest && !isOver(res)) {
      this.owesTheRest = false;
      core.answers.failed(error, req, res, next);
    } else if (error !== this.reason && !isAbort(error)) {
      // That the client went away, or the time was up, is no news to whoever watches the handlers.
      core.answers.report(error);
    }
  }

  /** Lets another handler try, or the same one where there is no other. */
  private repeat(error: unknown): boolean {
    const { call, member } = this;
    const { core, req, res, group } = call;
    if (this.left === 0 || isOver(res) || group.members.length === 0) return false;
    const { retryNonIdempotent } = core.settings;
    if (!retryNonIdempotent && !IDEMPOTENT.includes(String(req.method).toUpperCase())) return false;
    const tried = [...this.tried, member];
    let another: Attempt;
    try {
      another = new Attempt(call, group.choose(req, tried), tried, this.left - 1);
      setParams(call, another.params);
      this.before?.restore(res);
    } catch {
      // What failed first is worth more than a failure of hashKey.
      return false;
    }
    member.route.retried++;
    const { id } = member.route.definition;
    core.announce('retry', { id, path: group.path, method: group.method, attempt: this.attempt, error });
    another.start();
    return true;
  }

  /** Settles the accounts of this attempt, once. */
  private end(verdict: Verdict): void {
    this.over = true;
    if (this.timer !== undefined) clearTimeout(this.timer);
    // Attempts of one request must not pile up listeners; a response that does not tell may still close.
    if (this.unlisten !== undefined && tellsItsEnd(this.call.res)) this.unlisten();
    const { route } = this.member;
    if (this.loads) route.inFlight--;
    if (this.began !== undefined) route.recordLatency(this.call.core.settings.clock() - this.began);
    this.judge(verdict);
  }

  /** Counts from its choice on, so that others are chosen meanwhile. */
  private load(): void {
    if (this.loads) return;
    this.loads = true;
    this.member.route.inFlight++;
  }

  private judge(verdict: Verdict): void {
    const { admission, member } = this;
    if (admission === undefined) return;
    const { group, core } = this.call;
    const change = group.judge(member, admission, verdict, core.settings.clock());
    if (change === 'none') return;
    const of = { id: this.route.id, path: group.path, method: group.method };
    if (change === 'restored') core.announce('restored', of);
    else core.announce('ejected', { ...of, ejectedFor: member.health!.ejectedFor });
  }

  private arm(timeout: number): void {
    this.timer = setTimeout(() => this.timedOut(timeout), timeout);
    this.timer.unref?.();
  }

  private timedOut(timeout: number): void {
    const { group, core, res } = this.call;
    if (this.over) return;
    if (isOver(res) || (hasBegun(res) && !tellsItsEnd(res))) {
      // Answered in time or given up by the client, be the handler still busy.
      this.ended(isLost(res));
      return;
    }
    const { id } = this.route;
    const error = new RouteTimeoutError(id, timeout);
    core.announce('timeout', { id, path: group.path, method: group.method, timeout, attempt: this.attempt });
    this.failed('timeout', error);
  }

  private abort(reason: unknown): void {
    this.reason = reason;
    this.controller?.abort(reason);
  }

  private clientLeft(): void {
    if (this.reason === undefined) this.abort(new DOMException('The client went away', 'AbortError'));
  }

  /** Counts what a failed request is answered with, now or when a framework or a hook has done it. */
  private countAnswer(): void {
    const { res } = this.call;
    const { route } = this.member;
    const count = () => route.countStatus(res.statusCode);
    // HTTP/2 says 'finish' of a response that its client gave up, too.
    if (tellsItsEnd(res)) res.once('finish', () => res.writableEnded && count());
    else count();
  }
}
