import { type At, type Message, Snapshot } from './snapshot.js';

/** Seconds that rates and percentiles are of. */
const WINDOW = 5;
/** Count and sum come before the buckets of a histogram. */
const BUCKETS = 2;
const ALL: At = {};

/** What figures are now, and what has become of them in the window. */
export class Figures {
  /** The last one before the window, those within, and the newest. */
  readonly #snapshots: Snapshot[] = [];

  add(message: Message): void {
    this.#snapshots.push(new Snapshot(message));
    while (this.#snapshots.length > 2 && this.#snapshots[1]!.uptime <= message.uptime - WINDOW)
      this.#snapshots.shift();
  }

  /** Of another process nothing is known. */
  clear(): void {
    this.#snapshots.length = 0;
  }

  get #newest(): Snapshot {
    return this.#snapshots.at(-1)!;
  }

  get uptime(): number {
    return this.#newest.uptime;
  }

  has(name: string): boolean {
    return this.#newest.has(name);
  }

  groups(name: string, ...labels: string[]): At[] {
    return this.#newest.groups(name, labels);
  }

  /** The sum of all points at these labels. */
  value(name: string, at = ALL): number | undefined {
    return this.#newest.sum(name, at)?.[0];
  }

  max(name: string, at = ALL): number | undefined {
    return this.#newest.max(name, at);
  }

  /** By how much a counter has grown a second. */
  rate(name: string, at = ALL): number | undefined {
    const seconds = this.uptime - this.#snapshots[0]!.uptime;
    const [growth] = this.#growth(name, at) ?? [];
    return growth === undefined || seconds <= 0 ? undefined : growth / seconds;
  }

  /** The growth of `part` as a share of that of the whole. */
  share(name: string, part: At, whole = ALL): number | undefined {
    const [all] = this.#growth(name, whole) ?? [];
    if (all === undefined || all === 0) return undefined;
    return (this.#growth(name, part)?.[0] ?? 0) / all;
  }

  /** Of durations that were counted in the window: within a bucket they are taken to be spread evenly. */
  quantile(name: string, q: number, at = ALL): number | undefined {
    const growth = this.#growth(name, at);
    const bounds = this.#newest.boundsOf(name);
    const total = growth?.[0] ?? 0;
    if (growth === undefined || total === 0) return undefined;
    const rank = q * total;
    const place = bounds.findIndex((_, bucket) => growth[BUCKETS + bucket]! >= rank);
    // Longer than all of them; by how much is not known.
    if (place === -1) return bounds.at(-1);
    const [below, from] = place === 0 ? [0, 0] : [growth[BUCKETS + place - 1]!, bounds[place - 1]!];
    return from + ((bounds[place]! - from) * (rank - below)) / (growth[BUCKETS + place]! - below);
  }

  #growth(name: string, at: At): number[] | undefined {
    const now = this.#newest.sum(name, at);
    if (now === undefined || this.#snapshots.length < 2) return undefined;
    const before = this.#snapshots[0]!.sum(name, at);
    return now.map((part, place) => Math.max(0, part - (before?.[place] ?? 0)));
  }
}
