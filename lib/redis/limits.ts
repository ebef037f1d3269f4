import { setImmediate } from 'node:timers';
import { FewAsks } from './few.js';
import { type RedisLink, refusal } from './link.js';
import { ASK, ROOM } from './native.js';
import { type Asker, type Origin, Wave } from './wave.js';

export type { Asker } from './wave.js';

/**
 * So many asks go as two batches if nothing else is under way, so that Redis works on one while the answer to the other
 * is read: those who ask again when they are answered keep the two apart. Not on a Cluster, where the batches would need
 * twice as many calls, as each of them has keys of as many slots.
 */
const MANY = 64;

/**
 * A limiter whose state is in Redis. All that is asked in a turn of the event loop goes as one batch, or two, each of
 * which comes back in one callback.
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
    const asks = new Float64Array(ROOM * ASK);
    this.#origin = { link, id, few, asks, timeout, waves: new Set() };
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
    if (wave === undefined) return;
    const { link, waves } = this.#origin;
    const isHalved = wave.size >= MANY && waves.size === 1 && link.hasOneServer;
    const other = isHalved ? wave.halve() : undefined;
    wave.depart();
    other?.depart();
  };
}
