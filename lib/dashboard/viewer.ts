/** Milliseconds for which a viewer may take nothing. */
const PATIENCE = 60_000;

/** One stream. What comes while its connection is full is left out, since the next update has it all. */
export class Viewer {
  readonly #res: any;
  #fullSince: number | undefined;

  constructor(res: any) {
    this.#res = res;
    res.on('drain', () => {
      this.#fullSince = undefined;
    });
  }

  send(text: string): void {
    if (this.#fullSince !== undefined) {
      if (performance.now() - this.#fullSince > PATIENCE) this.#res.destroy();
      return;
    }
    if (!this.#res.write(text)) this.#fullSince = performance.now();
    // Of middleware that compresses whatever it is told.
    this.#res.flush?.();
  }

  /** Who does not read would keep the end of his stream waiting too. */
  end(): void {
    if (this.#fullSince === undefined) this.#res.end();
    else this.#res.destroy();
  }
}
