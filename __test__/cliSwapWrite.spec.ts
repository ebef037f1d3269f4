import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ORIGINALS, type SwapProject, useProjects } from './support/swapProject';

const project = useProjects();

const SWAPPED = "export { TimerManager, timerManager } from 'keelson';\n";
const TIMERS = 'src/timerManager.ts';

/** Swaps without a package manager and without checks; fails unless it ends with `code`. */
async function write(made: SwapProject, code: number, ...args: string[]): Promise<string> {
  const outcome = await made.swap('--yes', '--no-install', '--no-check', ...args);
  expect({ code: outcome.code, stderr: code === 0 ? outcome.stderr : '' }).toEqual({ code, stderr: '' });
  return outcome.stdout + outcome.stderr;
}

describe('writes', () => {
  test('what was planned and nothing else, and takes it back byte for byte', async () => {
    const files = {
      [TIMERS]: Buffer.concat([
        Buffer.from('\ufeff'),
        Buffer.from(ORIGINALS.timers.replaceAll('\n', '\r\n')),
      ]),
      'src/cache/bounded-cache.mts': ORIGINALS.cache,
      'src/other.ts': 'export const other = 1;\n',
    };
    const made = project(files);
    const before = made.snapshot();
    if (process.platform !== 'win32') chmodSync(join(made.folder, TIMERS), 0o664);
    expect(await write(made, 0)).toContain(`Swapped: ${TIMERS}`);
    expect(made.read(TIMERS)).toBe(SWAPPED.replaceAll('\n', '\r\n'));
    expect(made.git('status', '--porcelain').trimEnd().split('\n')).toEqual([
      ' M src/cache/bounded-cache.mts',
      ` M ${TIMERS}`,
    ]);
    if (process.platform !== 'win32') expect(statSync(join(made.folder, TIMERS)).mode & 0o777).toBe(0o664);

    expect((await made.swap()).stdout).toContain(`Done before: ${TIMERS}`);
    const dry = await made.swap('--undo', '--dry-run');
    expect(dry.stdout).toContain(`Would go back: ${TIMERS}`);
    expect(made.read(TIMERS)).not.toContain('class');
    expect((await made.swap('--undo')).code).toBe(0);
    expect(made.snapshot()).toEqual(before);
    expect((await made.swap('--undo')).stdout).toBe('No swap to take back.\n');
  });

  test('nothing in a dry run, whatever else it is told', async () => {
    const made = project({ [TIMERS]: ORIGINALS.timers });
    const before = made.snapshot();
    const { code, stdout } = await made.swap('--dry-run', '--yes', '--force', '--rollback');
    expect(code).toBe(0);
    expect(stdout).toContain(`+${SWAPPED}`);
    expect(made.snapshot()).toEqual(before);
  });

  test.each([
    ['the module', TIMERS, `${ORIGINALS.timers}// mine\n`],
    ['package.json', 'package.json', '{ "name": "service", "version": "1.0.1" }\n'],
    ['a lock file that git does not know', 'package-lock.json', '{}\n'],
  ])('nothing over changes that are not committed, in %s', async (_, path, contents) => {
    const made = project({ [TIMERS]: ORIGINALS.timers });
    made.write(path, contents);
    const before = made.snapshot();
    const { code, stderr } = await made.swap('--yes', '--no-check');
    expect(code).toBe(3);
    expect(stderr).toContain(path);
    expect(made.snapshot()).toEqual(before);
  });

  test('over changes by force, which come back too', async () => {
    const made = project({ [TIMERS]: ORIGINALS.timers });
    made.write(TIMERS, `${ORIGINALS.timers}// mine\n`);
    made.write('src/unrelated.ts', 'export {};\n');
    const before = made.snapshot();
    await write(made, 3);
    await write(made, 0, '--force');
    expect(made.read(TIMERS)).toBe(SWAPPED);
    expect((await made.swap('--undo')).code).toBe(0);
    expect(made.snapshot()).toEqual(before);
  });

  test('without git by force only, and takes that back as well', async () => {
    const made = project({ [TIMERS]: ORIGINALS.timers }, { git: false });
    const before = made.snapshot();
    expect(await write(made, 3)).toContain('--force');
    expect(made.snapshot()).toEqual(before);
    await write(made, 0, '--force');
    expect(made.read(TIMERS)).toBe(SWAPPED);
    expect((await made.swap('--undo')).code).toBe(0);
    expect(made.snapshot()).toEqual(before);
  });

  test('a second time on top of the first, and takes both back at once', async () => {
    const made = project({ [TIMERS]: ORIGINALS.timers });
    const before = made.snapshot();
    await write(made, 0);
    made.git('commit', '-qam', 'swapped');
    made.write('src/lruCache.ts', ORIGINALS.cache);
    made.git('add', '.');
    made.git('commit', '-qm', 'one more');
    await write(made, 0);
    expect((await made.swap('--undo')).code).toBe(0);
    expect(made.snapshot()).toEqual({
      ...before,
      'src/lruCache.ts': Buffer.from(ORIGINALS.cache).toString('hex'),
    });
  });
});

