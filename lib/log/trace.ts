/** What of @opentelemetry/api is needed. */
interface Api {
  readonly context: { active(): unknown };
  readonly trace: { getSpanContext(context: unknown): SpanContext | undefined };
  isSpanContextValid(context: SpanContext): boolean;
}

interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
}

/** Where the API's global is, as soon as an SDK is set up: https://github.com/open-telemetry/opentelemetry-js, api/src/internal. */
const GLOBAL = Symbol.for('opentelemetry.js.api.1');

let api: Api | null | undefined;

/**
 * Members of a line that tell of the active span, if there is one, by the names of OpenTelemetry's "Trace Context in non-OTLP
 * Log Formats"; the ids are those of W3C Trace Context.
 */
export function traceMembers(): string {
  if ((globalThis as any)[GLOBAL] === undefined) return '';
  api ??= load();
  try {
    return api === null ? '' : membersOf(api);
  } catch {
    // A manager of contexts, or a span, of somebody's own.
    return '';
  }
}

function membersOf(api: Api): string {
  const span = api.trace.getSpanContext(api.context.active());
  if (span === undefined || !api.isSpanContextValid(span)) return '';
  const flags = (span.traceFlags & 0xff).toString(16).padStart(2, '0');
  return `,"trace_id":"${span.traceId}","span_id":"${span.spanId}","trace_flags":"${flags}"`;
}

function load(): Api | null {
  try {
    return require('@opentelemetry/api') as Api;
  } catch {
    // Somebody else's copy of it, out of reach.
    return null;
  }
}
