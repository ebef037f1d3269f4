import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { context, trace } from '@opentelemetry/api';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { WorkerAsyncLogger, type WorkerAsyncLoggerOptions } from 'keelson';
import { useLogs } from './support/logs';
import { runNode } from './support/process';

jest.setTimeout(60_000);

const place = useLogs();

/** The lines that a logger with these options makes of what is logged. */
async function linesOf(
  options: WorkerAsyncLoggerOptions,
  log: (logger: WorkerAsyncLogger) => void,
): Promise<any[]> {
  const { open, entries } = place();
  const logger = open(options);
  log(logger);
  await logger.flush();
  return entries();
}

test('the time is written as it is wanted', async () => {
  const before = Date.now();
  const [iso] = await linesOf({ timestamp: 'iso' }, (logger) => logger.info('m', { a: 1 }));
  expect(iso.timestamp).toBe(new Date(iso.timestamp).toISOString());
  expect(Date.parse(iso.timestamp)).toBeGreaterThanOrEqual(before);
  const [own] = await linesOf({ timestamp: () => 'noon' }, (logger) => logger.info('m', { a: 1, userId: 7 }));
  expect(own).toEqual({
    timestamp: 'noon',
    level: 'info',
    message: 'm',
    metadata: { a: 1, userId: 7 },
    userId: 7,
  });
  const fails = (): string => {
    throw new Error('no clock');
  };
  const [epoch] = await linesOf({ timestamp: fails }, (logger) => logger.info('m'));
  expect(epoch.timestamp).toBeGreaterThanOrEqual(before);
});

test('lines have numbers without a gap, in which a line that was dropped leaves one', async () => {
  const { open, logs, entries } = place();
  const logger = open({ sequence: true, maxBuffer: 4, onFull: 'drop-newest', flushInterval: 60_000 });
  for (let n = 0; n < 2000; n++) logger.info('line', { n });
  await logger.flush();
  logger.info('line', { n: 2000 });
  await logger.flush();
  const dropped = logger.metrics().dropped.full;
  expect(dropped).toBeGreaterThan(0);
  expect(new Set(entries().map(({ writer }) => writer)).size).toBe(1);
  expect(entries().map(({ sequence }) => sequence)).toEqual(entries().map(({ metadata }) => metadata.n));
  expect(entries().at(-1).sequence - entries().length + 1).toBe(dropped);
  expect(logs).toBeDefined();
});

test('a mixin gives members to every line, behind those of the line itself', async () => {
  const storage = new AsyncLocalStorage<object>();
  const entries = await linesOf({ mixin: storage }, (logger) => {
    logger.info('without');
    storage.run({ requestId: 'r', a: 1 }, () => {
      logger.info('with');
      logger.child({ a: 2 }).info('child', { b: 3 });
    });
  });
  expect(entries.map(({ metadata }) => metadata)).toEqual([
    undefined,
    { requestId: 'r', a: 1 },
    { requestId: 'r', a: 2, b: 3 },
  ]);
  expect(entries[1].requestId).toBe('r');
  const [told, failed] = await linesOf(
    {
      mixin: (level) => {
        if (level === 'warn') throw new Error('no');
        return { level };
      },
    },
    (logger) => {
      logger.info('m', { a: 1 });
      logger.warn('m', { a: 1 });
    },
  );
  expect(told.metadata).toEqual({ level: 'info', a: 1 });
  expect(failed.metadata).toEqual({ mixin: '[Throws: no]', a: 1 });
});

test('serializers tell what is written of members by their names', async () => {
  const serializers = {
    user: ({ id }: { id: number }) => ({ id }),
    bad: () => {
      throw new Error('no');
    },
  };
  const given = { user: { id: 1, password: 'secret' }, bad: 'x', other: 2 };
  const [entry, , throwing] = await linesOf({ serializers }, (logger) => {
    logger.info('m', given);
    logger.info('m', 'text');
    logger.info('m', {
      user: { id: 2, password: 'secret' },
      get thrower() {
        throw new Error('no');
      },
    });
  });
  expect(entry.metadata).toEqual({ user: { id: 1 }, bad: '[Throws: no]', other: 2 });
  expect(given.user.password).toBe('secret');
  expect(JSON.stringify(throwing)).not.toContain('secret');
});

