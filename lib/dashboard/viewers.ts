import { clearInterval, setInterval } from 'node:timers';
import { setTimeout } from 'node:timers/promises';
import { metrics } from '../metrics.js';
import { eventOf, metricsEvent } from './message.js';
import { Viewer } from './viewer.js';

/** Milliseconds between signs of life, which proxies want within a minute. */
const HEARTBEAT = 15_000;
/** Milliseconds that a page waits before it first connects again. */
const RETRY = 1_000;

/** Who looks: all get what is collected once, and nothing is collected while nobody does. */
export class Viewers {
  readonly #interval: number;
  readonly #viewers = new Set<Viewer>();
  #run: AbortController | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  /** For who comes in between. */
  #latest: string | undefined;

  constructor(interval: number) {
    this.#interval = interval;
  }

  get count(): number {
    return this.#viewers.size;
  }

  /** Streams to a response whose head is written. */
  add(res: any): void {
    const viewer = new Viewer(res);
    this.#viewers.add(viewer);
    res.once('close', () => this.#remove(viewer));
    const { pid, version } = process;
    const began = eventOf('process', { pid, node: version, interval: this.#interval });
    viewer.send(`retry: ${RETRY}\n${began}${this.#latest ?? ''}`);
    if (this.#run === undefined) this.#start();
  }

  /** Ends all streams. */
  close(): void {
    for (const viewer of this.#viewers) viewer.end();
    this.#viewers.clear();
    this.#stop();
  }

  #remove(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size === 0) this.#stop();
  }

  #start(): void {
    this.#run = new AbortController();
    this.#heartbeat = setInterval(() => this.#send(':\n\n'), HEARTBEAT).unref();
    void this.#collect(this.#run.signal);
  }

  #stop(): void {
    this.#run?.abort();
    clearInterval(this.#heartbeat);
    this.#run = undefined;
    this.#latest = undefined;
  }

  async #collect(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        const event = metricsEvent(await metrics.collect());
        // The last viewer may have gone meanwhile, and another one come, who has a run of his own.
        if (signal.aborted) return;
        this.#latest = event;
        this.#send(event);
        await setTimeout(this.#interval, undefined, { ref: false, signal });
      }
    } catch {
      // Aborted, or nothing can be collected: the service goes on, and the pages ask again.
      if (!signal.aborted) this.close();
    }
  }

  #send(text: string): void {
    for (const viewer of this.#viewers) viewer.send(text);
  }
}
