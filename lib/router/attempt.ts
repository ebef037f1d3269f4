import { RouteTimeoutError } from '../errors.js';
import type { Answers } from './answers.js';
import type { RouterEvents } from './events.js';
import type { Group, Member } from './group.js';
import type { Admission, Verdict } from './health.js';
import { asError, isThenable, runChain } from './middleware.js';
import type { Next, RouterSettings } from './options.js';
import { AnswerWatch, hasBegun, isOver, ResponseState, tellsItsEnd } from './respond.js';
import type { RouteErrors } from './route.js';
import type { RouteHandler, RouteMatch } from './types.js';

/** What a handler gets as its fourth argument. */
export interface RequestContext {
  /**
   * Aborts when the attempt has used up its `timeout`, with a `RouteTimeoutError` as its reason, and when the client
   * goes away before the response is complete. Made when it is first asked for.
   */
  readonly signal: AbortSignal;
  /** The path's parameters, decoded. */
  readonly params: Record<string, string>;
  /** What a `*` in last place took. */
  readonly rest: string | undefined;
  /** The route, as it was added. */
  readonly route: RouteHandler;
  /** 1 for the first attempt, 2 for the first repetition. */
  readonly attempt: number;
}

/** What attempts need from their router. */
export interface Core {
  readonly settings: RouterSettings;
  readonly answers: Answers;
  announce<Name extends keyof RouterEvents & string>(event: Name, payload: RouterEvents[Name]): void;
}

