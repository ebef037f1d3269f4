import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readlinkSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { json, LogError } from 'keelson';
import { useLogs } from './support/logs';
import { root, runNode } from './support/process';
import { eventually } from './support/server';

jest.setTimeout(120_000);

const place = useLogs();

const ROTATED = /^app-\d{8}-\d{6}-\d{3}\.log$/;
const HOUR = 3_600_000;

/** A file with a line that was written so long ago. */
function writtenAgo(file: string, ms: number): void {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, '{"message":"old"}\n');
  const then = new Date(Date.now() - ms);
  utimesSync(file, then, then);
}

test.each([
  ['hourly', HOUR],
  ['daily', 24 * HOUR],
  ['weekly', 7 * 24 * HOUR],
  ['monthly', 31 * 24 * HOUR],
  ['*/5 * * * *', 300_000],
])('with rotation %s a file from the period before is put aside', async (rotation, length) => {
  for (const timezone of ['utc', 'local'] as const) {
    const { open, file, names, entries, all } = place();
    writtenAgo(file, length + 1000);
    const logger = open({ rotation, timezone });
    logger.info('new');
    await logger.flush();
    logger.info('newer');
    await logger.flush();
    expect(names()).toEqual([expect.stringMatching(ROTATED), 'app.log']);
    expect(entries().map(({ message }) => message)).toEqual(['new', 'newer']);
    expect(all().map(({ message }) => message)).toEqual(['old', 'new', 'newer']);
    expect(logger.metrics().rotations).toBe(1);
  }
});

test('a day begins by the clock that was chosen', async () => {
  // A zone in which the last midnight was less than an hour ago, and one in which it was some twelve hours ago.
  const hour = new Date().getUTCHours();
  const zone = (offset: number): string => {
    const east = ((offset + 36) % 24) - 12;
    return east === 0 ? 'Etc/GMT' : `Etc/GMT${east > 0 ? '-' : '+'}${Math.abs(east)}`;
  };
  const rotations = async (timezone: string, TZ: string): Promise<string> => {
    const { file } = place();
    writtenAgo(file, HOUR + 60_000);
    const source = `
      const { WorkerAsyncLogger } = require('keelson');
      const logger = new WorkerAsyncLogger({ logFile: ${JSON.stringify(file)}, rotation: 'daily', timezone: '${timezone}' });
      logger.info('new');
      logger.destroy().then(() => console.log(logger.metrics().rotations));`;
    return (await runNode(['-e', source], { env: { TZ } })).stdout.trim();
  };
  expect(await rotations('local', zone(24 - hour))).toBe('1');
  expect(await rotations('local', zone(36 - hour))).toBe('0');
  expect(await rotations('utc', zone(12))).toBe(hour < 1 ? '1' : '0');
});

// It takes up to a minute: no cron expression comes more often, and the system's clock is what it is about.
test('a file is rotated when its moment comes, though nobody logs', async () => {
  const { file } = place();
  const source = `
    const { WorkerAsyncLogger } = require('keelson');
    const logger = new WorkerAsyncLogger({ logFile: ${JSON.stringify(file)}, rotation: '* * * * *' });
    logger.on('rotated', () => { console.log('rotated'); process.exit(0); });
    logger.info('before');
    setTimeout(() => { console.log('late'); process.exit(1); }, 70_000);`;
  const { stdout } = await runNode(['-e', source], { limit: 90_000 });
  expect(stdout).toBe('rotated\n');
});

test('only so many rotated files stay', async () => {
  const { open, names, all } = place();
  const logger = open({ keep: { count: 2 } });
  for (let n = 0; n < 6; n++) {
    logger.info('line', { n });
    await logger.rotate();
  }
  await eventually(() => names().length === 3);
  expect(all().map(({ metadata }) => metadata.n)).toEqual([4, 5]);
});

test('rotated files are removed by age and size', async () => {
  const { open, logs, file, names } = place();
  mkdirSync(logs);
  for (const stamp of ['20200101-000000-000', '20200102-000000-000']) {
    writeFileSync(join(logs, `app-${stamp}.log`), '{}\n');
  }
  open({ keep: { age: 24 * HOUR } });
  await eventually(() => names().length === 1);
  const other = open({ logFile: `${file}.other`, keep: { bytes: 1000 } });
  for (let n = 0; n < 5; n++) {
    other.info('x'.repeat(350));
    await other.rotate();
  }
  // Two of some 420 bytes.
  const rotated = () => names().filter((name) => name.startsWith('app.log-'));
  await eventually(() => rotated().length === 2);
});

test('rotated files are compressed, and stay readable', async () => {
  const { open, logs, names } = place();
  const logger = open({ compression: 'gzip', maxFileSize: 20_000, onFull: 'block', fileMode: 0o640 });
  for (let n = 0; n < 1000; n++) logger.info('line', { n });
  await logger.flush();
  await eventually(() => !names().some((name) => ROTATED.test(name) || name.endsWith('.part')));
  const compressed = names().filter((name) => name.endsWith('.log.gz'));
  expect(compressed.length).toBeGreaterThan(3);
  const text = compressed.map((name) => gunzipSync(readFileSync(join(logs, name))).toString());
  text.push(readFileSync(join(logs, 'app.log'), 'utf8'));
  const numbers = text
    .join('')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).metadata.n);
  expect(numbers).toEqual(Array.from({ length: 1000 }, (_, n) => n));
  if (process.platform !== 'win32') {
    for (const name of names()) expect(statSync(join(logs, name)).mode & 0o777).toBe(0o640);
  }
});

