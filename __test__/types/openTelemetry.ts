// What the types of metrics and spans for OpenTelemetry accept, and what they refuse: they are keelson's own, since the package may
// be absent.
import * as api from '@opentelemetry/api';
import {
  MeterProvider,
  type MetricProducer,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import {
  type MetricsOpenTelemetryOptions,
  metrics,
  type OpenTelemetryMeterProvider,
  type OpenTelemetryMetricProducer,
  type OpenTelemetryTracerProvider,
  type Tracing,
  type TracingOptions,
  tracing,
} from 'keelson';
import * as oldest from 'opentelemetry-api-1.3';
import type { Api, Meter, Tracer } from '../../dist/openTelemetry/api';

export function use(exporter: any): void {
  const meterProvider: OpenTelemetryMeterProvider = api.metrics.getMeterProvider();
  const tracerProvider: OpenTelemetryTracerProvider = api.trace.getTracerProvider();
  const how: MetricsOpenTelemetryOptions = { meterProvider: new MeterProvider() };
  const stop: () => void = metrics.openTelemetry(how);
  metrics.openTelemetry({ meterProvider });
  metrics.openTelemetry();
  const made: OpenTelemetryMetricProducer = metrics.producer();
  const producer: MetricProducer = made;
  new PeriodicExportingMetricReader({ exporter, metricProducers: [producer] });

  const one: Tracing = tracing;
  const options: TracingOptions = { tracerProvider: new NodeTracerProvider(), queryText: true };
  const end: () => void = one.enable(options);
  tracing.enable({ tracerProvider });
  stop();
  end();

  // What keelson takes the API for, it is, in its newest version and in the oldest one that is accepted.
  const apis: Api[] = [api, oldest];
  const meters: Meter[] = [api.metrics.getMeter('x'), oldest.metrics.getMeter('x')];
  const tracers: Tracer[] = [api.trace.getTracer('x'), oldest.trace.getTracer('x')];
  void [apis, meters, tracers];

  // @ts-expect-error: this is no MeterProvider
  metrics.openTelemetry({ meterProvider: tracerProvider });
  // @ts-expect-error: there is no such option
  tracing.enable({ text: true });
}
