import {
  BoundedLRUCache,
  CircuitBreaker,
  ConnectionPool,
  DistributedRateLimiter,
  JSONWorkerPool,
  type MetricDistribution,
  type MetricFamily,
  type MetricValue,
  metrics,
  OptimizedRouter,
  Scaling,
  SharedCache,
  TieredCache,
  TimerManager,
} from 'keelson';
import { Registry } from 'prom-client';
import { refused } from './support/errors';
import { runNode } from './support/process';

let all: MetricFamily[] = [];
const collect = async (): Promise<void> => {
  all = await metrics.collect();
};

/** The points of a metric whose labels include these. */
function points(
  name: string,
  labels: Record<string, string> = {},
): readonly (MetricValue | MetricDistribution)[] {
  const wanted = Object.entries(labels);
  const family = all.find((one) => one.name === name);
  const every = (family?.points ?? []) as readonly (MetricValue | MetricDistribution)[];
  return every.filter((point) => wanted.every(([label, value]) => point.labels[label] === value));
}

/** The value of the one point whose labels include these. */
function value(name: string, labels: Record<string, string> = {}): number | undefined {
  const found = points(name, labels) as MetricValue[];
  if (found.length > 1) throw new Error(`${name} has ${found.length} points of these labels`);
  return found[0]?.value;
}

