import type { RateLimitResult } from './result.js';

/** A denial that holds for a while. */
interface Denial {
  readonly result: RateLimitResult;
  /** Until when it may be repeated, and when the same may pass, by `performance.now`. */
  readonly until: number;
  readonly retryAt: number;
}

/**
 * Denials by Redis that are repeated here without asking it. Whatever costs as much or more is denied for as long as that
 * was; only what is given back or reset elsewhere meanwhile makes a difference, for `span` milliseconds at most.
 */
export class Denials {
  private readonly known = new Map<string, Denial>();
  /** When a key was reset or blocked last: what was asked before may be of before. */
  private changed = Number.NEGATIVE_INFINITY;

  /** @param maxKeys how many are remembered; the oldest goes first */
  constructor(
    private readonly span: number,
    private readonly maxKeys: number,
  ) {}

  get size(): number {
    return this.known.size;
  }

  /** Remembers a denial of what was asked at a time. */
  note(key: string, result: RateLimitResult, asked: number): void {
    if (asked <= this.changed) return;
    this.known.delete(key);
    if (this.known.size >= this.maxKeys) this.makeRoom(asked);
    // The store decided after that, and its milliseconds are rounded up.
    const span = Math.min(result.retryAfterMs - 1, this.span);
    this.known.set(key, { result, until: asked + span, retryAt: asked + result.retryAfterMs });
  }

  /** The denial of a check, if it is known. */
  find(key: string, cost: number): RateLimitResult | undefined {
    const denial = this.known.get(key);
    if (denial === undefined) return undefined;
    const now = performance.now();
    if (now >= denial.until) {
      this.known.delete(key);
      return undefined;
    }
    if (cost < denial.result.cost) return undefined;
    const retryAfterMs = Math.max(1, Math.ceil(denial.retryAt - now));
    return { ...denial.result, cost, retryAfter: Math.ceil(retryAfterMs / 1000), retryAfterMs };
  }

  forget(key: string): void {
    this.known.delete(key);
  }

  /** A key was reset or blocked. */
  change(key: string): void {
    this.known.delete(key);
    this.changed = performance.now();
  }

  /** How many hold now. */
  count(): number {
    const now = performance.now();
    for (const [key, { until }] of this.known) if (until <= now) this.known.delete(key);
    return this.known.size;
  }

  clear(): void {
    this.known.clear();
  }

  private makeRoom(now: number): void {
    const [oldest] = this.known;
    if (oldest === undefined) return;
    this.known.delete(oldest[0]);
    // The next one is looked at too, so that what is over goes sooner than it has to.
    const [next] = this.known;
    if (next !== undefined && next[1].until <= now) this.known.delete(next[0]);
  }
}