describe('asks', () => {
  const { swap } = require('../dist/cli/swap.js') as typeof import('../lib/cli/swap');

  /** Runs the command as on a terminal where somebody gives these answers. */
  async function answered(made: SwapProject, answers: boolean[], ...args: string[]) {
    const asked: string[] = [];
    const ask = async (question: string) => {
      asked.push(question);
      return answers.shift()!;
    };
    const silent = () => {};
    return { code: await swap.run([made.folder, ...args], { out: silent, err: silent, ask }), asked };
  }

  test('and takes no for no, and yes for yes', async () => {
    const made = project({ [TIMERS]: ORIGINALS.timers });
    const before = made.snapshot();
    const args = ['--no-install', '--no-check'];
    expect(await answered(made, [false], ...args)).toEqual({ code: 0, asked: ['Swap 1 of these?'] });
    expect(made.snapshot()).toEqual(before);
    expect((await answered(made, [true], ...args)).code).toBe(0);
    expect(made.read(TIMERS)).toBe(SWAPPED);
  });

  test('whether to take it back when a check fails', async () => {
    const { made, standIn } = checked(`${LOAD}if ('swapped' in TimerManager.prototype) process.exit(1);\n`);
    const before = made.snapshot();
    const { code, asked } = await answered(made, [true, true], '--package', standIn);
    expect({ code, asked }).toEqual({ code: 1, asked: ['Swap 1 of these?', 'Take the swap back?'] });
    expect(made.snapshot()).toEqual(before);
  });

  test('nobody where nobody is there, and then an unclean project is no reason to fail', async () => {
    const made = project({ [TIMERS]: ORIGINALS.timers }, { git: false });
    const { code, stdout } = await made.swap();
    expect({ code, last: stdout.trim().split('\n').at(-1) }).toEqual({
      code: 0,
      last: 'Nothing is written. To write it, run this again with --yes.',
    });
  });
});

describe('undo', () => {
  test('comes first after a swap that was interrupted', async () => {
    const made = project({ [TIMERS]: ORIGINALS.timers, 'src/lruCache.ts': ORIGINALS.cache });
    await write(made, 0);
    const journal = JSON.parse(made.read('.keelson-swap/journal.json')) as {
      entries: { after: string | null }[];
    };
    for (const entry of journal.entries) entry.after = null;
    made.write('.keelson-swap/journal.json', JSON.stringify(journal));
    made.write('src/lruCache.ts', ORIGINALS.cache);
    expect(await write(made, 3, '--force')).toContain('keelson swap --undo');
    expect((await made.swap('--undo')).code).toBe(0);
    expect(made.read(TIMERS)).toBe(ORIGINALS.timers);
  });

  test('refuses to lose what was changed since, unless it is forced', async () => {
    const made = project({ [TIMERS]: ORIGINALS.timers });
    await write(made, 0);
    made.write(TIMERS, `${SWAPPED}export const mine = 1;\n`);
    const refused = await made.swap('--undo');
    expect({ code: refused.code, mine: made.read(TIMERS).includes('mine') }).toEqual({ code: 3, mine: true });
    expect(refused.stderr).toContain(TIMERS);
    rmSync(join(made.folder, 'src'), { recursive: true });
    expect((await made.swap('--undo', '--force')).code).toBe(0);
    expect(made.read(TIMERS)).toBe(ORIGINALS.timers);
  });

  test.each(['../stolen.ts', '/tmp/stolen.ts', 'a/../../stolen.ts'])(
    'writes nowhere else: %s',
    async (path) => {
      const made = project({ [TIMERS]: ORIGINALS.timers });
      const entries = [{ path, original: 'abc.original', after: null }];
      made.write('.keelson-swap/abc.original', 'owned');
      made.write('.keelson-swap/journal.json', JSON.stringify({ entries }));
      const before = made.snapshot();
      const { code, stderr } = await made.swap('--undo', '--force');
      expect(code).toBe(3);
      expect(stderr).toContain('is damaged');
      expect(made.snapshot()).toEqual(before);
    },
  );
});