describe('what utilities count', () => {
  test('a cache', async () => {
    const cache = metrics.name(new BoundedLRUCache<string, number>({ maxSize: 2 }), 'of two');
    for (const key of ['a', 'b', 'c']) cache.set(key, 1);
    for (const key of ['a', 'b', 'c', 'd']) cache.get(key);
    cache.delete('c');
    await cache.getOrLoad('loaded', () => 1);
    await cache.getOrLoad('failed', () => Promise.reject(new Error('on purpose'))).catch(() => {});
    await collect();
    const own = cache.metrics();
    const name = { name: 'of two' };
    expect(value('keelson.cache.lookups', { ...name, result: 'hit' })).toBe(own.hits);
    expect(own.hits).toBeGreaterThan(1);
    expect(value('keelson.cache.lookups', { ...name, result: 'miss' })).toBe(own.misses);
    expect(value('keelson.cache.entries', name)).toBe(2);
    expect(value('keelson.cache.entries.limit', name)).toBe(2);
    expect(value('keelson.cache.insertions', name)).toBe(4);
    expect(value('keelson.cache.removals', { ...name, reason: 'size' })).toBe(1);
    expect(value('keelson.cache.removals', { ...name, reason: 'deleted' })).toBe(1);
    expect(value('keelson.cache.loads', name)).toBe(2);
    expect(value('keelson.cache.load.failures', name)).toBe(1);
  });

  test('a shared cache, once for all of its handles, and a tiered one', async () => {
    const l2 = new SharedCache({ name: 'metrics' });
    const again = new SharedCache({ name: 'metrics' });
    const tiered = metrics.name(new TieredCache({ l1: new BoundedLRUCache(10), l2 }), 'tiers');
    try {
      await tiered.getOrLoad('key', () => 'value');
      await tiered.getOrLoad('key', () => 'value');
      again.set('other', 'x');
      again.get('other');
      await collect();
      const name = { name: 'metrics' };
      const own = l2.metrics();
      expect(value('keelson.shared_cache.lookups', { ...name, result: 'hit' })).toBe(own.hits);
      expect(value('keelson.shared_cache.entries', name)).toBe(2);
      expect(value('keelson.shared_cache.size', name)).toBe(own.bytes);
      expect(value('keelson.shared_cache.sets', name)).toBe(2);
      expect(value('keelson.tiered_cache.lookups', { name: 'tiers', result: 'l1' })).toBe(1);
      expect(value('keelson.tiered_cache.loads', { name: 'tiers' })).toBe(1);
      expect(points('keelson.tiered_cache.redis.up', { name: 'tiers' })).toEqual([]);
    } finally {
      await tiered.close();
      l2.close();
      again.close();
    }
    await collect();
    expect(points('keelson.shared_cache.entries', { name: 'metrics' })).toEqual([]);
  });

  test('timers, by kind and group', async () => {
    const timers = metrics.name(new TimerManager(), 'mine');
    timers.schedule(() => {}, 60_000, { group: 'polls' });
    timers.schedule(() => {}, 60_000, { group: 'polls' });
    timers.setInterval(() => {}, 60_000);
    timers.clearTimeout(timers.setTimeout(() => {}, 60_000));
    await collect();
    expect(value('keelson.timers.pending', { name: 'mine', kind: 'timeout' })).toBe(2);
    expect(value('keelson.timers.pending', { name: 'mine', kind: 'interval' })).toBe(1);
    expect(value('keelson.timers.group.pending', { name: 'mine', group: 'polls' })).toBe(2);
    expect(value('keelson.timers.scheduled', { name: 'mine' })).toBe(4);
    expect(value('keelson.timers.ended', { name: 'mine', cause: 'cleared' })).toBe(1);
    timers.destroy();
    await collect();
    expect(value('keelson.timers.pending', { name: 'mine', kind: 'timeout' })).toBe(0);
    expect(points('keelson.timers.group.pending', { name: 'mine' })).toEqual([]);
  });

  test('JSON', async () => {
    const pool = metrics.name(new JSONWorkerPool(1), 'parser');
    try {
      const text = JSON.stringify(Array.from({ length: 20_000 }, (_, id) => ({ id })));
      await pool.parse(text);
      await pool.parse('{}');
      await pool.parse('{').catch(() => {});
      await collect();
      const name = { name: 'parser' };
      expect(value('keelson.json.calls', { ...name, way: 'task' })).toBe(1);
      expect(value('keelson.json.calls', { ...name, way: 'direct' })).toBe(2);
      expect(value('keelson.json.errors', { ...name, cause: 'syntax' })).toBe(1);
      expect(value('keelson.json.read', name)).toBe(pool.metrics().bytes.parsed);
      const [took] = points('keelson.json.task.duration', name) as MetricDistribution[];
      expect(took!.count).toBe(1);
      expect(took!.sum).toBeCloseTo(pool.metrics().duration.mean / 1000, 9);
    } finally {
      await pool.destroy();
    }
  });

  test('routes, by pattern and method', async () => {
    const router = metrics.name(new OptimizedRouter(), 'api');
    const ends: (() => void)[] = [];
    const res = () => ({
      statusCode: 201,
      writableEnded: false,
      once(event: string, end: () => void) {
        if (event === 'finish') ends.push(end);
        return this;
      },
      on() {
        return this;
      },
      removeListener() {
        return this;
      },
      setHeader() {},
      end() {
        this.writableEnded = true;
        for (const end of ends.splice(0)) end();
      },
    });
    router.addRoute('/users/:id', {
      id: 'user',
      method: 'GET',
      handler: (_: any, answer: any) => answer.end(),
    });
    for (const path of ['/users/1', '/users/2']) router.handle({ url: path, method: 'GET' }, res());
    router.handle({ url: '/nowhere', method: 'GET' }, res());
    await collect();
    const route = { name: 'api', 'http.route': '/users/:id', 'http.request.method': 'GET' };
    expect(value('keelson.router.requests', route)).toBe(2);
    expect(value('keelson.router.responses', { ...route, status: '2xx' })).toBe(2);
    expect((points('keelson.router.request.duration', route)[0] as MetricDistribution).count).toBe(2);
    expect(value('keelson.router.unrouted', { name: 'api', reason: 'not_found' })).toBe(1);
  });

  test('limits', async () => {
    const limiter = metrics.name(new DistributedRateLimiter({ windowMs: 60_000, maxRequests: 2 }), 'login');
    for (let n = 0; n < 5; n++) limiter.checkSync('somebody');
    await collect();
    expect(value('keelson.rate_limiter.checks', { name: 'login', result: 'allowed' })).toBe(2);
    expect(value('keelson.rate_limiter.checks', { name: 'login', result: 'denied' })).toBe(3);
    expect(value('keelson.rate_limiter.store.up', { name: 'login' })).toBe(1);
  });

  test('breakers: timeouts are no other failures, and each stands in one state', async () => {
    const breaker = new CircuitBreaker(
      async (how: string) => {
        if (how === 'throw') throw new Error('on purpose');
        if (how === 'hang') await new Promise(() => {});
      },
      { name: 'downstream', timeout: 20, volumeThreshold: 100 },
    );
    for (const how of ['well', 'throw', 'throw', 'hang']) await breaker.fire(how).catch(() => {});
    await collect();
    const calls = (result: string) => value('keelson.breaker.calls', { name: 'downstream', result });
    expect(['success', 'failure', 'timeout', 'rejected'].map(calls)).toEqual([1, 2, 1, 0]);
    const states = points('keelson.breaker.state', { name: 'downstream' }) as MetricValue[];
    expect(Object.fromEntries(states.map((point) => [point.labels.state, point.value]))).toEqual({
      ...{ closed: 1, forcedOpen: 0, halfOpen: 0, open: 0 },
    });
    breaker.open();
    await collect();
    expect(value('keelson.breaker.state', { name: 'downstream', state: 'open' })).toBe(
      Number(breaker.metrics().state === 'open'),
    );
    breaker.shutdown();
  });

  test('pools, by the names that OpenTelemetry has for them', async () => {
    const pool = new ConnectionPool(
      { create: async () => ({}), destroy: async () => {} },
      { name: 'db', max: 1, acquireTimeout: 20 },
    );
    const lease = await pool.acquire();
    await pool.acquire().catch(() => {});
    await collect();
    const at = { 'db.client.connection.pool.name': 'db' };
    expect(value('db.client.connection.count', { ...at, 'db.client.connection.state': 'used' })).toBe(1);
    expect(value('db.client.connection.max', at)).toBe(1);
    expect(value('db.client.connection.timeouts', at)).toBe(1);
    expect(value('keelson.pool.acquired', at)).toBe(1);
    expect((points('db.client.connection.create_time', at)[0] as MetricDistribution).count).toBe(1);
    lease.release();
    await pool.close();
  });

  test('a scaling tells no load before there is one', async () => {
    const scaling = new Scaling({ name: 'web', capacity: 10, max: 5 });
    await collect();
    expect(value('keelson.scaling.capacity', { name: 'web' })).toBe(10);
    expect(points('keelson.scaling.replicas', { name: 'web' })).toEqual([]);
    await scaling.close();
  });

  test('the thread and the process', async () => {
    await collect();
    const began = value('process.cpu.time')!;
    expect(value('process.memory.usage')).toBeGreaterThan(10 * 2 ** 20);
    expect(value('nodejs.heap.size.used', { thread: '0' })).toBeGreaterThan(2 ** 20);
    // However long that takes on a busy machine.
    for (const { user } = process.cpuUsage(); process.cpuUsage().user - user < 50_000; );
    await collect();
    expect(value('process.cpu.time')! - began).toBeGreaterThan(0.02);
    expect(value('nodejs.eventloop.utilization')).toBeGreaterThan(0);
  });
});

