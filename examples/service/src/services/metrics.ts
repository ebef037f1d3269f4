import { CircularBuffer } from '../lib/utilities/performance/boundedCache';

/** What happened between two roll-ups. */
export interface RollUp {
  /** ISO 8601. */
  until: string;
  requests: number;
  errors: number;
}

const PERCENTILES = [50, 90, 99] as const;

/** Counts requests and keeps the latencies of the last 2,048 and the roll-ups of the last sixty intervals. */
export class RequestMetrics {
  readonly latencies = new CircularBuffer<number>(2048, { storage: 'float64' });
  readonly history = new CircularBuffer<RollUp>(60);
  readonly #byStatus = new Map<string, number>();
  #total = 0;
  #errors = 0;
  #inFlight = 0;
  #rolledUp = { total: 0, errors: 0 };

  started(): void {
    this.#inFlight++;
  }

  /** @param duration milliseconds; @param status the one that was sent, or 499 if the client left first */
  finished(duration: number, status: number): void {
    this.#inFlight--;
    this.#total++;
    if (status >= 500) this.#errors++;
    const group = `${Math.floor(status / 100)}xx`;
    this.#byStatus.set(group, (this.#byStatus.get(group) ?? 0) + 1);
    this.latencies.push(duration);
  }

  /** Closes an interval. */
  rollUp(): void {
    const requests = this.#total - this.#rolledUp.total;
    const errors = this.#errors - this.#rolledUp.errors;
    this.#rolledUp = { total: this.#total, errors: this.#errors };
    this.history.push({ until: new Date().toISOString(), requests, errors });
  }

  snapshot() {
    const rounded = (value: number | undefined) =>
      value === undefined ? null : Math.round(value * 1000) / 1000;
    const percentiles = PERCENTILES.map((p) => [`p${p}`, rounded(this.latencies.percentile(p))]);
    return {
      requests: this.#total,
      inFlight: this.#inFlight,
      errors: this.#errors,
      byStatus: Object.fromEntries(this.#byStatus),
      latencyMs: {
        samples: this.latencies.getLength(),
        min: rounded(this.latencies.min()),
        mean: rounded(this.latencies.mean()),
        max: rounded(this.latencies.max()),
        ...(Object.fromEntries(percentiles) as Record<`p${(typeof PERCENTILES)[number]}`, number | null>),
      },
      history: this.history.getAll(),
    };
  }
}