/** A request that found its group. */
export interface Call {
  readonly core: Core;
  readonly req: any;
  readonly res: any;
  readonly next: Next | undefined;
  readonly group: Group;
  readonly match: RouteMatch;
  readonly path: string;
}

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
  private began = 0;
  private over = false;
  private timer: NodeJS.Timeout | undefined;
  private controller: AbortController | undefined;
  /** Why the signal aborted, or would have. */
  private reason: unknown;
  private admission: Admission | undefined;
  private before: ResponseState | undefined;
  private watch: AnswerWatch | undefined;
  /** The handler returned, and its promise, if it gave one, is fulfilled. */
  private returned = false;
  private unlisten: (() => void) | undefined;

  private constructor(call: Call, member: Member, tried: readonly Member[], left: number) {
    this.call = call;
    this.member = member;
    this.tried = tried;
    this.left = left;
    this.attempt = tried.length + 1;
    this.route = member.route.definition;
    this.params = member.params(call.match, call.path);
  }

  /** Chooses a handler for a request and lets it try. */
  static first(call: Call): void {
    let member: Member;
    try {
      member = call.group.choose(call.req, NONE);
    } catch (error) {
      // A hashKey that throws.
      call.core.answers.failed(asError(error), call.req, call.res, call.next);
      return;
    }
    member.route.requests++;
    new Attempt(call, member, NONE, member.route.retries).start();
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
    setParams(req, this.params);
    const { middleware } = member.route;
    if (middleware.length === 0 || this.tried.includes(member)) {
      this.run();
      return;
    }
    // Middleware may answer, now or later, and say nothing.
    const tells = tellsItsEnd(res);
    const count = () => member.route.countStatus(res.statusCode);
    if (tells) res.once('finish', count);
    runChain(middleware, req, res, true, {
      done: () => {
        if (tells) res.removeListener('finish', count);
        this.run();
      },
      failed: (error) => {
        member.route.errors.middleware++;
        this.judge('unknown');
        core.answers.failed(error, req, res, next);
        if (!tells) count();
      },
      left: () => {
        this.judge('unknown');
        core.answers.leave(req, res, next);
      },
      late: (error) => core.answers.report(error),
    });
  }

  private run(): void {
    const { req, res, next, core } = this.call;
    const { route } = this.member;
    route.inFlight++;
    if (this.left > 0) this.before = new ResponseState(res);
    if (route.timeout > 0) this.arm(route.timeout);
    this.began = core.settings.clock();
    try {
      const result: unknown = this.route.handler(req, res, next ?? this.makeNext(), this);
      if (isThenable(result)) {
        result.then(
          () => this.settle(true),
          (error) => this.failed('rejected', asError(error)),
        );
        return;
      }
    } catch (error) {
      this.failed('thrown', asError(error));
      return;
    }
    this.settle(false);
  }

  /** A `next` for handlers of a bare server. */
  private makeNext(): Next {
    const { core, req, res } = this.call;
    return (error?: unknown) => {
      if (this.over) return;
      if (error && error !== 'route' && error !== 'router') this.failed('passed', error);
      else {
        this.end('success');
        core.answers.leave(req, res, undefined);
        this.countAnswer();
      }
    };
  }

  /** The handler returned, or its promise is fulfilled: what is left is the response. */
  private settle(byPromise: boolean): void {
    const { res } = this.call;
    if (this.over) return;
    this.returned = true;
    if (isOver(res)) {
      this.ended(isLost(res));
    } else if (tellsItsEnd(res)) {
      this.listen();
    } else if (byPromise || this.timer === undefined || this.hasAnswered()) {
      // A response that does not tell: the handler is through, and that is all there is to know.
      this.ended(false);
    }
  }

  /** Waits for the end of the response. */
  private listen(): void {
    const { res } = this.call;
    if (this.unlisten !== undefined || typeof res.once !== 'function') return;
    const finished = () => this.responseOver(false);
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
    if (this.returned) this.ended(lost);
  }

  /** The response is complete, or `lost`: it can never be. */
  private ended(lost: boolean): void {
    if (this.over) return;
    const { route } = this.member;
    const { statusCode } = this.call.res;
    this.watch?.stop();
    if (lost) route.errors.disconnected++;
    else route.countStatus(statusCode);
    this.end(lost ? 'unknown' : statusCode >= 500 ? 'failure' : 'success');
  }

  private failed(cause: keyof RouteErrors, error: any): void {
    // What comes from a handler after its time is over is its own affair.
    if (this.over) return;
    const { core, req, res, next } = this.call;
    const { errors } = this.member.route;
    if (isLost(res)) {
      errors.disconnected++;
      this.end('unknown');
      // That the client went away is no news to whoever watches the handlers.
      if (error !== this.reason && error?.name !== 'AbortError') core.answers.report(error);
      return;
    }
    errors[cause]++;
    const isAnswer = isClientError(error);
    this.end(isAnswer ? 'success' : 'failure');
    // Only now: whoever listens may answer, throw or call next.
    if (cause === 'timeout') this.abort(error);
    const begun = this.hasAnswered();
    this.watch?.stop();
    if (!begun && !isAnswer && this.repeat(error)) return;
    if (cause !== 'timeout' || !begun) core.answers.failed(error, req, res, next);
    this.countAnswer();
  }

  /** Lets another handler try, or the same one where there is no other. */
  private repeat(error: unknown): boolean {
    const { call, member } = this;
    const { core, req, res, group } = call;
    if (this.left === 0 || isOver(res) || group.members.length === 0) return false;
    const { retryNonIdempotent } = core.settings;
    if (!retryNonIdempotent && !IDEMPOTENT.includes(String(req.method).toUpperCase())) return false;
    const tried = [...this.tried, member];
    let another: Member;
    try {
      another = group.choose(req, tried);
    } catch {
      // What failed first is worth more than a failure of hashKey.
      return false;
    }
    member.route.retried++;
    this.before?.restore(res);
    const { id } = member.route.definition;
    core.announce('retry', { id, path: group.path, method: group.method, attempt: this.attempt, error });
    new Attempt(call, another, tried, this.left - 1).start();
    return true;
  }

  /** Settles the accounts of this attempt, once. */
  private end(verdict: Verdict): void {
    this.over = true;
    if (this.timer !== undefined) clearTimeout(this.timer);
    // Attempts of one request must not pile up listeners; a response that does not tell may still close.
    if (this.unlisten !== undefined && tellsItsEnd(this.call.res)) this.unlisten();
    const { route } = this.member;
    route.inFlight--;
    route.recordLatency(this.call.core.settings.clock() - this.began);
    this.judge(verdict);
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
    const { res } = this.call;
    this.timer = setTimeout(() => this.timedOut(timeout), timeout);
    this.timer.unref?.();
    if (AnswerWatch.isNeeded(res)) this.watch = new AnswerWatch(res, () => this.answered());
  }

  /** A response that does not tell was answered: in time, so that the timeout has nothing left to do. */
  private answered(): void {
    clearTimeout(this.timer);
    if (this.returned) this.ended(false);
  }

  private timedOut(timeout: number): void {
    const { group, core, res } = this.call;
    if (this.over) return;
    if (isOver(res) || (!tellsItsEnd(res) && this.hasAnswered())) {
      // Answered in time or given up by the client, be the handler still busy.
      if (this.returned) this.ended(isLost(res));
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

  private hasAnswered(): boolean {
    return this.watch?.answered === true || hasBegun(this.call.res);
  }

  /** Counts what a failed request is answered with, now or when a framework or a hook has done it. */
  private countAnswer(): void {
    const { res } = this.call;
    const { route } = this.member;
    if (tellsItsEnd(res)) res.once('finish', () => route.countStatus(res.statusCode));
    else route.countStatus(res.statusCode);
  }
}

/** Whether the client went away, or the response was destroyed, before it was ended. */
function isLost(res: any): boolean {
  return res.destroyed === true && res.writableEnded !== true;
}

/** An error that says what the client did wrong, as http-errors make it, is an answer and no failure. */
function isClientError(error: any): boolean {
  const status = error?.status ?? error?.statusCode;
  return status >= 400 && status < 500;
}

/** Merges the path's parameters into those that a host framework, or a mount point, has found. */
function setParams(req: any, params: Record<string, string>): void {
  const given: unknown = req.params;
  // Spreading defines own properties, even one with the name `__proto__`.
  req.params = typeof given === 'object' && given !== null ? { ...given, ...params } : params;
}
