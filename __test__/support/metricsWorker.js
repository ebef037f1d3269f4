// A worker with a cache of its own, which does as it is told: { do, with } comes, { done } goes.
const { parentPort } = require('node:worker_threads');
const { BoundedLRUCache, metrics } = require('../..');

const cache = metrics.name(new BoundedLRUCache(100), 'of workers');

const DEEDS = {
  hit(times) {
    cache.set('key', 1);
    for (let n = 0; n < times; n++) cache.get('key');
  },
  /** Milliseconds that nothing else happens here. */
  block(ms) {
    parentPort.postMessage({ blocking: true });
    for (const until = performance.now() + ms; performance.now() < until; );
  },
  collect: () => metrics.collect({ timeout: 10_000 }),
};

parentPort.on('message', async ({ do: deed, with: what }) => {
  parentPort.postMessage({ done: await DEEDS[deed](what) });
});
parentPort.postMessage({ done: 'begun' });
