import { setImmediate } from 'node:timers';
import type { RedisError } from '../errors.js';
import type { RedisLink, Sender } from './link.js';
import { refusal, throwLater } from './link.js';
import { ROOM, ROW } from './native.js';

/** Who asks. Exactly one of the two is called, once. */
export interface Asker {
  /** The numbers of what came of it begin at `place`, until the call returns. */
  answered(numbers: Float64Array, place: number): void;
  failed(error: RedisError): void;
}

/**
 * A limiter whose state is in Redis. All that is asked in a turn of the event loop goes as one batch, and comes back in
 * one callback.
 */
export class RedisLimits {
  readonly #id: number;
  readonly #waves = new Set<Wave>();
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
    readonly timeout: number,
  ) {
    this.#id = link.native.limiter(prefix, numbers);
  }

  /** Asks about a key: see crates/core/src/rate_limit/operation.rs for the operations and their numbers. */
  ask(op: number, key: string, amount: number, extra: number, asker: Asker): void {
    let wave = this.#gathering;
    if (wave === undefined) {
      wave = this.#gathering = new Wave(this.#waves);
      setImmediate(this.#flush);
    }
    wave.add(op, key, amount, extra, asker);
    if (wave.size === ROOM) this.#flush();
  }

  /** Whoever waits fails. The link is its opener's to close. */
  close(): void {
    this.link.native.forget(this.#id);
    for (const wave of this.#waves) wave.failed(refusal('closed', 'The rate limiter was destroyed'));
    this.#gathering = undefined;
  }

  readonly #flush = (): void => {
    const wave = this.#gathering;
    if (wave === undefined) return;
    this.#gathering = undefined;
    wave.send(this.link, this.#id, this.timeout);
  };
}

/** What was asked in one turn. */
class Wave implements Sender {
  readonly #askers: Asker[] = [];
  readonly #keys: string[] = [];
  readonly #numbers: number[] = [];
  readonly #under: Set<Wave>;

  /** @param under all that is under way, this included until it is done */
  constructor(under: Set<Wave>) {
    this.#under = under.add(this);
  }

  get size(): number {
    return this.#askers.length;
  }

  add(op: number, key: string, amount: number, extra: number, asker: Asker): void {
    this.#askers.push(asker);
    this.#keys.push(key);
    this.#numbers.push(op, amount, extra);
  }

  send(link: RedisLink, id: number, timeout: number): void {
    const keys = this.#keys;
    link.asks.set(this.#numbers);
    for (let index = 0; index < keys.length; index++) link.lengths[index] = keys[index]!.length;
    link.await(link.native.submit(id, keys.length, keys.join(''), timeout), this);
  }

  landed(link: RedisLink): void {
    if (!this.#under.delete(this)) return;
    const { numbers } = link;
    let place = 0;
    for (const asker of this.#askers) {
      const code = numbers[place]!;
      try {
        if (code < 0) asker.failed(link.error(-code));
        else asker.answered(numbers, place);
      } catch (error) {
        throwLater(error);
      }
      place += ROW;
    }
  }

  failed(error: RedisError): void {
    if (!this.#under.delete(this)) return;
    for (const asker of this.#askers) {
      try {
        asker.failed(error);
      } catch (thrown) {
        throwLater(thrown);
      }
    }
  }
}
