import { isDeepStrictEqual } from 'node:util';
import { metrics as api } from '@opentelemetry/api';
import {
  AggregationTemporality,
  DataPointType,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  type MetricProducer,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BoundedLRUCache, ConnectionPool, type MetricDefinition, type MetricFamily, metrics } from 'keelson';
import { families } from '../dist/metrics/family';
import { MERGE } from '../dist/metrics/native';

const open: { shutdown(): Promise<void> }[] = [];
afterEach(async () => {
  for (const provider of open.splice(0)) await provider.shutdown();
  api.disable();
  jest.restoreAllMocks();
});

/** An SDK that exports when it is asked to. */
function sdk(temporality = AggregationTemporality.CUMULATIVE, metricProducers: MetricProducer[] = []) {
  const exporter = new InMemoryMetricExporter(temporality);
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: 3_600_000,
    metricProducers,
  });
  // What other specs of this process have counted stays, and is more than an SDK usually takes.
  const views = [{ instrumentName: '*', aggregationCardinalityLimit: 1_000_000 }];
  const provider = new MeterProvider({ readers: [reader], views });
  open.push(provider);
  const flush = async (): Promise<Map<string, MetricData>> => {
    exporter.reset();
    await reader.forceFlush();
    const scopes = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
    expect(scopes.every(({ scope }) => scope.name === 'keelson')).toBe(true);
    return new Map(
      scopes.flatMap((scope) => scope.metrics).map((metric) => [metric.descriptor.name, metric]),
    );
  };
  return { provider, flush };
}

/** The figure of an instrument with attributes. */
function figure(found: ReadonlyMap<string, MetricData>, name: string, attributes: object): unknown {
  const key = JSON.stringify(attributes);
  const points = found.get(name)?.dataPoints ?? [];
  return points.find((point) => JSON.stringify(point.attributes) === key)?.value;
}

/** Figures of a family as [instrument, attributes, value]. */
function figures(family: MetricFamily): [string, object, number][] {
  const { name } = family;
  if (family.type !== 'histogram') return family.points.map(({ labels, value }) => [name, labels, value]);
  return family.points.flatMap(({ labels, count, sum, buckets }): [string, object, number][] => [
    [`${name}.count`, labels, count],
    [`${name}.sum`, labels, sum],
    ...buckets.map((bucket): [string, object, number] => [
      `${name}.bucket`,
      { ...labels, le: String(bucket.le) },
      bucket.count,
    ]),
    [`${name}.bucket`, { ...labels, le: '+Inf' }, count],
  ]);
}

const all = (found: readonly MetricFamily[]): Map<string, [string, object, number]> =>
  new Map(found.flatMap(figures).map((one) => [`${one[0]} ${JSON.stringify(one[1])}`, one]));

/** A cache, and a pool whose only connection one had to wait for. */
async function work(): Promise<unknown[]> {
  const cache = metrics.name(new BoundedLRUCache<string, number>(10), 'users');
  cache.set('a', 1);
  cache.get('a');
  cache.get('b');
  const pool = new ConnectionPool(
    { create: async () => ({}), destroy: async () => {} },
    { name: 'otel', max: 1 },
  );
  await pool.use(() => {});
  await Promise.all([pool.use(() => {}), pool.use(() => {})]);
  await pool.close();
  return [cache, pool];
}

test('every figure that collect() tells is exported, with its labels', async () => {
  const kept = await work();
  const { provider, flush } = sdk();
  metrics.openTelemetry({ meterProvider: provider });
  const before = all(await metrics.collect());
  const found = await flush();
  const after = all(await metrics.collect());
  // What is the same before and after was so in between, but for the process's own figures: those may come back to what they were.
  const both = [...before].filter(([key]) => after.has(key));
  const isOfProcess = (name: string) => /^(nodejs|process|v8js)\./.test(name);
  const still = both.filter(([key, [name, , value]]) => after.get(key)![2] === value && !isOfProcess(name));
  expect(still.length).toBeGreaterThan(50);
  for (const [, [name, attributes, value]] of still)
    expect([name, attributes, figure(found, name, attributes)]).toEqual([name, attributes, value]);
  for (const [, [name, attributes]] of both)
    expect([name, attributes, figure(found, name, attributes)]).toEqual([
      name,
      attributes,
      expect.any(Number),
    ]);
  expect([...found.keys()].sort()).toEqual([...new Set([...after.values()].map(([name]) => name))].sort());
  expect(figure(found, 'keelson.cache.lookups', { name: 'users', result: 'hit' })).toBe(1);
  expect(
    figure(found, 'db.client.connection.wait_time.count', { 'db.client.connection.pool.name': 'otel' }),
  ).toBeGreaterThan(0);
  expect(kept).toHaveLength(2);
});

test('instruments have the names, units and kinds of the definitions', async () => {
  await work();
  const { provider, flush } = sdk();
  metrics.openTelemetry({ meterProvider: provider });
  const found = await flush();
  const merges = new Map(families().map((family) => [family.name, family.merge]));
  const definitions = new Map(metrics.definitions().map((one) => [one.name, one]));
  for (const [name, { descriptor, dataPointType, ...metric }] of found) {
    const part = /\.(?:bucket|count|sum)$/.exec(name)?.[0] ?? '';
    const whole = name.slice(0, name.length - part.length);
    const isPart = definitions.get(whole)?.type === 'histogram';
    const definition: MetricDefinition = definitions.get(isPart ? whole : name)!;
    const isSum = definition.type !== 'gauge' || merges.get(name) === MERGE.sum;
    expect({ name, unit: descriptor.unit, help: descriptor.description, dataPointType }).toEqual({
      name,
      unit: isPart && part !== '.sum' ? '{observation}' : definition.unit,
      help: definition.help,
      dataPointType: isSum ? DataPointType.SUM : DataPointType.GAUGE,
    });
    if (isSum) expect([name, (metric as any).isMonotonic]).toEqual([name, definition.type !== 'gauge']);
  }
  expect(found.size).toBeGreaterThan(30);
});

