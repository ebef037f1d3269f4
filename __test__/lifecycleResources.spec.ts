import { PassThrough, Writable } from 'node:stream';
import {
  BoundedLRUCache,
  CircuitBreaker,
  ConnectionPool,
  DistributedRateLimiter,
  InvalidArgumentError,
  JSONWorkerPool,
  Lifecycle,
  SharedCache,
  TieredCache,
  TimerManager,
  WorkerAsyncLogger,
} from 'keelson';
import { catching, onFakeTimers, over, statesOf, wait } from './support/lifecycles';
import { temporaryFolder } from './support/process';

onFakeTimers();

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