test('what zstd has compressed is read as lines of JSON', async () => {
  const { open, logs, names } = place();
  const logger = open({ compression: 'zstd' });
  for (let n = 0; n < 100; n++) logger.info('line', { n });
  await logger.rotate();
  await eventually(() => names()[0]!.endsWith('.log.zst') && names().length === 2);
  const numbers: number[] = [];
  for await (const batch of json.ndjson<any>(join(logs, names()[0]!))) {
    for (const { metadata } of batch) numbers.push(metadata.n);
  }
  expect(numbers).toEqual(Array.from({ length: 100 }, (_, n) => n));
});

test('a link leads to the file, and one that cannot be made is told and keeps nothing from being written', async () => {
  const { open, logs, folder, file, entries } = place();
  const symlink = join(folder, 'current');
  const logger = open({ symlink });
  logger.info('one');
  await logger.flush();
  expect(readlinkSync(symlink)).toBe(file);
  await logger.destroy();
  writeFileSync(join(logs, 'taken'), 'mine');
  const second = open({ symlink: join(logs, 'taken') });
  const errors: LogError[] = [];
  second.on('error', (error) => errors.push(error));
  second.info('two');
  await second.flush();
  await eventually(() => errors.length > 0);
  expect(errors[0]).toBeInstanceOf(LogError);
  expect(errors[0]!.message).toMatch(/taken.*no symbolic link/);
  expect(entries().map(({ message }) => message)).toEqual(['one', 'two']);
  await second.rotate();
  expect(second.metrics().rotations).toBe(1);
  expect(readFileSync(join(logs, 'taken'), 'utf8')).toBe('mine');
});

test.each(['rotate', 'reopen'] as const)('SIGHUP means %s where that is wanted', async (onSighup) => {
  const { file, names } = place();
  const source = `
    const { renameSync } = require('node:fs');
    const { WorkerAsyncLogger } = require('keelson');
    const logger = new WorkerAsyncLogger({ logFile: ${JSON.stringify(file)}, onSighup: '${onSighup}' });
    logger.info('before');
    (async () => {
      await logger.flush();
      ${onSighup === 'reopen' ? `renameSync(${JSON.stringify(file)}, ${JSON.stringify(`${file}.1`)});` : ''}
      process.kill(process.pid, 'SIGHUP');
      await new Promise((resolve) => setTimeout(resolve, 20));
      logger.info('after');
      await logger.destroy();
      process.kill(process.pid, 'SIGHUP');
      setTimeout(() => {}, 5_000);
    })();`;
  const { signal, stderr } = await runNode(['-e', source]);
  // Once no logger wants it, the signal does what it does by default.
  expect({ signal, stderr }).toEqual({ signal: 'SIGHUP', stderr: '' });
  expect(names()).toHaveLength(2);
  const texts = names().map((name) => readFileSync(join(file, '..', name), 'utf8'));
  expect(texts.map((text) => JSON.parse(text).message).sort()).toEqual(['after', 'before']);
});

/** A process that logs numbers from `from` on until it is killed; `told` has the last number of which log() has returned. */
const counting = (file: string, told: string, from: number): string => `
  const { openSync, writeSync } = require('node:fs');
  const { WorkerAsyncLogger } = require(${JSON.stringify(root)});
  const logger = new WorkerAsyncLogger({
    ...{ logFile: ${JSON.stringify(file)}, mode: 'mmap', maxFileSize: 30_000, compression: 'gzip' },
    ...{ onFull: 'block', blockTimeout: 60_000, flushInterval: 1 },
  });
  const told = openSync(${JSON.stringify(told)}, 'w');
  const last = new Uint32Array(1);
  (async () => {
    for (let n = ${from}; ; n++) {
      logger.info('line', { n });
      last[0] = n;
      writeSync(told, last, 0, 4, 0);
      if (n === ${from}) console.log('begun');
      if (n % 97 === 0) await new Promise(setImmediate);
      if (n % 1501 === 0) await logger.rotate();
    }
  })();`;

test('kills at random moments, of writing, rotating and compressing, lose and double no line with mode mmap', async () => {
  const { open, folder, logs, file, names } = place();
  const told = join(folder, 'told');
  let next = 0;
  for (let round = 0; round < 25; round++) {
    const source = counting(file, told, next);
    const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), Math.random() * 60));
    await new Promise((resolve) => child.on('close', resolve));
    const last = readFileSync(told).readUInt32LE();
    // The line behind the last that is known of may have been taken in as well: its number is not used again.
    next = last + 2;
  }
  // Who comes next writes what the last has left.
  const logger = open({ logFile: file, mode: 'mmap', compression: 'gzip', maxFileSize: 30_000 });
  logger.info('line', { n: next });
  await logger.flush();
  await eventually(() => !names().some((name) => ROTATED.test(name) || name.endsWith('.part')));
  await logger.destroy();
  await eventually(() => !names().some((name) => name.includes('ring')));
  const lines = names().flatMap((name) => {
    const bytes = readFileSync(join(logs, name));
    const text = name.endsWith('.gz') ? gunzipSync(bytes).toString() : bytes.toString();
    return text === '' ? [] : text.trimEnd().split('\n');
  });
  const numbers = lines.map((line) => JSON.parse(line).metadata.n as number).sort((a, b) => a - b);
  const doubled = numbers.filter((n, index) => n === numbers[index - 1]);
  expect(doubled).toEqual([]);
  const found = new Set(numbers);
  const missing = Array.from({ length: next + 1 }, (_, n) => n).filter((n) => !found.has(n));
  // Only those between two processes, of which none was told.
  expect(missing.length).toBeLessThanOrEqual(25);
  for (const n of missing) expect(found.has(n - 1) || n === 0).toBe(true);
});
