/** In the order of the report. */
const MODULES = [
  'timers',
  'timer-load',
  'timer-memory',
  'cache-throughput',
  'cache-memory',
  'cache-hit-ratio',
  'shared-cache-memory',
  'shared-cache-churn',
  'shared-cache-threads',
  'shared-cache-calls',
  'shared-cache-hit-ratio',
  'tiered-cache',
  'circular-buffer',
  'router-lookup',
  'router-tables',
  'router-http',
  'json-parse',
  'json-fields',
  'json-stringify',
  'json-files',
  'json-service',
  'pool-acquire',
  'pool-queries',
  'pool-start',
  'pool-outage',
  'limiter-redis',
  'limiter-memory',
  'breaker',
  'scaling',
  'logger',
  'logger-stall',
  'logger-exit',
  'service',
];

/** All benchmarks, each with the address of its module, from which a contestant's process loads it again. */
export async function loadBenchmarks() {
  const loaded = [];
  for (const module of MODULES) {
    const suite = new URL(`${module}.mjs`, import.meta.url).href;
    const { benchmarks } = await import(suite);
    loaded.push(...benchmarks.map((benchmark) => ({ ...benchmark, suite })));
  }
  return loaded;
}
