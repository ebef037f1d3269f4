import { type Family, familyOf, type MetricDefinition } from './family.js';
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

interface Distribution {
  readonly count: number;
  readonly sum: number;
  readonly buckets: { le: number; count: number }[];
}

/** Figures by their keys, put together as metrics, in the order of the keys. */
export function familiesOf(figures: readonly [key: string, value: number][]): MetricFamily[] {
  const found = new Map<Family, Map<string, Map<string, number>>>();
  for (const [key, value] of figures) {
    const [name, labels, part = ''] = key.split(PARTS);
    const family = familyOf(name!);
    // Told by another version of keelson in this process.
    if (family === undefined) continue;
    const series = at(found, family, () => new Map<string, Map<string, number>>());
    at(series, labels!, () => new Map<string, number>()).set(part, value);
  }
  return [...found].map(([{ merge: _, ...definition }, series]) => {
    const points = [...series].map(([labels, parts]) => ({
      labels: JSON.parse(labels) as Record<string, string>,
      ...(definition.type === 'histogram' ? distribution(parts) : { value: parts.get('')! }),
    }));
    return { ...definition, points } as MetricFamily;
  });
}

function distribution(parts: ReadonlyMap<string, number>): Distribution {
  const buckets = BOUNDS.map((le) => ({ le, count: parts.get(String(le)) ?? 0 }));
  return { count: parts.get(COUNT) ?? 0, sum: parts.get(SUM) ?? 0, buckets };
}

function at<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
