import { clearTimeout, setTimeout } from 'node:timers';
import { ClientEval, redisErrorOf } from './clientEval.js';
import { type RedisReply, refusal } from './link.js';
import type { Script } from './script.js';

/**
 * A Lua script that a client of the service's has run. A client that is cut off may keep commands, and send them when it is
 * back: what is idle is refused while another call is under way.
 */
export class ClientScript implements Script {
  private readonly evaluation: ClientEval;
  private current: Promise<unknown> | undefined;

  constructor(client: unknown, source: string) {
    this.evaluation = new ClientEval(client, source);
  }

  run(
    keys: readonly string[],
    args: readonly string[],
    timeout: number,
    isIdle = false,
  ): Promise<RedisReply> {
    const late = refusal('timeout', `Redis gave no answer within ${timeout} ms`);
    if (isIdle && this.current !== undefined) return Promise.reject(late);
    const call = this.begin(keys, args);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(late), timeout).unref();
      call.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  /** Has it run once the call under way is over. */
  private begin(keys: readonly string[], args: readonly string[]): Promise<RedisReply> {
    const call = this.call(this.current, keys, args);
    const end = (): void => {
      if (this.current === call) this.current = undefined;
    };
    this.current = call;
    call.then(end, end);
    return call;
  }

  private async call(
    before: Promise<unknown> | undefined,
    keys: readonly string[],
    args: readonly string[],
  ): Promise<RedisReply> {
    await before?.catch(() => {});
    try {
      return (await this.evaluation.run(keys, args)) as RedisReply;
    } catch (error) {
      throw redisErrorOf(error);
    }
  }

  /** The client is its owner's to close. */
  close(): void {}
}
