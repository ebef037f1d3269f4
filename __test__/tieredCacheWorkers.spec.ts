import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { SharedCache } from 'keelson';
import { deferred } from './support/deferred';
import { runNode } from './support/process';
import { closeAll, open, until } from './support/tiers';

const SCRIPT = join(__dirname, 'support', 'tieredCacheWorker.js');
const workers: Thread[] = [];
let names = 0;
let name: string;

beforeEach(() => {
  name = `tiered-workers-${++names}`;
});

afterEach(async () => {
  await Promise.all(workers.splice(0).map(({ worker }) => worker.terminate()));
  await closeAll();
});

/** A thread with an L1 of its own, over the L2 of the test. */
class Thread {
  readonly worker: Worker;
  loads = 0;
  readonly untold: string[] = [];
  readonly #asked = new Map<number, ReturnType<typeof deferred>>();

  constructor(id: number, options: object) {
    this.worker = new Worker(SCRIPT, { workerData: { name, id, options } });
    this.worker.on('message', ({ number, done, failed, loads, untold }) => {
      if (loads !== undefined) this.loads++;
      if (untold !== undefined) this.untold.push(untold);
      const asked = this.#asked.get(number);
      if (failed !== undefined) asked?.reject(new Error(failed));
      else asked?.resolve(done);
    });
  }

  ask(work: string, ...args: unknown[]): Promise<any> {
    const number = this.#asked.size + 1;
    const asked = deferred();
    this.#asked.set(number, asked);
    this.worker.postMessage({ work, args, number });
    return asked.promise;
  }

  /** Asks until the answer is that. */
  async sees(value: unknown, work: string, ...args: unknown[]): Promise<void> {
    while ((await this.ask(work, ...args)) !== value) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** As many threads as there are names, and this one, over one L2. */
async function start(count: number, options = {}) {
  const here = open({ l2: new SharedCache<any>({ name }), ...options });
  const all = Array.from({ length: count }, (_, id) => new Thread(id, options));
  workers.push(...all);
  await Promise.all(all.map(({ worker }) => once(worker, 'message')));
  return { ...here, all };
}

const loadsOf = (all: Thread[]): number => all.reduce((sum, { loads }) => sum + loads, 0);

/** Has the first of them lead a load, and the others join it. */
async function load([leader, ...others]: Thread[], key: string, how = {}) {
  const answers = [leader!.ask('load', key, how)];
  await until(() => leader!.loads === 1);
  answers.push(...others.map((thread) => thread.ask('load', key)));
  // What is asked is begun in its order.
  await Promise.all(others.map((thread) => thread.ask('metrics')));
  return { leader: leader!, others, answers: Promise.allSettled(answers) };
}

type Cache = ReturnType<typeof open>['cache'];

/** Resolves when all have heard of what was changed here so far. */
async function heard(cache: Cache, all: Thread[]): Promise<void> {
  await Promise.all(all.map((thread) => thread.ask('mark')));
  await cache.delete('mark');
  await Promise.all(all.map((thread) => thread.sees(undefined, 'inL1', 'mark')));
}

/** Has `a` be something stale, of which all have heard. */
async function outlive(cache: Cache, all: Thread[]): Promise<void> {
  await cache.set('a', 'old', { ttl: 1 });
  await heard(cache, all);
  await until(() => cache.getSync('a') === undefined);
}

const valuesOf = (results: PromiseSettledResult<any>[]) =>
  results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason.message));

test('of all threads that want a key at once one loads it, and all have it then', async () => {
  const { cache, all } = await start(3);
  const { leader, answers } = await load(all, 'a');
  const loader = jest.fn(() => 'here');
  const here = cache.getOrLoad('a', loader);
  await leader.ask('release', 'loaded');
  expect([...valuesOf(await answers), await here]).toEqual(Array(4).fill('loaded'));
  expect([loadsOf(all), loader.mock.calls.length, cache.getSync('a')]).toEqual([1, 0, 'loaded']);
  expect(await Promise.all(all.map((thread) => thread.ask('inL1', 'a')))).toEqual(Array(3).fill('loaded'));
  const metrics = await Promise.all(all.map((thread) => thread.ask('metrics')));
  expect(metrics.map(({ loads }) => loads).sort()).toEqual([0, 0, 1]);
});

test('what a load fails with is told in all threads, and that there is nothing too', async () => {
  const { all } = await start(2);
  const { leader, answers } = await load(all, 'a');
  await leader.ask('release', undefined, 'down');
  expect(valuesOf(await answers)).toEqual([
    'Error: down',
    expect.stringMatching(/^LoadError: .*'a'.*: down$/),
  ]);
  for (const thread of all) thread.loads = 0;
  const nothing = await load(all, 'b');
  await leader.ask('release', undefined);
  expect([valuesOf(await nothing.answers), loadsOf(all)]).toEqual([[undefined, undefined], 1]);
});

test('what is stale is renewed once for all threads, which have it meanwhile', async () => {
  const { cache, all } = await start(3, { stale: 3_600_000, ttl: 3_600_000 });
  await outlive(cache, all);
  const answers = await Promise.all(all.map((thread) => thread.ask('load', 'a')));
  expect([answers, loadsOf(all)]).toEqual([['old', 'old', 'old'], 1]);
  const leader = all.find(({ loads }) => loads === 1)!;
  await leader.ask('release', 'new');
  await Promise.all(all.map((thread) => thread.sees('new', 'inL1', 'a')));
  expect([await cache.getOrLoad('a', () => 'here'), loadsOf(all)]).toEqual(['new', 1]);
});