describe('several of a kind', () => {
  test('those without a name, and those of one name, are added up', async () => {
    const before = await metrics.collect().then((found) => {
      all = found;
      return points('keelson.cache.entries').filter(
        (point) => point.labels.name === undefined,
      ) as MetricValue[];
    });
    const caches = [1, 2, 3].map((size) => {
      const cache = new BoundedLRUCache<number, number>(10);
      for (let n = 0; n < size; n++) cache.set(n, n);
      return cache;
    });
    for (const cache of caches.slice(0, 2)) metrics.name(cache, 'twins');
    await collect();
    expect(value('keelson.cache.entries', { name: 'twins' })).toBe(3);
    const unnamed = points('keelson.cache.entries').filter((point) => point.labels.name === undefined);
    expect((unnamed as MetricValue[])[0]!.value - (before[0]?.value ?? 0)).toBe(3);
    caches.length = 0;
  });

  test('counters go on where an instance begins anew', async () => {
    const cache = metrics.name(new BoundedLRUCache<string, number>(10), 'anew');
    const hits = async () => {
      await collect();
      return value('keelson.cache.lookups', { name: 'anew', result: 'hit' });
    };
    cache.set('key', 1);
    for (let n = 0; n < 5; n++) cache.get('key');
    expect(await hits()).toBe(5);
    cache.resetStats();
    for (let n = 0; n < 2; n++) cache.get('key');
    expect(await hits()).toBe(7);
    expect(await hits()).toBe(7);
  });

  test('a metric has no more than 2,000 series, and what is beyond them is one', async () => {
    // In a process of its own: what is counted stays.
    const source = `
      const { metrics, OptimizedRouter } = require('keelson');
      const router = new OptimizedRouter();
      for (let n = 0; n < 2_500; n++) router.addRoute('/' + n, { id: String(n), method: 'GET', handler() {} });
      metrics.collect().then((all) => {
        const { points } = all.find(({ name }) => name === 'keelson.router.requests');
        const overflow = points.filter(({ labels }) => labels.overflow === 'true');
        const unrouted = all.find(({ name }) => name === 'keelson.router.unrouted');
        console.log(points.length, overflow.length, unrouted.points.length, router.getStats().routes);
      });`;
    expect(await runNode(['-e', source])).toMatchObject({ code: 0, stdout: '2001 1 4 2500\n', stderr: '' });
  });
});

