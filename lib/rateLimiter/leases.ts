import type { Engine } from './engine.js';
import { ConcurrencyLease, type LeaseKeeper } from './lease.js';
import type { RateLimitResult } from './result.js';

/** Renewals within a window: one can fail without harm. */
const RENEWALS = 3;
/** The longest delay of a timer, in milliseconds. */
const LONGEST = 2 ** 31 - 1;

/** The permits that are held here, and the timer that renews those which are to last as long as their holder. */
export class Leases implements LeaseKeeper {
  private readonly renewed = new Set<ConcurrencyLease>();
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param windowMs how long a permit lasts
   * @param freed is told of keys whose permits were given back
   */
  constructor(
    readonly engine: Engine,
    private readonly windowMs: number,
    readonly freed: (key: string) => void,
  ) {}

  /** A number that no other lease has. */
  newId(): number {
    return 1 + Math.floor(Math.random() * (Number.MAX_SAFE_INTEGER - 1));
  }

  /** The lease of a check with that id. */
  of(key: string, result: RateLimitResult, id: number, isHeld: boolean): ConcurrencyLease {
    return new ConcurrencyLease(this, key, result.cost, id, result.source, isHeld);
  }

  /** Renews a lease until it is released. That does not keep the process alive: with it the permits end. */
  keep(lease: ConcurrencyLease): void {
    if (!lease.active) return;
    this.renewed.add(lease);
    if (this.timer !== undefined) return;
    const delay = Math.min(Math.max(1, Math.floor(this.windowMs / RENEWALS)), LONGEST);
    this.timer = setInterval(() => this.renew(), delay);
    this.timer.unref?.();
  }

  /** How many are renewed. */
  get size(): number {
    return this.renewed.size;
  }

  drop(lease: ConcurrencyLease): void {
    this.renewed.delete(lease);
    if (this.renewed.size === 0) this.stop();
  }

  close(): void {
    this.renewed.clear();
    this.stop();
  }

  private renew(): void {
    for (const lease of this.renewed) void lease.renew();
  }

  private stop(): void {
    if (this.timer !== undefined) clearInterval(this.timer);
    this.timer = undefined;
  }
}
