/** Who has something to do at an event of the process: one listener for all, as long as there are any. */
class Listeners<T> {
  readonly #event: 'exit' | 'SIGHUP';
  readonly #all = new Set<T>();
  readonly #answer: () => void;

  constructor(event: 'exit' | 'SIGHUP', answer: (all: ReadonlySet<T>) => void) {
    this.#event = event;
    this.#answer = () => answer(this.#all);
  }

  add(one: T): void {
    if (this.#all.size === 0) process.on(this.#event, this.#answer);
    this.#all.add(one);
  }

  delete(one: T): void {
    if (this.#all.delete(one) && this.#all.size === 0) process.off(this.#event, this.#answer);
  }
}

/** Has something to write until the process, or this thread, has ended. */
export interface Writer {
  /** Begins to write. */
  push(): void;
  /** Waits until that is done; so many ms of the time for it have passed. */
  drain(passed: number): void;
}

/** All of them write at once, so that those which cannot take no longer together than one. */
export const atExit: Listeners<Writer> = new Listeners('exit', (all) => {
  const began = performance.now();
  for (const writer of all) writer.push();
  for (const writer of all) writer.drain(performance.now() - began);
});

/** At SIGHUP, which then does not end the process. */
export const atHangup: Listeners<() => void> = new Listeners('SIGHUP', (all) => {
  for (const answer of all) answer();
});
