import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import perfHooks from 'node:perf_hooks';
import {
  Health,
  type HealthCheckOptions,
  type HealthDocument,
  type HealthOptions,
  InvalidArgumentError,
  Lifecycle,
  TimeoutError,
} from 'keelson';
import { cgroupUse } from '../dist/health/cgroup';
import { Level } from '../dist/health/level';
import { faultsOf } from './support/healthDocument';
import { evaluate, temporaryFolder } from './support/process';
import { eventually } from './support/server';

const made: Health[] = [];
afterEach(() => {
  for (const health of made.splice(0)) health.close();
  jest.useRealTimers();
});

/** Without signals of the machine that the tests run on. */
function quiet(options: HealthOptions = {}): Health {
  return keep(new Health({ eventLoopLag: false, memory: false, ...options }));
}

function keep(health: Health): Health {
  made.push(health);
  return health;
}

function withFakeTime() {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
}

/** The one element of a check. */
const detailOf = ({ checks }: HealthDocument, key: string) => checks![key]![0]!;

describe('documents', () => {
  test('are what the draft says, whatever the checks find', async () => {
    const health = keep(
      new Health({
        version: '1',
        releaseId: '1.2.3',
        serviceId: 'f0',
        notes: ['a note'],
        description: 'orders',
        checks: {
          fine: () => {},
          'db:connections': () => ({ observedValue: 5, observedUnit: 'connections' }),
          'queue:depth': () => ({
            status: 'warn' as const,
            observedValue: { high: 5 },
            output: 'deep',
          }),
          passing: () => ({ status: 'pass' as const, output: 'is not told' }),
        },
      }),
    );
    health.addCheck('cart', {
      componentType: 'datastore',
      isCritical: false,
      affectedEndpoints: ['/cart'],
      check: () => {
        throw new Error('cart is away');
      },
    });
    health.addCheck('alive', { kind: 'live', check: async () => {} });
    health.addCheck('begun', { kind: 'startup', check: async () => {} });
    const document = await health.health();
    expect(faultsOf(document)).toEqual([]);
    expect(document).toMatchObject({
      status: 'warn',
      version: '1',
      releaseId: '1.2.3',
      serviceId: 'f0',
      notes: ['a note'],
      description: 'orders',
      output: 'queue:depth: deep; cart:responseTime: cart is away',
    });
    expect(Object.keys(document.checks!)).toEqual(
      expect.arrayContaining(['memory:heap', 'memory:rss', 'eventLoop:delay', 'alive:responseTime']),
    );
    expect(detailOf(document, 'fine:responseTime')).toMatchObject({ status: 'pass', observedUnit: 'ms' });
    expect(detailOf(document, 'db:connections')).toMatchObject({
      observedValue: 5,
      observedUnit: 'connections',
    });
    expect(detailOf(document, 'queue:depth')).toMatchObject({ status: 'warn', observedValue: { high: 5 } });
    expect(detailOf(document, 'cart:responseTime')).toMatchObject({
      status: 'fail',
      componentType: 'datastore',
      affectedEndpoints: ['/cart'],
    });
    for (const one of [await health.live(), await health.ready(), await health.startup()]) {
      expect(faultsOf(one)).toEqual([]);
    }
  });

  test('the validator finds what is wrong', () => {
    const time = new Date().toISOString();
    expect(faultsOf({ status: 'ok' })).toHaveLength(1);
    expect(faultsOf({ status: 'pass', output: 'x', more: 1 })).toHaveLength(2);
    expect(faultsOf({ status: 'pass', checks: { a: [{ status: 'pass', time: 'now' }] } })).toHaveLength(1);
    expect(faultsOf({ status: 'pass', checks: { ':a': { status: 'pass', time } } })).not.toEqual([]);
    expect(
      faultsOf({
        status: 'pass',
        checks: { a: [{ status: 'pass', time, affectedEndpoints: [], output: '' }] },
      }),
    ).toHaveLength(2);
  });

  test.each<[string, HealthCheckOptions['check'], string]>([
    ['throws', () => fail(new Error('boom')), 'boom'],
    ['rejects', async () => fail(new Error('boom')), 'boom'],
    ['throws a text', () => fail('text'), 'text'],
    ['throws what has no text', () => fail(Object.create(null)), 'something that has no text'],
    ['gives no known status', () => ({ status: 'up' as any }), 'The check gave the status up'],
    ['says so', () => ({ status: 'fail', output: 'said' }), 'said'],
  ])('a check that %s fails, and so does the service', async (_name, check, output) => {
    const health = quiet({ checks: { it: check } });
    const document = await health.ready();
    expect(faultsOf(document)).toEqual([]);
    expect([document.status, detailOf(document, 'it:responseTime').output]).toEqual(['fail', output]);
    expect(health.getStats()).toEqual({ checks: 1, runs: 1, shared: 0, failures: 1, timeouts: 0 });
    expect((await health.live()).status).toBe('pass');
  });

  test('a check answers its own question only', async () => {
    const check = (kind: HealthCheckOptions['kind']) => ({ kind, check: () => fail(new Error('no')) });
    const one = async (kind: HealthCheckOptions['kind']) => {
      const health = quiet({ checks: { it: check(kind) } });
      return Promise.all(
        [health.live(), health.ready(), health.startup(), health.health()].map(
          async (one) => (await one).status,
        ),
      );
    };
    expect(await one('live')).toEqual(['fail', 'pass', 'pass', 'fail']);
    expect(await one('ready')).toEqual(['pass', 'fail', 'pass', 'fail']);
    expect(await one('startup')).toEqual(['pass', 'fail', 'fail', 'fail']);
  });

  test('a name like a member of all objects is a name like any other', async () => {
    const health = quiet();
    health.addCheck('__proto__:x', () => ({ observedValue: 1 }));
    health.addCheck('constructor', () => {});
    const { checks } = await health.ready();
    expect(Object.keys(checks!)).toEqual(['__proto__:x', 'constructor:responseTime']);
  });
});

