import { setImmediate, setTimeout } from 'node:timers';
import type { TieredCacheWrite } from './options.js';

/** Writes that go to the source at once. */
const BATCH = 100;
/** Milliseconds until a write that failed is tried again: at first, and at most. */
const [RETRY, MOST_RETRY] = [100, 10_000];

type Store = (writes: readonly TieredCacheWrite<unknown>[]) => unknown;

/**
 * Writes that wait for the source in the background, of each key the latest. They go in batches, one at a time; what fails is
 * tried until the source takes it. Pending writes keep the process alive.
 */
export class WriteBehind {
  readonly #pending = new Map<string, unknown>();
  readonly #sending = new Map<string, unknown>();
  /** Those who wait for room, and for the end of all. */
  readonly #rooms: (() => void)[] = [];
  readonly #ends: (() => void)[] = [];
  #isRunning = false;
  #isGivenUp = false;

  constructor(
    private readonly store: Store,
    private readonly limit: number,
    private readonly failed: (error: unknown, writes: number) => void,
  ) {}

  get size(): number {
    return this.#pending.size + this.#sending.size;
  }

  /** What is about to be written under a key. */
  find(key: string): { readonly value: unknown } | undefined {
    if (this.#pending.has(key)) return { value: this.#pending.get(key) };
    return this.#sending.has(key) ? { value: this.#sending.get(key) } : undefined;
  }

  /** Resolves once there is room for a write of the key. */
  async room(key: string): Promise<void> {
    while (this.#pending.size >= this.limit && !this.#pending.has(key)) {
      await new Promise<void>((resolve) => this.#rooms.push(resolve));
    }
  }

  add(key: string, value: unknown): void {
    // Behind those that came before it.
    this.#pending.delete(key);
    this.#pending.set(key, value);
    if (!this.#isRunning) void this.#run();
  }

  /** Resolves when nothing waits any more. */
  ended(): Promise<void> {
    return this.#isRunning ? new Promise((resolve) => this.#ends.push(resolve)) : Promise.resolve();
  }

  /** Writes nothing any more; how many writes are lost. */
  giveUp(): number {
    const left = this.size;
    this.#isGivenUp = true;
    this.#pending.clear();
    return left;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // All writes of a turn go together.
    await new Promise(setImmediate);
    for (let [size, failures] = [BATCH, 0]; this.#pending.size > 0; ) {
      this.#take(size);
      try {
        await this.store([...this.#sending].map(([key, value]) => ({ key, value })));
        [size, failures] = [Math.min(2 * size, BATCH), 0];
      } catch (error) {
        this.failed(error, this.#sending.size);
        if (!this.#isGivenUp) this.#putBack();
        // One by one, so that a write that the source never takes does not stop the others.
        size = 1;
        const wait = Math.min(RETRY * 2 ** failures++, MOST_RETRY);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
      this.#sending.clear();
    }
    this.#isRunning = false;
    for (const end of this.#ends.splice(0)) end();
  }

  #take(size: number): void {
    for (const [key, value] of this.#pending) {
      if (this.#sending.size === size) break;
      this.#sending.set(key, value);
      this.#pending.delete(key);
    }
    for (const go of this.#rooms.splice(0)) go();
  }

  /** Behind the others; what has a later write already needs none. */
  #putBack(): void {
    for (const [key, value] of this.#sending) if (!this.#pending.has(key)) this.#pending.set(key, value);
  }
}