test('a producer tells the same, with histograms as such', async () => {
  const kept = await work();
  const { flush } = sdk(AggregationTemporality.CUMULATIVE, [metrics.producer()]);
  const before = await metrics.collect();
  const found = await flush();
  const after = new Map((await metrics.collect()).map((family) => [family.name, family]));
  const still = before.filter((family) => isDeepStrictEqual(family, after.get(family.name)));
  expect(still.length).toBeGreaterThan(20);
  const histograms = still.filter(({ type }) => type === 'histogram');
  expect(histograms.map(({ name }) => name)).toContain('db.client.connection.wait_time');
  for (const family of still) {
    const data = found.get(family.name)!;
    expect(data.descriptor).toMatchObject({ unit: family.unit, description: family.help });
    expect(data.aggregationTemporality).toBe(AggregationTemporality.CUMULATIVE);
    expect(data.dataPoints.map(({ attributes }) => attributes)).toEqual(
      family.points.map(({ labels }) => labels),
    );
    if (family.type !== 'histogram') {
      expect(data.dataPointType).not.toBe(DataPointType.HISTOGRAM);
      expect(data.dataPoints.map(({ value }) => value)).toEqual(family.points.map(({ value }) => value));
      continue;
    }
    expect(data.dataPointType).toBe(DataPointType.HISTOGRAM);
    family.points.forEach(({ count, sum, buckets }, index) => {
      const value = data.dataPoints[index]!.value as Histogram;
      expect(value).toMatchObject({ count, sum });
      expect(value.buckets.boundaries).toEqual(buckets.map(({ le }) => le));
      // Added up again they are what they were, and the last of them completes the count.
      let within = 0;
      const ends = value.buckets.counts.map((each) => {
        within += each;
        return within;
      });
      expect(ends).toEqual([...buckets.map((bucket) => bucket.count), count]);
    });
  }
  const [point] = found.get('keelson.cache.lookups')!.dataPoints;
  expect(point!.startTime[0]).toBeLessThanOrEqual(point!.endTime[0]);
  expect(Math.abs(point!.endTime[0] - Date.now() / 1000)).toBeLessThan(60);
  expect(found.get('keelson.cache.lookups')).toMatchObject({
    dataPointType: DataPointType.SUM,
    isMonotonic: true,
  });
  expect(found.get('keelson.cache.entries')).toMatchObject({
    dataPointType: DataPointType.SUM,
    isMonotonic: false,
  });
  expect(kept).toHaveLength(2);
});

test('an SDK that exports by how much counters have grown', async () => {
  const cache = metrics.name(new BoundedLRUCache<string, number>(10), 'deltas');
  const { provider, flush } = sdk(AggregationTemporality.DELTA);
  metrics.openTelemetry({ meterProvider: provider });
  const misses = async (): Promise<unknown> =>
    figure(await flush(), 'keelson.cache.lookups', { name: 'deltas', result: 'miss' });
  cache.get('a');
  expect(await misses()).toBe(1);
  cache.get('a');
  cache.get('a');
  expect(await misses()).toBe(2);
  expect(await misses()).toBe(0);
});

test('all are collected once for each export, for each provider by itself', async () => {
  const [one, other] = [sdk(), sdk()];
  const collect = jest.spyOn(metrics, 'collect');
  const stop = metrics.openTelemetry({ meterProvider: one.provider });
  expect(metrics.openTelemetry({ meterProvider: one.provider })).toBe(stop);
  const stopOther = metrics.openTelemetry({ meterProvider: other.provider });
  expect((await one.flush()).size).toBeGreaterThan(10);
  expect(collect).toHaveBeenCalledTimes(1);
  stop();
  await one.flush();
  expect(collect).toHaveBeenCalledTimes(1);
  expect((await other.flush()).size).toBeGreaterThan(10);
  expect(collect).toHaveBeenCalledTimes(2);
  // It may begin anew, and what stopped it once stops nothing more.
  const again = metrics.openTelemetry({ meterProvider: one.provider });
  stop();
  await one.flush();
  expect(collect).toHaveBeenCalledTimes(3);
  again();
  stopOther();
});

test('the global provider, and a warning where there is none', async () => {
  const warned = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  metrics.openTelemetry()();
  expect(warned.mock.calls).toEqual([
    [expect.stringContaining('found no MeterProvider: call it after the SDK has started'), 'KeelsonWarning'],
  ]);
  const { provider, flush } = sdk();
  api.setGlobalMeterProvider(provider);
  const stop = metrics.openTelemetry();
  expect(warned).toHaveBeenCalledTimes(1);
  expect((await flush()).size).toBeGreaterThan(10);
  stop();
});

test.each([[{ meterProvider: {} }], [{ meterProvider: null }], [{ provider: {} }], [null]])(
  'refuses %j',
  (options) => {
    expect(() => metrics.openTelemetry(options as any)).toThrow(
      expect.objectContaining({ code: 'ERR_KEELSON_INVALID_ARGUMENT' }),
    );
  },
);
