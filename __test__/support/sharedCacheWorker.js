const { createHash } = require('node:crypto');
const { parentPort, workerData } = require('node:worker_threads');
const { SharedCache } = require('../../index.js');

const cache = new SharedCache({ name: workerData.name, maxBytes: 4 * 2 ** 20 });

/** Texts that tell whether they are whole, of any length. */
const checked = (text) => `${createHash('md5').update(text).digest('hex')}${text}`;
const isWhole = (value) => checked(value.slice(32)) === value;

/** What a worker can be asked to do, by its name. */
const WORK = {
  count(times) {
    for (let n = 0; n < times; n++) cache.incr('count');
  },
  swap(times) {
    for (let done = 0; done < times; ) {
      const before = cache.get('swapped');
      const list = [...(before?.list ?? []), workerData.id].slice(-5);
      if (cache.compareAndSet('swapped', before, { total: (before?.total ?? 0) + 1, list })) done++;
    }
  },
  async load(key, pause) {
    return await cache.getOrLoad(key, async () => {
      parentPort.postMessage({ loads: key });
      await new Promise((resolve) => setTimeout(resolve, pause));
      return `loaded by ${workerData.id}`;
    });
  },
  async wait(key) {
    const found = cache.getOrLoad(key, () => 'loaded here');
    parentPort.postMessage({ waits: key });
    return await found;
  },
  /** Until it is terminated. */
  churn() {
    for (let n = workerData.id; ; n = (n * 48_271) % 0x7fff_ffff) {
      const key = `key ${n % 500}`;
      const found = cache.get(key);
      if (found !== undefined && !isWhole(found)) throw new Error(`torn: ${found.slice(0, 100)}`);
      const what = n % 10;
      if (what < 6) cache.set(key, checked('x'.repeat(n % 20_000)), { tags: [`tag ${n % 7}`] });
      else if (what === 6) cache.delete(key);
      else if (what === 7) cache.invalidateTag(`tag ${n % 7}`);
      else if (what === 8) cache.touch(key, 1 + (n % 50));
      else for (const each of cache.keys()) if (typeof each !== 'string') throw new Error('no key');
    }
  },
};

parentPort.on('message', async ({ work, args }) => {
  try {
    parentPort.postMessage({ done: await WORK[work](...args) });
  } catch (error) {
    parentPort.postMessage({ failed: String(error) });
  }
});
parentPort.postMessage({ ready: true });
