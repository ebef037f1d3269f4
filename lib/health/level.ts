import type { HealthStatus } from './document.js';

/** A level that has been reached is left only this far below its threshold, so that the status does not flap around it. */
const RETURN = 0.9;

/** Says what a measurement means. */
export class Level {
  #status: HealthStatus = 'pass';
  readonly #warn: number;
  readonly #fail: number;

  constructor({ warn, fail }: { warn: number; fail: number }) {
    this.#warn = warn;
    this.#fail = fail;
  }

  of(value: number): HealthStatus {
    const fail = this.#status === 'fail' ? this.#fail * RETURN : this.#fail;
    const warn = this.#status === 'pass' ? this.#warn : this.#warn * RETURN;
    if (value >= fail) this.#status = 'fail';
    else if (value >= warn) this.#status = 'warn';
    else this.#status = 'pass';
    return this.#status;
  }
}
