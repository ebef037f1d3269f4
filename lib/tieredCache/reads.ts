import { setImmediate } from 'node:timers';
import type { RedisItem } from '../redis/link.js';
import type { Caller } from './calls.js';
import { strange } from './strange.js';

/** Looks that go at once at most. */
const MOST = 64;
/** Items of the answer about a key. */
const ITEMS = 3;

interface Look {
  readonly keys: readonly string[];
  readonly args: readonly (string | Uint8Array)[];
  resolve(items: RedisItem[]): void;
  reject(error: unknown): void;
}

/** Looks at keys. Those of a turn of the event loop go as one call, where one server has all keys. */
export class Reads {
  #looks: Look[] = [];

  /** @param hasOneServer whether that is so, as far as is known now */
  constructor(
    private readonly call: Caller,
    private readonly hasOneServer: () => boolean,
  ) {}

  /** What the script answers about a key, with what it takes for one. */
  read(keys: readonly string[], args: readonly (string | Uint8Array)[]): Promise<RedisItem[]> {
    return new Promise((resolve, reject) => {
      const count = this.#looks.push({ keys, args, resolve, reject });
      if (count === 1) setImmediate(this.#send);
      else if (count === MOST) this.#send();
    });
  }

  readonly #send = (): void => {
    const looks = this.#looks;
    this.#looks = [];
    const calls = this.hasOneServer() ? [looks] : looks.map((look) => [look]);
    for (const call of calls) if (call.length > 0) void this.#sendOne(call);
  };

  async #sendOne(looks: readonly Look[]): Promise<void> {
    try {
      const [keys, args] = [looks.flatMap((look) => look.keys), looks.flatMap((look) => look.args)];
      const items = await this.call(keys, args);
      if (!Array.isArray(items) || items.length !== ITEMS * looks.length) strange();
      for (const [index, { resolve }] of looks.entries()) {
        resolve(items.slice(ITEMS * index, ITEMS * (index + 1)));
      }
    } catch (error) {
      for (const { reject } of looks) reject(error);
    }
  }
}
