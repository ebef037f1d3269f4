import type { RedisError } from '../errors.js';
import type { Asker } from '../redis/limits.js';
import { destroyed } from './memory.js';
import { OP, ROW } from './native.js';
import type { RemoteEngine } from './remote.js';
import type { RateLimitResult } from './result.js';

type Settle = (result: RateLimitResult | PromiseLike<RateLimitResult>) => void;

/** A check that waits for a block. */
interface Claim {
  readonly cost: number;
  readonly resolve: Settle;
  readonly reject: (error: unknown) => void;
}

/** What is held of one key. */
class Block {
  /** Units that are left, and until when they can be used, by `performance.now`. */
  left = 0;
  until = 0;
  /** When Redis counted them, by its own time. */
  at = 0;
  /** The result of the check that took them. */
  result: RateLimitResult | undefined;
  /** Blocks are not asked for before this: there was not enough left for one. */
  barred = 0;
  /** Whether one has been asked for. */
  isAwaited = false;
  claims: Claim[] = [];
}

/**
 * Permits that are taken from Redis in blocks. Who finds none left waits for the next block, which all that wait share;
 * where there is not enough left for a block, each asks for itself.
 */
export class Permits {
  private readonly blocks = new Map<string, Block>();

  constructor(
    private readonly options: { readonly size: number; readonly ttl: number },
    private readonly maxKeys: number,
    private readonly engine: RemoteEngine,
  ) {}

  /** A check that a block decides, or undefined: then Redis is to be asked for itself. */
  take(key: string, cost: number): Promise<RateLimitResult> | undefined {
    if (cost > this.options.size) return undefined;
    const block = this.blocks.get(key) ?? this.add(key);
    const now = this.engine.reading();
    if (block.left >= cost && now < block.until) return Promise.resolve(this.grant(key, block, cost));
    if (!block.isAwaited) {
      if (now < block.barred || !this.engine.health.admits()) return undefined;
      this.giveBack(key, block);
      block.isAwaited = true;
      this.engine.request(
        key,
        this.options.size,
        new BlockRequest(this, key, block, this.engine.health.epoch, now),
      );
    }
    return new Promise((resolve, reject) => block.claims.push({ cost, resolve, reject }));
  }

  /** What Redis admitted belongs to a key that it has forgotten or changed. */
  forget(key: string): void {
    const block = this.blocks.get(key);
    if (block === undefined) return;
    if (block.isAwaited) block.left = 0;
    else this.blocks.delete(key);
  }

  close(): void {
    for (const block of this.blocks.values()) {
      for (const { reject } of block.claims.splice(0)) reject(destroyed());
    }
    this.blocks.clear();
  }

  /** A block came. */
  granted(request: BlockRequest, numbers: Float64Array, place: number): void {
    const { key, block, epoch, asked } = request;
    this.engine.well(epoch);
    block.isAwaited = false;
    const { size, ttl } = this.options;
    if (numbers[place + ROW.allowed] === 1) {
      block.result = this.engine.resultOf(numbers, place, size);
      block.left = size;
      block.until = asked + ttl;
      block.at = numbers[place + ROW.at]!;
    } else {
      block.barred = asked + Math.min(ttl, numbers[place + ROW.retry]! / 1000);
    }
    this.serve(key, block);
  }

  /** None came. */
  failed(request: BlockRequest, error: RedisError): void {
    const { key, block, epoch } = request;
    block.isAwaited = false;
    const claims = block.claims.splice(0);
    if (this.engine.isClosed) {
      for (const { reject } of claims) reject(destroyed());
      return;
    }
    this.engine.ill(epoch, error);
    for (const { cost, resolve } of claims) resolve(this.engine.checkHere(key, cost));
  }

  private serve(key: string, block: Block): void {
    const claims = block.claims.splice(0);
    // Whatever the block does not suffice for asks again, for the next one or for itself.
    for (const { cost, resolve } of claims) {
      resolve(block.left >= cost ? this.grant(key, block, cost) : this.again(key, cost));
    }
  }

  private again(key: string, cost: number): Promise<RateLimitResult> {
    return this.take(key, cost) ?? this.engine.checkThere(key, cost);
  }

  private grant(key: string, block: Block, cost: number): RateLimitResult {
    block.left -= cost;
    const { result } = block;
    return this.engine.grant(key, { ...result!, remaining: result!.remaining + block.left, cost });
  }

  private add(key: string): Block {
    if (this.blocks.size >= this.maxKeys) {
      for (const [oldest, block] of this.blocks) {
        if (block.isAwaited) continue;
        this.giveBack(oldest, block);
        this.blocks.delete(oldest);
        break;
      }
    }
    const block = new Block();
    this.blocks.set(key, block);
    return block;
  }

  /** What was not used in time counts no more. */
  private giveBack(key: string, block: Block): void {
    if (block.left > 0) this.engine.tell(OP.adjust, key, -block.left, block.at);
    block.left = 0;
  }
}

/** A block that has been asked for. */
class BlockRequest implements Asker {
  constructor(
    private readonly permits: Permits,
    readonly key: string,
    readonly block: Block,
    readonly epoch: number,
    readonly asked: number,
  ) {}

  answered(numbers: Float64Array, place: number): void {
    this.permits.granted(this, numbers, place);
  }

  failed(error: RedisError): void {
    this.permits.failed(this, error);
  }
}
