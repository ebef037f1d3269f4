import diagnosticsChannel from 'node:diagnostics_channel';
import { PassThrough, Writable } from 'node:stream';
import {
  BoundedLRUCache,
  CircuitBreaker,
  ConnectionPool,
  DependencyError,
  DistributedRateLimiter,
  InvalidArgumentError,
  JSONWorkerPool,
  Lifecycle,
  type LifecyclePhase,
  lifecycle,
  SharedCache,
  type ShutdownReport,
  ShuttingDownError,
  TieredCache,
  TimeoutError,
  TimerManager,
  WorkerAsyncLogger,
} from 'keelson';
import { PHASES, type Resource, timesOf } from './support/lifecycleModel';
import { temporaryFolder } from './support/process';
import { generator } from './support/random';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

/** Milliseconds until now of the clock that the test advances. */
let epoch = 0;
beforeEach(() => {
  epoch = performance.now();
});
const elapsed = () => Math.round(performance.now() - epoch);

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const never = () => new Promise<never>(() => {});

/** Lets time pass until a shutdown is over. */
async function over(shutdown: Promise<ShutdownReport>): Promise<ShutdownReport> {
  let report: ShutdownReport | undefined;
  shutdown.then((found) => {
    report = found;
  });
  await jest.advanceTimersByTimeAsync(0);
  for (let steps = 0; report === undefined; steps++) {
    if (steps > 1_000) throw new Error('The shutdown does not end');
    await jest.advanceTimersToNextTimerAsync();
  }
  return report;
}

const statesOf = ({ resources }: ShutdownReport) =>
  Object.fromEntries(resources.map(({ name, state }) => [name, state]));

describe('order', () => {
  const seed = Number(process.env.KEELSON_SEED ?? Math.floor(Math.random() * 2 ** 32));

  test(`random resources stop when the model says, to the millisecond, seed ${seed}`, async () => {
    const random = generator(seed);
    const below = (n: number) => Math.floor(random() * n);
    for (let round = 0; round < 60; round++) {
      const density = random() / 2;
      const resources = Array.from({ length: 1 + below(24) }, (_, index): Resource => {
        const before = Array.from({ length: index }, (_, other) => `r${other}`);
        return {
          name: `r${index}`,
          phase: below(PHASES.length),
          dependsOn: before.filter(() => random() < density),
          takes: random() < 0.2 ? 0 : 1 + below(40),
        };
      });
      const one = new Lifecycle({ timeout: 1_000_000, budgets: budgets(100_000) });
      const found = new Map<string, { begin: number; end: number }>();
      for (const { name, phase, dependsOn, takes } of resources) {
        const stop = async () => {
          const begin = elapsed();
          if (takes > 0) await wait(takes);
          found.set(name, { begin: begin - start, end: elapsed() - start });
        };
        one.register(name, { phase: PHASES[phase]!, dependsOn, stop });
      }
      const start = elapsed();
      const { resources: rows } = await over(one.shutdown());
      const expected = timesOf(resources);
      const times = Object.fromEntries([...expected].map(([name, { begin, end }]) => [name, { begin, end }]));
      expect(Object.fromEntries(found)).toEqual(times);
      expect(new Map(rows.map(({ name, phase }) => [name, PHASES.indexOf(phase)]))).toEqual(
        new Map([...expected].map(([name, { phase }]) => [name, phase])),
      );
    }
  });

  test('phases follow each other, and what others depend on waits for their phase', async () => {
    const one = new Lifecycle();
    const journal: string[] = [];
    const add = (name: string, phase: LifecyclePhase, dependsOn: string[] = []) =>
      one.register(name, { phase, dependsOn, stop: () => void journal.push(name) });
    add('sink', 'accept');
    add('log', 'loggers', ['sink']);
    add('db', 'pools');
    add('jobs', 'queues', ['db']);
    add('cron', 'timers');
    add('web', 'requests');
    const report = await over(one.shutdown());
    expect(journal).toEqual(['web', 'cron', 'jobs', 'db', 'log', 'sink']);
    expect(report.resources.map(({ phase }) => phase)).toEqual([
      'requests',
      'timers',
      'queues',
      'pools',
      'loggers',
      'loggers',
    ]);
  });

  test('dependencies that are not there or lead back are refused at once', () => {
    const one = new Lifecycle();
    const stop = () => {};
    const unknown = catching(() => one.register('a', { dependsOn: ['b'], stop }));
    expect(unknown).toBeInstanceOf(DependencyError);
    expect(unknown).toMatchObject({ code: 'ERR_KEELSON_DEPENDENCY', resource: 'a', path: ['a', 'b'] });
    expect(catching(() => one.register('a', { dependsOn: ['a'], stop }))).toMatchObject({ path: ['a', 'a'] });
    const off = one.register('a', { stop });
    one.register('b', { dependsOn: ['a'], stop });
    one.register('c', { dependsOn: ['b'], stop });
    off();
    // Whoever depends on a name keeps that when its resource is replaced.
    expect(catching(() => one.register('a', { dependsOn: ['c'], stop }))).toMatchObject({
      code: 'ERR_KEELSON_DEPENDENCY',
      path: ['a', 'c', 'b', 'a'],
    });
    one.register('a', { stop });
    expect(one.getStats().resources).toBe(3);
  });

  test('a name is taken once, and can be given back', async () => {
    const one = new Lifecycle();
    const stop = jest.fn();
    const off = one.register('a', { stop });
    expect(() => one.register('a', { stop })).toThrow(InvalidArgumentError);
    expect([off(), off()]).toEqual([true, false]);
    one.register('a', { stop: () => {} });
    expect(off()).toBe(false);
    expect(statesOf(await over(one.shutdown()))).toEqual({ a: 'stopped' });
    expect(stop).not.toHaveBeenCalled();
  });
});

