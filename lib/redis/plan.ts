import { binding } from '../native.js';
import { ASK, type NativePlanner, ROOM, ROW } from './native.js';

/** One call of a limiter's script. */
export interface PlannedCall {
  readonly keys: Buffer[];
  readonly args: string[];
  /** Which of the asks its rows are for, in their order. */
  readonly asks: number[];
}

/** What to send for a limiter over a client that is not ours, and how to read what it answers. */
export class RedisPlanner {
  /** Of the script. */
  readonly source: string;
  /** Rows of the reply read last. */
  readonly numbers = new Float64Array(ROOM * ROW);
  readonly #lengths = new Uint32Array(ROOM);
  readonly #native: NativePlanner;

  /** @param numbers for how many microseconds a denial blocks, then four a limit: algorithm, window, quota, burst */
  constructor(prefix: string, numbers: Float64Array) {
    this.#native = binding.createRateLimitPlanner(prefix, numbers, this.#lengths, this.numbers);
    this.source = this.#native.source();
  }

  /**
   * The calls for at most {@link ROOM} asks.
   *
   * @param numbers operation, amount and extra of each key
   * @param bySlot whether all keys of a call are to be of one slot of a Cluster
   */
  plan(keys: readonly string[], numbers: readonly number[], bySlot: boolean): PlannedCall[] {
    this.numbers.set(numbers.slice(0, keys.length * ASK));
    this.#lengths.set(keys.map((key) => key.length));
    const count = this.#native.plan(keys.length, keys.join(''), bySlot ? 1 : 0);
    return Array.from({ length: count }, (_, index) => this.#call(index));
  }

  /**
   * Reads the reply to a call of `count` asks into {@link numbers}, {@link ROW} numbers each. false: it is none of this
   * script's.
   */
  read(reply: unknown, count: number): boolean {
    if (!Array.isArray(reply) || reply.length > this.numbers.length) return false;
    // Clients can be told to give numbers as strings.
    for (const [place, item] of reply.entries()) this.numbers[place] = Number(item);
    return this.#native.rows(reply.length, count);
  }

  #call(index: number): PlannedCall {
    const bytes = Buffer.allocUnsafe(this.#native.call(index));
    this.#native.bytes(bytes);
    const [keys = 0, args = 0, asks = 0] = this.#lengths;
    let end = 0;
    const parts = Array.from(this.#lengths.subarray(3, 3 + keys + args), (length) => {
      end += length;
      return bytes.subarray(end - length, end);
    });
    return {
      keys: parts.slice(0, keys),
      args: parts.slice(keys).map((part) => part.toString('latin1')),
      asks: Array.from(this.#lengths.subarray(3 + keys + args, 3 + keys + args + asks)),
    };
  }
}
