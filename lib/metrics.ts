import { rename } from './metrics/census.js';
import { CONTENT_TYPE, exposition } from './metrics/exposition.js';
import { families, type MetricDefinition } from './metrics/family.js';
import { handlerOf, type MetricsHandler } from './metrics/http.js';
import { join } from './metrics/member.js';
import type { MetricFamily } from './metrics/points.js';
import { attach, type PromRegistry } from './metrics/promClient.js';
import type { OpenTelemetryMeterProvider } from './openTelemetry/api.js';
import { exportTo } from './openTelemetry/export.js';
import { type OpenTelemetryMetricProducer, producerOf } from './openTelemetry/producer.js';
import { integer, invalid, options as named, string } from './validate.js';

/** Options of {@link Metrics.collect}. */
export interface MetricsCollectOptions {
  /**
   * Milliseconds to wait for threads that are busy, 0 to 60,000; what they have told last is taken then. @default 100
   */
  timeout?: number | undefined;
}

/** Options of {@link Metrics.handler}. */
export interface MetricsHandlerOptions {
  /** What requests are to have as `Authorization: Bearer`, of ASCII without spaces; others get 401. @default everybody is answered */
  token?: string | undefined;
  /**
   * A registry of prom-client, whose metrics are served together with these. @default prom-client's own where the
   * service has installed it, and none otherwise; false for none
   */
  registry?: PromRegistry | false | undefined;
}

/** Options of {@link Metrics.openTelemetry}. */
export interface MetricsOpenTelemetryOptions {
  /** Who exports them. @default the global one of `@opentelemetry/api`, which the service has to have set by then */
  meterProvider?: OpenTelemetryMeterProvider | undefined;
}

const TIMEOUT = 100;
/** What a header can carry. */
const TOKEN = /^[!-~]+$/;

/**
 * What all instances of all utilities count, of all threads of the process that have loaded keelson.
 *
 * Nobody has to register anything. Instances of one kind are added up; those that {@link name} gave a name are told apart, as are
 * breakers, pools, shared caches and scalings, which have one already. What an instance has counted stays when it is gone, as far
 * as it was collected once; what a thread has counted stays when that ends.
 */
export class Metrics {
  /** All that there are, also those that nothing was counted of yet; by their names in order. */
  definitions(): MetricDefinition[] {
    return families().map(({ merge: _, ...definition }) => definition);
  }

  /**
   * Gives an instance a name, which its metrics have as the label `name`. Of a thousand distinct names in a thread; what is named
   * beyond them shares the name `other`.
   */
  name<T extends object>(instance: T, name: string): T {
    if (typeof instance !== 'object' || instance === null)
      invalid('instance', 'an instance of a utility', instance);
    rename(instance, string('name', name));
    return instance;
  }

  /** All metrics of which there are figures, of all threads. Keeps the process alive meanwhile. */
  async collect(options: MetricsCollectOptions = {}): Promise<MetricFamily[]> {
    named<MetricsCollectOptions>('options', options, ['timeout']);
    const { timeout = TIMEOUT } = options;
    integer('timeout', timeout, 0, 60_000);
    // As `observe` does.
    await undefined;
    const member = join();
    const heard = member.hear(timeout);
    member.publish();
    await heard;
    return member.read();
  }

  /** The same in Prometheus' text format 0.0.4. */
  async text(options: MetricsCollectOptions = {}): Promise<string> {
    return exposition(await this.collect(options));
  }

  /** Of what {@link text} gives. */
  get contentType(): string {
    return CONTENT_TYPE;
  }

  /**
   * Has a registry of prom-client tell of these metrics too, but for those that it has already, as by `collectDefaultMetrics()`.
   *
   * @returns takes them off again
   */
  attach(registry: PromRegistry): () => void {
    return attach(registry, () => this.collect());
  }

  /**
   * Has a MeterProvider of OpenTelemetry export these metrics, all of which are collected once for each of its exports. They are of
   * the whole process: call it in one thread. A provider that has them already is not given them again.
   *
   * OpenTelemetry's API has no histogram that can be asked for its figures: each is exported as the counters `.count`, `.sum` and
   * `.bucket`, the latter with the attribute `le`, as in Prometheus. See {@link producer} for histograms as such.
   *
   * @returns stops it
   * @throws PeerMissingError if `@opentelemetry/api` is not installed
   * @throws InvalidArgumentError
   */
  openTelemetry(options: MetricsOpenTelemetryOptions = {}): () => void {
    named<MetricsOpenTelemetryOptions>('options', options, ['meterProvider']);
    const { meterProvider } = options;
    if (meterProvider !== undefined && typeof meterProvider?.getMeter !== 'function')
      invalid('meterProvider', 'a MeterProvider of OpenTelemetry', meterProvider);
    return exportTo(meterProvider, () => this.collect());
  }

  /**
   * The same for the option `metricProducers` of a reader of OpenTelemetry's SDK, histograms as such included: instead of
   * {@link openTelemetry}, where the service makes its readers itself. It needs no package.
   */
  producer(): OpenTelemetryMetricProducer {
    return producerOf(() => this.collect());
  }

  /**
   * A listener for `http.createServer`, or a route's handler, that answers GET and HEAD with Prometheus' text: what a registry of
   * prom-client tells, and with it these metrics, or these alone where there is none.
   *
   * @throws InvalidArgumentError
   */
  handler(options: MetricsHandlerOptions = {}): MetricsHandler {
    named<MetricsHandlerOptions>('options', options, ['token', 'registry']);
    const { token, registry = installed() } = options;
    if (token !== undefined && !TOKEN.test(string('token', token)))
      invalid('token', 'letters, digits and signs of ASCII, without spaces', '(not shown)');
    if (registry === undefined || registry === false) {
      return handlerOf(async () => ({ contentType: CONTENT_TYPE, text: await this.text() }), token);
    }
    this.attach(registry);
    return handlerOf(
      async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
      token,
    );
  }
}

/** The registry that services use who have installed prom-client. */
function installed(): PromRegistry | undefined {
  try {
    return (require('prom-client') as { register: PromRegistry }).register;
  } catch {
    return undefined;
  }
}

/** The metrics of this process. */
export const metrics: Metrics = new Metrics();