describe('budgets', () => {
  test('what throws, rejects or hangs is reported, and holds up nobody for longer than its budget', async () => {
    const one = new Lifecycle({ budgets: { pools: 300 } });
    const boom = new Error('boom');
    const signals: AbortSignal[] = [];
    one.register('throws', {
      stop: () => {
        throw boom;
      },
    });
    one.register('rejects', { stop: () => Promise.reject(undefined) });
    one.register('hangs', {
      stop: ({ signal, timeout, reason, cutOff }) => {
        signals.push(signal);
        signal.addEventListener('abort', () => cutOff('jobs', timeout + reason.length));
        return never();
      },
    });
    one.register('short', { timeout: 20, stop: never });
    one.register('fine', { stop: () => wait(5) });
    one.register('log', { phase: 'loggers', stop: () => void expect(elapsed()).toBe(300) });
    const report = await over(one.shutdown({ reason: 'test' }));
    expect(statesOf(report)).toEqual({
      throws: 'failed',
      rejects: 'failed',
      hangs: 'timed-out',
      short: 'timed-out',
      fine: 'stopped',
      log: 'stopped',
    });
    const row = (name: string) => report.resources.find((one) => one.name === name)!;
    expect(row('throws').error).toBe(boom);
    expect(row('rejects').error).toBeInstanceOf(Error);
    expect(row('hangs')).toMatchObject({ ms: 300, cutOff: { jobs: 304 } });
    expect(row('hangs').error).toBeInstanceOf(TimeoutError);
    expect(row('short').ms).toBe(20);
    expect(row('fine')).toEqual({ name: 'fine', phase: 'pools', state: 'stopped', ms: 5 });
    expect(signals[0]!.reason).toBe(row('hangs').error);
    expect(report).toMatchObject({ reason: 'test', ms: 300, isClean: false, cutOff: { jobs: 304 } });
    expect(report).toMatchObject({ stopped: 2, failed: 2, timedOut: 2 });
  });

  test('all of it ends within its timeout, of which a tenth is left for the loggers', async () => {
    const one = new Lifecycle({ budgets: budgets(10_000), timeout: 2_000 });
    const left: number[] = [];
    for (const phase of PHASES) {
      one.register(phase, {
        phase,
        stop: ({ timeout }) => {
          left.push(timeout);
          return never();
        },
      });
    }
    const report = await over(one.shutdown({ timeout: 1_000 }));
    // Each phase takes a turn of the event loop, though it has no time.
    expect(report.ms).toBe(1_000);
    expect(left.slice(0, 5)).toEqual([900, 0, 0, 0, 0]);
    expect(left[5]).toBeGreaterThan(90);
    expect(report.timedOut).toBe(6);
  });

  test('what stops at once is stopped even where no time is left', async () => {
    const one = new Lifecycle({ timeout: 100 });
    one.register('hangs', { phase: 'accept', stop: never });
    one.register('sync', { stop: () => {} });
    expect(statesOf(await over(one.shutdown()))).toEqual({ hangs: 'timed-out', sync: 'stopped' });
  });

  test('what was given up and fails later is nobody’s business', async () => {
    const one = new Lifecycle({ timeout: 100 });
    const fail = async () => {
      await wait(500);
      throw new Error('late');
    };
    one.register('late', { stop: fail });
    expect(statesOf(await over(one.shutdown()))).toEqual({ late: 'timed-out' });
    await jest.advanceTimersByTimeAsync(1_000);
  });
});

