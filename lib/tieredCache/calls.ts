import { RedisLink, type RedisReply } from '../redis/link.js';
import { RedisScript } from '../redis/script.js';
import { RedisSubscription, type Subscription, type SubscriptionListener } from '../redis/subscription.js';

/** Has a script run. @throws RedisError */
export type Caller = (
  keys: readonly string[],
  args: readonly (string | Uint8Array)[],
  /** Whether the process may end before the answer. */
  isIdle?: boolean,
) => Promise<RedisReply>;

/** The way to Redis. */
export interface Calls {
  /** What is put in front of the names of keys by itself. */
  readonly prefix: string;
  /** Whether it is known now that one server has all keys, so that a call may have any of them. */
  readonly hasOneServer: boolean;
  script(source: string): Caller;
  listen(channel: string, listener: SubscriptionListener): Subscription;
  close(): void;
}

/** Over a link of our own. Whatever is asked has `timeout` milliseconds, connecting included. */
export function linkCalls(spec: string, timeout: number): Calls {
  const link = RedisLink.open(spec);
  const scripts: RedisScript[] = [];
  let isClosed = false;
  return {
    prefix: '',
    get hasOneServer() {
      return !isClosed && link.hasOneServer;
    },
    script(source) {
      const script = new RedisScript(link, source);
      scripts.push(script);
      return (keys, args, isIdle) => script.run(keys, args, timeout, isIdle);
    },
    listen: (channel, listener) => new RedisSubscription(link, channel, listener),
    close() {
      isClosed = true;
      for (const script of scripts) script.close();
      link.close();
    },
  };
}
