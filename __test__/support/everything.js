const { randomUUID } = require('node:crypto');
const { once } = require('node:events');
const { mkdtempSync, readFileSync, rmSync } = require('node:fs');
const { createServer, get } = require('node:http');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

// Uses all of keelson and destroys nothing. Plain JavaScript, since processes, workers and other jests run it too.

/**
 * Resolves what it found; `leave` also leaves behind what a careless service would: a timer far away, a full cache.
 */
module.exports = async function useEverything(keelson, { leave = true } = {}) {
  const { TimerManager, timerManager, BoundedLRUCache, CircularBuffer, InvalidArgumentError } = keelson;
  const { RouteTrie, OptimizedRouter, JSONWorkerPool, json, ConnectionPool } = keelson;
  const { DistributedRateLimiter, CircuitBreaker, WorkerAsyncLogger, SharedCache, TieredCache } = keelson;
  const { Lifecycle, Health, Scaling, LoadForecast, metrics, tracing, Dashboard, configuration } = keelson;
  const manager = new TimerManager();
  const cache = new BoundedLRUCache(2, 60_000);
  const buffer = new CircularBuffer(2);
  const samples = new CircularBuffer(4, { storage: 'float64' });

  const called = await new Promise((resolve) => manager.setTimeout((...args) => resolve(args), 1, 'a', 'b'));
  let ticks = 0;
  await new Promise((resolve) => {
    const interval = timerManager.setInterval(() => {
      ticks += 1;
      if (ticks < 2) return;
      timerManager.clearInterval(interval);
      resolve();
    }, 1);
  });
  for (const key of ['x', 'y', 'z']) cache.set(key, { key });
  for (const item of [1, 2, 3]) {
    buffer.push(item);
    samples.push(item);
  }
  const trie = new RouteTrie({ cache: true });
  const patterns = [
    '/static',
    '/users/:id',
    '/v:major.:minor',
    '/:year(\\d{4})-:month(\\d\\d)',
    '/files/*path',
  ];
  const handler = () => {};
  for (const pattern of patterns) trie.insert(pattern, { id: pattern, method: 'GET', handler });
  const paths = ['/static?q', '/users/%C3%A4', '/v1.2', '/2026-11', '/files/a%2Fb/c', '/2026-1', '/users'];
  const routed = paths.map((path) => trie.search(path, 'GET')?.params ?? null);
  trie.remove('/static');
  const router = new OptimizedRouter();
  const answers = [];
  const answer = (id) => ({ id, method: 'GET', handler: (req, res) => res.json([id, req.params]) });
  for (const id of ['one', 'two']) router.addRoute('/a/:x', answer(id));
  const res = { status: () => res, json: (body) => answers.push(body) };
  for (const path of ['/a/1', '/a/2', '/b']) router.handle({ path, method: 'GET' }, res);
  const rows = Array.from({ length: 3_000 }, (_, id) => ({
    id,
    name: `row ${id}`,
    half: id / 2,
    tags: ['x', null],
  }));
  const pool = new JSONWorkerPool(1);
  const text = await pool.stringify(rows);
  const parsed = await Promise.all([
    pool.parse(text),
    json.parse(Buffer.from(text)),
    json.parseStream([text]),
  ]);
  const lines = [];
  for await (const batch of json.ndjson(['{"a":1}\n', '[2]'])) lines.push(...batch);
  const document = await pool.openDocument(text);
  const malformed = await json.parse(`${text}]`).catch((error) => [error instanceof SyntaxError, error.code]);
  const connections = new ConnectionPool(
    { create: async () => ({}), destroy: async () => {}, validate: async () => true },
    { max: 2, validateAfter: 0, leakAfter: 1 },
  );
  const served = await Promise.all([1, 2, 3, 4].map((n) => connections.use(() => n, { affinity: 'key' })));
  const held = await connections.acquire();
  const tooFew = [connections.acquire(), connections.acquire({ timeout: 2 })];
  const [, late] = await Promise.allSettled(tooFew);
  held.release();
  const limiter = new DistributedRateLimiter({ windowMs: 60_000, maxRequests: 2 });
  // Nobody listens there: what is asked is decided without it.
  const away = new DistributedRateLimiter({ windowMs: 60_000, maxRequests: 1, redis: 'redis://127.0.0.1:1' });
  const checks = await Promise.all(['k', 'k', 'k'].map((key) => limiter.check(key)));
  const local = await away.check('k');
  const breaker = new CircuitBreaker(
    async (ok) => {
      if (!ok) throw new Error('down');
      return ok;
    },
    { volumeThreshold: 2 },
  );
  const fired = await Promise.allSettled([true, false, false].map((ok) => breaker.fire(ok)));
  const sharing = new CircuitBreaker(async () => 'alone', {
    name: 'sharing',
    shared: { redis: 'redis://127.0.0.1:1', interval: 10 },
  });
  const unshared = await sharing.fire();
  const refused = await breaker.fire(true).catch((error) => error instanceof Error && error.code);
  const folder = mkdtempSync(join(tmpdir(), 'keelson-everything-'));
  const logFile = join(folder, 'logs', 'app.log');
  const logger = new WorkerAsyncLogger(logFile);
  logger.info('one', { requestId: 'r' });
  logger.error('two', { error: new Error('three') });
  await logger.flush();
  const logged = readFileSync(logFile, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  rmSync(folder, { recursive: true });
  // Of its own in each run: the threads of a process, and the jests in it, would share one.
  const name = randomUUID();
  const shared = new SharedCache({ name });
  shared.set('object', { list: [1] });
  const sharer = new SharedCache({ name });
  const loaded = await Promise.all(['a', 'b'].map((value) => sharer.getOrLoad('loaded', async () => value)));
  const kept = [shared.get('object'), loaded, shared.incr('count', 2), sharer.get('count')];
  shared.close();
  // Nobody listens there: L1 and L2 go on alone.
  const tiered = new TieredCache({
    l1: new BoundedLRUCache(9),
    l2: new SharedCache({ name }),
    l3: { redis: 'redis://127.0.0.1:1' },
  });
  await tiered.set('value', 1, { tags: ['tag'] });
  const tiers = [await tiered.get('value'), await tiered.getOrLoad('loaded tiered', async () => [2])];
  await tiered.invalidateTag('tag');
  tiers.push((await tiered.get('value')) ?? 'gone', tiered.metrics().redis.connected);
  const lifecycle = new Lifecycle();
  const health = new Health({
    lifecycle,
    memory: false,
    checks: { 'cache:entries': () => ({ observedValue: 2 }) },
  });
  lifecycle.register('timers', new TimerManager());
  lifecycle.register('job', {
    dependsOn: ['timers'],
    start: () => {},
    stop: ({ cutOff }) => cutOff('jobs', 1),
  });
  await lifecycle.ready();
  const healthy = await health.ready();
  const report = await lifecycle.shutdown();
  const draining = await health.ready();
  // Nobody listens there: it goes by its own load.
  const scaling = new Scaling({
    name: 'everything',
    capacity: 10,
    target: 0.5,
    max: 100,
    interval: 250,
    redis: 'redis://127.0.0.1:1',
  });
  scaling.on('redis-error', () => {});
  scaling.gauge(() => 42);
  let scaled;
  while (scaled === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    scaled = scaling.recommendation();
  }
  // A hundred of them in one jest, which plan four times a second, would keep it busy.
  await scaling.close();
  metrics.name(cache, name);
  const entries = (await metrics.collect()).find((family) => family.name === 'keelson.cache.entries');
  const measured = entries.points.find(({ labels }) => labels.name === name).value;
  const [{ scope }] = (await metrics.producer().collect()).resourceMetrics.scopeMetrics;
  try {
    tracing.enable()();
  } catch (error) {
    // A consumer of the package need not have that of OpenTelemetry.
    if (error.code !== 'ERR_KEELSON_PEER_MISSING') throw error;
  }
  const shown = await look(new Dashboard());
  const forecast = new LoadForecast({ season: 2 });
  for (const load of [10, 20, 10, 20]) forecast.add(load);
  let refusal;
  try {
    new BoundedLRUCache(-1);
  } catch (error) {
    refusal = error instanceof InvalidArgumentError && error instanceof Error ? error.code : error;
  }
  const found = {
    fired: called,
    ticks,
    timers: manager.getStats(),
    keys: cache.keys(),
    values: cache.values(),
    cached: cache.getStats(),
    buffered: buffer.getAll(),
    mean: samples.mean(),
    routed,
    answers,
    balanced: router.getStats(),
    parsed: parsed.map((value) => [value.length, value[2_999], JSON.stringify(value) === text]),
    lines,
    pointed: [document.get('/2/name'), document.length(), await document.toJS('/3')],
    malformed,
    served: [served, late.reason instanceof Error && late.reason.code, connections.getStats()],
    limited: [checks.map(({ allowed }) => allowed), local.allowed, local.source],
    logged: logged.map(({ level, message, requestId, metadata }) => [
      level,
      message,
      requestId ?? metadata.error.message,
    ]),
    broken: [fired.map(({ status }) => status), refused, unshared, sharing.fleet.connected],
    kept,
    tiers,
    operated: [
      healthy.status,
      healthy.checks['cache:entries'][0].observedValue,
      report.resources.map((resource) => resource.name),
      report.cutOff,
      draining.output,
    ],
    measured: [measured, scope.name],
    shown,
    scaled: [scaled.replicas, scaled.load, scaled.source, forecast.forecast(2)],
    preset: configuration().find(({ path }) => path === 'pool.max').value,
    refusal,
  };
  if (leave) {
    manager.setTimeout(() => {}, 3_600_000).unref();
    timerManager.setInterval(() => {}, 1_000).unref();
  }
  return found;
};

/** The page of a dashboard, and its figures; it is closed then. */
async function look(dashboard) {
  const server = createServer(dashboard.handler()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const ask = async (path) => {
    const { port } = server.address();
    const headers = { authorization: `Bearer ${dashboard.token}` };
    const [response] = await once(get({ host: '127.0.0.1', port, path, headers, agent: false }), 'response');
    return response.setEncoding('utf8');
  };
  const page = (await ask('/')).resume();
  let text = '';
  for await (const chunk of await ask('/events')) {
    text += chunk;
    if (text.includes('event: metrics')) break;
  }
  dashboard.close();
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
  return [page.headers['content-type'], /event: metrics/.exec(text)[0]];
}

const LAST = { id: 2_999, name: 'row 2999', half: 1_499.5, tags: ['x', null] };

/** What it must find, wherever it runs. */
module.exports.FOUND = {
  fired: ['a', 'b'],
  ticks: 2,
  timers: { timeouts: 0, intervals: 0, total: 0 },
  keys: ['y', 'z'],
  values: [{ key: 'y' }, { key: 'z' }],
  cached: { hits: 0, misses: 0, evictions: 1, expirations: 0, hitRate: 0, currentSize: 2, maxSize: 2 },
  buffered: [2, 3],
  mean: 2,
  routed: [
    {},
    { id: 'ä' },
    { major: '1', minor: '2' },
    { year: '2026', month: '11' },
    { path: 'a%2Fb/c' },
    null,
    null,
  ],
  answers: [['one', { x: '1' }], ['two', { x: '2' }], { error: 'Route not found' }],
  balanced: { routes: 2, cacheSize: 0, loadBalancers: 1 },
  parsed: Array(3).fill([3_000, LAST, true]),
  lines: [{ a: 1 }, [2]],
  pointed: ['row 2', 3_000, { id: 3, name: 'row 3', half: 1.5, tags: ['x', null] }],
  malformed: [true, 'ERR_KEELSON_JSON_SYNTAX'],
  served: [[1, 2, 3, 4], 'ERR_KEELSON_TIMEOUT', { total: 2, idle: 1, active: 1, waiting: 0, opening: 0 }],
  limited: [[true, true, false], true, 'local'],
  logged: [
    ['info', 'one', 'r'],
    ['error', 'two', 'three'],
  ],
  broken: [['fulfilled', 'rejected', 'rejected'], 'ERR_KEELSON_BREAKER_OPEN', 'alone', false],
  kept: [{ list: [1] }, ['a', 'a'], 2, 2],
  tiers: [1, [2], 'gone', false],
  operated: ['pass', 2, ['job', 'timers'], { jobs: 1 }, 'stopped'],
  measured: [2, 'keelson'],
  shown: ['text/html; charset=utf-8', 'event: metrics'],
  scaled: [9, 42, 'own', { mean: 20, deviation: 0 }],
  preset: 10,
  refusal: 'ERR_KEELSON_INVALID_ARGUMENT',
};
