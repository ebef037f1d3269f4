import * as keelson from 'keelson';
import { evaluate, runNode } from './support/process';

const names = Object.keys(keelson).sort();

test('CommonJS and ESM give the same names, which Node finds without running the code', async () => {
  const source = `import * as esm from 'keelson'; console.log(JSON.stringify(Object.keys(esm)));`;
  const { stdout, stderr } = await runNode(['--input-type=module', '-e', source]);
  expect(stderr).toBe('');
  // Node adds these to what a CommonJS module exports.
  const esm = (JSON.parse(stdout) as string[]).filter(
    (name) => !['default', 'module.exports', '__esModule'].includes(name),
  );
  expect(esm.sort()).toEqual(names);
});

test('both module systems share one instance of every class', async () => {
  const source = `
    import { createRequire } from 'node:module';
    import * as esm from 'keelson';
    const cjs = createRequire(process.cwd() + '/')('keelson');
    console.log(JSON.stringify(Object.keys(cjs).filter((name) => cjs[name] !== esm[name])));`;
  const { stdout } = await runNode(['--input-type=module', '-e', source]);
  expect(JSON.parse(stdout)).toEqual([]);
});

test('the public names are exactly these', () => {
  expect(names).toEqual([
    'BatchError',
    'BoundedLRUCache',
    'BreakerOpenError',
    'CircuitBreaker',
    'CircularBuffer',
    'CircularReferenceError',
    'ConfigurationError',
    'ConnectionError',
    'ConnectionPool',
    'CostAboveQuotaError',
    'Dashboard',
    'DatabaseConnectionPool',
    'DependencyError',
    'DestroyedError',
    'DistributedRateLimiter',
    'DriverMissingError',
    'Health',
    'InvalidArgumentError',
    'JSONDocument',
    'JSONLimitError',
    'JSONPointerError',
    'JSONSyntaxError',
    'JSONWorkerPool',
    'KeelsonError',
    'Lifecycle',
    'LoadError',
    'LoadForecast',
    'LogError',
    'MainThreadError',
    'MalformedPathError',
    'OptimizedRouter',
    'PeerMissingError',
    'PoolUnavailableError',
    'QueueFullError',
    'RedisError',
    'RemoteStoreError',
    'RouteConflictError',
    'RouteTimeoutError',
    'RouteTrie',
    'Scaling',
    'SharedCache',
    'ShuttingDownError',
    'SnapshotError',
    'TieredCache',
    'TimeoutError',
    'TimerManager',
    'TransactionEndedError',
    'WorkerAsyncLogger',
    'concurrent',
    'configuration',
    'configure',
    'destroyJsonWorkerPool',
    'getJsonWorkerPool',
    'json',
    'lifecycle',
    'metrics',
    'parseJSONAsync',
    'stringifyJSONAsync',
    'timerManager',
    'tracing',
  ]);
});

test('package.json can be read through the exports map, and nothing internal can', async () => {
  const found = await evaluate<string>(`
    let code; try { require('keelson/dist/native.js'); } catch (error) { code = error.code; }
    console.log(JSON.stringify(require('keelson/package.json').name + ' ' + code));`);
  expect(found).toBe('keelson ERR_PACKAGE_PATH_NOT_EXPORTED');
});
