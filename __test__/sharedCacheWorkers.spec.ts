import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { SharedCache } from 'keelson';
import { generator } from './support/random';

jest.setTimeout(120_000);

const SCRIPT = join(__dirname, 'support', 'sharedCacheWorker.js');

const workers: Worker[] = [];
let names = 0;
let cache: SharedCache<any>;

beforeEach(() => {
  cache = new SharedCache({ name: `workers-${++names}`, maxBytes: 4 * 2 ** 20 });
});

afterEach(async () => {
  cache.close();
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

async function start(id: number): Promise<Worker> {
  const worker = new Worker(SCRIPT, { workerData: { name: cache.name, id } });
  workers.push(worker);
  await once(worker, 'message');
  return worker;
}

/** Has a worker do something, and gives what came of it. */
async function ask(worker: Worker, work: string, ...args: unknown[]): Promise<any> {
  worker.postMessage({ work, args });
  for (;;) {
    const [message] = await once(worker, 'message');
    if ('failed' in message) throw new Error(message.failed);
    if ('done' in message) return message.done;
  }
}

test('four workers and this thread count on one number, and none is lost', async () => {
  const all = await Promise.all([1, 2, 3, 4].map(start));
  const asked = all.map((worker) => ask(worker, 'count', 20_000));
  for (let n = 0; n < 20_000; n++) cache.incr('count');
  await Promise.all(asked);
  expect(cache.get('count')).toBe(100_000);
});

test('compareAndSet lets no change be lost', async () => {
  const all = await Promise.all([1, 2, 3].map(start));
  await Promise.all(all.map((worker) => ask(worker, 'swap', 2000)));
  expect(cache.get('swapped').total).toBe(6000);
});

/** When one of them tells that it loads. */
async function loading(all: Worker[]): Promise<void> {
  await Promise.race(
    all.map(async (worker) => {
      for (;;) if ('loads' in (await once(worker, 'message'))[0]) return;
    }),
  );
}

test('of all threads that want a key at once one loads it', async () => {
  const all = await Promise.all([1, 2, 3, 4].map(start));
  let loads = 0;
  for (const worker of all) {
    worker.on('message', (message) => {
      loads += 'loads' in message ? 1 : 0;
    });
  }
  const begun = loading(all);
  const asked = all.map((worker) => ask(worker, 'load', 'key', 300));
  await begun;
  const here = cache.getOrLoad('key', () => 'loaded here');
  const found = new Set([...(await Promise.all(asked)), await here]);
  expect(loads).toBe(1);
  expect([...found]).toEqual([expect.stringMatching(/^loaded by \d$/)]);
  expect(found.has(cache.get('key'))).toBe(true);
});

test('a worker that is terminated while it loads leaves the load to another', async () => {
  const worker = await start(1);
  worker.postMessage({ work: 'load', args: ['key', 3_600_000] });
  await once(worker, 'message');
  const here = cache.getOrLoad('key', () => 'loaded here');
  await worker.terminate();
  expect(await here).toBe('loaded here');
});

test('what another thread loads is waited for', async () => {
  const worker = await start(1);
  const begun = loading([worker]);
  const load = ask(worker, 'load', 'key', 200);
  await begun;
  expect(await cache.getOrLoad('key', () => 'loaded here')).toBe('loaded by 1');
  await load;
});

// Anything but a text or a number came as the bytes that it is stored as.
test.each([
  ['text', 'wörter'],
  ['number', -0.5],
  ['object', { id: 1, tags: ['a'] }],
  ['null', null],
])('who waits in another thread gets a value as it was: %s', async (_, value) => {
  const worker = await start(1);
  let loaded: (value: unknown) => void = () => {};
  const here = cache.getOrLoad('key', () => new Promise((resolve) => (loaded = resolve)));
  const there = ask(worker, 'wait', 'key');
  await once(worker, 'message');
  loaded(value);
  expect(await there).toEqual(value);
  expect(await here).toBe(value);
});

/** For a minute with KEELSON_MINUTE=1. */
const CHURN = process.env.KEELSON_MINUTE ? 60_000 : 6000;
const seed = Number(process.env.KEELSON_SEED ?? Math.floor(Math.random() * 2 ** 32));

test(`workers that are terminated in the middle of anything leave the cache whole, seed ${seed}`, async () => {
  const random = generator(seed);
  const failures: unknown[] = [];
  const isWhole = (value: string): boolean =>
    createHash('md5').update(value.slice(32)).digest('hex') === value.slice(0, 32);
  const run = async (): Promise<void> => {
    const worker = await start(1 + Math.floor(random() * 1e9));
    worker.on('error', (error) => failures.push(error));
    worker.on('message', ({ failed }) => failed && failures.push(failed));
    worker.postMessage({ work: 'churn', args: [] });
    await pause(random() * 200);
    await worker.terminate();
  };
  let terminated = 0;
  const end = Date.now() + CHURN;
  const lanes = [1, 2, 3].map(async () => {
    while (Date.now() < end) {
      await run();
      terminated++;
    }
  });
  const looks = (async () => {
    while (Date.now() < end) {
      for (const [key, value] of cache) if (!isWhole(value)) failures.push(`torn: ${key}`);
      expect(cache.metrics().bytes).toBeLessThanOrEqual(4 * 2 ** 20);
      await pause(20);
    }
  })();
  await Promise.all([...lanes, looks]);
  expect(failures).toEqual([]);
  expect(terminated).toBeGreaterThan(3);
  cache.clear();
  expect(cache.metrics().entries).toBe(0);
  cache.set('a', 1);
  expect(cache.get('a')).toBe(1);
});
