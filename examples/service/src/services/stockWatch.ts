import type { TimerManager } from '../lib/utilities/performance/timerManager';
import type { Catalogue } from './catalogue';

/** The new stock, or undefined if it did not change in time or the service stops. */
type Answer = (stock: number | undefined) => void;

/** Long polls: requests held open until a product's stock changes. */
export class StockWatch {
  readonly #waiting = new Map<string, Set<Answer>>();
  #count = 0;

  constructor(
    catalogue: Catalogue,
    private readonly timers: TimerManager,
  ) {
    catalogue.on('stock', (id, stock) => this.#release(id, stock));
  }

  /** How many requests are held now. */
  get waiting(): number {
    return this.#count;
  }

  /**
   * Calls `answer` once: when the stock changes, after `patience` milliseconds, or when the service stops.
   * Returns a function that gives up waiting, after which `answer` is not called.
   */
  wait(id: string, patience: number, answer: Answer): () => void {
    const waiters = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiters);
    const settle: Answer = (stock) => {
      giveUp();
      answer(stock);
    };
    const timer = this.timers.setTimeout(() => settle(undefined), patience);
    const giveUp = () => {
      if (!waiters.delete(settle)) return;
      this.#count--;
      this.timers.clearTimeout(timer);
      if (waiters.size === 0) this.#waiting.delete(id);
    };
    waiters.add(settle);
    this.#count++;
    return giveUp;
  }

  /** Answers everybody who waits, so that the server can close. */
  releaseAll(): void {
    for (const id of [...this.#waiting.keys()]) this.#release(id, undefined);
  }

  #release(id: string, stock: number | undefined): void {
    for (const settle of [...(this.#waiting.get(id) ?? [])]) settle(stock);
  }
}