describe('a shutdown', () => {
  test('happens once, with one promise for all', async () => {
    const one = new Lifecycle();
    const stop = jest.fn();
    one.register('a', { stop });
    const first = one.shutdown({ reason: 'first' });
    expect(one.shutdown({ reason: 'second' })).toBe(first);
    const report = await over(first);
    expect(one.shutdown()).toBe(first);
    await one[Symbol.asyncDispose ?? (Symbol.for('nodejs.asyncDispose') as typeof Symbol.asyncDispose)]();
    expect(report.reason).toBe('first');
    expect(stop).toHaveBeenCalledTimes(1);
  });

  test('says so at once, and waits before anything stops', async () => {
    const one = new Lifecycle({ readinessDelay: 3_000 });
    const stop = jest.fn();
    one.register('a', { phase: 'accept', stop });
    await one.ready();
    const shutdown = one.shutdown();
    expect(one.state).toBe('draining');
    await jest.advanceTimersByTimeAsync(2_999);
    expect(stop).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    expect(stop).toHaveBeenCalledTimes(1);
    expect((await over(shutdown)).ms).toBe(3_000);
    expect(one.state).toBe('stopped');
  });

  test('waits 5 seconds in production, at most half of its time, and else not at all', async () => {
    const { NODE_ENV } = process.env;
    process.env.NODE_ENV = 'production';
    const production = new Lifecycle();
    process.env.NODE_ENV = NODE_ENV;
    expect((await over(production.shutdown())).ms).toBe(5_000);
    expect((await over(new Lifecycle({ readinessDelay: 5_000 }).shutdown({ timeout: 1_000 }))).ms).toBe(500);
    expect((await over(new Lifecycle().shutdown())).ms).toBe(0);
  });

  test('takes what is registered meanwhile, as long as its turn has not gone by', async () => {
    const one = new Lifecycle();
    one.register('base', { stop: () => {} });
    const stop = jest.fn(() => {
      one.register('log', { phase: 'loggers', stop: () => {} });
      one.register('late', { phase: 'queues', dependsOn: ['base'], stop: () => wait(10) });
      const error = catching(() => one.register('web', { phase: 'accept', stop: () => {} }));
      expect(error).toBeInstanceOf(ShuttingDownError);
      expect(catching(() => one.register('x', { dependsOn: ['jobs'], stop: () => {} }))).toMatchObject({
        code: 'ERR_KEELSON_SHUTTING_DOWN',
      });
      return wait(5);
    });
    one.register('jobs', { phase: 'queues', stop });
    const report = await over(one.shutdown());
    expect(report.resources.map(({ name }) => name)).toEqual(['jobs', 'late', 'base', 'log']);
    expect(report.isClean).toBe(true);
    expect(catching(() => one.register('z', { stop: () => {} }))).toBeInstanceOf(ShuttingDownError);
    // What was refused has left no trace.
    expect(one.getStats().resources).toBe(4);
  });

  test('leaves out what is taken off meanwhile', async () => {
    const one = new Lifecycle();
    const stop = jest.fn();
    const off = one.register('db', { stop });
    one.register('jobs', { phase: 'queues', stop: () => void off() });
    expect(statesOf(await over(one.shutdown()))).toEqual({ jobs: 'stopped' });
    expect(stop).not.toHaveBeenCalled();
  });

  test('is told by events, on the diagnostics channel too', async () => {
    const one = new Lifecycle();
    const told: [string, unknown][] = [];
    const heard: [string, unknown][] = [];
    const listen = (message: unknown, name: string | symbol) => void heard.push([String(name), message]);
    for (const event of ['shutdown', 'stopped', 'finished']) {
      one.on(event, (payload) => told.push([`keelson:lifecycle:${event}`, payload]));
      diagnosticsChannel.subscribe(`keelson:lifecycle:${event}`, listen);
    }
    one.register('a', { stop: () => {} });
    const report = await over(one.shutdown({ reason: 'why' }));
    for (const event of ['shutdown', 'stopped', 'finished']) {
      diagnosticsChannel.unsubscribe(`keelson:lifecycle:${event}`, listen);
    }
    expect(told).toEqual([
      ['keelson:lifecycle:shutdown', { reason: 'why' }],
      ['keelson:lifecycle:stopped', report.resources[0]],
      ['keelson:lifecycle:finished', report],
    ]);
    expect(heard).toEqual(told);
  });
});

