import { AsyncLocalStorage } from 'node:async_hooks';
import { JSONWorkerPool, QueueFullError, TimeoutError } from 'keelson';
import { countingSignal, nextTurn, recordsText, rejection, until } from './support/jsonTexts';
import { evaluate } from './support/process';

const MEGABYTE = 2 ** 20;
const large = recordsText(2 * MEGABYTE);

const pools: JSONWorkerPool[] = [];
function makePool(options: ConstructorParameters<typeof JSONWorkerPool>[0] = 1): JSONWorkerPool {
  const pool = new JSONWorkerPool(options);
  pools.push(pool);
  return pool;
}
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.destroy()));
});

const unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);
beforeAll(() => process.on('unhandledRejection', note));
afterAll(async () => {
  await nextTurn();
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

test('functions of a call see its AsyncLocalStorage, whose turn ever it is', async () => {
  const pool = makePool(1);
  const store = new AsyncLocalStorage<string>();
  const seen: [string, string | undefined][] = [];
  const text = `[${large}, "end"]`;
  const call = (name: string) => {
    const look = (_key: string, value: unknown) => {
      if (value === 'end') seen.push([name, store.getStore()]);
      return value;
    };
    const written = { list: JSON.parse(large), end: { toJSON: () => look('', 'end') } };
    return [pool.parse(text, { reviver: look }), pool.enqueueTask('stringify', written)];
  };
  const calls = ['one', 'two'].flatMap((name) => store.run(name, () => call(name)));
  await Promise.all([...calls, ...call('none')]);
  const own = (name: string) => Array(2).fill([name, name === 'none' ? undefined : name]);
  expect(seen).toEqual(['one', 'two', 'none'].flatMap(own));
});

describe('priority', () => {
  test.each([
    ['small', '[1]'],
    ['large', large],
  ])('%s tasks go by priority, equals in their order', async (_, text) => {
    const pool = makePool(1);
    const order: string[] = [];
    const call = (name: string, priority: 'high' | 'normal' | 'low') =>
      pool.enqueueTask('parse', text, {}, priority).then(() => order.push(name));
    const first = call('first', 'low');
    const calls = [call('low 1', 'low'), call('normal 1', 'normal'), call('high 1', 'high')];
    calls.push(call('low 2', 'low'), call('normal 2', 'normal'), call('high 2', 'high'));
    await Promise.all([first, ...calls]);
    expect(order).toEqual(['first', 'high 1', 'high 2', 'normal 1', 'normal 2', 'low 1', 'low 2']);
  });

  test('it orders parsing among writing too', async () => {
    const pool = makePool(1);
    const order: string[] = [];
    const calls = [
      pool.enqueueTask('parse', large, {}, 'low').then(() => order.push('first')),
      pool.enqueueTask('stringify', [1], {}, 'low').then(() => order.push('low')),
      pool.parse(large, { priority: 'high' }).then(() => order.push('high')),
      pool.enqueueTask('stringify', [1], {}, 'normal').then(() => order.push('normal')),
    ];
    await Promise.all(calls);
    expect(order).toEqual(['first', 'high', 'normal', 'low']);
  });
});

describe('the queue', () => {
  test.each([1, 2, 5])('maxWorkers %d bounds what is active', async (maxWorkers) => {
    const pool = makePool(maxWorkers);
    const calls = Array.from({ length: 12 }, (_, index) =>
      pool.enqueueTask('parse', index % 2 ? '[]' : large),
    );
    const seen = new Set<number>();
    let left = calls.length;
    for (const call of calls) call.then(() => left--);
    while (left > 0) {
      const { active, queued } = pool.metrics();
      expect(active).toBeLessThanOrEqual(maxWorkers);
      expect(active + queued).toBe(left);
      seen.add(active);
      await nextTurn();
    }
    expect(Math.max(...seen)).toBe(maxWorkers);
  });

  test('a full queue rejects at once, and counts what it refused apart', async () => {
    const pool = makePool({ maxWorkers: 1, maxQueue: 2 });
    const calls = [1, 2, 3].map(() => pool.enqueueTask('parse', '[1]'));
    const error = await rejection(pool.enqueueTask('parse', '[1]', {}, 'high'));
    expect(error).toBeInstanceOf(QueueFullError);
    expect(error).toMatchObject({ code: 'ERR_KEELSON_QUEUE_FULL' });
    expect(await Promise.all(calls)).toStrictEqual([[1], [1], [1]]);
    expect(pool.metrics()).toMatchObject({ processed: 3, errors: { queueFull: 1 } });
    expect(pool.getStats()).toMatchObject({ totalProcessed: 3, errorCount: 0 });
    expect(await pool.enqueueTask('parse', '[2]')).toStrictEqual([2]);
  });

  test('maxQueue 0 takes what can start at once', async () => {
    const pool = makePool({ maxWorkers: 2, maxQueue: 0 });
    const calls = [pool.parse(large), pool.parse(large)];
    expect(await rejection(pool.parse(large))).toBeInstanceOf(QueueFullError);
    await Promise.all(calls);
    // What needs no place is not refused.
    expect(await pool.parse('1')).toBe(1);
  });

  test("with onFull 'wait' what comes later waits for its turn", async () => {
    const pool = makePool({ maxWorkers: 1, maxQueue: 1, onFull: 'wait' });
    const calls = Array.from({ length: 20 }, (_, index) => pool.enqueueTask('parse', `[${index}]`));
    expect(pool.metrics()).toMatchObject({ active: 1, queued: 19 });
    expect(await Promise.all(calls)).toStrictEqual(calls.map((_, index) => [index]));
  });

  test('streams take no place, since they wait for others most of the time', async () => {
    const pool = makePool({ maxWorkers: 1, maxQueue: 0 });
    const streams = [1, 2, 3].map((n) => pool.parseStream([`[${n}`, ']']));
    expect(pool.metrics()).toMatchObject({ active: 3, queued: 0 });
    expect(await pool.enqueueTask('parse', '[1]')).toStrictEqual([1]);
    expect(await Promise.all(streams)).toStrictEqual([[1], [2], [3]]);
  });

  test('a thousand tasks that fail as they start do not nest', async () => {
    const pool = makePool(1);
    const bytes = new Uint8Array(70_000).fill(0x20);
    const calls = Array.from({ length: 5_000 }, () => rejection(pool.parse(bytes)));
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    for (const error of await Promise.all(calls)) expect(error).toBeInstanceOf(Error);
    expect(pool.metrics()).toMatchObject({ active: 0, queued: 0, processed: 5_000 });
  });

  test('a task that a toJSON submits waits behind those that wait', async () => {
    const pool = makePool(1);
    const order: string[] = [];
    let inner: Promise<unknown> | undefined;
    const value = {
      toJSON() {
        inner = pool.enqueueTask('parse', '1').then(() => order.push('inner'));
        return 1;
      },
    };
    const calls = [
      pool.enqueueTask('parse', '1').then(() => order.push('first')),
      pool.enqueueTask('stringify', value).then(() => order.push('outer')),
      pool.enqueueTask('parse', '1').then(() => order.push('waiting')),
    ];
    await Promise.all(calls);
    await inner;
    expect(order).toEqual(['first', 'outer', 'waiting', 'inner']);
  });
});

/** Text of which the native part takes longer than a turn or two, and so does building it. */
const huge = recordsText(12 * MEGABYTE);

describe('an AbortSignal', () => {
  const reason = { any: 'value' };

  /** The pool has nothing to do for anybody, and nobody listens to the signal. */
  async function expectFree(pool: JSONWorkerPool, listeners: () => number): Promise<void> {
    expect(listeners()).toBe(0);
    expect(pool.metrics()).toMatchObject({ active: 0, queued: 0 });
    expect(await pool.enqueueTask('parse', '[1]')).toStrictEqual([1]);
  }

  test('aborted before the call, rejects without a listener', async () => {
    const pool = makePool(1);
    const { controller, signal, listeners } = countingSignal();
    controller.abort(reason);
    for (const text of ['1', large]) expect(await rejection(pool.parse(text, { signal }))).toBe(reason);
    expect(await rejection(pool.stringify([1], { signal }))).toBe(reason);
    expect(await rejection(pool.parseStream(['1'], { signal }))).toBe(reason);
    expect(await rejection(pool.openDocument('1', { signal }))).toBe(reason);
    expect(await rejection(pool.ndjson(['1'], { signal }).next())).toBe(reason);
    await expectFree(pool, listeners);
  });

  test('takes a task out of the queue', async () => {
    const pool = makePool(1);
    const { controller, signal, listeners } = countingSignal();
    const running = pool.parse(large);
    const waiting = rejection(pool.parse(large, { signal }));
    const after = pool.parse(large);
    expect(pool.metrics()).toMatchObject({ active: 1, queued: 2 });
    controller.abort(reason);
    expect(pool.metrics()).toMatchObject({ active: 1, queued: 1 });
    expect(await waiting).toBe(reason);
    await Promise.all([running, after]);
    await expectFree(pool, listeners);
    expect(pool.metrics().errors).toMatchObject({ aborted: 1, other: 0 });
  });

  test('stops native work, and frees its place at once', async () => {
    const pool = makePool(1);
    const { controller, signal, listeners } = countingSignal();
    const call = rejection(pool.parse(huge, { signal }));
    await nextTurn();
    expect(pool.metrics().active).toBe(1);
    controller.abort(reason);
    expect(pool.metrics().active).toBe(0);
    expect(await call).toBe(reason);
    await expectFree(pool, listeners);
  });

  test.each(['parse', 'reviver', 'limits', 'document', 'stringify', 'stream'] as const)(
    'stops %s at any moment',
    async (kind) => {
      const pool = makePool(2);
      const value = kind === 'stringify' ? JSON.parse(large) : undefined;
      const calls: Record<string, (signal: AbortSignal) => Promise<unknown>> = {
        parse: (signal) => pool.parse(large, { signal }),
        reviver: (signal) => pool.parse(large, { signal, reviver: (_, item) => item }),
        limits: (signal) => pool.parse(large, { signal, maxDepth: 10 }),
        document: (signal) => pool.openDocument(large, { signal }),
        stringify: (signal) => pool.stringify(value, { signal }),
        stream: (signal) => pool.parseStream([large, '\n'], { signal }),
      };
      let done = 0;
      for (let turns = 0; turns < 30; turns++) {
        const { controller, signal, listeners } = countingSignal();
        const outcome = calls[kind]!(signal).then(
          () => 'done',
          (error) => error,
        );
        for (let turn = 0; turn < turns; turn++) await nextTurn();
        controller.abort(reason);
        const got = await outcome;
        if (got === 'done') done += 1;
        else expect(got).toBe(reason);
        await expectFree(pool, listeners);
      }
      const { errors, processed } = pool.metrics();
      expect(errors).toMatchObject({ aborted: 30 - done, syntax: 0, destroyed: 0, other: 0 });
      expect(processed).toBe(60);
    },
    30_000,
  );

  test('aborted without a reason, rejects with an AbortError', async () => {
    const controller = new AbortController();
    const call = rejection(makePool(1).parse(large, { signal: controller.signal }));
    controller.abort();
    const error = await call;
    expect(error).toBe(controller.signal.reason);
    expect(error.name).toBe('AbortError');
  });

  test('outlives thousands of calls without listeners that stay', async () => {
    const pool = makePool(2);
    const { signal, listeners } = countingSignal();
    const warnings: Error[] = [];
    const warned = (warning: Error) => warnings.push(warning);
    process.on('warning', warned);
    for (let round = 0; round < 20; round++) {
      const calls = Array.from({ length: 50 }, () => pool.stringify([round], { signal, timeout: 60_000 }));
      await nextTurn();
      expect(listeners()).toBeLessThanOrEqual(1);
      await Promise.all(calls);
      for await (const batch of pool.ndjson(['1\n2\n'], { signal })) expect(batch).toEqual([1, 2]);
      expect(listeners()).toBe(0);
    }
    process.off('warning', warned);
    expect(warnings).toEqual([]);
  });

  test('ends all calls that share it, and only those', async () => {
    const pool = makePool(2);
    const { controller, signal, listeners } = countingSignal();
    const other = pool.parse(large);
    const calls = Array.from({ length: 20 }, () => rejection(pool.parse(large, { signal })));
    await nextTurn();
    expect(listeners()).toBe(1);
    controller.abort(reason);
    for (const call of calls) expect(await call).toBe(reason);
    expect(pool.metrics()).toMatchObject({ active: 1, queued: 0 });
    expect(await other).toHaveLength(JSON.parse(large).length);
    await expectFree(pool, listeners);
  });
});

describe('a timeout', () => {
  test('stops what takes longer, the wait for its turn included', async () => {
    const pool = makePool(1);
    const blocking = pool.parse(huge);
    const calls = [
      rejection(pool.parse(huge, { timeout: 1 })),
      rejection(pool.parseStream(endless(), { timeout: 1 })),
      rejection(pool.ndjson(endless(), { timeout: 1 }).next()),
      rejection(pool.openDocument(huge, { timeout: 1 })),
    ];
    for (const error of await Promise.all(calls)) {
      expect(error).toBeInstanceOf(TimeoutError);
      expect(error).toMatchObject({ code: 'ERR_KEELSON_TIMEOUT' });
    }
    await blocking;
    expect(pool.metrics()).toMatchObject({ active: 0, queued: 0, errors: { timeout: 4, aborted: 0 } });
  });

  test('is 1 to 2^31 - 1 ms in every method, before anything is done', async () => {
    const pool = makePool(1);
    const document = await pool.openDocument('[1]');
    const calls: ((options: object) => Promise<unknown>)[] = [
      (options) => pool.parse('[1]', options),
      (options) => pool.stringify([1], options),
      (options) => pool.stringify([1], { ...options, as: 'buffer' }),
      async (options) => pool.stringify([1], { ...options, as: 'chunks' }).next(),
      (options) => pool.parseStream(['[1]'], options),
      async (options) => pool.ndjson(['[1]'], options).next(),
      (options) => pool.openDocument('[1]', options),
      (options) => document.toJS('', options),
      (options) => document.column('/*', options),
    ];
    for (const call of calls) {
      await call({ timeout: 2 ** 31 - 1 });
      for (const timeout of [0, 0.5, 2 ** 31, Number.NaN, '5']) {
        expect(await rejection(call({ timeout }))).toMatchObject({ code: 'ERR_KEELSON_INVALID_ARGUMENT' });
      }
    }
    const file = (timeout: number) => pool.stringifyToFile([1], '/nowhere/x.json', { timeout });
    expect(await rejection(file(2 ** 31))).toMatchObject({ code: 'ERR_KEELSON_INVALID_ARGUMENT' });
    expect(await rejection(pool.parseFile('/nowhere', { timeout: 0 }))).toMatchObject({
      code: 'ERR_KEELSON_INVALID_ARGUMENT',
    });
    // What was refused is not counted; the first chunks were left open.
    expect(pool.metrics()).toMatchObject({ processed: calls.length, errors: { other: 0 } });
  });

  test('that is not reached changes nothing and leaves no timer', async () => {
    const pool = makePool(1);
    const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    expect(await pool.parse(large, { timeout: 100_000 })).toHaveLength(JSON.parse(large).length);
    expect(await rejection(pool.parse(`${large}x`, { timeout: 100_000 }))).toBeInstanceOf(SyntaxError);
    expect(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length).toBe(before);
  });
});

test('metrics() tells what happened, by cause', async () => {
  const pool = makePool({ maxWorkers: 1, maxQueue: 1 });
  expect(pool.metrics()).toMatchObject({ threads: 1, queued: 0, active: 0, processed: 0, direct: 0 });
  await pool.parse('[1]');
  await pool.parse(large);
  await rejection(pool.parse('['));
  await rejection(pool.parse(`${large}]`));
  await rejection(pool.parse('[[]]', { maxDepth: 1 }));
  await rejection(pool.parse(large, { maxKeys: 10 }));
  const thrown = new SyntaxError('mine');
  const reviver = () => {
    throw thrown;
  };
  expect(await rejection(pool.parse('1', { reviver }))).toBe(thrown);
  expect(await rejection(pool.parse(large, { reviver }))).toBe(thrown);
  await rejection(pool.parse(large, { signal: AbortSignal.abort() }));
  const aborting = new AbortController();
  const aborted = rejection(pool.parse(large, { signal: aborting.signal }));
  aborting.abort();
  await aborted;
  const stop = [rejection(pool.parse(large)), rejection(pool.parse(large))];
  await rejection(pool.parse(large));
  expect(pool.metrics()).toMatchObject({ active: 1, queued: 1 });
  await pool.destroy();
  await Promise.all(stop);
  const { errors, ...rest } = pool.metrics();
  expect(errors).toEqual({
    syntax: 2,
    limit: 2,
    aborted: 1,
    timeout: 0,
    destroyed: 2,
    queueFull: 1,
    other: 2,
  });
  expect(rest).toMatchObject({ threads: 0, queued: 0, active: 0, processed: 11, direct: 4 });
  expect(pool.getStats()).toMatchObject({ totalProcessed: 11, errorCount: 9 });
  expect(rest.nativeTime.max).toBeGreaterThan(0);
  expect(rest.mainTime.max).toBeGreaterThan(0);
  expect(rest.duration.max).toBeGreaterThanOrEqual(rest.duration.p50);
  expect(rest.queueTime.count).toBeGreaterThan(0);
});

test('metrics move while work goes on', async () => {
  const pool = makePool(1);
  const call = pool.parse(large);
  expect(pool.metrics()).toMatchObject({ active: 1, processed: 0 });
  await until(() => pool.metrics().processed === 1);
  await call;
});

describe('what is hostile', () => {
  const untold = new Proxy(
    {},
    {
      getPrototypeOf() {
        throw new Error('trap');
      },
    },
  );

  test('a thrown object that refuses instanceof fails its own call, and nothing else', async () => {
    const pool = makePool(1);
    const reviver = () => {
      throw untold;
    };
    for (const text of ['1', large]) {
      const error = await pool.parse(text, { reviver }).catch((thrown) => thrown);
      expect(error === untold).toBe(true);
    }
    const queued = await pool.enqueueTask('parse', '1', { reviver }).catch((thrown) => thrown);
    expect(queued === untold).toBe(true);
    expect(pool.metrics()).toMatchObject({ active: 0, processed: 3, errors: { other: 3 } });
    expect(await pool.parse(large)).toHaveLength(JSON.parse(large).length);
  });

  test('work that throws is reported, and all other work goes on', async () => {
    const source = `
      const { schedule } = require('./dist/json/scheduler.js');
      const { JSONWorkerPool } = require('./index.js');
      const seen = [];
      process.on('uncaughtException', (error) => seen.push(error.message));
      schedule({ priority: 'high', spent: 0, step() { throw new Error('mine'); } });
      const pool = new JSONWorkerPool(1);
      const value = Array.from({ length: 50000 }, (_, id) => ({ id }));
      pool.stringify(value).then(async (text) => {
        await pool.destroy();
        console.log(JSON.stringify({ seen, same: text === JSON.stringify(value) }));
      });`;
    expect(await evaluate(source)).toEqual({ seen: ['mine'], same: true });
  });

  test('a signal without removeEventListener is refused', async () => {
    const signal = { aborted: false, addEventListener() {} } as any;
    const error = await rejection(makePool(1).parse(large, { signal }));
    expect(error).toMatchObject({ code: 'ERR_KEELSON_INVALID_ARGUMENT' });
  });

  test('a signal that only has what is needed will do', async () => {
    const signal = { aborted: false, addEventListener() {}, removeEventListener() {} } as any;
    const pool = makePool(1);
    for (const text of ['[1]', large]) {
      expect(await pool.parse(text, { signal })).toHaveLength(JSON.parse(text).length);
    }
  });
});

async function* endless(): AsyncGenerator<string> {
  yield '[';
  await new Promise(() => {});
}
