import { clearTimeout, setTimeout } from 'node:timers';
import { ClientEval, redisErrorOf } from './clientEval.js';
import { type RedisReply, refusal } from './link.js';
import type { Script } from './script.js';

/**
 * A Lua script that a client of the service's has run. A client that is cut off may keep commands, and send them when it is
 * back: one at most waits in it at a time.
 */
export class ClientScript implements Script {
  private readonly evaluation: ClientEval;
  private isBusy = false;

  constructor(client: unknown, source: string) {
    this.evaluation = new ClientEval(client, source);
  }

  run(keys: readonly string[], args: readonly string[], timeout: number): Promise<RedisReply> {
    const late = refusal('timeout', `Redis gave no answer within ${timeout} ms`);
    if (this.isBusy) return Promise.reject(late);
    this.isBusy = true;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(late), timeout).unref();
      const settle = (end: () => void): void => {
        this.isBusy = false;
        clearTimeout(timer);
        end();
      };
      this.evaluation.run(keys, args).then(
        (reply) => settle(() => resolve(reply as RedisReply)),
        (error) => settle(() => reject(redisErrorOf(error))),
      );
    });
  }

  /** The client is its owner's to close. */
  close(): void {}
}