test('a change in one thread is seen in those that had something else', async () => {
  const { cache, l1, all } = await start(2);
  const [one, other] = all as [Thread, Thread];
  const everywhere = async (value: unknown): Promise<void> => {
    await Promise.all(all.map((thread) => thread.sees(value, 'get', 'a')));
    await until(() => cache.getSync('a') === value);
  };
  await cache.set('a', 1, { tags: ['t'] });
  await everywhere(1);
  await heard(cache, all);
  await everywhere(1);
  expect(await Promise.all(all.map((thread) => thread.ask('inL1', 'a')))).toEqual([1, 1]);
  await one.ask('set', 'a', 2, { tags: ['t'] });
  await everywhere(2);
  await other.ask('invalidateTag', 't');
  await everywhere(undefined);
  await cache.set('a', 3);
  await everywhere(3);
  await other.ask('delete', 'a');
  await everywhere(undefined);
  await cache.set('a', 4);
  await everywhere(4);
  await one.ask('clear');
  await everywhere(undefined);
  expect(l1.keys()).toEqual([]);
});

test('two caches of one thread hear of each other too', async () => {
  const { cache } = await start(0);
  const other = open({ l2: new SharedCache<any>({ name }) });
  await cache.set('a', 1);
  expect(await other.cache.get('a')).toBe(1);
  await cache.set('a', 2);
  await until(() => other.l1.peek('a') === undefined);
  expect(await other.cache.get('a')).toBe(2);
});

test.each<[string, (cache: Cache) => Promise<void>, unknown]>([
  ['set', (cache) => cache.set('a', 'set'), 'set'],
  ['deleted', (cache) => cache.delete('a'), undefined],
  ['invalidated', (cache) => cache.invalidateTag('t'), undefined],
  ['cleared', (cache) => cache.clear(), undefined],
])('what is %s in one thread while another loads it stays so in all', async (_, change, after) => {
  const { cache, l2, all } = await start(3);
  // Only who leads knows the tags.
  const { leader, answers } = await load(all, 'a', { tags: ['t'] });
  await change(cache);
  await leader.ask('release', 'loaded');
  expect(valuesOf(await answers)).toEqual(Array(3).fill('loaded'));
  await Promise.all(all.map((thread) => thread.sees(after, 'get', 'a')));
  expect([l2.has('a'), await cache.get('a')]).toEqual([after !== undefined, after]);
});

test('who asks after a change, in whatever thread, gets nothing from before it', async () => {
  const { cache, all } = await start(2);
  const { leader, answers } = await load(all, 'a');
  await cache.delete('a');
  expect(await cache.getOrLoad('a', () => 'after')).toBe('after');
  await leader.ask('release', 'before');
  expect(valuesOf(await answers)).toEqual(['before', 'before']);
  expect(await cache.get('a')).toBe('after');
});

test.each([false, true])(
  'who leads may be terminated: another one loads, something stale being there: %s',
  async (isStale) => {
    const { cache, l2, all } = await start(3, { stale: 3_600_000, ttl: 3_600_000 });
    if (isStale) {
      await outlive(cache, all);
    }
    const { leader, others, answers } = await load(all, 'a');
    await leader.worker.terminate();
    await until(() => loadsOf(others) === 1);
    await others.find(({ loads }) => loads === 1)!.ask('release', 'new');
    await Promise.all(others.map((thread) => thread.sees('new', 'inL1', 'a')));
    expect([loadsOf(others), l2.has('a')]).toEqual([1, true]);
    void answers;
  },
);

test('a failure is held in each thread, and told to nobody but as an event', async () => {
  const { cache, all } = await start(2, { grace: 3_600_000, graceBackoff: 600_000 });
  await outlive(cache, all);
  const { leader, answers } = await load(all, 'a');
  await leader.ask('release', undefined, 'down');
  expect(valuesOf(await answers)).toEqual(['old', 'old']);
  expect(await Promise.all(all.map((thread) => thread.ask('getSync', 'a')))).toEqual(['old', 'old']);
  await until(() => all.every(({ untold }) => untold.length === 1));
});

test('a worker ends by itself with a cache that is open', async () => {
  const { cache, all } = await start(1);
  await cache.set('a', 1);
  await all[0]!.sees(1, 'get', 'a');
  const exited = once(all[0]!.worker, 'exit');
  await all[0]!.ask('leave');
  expect(await exited).toEqual([0]);
  // Who is left has nobody to tell.
  await cache.set('a', 2);
});

test('a process ends by itself with caches that are open, and threads that are idle', async () => {
  const source = `
    const { Worker } = require('node:worker_threads');
    const { BoundedLRUCache, SharedCache, TieredCache } = require('keelson');
    const l1 = new BoundedLRUCache(9);
    const cache = new TieredCache({ l1, l2: new SharedCache({ name: 'x' }), stale: 9e5, write: 'behind', store() {} });
    const worker = new Worker(${JSON.stringify(SCRIPT)}, { workerData: { name: 'x', id: 1, options: {} } });
    worker.once('message', async () => {
      await cache.set('a', 1);
      console.log(await cache.get('a'), await cache.getOrLoad('b', () => 2));
      worker.unref();
    });`;
  expect(await runNode(['-e', source])).toMatchObject({ code: 0, stdout: '1 2\n', stderr: '' });
});
