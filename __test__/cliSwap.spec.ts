// biome-ignore-all lint/suspicious/noTemplateCurlyInString: sources are data here.
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { runNode } from './support/process';
import { CLI, ORIGINALS, useProjects } from './support/swapProject';

const { version } = require('../package.json') as { version: string };
const { shapeByScan } = require('../dist/cli/swap/scan.js') as typeof import('../lib/cli/swap/scan');
const { shapeByCompiler } =
  require('../dist/cli/swap/syntaxTree.js') as typeof import('../lib/cli/swap/syntaxTree');
const { published } = require('../dist/cli/swap/published.js') as typeof import('../lib/cli/swap/published');
const { KNOWN_MODULES, KNOWN_VALUES } =
  require('../dist/cli/swap/modules.js') as typeof import('../lib/cli/swap/modules');
const { changesOf } = require('../dist/cli/swap/changes.js') as typeof import('../lib/cli/swap/changes');
const compiler = require('typescript') as typeof import('typescript');

interface Plan {
  swap: { path: string; module: string; contents: string; changes: string[]; diff: string }[];
  done: string[];
  left: { path: string; reason: string }[];
  warnings: string[];
  hints: string[];
}

const project = useProjects();

/** The plan for a project of these files; it has to be the same with a compiler and without. */
async function planOf(files: Record<string, string | Buffer>, ...args: string[]): Promise<Plan> {
  const plans = [true, false].map(async (typescript) => {
    const { code, stdout, stderr } = await project(files, { typescript }).swap('--json', ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { root, ...plan } = JSON.parse(stdout) as Plan & { root: string };
    expect(root).toMatch(/my prøject$/);
    return plan;
  });
  const [compiled, scanned] = await Promise.all(plans);
  expect(scanned).toEqual(compiled);
  return compiled!;
}

/** New contents by path. */
const contentsOf = ({ swap }: Plan) => Object.fromEntries(swap.map(({ path, contents }) => [path, contents]));

describe('the program', () => {
  test('tells its version and its commands', async () => {
    expect((await runNode([CLI, '--version'])).stdout.trim()).toBe(version);
    const { code, stdout } = await runNode([CLI, '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}swap /m);
    expect((await runNode([CLI, 'swap', '--help'])).stdout).toContain('--dry-run');
  });

  test.each([
    { args: ['swop'], hint: "'swop' is no command" },
    { args: ['toString'], hint: "'toString' is no command" },
    { args: ['swap', '--yess'], hint: "Unknown option '--yess'" },
    { args: ['swap', 'a', 'b'], hint: 'one folder, not 2' },
    { args: ['swap', 'no-such-folder'], hint: 'There is no folder' },
    { args: ['swap', '__test__'], hint: 'is no package' },
    { args: ['swap', '--json', '--yes'], hint: '--json only shows the plan' },
    { args: ['swap', '--package', 'x', '--no-install'], hint: 'leave one out' },
  ])('wrong usage ends with 2: $args', async ({ args, hint }) => {
    const { code, stdout, stderr } = await runNode([CLI, ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(hint);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('finds modules', () => {
  test.each([
    'src/timerManager.ts',
    'src/timer-manager.ts',
    'src/TimerManager.mts',
    'lib/timer_manager.cts',
    'src/timerManager/index.ts',
    'src/späte uhren/timer-manager/index.ts',
  ])('by the name %s', async (path) => {
    const plan = await planOf({ [path]: ORIGINALS.timers });
    expect(contentsOf(plan)).toEqual({ [path]: "export { TimerManager, timerManager } from 'keelson';\n" });
  });

  test('of all kinds, with their types and default exports', async () => {
    const plan = await planOf({
      'src/utilities/bounded-cache.ts': ORIGINALS.cache,
      'src/utilities/connectionPool.ts': ORIGINALS.database,
      'src/router.ts': `export type RouteHandler = { id: string };
        export interface RouteMatch { handler: RouteHandler }
        export class RouteTrie { insert() { return /[}'"\`/]{3}/.test(\`\${'}'}\`); } }
        export default class OptimizedRouter { handle(): void {} }`,
      'src/jsonWorkerPool.ts': `let pool: JSONWorkerPool | undefined;
        export class JSONWorkerPool {}
        export const getJsonWorkerPool = (): JSONWorkerPool => (pool ??= new JSONWorkerPool()), parseJSONAsync = async <T,>(text: string): Promise<T> => JSON.parse(text);
        export async function stringifyJSONAsync(value: unknown): Promise<string> { return JSON.stringify(value); }
        export const destroyJsonWorkerPool = async () => { pool = undefined; };`,
      'src/rate-limiter.ts':
        "import { EventEmitter } from 'events';\nexport default class DistributedRateLimiter extends EventEmitter {}\n",
      'src/asyncLogger.ts': 'export class WorkerAsyncLogger {}\n',
      'src/timers.ts': 'class TimerManager {}\nexport default new TimerManager();\n',
    });
    expect(plan.left).toEqual([]);
    expect(contentsOf(plan)).toEqual({
      'src/utilities/bounded-cache.ts':
        "export type { CacheItem } from 'keelson';\nexport { BoundedLRUCache, CircularBuffer } from 'keelson';\n",
      'src/utilities/connectionPool.ts':
        "export type { DatabaseConfig } from 'keelson';\nexport { DatabaseConnectionPool, DatabaseConnectionPool as default } from 'keelson';\n",
      'src/router.ts':
        "export type { RouteHandler, RouteMatch } from 'keelson';\nexport { RouteTrie, OptimizedRouter as default } from 'keelson';\n",
      'src/jsonWorkerPool.ts':
        "export {\n  JSONWorkerPool,\n  getJsonWorkerPool,\n  parseJSONAsync,\n  stringifyJSONAsync,\n  destroyJsonWorkerPool,\n} from 'keelson';\n",
      'src/rate-limiter.ts': "export { DistributedRateLimiter as default } from 'keelson';\n",
      'src/asyncLogger.ts': "export { WorkerAsyncLogger } from 'keelson';\n",
      'src/timers.ts': "export { timerManager as default } from 'keelson';\n",
    });
  });

  test('and keeps the names that they export, where the class is the same', async () => {
    const plan = await planOf({
      'a/lruCache.ts': 'class BoundedLRUCache {}\nexport { BoundedLRUCache as LruCache };\n',
      'b/lruCache.ts': 'export class BoundedLruCache {}\n',
      'c/lruCache.ts': 'export class LruCache {}\n',
      'd/lruCache.ts': 'class CircularBuffer {}\nexport { CircularBuffer as BoundedLRUCache };\n',
      'e/timerManager.ts':
        'import { Options } from "./o";\nclass TimerManager {}\nexport const timerManager = new TimerManager();\nexport { TimerManager as "default" }',
    });
    expect(contentsOf(plan)).toEqual({
      'a/lruCache.ts': "export { BoundedLRUCache as LruCache } from 'keelson';\n",
      'b/lruCache.ts': "export { BoundedLRUCache as BoundedLruCache } from 'keelson';\n",
      'e/timerManager.ts': 'export { timerManager, TimerManager as default } from "keelson";\n',
    });
    expect(plan.left).toEqual([
      { path: 'c/lruCache.ts', reason: 'keelson does not export LruCache' },
      { path: 'd/lruCache.ts', reason: 'keelson does not export BoundedLRUCache' },
    ]);
  });

  test('of CommonJS, so that Node still sees the names', async () => {
    const plan = await planOf({
      'a/timerManager.js':
        `'use strict';\nclass TimerManager {}\nmodule.exports = { TimerManager, default: TimerManager, timerManager: new TimerManager() };\n`.replace(
          ', timerManager: new TimerManager()',
          '',
        ),
      'b/circularBuffer.cjs': 'class CircularBuffer {}\nmodule.exports = CircularBuffer;\n',
      'c/asyncLogger.js':
        'Object.defineProperty(exports, "__esModule", { value: true });\nclass WorkerAsyncLogger {}\nexports.WorkerAsyncLogger = WorkerAsyncLogger;\nexports.default = WorkerAsyncLogger;\n',
      'd/rateLimiter.cts': 'class DistributedRateLimiter {}\nexport = DistributedRateLimiter;\n',
      'e/ringBuffer.mjs': 'export class CircularBuffer {}\n',
      'f/circularBuffer.js':
        'class CircularBuffer {}\nmodule.exports = CircularBuffer;\nmodule.exports.limit = 3;\n',
    });
    expect(contentsOf(plan)).toEqual({
      'a/timerManager.js':
        "'use strict';\n\nconst { TimerManager } = require('keelson');\n\nmodule.exports = { TimerManager, default: TimerManager };\n",
      'b/circularBuffer.cjs': "module.exports = require('keelson').CircularBuffer;\n",
      'c/asyncLogger.js':
        'const { WorkerAsyncLogger } = require("keelson");\n\nObject.defineProperty(exports, "__esModule", { value: true });\nexports.WorkerAsyncLogger = WorkerAsyncLogger;\nexports.default = WorkerAsyncLogger;\n',
      'd/rateLimiter.cts':
        "import { DistributedRateLimiter } from 'keelson';\n\nexport = DistributedRateLimiter;\n",
      'e/ringBuffer.mjs': "export { CircularBuffer } from 'keelson';\n",
    });
    expect(plan.left).toEqual([
      { path: 'f/circularBuffer.js', reason: 'it exports one value, and names as properties of that' },
    ]);
  });

  test('but leaves alone what has more, what is another thing, tests, products and what is ignored', async () => {
    const plan = await planOf({
      '.gitignore': 'node_modules\nsrc/ignored\n',
      'src/timerManager.ts': `${ORIGINALS.timers}export const DEFAULT_DELAY = 5;\nexport interface TimerRecord { id: number }\n`,
      'src/routes/router.ts':
        'import express from "express";\nexport const router = express.Router();\nexport const json = express.json();\n',
      'src/logging/asyncLogger.ts': "export * from './other';\nexport class WorkerAsyncLogger {}\n",
      'src/limits/rateLimiter.ts':
        'export default new DistributedRateLimiter({ windowMs: 1 });\nclass DistributedRateLimiter {}\n',
      'src/index.ts': "export * from './timerManager';\n",
      'src/acme/router.ts': "export { RouteTrie } from '@acme/router';\n",
      'src/timer-manager/index.ts': "export { TimerManager } from './timer.js';\n",
      'src/latin/timerManager.ts': Buffer.from(`// \xe9\n${ORIGINALS.timers}`, 'latin1'),
      'src/large/timerManager.ts': `${ORIGINALS.timers}//${'x'.repeat(1 << 20)}\n`,
      'src/types/timerManager.d.ts': 'export declare class TimerManager {}\n',
      'src/timerManager.spec.ts': ORIGINALS.timers,
      'src/__tests__/timerManager.ts': ORIGINALS.timers,
      'src/dist/timerManager.ts': ORIGINALS.timers,
      'other/package.json': '{ "name": "other" }',
      'other/src/timerManager.ts': ORIGINALS.timers,
      'src/done/timerManager.ts': "export { TimerManager } from 'keelson';\n",
      'src/done/lruCache.ts': "export * from 'keelson';\n",
      'src/done/connectionPool.js': "module.exports = require('keelson').DatabaseConnectionPool;\n",
      'src/done/router.js': "const { RouteTrie } = require('keelson');\nmodule.exports = { RouteTrie };\n",
    });
    expect(plan.swap).toEqual([]);
    expect(plan.left).toEqual([
      { path: 'src/large/timerManager.ts', reason: 'it is larger than 1 MB' },
      { path: 'src/latin/timerManager.ts', reason: 'it is not UTF-8' },
      {
        path: 'src/limits/rateLimiter.ts',
        reason: 'keelson does not export its default export DistributedRateLimiter',
      },
      { path: 'src/logging/asyncLogger.ts', reason: "it exports all of './other'" },
      { path: 'src/routes/router.ts', reason: 'keelson does not export router, json' },
      { path: 'src/timerManager.ts', reason: 'keelson does not export DEFAULT_DELAY, TimerRecord' },
    ]);
    expect(plan.done.sort()).toEqual([
      'src/done/connectionPool.js',
      'src/done/lruCache.ts',
      'src/done/router.js',
      'src/done/timerManager.ts',
    ]);
  });

  test('under a name of its own only when it is asked to', async () => {
    const files = { 'src/clock.ts': ORIGINALS.timers };
    expect((await planOf(files)).swap).toEqual([]);
    expect(Object.keys(contentsOf(await planOf(files, '--file', 'src/clock.ts')))).toEqual(['src/clock.ts']);
  });

  test('and not the JavaScript that a compiler wrote beside its source', async () => {
    const plan = await planOf({
      'src/timerManager.ts': ORIGINALS.timers,
      'src/timerManager.js': 'class TimerManager {}\nmodule.exports = { TimerManager };\n',
    });
    expect(Object.keys(contentsOf(plan))).toEqual(['src/timerManager.ts']);
  });

  test('without git by walking, which follows no link', async () => {
    const elsewhere = project({ 'lib/timerManager.ts': ORIGINALS.timers }, { git: false });
    const { folder, swap } = project(
      { 'src/lruCache.ts': ORIGINALS.cache, 'build/lruCache.ts': ORIGINALS.cache },
      { git: false },
    );
    symlinkSync(join(elsewhere.folder, 'lib'), join(folder, 'src', 'linked'), 'junction');
    const { stdout } = await swap('--json');
    expect(Object.keys(contentsOf(JSON.parse(stdout)))).toEqual(['src/lruCache.ts']);
  });

  test('with git without links and without what was deleted', async () => {
    const elsewhere = project({ 'timerManager.ts': ORIGINALS.timers }, { git: false });
    const made = project({
      'src/lruCache.ts': ORIGINALS.cache,
      'src/router.ts': 'export class RouteTrie {}\n',
    });
    // Links to files take a privilege on Windows.
    if (process.platform !== 'win32') {
      symlinkSync(join(elsewhere.folder, 'timerManager.ts'), join(made.folder, 'src', 'timerManager.ts'));
    }
    rmSync(join(made.folder, 'src', 'router.ts'));
    const { code, stdout } = await made.swap('--json');
    expect(code).toBe(0);
    expect(Object.keys(contentsOf(JSON.parse(stdout)))).toEqual(['src/lruCache.ts']);
  });

  test('and says which tests mock them, and that a workspace has more packages', async () => {
    const plan = await planOf({
      'package.json': '{ "name": "all", "workspaces": ["packages/*"] }',
      'src/timerManager.ts': ORIGINALS.timers,
      'test/jobs.spec.ts':
        "jest.mock('@/timerManager');\njest.mock('timermanager');\njest.mock('../src/other');\n",
      'src/__mocks__/timerManager.ts': 'export const timerManager = {};\n',
    });
    expect(plan.warnings).toEqual([
      expect.stringMatching(/^src\/__mocks__\/timerManager.ts mocks src\/timerManager.ts \(by its place\)/),
      expect.stringMatching(/^test\/jobs.spec.ts mocks src\/timerManager.ts \('@\/timerManager'\)/),
    ]);
    expect(plan.hints).toEqual([expect.stringContaining('packages/*')]);
  });
});

describe('the plan', () => {
  test('is a diff with what changes in behaviour, and writes nothing', async () => {
    const body = Array.from({ length: 100 }, (_, index) => `// line ${index}`).join('\n');
    const made = project({ 'src/timerManager.ts': `${ORIGINALS.timers}${body}\n` });
    const before = made.snapshot();
    const { code, stdout } = await made.swap();
    expect(code).toBe(0);
    const lines = ORIGINALS.timers.split('\n').length - 1 + 100;
    expect(stdout).toContain(
      `--- a/src/timerManager.ts\n+++ b/src/timerManager.ts\n@@ -1,${lines} +1 @@\n-export class`,
    );
    expect(stdout).toContain(
      `-… and ${lines - 40} lines more\n+export { TimerManager, timerManager } from 'keelson';\n`,
    );
    for (const change of changesOf(['TimerManager'])) expect(stdout).toContain(`  - ${change}\n`);
    expect(stdout).toContain('Nothing is written.');
    expect(made.snapshot()).toEqual(before);
  });

  test('knows a change in behaviour of every module, and only values that keelson has', () => {
    const { values, types } = published();
    expect([...values].sort()).toEqual(Object.keys(require('keelson')).sort());
    expect(types).toContain('RouteHandler');
    expect([...KNOWN_VALUES].filter((value) => !values.has(value))).toEqual([]);
    for (const { values: own } of KNOWN_MODULES) {
      for (const value of own) expect(changesOf([value]).length).toBeGreaterThan(0);
    }
  });
});

test.each([
  [
    'comments and strings',
    "/* export class A {} */ const s = 'export class B {}'; // export class C\nexport class D {}",
  ],
  ['templates', 'const t = `${`}${"`"}`} export class A {}`;\nexport const b = `x${{ a: 1 }.a}`;'],
  [
    'regular expressions',
    'const r = /[/"]export class A {/; const d = 4 / 2 / 1;\nexport function e() { return /`/; }',
  ],
  [
    'statements in bodies',
    'function f() { const exports = {}; exports.a = 1; }\nexport { f as g };\nexport type { T } from "t";',
  ],
  [
    'modifiers',
    'export abstract class A {}\nexport declare const b: number;\nexport const enum C { x }\nexport async function* d() {}',
  ],
  ['destructuring', 'export const { a, b: c } = { a: 1, b: 2 };\nexport let d = 1, e = 2;'],
  [
    'types',
    'export type A = { b: string };\nexport interface C<T = {}> { d: T }\nimport type { E } from "e";\nexport { type E, E as F };',
  ],
  ['no semicolons', 'class A {}\nexport default A\nexport class B {}'],
  ['all of a module', 'export * from "a";\nexport * as b from "b";\nexport { default as c } from "c";'],
])('the scanner sees what the compiler sees: %s', (_, source) => {
  expect(shapeByScan(source)).toEqual(shapeByCompiler(compiler, 'a.ts', source));
});
