import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, runNode, temporaryFolder } from '../support/process';
import { ORIGINALS, useProjects } from '../support/swapProject';

const { folder: tarballs, remove: removeTarballs } = temporaryFolder();
const { folder: tool, remove: removeTool } = temporaryFolder();
const project = useProjects();
let main: string;
let addon: string;

// What `npx keelson` would fetch.
beforeAll(async () => {
  const packed = await runNode([join(root, 'scripts', 'pack.mjs'), '--out', tarballs]);
  if (packed.code !== 0) throw new Error(packed.stderr);
  [addon, main] = packed.stdout.trim().split(/\r?\n/) as [string, string];
  writeFileSync(join(tool, 'package.json'), '{ "private": true }');
  const options = { cwd: tool, encoding: 'utf8', shell: process.platform === 'win32' } as const;
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund'];
  const { status, stderr } = spawnSync('npm', ['install', ...flags, main, addon], options);
  if (status !== 0) throw new Error(stderr);
});
afterAll(() => {
  removeTarballs();
  removeTool();
});

/** The service's own tests, which know nothing of keelson. */
const TESTS = `import assert from 'node:assert';
import { test } from 'node:test';
import { BoundedLRUCache, type CacheItem, CircularBuffer } from '../src/utilities/boundedCache.js';
import DefaultPool, { type DatabaseConfig, DatabaseConnectionPool } from '../src/utilities/database-pool/index.js';
import { TimerManager, timerManager } from '../src/utilities/timer-manager.js';

test('timers', async () => {
  assert.ok(timerManager instanceof TimerManager);
  await new Promise<void>((resolve) => timerManager.setTimeout(resolve, 1));
  assert.deepStrictEqual(timerManager.getStats(), { timeouts: 0, intervals: 0, total: 0 });
  const own: TimerManager = new TimerManager();
  own.setTimeout(() => assert.fail('was destroyed'), 1);
  own.destroy();
});

test('cache and buffer', () => {
  const cache = new BoundedLRUCache<string, { n: number }>(2);
  for (const n of [1, 2, 3]) cache.set(String(n), { n });
  const item: Pick<CacheItem<number>, 'value'> = { value: cache.size };
  assert.deepStrictEqual([cache.get('1'), cache.get('3'), item.value], [undefined, { n: 3 }, 2]);
  const buffer = new CircularBuffer<number>(2);
  for (const n of [1, 2, 3]) buffer.push(n);
  assert.deepStrictEqual(buffer.getAll(), [2, 3]);
});

test('database pool', async () => {
  const config: DatabaseConfig = { host: 'h', port: 1, database: 'd', username: 'u', password: 'p' };
  assert.strictEqual(DefaultPool, DatabaseConnectionPool);
  await new DefaultPool(config).close();
});
`;

const MODULES = {
  'src/utilities/timer-manager.ts': ORIGINALS.timers,
  'src/utilities/boundedCache.ts': ORIGINALS.cache,
  'src/utilities/database-pool/index.ts': ORIGINALS.database,
};

test.each(['commonjs', 'module'])(
  'a service swaps three modules, %s',
  async (type) => {
    const script =
      'node ../node_modules/typescript/bin/tsc --outDir out && node --test out/test/service.test.js';
    const compilerOptions = {
      target: 'es2022',
      module: 'nodenext',
      rootDir: '.',
      strict: true,
      esModuleInterop: true,
      isolatedModules: true,
      types: ['node'],
    };
    const made = project(
      {
        'package.json': `${JSON.stringify({ name: 'service', private: true, type, scripts: { test: script } }, null, 4)}\n`,
        'tsconfig.json': JSON.stringify({ compilerOptions, include: ['src', 'test'] }),
        '.gitignore': 'node_modules\nout\n',
        'test/service.test.ts': TESTS,
        ...MODULES,
      },
      { typescript: false },
    );
    // Beside the project, so that npm leaves them as they are.
    const beside = join(made.folder, '..', 'node_modules');
    mkdirSync(join(beside, '@types'), { recursive: true });
    for (const name of ['typescript', join('@types', 'node')]) {
      symlinkSync(join(root, 'node_modules', name), join(beside, name), 'junction');
    }
    const before = made.snapshot();
    const cli = join(tool, 'node_modules', 'keelson', 'dist', 'cli.js');
    expect(existsSync(join(tool, 'node_modules', '.bin', 'keelson'))).toBe(true);
    const run = (...args: string[]) =>
      runNode([cli, 'swap', made.folder, ...args], { cwd: tool, limit: 200_000 });

    const swapped = await run('--yes', '--package', main, '--package', addon);
    expect({ code: swapped.code, stderr: swapped.stderr }).toEqual({ code: 0, stderr: '' });
    for (const when of ['Before', 'After']) {
      for (const check of ['tsc --noEmit', 'its tests']) {
        expect(swapped.stdout).toContain(`${when} the swap: ${check} passed`);
      }
    }
    for (const path of Object.keys(MODULES)) {
      expect(made.read(path)).toMatch(/^(?:export (?:type )?\{[^}]*\} from 'keelson';\n)+$/);
    }
    expect(JSON.parse(made.read('package.json')).dependencies).toHaveProperty('keelson');
    expect(made.git('status', '--porcelain', '--', 'test')).toBe('');

    const { code, stderr } = await run('--undo');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const after = made.snapshot();
    for (const path of Object.keys(after)) if (path.startsWith('out/')) delete after[path];
    expect(after).toEqual(before);
  },
  240_000,
);
