import { setTimeout as sleep } from 'node:timers/promises';
import { urlOf } from '../service';
import { Shared } from './shared';
import { ListeningSocket } from './socket';
import { Thread } from './thread';

/** Milliseconds until a thread that has ended is started again; they double up to the most, unless it was older than that. */
const BACKOFF = { min: 100, max: 5000 };
/** Milliseconds after which a thread that still has not stopped is ended: more than its lifecycle has. */
const STOP_PATIENCE = 26_000;
const NAME = 'catalogue';

/** A service in several threads, which share a port, caches and sessions; one that ends is started again. */
export class Threads {
  // Open here too, so that what is shared outlives each of them.
  readonly #shared = new Shared(NAME);
  readonly #socket = new ListeningSocket();
  readonly #threads = new Set<Thread>();
  readonly #stopping = new AbortController();

  /** @param report is told of threads that end by themselves */
  constructor(
    private readonly count: number,
    private readonly dashboardToken: string,
    private readonly report: (error: Error) => void,
  ) {}

  /** Listens, and resolves the base URL once all threads do. */
  async start(port: number, host: string): Promise<string> {
    try {
      const { fd, address } = await this.#socket.listen(port, host);
      this.#stopping.signal.throwIfAborted();
      const numbers = Array.from({ length: this.count }, (_, index) => index + 1);
      const threads = numbers.map((number) => this.#launch(number, fd));
      await Promise.all(threads.map(({ listening }) => listening));
      for (const [index, thread] of threads.entries()) {
        thread.order('ready');
        void this.#keep(index + 1, fd, thread);
      }
      return urlOf(address);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Lets all threads answer what they have, and waits for them to end. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('It was stopped before it listened'));
    const threads = [...this.#threads];
    for (const thread of threads) thread.order('stop');
    const late = setTimeout(() => {
      for (const thread of threads) thread.terminate();
    }, STOP_PATIENCE);
    // Those that are being started still take the socket from here.
    await Promise.allSettled(threads.map(({ listening }) => listening));
    this.#socket.release();
    await Promise.all(threads.map(({ ended }) => ended));
    clearTimeout(late);
    this.#shared.close();
  }

  #launch(number: number, fd: number): Thread {
    const thread = new Thread({ number, service: NAME, fd, dashboardToken: this.dashboardToken });
    this.#threads.add(thread);
    void thread.ended.then(() => this.#threads.delete(thread));
    return thread;
  }

  /** Starts a thread again whenever it has ended. */
  async #keep(number: number, fd: number, first: Thread): Promise<void> {
    const { signal } = this.#stopping;
    let backoff = BACKOFF.min;
    for (let thread = first; ; backoff = Math.min(2 * backoff, BACKOFF.max)) {
      const { message } = await thread.ended;
      if (signal.aborted) return;
      if (thread.age > BACKOFF.max) backoff = BACKOFF.min;
      this.report(new Error(`Thread ${number} has ended, and is started again in ${backoff} ms: ${message}`));
      // It may have changed something without a word.
      this.#shared.revision.next();
      await sleep(backoff, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      thread = this.#launch(number, fd);
      thread.order('ready');
    }
  }
}
