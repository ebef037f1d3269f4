import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useLogs } from './support/logs';
import { evaluate, runNode } from './support/process';

jest.setTimeout(120_000);

const place = useLogs();

const LINES = 500;

/** A process that logs and then ends in some way. */
const logging = (file: string, end: string, options = '') => `
  const { WorkerAsyncLogger } = require('keelson');
  const logger = new WorkerAsyncLogger({ logFile: ${JSON.stringify(file)}, flushInterval: 3_600_000, ${options} });
  for (let n = 0; n < ${LINES}; n++) logger.info('line', { n });
  ${end}`;

const numbers = (entries: any[]): number[] => entries.map(({ metadata }) => metadata.n);
const ALL = Array.from({ length: LINES }, (_, n) => n);

test.each([
  ['the end of its work', '', 0],
  ['process.exit()', 'process.exit(3);', 3],
  ['an uncaught exception', `throw new Error('on purpose');`, 1],
  ['an unhandled rejection', `Promise.reject(new Error('on purpose'));`, 1],
  ['process.exit() in a timer', 'setTimeout(() => process.exit(0), 1);', 0],
  [
    'a signal with a handler',
    `process.on('SIGTERM', () => process.exit(0)); process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000);`,
    0,
  ],
])('a process that ends by %s has written all', async (_, end, code) => {
  const { file, entries } = place();
  const outcome = await runNode(['-e', logging(file, end)]);
  expect(outcome.code).toBe(code);
  expect(numbers(entries())).toEqual(ALL);
});

test('loggers that cannot write hold up the end of the process together no longer than one', async () => {
  const { folder, file, entries } = place();
  const broken = join(folder, 'no folder');
  writeFileSync(broken, '');
  const source = `
    const { WorkerAsyncLogger } = require('keelson');
    const options = { timeout: 3000, flushInterval: 3_600_000 };
    for (let n = 0; n < 10; n++) {
      const logger = new WorkerAsyncLogger({ logFile: ${JSON.stringify(broken)} + '/' + n, ...options });
      logger.info('lost');
    }
    new WorkerAsyncLogger({ logFile: ${JSON.stringify(file)}, ...options }).info('written');
    const began = performance.now();
    process.on('exit', () => console.log(performance.now() - began));`;
  const { stdout } = await runNode(['-e', source]);
  expect(entries()).toMatchObject([{ message: 'written' }]);
  // One by one they take 30 seconds.
  expect(Number(stdout)).toBeGreaterThan(2900);
  expect(Number(stdout)).toBeLessThan(20_000);
});

test('an event loop that is blocked for ever does not keep lines from the file', async () => {
  const { file, entries } = place();
  const source = logging(file, 'for (;;);', '').replace('3_600_000', '1');
  const outcome = await runNode(['-e', source], { limit: 3000 });
  expect(outcome.signal).toBe('SIGKILL');
  expect(numbers(entries())).toEqual(ALL);
});

test('a process that is killed has lost no more than the end, and no line is torn', async () => {
  const { file, entries } = place();
  const source = logging(file, `process.kill(process.pid, 'SIGKILL');`, 'flushBytes: 1,');
  const outcome = await runNode(['-e', source]);
  expect(outcome.signal).toBe('SIGKILL');
  const written = numbers(entries());
  expect(written).toEqual(ALL.slice(0, written.length));
});

test('a logger does not keep a process alive, and a flush does until it is done', async () => {
  const { file, entries } = place();
  const found = await evaluate(`
    const { WorkerAsyncLogger } = require('keelson');
    const logger = new WorkerAsyncLogger(${JSON.stringify(file)});
    logger.info('line', { n: 0 });
    logger.flush().then(() => console.log('"flushed"'));`);
  expect(found).toBe('flushed');
  expect(numbers(entries())).toEqual([0]);
});

test('three processes write one file and rotate it: nothing is lost, doubled or torn', async () => {
  const { file, names, all } = place();
  const source = (id: number) => `
    const { WorkerAsyncLogger } = require('keelson');
    const logger = new WorkerAsyncLogger({ logFile: ${JSON.stringify(file)}, maxFileSize: 20_000, onFull: 'block', flushInterval: 0 });
    (async () => {
      for (let n = 0; n < 2000; n++) {
        logger.info('line', { id: ${id}, n });
        if (n % 100 === 0) await logger.flush();
        if (n % 500 === 0) await logger.rotate();
      }
      await logger.destroy();
    })();`;
  const outcomes = await Promise.all([0, 1, 2].map((id) => runNode(['-e', source(id)])));
  expect(outcomes.map(({ code, stderr }) => [code, stderr])).toEqual(Array(3).fill([0, '']));
  expect(names().length).toBeGreaterThan(10);
  for (const id of [0, 1, 2]) {
    const own = all().filter(({ metadata }) => metadata.id === id);
    expect(numbers(own).sort((a, b) => a - b)).toEqual(Array.from({ length: 2000 }, (_, n) => n));
  }
});
