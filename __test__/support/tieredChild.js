// A process of its own with a tiered cache, which does as it is told: { id, do, with } comes, { id, answer } or { id, error } goes.
// It tells of each call that reaches its loader as { loading }.
const { BoundedLRUCache, SharedCache, TieredCache } = require('../..');

let cache;
let takes = 0;
let value;
let error;
const events = [];

async function load(key) {
  process.send({ loading: key });
  const found = value;
  await new Promise((resolve) => setTimeout(resolve, takes));
  if (error !== undefined) throw new Error(error);
  return found;
}

const DEEDS = {
  make(l3) {
    const l1 = new BoundedLRUCache({ maxSize: 10_000 });
    cache = new TieredCache({ l1, l2: new SharedCache({ name: 'l2' }), l3, ttl: 3600_000 });
    for (const event of ['redis-error', 'recovered']) cache.on(event, () => events.push(event));
  },
  /** What the loader gives, and after how many milliseconds. */
  source(next) {
    ({ value, error, takes = 0 } = next);
  },
  read: ({ key, callers = 1, tags }) =>
    Promise.all(Array.from({ length: callers }, () => cache.getOrLoad(key, load, { tags }))),
  get: (key) => cache.get(key),
  set: ({ key, value: next }) => cache.set(key, next),
  delete: (key) => cache.delete(key),
  invalidateTag: (tag) => cache.invalidateTag(tag),
  look: () => ({ events, ...cache.metrics() }),
};

process.on('message', async ({ id, do: deed, with: what }) => {
  try {
    process.send({ id, answer: await DEEDS[deed](what) });
  } catch (reason) {
    process.send({ id, error: reason.code ?? reason.message });
  }
});
// Whoever is left alone has nothing more to do.
process.on('disconnect', () => process.exit());