describe('ready()', () => {
  test('starts in the order of dependencies, and stops in the other one', async () => {
    const one = new Lifecycle();
    const journal: string[] = [];
    const add = (name: string, dependsOn: string[]) =>
      one.register(name, {
        dependsOn,
        start: async () => {
          journal.push(`${name} starts`);
          await wait(10);
          journal.push(`${name} started`);
        },
        stop: () => void journal.push(`${name} stops`),
      });
    add('db', []);
    add('api', ['db']);
    expect(one.state).toBe('starting');
    const ready = one.ready();
    expect(one.ready()).toBe(ready);
    await jest.advanceTimersByTimeAsync(20);
    await ready;
    expect(one.state).toBe('ready');
    await over(one.shutdown());
    expect(journal).toEqual([
      'db starts',
      'db started',
      'api starts',
      'api started',
      'api stops',
      'db stops',
    ]);
  });

  test('can be called again after a failure, for what has not started', async () => {
    const one = new Lifecycle();
    const good = jest.fn();
    const bad = jest.fn(() => {
      if (bad.mock.calls.length === 1) throw new Error('not yet');
    });
    const last = jest.fn();
    one.register('good', { start: good, stop: () => {} });
    one.register('bad', { start: bad, stop: () => {} });
    one.register('last', { dependsOn: ['bad'], start: last, stop: () => {} });
    await expect(one.ready()).rejects.toThrow('not yet');
    expect([one.state, last.mock.calls.length]).toEqual(['starting', 0]);
    await one.ready();
    expect([good, bad, last].map(({ mock }) => mock.calls.length)).toEqual([1, 2, 1]);
    const later = jest.fn();
    one.register('later', { start: later, stop: () => {} });
    await one.ready();
    expect([good, bad, last, later].map(({ mock }) => mock.calls.length)).toEqual([1, 2, 1, 1]);
  });

  test('a shutdown ends it: what has not begun to start is not stopped, what has is stopped after that', async () => {
    const one = new Lifecycle();
    const journal: string[] = [];
    const signals: AbortSignal[] = [];
    one.register('db', {
      start: async ({ signal }) => {
        signals.push(signal);
        await wait(50);
        journal.push('started');
      },
      stop: () => void journal.push('stopped'),
    });
    one.register('api', { dependsOn: ['db'], start: () => {}, stop: () => void journal.push('never') });
    const ready = one.ready();
    const refused = expect(ready).rejects.toBeInstanceOf(ShuttingDownError);
    await jest.advanceTimersByTimeAsync(1);
    const report = await over(one.shutdown());
    await refused;
    expect(signals[0]!.aborted).toBe(true);
    expect(journal).toEqual(['started', 'stopped']);
    expect(statesOf(report)).toEqual({ db: 'stopped' });
    await expect(one.ready()).rejects.toBeInstanceOf(ShuttingDownError);
  });
});