describe('names', () => {
  test('are by the rules of Prometheus and OpenTelemetry, and none is there twice', () => {
    const definitions = metrics.definitions();
    for (const { name, prometheusName, type, unit, help, labels } of definitions) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$/);
      expect(prometheusName).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(prometheusName.endsWith('_total')).toBe(type === 'counter');
      const suffix = { s: 'seconds', By: 'bytes', '1': 'ratio' }[unit] ?? '';
      expect(prometheusName).toMatch(new RegExp(`_?${suffix}(_total)?$`));
      if (suffix === '') expect(prometheusName).not.toMatch(/_(seconds|bytes|ratio)/);
      expect(help).toMatch(/^[A-Z].*\.$/);
      for (const label of labels) expect(label).toMatch(/^[a-z][a-z_.]*$/);
    }
    for (const key of ['name', 'prometheusName'] as const)
      expect(new Set(definitions.map((one) => one[key])).size).toBe(definitions.length);
  });

  test('of threads, and of hostile strings, come out as they went in', async () => {
    const names = ['a "b" \\ \n c', 'ä😀', '', '\ud800', 'x'.repeat(1000), '\t', '__proto__'];
    const caches = names.map((name) => metrics.name(new BoundedLRUCache(10), name));
    await collect();
    const found = points('keelson.cache.entries.limit').map(({ labels }) => labels.name);
    expect(found).toEqual(expect.arrayContaining(names.map((name) => (name === '\ud800' ? '\ufffd' : name))));
    expect(caches).toHaveLength(names.length);
  });
});

describe('bad input', () => {
  test.each([
    ['no instance', 'instance', () => metrics.name(5 as any, 'x')],
    ['no name', 'name', () => metrics.name({}, 5 as any)],
    ['an unknown option', 'tokens', () => metrics.handler({ tokens: 'x' } as any)],
    ['an empty token', 'token', () => metrics.handler({ token: '' })],
    ['a token of other letters', 'token', () => metrics.handler({ token: 'schlüssel' })],
    ['no registry', 'registry', () => metrics.attach({} as any)],
    ['a wrong timeout', 'timeout', () => metrics.collect({ timeout: -1 })],
  ] as [string, string, () => unknown][])('%s is refused', async (_, told, call) => {
    await expect((async () => call())()).rejects.toEqual(refused(told));
  });
});

describe('prom-client', () => {
  /** Lines but for the texts of help, in order. */
  const samples = (text: string) =>
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('# HELP'))
      .sort();

  test('tells what our own text does', async () => {
    // In a process of its own, where nothing is collected between the one text and the other.
    const source = `
      const { BoundedLRUCache, JSONWorkerPool, metrics, OptimizedRouter } = require('keelson');
      const { Registry } = require('prom-client');
      (async () => {
        const pool = metrics.name(new JSONWorkerPool(1), 'both');
        await pool.parse(JSON.stringify(Array.from({ length: 20_000 }, (_, id) => ({ id }))));
        await pool.destroy();
        const cache = metrics.name(new BoundedLRUCache(10), 'quoted "name"\\n\\\\');
        const router = new OptimizedRouter();
        router.addRoute('/users/:id', { id: 'user', method: 'GET', handler() {} });
        const registry = new Registry();
        metrics.attach(registry);
        console.log(JSON.stringify([await metrics.text(), await registry.metrics()]));
        return [pool, cache, router];
      })();`;
    const { stdout } = await runNode(['-e', source]);
    const [own, theirs] = JSON.parse(stdout) as [string, string];
    // A metric without samples has a head there.
    const heads = new Set(samples(theirs).filter((line) => line.startsWith('# TYPE')));
    expect(samples(own).filter((line) => line.startsWith('# TYPE') && !heads.has(line))).toEqual([]);
    // Of the process and its threads the figures are others by now.
    const ours = (line: string) => line.includes('keelson') && !line.startsWith('#');
    const wanted = samples(own).filter(ours);
    expect(wanted).toContain('keelson_cache_entries_limit{name="quoted \\"name\\"\\n\\\\"} 10');
    expect(wanted.length).toBeGreaterThan(50);
    expect(samples(theirs).filter(ours)).toEqual(wanted);
  });

  test('keeps what it has already, and lets go of ours', async () => {
    const registry = new Registry();
    const { collectDefaultMetrics } = await import('prom-client');
    collectDefaultMetrics({ register: registry });
    const before = registry.getMetricsAsArray().length;
    const detach = metrics.attach(registry);
    const text = await registry.metrics();
    expect(text.match(/^process_resident_memory_bytes /gm)).toHaveLength(1);
    expect(text).toContain('keelson_cache_lookups_total');
    detach();
    expect(registry.getMetricsAsArray()).toHaveLength(before);
    registry.clear();
  });
});
