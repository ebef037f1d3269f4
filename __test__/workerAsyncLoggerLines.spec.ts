import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { context, trace } from '@opentelemetry/api';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { WorkerAsyncLogger, WorkerAsyncLoggerOptions } from 'keelson';
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
