import { setImmediate, setTimeout } from 'node:timers';
import type { TieredCacheWrite } from './options.js';

/** Writes that go to the source at once. */
const BATCH = 100;
/** Milliseconds until a write that failed is tried again: at first, and at most. */
const [RETRY, MOST_RETRY] = [100, 10_000];

interface Settle {
  resolve(): void;
  reject(error: Error): void;
}

interface Waiting extends Settle {
  readonly key: string;
  readonly value: unknown;
}

interface Flush extends Settle {
  /** Keys whose writes are not there yet. */
  readonly left: Set<string>;
}

type Store = (writes: readonly TieredCacheWrite<unknown>[]) => unknown;

/**
 * Writes that wait for the source in the background, of each key the latest. They go in batches, one at a time; what fails is
 * tried until the source takes it. Pending writes keep the process alive.
 */
export class WriteBehind {
  readonly #pending = new Map<string, unknown>();
  readonly #sending = new Map<string, unknown>();
  /** Writes that wait for room, in their order. */
  readonly #waiting: Waiting[] = [];
  readonly #flushes: Flush[] = [];
  /** Those who wait for the end of all. */
  readonly #ends: (() => void)[] = [];
  #isRunning = false;
  #isGivenUp = false;
  #retry: NodeJS.Timeout | undefined;

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

  /** Takes in a write, as soon as there is room for it. */
  add(key: string, value: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, value, resolve, reject });
      this.#admit();
      if (!this.#isRunning) void this.#run();
    });
  }

  #admit(): void {
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      const { key, value, resolve } = first;
      if (this.size >= this.limit && !this.#pending.has(key)) return;
      this.#waiting.shift();
      // Behind those that came before it.
      this.#pending.delete(key);
      this.#pending.set(key, value);
      resolve();
    }
  }

  /** Resolves when what waits now is written, or what comes after it under its key. */
  written(): Promise<void> {
    const left = new Set([...this.#pending.keys(), ...this.#sending.keys()]);
    if (left.size === 0) return Promise.resolve();
    return new Promise((resolve, reject) => this.#flushes.push({ left, resolve, reject }));
  }

  /** Resolves when nothing waits any more. */
  ended(): Promise<void> {
    return this.#isRunning ? new Promise((resolve) => this.#ends.push(resolve)) : Promise.resolve();
  }

  /** Writes nothing any more, and rejects who waits; how many writes are lost. */
  giveUp(error: Error): number {
    const left = this.size;
    this.#isGivenUp = true;
    this.#retry?.unref();
    this.#pending.clear();
    for (const { reject } of [...this.#waiting.splice(0), ...this.#flushes.splice(0)]) reject(error);
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
        this.#landed();
      } catch (error) {
        this.failed(error, this.#sending.size);
        this.#putBack();
        // One by one, so that a write that the source never takes does not stop the others.
        size = 1;
        const wait = Math.min(RETRY * 2 ** failures++, MOST_RETRY);
        await new Promise((resolve) => {
          this.#retry = setTimeout(resolve, wait);
        });
      }
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
  }

  #landed(): void {
    for (const flush of this.#flushes.splice(0)) {
      for (const key of this.#sending.keys()) flush.left.delete(key);
      if (flush.left.size === 0) flush.resolve();
      else this.#flushes.push(flush);
    }
    this.#sending.clear();
    this.#admit();
  }

  /** Behind the others; what has a later write already needs none. */
  #putBack(): void {
    const failed = [...this.#sending];
    this.#sending.clear();
    if (this.#isGivenUp) return;
    for (const [key, value] of failed) if (!this.#pending.has(key)) this.#pending.set(key, value);
    this.#admit();
  }
}
