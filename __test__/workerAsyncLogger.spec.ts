import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { InvalidArgumentError, LogError, WorkerAsyncLogger } from 'keelson';
import { useLogs } from './support/logs';
import { root } from './support/process';
import { eventually } from './support/server';

const place = useLogs();

test('a line has its time, level and message, and the metadata as the original had it', async () => {
  const { open, entries } = place();
  const logger = open();
  const before = Date.now();
  logger.log('debug', 'one', { a: 1, requestId: 'r', userId: 2, service: 's' });
  logger.info('two');
  await logger.flush();
  const [one, two] = entries();
  expect(one).toEqual({
    ...{
      timestamp: expect.any(Number),
      level: 'debug',
      message: 'one',
      requestId: 'r',
      userId: 2,
      service: 's',
    },
    metadata: { a: 1, requestId: 'r', userId: 2, service: 's' },
  });
  expect(one.timestamp).toBeGreaterThanOrEqual(before);
  expect(two).toEqual({ timestamp: expect.any(Number), level: 'info', message: 'two' });
});

test('levels have methods, and those below the level are not made', async () => {
  const { open, entries } = place();
  const logger = open({ level: 'info' });
  const all = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
  for (const level of all) logger[level](level);
  logger.level = 'error';
  for (const level of all) logger[level](level);
  logger.log('unheard of' as any, 'as info');
  logger.level = 'trace';
  logger.log('unheard of' as any, 'as info');
  await logger.flush();
  expect(entries().map(({ level }) => level)).toEqual([
    ...['info', 'warn', 'error', 'fatal', 'error', 'fatal'],
    'unheard of',
  ]);
  expect(() => {
    logger.level = 'loud' as any;
  }).toThrow(InvalidArgumentError);
  expect(logger.level).toBe('trace');
});

test('lines of a child have its bindings, and those of its parents', async () => {
  const { open, entries } = place();
  const logger = open();
  const bindings = { service: 'orders', requestId: 'r' };
  const child = logger.child(bindings);
  bindings.service = 'changed';
  const grandchild = child.child({ userId: 7, service: 'carts' });
  child.info('one');
  child.warn('two', { requestId: 'other', a: 1 });
  grandchild.error('three', new Error('bad'));
  grandchild.debug('four', [1]);
  const throwing = {
    a: 1,
    get b() {
      throw new Error('no');
    },
  };
  grandchild.fatal('five', throwing);
  child.trace('six', null);
  await logger.flush();
  expect(entries().map(({ level, metadata }) => [level, metadata])).toEqual([
    ['info', { service: 'orders', requestId: 'r' }],
    ['warn', { service: 'orders', requestId: 'other', a: 1 }],
    [
      'error',
      expect.objectContaining({
        service: 'carts',
        userId: 7,
        metadata: expect.objectContaining({ message: 'bad' }),
      }),
    ],
    ['debug', { service: 'carts', requestId: 'r', userId: 7, metadata: [1] }],
    ['fatal', { service: 'carts', requestId: 'r', userId: 7, a: 1, b: '[Throws: no]' }],
    ['trace', { service: 'orders', requestId: 'r', metadata: null }],
  ]);
  expect(entries()[2]).toMatchObject({ service: 'carts', requestId: 'r', userId: 7 });
  expect(() => logger.child(1 as any)).toThrow(InvalidArgumentError);
});

test('lines are in order, also in a burst, and flush waits for all before it', async () => {
  const { open, entries } = place();
  const logger = open({ flushInterval: 60_000, flushBytes: 2 ** 30 });
  for (let n = 0; n < 4000; n++) logger.info('line', { n });
  const flushes = [logger.flush(), logger.flush(), logger.flush()];
  await Promise.all(flushes);
  expect(entries().map(({ metadata }) => metadata.n)).toEqual(Array.from({ length: 4000 }, (_, n) => n));
});

test('a line is written without being asked for, and warnings at once', async () => {
  const { open, entries } = place();
  const soon = open({ flushInterval: 5 });
  soon.info('soon');
  await eventually(() => entries().length === 1);
  await soon.destroy();
  const slow = open({ flushInterval: 3_600_000 });
  slow.info('with the next one');
  slow.warn('now');
  await eventually(() => entries().length === 3);
});

