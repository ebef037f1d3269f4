import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { FOUND } from '../support/everything.js';
import { serveHttp, useLoadServers } from '../support/loadServer';
import { root, runNode, temporaryFolder } from '../support/process';

const { version, napi } = require('../../package.json') as { version: string; napi: { targets: string[] } };

useLoadServers();
const { folder: tarballs, remove: removeTarballs } = temporaryFolder();
const { folder: consumer, remove: removeConsumer } = temporaryFolder();
let main: string;
let addon: string;

/** Installs packages into `folder` as a careful user does: without running any script of theirs. */
function install(folder: string, ...packages: string[]): void {
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund'];
  const options = { cwd: folder, encoding: 'utf8', shell: process.platform === 'win32' } as const;
  const { status, stderr } = spawnSync('npm', ['install', ...flags, ...packages], options);
  if (status !== 0) throw new Error(`npm install failed: ${stderr}`);
}

beforeAll(async () => {
  const { code, stdout, stderr } = await runNode([join(root, 'scripts', 'pack.mjs'), '--out', tarballs]);
  if (code !== 0) throw new Error(stderr);
  [addon, main] = stdout.trim().split(/\r?\n/) as [string, string];
  writeFileSync(join(consumer, 'package.json'), '{ "private": true }');
  install(consumer, main, addon);
  cpSync(join(__dirname, 'consumer'), consumer, { recursive: true });
  cpSync(join(__dirname, '..', 'support', 'everything.js'), join(consumer, 'everything.js'));
});
afterAll(() => {
  removeTarballs();
  removeConsumer();
});

/** What consumer/use.ts must print. */
const TYPED = {
  product: { name: 'Lamp' },
  hits: 1,
  buffered: [2, 3],
  answers: ['lamp'],
  refusal: 'ERR_KEELSON_INVALID_ARGUMENT',
  parsed: { name: 'Desk' },
};

async function expectToPrint(expected: object, args: string[], cwd = consumer): Promise<void> {
  const { code, signal, stdout, stderr } = await runNode(args, { cwd });
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  expect(JSON.parse(stdout)).toEqual(expected);
}

describe('what is in the tarballs', () => {
  const installed = (...path: string[]) => join(consumer, 'node_modules', ...path);

  test('the main package lists every platform package, at its own version, and runs no script', () => {
    const manifest = JSON.parse(readFileSync(installed('keelson', 'package.json'), 'utf8'));
    const addons = readdirSync(join(root, 'npm')).map((name) => [`@keelson/binding-${name}`, version]);
    expect(addons).toHaveLength(napi.targets.length);
    expect(manifest.optionalDependencies).toEqual(Object.fromEntries(addons));
    expect(manifest).not.toHaveProperty('scripts');
    expect(manifest).not.toHaveProperty('devDependencies');
    expect(manifest).not.toHaveProperty('dependencies');
  });

  test('the main package holds no source, no test and no addon', () => {
    const files = readdirSync(installed('keelson')).sort();
    const optional = ['CHANGELOG.md', 'README.md'].filter((name) => files.includes(name));
    const entries = ['index.js', 'index.mjs', 'index.d.ts', 'index.d.mts', 'binding.js', 'binding.d.ts'];
    expect(files).toEqual([...entries, ...optional, 'LICENSE', 'dist', 'monitoring', 'package.json'].sort());
    for (const file of ['grafana/keelson.json', 'prometheus/keelson.rules.yml'])
      expect(existsSync(installed('keelson', 'monitoring', file))).toBe(true);
  });

  test('the platform package holds the addon and its licence', () => {
    const [name] = readdirSync(installed('@keelson')) as [string];
    const node = `keelson.${name.slice('binding-'.length)}.node`;
    expect(readdirSync(installed('@keelson', name)).sort()).toEqual(
      ['LICENSE', 'README.md', node, 'package.json'].sort(),
    );
  });
});

