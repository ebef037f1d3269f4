import {
  DependencyError,
  InvalidArgumentError,
  Lifecycle,
  type LifecyclePhase,
  lifecycle,
  TimeoutError,
} from 'keelson';
import { PHASES, type Resource, timesOf } from './support/lifecycleModel';
import { budgets, catching, elapsed, never, onFakeTimers, over, statesOf, wait } from './support/lifecycles';
import { generator } from './support/random';

onFakeTimers();

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

test('the shared lifecycle is there, and listens to nothing', () => {
  expect(lifecycle).toBeInstanceOf(Lifecycle);
  expect(lifecycle.getStats()).toEqual({ state: 'starting', resources: 0, requests: 0, connections: 0 });
});
