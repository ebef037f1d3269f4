// A service that uses all utilities, with a dashboard: node dashboardService.js ROUTES PORT. Prints its address.
const { mkdtempSync, rmSync } = require('node:fs');
const { createServer } = require('node:http');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { Worker } = require('node:worker_threads');
const keelson = require('../..');

const { metrics, TimerManager, BoundedLRUCache, SharedCache, TieredCache, JSONWorkerPool } = keelson;
const { OptimizedRouter, DistributedRateLimiter, CircuitBreaker, ConnectionPool } = keelson;
const { WorkerAsyncLogger, Lifecycle, Health, Scaling, Dashboard } = keelson;

/** A name that does harm where it is taken for markup. */
const HOSTILE = '<img src=x onerror="document.title=\'hacked\'"><style>*{display:none}</style>';
const [routes, port] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'keelson-dashboard-'));

const timers = new TimerManager();
const sessions = metrics.name(new BoundedLRUCache(200), 'sessions');
const hostile = metrics.name(new BoundedLRUCache(10), HOSTILE);
const shared = new SharedCache({ name: 'catalogue' });
// Nobody listens at that port of Redis: it is down.
const tiered = new TieredCache({
  l1: new BoundedLRUCache(50),
  l2: shared,
  l3: { redis: 'redis://127.0.0.1:1' },
});
const pool = new JSONWorkerPool(1);
const limiter = new DistributedRateLimiter({ windowMs: 1_000, maxRequests: 20 });
const fails = async (isUp) => {
  if (!isUp) throw new Error('down');
};
const payments = new CircuitBreaker(fails, { name: 'payments', volumeThreshold: 2, resetTimeout: 600_000 });
const search = new CircuitBreaker(fails, { name: 'search' });
const connections = new ConnectionPool(
  { create: async () => ({}), destroy: async () => {} },
  { name: 'orders', min: 1, max: 3 },
);
const logger = new WorkerAsyncLogger(join(folder, 'app.log'));
const lifecycle = new Lifecycle();
const health = new Health({ lifecycle, checks: { store: { check: () => {}, cache: 0 } } });
const scaling = new Scaling({ name: 'web', capacity: 100, target: 0.7, max: 50, interval: 250 });
const dashboard = new Dashboard({ token: 'token-of-the-tests', interval: 250 });
const router = new OptimizedRouter();

router.use(dashboard.middleware());
for (let i = 0; i < routes; i++) {
  const id = `route ${i}`;
  const handler = (_req, res) => {
    if (i % 10 === 9) throw new Error('broken');
    res.end('ok');
  };
  router.addRoute(`/items/${i}/:id`, { id, method: 'GET', handler });
}

// A second thread, whose figures are told too.
const other = new Worker(
  `const { TimerManager } = require('keelson');
  const timers = new TimerManager();
  setInterval(() => timers.getStats(), 1_000);`,
  { eval: true },
);

let turn = 0;
async function work() {
  turn += 1;
  for (let i = 0; i < 20; i++) {
    const key = `key ${Math.floor(Math.random() ** 2 * 300)}`;
    if (sessions.get(key) === undefined) sessions.set(key, i);
    hostile.set(key, i);
    shared.get(key) ?? shared.set(key, 'x'.repeat(100));
    limiter.checkSync(`user ${i % 2}`);
    scaling.record();
  }
  for (const group of ['imports', 'mails']) timers.schedule(() => {}, 500, { group });
  timers.setTimeout(() => {}, 200);
  logger.info('worked', { turn });
  if (turn % 5 === 0) logger.warn('worked a lot');
  await Promise.allSettled([
    payments.fire(false),
    search.fire(turn % 10 !== 0),
    ...[1, 2, 3, 4, 5].map(() => connections.use(() => new Promise((resolve) => setTimeout(resolve, 10)))),
    pool.parse(await pool.stringify(Array.from({ length: 500 }, (_, id) => ({ id, name: `row ${id}` })))),
    tiered.getOrLoad(`key ${turn % 20}`, async () => turn),
    health.health(),
    ...Array.from({ length: 10 }, () => ask(`/items/${Math.floor(Math.random() ** 3 * routes)}/1`)),
  ]);
}

/** A request of the service to itself. */
async function ask(path) {
  await (await fetch(`http://127.0.0.1:${server.address().port}${path}`)).text();
}

const server = createServer(router.handle);
lifecycle.server(server);
lifecycle.register('dashboard', dashboard);
server.listen(port || 0, '127.0.0.1', async () => {
  await lifecycle.ready();
  // All has happened once when a page is opened, and the breaker is open.
  for (let i = 0; i < 2; i++) await work();
  timers.every(() => work(), 200, { label: 'work' });
  console.log(dashboard.url(`http://localhost:${server.address().port}`));
});
process.on('SIGTERM', async () => {
  const { isClean } = await lifecycle.shutdown();
  await other.terminate();
  rmSync(folder, { recursive: true, force: true });
  process.exit(isClean ? 0 : 1);
});
