import { BroadcastChannel } from 'node:worker_threads';
import { SharedCache } from '../lib/utilities/performance/sharedCache';

const KEY = 'changes';

/** Counts the changes of products that threads make or find, and tells the other threads of each. */
export class Revision {
  // A cache of its own: nothing is ever evicted from it.
  readonly #count: SharedCache<number>;
  readonly #channel: BroadcastChannel;

  constructor(name: string) {
    this.#count = new SharedCache<number>({ name, maxBytes: 2 ** 20, shards: 1 });
    this.#channel = new BroadcastChannel(name);
    this.#channel.unref();
  }

  get current(): number {
    return this.#count.get(KEY) ?? 0;
  }

  /** There was a change; returns its number. */
  next(): number {
    const number = this.#count.incr(KEY);
    this.#channel.postMessage(number);
    return number;
  }

  /** Calls `handler` soon after each change of another thread. */
  listen(handler: () => void): void {
    this.#channel.onmessage = handler;
    // Listening has made it keep the process.
    this.#channel.unref();
  }

  close(): void {
    this.#channel.close();
    this.#count.close();
  }
}
