import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConfigurationEntry, configuration } from 'keelson';
import { root, runNode, temporaryFolder } from './support/process';
import { useCleanSettings } from './support/settings';
import { CLI } from './support/swapProject';

useCleanSettings();

interface Printed {
  settings: ConfigurationEntry[];
  problems: { variable: string; value: string; accepted: string }[];
  unknown: { variable: string; meant?: string }[];
}

/** Runs `keelson config` in an environment that has of keelson's variables only these. */
const config = (env: Record<string, string>, ...args: string[]) => runNode([CLI, 'config', ...args], { env });

async function printed(env: Record<string, string>, ...args: string[]): Promise<Printed> {
  const { stdout } = await config(env, '--json', ...args);
  return JSON.parse(stdout) as Printed;
}

/** The columns of a table's line. */
const cells = (line: string) => line.split(/ {2,}/);

test('prints all settings, their values, and where each comes from', async () => {
  const { code, stdout, stderr } = await config({
    KEELSON_PROFILE: 'development',
    KEELSON_POOL_ACQUIRE_TIMEOUT: '1.5s',
    KEELSON_SHARED_CACHE_MAX_BYTES: '1536KiB',
    KEELSON_LOG_MAX_FILE_SIZE: '1000001',
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [headings, ...lines] = stdout.trim().split('\n').map(cells);
  expect(headings).toEqual(['setting', 'value', 'from', 'variable']);
  expect(lines.map(([path, , , variable]) => [path, variable])).toEqual(
    configuration().map(({ path, variable }) => [path, variable]),
  );
  const row = Object.fromEntries(lines.map(([path, ...rest]) => [path, rest.slice(0, 2)]));
  expect(row).toMatchObject({
    profile: ['development', 'KEELSON_PROFILE'],
    'pool.acquireTimeout': ['1,500 ms', 'environment'],
    'pool.leakAfter': ['60,000 ms', 'profile development'],
    'pool.maxQueue': ['Infinity', 'default'],
    'sharedCache.maxBytes': ['1,536 KiB', 'environment'],
    'log.maxFileSize': ['1,000,001 bytes', 'environment'],
    'log.maxBufferBytes': ['64 MiB', 'default'],
    'breaker.failureRateThreshold': ['50 %', 'default'],
    'health.memory.heap.fail': ['0.95', 'default'],
    'rateLimiter.shadow': ['false', 'default'],
  });
});

test('--json has them as configuration() does', async () => {
  const { settings, problems, unknown } = await printed({});
  const values = configuration().map(({ value, ...entry }) => ({
    ...entry,
    value: value === Number.POSITIVE_INFINITY ? 'Infinity' : (value ?? null),
  }));
  expect(settings).toEqual(JSON.parse(JSON.stringify(values)));
  expect([problems, unknown]).toEqual([[], []]);
});

test('--changed and --profile print what is not as it is by default', async () => {
  const args = ['--changed', '--profile', 'production'];
  const { settings } = await printed({ KEELSON_PROFILE: 'test', KEELSON_POOL_MAX: '3' }, ...args);
  expect(settings.map(({ path, value, source }) => [path, value, source])).toEqual([
    ['profile', 'production', 'environment'],
    ['pool.max', 3, 'environment'],
    ['lifecycle.readinessDelay', 5_000, 'profile'],
  ]);
});

test('NODE_ENV is told where the profile comes from it', async () => {
  const { settings } = await printed({ NODE_ENV: 'production' }, '--changed');
  expect(settings[0]).toMatchObject({ path: 'profile', value: 'production', variable: 'NODE_ENV' });
});

test('--import has what a module of the service configures', async () => {
  const { folder, remove } = temporaryFolder();
  const module = join(folder, 'settings.mjs');
  const keelson = JSON.stringify(join(root, 'index.js'));
  writeFileSync(module, `import keelson from ${keelson}; keelson.configure({ cache: { ttl: 5 } });`);
  const { code, stdout } = await config({ KEELSON_CACHE_TTL: '6' }, '--changed', '--import', module);
  writeFileSync(module, 'throw new Error("not today")');
  const failed = await config({}, '--import', module);
  remove();
  expect({ code, rows: stdout.trim().split('\n').slice(1).map(cells) }).toEqual({
    code: 0,
    rows: [['cache.ttl', '5 ms', 'configure()', 'KEELSON_CACHE_TTL']],
  });
  expect(failed).toMatchObject({ code: 1, stdout: '' });
  expect(failed.stderr).toMatch(/^keelson: '.*settings.mjs' did not load: not today\n$/);
});

describe('what is wrong', () => {
  const WRONG = { KEELSON_POOL_MAX: 'ten', KEELSON_REDIS_CONNECT_TIMEOUT: 'redis://a:secret@b' };

  test('is named, all of it, with exit code 1, and the rest is printed', async () => {
    const { code, stdout, stderr } = await config({ ...WRONG, KEELSON_POOL_MIN: '2' });
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toEqual([
      "keelson: KEELSON_POOL_MAX must be a whole number from 1 to 65536, but it is 'ten'",
      "keelson: KEELSON_REDIS_CONNECT_TIMEOUT must be whole milliseconds from 1 to 600000, but it is 'redis://[Redacted]@b'",
    ]);
    expect(stdout).toMatch(/^pool\.min +2 +environment/m);
    expect(stdout).not.toMatch(/^pool\.max /m);
    expect((await printed(WRONG)).problems.map(({ variable }) => variable)).toEqual(Object.keys(WRONG));
  });

  test('unknown variables are told of, and are wrong with --check', async () => {
    const env = { KEELSON_POOL_MAXX: '3', KEELSON_SOMETHING_ELSE: 'secret' };
    const [lenient, strict] = await Promise.all([config(env), config(env, '--check')]);
    expect([lenient.code, strict.code]).toEqual([0, 1]);
    expect(strict.stderr.trim().split('\n')).toEqual([
      'keelson: KEELSON_POOL_MAXX is not known to keelson and has no effect; did you mean KEELSON_POOL_MAX?',
      'keelson: KEELSON_SOMETHING_ELSE is not known to keelson and has no effect',
    ]);
    expect(lenient.stderr).toBe(strict.stderr);
    expect((await config({}, '--check')).code).toBe(0);
  });

  test.each([
    { args: ['--profile', 'prod'], hint: "'prod' is no profile" },
    { args: ['--changd'], hint: "Unknown option '--changd'" },
    { args: ['pool.max'], hint: 'Unexpected argument' },
  ])('wrong usage ends with 2: $args', async ({ args, hint }) => {
    const { code, stdout, stderr } = await config({}, ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(hint);
  });
});

test('docs/configuration.md has exactly these settings, and is as it would be written', async () => {
  const rows = readFileSync(join(root, 'docs', 'configuration.md'), 'utf8').match(/^\| `.*$/gm)!;
  const told = rows.map((row) => [...row.matchAll(/`([^`]+)`/g)].slice(0, 2).map(([, name]) => name));
  expect(told).toEqual(
    configuration()
      .slice(1)
      .map(({ path, variable }) => [path, variable]),
  );
  const { code, stderr } = await runNode([join('scripts', 'configuration.mjs'), '--check']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});
