import { context, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { type TracingOptions, tracing } from 'keelson';

export type { ReadableSpan };
/** What a span says of itself, and the name of the one that it is in. */
export interface Told {
  name: string;
  kind: number;
  attributes: Record<string, unknown>;
  status: number;
  parent: string | undefined;
}

/** A span in which a test does something. */
export const within = <R>(name: string, work: () => Promise<R>): Promise<R> =>
  trace.getTracer('spec').startActiveSpan(name, async (span) => {
    try {
      return await work();
    } finally {
      span.end();
    }
  });

/** The SDK of OpenTelemetry with its spans in memory, anew for each test of a file. */
export function useSpans() {
  let exporter: InMemorySpanExporter;
  let provider: NodeTracerProvider;
  let stop: (() => void) | undefined;
  beforeEach(() => {
    // A provider that is shut down ends its exporter.
    exporter = new InMemorySpanExporter();
    provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    provider.register();
  });
  afterEach(async () => {
    stop?.();
    stop = undefined;
    await provider.shutdown();
    trace.disable();
    context.disable();
  });
  const spans = (): ReadableSpan[] => exporter.getFinishedSpans();
  return {
    enable: (options?: TracingOptions): (() => void) => {
      stop = tracing.enable(options);
      return stop;
    },
    /** All that have ended, in the order of their ends. */
    spans,
    told: (): Told[] => {
      const all = spans();
      const names = new Map(all.map((span) => [span.spanContext().spanId, span.name]));
      return all.map((span) => ({
        name: span.name,
        kind: span.kind,
        attributes: span.attributes,
        status: span.status.code,
        parent: names.get(span.parentSpanContext?.spanId ?? ''),
      }));
    },
    named: (name: string): ReadableSpan[] => spans().filter((span) => span.name === name),
  };
}
