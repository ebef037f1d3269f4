import { clearTimeout, setTimeout } from 'node:timers';

/** How a load ended: one should look again, or it failed with a message, which is empty where the source has nothing. */
export type Ending = { failed: string } | undefined;

/** A wait for what somebody else loads. */
export interface Wait {
  /** How the load ended since the wait began; after so many milliseconds one should look again in any case. */
  within(ms: number): Promise<Ending>;
  close(): void;
}

/** Waits for what others in the fleet load. Of a key there is one at a time. */
export class Waits {
  readonly #waiting = new Map<string, (ending: Ending) => void>();

  /** Begins to listen, which is to be done before the lease is found taken. */
  begin(key: string): Wait {
    let end!: (ending: Ending) => void;
    const ended = new Promise<Ending>((resolve) => {
      end = resolve;
    });
    this.#waiting.set(key, end);
    return {
      within(ms) {
        const timer = setTimeout(end, ms, undefined);
        return ended.finally(() => clearTimeout(timer));
      },
      close: () => {
        if (this.#waiting.get(key) === end) this.#waiting.delete(key);
      },
    };
  }

  /** The load of a key has ended. */
  end(key: string, ending: Ending): void {
    this.#waiting.get(key)?.(ending);
  }
}
