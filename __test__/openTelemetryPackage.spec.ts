import { evaluate, evaluateSoon } from './support/process';

/** Has requires of the API get something else. */
const instead = (of: string): string => `
  const Module = require('node:module');
  const resolve = Module._resolveFilename;
  Module._resolveFilename = function (name, ...rest) {
    return name === '@opentelemetry/api' ? ${of} : resolve.call(this, name, ...rest);
  };`;
const MISSING = instead(
  `(() => { throw Object.assign(new Error('gone'), { code: 'MODULE_NOT_FOUND' }); })()`,
);
const OLD = instead(`resolve.call(this, 'opentelemetry-api-1.3', ...rest)`);

test('without @opentelemetry/api all works, and what needs it says what to install', async () => {
  const found = await evaluateSoon<any>(`${MISSING}
    const { KeelsonError, metrics, tracing, BoundedLRUCache, PeerMissingError } = require('keelson');
    const errors = [() => metrics.openTelemetry(), () => tracing.enable()].map((call) => {
      try {
        return call();
      } catch (error) {
        const { name, code, message, cause } = error;
        return { name, code, message, isOurs: error instanceof KeelsonError && error instanceof PeerMissingError, cause: cause.message };
      }
    });
    new BoundedLRUCache(2).getOrLoad('a', () => 1).then((value) => console.log(JSON.stringify({ errors, value })));
  `);
  const error = (what: string): object => ({
    name: 'PeerMissingError',
    code: 'ERR_KEELSON_PEER_MISSING',
    message: `${what} needs a package that keelson does not bring. Run: npm install @opentelemetry/api`,
    isOurs: true,
    cause: 'gone',
  });
  expect(found).toEqual({ errors: [error('metrics.openTelemetry()'), error('tracing.enable()')], value: 1 });
});

test('loading keelson loads nothing of OpenTelemetry', async () => {
  expect(
    await evaluate(`
      require('keelson');
      console.log(JSON.stringify(Object.keys(require.cache).filter((file) => file.includes('opentelemetry/'))));
    `),
  ).toEqual([]);
});

test('the oldest API that is accepted', async () => {
  const found = await evaluate<any>(`${OLD}
    const { version } = require('opentelemetry-api-1.3/package.json');
    const api = require('@opentelemetry/api');
    const { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-node');
    const { InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics');
    const { BoundedLRUCache, metrics, tracing } = require('keelson');
    const spans = new InMemorySpanExporter();
    const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
    provider.register();
    const exporter = new InMemoryMetricExporter(1);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    api.metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    (async () => {
      tracing.enable();
      metrics.openTelemetry();
      const cache = metrics.name(new BoundedLRUCache(2), 'old');
      await cache.getOrLoad('a', () => 1);
      await reader.forceFlush();
      const [{ scopeMetrics: [{ metrics: all }] }] = exporter.getMetrics();
      const entries = all.find(({ descriptor }) => descriptor.name === 'keelson.cache.entries');
      const { value } = entries.dataPoints.find(({ attributes }) => attributes.name === 'old');
      console.log(JSON.stringify({ version, entries: value, spans: spans.getFinishedSpans().map(({ name }) => name) }));
      await reader.shutdown();
    })();
  `);
  expect(found).toEqual({ version: '1.3.0', entries: 1, spans: ['keelson.cache.load'] });
});

test('neither spans nor an export keep the process', async () => {
  const found = await evaluateSoon<any>(`
    const { MeterProvider, PeriodicExportingMetricReader, InMemoryMetricExporter } = require('@opentelemetry/sdk-metrics');
    const { metrics, tracing } = require('keelson');
    const exporter = new InMemoryMetricExporter(1);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    tracing.enable();
    metrics.openTelemetry({ meterProvider: new MeterProvider({ readers: [reader] }) });
    console.log('1');
  `);
  expect(found).toBe(1);
});
