import { spawn, spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { useLogs } from './support/logs';
import { runNode } from './support/process';

jest.setTimeout(120_000);

const place = useLogs();

const isLinux = process.platform === 'linux';

/** For what only Linux lets a process do to itself: namespaces, and other users. */
const onLinux = isLinux ? test : test.skip;

/** A process that logs to `file` as `body` says, and prints what it {@link Found}. */
const logging = (file: string, body: string, options = ''): string => `
  const fs = require('node:fs');
  const { execFileSync } = require('node:child_process');
  const { setTimeout: pause } = require('node:timers/promises');
  const { WorkerAsyncLogger } = require('keelson');
  const file = ${JSON.stringify(file)};
  const folder = require('node:path').dirname(file);
  const events = [];
  const open = (more) => {
    const logger = new WorkerAsyncLogger({ logFile: file, timeout: 20_000, flushInterval: 1, ...more });
    for (const event of ['error', 'recovered']) logger.on(event, (told) => events.push(event === 'error' ? [event, told.errno ?? null, told.message] : [event]));
    return logger;
  };
  const until = async (condition) => {
    for (const end = Date.now() + 20_000; !condition(); await pause(5)) if (Date.now() > end) throw new Error(String(condition));
  };
  const numbers = () => fs.readdirSync(folder).filter((name) => name.startsWith('app')).sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
    .flatMap((name) => fs.readFileSync(folder + '/' + name, 'utf8').split('\\n').slice(0, -1)).map((line) => JSON.parse(line).metadata.n);
  let more;
  const logger = open({ ${options} });
  (async () => {
    ${body}
    console.log(JSON.stringify({ events, numbers: numbers(), metrics: logger.metrics(), more }));
  })();`;

interface Found {
  events: [string, (number | null)?, string?][];
  numbers: number[];
  metrics: any;
  more?: unknown;
}

/** Runs `source` with a file system of its own in `folder`, of so many KB. */
function runOnSmallDisk(folder: string, size: number, source: string): Found {
  mkdirSync(folder, { recursive: true });
  const shell = `mount -t tmpfs -o size=${size}k none "$1" && exec "$2" -e "$3"`;
  const args = [
    '--user',
    '--map-root-user',
    '--mount',
    'sh',
    '-c',
    shell,
    'sh',
    folder,
    process.execPath,
    source,
  ];
  const { stdout, stderr } = spawnSync('unshare', args, { cwd: `${__dirname}/..`, encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

onLinux('on a full disk lines are kept, whole, and written once there is room', () => {
  const { logs, file } = place();
  const found = runOnSmallDisk(
    logs,
    256,
    logging(
      file,
      `
      fs.writeFileSync(folder + '/hog', Buffer.alloc(200_000));
      for (let n = 0; n < 2000; n++) logger.info('line', { n });
      await until(() => events.length === 1);
      const torn = fs.readFileSync(file, 'utf8');
      if (torn !== '' && !torn.endsWith('\\n')) throw new Error('a line is torn');
      fs.rmSync(folder + '/hog');
      await logger.flush();
    `,
    ),
  );
  expect(found.events).toEqual([['error', 28, expect.stringContaining('cannot write to')], ['recovered']]);
  expect(found.numbers).toEqual(upTo(2000));
  expect(found.metrics).toMatchObject({ written: 2000, dropped: { full: 0, lost: 0 } });
});

onLinux(
  'on a disk that stays full what is beyond the bound is dropped and counted, and destroy() says what is lost',
  () => {
    const { logs, file } = place();
    const found = runOnSmallDisk(
      logs,
      64,
      logging(
        file,
        `
      for (let n = 0; n < 5000; n++) {
        logger.info('line', { n });
        if (n % 500 === 0) await pause(5);
      }
      await logger.destroy();
    `,
        'maxBuffer: 100, timeout: 200',
      ),
    );
    const { written, accepted, dropped } = found.metrics;
    expect(found.numbers).toHaveLength(written);
    expect(dropped.full).toBeGreaterThan(0);
    expect(found.events.at(-1)).toEqual([
      'error',
      null,
      expect.stringMatching(/^\d+ lines were lost: .*No space/),
    ]);
    const lost = Number(found.events.at(-1)![2]!.split(' ')[0]);
    expect(written + dropped.full + lost).toBe(accepted);
    expect(accepted).toBe(5000);
  },
);

onLinux('a file system that is read-only for a while is waited for', () => {
  const { logs, file } = place();
  const found = runOnSmallDisk(
    logs,
    1024,
    logging(
      file,
      `
      logger.info('line', { n: 0 });
      await logger.flush();
      // The logger's file is open for writing, which keeps a file system from becoming read-only.
      logger.reopen();
      await logger.flush();
      execFileSync('mount', ['-o', 'remount,ro', folder]);
      logger.info('line', { n: 1 });
      await until(() => events.length === 1);
      execFileSync('mount', ['-o', 'remount,rw', folder]);
      await logger.flush();
    `,
    ),
  );
  expect(found.events).toEqual([['error', 30, expect.stringContaining('cannot open')], ['recovered']]);
  expect(found.numbers).toEqual([0, 1]);
});

onLinux('a journal for which there is no room is refused, and nothing is left of it', () => {
  const { logs, file } = place();
  const found = runOnSmallDisk(
    logs,
    256,
    logging(
      file,
      `
      await logger.destroy();
      try { open({ mode: 'mmap', maxBufferBytes: 2 ** 20 }); } catch ({ name, code, message }) { more = { name, code, message }; }
      more.names = fs.readdirSync(folder);
    `,
    ),
  );
  expect(found.more).toEqual({
    ...{ name: 'LogError', code: 'ERR_KEELSON_LOG', message: expect.stringContaining('No space') },
    names: ['app.log'],
  });
});

onLinux('without file handles it waits for one', async () => {
  const { file } = place();
  const source = logging(
    file,
    `
      logger.info('line', { n: 0 });
      await logger.flush();
      // Its handle would be the one that is free.
      logger.reopen();
      await logger.flush();
      const handles = [];
      try { for (;;) handles.push(fs.openSync('/dev/null')); } catch (error) { if (error.code !== 'EMFILE') throw error; }
      logger.info('line', { n: 1 });
      await until(() => events.length === 1);
      for (const handle of handles) fs.closeSync(handle);
      await logger.flush();
    `,
  );
  const shell = 'ulimit -n 64 && exec "$0" -e "$1"';
  const { stdout, stderr } = spawnSync('sh', ['-c', shell, process.execPath, source], {
    ...{ cwd: `${__dirname}/..`, encoding: 'utf8' },
  });
  expect(stderr).toBe('');
  const found: Found = JSON.parse(stdout);
  expect(found.events).toEqual([['error', 24, expect.stringContaining('cannot open')], ['recovered']]);
  expect(found.numbers).toEqual([0, 1]);
});

onLinux('a folder and a file that may not be written any more are waited for', async () => {
  const { folder, logs, file } = place();
  mkdirSync(logs, { recursive: true });
  const isRoot = process.getuid!() === 0;
  if (isRoot) for (const each of [folder, logs]) chownSync(each, 65_534, 65_534);
  const become = isRoot ? 'process.setgid(65_534); process.setuid(65_534);' : '';
  const source = logging(
    file,
    `
      logger.info('line', { n: 0 });
      await logger.flush();
      fs.chmodSync(file, 0o400);
      logger.reopen();
      logger.info('line', { n: 1 });
      await until(() => events.length === 1);
      fs.chmodSync(file, 0o600);
      await logger.flush();
      fs.chmodSync(folder, 0o500);
      logger.info('line', { n: 2 });
      const rotation = logger.rotate();
      await until(() => events.length === 3);
      fs.chmodSync(folder, 0o700);
      await rotation;
      logger.info('line', { n: 3 });
      await logger.flush();
    `,
  );
  // Loaded while it may still read the project's files.
  const { code, stdout, stderr } = await runNode(['-e', `require('keelson');${become}${source}`]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const found: Found = JSON.parse(stdout);
  expect(found.events).toEqual([
    ['error', 13, expect.stringContaining('cannot open')],
    ['recovered'],
    ['error', 13, expect.stringContaining('cannot rotate')],
    ['recovered'],
  ]);
  expect(found.numbers).toEqual([0, 1, 2, 3]);
});

test('a folder that vanishes is made again', async () => {
  const { file } = place();
  const { stdout, stderr } = await runNode([
    '-e',
    logging(
      file,
      `
      logger.info('line', { n: 0 });
      await logger.flush();
      fs.rmSync(folder, { recursive: true });
      logger.info('line', { n: 1 });
      await logger.flush();
    `,
    ),
  ]);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({ events: [], numbers: [1] });
});

test('a journal that cannot be read is told, kept, and in nobody’s way', async () => {
  const { open, logs, file, entries } = place();
  mkdirSync(logs);
  writeFileSync(`${file}.ring-0`, Buffer.alloc(10_000, 'x'));
  const errors: Error[] = [];
  const logger = open({ mode: 'mmap' });
  logger.on('error', (error) => errors.push(error));
  logger.info('one');
  await logger.flush();
  expect(entries()).toHaveLength(1);
  expect(errors.map(({ message }) => message)).toEqual([expect.stringMatching(/ring-0.*damaged/)]);
  expect(readFileSync(`${file}.ring-0`).length).toBe(10_000);
});

test('what destroy() could not write is written by the next logger of the file, with mode mmap', async () => {
  const { open, logs, file, entries } = place();
  mkdirSync(file, { recursive: true });
  const logger = open({ mode: 'mmap', timeout: 50 });
  const errors: string[] = [];
  logger.on('error', ({ message }) => errors.push(message));
  for (let n = 0; n < 3; n++) logger.info('line', { n });
  await logger.destroy();
  expect(errors.at(-1)).toMatch(/^3 lines are left to the next logger of the file: /);
  rmdirSync(file);
  const next = open({});
  next.info('line', { n: 3 });
  await next.flush();
  expect(entries().map(({ metadata }) => metadata.n)).toEqual([0, 1, 2, 3]);
  expect(next.metrics()).toMatchObject({ recovered: 3, written: 1 });
  expect(logs).toContain('logs');
});

test('a reader that is slow, or goes, costs lines only beyond the bound, and never the process', async () => {
  const source = `
    const { WorkerAsyncLogger } = require('keelson');
    // As a service does that prints something itself, after which the stream does not block.
    console.log('hello');
    const logger = new WorkerAsyncLogger({ destinations: [{ stream: 'stdout' }], onFull: 'block', blockTimeout: 60_000, timeout: 60_000 });
    logger.on('error', () => {});
    for (let n = 0; n < 5000; n++) logger.info('line', { n });
    logger.destroy().then(() => process.exit(0));`;
  const child = spawn(process.execPath, ['-e', source], {
    ...{ cwd: `${__dirname}/..`, stdio: ['ignore', 'pipe', 'inherit'] as const },
  });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
    child.stdout.pause();
    setTimeout(() => child.stdout.resume(), 10);
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code).toBe(0);
  const [hello, ...lines] = text.trimEnd().split('\n');
  expect(hello).toBe('hello');
  expect(lines.map((line) => JSON.parse(line).metadata.n)).toEqual(upTo(5000));

  const gone = spawn(process.execPath, ['-e', source.replaceAll('60_000', '100')], {
    ...{ cwd: `${__dirname}/..`, stdio: ['ignore', 'pipe', 'inherit'] as const },
  });
  gone.stdout.once('data', () => gone.stdout.destroy());
  expect(await new Promise((resolve) => gone.on('close', resolve))).toBe(0);
});
