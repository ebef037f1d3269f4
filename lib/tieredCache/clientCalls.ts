import { clearTimeout, setTimeout } from 'node:timers';
import { hasOneNode } from '../redis/client.js';
import { ClientEval, redisErrorOf } from '../redis/clientEval.js';
import { type RedisReply, refusal } from '../redis/link.js';
import { ClientSubscription } from '../redis/subscription.js';
import type { Calls } from './calls.js';

/** Over a client of the service's, ioredis or node-redis from 5 on, which stays its owner's to close. */
export function clientCalls(client: any, timeout: number): Calls {
  return {
    // Of ioredis. It does not put it in front of channels.
    prefix: client.options?.keyPrefix ?? '',
    hasOneServer: hasOneNode(client),
    script(source) {
      const evaluation = new ClientEval(client, source, true);
      return (keys, given) => {
        const args = given.map((arg) => (typeof arg === 'string' ? arg : Buffer.from(arg)));
        const answer = evaluation.run(keys, args).catch((error) => {
          throw redisErrorOf(error);
        });
        return within(timeout, answer as Promise<RedisReply>);
      };
    },
    listen: (channel, listener) => new ClientSubscription(client, channel, listener),
    close() {},
  };
}

async function within<T>(timeout: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const give = (): void => reject(refusal('timeout', `Redis gave no answer within ${timeout} ms`));
    timer = setTimeout(give, timeout).unref();
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
