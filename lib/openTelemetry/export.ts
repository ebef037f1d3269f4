import { type Family, families } from '../metrics/family.js';
import { MERGE } from '../metrics/native.js';
import type { MetricFamily } from '../metrics/points.js';
import {
  type BatchObservableResult,
  loadApi,
  type Meter,
  type Observable,
  type OpenTelemetryMeterProvider,
  SCOPE,
  version,
} from './api.js';

/** Tells a figure of an instrument. */
type Observe = (name: string, value: number, labels: Readonly<Record<string, string>>) => void;

/** Names of the instruments that tell of a histogram, since those of OpenTelemetry cannot be asked for their figures. */
const [BUCKET, COUNT, SUM] = ['bucket', 'count', 'sum'];

const exported = new WeakMap<OpenTelemetryMeterProvider, () => void>();

/**
 * Has a MeterProvider ask for all metrics whenever it exports.
 *
 * @param collect is called once for each export
 * @returns stops it; the same for the same provider, which has it once
 */
export function exportTo(
  given: OpenTelemetryMeterProvider | undefined,
  collect: () => Promise<MetricFamily[]>,
): () => void {
  const api = loadApi('metrics.openTelemetry()');
  const provider = given ?? api.metrics.getMeterProvider();
  const running = exported.get(provider);
  if (running !== undefined) return running;
  const meter: Meter = provider.getMeter(SCOPE, version());
  if (meter === api.createNoopMeter()) {
    process.emitWarning(
      'metrics.openTelemetry() found no MeterProvider: call it after the SDK has started, or give it "meterProvider"',
      'KeelsonWarning',
    );
    return () => {};
  }
  const instruments = instrumentsOf(meter);
  const all = [...instruments.values()];
  const callback = async (result: BatchObservableResult): Promise<void> => {
    const observe: Observe = (name, value, labels) => result.observe(instruments.get(name)!, value, labels);
    for (const family of await collect()) tell(family, observe);
  };
  meter.addBatchObservableCallback(callback, all);
  const stop = (): void => {
    if (exported.get(provider) !== stop) return;
    exported.delete(provider);
    meter.removeBatchObservableCallback(callback, all);
  };
  exported.set(provider, stop);
  return stop;
}

function instrumentsOf(meter: Meter): Map<string, Observable> {
  const instruments = new Map<string, Observable>();
  for (const family of families()) {
    const { name, unit, help, type } = family;
    const options = { unit, description: help };
    if (type !== 'histogram') {
      instruments.set(name, observable(meter, family, options));
      continue;
    }
    const each = { ...options, unit: '{observation}' };
    instruments.set(`${name}.${BUCKET}`, meter.createObservableCounter(`${name}.${BUCKET}`, each));
    instruments.set(`${name}.${COUNT}`, meter.createObservableCounter(`${name}.${COUNT}`, each));
    instruments.set(`${name}.${SUM}`, meter.createObservableCounter(`${name}.${SUM}`, options));
  }
  return instruments;
}

/** Sums of what there is now can be added up further, over instances of a service too; extremes cannot. */
function observable(
  meter: Meter,
  { name, type, merge }: Family,
  options: { unit: string; description: string },
): Observable {
  if (type === 'counter') return meter.createObservableCounter(name, options);
  if (merge === MERGE.sum) return meter.createObservableUpDownCounter(name, options);
  return meter.createObservableGauge(name, options);
}

function tell(family: MetricFamily, observe: Observe): void {
  const { name } = family;
  if (family.type !== 'histogram') {
    for (const { labels, value } of family.points) observe(name, value, labels);
    return;
  }
  for (const { labels, count, sum, buckets } of family.points) {
    for (const { le, count: within } of [...buckets, { le: '+Inf', count }])
      observe(`${name}.${BUCKET}`, within, { ...labels, le: String(le) });
    observe(`${name}.${COUNT}`, count, labels);
    observe(`${name}.${SUM}`, sum, labels);
  }
}
