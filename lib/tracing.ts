import {
  loadApi,
  type OpenTelemetryTracerProvider,
  SCOPE,
  type Tracer,
  version,
} from './openTelemetry/api.js';
import { Spans, spans, use } from './openTelemetry/spans.js';
import { boolean, invalid, options as named } from './validate.js';

/** Options of {@link Tracing.enable}. */
export interface TracingOptions {
  /** Who makes the spans. @default the global one of `@opentelemetry/api`, also if the service sets that later */
  tracerProvider?: OpenTelemetryTracerProvider | undefined;
  /**
   * Whether spans of statements have their text as `db.query.text`, which is as private as what the service writes into it. Values
   * of parameters are never told. @default false
   */
  queryText?: boolean | undefined;
}

/** Spans of what the utilities of this thread do, through OpenTelemetry's API. There are none until they are enabled. */
export class Tracing {
  /**
   * Makes spans from now on. Called again, it goes by its latest options.
   *
   * @returns stops it, unless it was called again
   * @throws PeerMissingError if `@opentelemetry/api` is not installed
   * @throws InvalidArgumentError
   */
  enable(options: TracingOptions = {}): () => void {
    named<TracingOptions>('options', options, ['tracerProvider', 'queryText']);
    const { tracerProvider, queryText = false } = options;
    if (tracerProvider !== undefined && typeof tracerProvider?.getTracer !== 'function')
      invalid('tracerProvider', 'a TracerProvider of OpenTelemetry', tracerProvider);
    boolean('queryText', queryText);
    const api = loadApi('tracing.enable()');
    const tracer: Tracer = (tracerProvider ?? api.trace).getTracer(SCOPE, version());
    const made = new Spans(api, tracer, queryText);
    use(made);
    return () => {
      if (spans === made) use(undefined);
    };
  }
}

/** The spans of this thread. */
export const tracing: Tracing = new Tracing();