describe('resources by themselves', () => {
  test('keelson’s own stop in the phase that suits them', async () => {
    jest.useRealTimers();
    const { folder, remove } = temporaryFolder();
    const one = new Lifecycle();
    const l2 = new SharedCache({ name: `lifecycle-${process.pid}` });
    const pool = new ConnectionPool({ create: async () => ({}), destroy: async () => {} }, { max: 1 });
    const json = new JSONWorkerPool(1);
    const timers = new TimerManager();
    const logger = new WorkerAsyncLogger(`${folder}/a.log`);
    const breaker = new CircuitBreaker(async () => 1);
    one.register('logger', logger);
    one.register('l2', l2);
    one.register('tiers', new TieredCache({ l1: new BoundedLRUCache(2), ttl: 1_000, l2 }), {
      dependsOn: ['l2'],
    });
    one.register('pool', pool);
    one.register('limiter', new DistributedRateLimiter({ windowMs: 1_000, maxRequests: 1 }));
    one.register('breaker', breaker);
    one.register('lru', new BoundedLRUCache(2));
    one.register('json', json);
    one.register('timers', timers);
    const text = JSON.stringify(Array.from({ length: 50_000 }, (_, id) => ({ id })));
    const parsed = json.parse(text);
    const fired = jest.fn();
    timers.setTimeout(fired, 60_000);
    logger.info('last words');
    const report = await one.shutdown();
    expect(report.isClean).toBe(true);
    expect(Object.fromEntries(report.resources.map(({ name, phase }) => [name, phase]))).toEqual({
      timers: 'timers',
      json: 'queues',
      pool: 'pools',
      limiter: 'pools',
      breaker: 'pools',
      lru: 'pools',
      tiers: 'pools',
      l2: 'pools',
      logger: 'loggers',
    });
    // Who waited for a document has it: a pool that is only destroyed would have rejected.
    expect(await parsed).toHaveLength(50_000);
    expect(timers.getStats().total).toBe(0);
    await expect(breaker.fire()).rejects.toMatchObject({ code: 'ERR_KEELSON_DESTROYED' });
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'ERR_KEELSON_DESTROYED' });
    expect((await logger.getStats()).totalLogs).toBe(1);
    remove();
  });

  test('a connection that does not come back is closed by force, and counted', async () => {
    jest.useRealTimers();
    const destroy = jest.fn(async () => {});
    const pool = new ConnectionPool({ create: async () => ({}), destroy }, { max: 2 });
    await pool.acquire();
    const one = new Lifecycle();
    one.register('pool', pool, { timeout: 50 });
    const report = await one.shutdown();
    expect(report.resources[0]).toMatchObject({ state: 'timed-out', cutOff: { connections: 1 } });
    expect(destroy).toHaveBeenCalledTimes(1);
  });

  test.each(['shutdown', 'close', 'end', 'destroy', 'stop'])(
    '%s() stops what has it, and is awaited',
    async (way) => {
      const one = new Lifecycle();
      class Thing {
        ended = false;
        async [way]() {
          await wait(10);
          this.ended = true;
        }
      }
      const thing = new Thing();
      one.register('thing', thing as any);
      const report = await over(one.shutdown());
      expect([thing.ended, report.resources[0]!.ms]).toEqual([true, 10]);
    },
  );

  test('its place is what it says itself, and what the registration says beside that', async () => {
    const one = new Lifecycle();
    one.register('a', { stop: () => {} });
    one.register('b', { phase: 'queues', stop: () => {} }, { dependsOn: ['a'] });
    one.register('c', { phase: 'queues', stop: () => {} }, { phase: 'timers' });
    const report = await over(one.shutdown());
    expect(report.resources.map(({ name, phase }) => [name, phase])).toEqual([
      ['c', 'timers'],
      ['b', 'queues'],
      ['a', 'pools'],
    ]);
  });

  test('disposal goes before names, whose meaning is less sure', async () => {
    const symbol = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose');
    const thing = { [symbol]: jest.fn(), close: jest.fn() };
    const one = new Lifecycle();
    one.register('thing', thing);
    await over(one.shutdown());
    expect([thing[symbol]!.mock.calls.length, thing.close.mock.calls.length]).toEqual([1, 0]);
  });

  test('a stream is ended, and what it holds is written', async () => {
    const written: string[] = [];
    const stream = new Writable({
      write(chunk, _encoding, callback) {
        setTimeout(() => {
          written.push(String(chunk));
          callback();
        }, 10);
      },
    });
    const broken = new PassThrough();
    broken.on('error', () => {});
    const one = new Lifecycle();
    one.register('stream', stream, { phase: 'loggers' });
    one.register('broken', broken);
    for (const text of ['a', 'b', 'c']) stream.write(text);
    broken.destroy(new Error('gone'));
    expect(statesOf(await over(one.shutdown()))).toEqual({ stream: 'stopped', broken: 'failed' });
    expect(written).toEqual(['a', 'b', 'c']);
  });

  test.each<[string, () => unknown]>([
    ['nothing that stops', () => new Lifecycle().register('a', {} as any)],
    ['no object', () => new Lifecycle().register('a', 5 as any)],
    ['null', () => new Lifecycle().register('a', null as any)],
    ['no name', () => new Lifecycle().register('', { stop() {} })],
    ['an unknown phase', () => new Lifecycle().register('a', { phase: 'later' as any, stop() {} })],
    ['an unknown option', () => new Lifecycle().register('a', { depends: [], stop() {} } as any)],
    ['a text of dependencies', () => new Lifecycle().register('a', { dependsOn: 'b' as any, stop() {} })],
    ['no timeout', () => new Lifecycle().register('a', { timeout: 0, stop() {} })],
    ['an unknown budget', () => new Lifecycle({ budgets: { pool: 5 } as any })],
    ['a negative delay', () => new Lifecycle({ readinessDelay: -1 })],
    ['an unknown shutdown option', () => new Lifecycle().shutdown({ why: 1 } as any)],
    ['no server', () => new Lifecycle().server({} as any)],
    ['no signal', () => new Lifecycle().handleSignals({ signals: ['SIGWHAT' as any] })],
  ])('%s is refused', (_name, call) => {
    expect(catching(call)).toBeInstanceOf(InvalidArgumentError);
  });
});

test('the shared lifecycle is there, and listens to nothing', () => {
  expect(lifecycle).toBeInstanceOf(Lifecycle);
  expect(lifecycle.getStats()).toEqual({ state: 'starting', resources: 0, requests: 0, connections: 0 });
});

function budgets(ms: number) {
  return Object.fromEntries(PHASES.map((phase) => [phase, ms])) as Record<LifecyclePhase, number>;
}

function catching(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown');
}
