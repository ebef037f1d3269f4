import { clearTimeout, setTimeout } from 'node:timers';
import { InvalidArgumentError } from '../errors.js';
import { noContext } from '../timer/context.js';
import { ClientEar, type Hearer } from './clientEar.js';
import { redisErrorOf } from './clientEval.js';
import { nodeOf } from './clientNode.js';
import { throwLater } from './link.js';
import type { Subscription, SubscriptionListener } from './subscription.js';

/** Milliseconds before it is tried again for the first time, at most; as often they double. */
const [FIRST, DOUBLINGS] = [20, 7];
/** A connection that lived for so many milliseconds was no failure. */
const PROVEN = 1000;

/**
 * A channel that is listened to by a `duplicate()` of a client of the service's own: of ioredis, of node-redis, or of a node
 * of their Clusters. A duplicate that loses its connection is replaced, so that how the client reconnects is of no matter,
 * and nothing that the client does about it keeps the process alive.
 */
export class ClientSubscription implements Subscription {
  readonly #client: any;
  readonly #channel: string;
  readonly #listener: SubscriptionListener;
  readonly #hearer: Hearer = {
    began: () => this.#began(),
    heard: (payload) => this.#call(() => this.#listener.message(payload)),
    ended: (cause) => this.#ended(cause),
  };
  #ear: ClientEar | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  /** When the connection that is there, if there is one, began to listen. */
  #since = Number.POSITIVE_INFINITY;
  #isLost = false;
  #isClosed = false;

  /** @throws InvalidArgumentError the client has no `duplicate` */
  constructor(client: any, channel: string, listener: SubscriptionListener) {
    if (typeof client?.duplicate !== 'function') {
      throw new InvalidArgumentError(
        'The Redis client cannot listen to channels: it must have a method "duplicate", as those of ioredis and node-redis do',
      );
    }
    this.#client = client;
    this.#channel = channel;
    this.#listener = listener;
    this.#openIn(0);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#ear?.close();
  }

  #began(): void {
    this.#since = performance.now();
    this.#isLost = false;
    this.#call(() => this.#listener.subscribed());
  }

  #ended(cause: unknown): void {
    if (this.#isClosed) return;
    if (performance.now() - this.#since >= PROVEN) this.#failures = 0;
    this.#since = Number.POSITIVE_INFINITY;
    this.#openIn(Math.random() * FIRST * 2 ** Math.min(this.#failures++, DOUBLINGS));
    if (this.#isLost) return;
    this.#isLost = true;
    this.#call(() => this.#listener.lost(redisErrorOf(cause)));
  }

  #openIn(ms: number): void {
    // What happens then belongs to no caller's async context.
    this.#timer = noContext.runInAsyncScope(() => setTimeout(() => void this.#open(), ms)).unref();
  }

  async #open(): Promise<void> {
    try {
      const node = await nodeOf(this.#client);
      if (!this.#isClosed) this.#ear = new ClientEar(node, this.#channel, this.#hearer);
    } catch (error) {
      this.#ended(error);
    }
  }

  #call(tell: () => void): void {
    if (this.#isClosed) return;
    try {
      tell();
    } catch (error) {
      throwLater(error);
    }
  }
}
