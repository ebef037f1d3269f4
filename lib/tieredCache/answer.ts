import { clearTimeout, setTimeout } from 'node:timers';
import type { Known } from './near.js';

/** What callers of a load get: what it brings, or something stale if that takes too long or fails. */
export class Answer {
  #promise!: Promise<unknown>;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;
  /** Something stale, while nothing better is there. */
  #known: Known | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isGiven = false;
  #hasEnded = false;
  readonly #began = performance.now();

  /** @param spans of a value after its ttl, in milliseconds, and how long it is waited for something better */
  constructor(
    private readonly spans: { stale: number; grace: number; softTimeout: number },
    private readonly gave: (how: 'stale' | 'grace') => void,
  ) {
    this.#begin();
  }

  #begin(): void {
    this.#isGiven = false;
    this.#promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** What a caller gets who asks now. */
  get promise(): Promise<unknown> {
    // What is stale is given for so long, however long the load may take.
    if (this.#isGiven && !this.#hasEnded && !this.#lasts(this.spans.stale)) this.#begin();
    return this.#promise;
  }

  /** Whether what is stale is of use, so many milliseconds after its time. */
  #lasts(span: number): boolean {
    return this.#known !== undefined && this.#known.envelope.freshUntil + span > Date.now();
  }

  /** Something stale that was found. */
  offer(known: Known): void {
    const { stale, softTimeout } = this.spans;
    this.#known = known;
    if (this.#isGiven || !this.#lasts(stale)) return;
    clearTimeout(this.#timer);
    const wait = this.#began + softTimeout - performance.now();
    if (wait <= 0) this.#give('stale', known);
    else this.#timer = setTimeout(() => this.#give('stale', known), wait);
  }

  loaded(value: unknown): void {
    this.#end();
    this.#resolve(value);
  }

  /** Returns what was given instead, and whether nobody is told of the error. */
  failed(error: unknown): { stale: Known | undefined; isUntold: boolean } {
    const [known, wasGiven] = [this.#known, this.#isGiven];
    this.#end();
    const stale = this.#lasts(this.spans.grace) ? known : undefined;
    if (stale !== undefined && !wasGiven) this.#give('grace', stale);
    else if (!wasGiven) this.#reject(error);
    return { stale, isUntold: stale !== undefined || wasGiven };
  }

  #give(how: 'stale' | 'grace', { value }: Known): void {
    this.#isGiven = true;
    this.gave(how);
    this.#resolve(value);
  }

  #end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }
}
