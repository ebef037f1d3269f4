// What this service asked of its own logger before keelson took its place, and what it had to live without.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkerAsyncLogger } from '../../src/lib/utilities/logging/asyncLogger';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'logger-'));
  file = join(folder, 'some.logs', 'app.log');
});

afterEach(() => rmSync(folder, { recursive: true }));

const entries = (path = file) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

test('a line is JSON with what was lifted out of the metadata, which keeps it', async () => {
  const logger = new WorkerAsyncLogger(file);
  logger.warn('careful', { requestId: 'r', userId: 'u', service: 's', other: 1 });
  await logger.destroy();
  expect(entries()).toEqual([
    {
      ...{ timestamp: expect.any(Number), level: 'warn', message: 'careful' },
      ...{ requestId: 'r', userId: 'u', service: 's' },
      metadata: { requestId: 'r', userId: 'u', service: 's', other: 1 },
    },
  ]);
});

test('flush() keeps the order', async () => {
  const logger = new WorkerAsyncLogger(file);
  for (let n = 0; n < 1000; n++) logger.info(`line ${n}`);
  await logger.flush();
  expect(entries().map(({ message }) => message)).toEqual(
    Array.from({ length: 1000 }, (_, n) => `line ${n}`),
  );
  await logger.destroy();
});

test('destroy() writes what is buffered, and logging after it is a counted no-op', async () => {
  const logger = new WorkerAsyncLogger(file, 1_000_000, 100);
  for (let n = 0; n < 50; n++) logger.info('buffered');
  await logger.destroy();
  expect(entries()).toHaveLength(50);
  logger.info('late');
  expect(entries()).toHaveLength(50);
  expect(await logger.getStats()).toMatchObject({ sentLogs: 50, droppedLogs: 1 });
});

test('a BigInt, a cycle or a function costs no other line', async () => {
  const logger = new WorkerAsyncLogger(file);
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  logger.info('before');
  logger.info('bigint', { big: 1n });
  logger.info('cycle', cycle);
  logger.info('function', { call() {} });
  logger.info('after');
  await logger.destroy();
  expect(entries().map(({ message }) => message)).toEqual(['before', 'bigint', 'cycle', 'function', 'after']);
});

test('rotation leaves NAME-<stamp>.log beside a new NAME.log, and the folder its name', async () => {
  const logger = new WorkerAsyncLogger(file);
  logger.info('old');
  await logger.rotate();
  logger.info('new');
  await logger.destroy();
  const [old, current] = readdirSync(join(folder, 'some.logs')).sort();
  expect([old, current]).toEqual([expect.stringMatching(/^app-[\d-]+\.log$/), 'app.log']);
  expect(entries(join(folder, 'some.logs', old!)).map(({ message }) => message)).toEqual(['old']);
  expect(entries().map(({ message }) => message)).toEqual(['new']);
});

test('it rotates by size, also a file without an extension', async () => {
  const plain = join(folder, 'plain');
  const logger = new WorkerAsyncLogger(plain, 1000);
  for (let n = 0; n < 100; n++) logger.info('line', { n });
  await logger.destroy();
  expect(readdirSync(folder).filter((name) => /^plain-[\d-]+$/.test(name)).length).toBeGreaterThan(5);
});
