import type { CacheStats } from '../cache/types.js';
import { DestroyedError } from '../errors.js';
import { binding } from '../native.js';
import { now } from './clock.js';
import type { Engine } from './engine.js';
import type { LimitSettings } from './limits.js';
import { limitNumbers } from './limits.js';
import { ASK, type NativeRateLimiter, OP, ROOM, STATS } from './native.js';
import type { Answer, RateLimitResult, RateLimitSource } from './result.js';
import type { Verdicts } from './verdicts.js';

/** Limits in memory: every operation is decided at once, by the time that `Date.now` tells. */
export class MemoryLimits {
  /** The question and, after {@link apply}, its answer. */
  readonly numbers = new Float64Array(ROOM);
  private readonly native: NativeRateLimiter;

  constructor(
    limits: readonly LimitSettings[],
    blockDuration: number,
    private readonly maxKeys: number,
  ) {
    const options = Float64Array.of(maxKeys, ...limitNumbers(limits, blockDuration));
    this.native = binding.createRateLimiter(options, this.numbers);
  }

  apply(op: number, key: string, amount: number, extra: number): void {
    const { numbers } = this;
    numbers[ASK.op] = op;
    numbers[ASK.amount] = amount;
    numbers[ASK.extra] = extra;
    numbers[ASK.now] = now() * 1000;
    this.native.apply(key);
  }

  /** Keys that are denied or blocked. */
  get blockedCount(): number {
    this.native.sweep(Date.now() * 1000, 0);
    this.native.stats();
    return this.numbers[STATS.blocked]!;
  }

  stats(): CacheStats {
    this.native.stats();
    const { numbers, maxKeys } = this;
    const [hits, misses] = [numbers[STATS.hits]!, numbers[STATS.misses]!];
    return {
      hits,
      misses,
      evictions: numbers[STATS.evictions]!,
      expirations: numbers[STATS.expirations]!,
      hitRate: hits + misses === 0 ? 0 : hits / (hits + misses),
      currentSize: numbers[STATS.size]!,
      maxSize: maxKeys,
    };
  }

  clear(): void {
    this.native.clear();
  }
}

/** The counts are in memory. */
export class MemoryEngine implements Engine {
  private closed = false;

  constructor(
    readonly memory: MemoryLimits,
    private readonly verdicts: Verdicts,
  ) {}

  get blockedCount(): number {
    return this.memory.blockedCount;
  }

  /** @throws DestroyedError */
  checkSync(key: string, cost: number, lease: number): RateLimitResult {
    if (this.closed) throw destroyed();
    this.memory.apply(OP.check, key, cost, lease);
    return this.verdicts.of(key, this.memory.numbers, 0, cost, 'memory');
  }

  check(key: string, cost: number): Promise<RateLimitResult> {
    return this.closed ? Promise.reject(destroyed()) : Promise.resolve(this.checkSync(key, cost, 0));
  }

  async inspect(key: string, cost: number, lease: number): Promise<Answer> {
    const answer = await this.ask(OP.check, key, cost, lease);
    return { ...answer, result: this.verdicts.judge(key, answer.result) };
  }

  async ask(op: number, key: string, amount: number, extra: number): Promise<Answer> {
    if (this.closed) throw destroyed();
    this.memory.apply(op, key, amount, extra);
    return this.verdicts.results.answer(this.memory.numbers, 0, amount, 'memory');
  }

  follow(_: RateLimitSource, op: number, key: string, amount: number, extra: number): Promise<Answer> {
    return this.ask(op, key, amount, extra);
  }

  close(): void {
    this.closed = true;
    this.memory.clear();
  }
}

export const destroyed = (): DestroyedError => new DestroyedError('The rate limiter was destroyed');
