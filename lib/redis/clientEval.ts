import { createHash } from 'node:crypto';
import { RedisError, type RedisFailure } from '../errors.js';

/** A Lua script that a client of the service's has run, in ioredis' form or in node-redis'. */
export class ClientEval {
  private readonly sha: string;

  constructor(
    private readonly client: any,
    private readonly source: string,
  ) {
    this.sha = createHash('sha1').update(source).digest('hex');
  }

  /** Has it run, by its hash where the client and the server know that. What is thrown is the client's. */
  async run(keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const { client } = this;
    const isNodeRedis = typeof client.evalSha === 'function';
    const name = isNodeRedis ? 'evalSha' : 'evalsha';
    const call = (command: string, script: string): unknown =>
      isNodeRedis
        ? client[command](script, { keys, arguments: args })
        : client[command](script, keys.length, ...keys, ...args);
    if (typeof client[name] === 'function') {
      try {
        return await call(name, this.sha);
      } catch (error) {
        if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
      }
    }
    return call('eval', this.source);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error || typeof (error as any)?.message === 'string'
    ? String((error as Error).message)
    : String(error);
}

/** Of what a client has thrown. */
export function redisErrorOf(cause: unknown): RedisError {
  const message = messageOf(cause);
  return new RedisError(failureOf(cause, message), `The Redis client failed: ${message}`, { cause });
}

function failureOf(error: any, message: string): RedisFailure {
  if (/^(NOPERM|NOAUTH|WRONGPASS)\b/.test(message)) return 'permission';
  // What Redis itself says begins with a word in capitals.
  return /^[A-Z]{2,} /.test(message) || error?.name === 'ReplyError' ? 'server' : 'connection';
}
