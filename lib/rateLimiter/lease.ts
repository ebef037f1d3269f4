import { asyncDispose } from '../dispose.js';
import type { Engine } from './engine.js';
import { OP } from './native.js';
import type { RateLimitSource } from './result.js';

/** Whoever renews leases. */
export interface LeaseKeeper {
  readonly engine: Engine;
  drop(lease: ConcurrencyLease): void;
  /** Permits of a key were given back. */
  freed(key: string): void;
}

/** Permits of a concurrency limit. They end `windowMs` after they were taken or renewed last, or when they are released. */
export class ConcurrencyLease {
  private readonly keeper: LeaseKeeper;
  private readonly source: RateLimitSource;
  private held: boolean;

  /** @internal */
  constructor(
    keeper: LeaseKeeper,
    readonly key: string,
    /** Permits. */
    readonly cost: number,
    /** Unique. */
    readonly id: number,
    source: RateLimitSource,
    held: boolean,
  ) {
    this.keeper = keeper;
    this.source = source;
    this.held = held;
  }

  /** Whether it is held, as far as is known here: false once it is released, or a renewal has found it gone. */
  get active(): boolean {
    return this.held;
  }

  /**
   * Gives the permits back. Resolves to whether they were still held. It never rejects: a release that does not reach
   * Redis leaves them to end by themselves.
   */
  async release(): Promise<boolean> {
    if (!this.held) return false;
    this.held = false;
    this.keeper.drop(this);
    const wasHeld = await this.carryOut(OP.release);
    this.keeper.freed(this.key);
    return wasHeld;
  }

  /** Lets the permits last for `windowMs` from now on. Resolves to whether they are held. It never rejects. */
  async renew(): Promise<boolean> {
    if (!this.held) return false;
    const isHeld = await this.carryOut(OP.renew);
    if (!isHeld && this.held) {
      this.held = false;
      this.keeper.drop(this);
    }
    return isHeld;
  }

  async [asyncDispose](): Promise<void> {
    await this.release();
  }

  private async carryOut(op: number): Promise<boolean> {
    try {
      const { result } = await this.keeper.engine.follow(this.source, op, this.key, this.cost, this.id);
      // Who did not ask Redis does not know.
      return result.allowed || result.source !== this.source;
    } catch {
      return false;
    }
  }
}