/** A project whose tests are `check.js`, which npm runs, and a package to install in place of keelson. */
function checked(check: string, keelson: Record<string, string> = {}) {
  const made = project({
    'package.json': JSON.stringify({ name: 'service', scripts: { test: 'node check.js' } }, null, 2),
    '.gitignore': 'node_modules\ncheck.log\n',
    'check.js': check,
    'lib/timerManager.js': 'class TimerManager {}\nmodule.exports = { TimerManager };\n',
  });
  const standIn = join(made.folder, '..', 'stand in');
  mkdirSync(standIn);
  const manifest = { name: 'keelson', version: '0.1.0', main: 'index.js', ...keelson };
  writeFileSync(join(standIn, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(standIn, 'index.js'), 'exports.TimerManager = class { swapped() {} };\n');
  return { made, standIn, swap: (...args: string[]) => made.swap('--yes', '--package', standIn, ...args) };
}

const MODULE = 'lib/timerManager.js';
const LOAD = "const { TimerManager } = require('./lib/timerManager');\n";

describe('installs and checks', () => {
  test('with npm and the tests of the project, before and after', async () => {
    const { made, swap } = checked(`${LOAD}console.log(typeof TimerManager);\n`);
    const before = made.snapshot();
    const { code, stdout, stderr } = await swap();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Before the swap: its tests passed/m);
    expect(stdout).toMatch(/^After the swap: its tests passed/m);
    expect(JSON.parse(made.read('package.json')).dependencies.keelson).toContain('stand in');
    expect(made.snapshot()).toHaveProperty(['package-lock.json']);
    expect((await made.swap('--undo')).code).toBe(0);
    expect(made.snapshot()).toEqual(before);
  });

  test('but installs nothing where keelson is there, and then a changed package.json is no hindrance', async () => {
    const { made } = checked('');
    made.write('node_modules/keelson/index.js', '');
    made.write('package.json', '{ "name": "service", "dependencies": { "keelson": "^0.1.0" } }\n');
    const before = made.read('package.json');
    const { code, stdout, stderr } = await made.swap('--yes');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('Installed');
    expect({ now: made.read('package.json'), module: made.read(MODULE) }).toEqual({
      now: before,
      module: expect.stringContaining('keelson'),
    });
  });

  test('and says what fails now and passed before', async () => {
    const { made, swap } = checked(
      `${LOAD}if ('swapped' in TimerManager.prototype) throw new Error('is another');\n`,
    );
    const { code, stdout, stderr } = await swap();
    expect(code).toBe(1);
    expect(stderr).toContain('Error: is another');
    expect(stderr).toContain('Passed before the swap and fails now: its tests');
    expect(stdout).toContain(`Swapped: ${MODULE}`);
    expect(made.read(MODULE)).toContain('keelson');
  });

  test('and takes it back at once if it was told to', async () => {
    const { made, swap } = checked(`${LOAD}if ('swapped' in TimerManager.prototype) process.exit(1);\n`);
    const before = made.snapshot();
    const { code, stderr } = await swap('--rollback');
    expect(code).toBe(1);
    expect(stderr).toContain('The swap is taken back.');
    expect(made.snapshot()).toEqual(before);
  });

  test('and blames the swap for nothing that failed before', async () => {
    const { made, swap } = checked('process.exit(1);\n');
    const { code, stdout } = await swap('--rollback');
    expect(code).toBe(0);
    expect(stdout).toContain('failed before too');
    expect(made.read(MODULE)).toContain('keelson');
  });

  test('and runs no test if it was told not to', async () => {
    const { made, swap } = checked("require('fs').writeFileSync('check.log', '');\n");
    expect((await swap('--no-check')).code).toBe(0);
    expect(made.snapshot()).not.toHaveProperty(['check.log']);
  });

  test('and is as before if the package cannot be installed', async () => {
    const { made, swap } = checked('', { version: 'not a version', name: '../' });
    const before = made.snapshot();
    const { code, stderr } = await swap();
    expect(code).toBe(1);
    expect(stderr).toContain('everything is as it was');
    expect(made.snapshot()).toEqual(before);
  });

  test('with the compiler of the project and its path aliases', async () => {
    const keelson = { types: 'index.d.ts' };
    const { made, swap } = checked('', keelson);
    writeFileSync(
      join(made.folder, '..', 'stand in', 'index.d.ts'),
      'export declare class TimerManager { swapped(): void }\nexport declare const timerManager: TimerManager;\n',
    );
    made.write(
      'src/timerManager.ts',
      'export class TimerManager { old(): void {} }\nexport const timerManager = new TimerManager();\n',
    );
    made.write(
      'src/main.ts',
      "import { timerManager } from '@lib/timerManager';\nexport const run = () => timerManager.old();\n",
    );
    const compilerOptions = { paths: { '@lib/*': ['./src/*'] }, module: 'node16', types: [], strict: true };
    made.write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['src'] }));
    made.git('add', '.');
    made.git('commit', '-qm', 'typescript');
    const { code, stdout, stderr } = await swap();
    expect(stdout).toMatch(/^Before the swap: tsc --noEmit passed/m);
    expect(stderr).toContain("src/main.ts(2,39): error TS2339: Property 'old' does not exist");
    expect(code).toBe(1);
  });
});

