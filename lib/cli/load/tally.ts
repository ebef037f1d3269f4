import { type Hdr, Latencies } from './histogram.js';

/** What became of the requests of one process. Histograms are encoded. */
export interface Tallied {
  readonly requests: number;
  /** Answered well and in time to count for the rate. */
  readonly inTime: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly timeouts: number;
  readonly lost: number;
  /** Why no connection could be made, the first time. */
  readonly unreachable: string | undefined;
  /** Had to wait for a free connection. */
  readonly queued: number;
  readonly latency: string;
  readonly uncorrected: string;
  readonly lateness: string;
}

/** Whether an answer is a failure of the service: a 4xx but 429 is the caller's. */
export const isFailure = (status: number): boolean => status >= 500 || status === 429;

/**
 * Counts what becomes of requests. The latency of a request counts from when it was due, so that a request which had
 * to wait for a connection, because the service has stalled, is as late as its user would find it: nothing is left
 * out, and nothing has to be made up afterwards.
 */
export class Tally {
  readonly #latency: Latencies;
  readonly #uncorrected: Latencies;
  readonly #lateness: Latencies;
  readonly #statuses: Record<string, number> = {};
  readonly #timeout: number;
  readonly #end: number;
  #inTime = 0;
  #timeouts = 0;
  #lost = 0;
  #unreachable: string | undefined;
  #queued = 0;
  #requests = 0;

  /** @param timeout in milliseconds; `end`: answers that come later do not count for the rate. */
  constructor(hdr: Hdr, timeout: number, end: number) {
    this.#latency = new Latencies(hdr);
    this.#uncorrected = new Latencies(hdr);
    this.#lateness = new Latencies(hdr);
    this.#timeout = timeout;
    this.#end = end;
  }

  /** Requests of which is known what became of them. */
  get settled(): number {
    return this.#requests;
  }

  get failed(): number {
    const failures = Object.entries(this.#statuses).filter(([status]) => isFailure(Number(status)));
    return failures.reduce((sum, [, count]) => sum + count, this.#timeouts + this.#lost);
  }

  get p99(): number {
    return this.#latency.percentiles()?.p99 ?? 0;
  }

  /** A request that was due at `due` is now seen, and has to wait for a connection or not. */
  arrived(due: number, now: number, queued: boolean): void {
    this.#lateness.record(now - due);
    if (queued) this.#queued++;
  }

  answered(status: number, due: number, sent: number, now: number): void {
    if (now - due > this.#timeout) {
      this.timedOut(due, now);
      return;
    }
    this.#requests++;
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    if (isFailure(status)) return;
    if (now <= this.#end) this.#inTime++;
    this.#latency.record(now - due);
    this.#uncorrected.record(now - sent);
  }

  /** Its user has waited in vain, which is what its latency tells. */
  timedOut(due: number, now: number): void {
    this.#requests++;
    this.#timeouts++;
    this.#latency.record(now - due);
  }

  lost(unreachable?: string): void {
    this.#requests++;
    this.#lost++;
    this.#unreachable ??= unreachable;
  }

  result(): Tallied {
    return {
      requests: this.#requests,
      inTime: this.#inTime,
      statuses: this.#statuses,
      timeouts: this.#timeouts,
      lost: this.#lost,
      unreachable: this.#unreachable,
      queued: this.#queued,
      latency: this.#latency.encode(),
      uncorrected: this.#uncorrected.encode(),
      lateness: this.#lateness.encode(),
    };
  }
}
