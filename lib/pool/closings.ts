import { TimeoutError } from '../errors.js';
import type { Core } from './core.js';
import { CLOSE_REASONS } from './events.js';
import type { Pooled } from './pooled.js';
import { delayOf, settle } from './settle.js';

/** Closes connections. */
export class Closings<T> {
  private readonly core: Core<T>;
  /** Those that bound a `destroy`. */
  private readonly timers = new Set<NodeJS.Timeout>();
  /** Whether the process is to wait. */
  private held = false;

  constructor(core: Core<T>) {
    this.core = core;
  }

  /** @param reason as the native core numbers them */
  begin(slot: number, reason: number): void {
    const { core } = this;
    const pooled = core.places[slot]!;
    core.places[slot] = undefined;
    pooled.endLoan();
    const { check, error } = pooled;
    pooled.check = undefined;
    const name = core.forced ? 'closing' : CLOSE_REASONS[reason - 1]!;
    core.figures.closed[name]++;
    if (core.closed) core.ref(pooled);
    this.destroy(pooled);
    check?.abort();
    core.emit('close', { pool: core.name, id: pooled.id, reason: name, error });
  }

  /** From now on the process waits for those that are closing. */
  hold(): void {
    this.held = true;
    for (const timer of this.timers) timer.ref?.();
  }

  private destroy(pooled: Pooled<T>): void {
    const { core } = this;
    let over = false;
    let timer: NodeJS.Timeout | undefined;
    const gone = (): void => {
      if (over) return;
      over = true;
      if (timer !== undefined) this.forget(timer);
      core.known.delete(pooled.connection);
      core.native.closed(core.time.now(), pooled.slot);
      core.after();
    };
    settle(
      () => core.factory.destroy?.(pooled.connection),
      gone,
      (error) => {
        core.emit('error', error);
        gone();
      },
    );
    if (!over) timer = this.bound(pooled.id, gone);
  }

  private bound(id: string, gone: () => void): NodeJS.Timeout {
    const { closeTimeout } = this.core.settings;
    const timer = setTimeout(() => {
      this.core.emit('error', new TimeoutError(`Destroying connection '${id}'`, closeTimeout));
      gone();
    }, delayOf(closeTimeout));
    if (!this.held) timer.unref?.();
    this.timers.add(timer);
    return timer;
  }

  private forget(timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    this.timers.delete(timer);
  }
}