describe('the installed package works', () => {
  test('from CommonJS', () => expectToPrint(FOUND, ['use.js']));
  test('from native ESM', () => expectToPrint(FOUND, ['use.mjs']));
  test('in a worker thread', () => expectToPrint(FOUND, ['worker.js']));

  test('under jest', async () => {
    const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
    const { code, stderr } = await runNode([jest, '--rootDir', consumer, '--testMatch', '**/use.spec.js'], {
      cwd: consumer,
    });
    expect(stderr).toMatch(/^Tests: +1 passed, 1 total$/m);
    expect(code).toBe(0);
  });

  test('as `keelson load`, where autocannon is', async () => {
    const project = join(consumer, 'load');
    mkdirSync(join(project, 'node_modules'), { recursive: true });
    symlinkSync(
      join(root, 'node_modules', 'autocannon'),
      join(project, 'node_modules', 'autocannon'),
      'junction',
    );
    const url = await serveHttp((_, response) => response.end());
    const cli = join(consumer, 'node_modules', 'keelson', 'dist', 'cli.js');
    const steps = ['--from', '20', '--max', '20', '--step', '1', '--warmup', '0', '--slo-p99', '5000'];
    const { code, stdout } = await runNode([cli, 'load', url, ...steps], { cwd: project });
    expect(stdout).toContain('The SLO held at 20 requests a second');
    expect(code).toBe(0);
  });
});

/** How TypeScript users compile, and what becomes of `use.ts` there. */
const COMPILERS = [
  { resolution: 'node10', module: 'commonjs', source: 'use.ts', output: 'use.js', type: 'commonjs' },
  { resolution: 'node16', module: 'node16', source: 'use.cts', output: 'use.cjs', type: 'commonjs' },
  { resolution: 'node16', module: 'node16', source: 'use.mts', output: 'use.mjs', type: 'commonjs' },
  { resolution: 'bundler', module: 'esnext', source: 'use.ts', output: 'use.js', type: 'module' },
];

describe('the installed package compiles with TypeScript in strict mode and then runs', () => {
  test.each(COMPILERS)('moduleResolution $resolution, $source', async (compiler) => {
    const folder = join(consumer, `${compiler.resolution}-${compiler.source}`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: compiler.type }));
    cpSync(join(__dirname, 'consumer', 'use.ts'), join(folder, compiler.source));
    const surfaces = ['surface', 'pools'].map((name) => {
      const file = compiler.source.replace('use', name);
      cpSync(join(__dirname, '..', 'types', `${name}.ts`), join(folder, file));
      return file;
    });
    const { module, resolution: moduleResolution } = compiler;
    const compilerOptions = { module, moduleResolution, target: 'es2022', strict: true, types: ['node'] };
    const typeRoots = [join(root, 'node_modules', '@types')];
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: { ...compilerOptions, typeRoots },
        files: [compiler.source, ...surfaces],
      }),
    );
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { code, stdout } = await runNode([tsc, '-p', folder]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    await expectToPrint(TYPED, [join(folder, compiler.output)], folder);
  });
});

describe('checkers of packages find nothing', () => {
  const bin = (...path: string[]) => join(root, 'node_modules', ...path);

  test('publint, main package', async () => {
    const { code, stdout, stderr } = await runNode([bin('publint', 'src', 'cli.js'), main, '--strict']);
    expect(stdout + stderr).toContain('All good!');
    expect(code).toBe(0);
  });

  // At this level, since its advice is about JavaScript files, and this package has none.
  test('publint, platform package', async () => {
    const { code, stdout, stderr } = await runNode([
      bin('publint', 'src', 'cli.js'),
      addon,
      '--level',
      'warning',
    ]);
    expect(stdout + stderr).toContain('All good!');
    expect(code).toBe(0);
  });

  test('are the types wrong?', async () => {
    const attw = bin('@arethetypeswrong', 'cli', 'dist', 'index.js');
    const { code, stdout } = await runNode([attw, '--format', 'ascii', '--no-emoji', main]);
    expect(stdout).toContain('No problems found');
    expect(code).toBe(0);
  });
});

test('without the platform package the loader names it and the command', async () => {
  const { folder, remove } = temporaryFolder();
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    install(folder, main);
    const { code, stderr } = await runNode(['-e', "require('./node_modules/keelson/dist/native.js')"], {
      cwd: folder,
    });
    const name = `@keelson/binding-${basename(addon).slice('keelson-binding-'.length, -`-${version}.tgz`.length)}`;
    expect(code).toBe(1);
    expect(stderr).toContain('ERR_KEELSON_BINDING_MISSING');
    expect(stderr).toContain(`npm install ${name}@${version}`);
  } finally {
    remove();
  }
});
