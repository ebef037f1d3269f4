import { evaluate, runNode } from './support/process';

/** What keeps a process alive or changes how it ends, and how many threads it has where that can be seen. */
const CENSUS = `
  const census = () => ({
    resources: process.getActiveResourcesInfo(),
    listeners: process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
    threads: process.platform === 'linux' ? require('node:fs').readdirSync('/proc/self/task').length : 0,
  });`;

test('importing keelson starts no thread, holds nothing open and listens to no signal', async () => {
  const [before, after] = await evaluate<object[]>(`${CENSUS}
    const before = census();
    require('keelson');
    console.log(JSON.stringify([before, census()]));`);
  expect(after).toEqual(before);
});

test('making every object leaves the process as it was', async () => {
  const [before, after] = await evaluate<object[]>(`${CENSUS}
    const { TimerManager, BoundedLRUCache, CircularBuffer, OptimizedRouter, RouteTrie } = require('keelson');
    const { ConnectionPool, Lifecycle } = require('keelson');
    const before = census();
    const made = [new TimerManager(), new BoundedLRUCache(10), new CircularBuffer(10)];
    made.push(new RouteTrie({ cache: true }), new OptimizedRouter({ slowStart: 100, outlier: {} }));
    made.push(new ConnectionPool({ create: () => ({}) }, { min: 2 }), new Lifecycle());
    console.log(JSON.stringify([before, census()]));`);
  expect(after).toEqual(before);
});

test('neither importing nor making objects starts a timer, not even one that does not hold the process', async () => {
  const kinds = await evaluate<string[]>(`
    const made = new Set();
    require('node:async_hooks').createHook({ init: (id, type) => made.add(type) }).enable();
    const { TimerManager, BoundedLRUCache, CircularBuffer, OptimizedRouter, RouteTrie } = require('keelson');
    const { ConnectionPool, Lifecycle } = require('keelson');
    const objects = [new TimerManager(), new BoundedLRUCache(10), new CircularBuffer(10)];
    objects.push(new RouteTrie({ cache: true }), new OptimizedRouter({ slowStart: 100, outlier: {} }));
    objects.push(new ConnectionPool({ create: () => ({}) }, { min: 2 }), new Lifecycle());
    const kinds = [...made];
    console.log(JSON.stringify(kinds));`);
  // A settled promise, napi-rs's own unreferenced hook for collected values, and contexts of timers: no handle.
  const harmless = ['PROMISE', 'CustomGC', 'KeelsonTimer'];
  expect(kinds.filter((kind) => !harmless.includes(kind))).toEqual([]);
});

test('a process that only imports ends by itself', async () => {
  expect(await runNode(['-e', "require('keelson')"])).toEqual({
    code: 0,
    signal: null,
    stdout: '',
    stderr: '',
  });
});

test('a process that only imports as ESM ends by itself', async () => {
  const outcome = await runNode(['--input-type=module', '-e', "import 'keelson'"]);
  expect(outcome).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
});

test('a process that uses everything and destroys nothing ends by itself', async () => {
  const found = await evaluate(`
    require('./__test__/support/everything.js')(require('keelson'))
      .then((found) => console.log(JSON.stringify(found)));`);
  expect(found).toEqual(require('./support/everything.js').FOUND);
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s ends a process with live timers as it would without keelson',
  async (name) => {
    const { code, signal, stderr } = await runNode([
      '-e',
      `const { timerManager } = require('keelson');
     timerManager.setInterval(() => {}, 1000);
     timerManager.setTimeout(() => process.kill(process.pid, '${name}'), 1);`,
    ]);
    expect({ code, signal, stderr }).toEqual({ code: null, signal: name, stderr: '' });
  },
);
