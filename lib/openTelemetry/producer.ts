import { familyOf } from '../metrics/family.js';
import { MERGE } from '../metrics/native.js';
import type { MetricDistribution, MetricFamily, MetricValue } from '../metrics/points.js';
import { SCOPE, version } from './api.js';

/** A MetricProducer of OpenTelemetry's SDK: what its readers export besides what the SDK itself has counted. */
export interface OpenTelemetryMetricProducer {
  collect(): Promise<any>;
}

/** Seconds, and nanoseconds beyond them. */
type Time = [seconds: number, nanoseconds: number];

/** Enumerations of @opentelemetry/sdk-metrics and of the API. */
const CUMULATIVE = 1;
const DOUBLE = 1;
const [HISTOGRAM, GAUGE, SUM] = [0, 2, 3];

/** @param collect is called once for each export */
export function producerOf(collect: () => Promise<MetricFamily[]>): OpenTelemetryMetricProducer {
  const scope = { name: SCOPE, version: version() };
  const startTime = timeOf(performance.timeOrigin);
  return {
    collect: async () => {
      const found = await collect();
      const times = { startTime, endTime: timeOf(Date.now()) };
      const metrics = found.map((family) => dataOf(family, times));
      // A reader has its SDK's resource.
      return { resourceMetrics: { resource: undefined, scopeMetrics: [{ scope, metrics }] }, errors: [] };
    },
  };
}

function timeOf(ms: number): Time {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.floor((ms - seconds * 1000) * 1e6)];
}

function dataOf(family: MetricFamily, times: { startTime: Time; endTime: Time }): object {
  const { name, unit, help, type } = family;
  const isMonotonic = type === 'counter';
  const isSum = isMonotonic || (type === 'gauge' && familyOf(name)?.merge === MERGE.sum);
  const figureOf = (point: MetricValue | MetricDistribution): unknown =>
    'value' in point ? point.value : histogramOf(point);
  return {
    descriptor: { name, description: help, unit, valueType: DOUBLE },
    aggregationTemporality: CUMULATIVE,
    dataPointType: type === 'histogram' ? HISTOGRAM : isSum ? SUM : GAUGE,
    dataPoints: family.points.map((point) => ({
      ...times,
      attributes: point.labels,
      value: figureOf(point),
    })),
    ...(isSum && { isMonotonic }),
  };
}

/** Each bucket without those below it, and one for what is longer than all ends. */
function histogramOf({ count, sum, buckets }: MetricDistribution): object {
  const ends = [...buckets.map((bucket) => bucket.count), count];
  return {
    buckets: {
      boundaries: buckets.map(({ le }) => le),
      counts: ends.map((end, place) => end - (ends[place - 1] ?? 0)),
    },
    count,
    sum,
  };
}
