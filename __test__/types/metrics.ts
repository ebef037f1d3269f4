// What the types of the metrics accept, and what they refuse.
import { createServer } from 'node:http';
import {
  BoundedLRUCache,
  type MetricDefinition,
  type MetricDistribution,
  type MetricFamily,
  type Metrics,
  type MetricsHandlerOptions,
  type MetricValue,
  metrics,
} from 'keelson';
import { Registry, register } from 'prom-client';

export async function use(): Promise<void> {
  const one: Metrics = metrics;
  const cache: BoundedLRUCache<string, number> = one.name(new BoundedLRUCache<string, number>(5), 'prices');
  cache.set('a', 1);
  const options: MetricsHandlerOptions = { token: 'x', registry: register };
  createServer(one.handler(options));
  one.handler({ registry: false });
  one.attach(new Registry())();
  const openMetrics = new Registry();
  openMetrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as any);
  one.handler({ registry: openMetrics });
  const families: MetricFamily[] = await one.collect({ timeout: 5 });
  for (const family of families) {
    if (family.type === 'histogram') {
      const points: readonly MetricDistribution[] = family.points;
      points[0]?.buckets[0]?.le.toFixed();
    } else {
      const points: readonly MetricValue[] = family.points;
      points[0]?.value.toFixed();
    }
  }
  const text: string = await one.text();
  const definitions: MetricDefinition[] = one.definitions();
  definitions[0]!.labels.includes(text);

  // @ts-expect-error: an instance has to be an object
  one.name('cache', 'x');
  // @ts-expect-error: there is no such option
  await one.collect({ wait: 5 });
  // @ts-expect-error: definitions are only read
  definitions[0]!.name = 'x';
  // @ts-expect-error: a Map is no registry
  one.attach(new Map());
}
