import type { RedisError } from '../errors.js';
import type { RedisItem, RedisLink, RedisReply } from './link.js';
import { ITEM, ROOM } from './native.js';

/** A Lua script, and a Redis that runs it. */
export interface Script {
  /**
   * Calls it once. On a Cluster all keys are of one slot.
   *
   * @param timeout milliseconds, connecting included
   * @param isIdle whether the process may end before the answer
   * @throws RedisError
   */
  run(
    keys: readonly string[],
    args: readonly string[],
    timeout: number,
    isIdle?: boolean,
  ): Promise<RedisReply>;
  /** Forgets it. */
  close(): void;
}

/** A Lua script on a link. Redis is sent its text when it does not have it yet. */
export class RedisScript implements Script {
  readonly #id: number;

  constructor(
    readonly link: RedisLink,
    source: string,
  ) {
    this.#id = link.native.script(source);
  }

  /** What was sent when a connection is lost is not sent again. */
  run(
    keys: readonly (string | Uint8Array)[],
    args: readonly (string | Uint8Array)[],
    timeout: number,
    isIdle = false,
  ): Promise<RedisReply> {
    const { native, lengths } = this.link;
    const parts = [...keys, ...args].map((part) => (typeof part === 'string' ? Buffer.from(part) : part));
    if (parts.length > ROOM) throw new RangeError(`A script takes ${ROOM} keys and arguments at most`);
    for (const [index, part] of parts.entries()) lengths[index] = part.length;
    const ticket = native.run(this.#id, keys.length, parts.length, Buffer.concat(parts), timeout);
    return new Promise((resolve, reject) => {
      const landed = (link: RedisLink): void => {
        const code = -link.numbers[0]!;
        if (code > 0) reject(link.error(code));
        else resolve(replyOf(link));
      };
      this.link.await(ticket, { isIdle, landed, failed: (error: RedisError) => reject(error) });
    });
  }

  close(): void {
    this.link.native.forget(this.#id);
  }
}

/** Reads the reply that the link has taken: of each item its kind and its value or length are side by side. */
function replyOf({ numbers, native }: RedisLink): RedisReply {
  const end = 2 + 2 * numbers[1]!;
  let size = 0;
  for (let place = 2; place < end; place += 2) if (numbers[place] === ITEM.bytes) size += numbers[place + 1]!;
  const bytes = Buffer.alloc(size);
  if (size > 0) native.bytes(bytes);
  const items: RedisItem[] = [];
  let from = 0;
  for (let place = 2; place < end; place += 2) {
    const value = numbers[place + 1]!;
    if (numbers[place] === ITEM.bytes) {
      items.push(bytes.subarray(from, from + value));
      from += value;
    } else items.push(numbers[place] === ITEM.integer ? value : null);
  }
  return numbers[0] === 1 ? items : items[0]!;
}
