import { AsyncLocalStorage } from 'node:async_hooks';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import {
  BoundedLRUCache,
  CircuitBreaker,
  DatabaseConnectionPool,
  JSONWorkerPool,
  type Lease,
  SharedCache,
  tracing,
} from 'keelson';
import { closePools, makePool, scripted } from './support/connections';
import { deferred } from './support/deferred';
import { recordsText } from './support/jsonTexts';
import { useSpans, within } from './support/spans';
import { closeAll, open as openTiers } from './support/tiers';

const { enable, spans, told, named } = useSpans();
afterEach(closePools);

const [UNSET, ERROR] = [SpanStatusCode.UNSET, SpanStatusCode.ERROR];
/** The name of the span that is active. */
const active = (): string | undefined => (trace.getActiveSpan() as { name?: string } | undefined)?.name;

/** Everything that makes spans once they are enabled, once each. */
async function doAll(): Promise<void> {
  const db = new DatabaseConnectionPool({ driver: 'sqlite', database: ':memory:' });
  await db.run('SELECT 1');
  await db.transaction((tx) => tx.run('SELECT 2'));
  for await (const _ of db.stream('SELECT 3'));
  await db.close();
  await new BoundedLRUCache({ maxSize: 2 }).getOrLoad('a', () => 1);
  const shared = new SharedCache({ name: 'spans' });
  await shared.getOrLoad('a', () => 1);
  shared.close();
  const breaker = new CircuitBreaker(() => 1);
  await breaker.fire();
  breaker.shutdown();
  const json = new JSONWorkerPool(1);
  await json.parse(recordsText(100_000));
  await json.destroy();
}

