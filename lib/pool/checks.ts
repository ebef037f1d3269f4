import { TimeoutError } from '../errors.js';
import type { Core } from './core.js';
import type { Pooled } from './pooled.js';
import { delayOf, settle } from './settle.js';

/** Asks whether connections are well, and makes them so. */
export class Checks<T> {
  private readonly core: Core<T>;

  constructor(core: Core<T>) {
    this.core = core;
  }

  /** Has the connection of a slot validated; the native core bounds the time that it takes. */
  validate(slot: number): void {
    const { core } = this;
    const pooled = core.places[slot]!;
    if (!core.alive(pooled)) {
      this.answer(pooled, false);
      return;
    }
    if (core.factory.validate === undefined) {
      this.answer(pooled, true);
      return;
    }
    const check = new AbortController();
    pooled.check = check;
    const answered = (ok: boolean): void => {
      if (pooled.check !== check) return;
      pooled.check = undefined;
      this.answer(pooled, ok);
    };
    settle<boolean>(
      () => core.factory.validate!(pooled.connection, { signal: check.signal }),
      (ok) => answered(Boolean(ok)),
      (error) => {
        if (pooled.check === check) pooled.error = error;
        answered(false);
      },
    );
  }

  private answer(pooled: Pooled<T>, ok: boolean): void {
    const { core } = this;
    const now = core.time.now();
    const ticket = core.native.validated(now, pooled.slot, ok ? 1 : 0);
    if (ok) core.rest(pooled, ticket, now);
    core.after();
  }

  /** Resets a connection that comes back. */
  reset(pooled: Pooled<T>): void | Promise<void> {
    const { core } = this;
    let pending = true;
    let resolve: (() => void) | undefined;
    let timer: NodeJS.Timeout | undefined;
    const end = (failure: { error: unknown } | undefined): void => {
      if (!pending) return;
      pending = false;
      clearTimeout(timer);
      // It may have been closed by force meanwhile.
      if (core.places[pooled.slot] === pooled) {
        if (failure === undefined) core.takeBack(pooled);
        else core.discard(pooled, failure.error);
      }
      resolve?.();
    };
    settle<void>(
      () => core.factory.reset!(pooled.connection),
      () => end(undefined),
      (error) => end({ error }),
    );
    if (!pending) return undefined;
    const { validateTimeout } = core.settings;
    const late = () =>
      end({ error: new TimeoutError(`Resetting connection '${pooled.id}'`, validateTimeout) });
    timer = setTimeout(late, delayOf(validateTimeout));
    return new Promise<void>((done) => {
      resolve = done;
    });
  }
}