test('rotate() leaves what was logged before beside a new file', async () => {
  const { open, names, entries, all } = place();
  const logger = open();
  const rotated: string[] = [];
  logger.on('rotated', ({ file }) => rotated.push(file));
  await logger.rotate();
  logger.info('one');
  await logger.rotate();
  logger.info('two');
  await logger.flush();
  expect(names()).toEqual([expect.stringMatching(/^app-\d{8}-\d{6}-\d{3}\.log$/), 'app.log']);
  expect(entries().map(({ message }) => message)).toEqual(['two']);
  expect(all().map(({ message }) => message)).toEqual(['one', 'two']);
  await eventually(() => rotated.length === 1);
  expect(rotated[0]).toContain(names()[0]);
});

test('the file is rotated by size, and nothing is lost or doubled', async () => {
  const { open, logs, names, all } = place();
  const logger = open({ maxFileSize: 10_000, onFull: 'block' });
  for (let n = 0; n < 3000; n++) logger.info('line', { n });
  await logger.flush();
  expect(all().map(({ metadata }) => metadata.n)).toEqual(Array.from({ length: 3000 }, (_, n) => n));
  expect(names().length).toBeGreaterThan(10);
  for (const name of names()) {
    expect(require('node:fs').statSync(join(logs, name)).size).toBeLessThanOrEqual(10_000);
  }
  expect(logger.metrics().rotations).toBe(names().length - 1);
});

test('a file that was renamed is begun anew, and reopen() is for who renames it', async () => {
  const { open, file, entries } = place();
  const logger = open();
  logger.info('one');
  await logger.flush();
  renameSync(file, `${file}.1`);
  logger.reopen();
  logger.info('two');
  await logger.flush();
  expect(entries().map(({ message }) => message)).toEqual(['two']);
});

test('while the file cannot be written lines are kept up to the bound, and the rest is counted', async () => {
  const { open, logs, file, entries } = place();
  const logger = open({ maxBuffer: 10, timeout: 100 });
  const events: unknown[] = [];
  logger.on('error', (error) => events.push(error)).on('recovered', (event) => events.push(event));
  rmSync(logs, { recursive: true });
  writeFileSync(logs, '');
  for (let n = 0; n < 100; n++) logger.info('line', { n });
  await expect(logger.flush()).rejects.toMatchObject({ name: 'LogError', code: 'ERR_KEELSON_LOG' });
  await eventually(() => events.length === 1);
  expect(events[0]).toBeInstanceOf(LogError);
  expect(logger.metrics()).toMatchObject({
    accepted: 100,
    written: 0,
    dropped: { full: expect.any(Number) },
  });
  rmSync(logs);
  await eventually(() =>
    logger.flush().then(
      () => true,
      () => false,
    ),
  );
  const { accepted, written, dropped } = logger.metrics();
  expect(written + dropped.full).toBe(accepted);
  expect(entries()).toHaveLength(written);
  expect(entries().at(-1).metadata.n).toBe(99);
  await eventually(() => events.length === 2);
  expect(events[1]).toEqual({ destination: file, downMs: expect.any(Number) });
});

test.each(['drop-newest', 'block'] as const)('%s drops the new ones, and counts them', async (onFull) => {
  const { open, logs, entries } = place();
  const logger = open({ maxBuffer: 5, onFull, blockTimeout: 1, timeout: 100 });
  logger.on('error', () => {});
  rmSync(logs, { recursive: true });
  writeFileSync(logs, '');
  logger.warn('the thread has it');
  await eventually(() => logger.metrics().failures > 0);
  for (let n = 0; n < 20; n++) logger.info('line', { n });
  expect(logger.metrics().dropped.full).toBe(15);
  rmSync(logs);
  await eventually(() =>
    logger.flush().then(
      () => true,
      () => false,
    ),
  );
  expect(
    entries()
      .slice(1)
      .map(({ metadata }) => metadata.n),
  ).toEqual([0, 1, 2, 3, 4]);
});

test('after destroy() logging is counted and does nothing, and the rest still resolves', async () => {
  const { open, entries } = place();
  const logger = open({ flushInterval: 60_000 });
  for (let n = 0; n < 50; n++) logger.info('line', { n });
  const ends = [logger.destroy(), logger.destroy()];
  expect(ends[0]).toBe(ends[1]);
  logger.error('late');
  await Promise.all(ends);
  expect(entries()).toHaveLength(50);
  await Promise.all([logger.flush(), logger.rotate()]);
  logger.reopen();
  expect(entries()).toHaveLength(50);
  expect(await logger.getStats()).toMatchObject({ sentLogs: 50, droppedLogs: 1 });
});

