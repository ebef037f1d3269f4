import { ClientScript } from './clientScript.js';
import { RedisLink } from './link.js';
import type { RedisSource } from './options.js';
import { RedisScript, type Script } from './script.js';

/** A Lua script that a Redis runs, over a link of our own or a client of the service's. With the script the link is closed. */
export function openScript(source: string, { spec, client }: RedisSource): Script {
  if (spec === undefined) return new ClientScript(client, source);
  const link = RedisLink.open(spec);
  const script = new RedisScript(link, source);
  return {
    run: (keys, args, timeout, isIdle) => script.run(keys, args, timeout, isIdle),
    close() {
      script.close();
      link.close();
    },
  };
}
