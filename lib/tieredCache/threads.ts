import { BroadcastChannel } from 'node:worker_threads';

/** What has changed, for the other threads of the process, which have an L1 of their own. */
export interface Change {
  readonly key?: string;
  readonly tag?: string;
}

/** Tells the threads that share an L2 of each other's changes. */
export class Threads {
  readonly #channel: BroadcastChannel;
  #isClosed = false;

  /** @param hear is told of a change; of all, where it names nothing */
  constructor(name: string, hear: (change: Change) => void) {
    this.#channel = new BroadcastChannel(`keelson:tiered-cache:${name}`);
    this.#channel.onmessage = (event) => hear((event as { data: Change }).data);
    this.#channel.unref();
  }

  tell(change: Change): void {
    // What was under way when it was closed has nobody to tell.
    if (!this.#isClosed) this.#channel.postMessage(change);
  }

  close(): void {
    this.#isClosed = true;
    this.#channel.close();
  }
}
