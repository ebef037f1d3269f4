import type { RedisError } from '../errors.js';
import type { Traveller } from './express.js';
import { FEW, type FewAsks } from './few.js';
import { type RedisLink, refusal, type Sender, throwLater } from './link.js';
import { ASK, ROW } from './native.js';
import type { Answer } from './resp.js';

/** Who asks. Exactly one of the two is called, once. */
export interface Asker {
  /** The numbers of what came of it begin at `place`, until the call returns. */
  answered(numbers: Float64Array, place: number): void;
  failed(error: RedisError): void;
}

/** Whose asks a wave has. */
export interface Origin {
  readonly link: RedisLink;
  /** On the link. */
  readonly id: number;
  readonly few: FewAsks;
  /** {@link ASK} numbers for each ask of the wave that gathers. */
  readonly asks: Float64Array;
  /** Milliseconds for each wave. */
  readonly timeout: number;
  /** All waves that are not done. */
  readonly waves: Set<Wave>;
}

/** Redis did nothing, and the link knows what to do about it. */
const NOTHING_DONE = /^-(?:NOSCRIPT|LOADING|BUSY|READONLY|MASTERDOWN|MOVED|ASK|TRYAGAIN|CLUSTERDOWN) /;
const NOT_PERMITTED = /^-(?:NOPERM|NOAUTH|WRONGPASS) /;

/** What was asked in one turn of the event loop. It goes over the link, or, being a few asks, by the short way. */
export class Wave implements Sender, Traveller {
  readonly #origin: Origin;
  readonly #askers: Asker[];
  readonly #keys: string[];
  /** Where its first ask is in what gathers. */
  readonly #first: number;
  /** What it asks, where it may have to ask again: others gather meanwhile. */
  #numbers: Float64Array | undefined;
  #departure = 0;

  constructor(origin: Origin, askers: Asker[] = [], keys: string[] = [], first = 0) {
    this.#origin = origin;
    this.#askers = askers;
    this.#keys = keys;
    this.#first = first;
    origin.waves.add(this);
  }

  get size(): number {
    return this.#askers.length;
  }

  add(op: number, key: string, amount: number, extra: number, asker: Asker): void {
    const { asks } = this.#origin;
    const place = this.#askers.length * ASK;
    asks[place] = op;
    asks[place + 1] = amount;
    asks[place + 2] = extra;
    this.#askers.push(asker);
    this.#keys.push(key);
  }

  /** Leaves the second half of its asks to another wave. */
  halve(): Wave {
    const half = this.size >> 1;
    return new Wave(this.#origin, this.#askers.splice(half), this.#keys.splice(half), this.#first + half);
  }

  depart(): void {
    const { link, few, asks, timeout } = this.#origin;
    const isShort = this.size <= FEW && link.express.isFree;
    const numbers = asks.subarray(this.#first * ASK, (this.#first + this.size) * ASK);
    const command = isShort ? few.command(this.#keys, numbers) : undefined;
    if (command === undefined) {
      this.#send(numbers, timeout);
      return;
    }
    this.#numbers = numbers.slice();
    this.#departure = performance.now();
    link.express.send(command, timeout, this);
  }

  landed(link: RedisLink): void {
    if (!this.#origin.waves.delete(this)) return;
    this.#deliver(link.numbers, (code) => link.error(code));
  }

  arrived(answer: Answer): void {
    const { few, link, timeout, waves } = this.#origin;
    if (typeof answer === 'string') {
      this.#refused(answer, timeout);
    } else if (!few.read(answer, this.size)) {
      this.failed(
        refusal('server', "Redis answered a rate limiter's script with something else than its numbers"),
      );
    } else if (waves.delete(this)) {
      this.#deliver(few.numbers, (code) => link.error(code));
    }
  }

  late(): void {
    this.failed(refusal('timeout', 'Redis: no reply in time'));
  }

  lost(): void {
    this.failed(refusal('connection', 'Redis: the connection was lost'));
  }

  failed(error: RedisError): void {
    if (!this.#origin.waves.delete(this)) return;
    for (const asker of this.#askers) {
      try {
        asker.failed(error);
      } catch (thrown) {
        throwLater(thrown);
      }
    }
  }

  #refused(line: string, timeout: number): void {
    const { link, waves } = this.#origin;
    if (!NOTHING_DONE.test(line)) {
      this.failed(refusal(NOT_PERMITTED.test(line) ? 'permission' : 'server', `Redis: ${line.slice(1)}`));
      return;
    }
    if (line.startsWith('-READONLY')) link.express.leave();
    if (waves.has(this))
      this.#send(this.#numbers!, Math.max(0, timeout - (performance.now() - this.#departure)));
  }

  #send(numbers: Float64Array, timeout: number): void {
    const { link, id } = this.#origin;
    const keys = this.#keys;
    link.asks.set(numbers);
    for (let index = 0; index < keys.length; index++) link.lengths[index] = keys[index]!.length;
    link.await(link.native.submit(id, keys.length, keys.join(''), timeout), this);
  }

  #deliver(numbers: Float64Array, errorOf: (code: number) => RedisError): void {
    let place = 0;
    for (const asker of this.#askers) {
      const allowed = numbers[place]!;
      try {
        if (allowed < 0) asker.failed(errorOf(-allowed));
        else asker.answered(numbers, place);
      } catch (error) {
        throwLater(error);
      }
      place += ROW;
    }
  }
}
