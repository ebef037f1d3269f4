import { createHash } from 'node:crypto';
import { RedisError, type RedisFailure } from '../errors.js';
import { invalid } from '../validate.js';

type Part = string | Uint8Array;

/** How a client evaluates: in which form, and by which of its commands. */
interface Form {
  readonly client: any;
  readonly isNodeRedis: boolean;
  readonly byHash: string;
  readonly byText: string;
}

/** By RESP's sign of strings, which are to come as bytes from node-redis. */
const AS_BYTES = { 36: Buffer };

/** A Lua script that a client of the service's has run, in ioredis' form or in node-redis'. */
export class ClientEval {
  private readonly sha: string;
  private readonly form: Form;

  /**
   * @param asBytes whether strings of answers are Buffers, which ioredis and node-redis from version 5 on can give
   * @throws InvalidArgumentError where the client cannot
   */
  constructor(
    client: any,
    private readonly source: string,
    asBytes = false,
  ) {
    this.sha = createHash('sha1').update(source).digest('hex');
    this.form = asBytes ? formOfBytes(client) : formOf(client);
  }

  /** Has it run, by its hash where the client and the server know that. What is thrown is the client's. */
  async run(keys: readonly string[], args: readonly Part[]): Promise<unknown> {
    const { client, isNodeRedis, byHash, byText } = this.form;
    const call = (command: string, script: string): unknown =>
      isNodeRedis
        ? client[command](script, { keys, arguments: args })
        : client[command](script, keys.length, ...keys, ...args);
    if (typeof client[byHash] === 'function') {
      try {
        return await call(byHash, this.sha);
      } catch (error) {
        if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
      }
    }
    return call(byText, this.source);
  }
}

function formOf(client: any): Form {
  const isNodeRedis = typeof client.evalSha === 'function';
  return { client, isNodeRedis, byHash: isNodeRedis ? 'evalSha' : 'evalsha', byText: 'eval' };
}

function formOfBytes(client: any): Form {
  if (typeof client.evalshaBuffer === 'function') {
    return { client, isNodeRedis: false, byHash: 'evalshaBuffer', byText: 'evalBuffer' };
  }
  if (typeof client.withTypeMapping === 'function') return formOf(client.withTypeMapping(AS_BYTES));
  return invalid(
    'redis',
    'a URL, options, or a client of ioredis or of node-redis from version 5 on',
    client,
  );
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
