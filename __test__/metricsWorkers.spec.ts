import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { BoundedLRUCache, type MetricFamily, type MetricValue, metrics } from 'keelson';
import { runNode } from './support/process';
import { generator } from './support/random';

jest.setTimeout(120_000);

const SCRIPT = join(__dirname, 'support', 'metricsWorker.js');
/** Milliseconds that a thread takes at most to tell, however busy the machine is. */
const PATIENCE = 20_000;

const workers: Worker[] = [];
const here = metrics.name(new BoundedLRUCache<string, number>(100), 'of workers');

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

async function start(): Promise<Worker> {
  const worker = new Worker(SCRIPT);
  workers.push(worker);
  await once(worker, 'message');
  return worker;
}

async function ask(worker: Worker, deed: string, what?: unknown): Promise<any> {
  worker.postMessage({ do: deed, with: what });
  for (;;) {
    const [message] = await once(worker, 'message');
    if ('done' in message) return message.done;
  }
}

function value(all: MetricFamily[], name: string, labels: Record<string, string>): number {
  const family = all.find((one) => one.name === name)!;
  const found = (family.points as MetricValue[]).filter((point) =>
    Object.entries(labels).every(([label, text]) => point.labels[label] === text),
  );
  expect(found).toHaveLength(1);
  return found[0]!.value;
}

const hits = (all: MetricFamily[]) =>
  value(all, 'keelson.cache.lookups', { name: 'of workers', result: 'hit' });
const entries = (all: MetricFamily[]) => value(all, 'keelson.cache.entries', { name: 'of workers' });
const threads = (all: MetricFamily[]) => value(all, 'nodejs.threads', {});

test('threads are added up, and what they counted stays when they have ended', async () => {
  const before = await metrics.collect({ timeout: PATIENCE });
  const all = await Promise.all([start(), start(), start()]);
  await Promise.all(all.map((worker, index) => ask(worker, 'hit', 10 ** index)));
  here.set('key', 1);
  here.get('key');
  const during = await metrics.collect({ timeout: PATIENCE });
  expect(threads(during) - threads(before)).toBe(3);
  expect(hits(during) - hits(before)).toBe(112);
  expect(entries(during) - entries(before)).toBe(4);
  // Whoever asks, it is the same.
  expect(hits(await ask(all[0]!, 'collect'))).toBe(hits(during));
  await Promise.all(all.map((worker) => worker.terminate()));
  const after = await metrics.collect({ timeout: PATIENCE });
  expect(threads(after)).toBe(threads(before));
  expect(hits(after)).toBe(hits(during));
  expect(entries(after) - entries(before)).toBe(1);
});

test('a thread that is busy is not waited for beyond the timeout, and what it told last counts', async () => {
  const worker = await start();
  const before = hits(await metrics.collect({ timeout: PATIENCE }));
  await ask(worker, 'hit', 5);
  expect(hits(await metrics.collect({ timeout: PATIENCE }))).toBe(before + 5);
  worker.postMessage({ do: 'hit', with: 7 });
  worker.postMessage({ do: 'block', with: 4_000 });
  for (let isBlocking = false; !isBlocking; ) isBlocking = 'blocking' in (await once(worker, 'message'))[0];
  const began = performance.now();
  expect(hits(await metrics.collect({ timeout: 50 }))).toBe(before + 5);
  expect(performance.now() - began).toBeLessThan(3_000);
  await once(worker, 'message');
  expect(hits(await metrics.collect({ timeout: PATIENCE }))).toBe(before + 12);
});

test('threads that are terminated at any moment lose nothing that they told, and hold up nobody', async () => {
  const random = generator(20_261_127);
  let last = hits(await metrics.collect({ timeout: PATIENCE }));
  for (let round = 0; round < 12; round++) {
    const all = await Promise.all([start(), start()]);
    await Promise.all(all.map((worker) => ask(worker, 'hit', 10)));
    const asked = metrics.collect({ timeout: PATIENCE });
    await new Promise((resolve) => setTimeout(resolve, 4 * random()));
    const ended = all.map((worker) => worker.terminate());
    const now = hits(await asked);
    expect(now).toBeGreaterThanOrEqual(last);
    expect(now).toBeLessThanOrEqual(last + 20);
    await Promise.all(ended);
    last = hits(await metrics.collect({ timeout: PATIENCE }));
    expect(last).toBeGreaterThanOrEqual(now);
  }
});

test('instances are not held, what they counted stays, and neither they nor metrics keep a process alive', async () => {
  const source = `
    const { BoundedLRUCache, metrics } = require('keelson');
    const hits = async () => {
      const family = (await metrics.collect()).find(({ name }) => name === 'keelson.cache.lookups');
      return family.points.find(({ labels }) => labels.result === 'hit').value;
    };
    (async () => {
      let cache = new BoundedLRUCache(10);
      const ref = new WeakRef(cache);
      cache.set('key', 1);
      for (let n = 0; n < 5; n++) cache.get('key');
      const counted = await hits();
      cache = undefined;
      while (ref.deref() !== undefined) {
        await new Promise((resolve) => setImmediate(resolve));
        gc();
      }
      console.log(counted, await hits());
    })();`;
  const outcome = await runNode(['--expose-gc', '-e', source]);
  expect(outcome).toMatchObject({ code: 0, stdout: '5 5\n', stderr: '' });
});

test('tens of thousands of them that are gone leave nothing behind, though nobody ever collects', async () => {
  const source = `
    const { BoundedLRUCache } = require('keelson');
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const heap = () => (gc(), process.memoryUsage().heapUsed);
    const make = async (count) => {
      for (let n = 0; n < count; n++) {
        new BoundedLRUCache(1);
        if (n % 500 === 0) { await turn(); if (n % 5000 === 0) gc(); }
      }
      for (let n = 0; n < 5; n++) { await turn(); gc(); }
    };
    (async () => {
      await make(10_000);
      const before = heap();
      await make(30_000);
      console.log(heap() - before < 500_000);
    })();`;
  const outcome = await runNode(['--expose-gc', '-e', source]);
  expect(outcome).toMatchObject({ code: 0, stdout: 'true\n', stderr: '' });
});

test('a copy of the module that nobody uses any more is collected, and told of no more', async () => {
  const source = `
    const { createRequire } = require('node:module');
    const path = require('node:path');
    const { metrics } = require('keelson');
    // As jest does with resetModules: the files of the package once more, for a module that comes and goes.
    const fresh = () => {
      const load = createRequire(path.join(process.cwd(), 'some.js'));
      for (const key of Object.keys(load.cache)) if (key.includes(path.sep + 'dist' + path.sep)) delete load.cache[key];
      delete load.cache[load.resolve('keelson')];
      return load('keelson');
    };
    const threads = async () => (await metrics.collect()).find(({ name }) => name === 'nodejs.threads').points[0].value;
    (async () => {
      console.log(await threads());
      let other = fresh();
      let cache = new other.BoundedLRUCache(10);
      await Promise.resolve();
      console.log(await threads());
      const ref = new WeakRef(other);
      other = cache = undefined;
      fresh();
      for (let n = 0; n < 2000 && (await threads()) > 1; n++) {
        await new Promise((resolve) => setImmediate(resolve));
        gc();
      }
      console.log(await threads());
    })();`;
  const outcome = await runNode(['--expose-gc', '-e', source]);
  expect(outcome).toMatchObject({ code: 0, stdout: '1\n2\n1\n', stderr: '' });
});