describe('a check', () => {
  test('is called once for all who ask, and not again while its result is fresh', async () => {
    withFakeTime();
    let calls = 0;
    const health = quiet({
      checks: {
        it: {
          cache: 500,
          check: async () => {
            calls++;
            await new Promise((resolve) => setTimeout(resolve, 100));
          },
        },
      },
    });
    const asked = [health.ready(), health.ready(), health.health()];
    await jest.advanceTimersByTimeAsync(100);
    const documents = await Promise.all(asked);
    expect(calls).toBe(1);
    expect(new Set(documents.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(detailOf(documents[0]!, 'it:responseTime').observedValue).toBe(100);
    await jest.advanceTimersByTimeAsync(499);
    expect(await health.ready()).toEqual(documents[0]);
    expect(calls).toBe(1);
    await jest.advanceTimersByTimeAsync(1);
    const later = health.ready();
    await jest.advanceTimersByTimeAsync(100);
    expect(detailOf(await later, 'it:responseTime').time).not.toBe(
      detailOf(documents[0]!, 'it:responseTime').time,
    );
    expect(calls).toBe(2);
    expect(health.getStats()).toMatchObject({ runs: 2, shared: 3 });
  });

  test('fails when its time is over, and its signal aborts', async () => {
    withFakeTime();
    const signals: AbortSignal[] = [];
    const health = quiet({
      checks: { it: { timeout: 50, check: (signal) => new Promise(() => void signals.push(signal)) } },
    });
    const asked = health.ready();
    await jest.advanceTimersByTimeAsync(49);
    expect(signals[0]!.aborted).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    const document = await asked;
    expect(document.output).toBe('it:responseTime: The check took longer than its timeout of 50 ms');
    expect(detailOf(document, 'it:responseTime')).toMatchObject({ status: 'fail', observedValue: 50 });
    expect(signals[0]!.reason).toBeInstanceOf(TimeoutError);
    expect(health.getStats()).toMatchObject({ timeouts: 1, failures: 0 });
  });

  test('that never ends is called three times, and again when one of them has ended', async () => {
    withFakeTime();
    const ends: (() => void)[] = [];
    const health = quiet({
      checks: {
        it: { timeout: 10, cache: 0, check: () => new Promise<void>((resolve) => ends.push(resolve)) },
      },
    });
    const ask = async () => {
      const asked = health.ready();
      await jest.advanceTimersByTimeAsync(10);
      return (await asked).output;
    };
    for (let round = 0; round < 3; round++) expect(await ask()).toContain('timeout of 10 ms');
    expect(await ask()).toContain('3 calls that had to end have not');
    expect(ends).toHaveLength(3);
    ends[0]!();
    await jest.advanceTimersByTimeAsync(0);
    expect(await ask()).toContain('timeout of 10 ms');
    expect(ends).toHaveLength(4);
  });

  test('can be taken off', async () => {
    const health = quiet();
    const off = health.addCheck('it', () => fail(new Error('no')));
    expect(() => health.addCheck('it', () => {})).toThrow(InvalidArgumentError);
    expect(() => health.addCheck('it:responseTime', () => {})).toThrow(InvalidArgumentError);
    expect((await health.ready()).status).toBe('fail');
    expect([off(), off()]).toEqual([true, false]);
    expect(await health.ready()).toEqual({ status: 'pass' });
  });
});

describe('with a lifecycle', () => {
  test('it is ready from ready() until a shutdown begins, and lives all the time', async () => {
    const lifecycle = new Lifecycle();
    const health = quiet({ lifecycle });
    const all = async () => {
      const { status, output } = await health.ready();
      return [status, output, (await health.startup()).status, (await health.live()).status];
    };
    expect(await all()).toEqual(['fail', 'starting', 'fail', 'pass']);
    await lifecycle.ready();
    expect(await all()).toEqual(['pass', undefined, 'pass', 'pass']);
    let stop!: () => void;
    lifecycle.register('a', { stop: () => new Promise<void>((resolve) => (stop = resolve)) });
    const shutdown = lifecycle.shutdown();
    expect(await all()).toEqual(['fail', 'draining', 'pass', 'pass']);
    stop();
    await shutdown;
    expect(await all()).toEqual(['fail', 'stopped', 'pass', 'pass']);
  });

  test('a shutdown that begins while checks run is told', async () => {
    const lifecycle = new Lifecycle();
    await lifecycle.ready();
    let end!: () => void;
    const health = quiet({
      lifecycle,
      checks: { it: () => new Promise<void>((resolve) => (end = resolve)) },
    });
    const asked = health.ready();
    void lifecycle.shutdown();
    end();
    expect((await asked).output).toBe('stopped');
  });
});

test('startup passes once and stays so; until then nothing is ready', async () => {
  let hasBegun = false;
  const check = jest.fn(() => (hasBegun ? undefined : fail(new Error('migrating'))));
  const health = quiet({ checks: { schema: { kind: 'startup', cache: 0, check } } });
  expect(await health.startup()).toMatchObject({ status: 'fail', output: 'schema:responseTime: migrating' });
  expect((await health.ready()).status).toBe('fail');
  hasBegun = true;
  expect((await health.startup()).status).toBe('pass');
  hasBegun = false;
  expect(await health.startup()).toEqual({ status: 'pass' });
  expect((await health.ready()).status).toBe('pass');
  expect(check).toHaveBeenCalledTimes(3);
});

describe('the event loop', () => {
  const block = (ms: number) => {
    const until = performance.now() + ms;
    while (performance.now() < until);
  };
  const turn = () => new Promise((resolve) => setTimeout(resolve, 1));

  test('that is late again and again makes it unready, and is forgotten', async () => {
    const health = keep(new Health({ memory: false, eventLoopLag: { max: 100, warn: 100, window: 2_000 } }));
    const lag = async () => {
      const document = await health.ready();
      expect(faultsOf(document)).toEqual([]);
      return detailOf(document, 'eventLoop:delay');
    };
    for (let round = 0; round < 8; round++) {
      block(200);
      await turn();
    }
    const late = await lag();
    expect(late).toMatchObject({ status: 'fail', observedUnit: 'ms', componentType: 'system' });
    expect(late.observedValue).toBeGreaterThan(150);
    expect(late.output).toBe(`the event loop is ${late.observedValue} ms late`);
    // A histogram since the start would take minutes.
    await eventually(async () => (await lag()).status === 'pass');
  });

  test('that paused once does not', async () => {
    const health = keep(
      new Health({ memory: false, eventLoopLag: { max: 1_000, warn: 1_000, window: 60_000 } }),
    );
    const samples = async () => {
      for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setTimeout(resolve, 30));
    };
    await samples();
    block(1_500);
    await samples();
    expect((await health.ready()).status).toBe('pass');
  });

  test('is sampled no more after close()', async () => {
    const made = jest.spyOn(perfHooks, 'monitorEventLoopDelay');
    const health = keep(new Health({ memory: false }));
    const histograms = made.mock.results.map(
      ({ value }) => value as ReturnType<typeof perfHooks.monitorEventLoopDelay>,
    );
    made.mockRestore();
    expect((await health.ready()).checks).toHaveProperty(['eventLoop:delay']);
    health.close();
    health.close();
    expect(await health.ready()).toEqual({ status: 'pass' });
    // It says whether it was off.
    expect(histograms.map((histogram) => histogram.enable())).toEqual([true, true]);
    for (const histogram of histograms) histogram.disable();
  });
});

describe('memory', () => {
  test('a heap that is nearly full makes it unready, until it is collected', async () => {
    const found = await evaluate<any[]>(
      `const { Health } = require('keelson');
       const { setFlagsFromString } = require('node:v8');
       setFlagsFromString('--expose-gc');
       const gc = require('node:vm').runInNewContext('gc');
       const heap = { warn: 0.2, fail: 0.3 };
       const health = new Health({ eventLoopLag: false, memory: { heap, rss: false, cgroup: false } });
       const { heap_size_limit } = require('node:v8').getHeapStatistics();
       let held = [];
       while (process.memoryUsage().heapUsed < heap_size_limit * 0.4) held.push(new Array(10_000).fill(0));
       (async () => {
         const full = await health.ready();
         held = undefined;
         gc();
         await new Promise((resolve) => setTimeout(resolve, 1_050));
         console.log(JSON.stringify([full, await health.ready()]));
       })();`,
      { env: { NODE_OPTIONS: '--max-old-space-size=200' } },
    );
    expect(found.flatMap(faultsOf)).toEqual([]);
    const [full, empty] = found.map((one) => detailOf(one, 'memory:heap'));
    expect(full).toMatchObject({ status: 'fail', observedUnit: 'percent', componentType: 'system' });
    expect(full!.observedValue).toBeGreaterThan(30);
    expect(full!.output).toMatch(/^the heap has \d+ MiB of \d+$/);
    expect([found[1].status, empty!.status]).toEqual(['pass', 'pass']);
  });

  test('measurements are left out by name', async () => {
    const keysOf = async (memory: HealthOptions['memory']) =>
      Object.keys((await keep(new Health({ eventLoopLag: false, memory })).ready()).checks ?? {});
    expect(await keysOf({ heap: false, cgroup: false })).toEqual(['memory:rss']);
    expect(await keysOf({ rss: false, cgroup: false })).toEqual(['memory:heap']);
    expect(await keysOf(false)).toEqual([]);
  });

  test('the process is measured against what there is', async () => {
    const health = keep(new Health({ eventLoopLag: false, memory: { rss: { warn: 0 } } }));
    const document = await health.ready();
    expect(detailOf(document, 'memory:rss').output).toMatch(/^the process has [1-9]\d* MiB of [1-9]\d*$/);
    expect(document.status).toBe('warn');
  });

  test('a level that was reached is left a tenth below it, and not before', () => {
    const level = new Level({ warn: 50, fail: 100 });
    const statuses = [49, 50, 46, 45, 44.9, 49, 100, 95, 90, 89, 99, 46, 44].map((value) => level.of(value));
    expect(statuses).toEqual([
      ...['pass', 'warn', 'warn', 'warn', 'pass', 'pass'],
      ...['fail', 'fail', 'fail', 'warn', 'warn', 'warn', 'pass'],
    ]);
    // From failing to below both at once.
    expect([100, 10].map((value) => level.of(value))).toEqual(['fail', 'pass']);
  });
});

describe('cgroups', () => {
  /** A tree of files as /sys/fs/cgroup has it. */
  function tree(self: string, files: Record<string, string>) {
    const { folder, remove } = temporaryFolder();
    for (const [path, text] of Object.entries({ ...files, self })) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), `${text}\n`);
    }
    try {
      return cgroupUse(folder, join(folder, 'self'));
    } finally {
      remove();
    }
  }

  test('v2: what is used, without files that the system only keeps, of the lower of both limits', () => {
    const files = { 'memory.current': '700', 'memory.stat': 'anon 500\ninactive_file 200\nactive_file 50' };
    const limits = { 'memory.max': '1000', 'memory.high': '800' };
    expect(tree('0::/', { ...files, ...limits })).toEqual({ used: 500, limit: 800 });
    expect(tree('0::/', { ...files, ...limits, 'memory.high': 'max' })).toEqual({ used: 500, limit: 1000 });
    expect(tree('0::/', { ...files, 'memory.max': 'max', 'memory.high': 'max' })).toBeUndefined();
    expect(tree('0::/', files)).toBeUndefined();
  });

  test('v2: of nested groups the one that is nearest to its limit', () => {
    const group = (path: string, current: number, max: string) => ({
      [`${path}memory.current`]: `${current}`,
      [`${path}memory.max`]: max,
    });
    const self = '0::/pod/app';
    const nested = { ...group('pod/', 900, '1000'), ...group('pod/app/', 100, '500') };
    expect(tree(self, nested)).toEqual({ used: 900, limit: 1000 });
    const inner = { ...group('pod/', 900, 'max'), ...group('pod/app/', 100, '500') };
    expect(tree(self, inner)).toEqual({ used: 100, limit: 500 });
    // In a container that sees its own group as the root, and the path of the host.
    expect(tree('0::/../../kubepods/x', group('', 5, '10'))).toEqual({ used: 5, limit: 10 });
  });

  test('v1: the same by its own names, also beside v2', () => {
    const files = {
      'memory/app/memory.usage_in_bytes': '600',
      'memory/app/memory.limit_in_bytes': '1000',
      'memory/app/memory.stat': 'inactive_file 1\ntotal_inactive_file 100',
      'memory/memory.usage_in_bytes': '5000',
      'memory/memory.limit_in_bytes': '9223372036854771712',
    };
    const self = '12:cpu,cpuacct:/\n5:memory:/app\n0::/';
    expect(tree(self, files)).toEqual({ used: 500, limit: 1000 });
    expect(tree('12:cpu:/\n0::/', files)).toBeUndefined();
  });

  test('where there are none, there is no measurement', () => {
    expect(cgroupUse('/nowhere', '/nowhere/self')).toBeUndefined();
  });
});

test.each<[string, HealthOptions]>([
  ['an unknown option', { check: {} } as any],
  ['no lifecycle', { lifecycle: {} as any }],
  ['no function', { checks: { a: {} as any } }],
  ['an unknown kind', { checks: { a: { kind: 'soon' as any, check() {} } } }],
  ['an unknown check option', { checks: { a: { every: 5, check() {} } as any } }],
  ['no timeout', { checks: { a: { timeout: 0, check() {} } } }],
  ['an empty name', { checks: { '': () => {} } }],
  ['an empty measurement', { checks: { 'a:': () => {} } }],
  ['a warning above the failure', { memory: { heap: { warn: 0.9, fail: 0.5 } } }],
  ['a share above 1', { memory: { rss: { fail: 1.5 } } }],
  ['a lag below a warning', { eventLoopLag: { warn: 50, max: 20 } }],
  ['a window of nothing', { eventLoopLag: { window: 0 } }],
  ['a number for a version', { version: 1 as any }],
  ['a text for notes', { notes: 'note' as any }],
])('%s is refused', (_name, options) => {
  expect(() => new Health(options)).toThrow(InvalidArgumentError);
});

function fail(error: unknown): never {
  throw error;
}