describe('the package manager', () => {
  const { absoluteSpec, installCommand, managerOf, testCommand } =
    require('../dist/cli/swap/manager.js') as typeof import('../lib/cli/swap/manager');

  test.each([
    ['package-lock.json', 'npm install --save --no-audit --no-fund keelson@1', 'npm test'],
    ['npm-shrinkwrap.json', 'npm install --save --no-audit --no-fund keelson@1', 'npm test'],
    ['pnpm-lock.yaml', 'pnpm add keelson@1', 'pnpm test'],
    ['yarn.lock', 'yarn add keelson@1', 'yarn test'],
    ['bun.lock', 'bun add keelson@1', 'bun run test'],
    ['bun.lockb', 'bun add keelson@1', 'bun run test'],
  ])('is that of %s, also of the workspace above', (lock, install, test) => {
    const { folder } = project({ [lock]: '', 'packages/a/package.json': '{ "name": "a" }' });
    for (const place of [folder, join(folder, 'packages', 'a')]) {
      const manager = managerOf(place, folder, {});
      expect(manager.lock).toBe(join(folder, lock));
      expect(installCommand(manager, place, ['keelson@1']).join(' ')).toBe(install);
      expect(testCommand(manager).join(' ')).toBe(test);
    }
  });

  test('is the one that package.json names where locks say nothing or different things', () => {
    const { folder } = project({ 'yarn.lock': '', 'package-lock.json': '', 'pnpm-workspace.yaml': '' });
    expect(managerOf(folder, folder, { packageManager: 'npm@10.0.0' }).name).toBe('npm');
    const pnpm = managerOf(join(folder, 'src'), join(folder, 'src'), { packageManager: 'pnpm@9.1.0+sha1.0' });
    expect(pnpm).toEqual({ name: 'pnpm', lock: join(folder, 'src', 'pnpm-lock.yaml') });
    expect(installCommand(pnpm, folder, ['x'])).toEqual(['pnpm', 'add', '-w', 'x']);
    expect(managerOf(join(folder, 'src'), join(folder, 'src'), {}).name).toBe('npm');
  });

  test('gets tarballs and folders by absolute paths, names as they are', () => {
    expect(absoluteSpec('package.json')).toBe(join(process.cwd(), 'package.json'));
    expect(absoluteSpec('keelson@1.0.0')).toBe('keelson@1.0.0');
  });
});
