import { examine, type Finding, type Report, useServices, WATCHED } from './support/doctorServices';
import { runNode } from './support/process';

const start = useServices();

/** What leaks and blocks, beside what looks alike and does not. */
const LEAKS = `
class Sessions extends Map {}
const sessions = new Sessions();
const seen = new Set();
const names = new Map();
const bounded = new Map();
let count = 0;
function remember() { sessions.set(count, {}); seen.add(count); names.set('only ' + (count % 150), count); }
function rememberOnceMore() { for (const again of [1, 2]) sessions.set(again + ' ' + count, {}); }
function keepAlive() { setInterval(() => {}, 60_000); }
function expire() { setTimeout(() => {}, 600_000); }
function keepBounded() { bounded.set(count, count); if (bounded.size > 200) bounded.delete(count - 200); }
const text = JSON.stringify(Array.from({ length: 200_000 }, (_, id) => ({ id, name: 'name ' + id })));
function read() { return JSON.parse(text); }
function write(value) { return JSON.stringify(value); }
for (; count < 200; count++) { remember(); keepBounded(); }
function work() {
  count++;
  remember(); rememberOnceMore(); keepAlive(); expire(); keepBounded();
  clearInterval(setInterval(() => {}, 60_000));
  clearTimeout(setTimeout(() => {}, 600_000));
  JSON.parse('{"small":true}');
}
setInterval(work, 10);
setInterval(() => write(read()), 700);
`;

const ofKind = ({ findings }: Pick<Report, 'findings'>, kind: string, thread: string): Finding[] =>
  findings.filter((finding) => finding.kind === kind && finding.thread.includes(thread));

const nameOf = ({ places }: Finding) => places[0]?.name;

/** The line of a text on which something stands, from 1. */
const lineOf = (text: string, what: string) => text.split('\n').findIndex((line) => line.includes(what)) + 1;

/** Each finding that LEAKS has to give, in one thread, and no other. */
function expectLeaks(report: Report, thread: string, file: string, text: string): void {
  const found = report.findings.filter((finding) => finding.thread.includes(thread));
  const at = found.map((finding) => `${finding.kind} ${finding.severity} ${nameOf(finding)}`).sort();
  expect(at.map((line) => line.replace(/(JSON\S+) \w+/, '$1'))).toEqual([
    'JSON.parse read',
    'JSON.stringify write',
    'Map high rememberOnceMore',
    'Set high remember',
    'interval high keepAlive',
    'timeout medium expire',
  ]);
  for (const { places, advice } of found) {
    const [{ name, line, source, ...place }] = places as [Finding['places'][0]];
    expect(place).toEqual({ file, column: expect.any(Number) });
    expect(line).toBe(lineOf(text, `function ${name}(`));
    expect(source).toContain(`function ${name}(`);
    expect(advice).not.toBe('');
  }
  const [map] = ofKind(report, 'Map', thread);
  const [set] = ofKind(report, 'Set', thread);
  const { from, to, grown, perSecond } = map!.evidence as Record<string, number>;
  expect(to! - from!).toBe(grown);
  expect(map!.others.map(({ name }) => name)).toEqual(['remember']);
  expect(map!.title).toContain('Map (Sessions) only grows');
  // Three entries for each of the set's.
  expect(perSecond! / set!.evidence.perSecond!).toBeCloseTo(3, 0);
  const [interval] = ofKind(report, 'interval', thread);
  expect(interval!.evidence).toMatchObject({
    ended: 0,
    created: interval!.evidence.live,
    maxDelayMs: 60_000,
  });
  const [parse] = ofKind(report, 'JSON.parse', thread);
  expect(parse!.evidence.count).toBeGreaterThan(1);
  expect(parse!.evidence.maxLength).toBe(
    JSON.stringify(Array.from({ length: 200_000 }, (_, id) => ({ id, name: `name ${id}` }))).length,
  );
}

