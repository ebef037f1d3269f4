import { setTimeout as delay } from 'node:timers/promises';
import { Stop } from '../command.js';
import { findAutocannon } from './autocannon.js';
import { Generators } from './generators.js';
import type { LoadOptions } from './options.js';
import { type Bounds, byGenerator, findKnee } from './ramp.js';
import { type LoadReport, reportOf } from './report.js';
import { Scraper } from './scraper.js';
import type { Sending } from './send.js';
import { type Step, stepOf } from './step.js';
import { withoutPassword } from './values.js';

/** Whom to tell how it goes. */
export interface Progress {
  phase(text: string): void;
  sending(requests: number, sending: Sending): void;
  step(step: Step): void;
}

/** Milliseconds between two looks whether a service has recovered. */
const RECOVERY = 200;

/** Connections of a step, unless it is told how many. */
const CONNECTIONS = { min: 10, max: 2_000 };

/** One search for the knee. */
export class Capacity {
  readonly #options: LoadOptions;
  readonly #progress: Progress;
  readonly #generators: Generators;
  readonly #bounds: Bounds = { good: undefined, bad: undefined };
  readonly #steps: Step[] = [];
  readonly #notes: string[] = [];
  readonly #started = new Date();
  #scraper: Scraper | undefined;
  /** Whether the SLO did not hold when it was last measured. */
  #broken = false;

  constructor(options: LoadOptions, progress: Progress) {
    this.#options = options;
    this.#progress = progress;
    this.#generators = new Generators(findAutocannon(), options.workers);
  }

  /** Measures until the knee is found or `signal` is aborted, and reports what was found by then. */
  async run(signal: AbortSignal): Promise<LoadReport> {
    const close = () => this.#generators.close();
    signal.addEventListener('abort', close);
    try {
      if (!signal.aborted) await this.#search();
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', close);
      close();
      this.#scraper?.close();
    }
    return reportOf({
      options: this.#options,
      started: this.#started,
      steps: this.#steps,
      bounds: this.#bounds,
      notes: this.#notes,
      interrupted: signal.aborted,
    });
  }

  async #search(): Promise<void> {
    const { from, warmup } = this.#options;
    await this.#reach();
    await this.#findMetrics();
    if (warmup > 0) {
      this.#progress.phase(`Warming up: ${from}/s for ${warmup} s`);
      await this.#send(from, warmup);
    }
    await findKnee(this.#options, this.#bounds, (rate) => this.#step(rate));
  }

  async #reach(): Promise<void> {
    const { url } = this.#options.request;
    this.#progress.phase('Asking for the first answer');
    const { statuses, timeouts, unreachable } = await this.#probe();
    const [status] = Object.keys(statuses);
    if (status === undefined) {
      const why =
        timeouts > 0 ? `no answer within ${this.#options.timeout} s` : 'connections end without an answer';
      throw new Stop(3, `Nothing answers at ${new URL(url).origin}: ${unreachable ?? why}`);
    }
    if (!/^[23]/.test(status)) this.#notes.push(`The first request was answered with ${status}.`);
  }

  async #findMetrics(): Promise<void> {
    const { url, token } = this.#options.metrics;
    const scraper = new Scraper(url, token);
    const problem = await scraper.problem();
    if (problem === undefined) this.#scraper = scraper;
    else this.#notes.push(`No metrics of the service from ${withoutPassword(url)}: ${problem}.`);
  }

  async #step(rate: number): Promise<Step> {
    let step = await this.#measure(rate);
    if (byGenerator(step)) {
      this.#notes.push(`${rate}/s was measured twice: at first the generator was late.`);
      step = await this.#measure(rate);
    }
    this.#steps.push(step);
    this.#progress.step(step);
    return step;
  }

  async #measure(rate: number): Promise<Step> {
    const { step: seconds, slo } = this.#options;
    if (this.#broken) await this.#recover();
    this.#progress.phase(`${rate}/s for ${seconds} s`);
    this.#scraper?.start();
    const measured = await this.#send(rate, seconds);
    const service = await this.#scraper?.stop();
    const step = stepOf({ rate, seconds, connections: this.#connections(rate) }, measured, service, slo);
    this.#broken = step.breaks.length > 0;
    return step;
  }

  /** After a step that broke: waits until a request is answered as the SLO wants, for the timeout at most. */
  async #recover(): Promise<void> {
    const { slo, timeout } = this.#options;
    this.#progress.phase('Waiting for the service to recover');
    const deadline = performance.now() + timeout * 1000;
    while (performance.now() < deadline) {
      const { latency } = await this.#probe();
      if (latency !== null && latency.p99 <= slo.p99) return;
      await delay(RECOVERY);
    }
  }

  #probe() {
    return this.#generators.probe(this.#order);
  }

  #send(rate: number, seconds: number) {
    const requests = Math.max(1, Math.round(rate * seconds));
    return this.#generators.send(
      { ...this.#order, requests, rate, connections: this.#connections(rate) },
      (sending) => this.#progress.sending(requests, sending),
    );
  }

  get #order() {
    const { request, timeout, slo } = this.#options;
    return { request, timeout: timeout * 1000, grace: slo.p99 };
  }

  /** By Little's law rate times latency are under way at once: here of twice the latency that the SLO allows. */
  #connections(rate: number): number {
    const { connections, slo, workers } = this.#options;
    const wanted = Math.ceil((rate * 2 * slo.p99) / 1000);
    return connections ?? Math.max(CONNECTIONS.min, workers, Math.min(CONNECTIONS.max, wanted));
  }
}
