import { spawn } from 'node:child_process';
import { examine, type Report, type Service, useServices, WATCHED } from './support/doctorServices';
import { outputOf, runNode } from './support/process';
import { eventually } from './support/server';
import { CLI } from './support/swapProject';

const start = useServices();

/** A service that leaks nothing, and does much of what looks like it. */
const HEALTHY = `
const cache = new Map(), warm = new Map(), recent = new Set(), waiting = new Map();
let count = 0;
function request() {
  count++;
  cache.set(count, {});
  if (cache.size > 300) cache.delete(cache.keys().next().value);
  recent.add(count);
  if (recent.size > 400) recent.clear();
  if (warm.size < 260) warm.set(count, count);
  // Whatever is collected for one request is dropped with it.
  const mine = new Map();
  for (let index = 0; index < 150; index++) mine.set(index, index);
  waiting.set(count, setTimeout((id) => waiting.delete(id), 500, count));
  const limit = setTimeout(() => {}, 30_000);
  const beat = setInterval(() => {}, 1000);
  setTimeout(() => { clearTimeout(limit); clearInterval(beat); }, 50);
  JSON.parse(JSON.stringify({ count, list: [...recent].slice(0, 20) }));
}
for (; count < 1000; ) request();
setInterval(request, 10);
`;

const SMALL_LEAK = `const leak = new Map();
let leaked = 0;
function grow() { leak.set(++leaked, {}); }
for (; leaked < 200; ) grow();
setInterval(grow, 10);`;

const inWorkerToo = (code: string) => `${WATCHED}
const { Worker, isMainThread } = require('node:worker_threads');
if (isMainThread) new Worker(__filename);
${code}
sayWatched(isMainThread ? 'main' : 'worker');`;

const UNTOUCHED = [/main is original/, /worker is original/];
const TOUCHED = [/main is watched/, /worker is watched/];
const PUT_BACK = [/main is watched[\s\S]*main is original/, /worker is watched[\s\S]*worker is original/];
const saysAll = (service: Service, patterns: RegExp[]) =>
  Promise.all(patterns.map((pattern) => service.says(pattern)));