describe('enabling', () => {
  test('there are none before it, nor after it was stopped', async () => {
    await doAll();
    expect(spans()).toEqual([]);
    const stop = enable();
    await doAll();
    const count = spans().length;
    expect(count).toBeGreaterThan(6);
    stop();
    await doAll();
    expect(spans()).toHaveLength(count);
  });

  test('spans are from keelson in its version, and go to the provider that was given', async () => {
    const exporter = new InMemorySpanExporter();
    const tracerProvider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    enable({ tracerProvider });
    await doAll();
    expect(spans()).toEqual([]);
    const scopes = exporter.getFinishedSpans().map((span) => span.instrumentationScope);
    expect(scopes[0]).toMatchObject({ name: 'keelson', version: require('../package.json').version });
    await tracerProvider.shutdown();
  });

  test('the latest call counts, and stopping an earlier one does nothing to it', async () => {
    const first = tracing.enable();
    enable({ queryText: true });
    first();
    await doAll();
    expect(named('SELECT')[0]!.attributes).toMatchObject({ 'db.query.text': 'SELECT 1' });
  });

  test.each([
    [{ tracerProvider: {} }, '"tracerProvider" must be a TracerProvider of OpenTelemetry'],
    [{ tracerProvider: null }, '"tracerProvider" must be a TracerProvider of OpenTelemetry'],
    [{ queryText: 1 }, '"queryText" must be a boolean'],
    [null, '"options" must be'],
  ])('refuses %j', (options, message) => {
    expect(() => tracing.enable(options as any)).toThrow(
      expect.objectContaining({
        code: 'ERR_KEELSON_INVALID_ARGUMENT',
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe('loads of caches', () => {
  const lru = new BoundedLRUCache<string, any>({ maxSize: 10 });
  const shared = new SharedCache<any>({ name: 'spans of loads' });
  const { cache: tiered } = openTiers();
  const caches = { lru, shared, tiered };
  afterAll(async () => {
    shared.close();
    await closeAll();
  });

  test.each(['lru', 'shared', 'tiered'] as const)(
    '%s: one a load, in which the loader runs',
    async (kind) => {
      const cache = caches[kind];
      enable();
      const { promise, resolve } = deferred();
      const seen: unknown[] = [];
      const loader = async (): Promise<unknown> => {
        seen.push(active());
        await promise;
        return within('child', async () => 'value');
      };
      const both = within('request', () =>
        Promise.all([cache.getOrLoad('key', loader), cache.getOrLoad('key', loader)]),
      );
      resolve(undefined);
      expect(await both).toEqual(['value', 'value']);
      await cache.getOrLoad('key', loader);
      expect(seen).toEqual(['keelson.cache.load']);
      expect(told()).toEqual([
        expect.objectContaining({ name: 'child', parent: 'keelson.cache.load' }),
        {
          name: 'keelson.cache.load',
          kind: SpanKind.INTERNAL,
          attributes: { 'keelson.cache.kind': kind },
          status: UNSET,
          parent: 'request',
        },
        expect.objectContaining({ name: 'request' }),
      ]);
    },
  );

  test.each(['lru', 'shared', 'tiered'] as const)('%s: a loader that fails', async (kind) => {
    enable();
    const error = new RangeError('no such value');
    const throwing = (): never => {
      throw error;
    };
    await expect(caches[kind].getOrLoad('bad', throwing)).rejects.toBe(error);
    const [span] = named('keelson.cache.load');
    expect(span!.status).toEqual({ code: ERROR, message: 'no such value' });
    expect(span!.attributes).toMatchObject({ 'error.type': 'RangeError' });
    expect(span!.events).toMatchObject([
      {
        name: 'exception',
        attributes: { 'exception.type': 'RangeError', 'exception.message': 'no such value' },
      },
    ]);
  });

  test('hits, and values that are given, have none', async () => {
    enable();
    lru.set('there', 1);
    shared.set('there', 1);
    await tiered.set('there', 1);
    for (const cache of Object.values(caches)) await cache.getOrLoad('there', () => 2);
    expect(spans()).toEqual([]);
  });
});

describe('CircuitBreaker', () => {
  test('calls, in which the action runs, also where it has waited for room or is tried again', async () => {
    enable();
    const store = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const { promise, resolve } = deferred();
    let attempts = 0;
    const breaker = new CircuitBreaker(
      async (name: string) => {
        seen.push([name, active(), store.getStore()]);
        if (name === 'first') await promise;
        if (name === 'again' && ++attempts === 1) throw new Error('once');
        return name;
      },
      { name: 'quotes', capacity: 1, queue: 2, retry: { attempts: 2, backoff: { min: 1, max: 1 } } },
    );
    const call = (name: string) => store.run(`of ${name}`, () => within(name, () => breaker.fire(name)));
    const all = Promise.all([call('first'), call('second'), call('again')]);
    resolve(undefined);
    await all;
    expect(seen).toEqual([
      ['first', 'keelson.breaker.call', 'of first'],
      ['second', 'keelson.breaker.call', 'of second'],
      ['again', 'keelson.breaker.call', 'of again'],
      ['again', 'keelson.breaker.call', 'of again'],
    ]);
    const calls = told().filter(({ name }) => name === 'keelson.breaker.call');
    expect(calls.map(({ parent }) => parent)).toEqual(['first', 'second', 'again']);
    expect(calls[0]).toMatchObject({
      kind: SpanKind.INTERNAL,
      attributes: { 'keelson.breaker.name': 'quotes' },
      status: UNSET,
    });
    breaker.shutdown();
  });

  test('calls that are not made have the code of their error', async () => {
    enable();
    const breaker = new CircuitBreaker(async () => 1);
    breaker.open();
    await expect(breaker.fire()).rejects.toThrow();
    const [span] = named('keelson.breaker.call');
    expect(span!.attributes).toMatchObject({ 'error.type': 'ERR_KEELSON_BREAKER_OPEN' });
    expect(span!.status.code).toBe(ERROR);
    breaker.shutdown();
  });
});

describe('ConnectionPool', () => {
  test('acquires that wait, and no others', async () => {
    enable();
    const pool = makePool(scripted().factory, { max: 1, name: 'jobs' });
    const first = await pool.acquire();
    first.release();
    const before = spans().length;
    const lent = await pool.acquire();
    expect(spans()).toHaveLength(before);
    const waits: Promise<Lease<any>>[] = [];
    const done = within('request', async () => {
      waits.push(pool.acquire(), pool.acquire({ priority: 'high' }));
      lent.release();
      for (const lease of await Promise.all(waits.map((wait) => wait.then((one) => one.release()))))
        void lease;
    });
    await done;
    const found = told().slice(before, -1);
    expect(found).toEqual(
      Array(2).fill({
        name: 'keelson.pool.wait',
        kind: SpanKind.INTERNAL,
        attributes: { 'db.client.connection.pool.name': 'jobs' },
        status: UNSET,
        parent: 'request',
      }),
    );
  });

  test('one that waits in vain', async () => {
    enable();
    const pool = makePool(scripted().factory, { max: 1 });
    await pool.acquire();
    await expect(pool.acquire({ timeout: 1 })).rejects.toMatchObject({ code: 'ERR_KEELSON_TIMEOUT' });
    const span = spans().at(-1)!;
    expect(span.attributes).toMatchObject({ 'error.type': 'ERR_KEELSON_TIMEOUT' });
    expect(span.status.code).toBe(ERROR);
  });
});

describe('JSONWorkerPool', () => {
  test('tasks, those that wait for their turn too; none for what is done at once', async () => {
    enable();
    const pool = new JSONWorkerPool(1);
    const text = recordsText(200_000);
    const parents = ['one', 'two'];
    await pool.parse('[1]');
    await pool.stringify({ a: 1 });
    expect(spans()).toEqual([]);
    await Promise.all(parents.map((name) => within(name, () => pool.parse(text))));
    await pool.stringify(JSON.parse(text));
    await (await pool.openDocument(text, { priority: 'low' })).close?.();
    for await (const _ of pool.ndjson([`${text}\n`]));
    const tasks = told().filter(({ name }) => name.startsWith('keelson.json.'));
    expect(tasks.map(({ name, parent }) => [name, parent])).toEqual([
      ['keelson.json.parse', 'one'],
      ['keelson.json.parse', 'two'],
      ['keelson.json.stringify', undefined],
      ['keelson.json.document', undefined],
      ['keelson.json.ndjson', undefined],
    ]);
    expect(tasks[3]!.attributes).toEqual({ 'keelson.json.priority': 'low' });
    await pool.destroy();
  });

  test('what a task calls of the user has its span, whose turn ever it is', async () => {
    enable();
    const pool = new JSONWorkerPool(1);
    const seen: unknown[] = [];
    const look = (key: string, value: unknown): unknown => {
      if (key === 'last') seen.push(trace.getActiveSpan()?.spanContext().spanId);
      return value;
    };
    const long = recordsText(200_000);
    const all = ['one', 'two', 'three'].map((name) =>
      within(name, () => pool.parse(`[${long}, {"last":1}]`, { reviver: look })),
    );
    const values = { list: JSON.parse(long), last: { toJSON: () => look('last', 1) } };
    await Promise.all([...all, pool.enqueueTask('stringify', values)]);
    const tasks = spans().filter(({ name }) => name.startsWith('keelson.json.'));
    expect(tasks).toHaveLength(4);
    expect(seen).toEqual(tasks.map((span) => span.spanContext().spanId));
    await pool.destroy();
  });

  test('a text that is not JSON', async () => {
    enable();
    const pool = new JSONWorkerPool(1);
    await expect(pool.parse(`${recordsText(100_000)}!`)).rejects.toThrow();
    expect(spans().at(-1)).toMatchObject({
      name: 'keelson.json.parse',
      attributes: { 'error.type': 'ERR_KEELSON_JSON_SYNTAX' },
      status: { code: ERROR },
    });
    await pool.destroy();
  });
});
