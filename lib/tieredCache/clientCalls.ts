import { createHash } from 'node:crypto';
import { clearTimeout, setTimeout } from 'node:timers';
import { hasOneNode } from '../redis/client.js';
import { redisErrorOf } from '../redis/clientEval.js';
import { type RedisReply, refusal } from '../redis/link.js';
import { ClientSubscription } from '../redis/subscription.js';
import { invalid } from '../validate.js';
import type { Calls } from './calls.js';

type Part = string | Uint8Array;
type Run = (script: string, isHash: boolean, keys: readonly string[], args: readonly Part[]) => unknown;

/** By RESP's sign of strings, which are to come as bytes from node-redis. */
const AS_BYTES = { [36]: Buffer };

/** Over a client of the service's, ioredis or node-redis from 5 on, which stays its owner's to close. */
export function clientCalls(client: any, timeout: number): Calls {
  const run = runOf(client);
  return {
    // Of ioredis. It does not put it in front of channels.
    prefix: client.options?.keyPrefix ?? '',
    hasOneServer: hasOneNode(client),
    script(source) {
      const sha = createHash('sha1').update(source).digest('hex');
      return (keys, given) => {
        const args = given.map((arg) => (typeof arg === 'string' ? arg : Buffer.from(arg)));
        return within(timeout, evaluated(run, source, sha, keys, args));
      };
    },
    listen: (channel, listener) => new ClientSubscription(client, channel, listener),
    close() {},
  };
}

/** By its hash, where the server has it. */
async function evaluated(
  run: Run,
  source: string,
  sha: string,
  keys: readonly string[],
  args: readonly Part[],
): Promise<RedisReply> {
  try {
    return (await run(sha, true, keys, args)) as RedisReply;
  } catch (error) {
    if (!String((error as Error)?.message).startsWith('NOSCRIPT')) throw redisErrorOf(error);
  }
  try {
    return (await run(source, false, keys, args)) as RedisReply;
  } catch (error) {
    throw redisErrorOf(error);
  }
}

function runOf(client: any): Run {
  if (typeof client.evalshaBuffer === 'function') {
    return (script, isHash, keys, args) =>
      client[isHash ? 'evalshaBuffer' : 'evalBuffer'](script, keys.length, ...keys, ...args);
  }
  if (typeof client.withTypeMapping === 'function') {
    const typed = client.withTypeMapping(AS_BYTES);
    return (script, isHash, keys, args) =>
      typed[isHash ? 'evalSha' : 'eval'](script, { keys, arguments: args });
  }
  return invalid(
    'l3.redis',
    'a URL, options, or a client of ioredis or of node-redis from version 5 on',
    client,
  );
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
