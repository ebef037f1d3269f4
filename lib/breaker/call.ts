import type { AsyncResource } from 'node:async_hooks';

const NO_ARGS: readonly unknown[] = [];

type Resolve = (value: any) => void;
type Reject = (error: unknown) => void;

/** What becomes of a call that failed instead of its error. What it throws is the call's error. */
export type Recovery = (error: unknown) => unknown;

/** What an action gets as its last argument, where the option `signal` is set. */
export class CallContext {
  #controller: AbortController | undefined;

  /** Aborts with TimeoutError when the call is given up. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** Its signal aborts, now or when the action asks for it. */
  static abort(context: CallContext, reason: unknown): void {
    context.#controller ??= new AbortController();
    context.#controller.abort(reason);
  }
}

/** Where a call is. */
export const STAGE = { free: 0, waiting: 1, running: 2, over: 3 } as const;

/** What ends a call that runs. */
export interface CallEnds {
  succeeded(call: Call, value: unknown): void;
  failed(call: Call, error: unknown): void;
}

/**
 * A call in flight. It is used again for another one after it, with the closures that promises call: but not if it was
 * given up, for then its action's promise may still settle.
 */
export class Call {
  /** One of {@link STAGE}. */
  stage: number = STAGE.free;
  /** When it was asked for, by which it is late. */
  since = 0.5;
  /** For how long it waited for room. */
  waited = 0;
  epoch = 0;
  thisArg: unknown;
  args: readonly unknown[] = NO_ARGS;
  recovery: Recovery | undefined;
  context: CallContext | undefined;
  /** The asynchronous context of the caller, where that is needed. */
  scope: AsyncResource | undefined;
  resolve: Resolve | undefined;
  reject: Reject | undefined;
  /** Its neighbours in flight. */
  earlier: Call | undefined;
  later: Call | undefined;
  readonly succeeded: Resolve;
  readonly failed: Reject;
  private readonly executor: (resolve: Resolve, reject: Reject) => void;

  constructor(ends: CallEnds) {
    this.succeeded = (value) => ends.succeeded(this, value);
    this.failed = (error) => ends.failed(this, error);
    this.executor = (resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    };
  }

  /** Begins a call, and returns its promise. */
  begin(thisArg: unknown, args: readonly unknown[], recovery: Recovery | undefined): Promise<any> {
    this.thisArg = thisArg;
    this.args = args;
    this.recovery = recovery;
    return new Promise(this.executor);
  }

  /** Lets go of everything that belongs to the caller. */
  clear(): void {
    this.thisArg = undefined;
    this.args = NO_ARGS;
    this.recovery = undefined;
    this.context = undefined;
    this.scope = undefined;
    this.resolve = undefined;
    this.reject = undefined;
  }
}
