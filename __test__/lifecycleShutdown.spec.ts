import diagnosticsChannel from 'node:diagnostics_channel';
import { Lifecycle, ShuttingDownError } from 'keelson';
import { catching, onFakeTimers, over, statesOf, wait } from './support/lifecycles';

onFakeTimers();

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