test('what is redacted is nowhere in the line, by whatever way it comes', async () => {
  class Account {
    name = 'n';
    toJSON() {
      return { name: this.name, password: 'secret' };
    }
  }
  const { open, file } = place();
  const logger = open({
    redact: ['password', '*.password', 'list[*].token', 'userId'],
    mixin: () => ({ password: 'secret' }),
    serializers: { made: () => ({ password: 'secret', fine: 1 }) },
  });
  const given = { account: new Account(), list: [{ token: 'secret' }], made: 1, userId: 'secret', n: 1n };
  logger.info('m', given);
  logger.child({ password: 'secret' }).info('m', new Map([['password', 'shown']]));
  await logger.flush();
  const [text] = readFileSync(file, 'utf8').split('\n');
  expect(text).not.toContain('secret');
  expect(JSON.parse(text!).metadata).toEqual({
    ...{
      password: '[Redacted]',
      account: { name: 'n', password: '[Redacted]' },
      list: [{ token: '[Redacted]' }],
    },
    ...{ made: { password: '[Redacted]', fine: 1 }, userId: '[Redacted]', n: '[BigInt: 1]' },
  });
  expect(JSON.parse(text!).userId).toBe('[Redacted]');
  const seen: unknown[] = [];
  const [censored, removed] = [
    await linesOf({ redact: { paths: ['a.b'], censor: (...args) => seen.push(args) } }, (own) =>
      own.info('m', { a: { b: 5 } }),
    ),
    await linesOf({ redact: { paths: ['a.b'], remove: true } }, (own) =>
      own.info('m', { a: { b: 5, c: 6 } }),
    ),
  ];
  expect([censored[0].metadata, removed[0].metadata]).toEqual([{ a: { b: 1 } }, { a: { c: 6 } }]);
  expect(seen).toEqual([[5, ['a', 'b']]]);
});

test('within a span of OpenTelemetry lines tell of it', async () => {
  const provider = new NodeTracerProvider();
  provider.register();
  try {
    const span = trace.getTracer('spec').startSpan('work');
    const { traceId, spanId } = span.spanContext();
    const log = (logger: WorkerAsyncLogger): void => {
      logger.info('outside');
      context.with(trace.setSpan(context.active(), span), () => logger.info('inside', { a: 1 }));
    };
    const [outside, inside] = await linesOf({}, log);
    expect(outside).not.toHaveProperty('trace_id');
    expect(inside).toMatchObject({
      trace_id: traceId,
      span_id: spanId,
      trace_flags: '01',
      metadata: { a: 1 },
    });
    const [, without] = await linesOf({ traceContext: false }, log);
    expect(without).not.toHaveProperty('trace_id');
  } finally {
    await provider.shutdown();
    trace.disable();
    context.disable();
  }
});

test.each([
  ['write', 'SIGKILL'],
  ['fsync', 'SIGKILL'],
  [{ error: 'write' }, 'SIGKILL'],
])('with durability %j a line is in the file when its call returns', async (durability, signal) => {
  const { file, entries } = place();
  const source = `
    const { WorkerAsyncLogger } = require('keelson');
    const logger = new WorkerAsyncLogger({ logFile: ${JSON.stringify(file)}, flushInterval: 3_600_000, durability: ${JSON.stringify(durability)} });
    for (let n = 0; n < 20; n++) logger.error('line', { n });
    process.kill(process.pid, '${signal}');`;
  expect((await runNode(['-e', source])).signal).toBe(signal);
  expect(entries().map(({ metadata }) => metadata.n)).toEqual(Array.from({ length: 20 }, (_, n) => n));
});

