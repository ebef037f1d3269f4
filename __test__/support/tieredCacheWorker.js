const { parentPort, workerData } = require('node:worker_threads');
const { BoundedLRUCache, SharedCache, TieredCache } = require('../../index.js');

const { name, id, options } = workerData;
const l1 = new BoundedLRUCache(1000);
const cache = new TieredCache({ l1, l2: new SharedCache({ name }), ttlJitter: 0, ...options });
cache.on('load-error', ({ error }) => parentPort.postMessage({ untold: String(error) }));

let release;

/** What a worker can be asked to do, by its name. */
const WORK = {
  get: (key) => cache.get(key),
  getSync: (key) => cache.getSync(key),
  /** Something that a change takes away, once it is heard of. */
  mark: () => l1.set('mark', true),
  inL1: (key) => l1.peek(key),
  set: (key, value, how) => cache.set(key, value, how),
  delete: (key) => cache.delete(key),
  invalidateTag: (tag) => cache.invalidateTag(tag),
  clear: () => cache.clear(),
  metrics: () => cache.metrics(),
  /** A load that ends when it is released, with what it is released with. */
  load: (key, how) =>
    cache.getOrLoad(
      key,
      () => {
        parentPort.postMessage({ loads: id });
        return new Promise((resolve, reject) => {
          release = (value, failure) => (failure === undefined ? resolve(value) : reject(new Error(failure)));
        });
      },
      how,
    ),
  release: (value, failure) => release(value, failure),
  /** Lets go of its parent; what it does then is its own end. */
  leave: () => parentPort.unref(),
};

parentPort.on('message', async ({ work, args, number }) => {
  try {
    parentPort.postMessage({ number, done: await WORK[work](...args) });
  } catch (error) {
    parentPort.postMessage({ number, failed: `${error.name}: ${error.message}` });
  }
});
parentPort.postMessage({ ready: true });
