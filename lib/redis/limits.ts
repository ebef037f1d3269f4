import { setImmediate } from 'node:timers';
import { FewAsks } from './few.js';
import { type RedisLink, refusal } from './link.js';
import { ROOM } from './native.js';
import { type Asker, type Origin, Wave } from './wave.js';

export type { Asker } from './wave.js';

/**
 * A limiter whose state is in Redis. All that is asked in a turn of the event loop goes as one batch, and comes back in
 * one callback.
 */
export class RedisLimits {
  readonly #origin: Origin;
  #gathering: Wave | undefined;

  /**
   * @param prefix of the names of keys
   * @param numbers for how many microseconds a denial blocks, then four a limit: algorithm, window, quota, burst
   * @param timeout milliseconds for a batch, connecting included
   */
  constructor(
    readonly link: RedisLink,
    prefix: string,
    numbers: Float64Array,
    timeout: number,
  ) {
    const [id, few] = [link.native.limiter(prefix, numbers), new FewAsks(prefix, numbers)];
    this.#origin = { link, id, few, timeout, waves: new Set() };
  }

  /** Asks about a key: see crates/core/src/rate_limit/operation.rs for the operations and their numbers. */
  ask(op: number, key: string, amount: number, extra: number, asker: Asker): void {
    let wave = this.#gathering;
    if (wave === undefined) {
      wave = this.#gathering = new Wave(this.#origin);
      setImmediate(this.#depart);
    }
    wave.add(op, key, amount, extra, asker);
    if (wave.size === ROOM) this.#depart();
  }

  /** Whoever waits fails. The link is its opener's to close. */
  close(): void {
    const { link, id, waves } = this.#origin;
    link.native.forget(id);
    this.#gathering = undefined;
    for (const wave of waves) wave.failed(refusal('closed', 'The rate limiter was destroyed'));
  }

  readonly #depart = (): void => {
    const wave = this.#gathering;
    this.#gathering = undefined;
    wave?.depart();
  };
}
