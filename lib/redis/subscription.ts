import type { RedisError } from '../errors.js';
import { noContext } from '../timer/context.js';
import { type RedisLink, refusal, throwLater } from './link.js';
import { failureOf, HEARD, type NativeSubscription } from './native.js';

export { ClientSubscription } from './clientSubscription.js';

/** A channel that is listened to. */
export interface Subscription {
  /** For good. The listener is not called any more. */
  close(): void;
}

/** Who listens. It is not called before what it was given to has returned, and what it throws is thrown later. */
export interface SubscriptionListener {
  /** Something was published. */
  message(payload: Buffer): void;
  /** From now on messages arrive; also after each time the connection was lost and mended. */
  subscribed(): void;
  /** Messages may be missed from now on, until `subscribed`. Called once per loss. */
  lost(error: RedisError): void;
}

/**
 * A channel that is listened to on a link of ours, over a connection of its own, which is mended in the background and keeps
 * no process alive. It ends with the link at the latest. Messages that wait for JavaScript are bounded: where they are too
 * many, they are gone, and it is told `lost` and `subscribed`.
 */
export class RedisSubscription implements Subscription {
  readonly #listener: SubscriptionListener;
  readonly #native: NativeSubscription;
  #isClosed = false;

  constructor(link: RedisLink, channel: string, listener: SubscriptionListener) {
    this.#listener = listener;
    // What is told belongs to no caller's async context.
    this.#native = link.native.subscribe(channel, () => noContext.runInAsyncScope(() => this.#take()));
  }

  close(): void {
    this.#isClosed = true;
    this.#native.close();
  }

  /** What comes in the meantime is for another turn of the event loop. */
  #take(): void {
    for (let left = this.#native.fetch(); left > 0 && !this.#isClosed; left--) {
      try {
        this.#tell(this.#native.take());
      } catch (error) {
        throwLater(error);
      }
    }
  }

  #tell(heard: number): void {
    const listener = this.#listener;
    if (heard === HEARD.message) listener.message(this.#native.payload());
    else if (heard === HEARD.subscribed) listener.subscribed();
    else listener.lost(refusal(failureOf(-heard), `Redis: ${this.#native.text()}`));
  }
}
