import { setImmediate } from 'node:timers';

/** Answers that are given at once in one turn of the event loop. */
const AT_ONCE = 1000;

/**
 * Gives answers that need no word of Redis. Of so many in one turn the rest come in the next: who asks in a loop until
 * something passes would let nothing else happen, the return of Redis included.
 */
export class Pace {
  private given = 0;

  give<T>(answer: T): Promise<T> {
    if (this.given++ === 0) setImmediate(this.turn).unref();
    if (this.given <= AT_ONCE) return Promise.resolve(answer);
    return new Promise((resolve) => setImmediate(resolve, answer));
  }

  private readonly turn = (): void => {
    this.given = 0;
  };
}
