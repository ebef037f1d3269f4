import { familyOf, type MetricDefinition } from './family.js';
import { BOUNDS, COUNT, PARTS, SUM } from './told.js';

/** A figure of counters and gauges. */
export interface MetricValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Durations, counted by how long they were, in seconds. */
export interface MetricDistribution {
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
  readonly sum: number;
  /** How many were no longer than `le`, for each of the same ends in ascending order; all of them are `count`. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
}

/** A metric and its figures, one for each combination of labels: values of counters and gauges, distributions of histograms. */
export type MetricFamily =
  | (MetricDefinition & { readonly type: 'counter' | 'gauge'; readonly points: readonly MetricValue[] })
  | (MetricDefinition & { readonly type: 'histogram'; readonly points: readonly MetricDistribution[] });

/** One series, and where its figures are. */
interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** By part; that of a counter or a gauge is ''. */
  readonly places: Map<string, number>;
}

/** Keys of figures, read. There are few that are new from one time to the next. */
export class Layout {
  readonly #families: { definition: MetricDefinition; series: Series[] }[] = [];

  /** @param keys in order, so that those of a family and of a series are together */
  constructor(readonly keys: string) {
    let [family, labels] = ['', ''];
    for (const [place, key] of keys.split('\n').entries()) {
      const [name, text, part = ''] = key.split(PARTS) as [string, string, string?];
      const found = familyOf(name);
      // Told by another version of keelson in this process.
      if (found === undefined) continue;
      if (name !== family) {
        const { merge: _, ...definition } = found;
        this.#families.push({ definition, series: [] });
      }
      const { series } = this.#families.at(-1)!;
      if (name !== family || text !== labels)
        series.push({ labels: Object.freeze(JSON.parse(text)), places: new Map() });
      series.at(-1)!.places.set(part, place);
      [family, labels] = [name, text];
    }
  }

  /** The families with their values, in the order of the keys. */
  fill(values: Float64Array): MetricFamily[] {
    return this.#families.map(({ definition, series }) => {
      const read = definition.type === 'histogram' ? distribution : single;
      return { ...definition, points: series.map((one) => read(one, values)) } as MetricFamily;
    });
  }
}

function single({ labels, places }: Series, values: Float64Array): MetricValue {
  return { labels, value: values[places.get('')!]! };
}

function distribution({ labels, places }: Series, values: Float64Array): MetricDistribution {
  const at = (part: string): number => values[places.get(part) ?? -1] ?? 0;
  const buckets = BOUNDS.map((le) => ({ le, count: at(String(le)) }));
  return { labels, count: at(COUNT), sum: at(SUM), buckets };
}