describe('finds what leaks and what blocks', () => {
  test('in the main thread and in a worker thread, CommonJS', async () => {
    const service = `${WATCHED}
const { Worker, isMainThread } = require('node:worker_threads');
sayWatched(isMainThread ? 'main' : 'worker');
if (isMainThread) new Worker(__filename, { name: 'side' });
${LEAKS}`;
    const running = await start({ 'service.js': service });
    await running.says(/main is original[\s\S]*worker is original|worker is original[\s\S]*main is original/);
    const report = await examine(running, '--json-ms', '4', '--duration', '5');
    expect(report.service).toMatchObject({ pid: running.pid, node: process.versions.node });
    expect(report.threads).toHaveLength(2);
    expect(report.remarks).toEqual([]);
    expectLeaks(report, 'main thread', 'service.js', service);
    expectLeaks(report, 'worker 1', 'service.js', service);
    expect(report.findings).toHaveLength(12);
    await running.says(/main is watched[\s\S]*main is original/);
    await running.says(/worker is watched[\s\S]*worker is original/);
  });

  test('in ES modules that import their timers by name', async () => {
    const service = `import { setInterval, setTimeout } from 'node:timers';
import * as named from 'node:timers';
${WATCHED.replace('require(', 'await import(')}
sayWatched('main', () => [setInterval, setTimeout, named.setTimeout]);
${LEAKS}`;
    const running = await start({ 'service.mjs': service });
    await running.says(/main is original/);
    const report = await examine(running, '--json-ms', '4', '--duration', '5');
    expectLeaks(report, 'main thread', 'service.mjs', service);
    await running.says(/main is watched[\s\S]*main is original/);
  });

  test('timers of code that took its setTimeout before', async () => {
    const service = `const { setTimeout: own, setInterval: ownInterval } = require('node:timers');
const { setTimeout: wait } = require('node:timers/promises');
for (let index = 0; index < 300; index++) ownInterval(function old() {}, 600_000);
own(function later() {
  ownInterval(function beat() {}, 600_000);
  wait(600_000);
  own(later, 10);
}, 10);
own(function once() {}, 600_000);`;
    const report = await examine(await start({ 'service.js': service }));
    expect(report.findings.map(({ kind, places }) => [kind, places[0]?.line]).sort()).toEqual([
      ['interval', 5],
      ['timeout', undefined],
    ]);
  });

  test('arrays and dictionaries, and what holds them, if asked for', async () => {
    const service = `const list = [], dictionary = {}, fixed = Array(500).fill(0), shape = {};
for (let index = 0; index < 300; index++) { list.push(index); dictionary['key ' + index] = shape['field ' + index] = index; }
let count = 0;
globalThis.app = { users: new class Users { #byName = new Map(); add(name) { this.#byName.set(name, 1); } } };
for (let index = 0; index < 200; index++) app.users.add('early ' + index);
setInterval(function work() {
  app.users.add(count);
  list.push(++count);
  dictionary['more ' + count] = count;
  fixed[count % 500] = shape['field 0'] = count;
}, 10);
exports.isClean = () => !Object.hasOwn(list, 'push');
let said;
setInterval(() => { const is = Object.hasOwn(list, 'push'); if (is !== said) console.log('pushes ' + (said = is)); }, 20);`;
    const running = await start({ 'service.js': service });
    await running.says(/pushes false/);
    expect((await examine(running)).findings.map(({ kind }) => kind)).toEqual(['Map']);
    const report = await examine(running, '--deep');
    expect(
      report.findings.map(({ kind, places }) => [kind, places[0]?.name, places[0]?.line]).sort(),
    ).toEqual([
      ['Map', 'add', lineOf(service, '#byName')],
      ['array', 'work', lineOf(service, 'list.push(++count)')],
      ['object', undefined, undefined],
    ]);
    const paths = Object.fromEntries(report.findings.map(({ kind, path }) => [kind, path]));
    expect(paths).toEqual({
      Map: expect.stringMatching(/globalThis\.app → Object\.users → Users\.#byName$/),
      array: expect.stringMatching(/variable list( of \w+\(\))?$/),
      object: expect.stringMatching(/variable dictionary( of \w+\(\))?$/),
    });
    expect(report.cost.longestPauseMs).toBeGreaterThan(0);
    await running.says(/pushes true\s+pushes false/);
  });

  test('places by source maps, of a file beside and of one within', async () => {
    const { transformSync } = require('@swc/core') as typeof import('@swc/core');
    const source = `interface User {
  name: string;
}

enum Padding { A, B, C }

const users = new Map<number, User>();
let count = 0;
function grow(): void {
  users.set(++count, { name: Padding[0]! });
}
for (; count < 200; ) grow();
setInterval(grow, 10);
`;
    const options = {
      filename: 'service.ts',
      sourceFileName: '../src/service.ts',
      jsc: { parser: { syntax: 'typescript' as const } },
      module: { type: 'commonjs' as const },
    };
    const beside = transformSync(source, { ...options, sourceMaps: true });
    const within = transformSync(source, { ...options, sourceMaps: 'inline' });
    const files = {
      'dist/service.js': `${beside.code}\n//# sourceMappingURL=service.js.map\n`,
      'dist/service.js.map': beside.map!,
      'src/service.ts': source,
    };
    const services = await Promise.all([start(files), start({ ...files, 'dist/service.js': within.code })]);
    for (const report of await Promise.all(services.map((service) => examine(service)))) {
      const [finding] = report.findings;
      expect(finding!.places[0]).toEqual({
        name: 'grow',
        file: 'src/service.ts'.replace('/', process.platform === 'win32' ? '\\' : '/'),
        line: lineOf(source, 'users.set'),
        column: 9,
        source: 'users.set(++count, { name: Padding[0]! });',
      });
    }
  });
});

describe('a report for people', () => {
  test('names thread, place and what mends it', async () => {
    const service = `const cache = new Map();
let count = 0;
function grow() { cache.set(++count, count); }
for (; count < 200; ) grow();
setInterval(grow, 10);`;
    const { port } = await start({ 'service.js': service });
    const { code, stdout } = await runNode([
      require.resolve('../dist/cli.js'),
      'doctor',
      '--port',
      String(port),
      '-t',
      '2',
    ]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Process \d+ \(Node\.js .*service\.js\), 1 thread, \d\.\d s$/m);
    expect(stdout).toMatch(/^\[high\] {3}Map only grows: \d+ → \d+ entries, [\d.]+ a second$/m);
    expect(stdout).toMatch(/^ {2}in {4}the main thread$/m);
    expect(stdout).toMatch(/^ {2}at {4}(Timeout\.)?grow \(service\.js:3:25\)$/m);
    expect(stdout).toContain('function grow() { cache.set(++count, count); }');
    expect(stdout).toContain('new BoundedLRUCache(');
    expect(stdout).toMatch(/^It cost the service [\d.]+ ms for stacks/m);
  });
});
