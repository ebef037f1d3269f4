import { type Histogram, histogramOf, type LatencySummary } from '../histogram.js';
import type { Family } from './family.js';
import { MERGE } from './native.js';

/** Values of labels; those that are undefined are left out. */
export type Labels = Readonly<Record<string, string | undefined>>;
/** Tells a figure; of a histogram its durations in milliseconds, or a summary of them. */
export type Tell = (family: Family, value: number | Histogram | LatencySummary, labels?: Labels) => void;

/** Upper ends of the buckets that durations are told in, in seconds. */
export const BOUNDS: readonly number[] = [
  ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025],
  ...[0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
];
const MILLISECONDS: readonly number[] = BOUNDS.map((bound) => bound * 1000);

/** Between the parts of a key: a family, labels as JSON, and of a histogram what it is. Neither of them has one. */
export const PARTS = '\t';
export const SUM = 'sum';
export const COUNT = 'count';

/** Series that a family may have in this thread, as in OpenTelemetry's SDKs; further ones are one. */
const MOST_SERIES = 2000;
const OVERFLOW = JSON.stringify({ overflow: 'true' });

/** What instances have told, until it goes to native code. */
export class Told {
  readonly keys: string[] = [];
  readonly merges: number[] = [];
  readonly values: number[] = [];
  /** Labels of each family so far. */
  readonly #known: Map<Family, Set<string>>;
  #counted!: Map<string, number>;
  #name: string | undefined;

  /** @param known series of earlier times: those that are known stay, however many come */
  constructor(known: Map<Family, Set<string>>) {
    this.#known = known;
  }

  /** What follows is of one instance. @param counted what its counters had last, which is brought up to date */
  begin(counted: Map<string, number>, name: string | undefined): void {
    [this.#counted, this.#name] = [counted, name];
  }

  readonly tell: Tell = (family, value, labels = {}) => {
    const key = `${family.name}${PARTS}${this.#labels(family, labels)}`;
    if (family.type !== 'histogram') {
      if (Number.isFinite(value)) this.#add(key, family.merge, value as number);
      return;
    }
    const histogram = sourceOf(value as Histogram | LatencySummary);
    // One that no request has used yet.
    if (histogram === undefined) return;
    // Nothing was added since.
    if (this.#counted.get(`${key}${PARTS}${COUNT}`) === histogram.count) return;
    const counts = histogram.countsUpTo(MILLISECONDS);
    for (const [place, bound] of BOUNDS.entries())
      this.#add(`${key}${PARTS}${bound}`, MERGE.count, counts[place]!);
    this.#add(`${key}${PARTS}${COUNT}`, MERGE.count, histogram.count);
    this.#add(`${key}${PARTS}${SUM}`, MERGE.count, histogram.sum / 1000);
  };

  #labels(family: Family, given: Labels): string {
    const labels: Record<string, string> = {};
    for (const name of family.labels) {
      const value = given[name] ?? (name === 'name' ? this.#name : undefined);
      if (value !== undefined) labels[name] = value.isWellFormed() ? value : value.toWellFormed();
    }
    const text = JSON.stringify(labels);
    const known = this.#known.get(family) ?? new Set<string>();
    this.#known.set(family, known);
    if (known.has(text)) return text;
    if (known.size >= MOST_SERIES) return OVERFLOW;
    known.add(text);
    return text;
  }

  #add(key: string, merge: Family['merge'], value: number): void {
    if (merge === MERGE.count) {
      const last = this.#counted.get(key);
      this.#counted.set(key, value);
      // Less than before: it was reset.
      value = last === undefined || value < last ? value : value - last;
      if (value === 0 && last !== undefined) return;
    }
    this.keys.push(key);
    this.merges.push(merge);
    this.values.push(value);
  }
}

function sourceOf(value: Histogram | LatencySummary): Histogram | undefined {
  return 'countsUpTo' in value ? value : histogramOf(value);
}
