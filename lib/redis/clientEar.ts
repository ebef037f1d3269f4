import { clearInterval, setInterval } from 'node:timers';

/** A connection that was silent for so many milliseconds after a PING is given up; there is one as often. */
const PULSE = 3000;

/** What of a client tells that its connection is lost. Some clients tell more than one. */
const ENDS = ['error', 'close', 'end', 'terminated', 'reconnecting'];

/** Of ioredis, beside what the client is told of where the server is and who asks. */
const IOREDIS = {
  lazyConnect: true,
  enableOfflineQueue: true,
  retryStrategy: () => null,
  sentinelRetryStrategy: () => null,
  reconnectOnError: null,
  autoResubscribe: false,
  // Otherwise a timer keeps the process for that long after the connection is gone.
  disconnectTimeout: 0,
  // Some versions also put it in front of channels.
  keyPrefix: '',
};

/** Likewise, of node-redis. */
const NODE_REDIS = {
  disableOfflineQueue: false,
  pingInterval: undefined,
  clientSideCache: undefined,
  emitInvalidate: false,
};

/** Who is told what becomes of an ear: `began` once at most, and `ended` last, unless it was closed. */
export interface Hearer {
  began(): void;
  heard(payload: Buffer): void;
  ended(cause: unknown): void;
}

/** A duplicate of a client that listens to a channel for as long as its first connection lives. */
export class ClientEar {
  readonly #duplicate: any;
  readonly #hearer: Hearer;
  #pulse: NodeJS.Timeout | undefined;
  #isOpen = false;
  #isOver = false;
  /** Whether nothing has come since the last PING. */
  #isSilent = false;

  constructor(client: any, channel: string, hearer: Hearer) {
    this.#hearer = hearer;
    const isNodeRedis = typeof client.evalSha === 'function';
    const duplicate = isNodeRedis ? duplicateOfNodeRedis(client) : client.duplicate(IOREDIS);
    this.#duplicate = duplicate;
    // They stay, since an error that nobody listens to would end the process.
    for (const event of ENDS) duplicate.on(event, (cause: unknown) => this.#end(cause));
    const listening = isNodeRedis ? this.#listenByNodeRedis(channel) : this.#listenByIoredis(channel);
    listening.then(
      () => this.#begin(),
      (error) => this.#end(error),
    );
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#pulse);
    disconnect(this.#duplicate);
  }

  async #listenByNodeRedis(channel: string): Promise<void> {
    const duplicate = this.#duplicate;
    duplicate.unref?.();
    await duplicate.connect();
    await duplicate.subscribe(channel, (payload: Buffer) => this.#hear(payload), true);
  }

  async #listenByIoredis(channel: string): Promise<void> {
    const duplicate = this.#duplicate;
    duplicate.on('connect', () => duplicate.stream?.unref?.());
    duplicate.on('messageBuffer', (_: Buffer, payload: Buffer) => this.#hear(payload));
    await duplicate.subscribe(channel);
  }

  #begin(): void {
    if (this.#isOpen || this.#isOver) return;
    this.#isOpen = true;
    this.#pulse = setInterval(() => this.#ask(), PULSE).unref();
    this.#hearer.began();
  }

  #hear(payload: Buffer): void {
    // It may come before the word that it is listened to.
    this.#begin();
    if (this.#isOver) return;
    this.#isSilent = false;
    this.#hearer.heard(payload);
  }

  #ask(): void {
    if (this.#isSilent) {
      this.#end(new Error('the connection is silent'));
      return;
    }
    this.#isSilent = true;
    const answered = (): void => {
      this.#isSilent = false;
    };
    this.#duplicate.ping().then(answered, (error: unknown) => this.#end(error));
  }

  #end(cause: unknown): void {
    if (this.#isOver) return;
    this.close();
    // Some events have no cause, and others tell what is none.
    const isCause = typeof cause === 'object' && cause !== null;
    this.#hearer.ended(isCause ? cause : new Error('the connection was closed'));
  }
}

function duplicateOfNodeRedis(client: any): any {
  const socket = { ...client.options?.socket, reconnectStrategy: false, socketTimeout: undefined };
  return client.duplicate({ ...NODE_REDIS, socket });
}

function disconnect(duplicate: any): void {
  try {
    const ending = (duplicate.destroy ?? duplicate.disconnect).call(duplicate);
    // Of some versions it is a promise, which rejects where there is no connection.
    ending?.catch?.(() => {});
  } catch {
    // It had no connection, or never will.
  }
}
