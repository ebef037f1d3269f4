import { binding } from '../native.js';
import { ASK, type NativePlanner, ROW } from './native.js';

/** Asks at most that go as one command over a connection of Node's own. */
export const FEW = 2;

/** Limits that a key can have, and numbers of an answer about one that is asked for. */
const [LIMITS, NUMBERS] = [16, 5];
/** Bytes of a command; a longer one goes over the link. */
const ROOM = 4096;

/** Commands for a few asks, and what their answers mean. */
export class FewAsks {
  /** What came of the asks whose answer was read last, {@link ROW} numbers each. */
  readonly numbers = new Float64Array(FEW * Math.max(ROW, NUMBERS) + ASK + 1);
  readonly #lengths = new Uint32Array(FEW * (LIMITS + 1));
  readonly #bytes = Buffer.alloc(ROOM);
  readonly #native: NativePlanner;

  /** As of a limiter. */
  constructor(prefix: string, numbers: Float64Array) {
    this.#native = binding.createRateLimitPlanner(prefix, numbers, this.#lengths, this.numbers);
  }

  /** The command for so many keys with {@link ASK} numbers each; undefined if it takes several, or a long one. */
  command(keys: readonly string[], numbers: Float64Array): Uint8Array | undefined {
    this.numbers.set(numbers);
    for (let index = 0; index < keys.length; index++) this.#lengths[index] = keys[index]!.length;
    const length = this.#native.command(keys.length, keys.join(''), this.#bytes);
    if (length === 0 || length > ROOM) return undefined;
    // Node writes it later where the socket is busy.
    return Buffer.from(this.#bytes.subarray(0, length));
  }

  /** Reads the answer to `count` asks. false: it is not of this script. */
  read(answer: readonly number[], count: number): boolean {
    if (answer.length > this.numbers.length) return false;
    this.numbers.set(answer);
    return this.#native.rows(answer.length, count);
  }
}