/** A doctor that is not waited for. */
function doctor({ port }: Service, ...args: string[]) {
  const child = spawn(process.execPath, [CLI, 'doctor', String(port), '--json', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, output: outputOf(child), ended };
}

describe('a healthy service', () => {
  test('gives no finding, in any of its threads, and stays as it was', async () => {
    const service = await start({ 'service.js': inWorkerToo(HEALTHY) });
    await saysAll(service, UNTOUCHED);
    const report = await examine(service, '--json-ms', '500', '--deep');
    expect(report.findings).toEqual([]);
    expect(report.remarks).toEqual([]);
    expect(report.threads).toHaveLength(2);
    await saysAll(service, PUT_BACK);
  });

  test('whose timeouts outlive the look, at a steady rate, gives none', async () => {
    const service = `const waiting = [];
for (let index = 0; index < 300; index++) waiting.push(setTimeout(() => {}, 600_000));
// As many end as begin, though none of those that were seen to begin.
setInterval(() => { clearTimeout(waiting.shift()); waiting.push(setTimeout(() => {}, 600_000)); }, 10);`;
    expect((await examine(await start({ 'service.js': service }))).findings).toEqual([]);
  });
});

describe('does no harm', () => {
  test.each(['SIGKILL', 'SIGINT'] as const)('everything is put back after a %s', async (signal) => {
    const service = await start({ 'service.js': inWorkerToo(SMALL_LEAK) });
    await saysAll(service, UNTOUCHED);
    const { child, output, ended } = doctor(service, '--duration', '600');
    await saysAll(service, TOUCHED);
    if (signal === 'SIGINT') {
      // Long enough for something to be seen.
      await new Promise((resolve) => setTimeout(resolve, 8000));
    }
    child.kill(signal);
    const code = await ended;
    await saysAll(service, PUT_BACK);
    if (signal === 'SIGKILL') return;
    expect(code).toBe(1);
    const { findings, seconds } = JSON.parse(output.stdout) as Report;
    expect(seconds).toBeLessThan(60);
    expect(findings.map(({ kind }) => kind)).toEqual(['Map', 'Map']);
  });

  test('what it watches behaves as before', async () => {
    const service = `${WATCHED}
const { promisify } = require('node:util');
const thrown = (run) => { try { run(); } catch (error) { return error.constructor.name + ': ' + error.message; } };
class Own extends Map { set(key, value) { return super.set(key, value); } }
const look = () => JSON.stringify([
  thrown(() => JSON.parse('{')), thrown(() => JSON.parse('x'.repeat(200_000))), thrown(() => Map.prototype.set.call({}, 1, 2)),
  thrown(() => Set.prototype.add.call(new Map(), 1)), thrown(() => { const ring = []; ring.push(ring); JSON.stringify(ring); }),
  JSON.parse('[1,2]', (key, value) => (key === '0' ? 10 : value)), JSON.stringify({ a: [1] }, null, 1), JSON.stringify(undefined) === undefined,
  [...new Own([[1, 2]])], [...new Set([1, 1])], (() => { const map = new Map(); return map.set(1, 1) === map; })(),
  [JSON.parse, JSON.stringify, setTimeout, setInterval, Map.prototype.set].map(({ name, length }) => [name, length]),
  typeof setTimeout[promisify.custom], Object.keys(JSON), typeof setTimeout(() => {}, 1, 2).ref().unref,
].concat(Object.getOwnPropertyNames(globalThis).length));
const before = look();
let said = 0;
setInterval(() => {
  const is = JSON.parse === native ? 'original' : 'watched';
  if (look() !== before) console.log(is + ' differs: ' + look() + ' from ' + before);
  else if (++said % 20 === 0) console.log(is + ' same');
}, 20);
const native = JSON.parse;`;
    const running = await start({ 'service.js': service });
    await running.says(/original same/);
    await examine(running);
    await running.says(/watched same[\s\S]*original same/);
    expect(running.stdout()).not.toContain('differs');
  });

  test('something that wraps it meanwhile goes on to work', async () => {
    const service = `const native = JSON.parse;
setInterval(() => {
  if (JSON.parse === native || JSON.parse.wraps) return;
  const below = JSON.parse;
  JSON.parse = (...args) => below(...args);
  JSON.parse.wraps = true;
}, 5);
setInterval(() => console.log('parsed ' + JSON.parse('[7]')[0]), 50);`;
    const running = await start({ 'service.js': service });
    const { remarks, findings } = await examine(running);
    expect(findings).toEqual([]);
    expect(remarks).toEqual([expect.stringContaining('has had its parse replaced')]);
    const before = running.stdout().length;
    await eventually(() => running.stdout().slice(before).includes('parsed 7'));
  });

  test('frozen intrinsics are not seen, and are told', async () => {
    const service = `Object.freeze(JSON); Object.freeze(Map.prototype);\n${SMALL_LEAK}`;
    const { remarks } = await examine(await start({ 'service.js': service }));
    expect(remarks).toEqual(
      ['set', 'parse', 'stringify'].map((name) =>
        expect.stringContaining(`has a ${name} that cannot be replaced`),
      ),
    );
  });

  test('a service that ends meanwhile does not wait for the doctor', async () => {
    const service = await start({
      'service.js': `${WATCHED}
sayWatched('main');
setInterval(() => { if (JSON.parse !== native) setTimeout(() => process.exit(7), 100); }, 20);
const native = JSON.parse;`,
    });
    const { output, ended } = doctor(service, '--duration', '600');
    expect(await service.ended).toBe(7);
    expect({ code: await ended, stderr: output.stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^Looking at .*\n$/),
    });
    expect((JSON.parse(output.stdout) as Report).remarks).toEqual([
      expect.stringContaining('was not seen to the end'),
    ]);
  });

  test('threads that come and go meanwhile are seen while they are there', async () => {
    const service = `const { Worker, isMainThread } = require('node:worker_threads');
if (isMainThread) setInterval(() => new Worker(__filename), 400);
else setTimeout(() => {}, 1_000);`;
    const running = await start({ 'service.js': service });
    const { threads, findings } = await examine(running);
    expect(findings).toEqual([]);
    expect(threads.length).toBeGreaterThan(2);
  });

  test('two doctors do not look at once', async () => {
    const service = await start({ 'service.js': inWorkerToo(SMALL_LEAK) });
    await saysAll(service, UNTOUCHED);
    const { child, ended } = doctor(service, '--duration', '600');
    await saysAll(service, TOUCHED);
    const { code, stderr } = await runNode([CLI, 'doctor', String(service.port)]);
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining('Another doctor') });
    child.kill('SIGTERM');
    await ended;
    await saysAll(service, PUT_BACK);
  });
});
