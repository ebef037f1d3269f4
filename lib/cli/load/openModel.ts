import type { Client } from './autocannon.js';
import { Seat, type SeatEvents } from './seat.js';
import type { Tally } from './tally.js';

/** Requests, and when they are due: `count` of them, one each `interval` milliseconds from `start` on. */
export interface Arrivals {
  readonly start: number;
  readonly interval: number;
  readonly count: number;
}

/** Milliseconds between two looks at what has waited too long. */
const LOOK = 50;

/**
 * Sends each request when it is due, whatever became of those before. If no connection is free it waits for one, in
 * order, and until its timeout.
 */
export class OpenModel implements SeatEvents {
  readonly #timeout: number;
  readonly #free = new Set<Seat>();
  readonly #sent = new Map<Seat, { due: number; sent: number }>();
  #arrivals: Arrivals = { start: 0, interval: 0, count: 0 };
  #tally: Tally | undefined;
  #arrived = 0;
  #allArrived: (() => void) | undefined;
  /** When those were due that wait for a connection: those before `#first` have left. */
  #waiting: number[] = [];
  #first = 0;
  #settled: (() => void) | undefined;
  #ready: (() => void) | undefined;
  #seats = 0;

  /** @param timeout milliseconds that a request has from when it is due. */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /** For autocannon's `setupClient`. */
  readonly seat = (client: Client): void => {
    this.#seats++;
    new Seat(client, this);
  };

  /** Resolves when all seats have a connection, one of them cannot get one, or after `limit` milliseconds. */
  connected(limit: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limit);
      this.#ready = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#free.size === this.#seats) this.#ready();
    });
  }

  /**
   * Sends, and resolves when it is known what became of all requests.
   *
   * @param arrived called once all were due, before the last answers.
   */
  run(arrivals: Arrivals, tally: Tally, arrived: () => void): Promise<void> {
    this.#arrivals = arrivals;
    this.#tally = tally;
    this.#allArrived = arrived;
    return new Promise((resolve) => {
      this.#settled = resolve;
      this.#look();
    });
  }

  free(seat: Seat): void {
    this.#free.add(seat);
    if (this.#free.size === this.#seats) this.#ready?.();
    this.#dispatch();
  }

  closed(seat: Seat): void {
    this.#free.delete(seat);
  }

  answered(seat: Seat, status: number): void {
    const { due, sent } = this.#take(seat);
    this.#tally?.answered(status, due, sent, performance.now());
  }

  lost(seat: Seat): void {
    const { due, sent } = this.#take(seat);
    const now = performance.now();
    // autocannon's own timer, which has the same length, closes the connection.
    if (now - sent >= this.#timeout - 1) this.#tally?.timedOut(due, now);
    else this.#tally?.lost();
  }

  unreachable(_: Seat, { code, message }: NodeJS.ErrnoException): void {
    this.#ready?.();
    if (this.#first < this.#waiting.length) {
      this.#first++;
      this.#tally?.lost(code ?? message);
    }
  }

  #take(seat: Seat): { due: number; sent: number } {
    const request = this.#sent.get(seat) as { due: number; sent: number };
    this.#sent.delete(seat);
    return request;
  }

  #look(): void {
    const tally = this.#tally as Tally;
    const { start, interval, count } = this.#arrivals;
    const now = performance.now();
    for (; this.#arrived < count; this.#arrived++) {
      const due = start + this.#arrived * interval;
      if (due > now) break;
      this.#waiting.push(due);
      const queued = this.#waiting.length - this.#first > this.#free.size;
      tally.arrived(due, now, queued);
      if (this.#arrived === count - 1) this.#allArrived?.();
    }
    this.#dispatch();
    for (; this.#first < this.#waiting.length; this.#first++) {
      const due = this.#waiting[this.#first] as number;
      if (now - due < this.#timeout) break;
      tally.timedOut(due, now);
    }
    if (tally.settled === count) this.#settled?.();
    else {
      const next = this.#arrived < count ? start + this.#arrived * interval - now : LOOK;
      setTimeout(() => this.#look(), Math.min(LOOK, next));
    }
  }

  #dispatch(): void {
    for (const seat of this.#free) {
      if (this.#first >= this.#waiting.length) break;
      const due = this.#waiting[this.#first++] as number;
      this.#free.delete(seat);
      this.#sent.set(seat, { due, sent: performance.now() });
      seat.send();
    }
    if (this.#first > 1024 && this.#first * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
  }
}