test('destroy() gives up where the file cannot be written, and says what is lost', async () => {
  const { folder, logs, open } = place();
  const logger = open({ timeout: 50 });
  const errors: string[] = [];
  logger.on('error', ({ message }) => errors.push(message));
  rmSync(logs, { recursive: true });
  writeFileSync(logs, '');
  logger.info('lost');
  logger.info('lost');
  await logger.destroy();
  expect(errors.at(-1)).toMatch(/^2 lines were lost: .*cannot/);
  expect(folder).toContain('keelson-log-');
});

test('flush() and rotate() after an end that lost lines say so', async () => {
  const { logs, open } = place();
  const logger = open({ timeout: 50 });
  rmSync(logs, { recursive: true });
  writeFileSync(logs, '');
  logger.info('lost');
  await logger.destroy();
  for (const after of [logger.flush(), logger.rotate()]) {
    await expect(after).rejects.toMatchObject({
      code: 'ERR_KEELSON_LOG',
      message: expect.stringMatching(/^1 lines were lost/),
    });
  }
});

test('logging does not throw, whatever has been done to what lines are made with', async () => {
  const { open, entries } = place();
  const logger = open();
  const { stringify } = JSON;
  let fails = 0;
  JSON.stringify = ((...args: [unknown]) => {
    if (fails-- > 0) throw new Error('patched');
    return stringify(...args);
  }) as typeof stringify;
  try {
    fails = 2;
    logger.info('told', { a: 1 });
    fails = 3;
    logger.info('counted', { a: 1 });
    logger.log({ toString: null } as any, 'of no level', { a: 1 });
  } finally {
    JSON.stringify = stringify;
  }
  await logger.flush();
  expect(entries()).toMatchObject([
    { level: 'info', message: '[Not logged: [Throws: patched]]' },
    { level: expect.stringContaining('Throws'), message: 'of no level', metadata: { a: 1 } },
  ]);
  expect(logger.metrics().dropped.lost).toBe(1);
});

test('getStats() has the members of the original', async () => {
  const { open } = place();
  const logger = open();
  logger.error('e');
  logger.warn('w');
  logger.info('i');
  await logger.flush();
  const stats = await logger.getStats();
  expect(Object.keys(stats).sort()).toEqual(
    [
      ...['totalLogs', 'errorCount', 'warnCount', 'avgProcessingTime', 'bufferSize', 'workerUptime'],
      ...['sentLogs', 'droppedLogs', 'avgLatency'],
    ].sort(),
  );
  expect(stats).toMatchObject({
    totalLogs: 3,
    errorCount: 1,
    warnCount: 1,
    sentLogs: 3,
    droppedLogs: 0,
    bufferSize: 0,
  });
  expect(stats.avgProcessingTime).toBeGreaterThan(0);
  expect(stats.avgLatency).toBeGreaterThan(0);
  expect(logger.metrics().levels).toEqual({ trace: 0, debug: 0, info: 1, warn: 1, error: 1, fatal: 0 });
});

test('loggers of one file share it, and other options are refused', async () => {
  const { open, entries, file } = place();
  const [one, other] = [open(), open()];
  one.info('1');
  other.info('2');
  one.info('3');
  await other.flush();
  expect(entries().map(({ message }) => message)).toEqual(['1', '2', '3']);
  expect(() => new WorkerAsyncLogger(file, 12_345)).toThrow(/other options/);
  await one.destroy();
  other.info('4');
  await other.flush();
  expect(entries()).toHaveLength(4);
});

test('positional arguments are those of the original', async () => {
  const { file, entries } = place();
  const logger = new WorkerAsyncLogger(file, 1_000_000, 5);
  logger.info('fine');
  await logger.destroy();
  expect(entries()).toHaveLength(1);
});

test('eight workers write one file, each in its order, and terminating them loses nothing they logged', async () => {
  const { file, entries } = place();
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { WorkerAsyncLogger } = require(${JSON.stringify(root)});
    const logger = new WorkerAsyncLogger({ logFile: workerData.file, flushInterval: 60_000, onFull: 'block' });
    for (let n = 0; n < 2000; n++) logger.info('line', { id: workerData.id, n });
    parentPort.postMessage('logged');
    setInterval(() => {}, 1000);`;
  const workers = Array.from(
    { length: 8 },
    (_, id) => new Worker(source, { eval: true, workerData: { file, id } }),
  );
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
  await Promise.all(workers.map((worker) => worker.terminate()));
  await eventually(() => entries().length === 16_000);
  for (let id = 0; id < 8; id++) {
    const own = entries().filter(({ metadata }) => metadata.id === id);
    expect(own.map(({ metadata }) => metadata.n)).toEqual(Array.from({ length: 2000 }, (_, n) => n));
  }
});
