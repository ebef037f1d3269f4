import { invalid } from '../validate.js';
import { families, prometheusLabel } from './family.js';
import type { MetricFamily } from './points.js';

/** What of a registry of prom-client is needed. */
export interface PromRegistry {
  readonly contentType: string;
  metrics(): Promise<string>;
  registerMetric(metric: any): void;
  removeSingleMetric(name: string): void;
  getSingleMetric(name: string): unknown;
}

/** One sample as prom-client has it. */
interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

const METHODS = ['metrics', 'registerMetric', 'removeSingleMetric', 'getSingleMetric'] as const;

/**
 * Has a registry of prom-client tell of all metrics, but for those that it has already, as by `collectDefaultMetrics()`.
 *
 * @param collect is called once for all that a registry asks for at a time
 * @returns takes them off again
 */
export function attach(registry: PromRegistry, collect: () => Promise<MetricFamily[]>): () => void {
  const isOne = METHODS.every((method) => typeof registry?.[method] === 'function');
  if (!isOne) invalid('registry', 'a Registry of prom-client', registry);
  let pending: Promise<Map<string, MetricFamily>> | undefined;
  const all = (): Promise<Map<string, MetricFamily>> => {
    pending ??= collect()
      .then((found) => new Map(found.map((family) => [family.name, family])))
      .finally(() => {
        pending = undefined;
      });
    return pending;
  };
  const mine = families().filter(
    ({ prometheusName }) => registry.getSingleMetric(prometheusName) === undefined,
  );
  for (const { name, prometheusName, help, type } of mine) {
    const metric = { name: prometheusName, help, type, aggregator: 'sum' };
    // As prom-client's own AggregatorRegistry makes metrics that are counted elsewhere.
    const get = async () => ({ ...metric, values: samplesOf((await all()).get(name)) });
    registry.registerMetric({ ...metric, get, reset: () => {} });
  }
  return () => {
    for (const { prometheusName } of mine) registry.removeSingleMetric(prometheusName);
  };
}

function samplesOf(family: MetricFamily | undefined): Sample[] {
  if (family === undefined) return [];
  if (family.type !== 'histogram')
    return family.points.map(({ labels, value }) => ({ labels: named(labels), value }));
  const name = family.prometheusName;
  return family.points.flatMap((point) => {
    const labels = named(point.labels);
    return [
      ...[...point.buckets, { le: '+Inf', count: point.count }].map(({ le, count }) => ({
        labels: { ...labels, le },
        value: count,
        metricName: `${name}_bucket`,
      })),
      { labels, value: point.sum, metricName: `${name}_sum` },
      { labels, value: point.count, metricName: `${name}_count` },
    ];
  });
}

function named(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([label, value]) => [prometheusLabel(label), value]));
}