test('several destinations have lines of their levels, and those of streams can be read', async () => {
  const { folder } = place();
  const [all, bad] = [join(folder, 'all.log'), join(folder, 'bad.log')];
  const source = `
    const { WorkerAsyncLogger } = require('keelson');
    const logger = new WorkerAsyncLogger({ destinations: [
      { file: ${JSON.stringify(all)} },
      { file: ${JSON.stringify(bad)}, level: 'error', maxBuffer: 7 },
      { stream: 'stderr', level: 'warn', pretty: true },
      { stream: 'stdout', level: 'info', pretty: 'auto' },
    ] });
    for (const level of ['trace', 'info', 'warn', 'error']) logger[level]('of ' + level, { a: 1 });
    logger.destroy().then(() => console.log(JSON.stringify(logger.metrics().destinations.map((one) => [one.destination, one.written]))));`;
  const { code, stdout, stderr } = await runNode(['-e', source]);
  expect(code).toBe(0);
  const levels = (text: string): string[] =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).level);
  expect(levels(readFileSync(all, 'utf8'))).toEqual(['trace', 'info', 'warn', 'error']);
  expect(levels(readFileSync(bad, 'utf8'))).toEqual(['error']);
  const told = stdout.trimEnd().split('\n');
  expect(JSON.parse(told.pop()!)).toEqual([
    [all, 4],
    [bad, 1],
    ['stderr', 2],
    ['stdout', 3],
  ]);
  expect(levels(told.join('\n'))).toEqual(['info', 'warn', 'error']);
  expect(stderr).toMatch(/^\d\d:\d\d:\d\d\.\d{3} WARN {2}of warn {2}a=1\n\S+ ERROR of error {2}a=1\n$/);
});

test('one destination that fails keeps nothing from the others', async () => {
  const { open, folder, file, entries } = place();
  const logger = open({ logFile: undefined, destinations: [{ file: folder }, { file }], timeout: 50 });
  const errors: string[] = [];
  logger.on('error', ({ message }) => errors.push(message));
  logger.info('m');
  await expect(logger.flush()).rejects.toMatchObject({ code: 'ERR_KEELSON_LOG' });
  expect(entries()).toHaveLength(1);
  await logger.destroy();
  expect(errors.at(-1)).toMatch(/^1 lines were lost: /);
});

test('lines longer than all room are cut to what fits', async () => {
  const { open, entries } = place();
  const logger = open({ maxBufferBytes: 10_000 });
  logger.info('short', { long: 'x'.repeat(20_000), requestId: 'r' });
  logger.info('short', { fits: 'x'.repeat(5000) });
  await logger.flush();
  expect(entries().map(({ metadata }) => metadata)).toEqual([
    '[Too large: 20027 units of JSON]',
    { fits: 'x'.repeat(5000) },
  ]);
  expect(logger.metrics().dropped.oversized).toBe(0);
});

test.each<[string, object]>([
  ['an unknown destination', { destinations: [{ stream: 'stdlog' }] }],
  ['no destination', { destinations: [] }],
  ['a destination that is none', { destinations: [null] }],
  ['the same destination twice', { destinations: [{ stream: 'stdout' }, { stream: 'stdout' }] }],
  ['a file beside destinations', { logFile: 'x', destinations: [{ file: 'y' }] }],
  ['an option of files for a stream', { destinations: [{ stream: 'stdout', keep: {} }] }],
  ['a bad rotation', { rotation: 'dayly' }],
  ['a rotation that never comes', { rotation: '0 0 30 2 *' }],
  ['a rotation with seconds', { rotation: '0 0 0 1 1 *' }],
  ['a bad timezone', { timezone: 'Europe/Berlin' }],
  ['a bad bound', { keep: { count: -1 } }],
  ['an unknown bound', { keep: { days: 3 } }],
  ['a bad compression', { compression: 'brotli' }],
  ['a bad mode', { fileMode: 0o10000 }],
  ['a bad place to wait', { mode: 'disk' }],
  ['a bad durability', { durability: 'sync' }],
  ['a bad durability of a level', { durability: { error: 'sync' } }],
  ['a durability of no level', { durability: { loud: 'write' } }],
  ['a bad timestamp', { timestamp: 'unix' }],
  ['a bad mixin', { mixin: 5 }],
  ['a bad serializer', { serializers: { user: 5 } }],
  ['a bad path', { redact: ['a..b'] }],
  ['no path', { redact: {} }],
  ['a bad signal', { onSighup: 'exit' }],
  ['an empty link', { symlink: '' }],
])('%s is refused', (_, options) => {
  const { file } = place();
  const given = 'destinations' in options ? options : { logFile: file, ...options };
  expect(() => new WorkerAsyncLogger(given as WorkerAsyncLoggerOptions)).toThrow(
    expect.objectContaining({ name: 'InvalidArgumentError', code: 'ERR_KEELSON_INVALID_ARGUMENT' }),
  );
  expect(process.listenerCount('exit')).toBeLessThan(5);
});
