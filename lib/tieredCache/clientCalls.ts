import { hasOneNode } from '../redis/client.js';
import { ClientEval, redisErrorOf } from '../redis/clientEval.js';
import { type RedisReply, refusal } from '../redis/link.js';
import { ClientSubscription } from '../redis/subscription.js';
import { within } from '../within.js';
import type { Calls } from './calls.js';

/** Over a client of the service's, ioredis or node-redis from 5 on, which stays its owner's to close. */
export function clientCalls(client: any, timeout: number): Calls {
  const late = (): Error => refusal('timeout', `Redis gave no answer within ${timeout} ms`);
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
        return within(timeout, answer as Promise<RedisReply>, late, true);
      };
    },
    listen: (channel, listener) => new ClientSubscription(client, channel, listener),
    close() {},
  };
}
